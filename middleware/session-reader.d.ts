import type { SessionReaderOptions } from "./next.js";
import type { Session } from "./session.js";

export { NotGated } from "./session.js";
export type { NotGatedReason, Session } from "./session.js";
export type { SessionReaderOptions } from "./next.js";

type Fetched = { headers: Headers };
type Received = { headers: Record<string, string | string[] | undefined> };

/** What frameworks hand to the code of an application. */
export type SessionSource =
  | Headers
  /** `Request`, and events that have headers themselves. */
  | Fetched
  /** Node's and Express's request. */
  | Received
  /** SvelteKit's event, Astro's context, the argument of React Router's loaders; Fastify's request is `{ raw }`. */
  | { request: Fetched | { raw: Received } }
  | { raw: Received }
  /** Hono's context, and the event of h3 2 (Nitro 3). */
  | { req: { raw: Request } | Fetched }
  /** The event of h3 1 (Nuxt, Nitro 2). */
  | { node: { req: Received } };

/**
 * Who is asking; `null` where the gate ran and the request is anonymous. It is found by the request itself where the gate has decided on it in
 * this process, otherwise by a mark that only the gate can make (`doorward/register`, `doorward/next`, and the option `marks` of `doorward/node`). No
 * header that a client has sent counts, and nothing that requests share: in what a framework renders for its cache it throws.
 *
 * @throws {NotGated} the gate did not run for this request, or that cannot be verified
 * @throws {TypeError} there is no request in it
 */
export function session(source: SessionSource): Promise<Session | null>;

/**
 * Makes `session` for another name or secret of the mark than the usual ones.
 *
 * @throws {TypeError} for an option that is not of its type
 */
export function sessionReader(options?: SessionReaderOptions): (source: SessionSource) => Promise<Session | null>;
