import type { IncomingMessage } from "node:http";
import type { NodeOptions } from "./node.js";
import type { Session } from "./session.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who is asking; `null` for an anonymous request, and where the gate did not run: `session(request)` throws there. */
    readonly doorward: Session | null;
  }
}

export type { Config, GateOptions } from "./gate.js";
export type { NodeOptions } from "./node.js";
export { NotGated } from "./session.js";
export type { Session } from "./session.js";

/** What is used of Fastify. */
interface Instance {
  decorateRequest(name: any, value: any): unknown;
  addHook(name: any, hook: any): unknown;
}

/**
 * The gate as a plugin of Fastify, in front of every route, static file and WebSocket of the instance that it is registered with, whatever
 * the order: `await app.register(gate())`. Register it with the root instance.
 */
export function gate(options?: NodeOptions): (app: Instance) => Promise<void>;

/**
 * Who is asking; `null` for an anonymous request.
 *
 * @throws {NotGated} the gate did not run for this request
 */
export function session(request: { raw: IncomingMessage }): Session | null;
