import type { GateOptions } from "./gate.js";

export type { Config, GateOptions } from "./gate.js";

/** What Vercel passes as the second argument: `RequestContext` of `@vercel/functions`. */
export interface RoutingContext {
  waitUntil(work: Promise<unknown>): void;
}

/**
 * Makes the function that Vercel calls before every request: Routing Middleware of an app without a framework, or with one
 * that leaves middleware to Vercel. It is the default export of `middleware.js` (or `.ts`) at the root of the project:
 *
 * ```js
 * import { gate } from "doorward/vercel";
 *
 * export default gate();
 * export const config = { runtime: "nodejs" };
 * ```
 *
 * It runs on both runtimes, `nodejs` and `edge`. The configuration decides what is public; a `matcher` should leave out static
 * files only, since what it leaves out the gate does not see, and client headers that look like an identity are not removed there.
 *
 * The public origin and the client's address are known from the deployment's variables ("Automatically expose System
 * Environment Variables" is on by default). A deployment with several domains sets `publicOrigin`.
 *
 * Whatever fails is answered with 503; nothing passes unjudged.
 */
export function gate(options?: GateOptions): (request: Request, context?: RoutingContext) => Promise<Response>;
