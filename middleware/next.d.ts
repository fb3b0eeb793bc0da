import type { GateOptions } from "./gate.js";

export type { Config, GateOptions } from "./gate.js";

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
 * The configuration decides what is public. The matcher should leave out static files only: what it leaves out is not judged,
 * and client headers that look like an identity are not removed there.
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
