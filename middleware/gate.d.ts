import type { Config } from "./config.js";
import type { Session } from "./session.js";

export type * from "./config.js";
export type { Session } from "./session.js";

/** A header: its name and its value. */
export type Pair = [name: string, value: string];

/** A store of texts that instances share, like Redis or a platform's cache. Whoever can write to it can sign in. */
export interface SharedCache {
  /** What was put under this key, if it is still there. It is given 200 ms; a failure is as good as nothing. */
  get(key: string): Promise<string | null | undefined>;
  /** Keeps a text. After `ttlSeconds` it is of no use any more; kept longer, it does no harm. */
  put(key: string, value: string, options: { ttlSeconds: number }): Promise<unknown>;
}

/**
 * What most sites say, over the preset `better-auth`:
 *
 * ```ts
 * gate({ signIn: "/login", public: ["/", "/pricing", "/blog/**"], require: { "/admin/**": { roles: "admin" } } });
 * ```
 *
 * All else is written in `config`, then these members too (`signIn` is `sign_in` there).
 */
export interface ShortForm {
  /** Where a page without a session is redirected to. Default: `/sign-in`. */
  signIn?: Config["sign_in"];
  /** Patterns of paths that need no session. */
  public?: Config["public"];
  /** Patterns of paths that need a session, with what it has to have: `{ "/admin/**": { roles: "admin" } }`. */
  require?: Config["require"];
  /** The framework of the application. Default: `next` in `doorward/next`, otherwise none. */
  framework?: Config["framework"];
}

export interface GateOptions extends ShortForm {
  /**
   * The configuration, as an object or as JSON text. Default: the preset `better-auth`, with the short form over it. An object
   * that is not written here is checked with `satisfies Config`; one that is imported from a JSON
   * file has lost its words' types and goes `as Config`.
   */
  config?: Config | string;
  /**
   * Where the environment variables are that the configuration names; no others are read. Default: `process.env` where there
   * is one. In a Worker: the `env` that came with the request.
   */
  env?: Record<string, unknown>;
  /** Carries the gate's own requests to the auth service, and in `handle` those to a rule's `upstream`. Default: the platform's `fetch`. */
  fetch?: typeof globalThis.fetch;
  /**
   * Stores that the configuration names (`deny_list`): what each has under a key, or nothing. An exception, or anything
   * but text and bytes, counts as a failure, and admits no request.
   */
  stores?: Record<string, (key: string) => StoredValue | Promise<StoredValue>>;
  /**
   * Where instances leave each other copies of what they have fetched: key sets, and sessions where an issuer says
   * `share_sessions`. Default: each instance fetches for itself.
   */
  cache?: SharedCache;
  /** The clock, in milliseconds since 1970; where it gives no moment of these years, requests are answered with 503. Default: `Date.now`. */
  now?: () => number;
  /**
   * Scheme, host and port under which browsers see this site, like `https://app.example`. Default: that of the request's URL.
   * Set it where that is not the public one, as behind another proxy. A text with more in it, like a path, is a `TypeError`; from a
   * function it is a 503.
   */
  publicOrigin?: string | ((request: Request) => string | undefined);
  /**
   * The client's network address as the platform knows it. Read it from a header only where the platform itself writes that
   * header. Default: unknown.
   */
  clientAddress?: string | ((request: Request) => string | undefined);
  /**
   * Takes one line of the log, which is one JSON object: `docs/reference/log.md`. Never a token or a secret. Default: `console.error`
   * for what is wrong with the gate itself (`config_warning`, `config_error`, `crash`), `console.log` for all else.
   */
  log?: (line: string) => void;
  /**
   * Counts what the gate decides and asks for (`docs/reference/metrics.md`): for the global meter provider of OpenTelemetry (`@opentelemetry/api`),
   * where one is registered, and for `metrics()`. With `path`, `GET` of that path gives the text of Prometheus to whoever sends `Authorization:
   * Bearer` with the value of `DOORWARD_METRICS_TOKEN` (at least 32 bytes), also where the gate has not started. Default: nothing is counted.
   */
  metrics?: boolean | { path?: string };
  /**
   * Whether the application gets a mark, by which `session(event)` of `doorward/session` and `session()` of `doorward/next` know who is asking where
   * a framework has made another request of the one that the gate has decided on. It needs a secret: `DOORWARD_MARK_SECRET`, or that of Better Auth.
   * Default: no; `doorward/next`, `doorward/vercel` and `doorward/register` always do it.
   */
  marks?: boolean;
  /** Keeps the program alive for what is done after the response. Default: nothing does; the work goes on by itself. */
  waitUntil?: (work: Promise<unknown>) => void;
  /**
   * Performs effects instead of the platform, or around it: `usual` is how they are performed by default. For tests and for
   * unusual networks. An exception counts as a failed effect.
   */
  perform?: (effect: Effect, usual: (effect: Effect) => Promise<EffectResult>) => Promise<EffectResult>;
}

