import type { GateOptions } from "./gate.js";
import type { NotGated, Session } from "./session.js";

export type { Config, GateOptions } from "./gate.js";
export { NotGated } from "./session.js";
export type { Session } from "./session.js";

/** What Next passes as the second argument: `NextFetchEvent`. */
export interface NextEvent {
  waitUntil(work: Promise<unknown>): void;
}

/**
 * Makes the function that Next calls before every request. In Next 16 it is exported from `proxy.ts` (Node), in older
 * versions, and where the edge runtime is wanted, from `middleware.ts`:
 *
 * ```ts
 * import { gate } from "doorward/next";
 *
 * export const proxy = gate();
 * export const config = { matcher: ["/((?!_next/static/).*)"] };
 * ```
 *
 * The configuration decides what is public. The matcher should leave out static files only: what it leaves out the gate does not see,
 * and client headers that look like an identity are not removed there. So read who is asking by `session()`, which throws there.
 * What may be left out besides are uploads of more than 10 MB that are public or verified by themselves: Next cuts a body behind any
 * `proxy.ts` at `experimental.proxyClientMaxBodySize`, without an error.
 *
 * What the rules see is `request.url`: with `basePath` and locale, without Next's transport forms (`.rsc`, `_next/data`).
 *
 * Set `publicOrigin` when the app is served by `next start` behind a proxy, which knows itself by its own host name and port
 * only; requests that change something would otherwise be refused as coming from another site. On Vercel it is known from
 * the deployment's variables, and so is the client's address.
 *
 * Whatever fails is answered with 503; nothing passes unjudged.
 */
export function gate(options?: GateOptions): (request: Request, event?: NextEvent) => Promise<Response>;

/**
 * Who is asking, in server components, route handlers and server actions; `null` where the gate ran and the request is anonymous.
 * It reads a mark that only the gate can make, so it trusts no header that a client has sent. Verified once a request.
 *
 * A `Request` as argument also binds method and path; without one it asks `headers()` of Next. The Pages Router has neither:
 * `session(new Headers(req.headers as Record<string, string>))`. The gate and the application
 * need one secret: `DOORWARD_MARK_SECRET` (at least 32 bytes), or a Better Auth secret under its usual name.
 *
 * @throws {NotGated} the gate did not run for this request, or that cannot be verified
 */
export function session(request?: Request | Headers): Promise<Session | null>;

export interface SessionReaderOptions {
  /** The name of the mark: `header_prefix` of the configuration, and `mark`. Default: `x-doorward-mark`. */
  header?: string;
  /** The secret of the marks, at least 32 bytes. Default: `DOORWARD_MARK_SECRET`, otherwise `BETTER_AUTH_SECRETS`, `BETTER_AUTH_SECRET`, `AUTH_SECRET`. */
  secret?: string;
  /** The public host, or hosts. Default: the mark has to be for the host that the request in hand is for. */
  host?: string | string[];
  /** Where the environment variables are. Default: `process.env`. */
  env?: Record<string, unknown>;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number;
}

/**
 * Makes `session` for another name or secret than the usual ones.
 *
 * @throws {TypeError} for an option that is not of its type
 */
export function sessionReader(options?: SessionReaderOptions): (request?: Request | Headers) => Promise<Session | null>;
