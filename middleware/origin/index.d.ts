import type { IncomingMessage } from "node:http";
import type { Session as GateSession } from "../session.js";

/** A stable code; `docs/assertion.md` says what to do about each. */
export type Reason =
  | "assertion_missing"
  | "assertion_ambiguous"
  | "assertion_malformed"
  | "assertion_type"
  | "assertion_algorithm"
  | "assertion_key_unknown"
  | "assertion_signature"
  | "assertion_claims"
  | "assertion_issuer"
  | "assertion_audience"
  | "assertion_lifetime"
  | "assertion_expired"
  | "assertion_not_yet_valid"
  | "assertion_method"
  | "assertion_host"
  | "assertion_target"
  | "assertion_replayed"
  | "keys_unavailable";

/** Who is asking, as the gate has verified it. */
export interface Session extends GateSession {
  /** `jti`, for logs. */
  assertionId: string;
}

/** The request does not come from the gate as it stands, or the keys are away. Nothing in here is secret. */
export class AssertionRefused extends Error {
  constructor(reason: Reason, hint?: string);
  readonly reason: Reason;
  /** 401 without an assertion, 503 without keys, otherwise 403. */
  readonly status: 401 | 403 | 503;
  readonly sentence: string;
  /** What to do about it, where this side can know. */
  readonly hint: string | undefined;
  headers(): Record<string, string>;
  /** A problem of RFC 9457. */
  body(): string;
  toResponse(): Response;
}

/** Status and sentence of each reason. */
export const reasons: Readonly<Record<Reason, readonly [status: number, sentence: string]>>;

/** Remembers which assertions have been used. What it throws ends the request; it never lets one pass. */
export interface Seen {
  /** Whether `jti` is new. It must be remembered until `expires`, in whole seconds since 1970, and in one step. */
  add(jti: string, expires: number): boolean | Promise<boolean>;
}

/**
 * Remembers for this process, until a minute after an assertion's end, by a clock that only goes on as well as by `now`. With several
 * processes use what they share, like Redis `SET … NX EXAT`. With half a million that are good at once it throws rather than forget one.
 */
export function seenInMemory(now?: () => number): Seen;

/** A public key of the gate. */
export interface PublicJwk {
  kty: string;
  kid: string;
  crv?: string;
  x?: string;
  y?: string;
  alg?: string;
  use?: string;
}

export interface VerifierOptions<R = never> {
  /** What the gate's configuration calls this origin. */
  audience: string;
  /** The gate's name. Default: `doorward`. */
  issuer?: string;
  /**
   * The public host, or hosts, as browsers see it, with the port where it is not the default. `Host` and `X-Forwarded-Host` are
   * never trusted.
   */
  host: string | string[];
  /**
   * The URL of the gate's JWK set (https, or http for loopback), such a set, or the secret for HS256: one of at least 32 bytes, or
   * two while it is changed.
   */
  keys: string | URL | { keys: PublicJwk[] } | { secret: string | Uint8Array | (string | Uint8Array)[] };
  /** Must end in `-assertion`; what stands before is the prefix of all identity headers. Default: `x-doorward-assertion`. */
  header?: string;
  /** By how much clocks may differ, in seconds: a number, never a text. Default: 5, at most 60. */
  clockToleranceSeconds?: number;
  /** Refuses an assertion that comes twice within its life. Default: it may. */
  seen?: Seen;
  /**
   * Path and query exactly as the gate wrote them, where a proxy or a framework between has changed them. It may say which kind of
   * request it takes, if it is given no other.
   */
  target?(request: Request | IncomingMessage | R): string;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number;
  /** Takes one line of JSON for each refusal, never a token. Default: `console.log`. */
  log?: (line: string) => void;
  /** Fetches the keys. Default: the platform's `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/** `Headers`, what Next's `await headers()` gives, a plain record, or Node's `rawHeaders`. */
export type HeadersLike =
  | { get(name: string): string | null | undefined }
  | Record<string, string | string[] | undefined>
  | readonly string[];

export interface Verifier {
  /** The header's name, in small letters. */
  readonly header: string;
  /**
   * Who is asking, if the gate let through just this request. Takes a Fetch `Request`, or Node's `IncomingMessage` (Express's
   * `originalUrl` counts before `url`).
   *
   * @throws {AssertionRefused}
   * @throws {TypeError} that is no request
   */
  verifyRequest(request: Request | IncomingMessage): Promise<Session>;
  /**
   * Who is asking, where the request itself is out of reach, as in Next's server components. **Not bound to the request**: whoever
   * has seen an assertion can use it for another request while it lives.
   *
   * @throws {AssertionRefused}
   * @throws {TypeError} these are no headers, but a promise of them or a request: that would pass for an anonymous request
   */
  readSession(headers: HeadersLike): Promise<Session>;
  /** Whether there is an assertion at all, good or bad. */
  has(headers: HeadersLike): boolean;
}

/**
 * Makes a verifier of the gate's assertions. Nothing is fetched before the first request.
 *
 * @throws {TypeError} for options that are not of their type, or could not work
 */
export function createVerifier<R = never>(options: VerifierOptions<R>): Verifier;