/** What a store has under a key: text in UTF-8 or bytes; nothing where it has nothing. */
export type StoredValue = string | Uint8Array | null | undefined;

/** What comes with one request; each goes before the option of the same name. */
export interface RequestContext {
  waitUntil?: (work: Promise<unknown>) => void;
  clientAddress?: string;
  publicOrigin?: string;
  /**
   * Whether the caller sees the origin's response and awaits the verdict's `finish`, or calls `abandon`. Without it, a session's cookies are renewed
   * before the verdict is there, which then takes up to a second longer once per renewal.
   */
  seesResponse?: boolean;
  /**
   * For `handle`: `next` answers the request that it is given, and nothing reads the first one. Default: it may be otherwise, so
   * that one is edited too; where the runtime does not let it, a request with an identity header of its own is answered with 400.
   */
  usesArgument?: boolean;
}

/** The request may go on to the origin. */
export interface ForwardVerdict {
  kind: "forward";
  /** Path and query as the gate understood them: the origin should get what was decided about. */
  target: string;
  /**
   * Where to, if not to the application itself: scheme, host and port of the rule's `upstream`. `handle` sends the request there
   * by itself; whoever calls `decide` has to.
   */
  upstream: string | undefined;
  /** The identity; nothing where the request is anonymous. Made when it is first read. */
  identity: Session | undefined;
  /** The request's headers as the origin must see them; made when they are first read. */
  headers: Headers;
  /** Names of the request headers that were removed. */
  removed: string[];
  /** Request headers that were set after the removals. */
  set: Pair[];
  /** Headers to add to the origin's response; `set-cookie` may repeat. */
  responseHeaders: Pair[];
  /**
   * Only where `seesResponse` was said and there is something to wait for: takes the `Set-Cookie` lines of the origin's response, when
   * it is there, and gives further headers for it. The session's cookies are among them if they still count: not after a sign-out.
   * Never rejects.
   */
  finish?: (originSetCookies: string[]) => Promise<Pair[]>;
  /** Beside `finish`, and called in its place where there is no response: the client is gone, or the origin has failed. */
  abandon?: () => void;
  /**
   * How long a connection may stay open that this request begins, a WebSocket or an event stream, in milliseconds from now; nothing: it has
   * no end. `handle` ends event streams by itself; whoever calls `decide` has to (docs/revocation.md, "Open connections").
   */
  livesMs?: number;
  /** After so many milliseconds, and again after as many more, `recheck` is to be called; nothing: it is anonymous. */
  recheckAfterMs?: number;
  /** The reason why such a connection is over; nothing where it is not, or where that is not known. Rejects where the gate has fallen. */
  recheck?: () => Promise<string | undefined>;
  reason: string | undefined;
  /** What was written to the log. */
  log: string | undefined;
}

/** The gate answers by itself. */
export interface AnswerVerdict {
  kind: "answer";
  response: Response;
  /** Why: a stable code of `docs/reasons.md`; nothing where the gate serves something, the key set of its assertions. */
  reason: string | undefined;
  /** What was written to the log. */
  log: string | undefined;
}

export type Verdict = ForwardVerdict | AnswerVerdict;

