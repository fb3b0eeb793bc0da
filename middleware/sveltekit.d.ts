import type { GateOptions } from "./gate.js";
import type { Session } from "./session.js";

export type { Config, GateOptions } from "./gate.js";
export type { Session } from "./session.js";

/** What is used of SvelteKit's event. */
interface Event {
  request: Request;
  locals: object;
  getClientAddress?(): string;
}

/**
 * The gate as `handle` of `src/hooks.server.ts`. `event.locals.doorward` is who is asking, `null` for an anonymous request: declare it in
 * `app.d.ts` as `interface Locals { doorward: Session | null }`.
 *
 * ```ts
 * import { building } from "$app/environment";
 * const guard = gate({ public: ["/"] });
 * export const handle: Handle = (input) => (building ? input.resolve(input.event) : guard(input));
 * ```
 *
 * SvelteKit serves static files and prerendered pages before any hook: where there is a server of Node, put the gate in front of it by
 * `node --import doorward/register build`.
 */
export function gate(options?: GateOptions): <E extends Event>(input: { event: E; resolve(event: E): Response | Promise<Response> }) => Promise<Response>;