/** A request's head for hosts without Fetch's `Request`. Header values are read as Latin-1. */
export interface Head {
  method: string;
  /** Path and query as received. */
  target: string;
  publicOrigin: string;
  clientAddress?: string;
  headers: Iterable<Pair>;
}

/** A decision about a head: a verdict in plain data. */
export type Decision =
  | Omit<ForwardVerdict, "headers">
  | { kind: "answer"; status: number; headers: Pair[]; body: string; reason: string | undefined; log: string | undefined };

export interface Gate {
  /** What has been counted since the gate began, in the text format of Prometheus. Where it has not started, that it has not. */
  metrics(): string;
  /** Decides on a request. Never throws: what cannot be decided is an answer with status 503. */
  decide(request: Request, context?: RequestContext): Promise<Verdict>;
  /** Decides on a request by its head alone. Never throws. */
  decideHead(head: Head, context?: Pick<RequestContext, "waitUntil" | "seesResponse">): Promise<Decision>;
  /**
   * Decides on a request and answers it: with `next`'s response to the edited request (a rule's `upstream`'s, where it has one), or
   * with the gate's own. Redirects of the origin are passed on, not followed.
   *
   * **`next` has to answer its argument.** It is another request than the first one: it has the headers that the application may
   * believe, the target that was decided about, and the body. Frameworks whose `next` takes no request (Astro, SvelteKit, srvx) go on with
   * the first one: take `decide` there, and the verdict's `identity`. The first one's headers are edited as well, so that nothing
   * forged is left in either, but not its URL.
   */
  handle(request: Request, next: (request: Request) => Response | Promise<Response>, context?: RequestContext): Promise<Response>;
}

/**
 * Makes a gate. Nothing happens before the first request; then the configuration is compiled, once.
 *
 * @throws {TypeError} for an option that is not of its type, and for a `publicOrigin` that is none
 */
export function createGate(options?: GateOptions): Gate;

/** How a signature is made and checked. It is the bytes that a JWS has: for ECDSA r and s side by side. */
export interface SignatureScheme {
  /** `RSASSA-PKCS1-v1_5`, `RSA-PSS`, `ECDSA` or `EdDSA`. */
  kind: string;
  /** The curve of an elliptic key, as `crv` names it. */
  curve?: string;
  /** The hash function, as WebCrypto names it; EdDSA has its own. */
  hash?: string;
  /** The length of the salt, for `RSA-PSS`. */
  saltBytes?: number;
}

/** What the engine sends a host to do. */
export type Effect = {
  id: number;
  /** Whether it is done after the response, so that no response waits for it. */
  background: boolean;
} & (
  | {
      kind: "fetch";
      purpose: string;
      method: string;
      url: string;
      headers: Pair[];
      timeoutMs: number;
      maxBytes: number;
      /** The key under which the shared cache may have a copy that will do; without it, no copy will. */
      copy?: string;
    }
  | {
      kind: "check";
      scheme: SignatureScheme;
      thumbprint: string;
      /** The public key, a JWK in JSON. */
      key: string;
      signingInput: Uint8Array;
      signature: Uint8Array;
    }
  | {
      kind: "sign";
      scheme: SignatureScheme;
      /** A name under which an imported key may be kept. */
      kid: string;
      /** The private key as a JWK. A secret of the gate's own environment. */
      key: string;
      input: Uint8Array;
    }
  | {
      kind: "read";
      /** One of the option `stores`. */
      store: string;
      /** May be somebody's session token. */
      key: string;
      timeoutMs: number;
      maxBytes: number;
    }
  | { kind: "wait"; milliseconds: number }
);

/** What came of an effect. */
export type EffectResult =
  | { kind: "answered"; status: number; headers: Pair[]; body: Uint8Array }
  /** What was found in the shared cache, in UTF-8. */
  | { kind: "copied"; text: Uint8Array }
  | { kind: "checked"; holds: boolean }
  | { kind: "signed"; signature: Uint8Array }
  | { kind: "waited" }
  | { kind: "tooLarge" }
  | { kind: "headTooLarge" }
  | { kind: "found"; value: Uint8Array }
  | { kind: "absent" }
  | { kind: "failed" }
  | { kind: "unsupported" };
