import type { GateOptions } from "./gate.js";
import type { Session } from "./session.js";

export type { Config, GateOptions } from "./gate.js";
export type { Session } from "./session.js";

/** What is used of Astro's context. */
interface Context {
  request: Request;
  locals: object;
  clientAddress?: string;
  isPrerendered?: boolean;
}

/**
 * The gate as `onRequest` of `src/middleware.ts`. `Astro.locals.doorward` is who is asking, `null` for an anonymous request: declare it in
 * `env.d.ts` as `declare namespace App { interface Locals { doorward: Session | null } }`.
 *
 * Astro serves static files and prerendered pages before any middleware: where there is a server of Node, put the gate in front of it by
 * `node --import doorward/register dist/server/entry.mjs`.
 */
export function gate(options?: GateOptions): (context: Context, next: () => Promise<Response>) => Response | Promise<Response>;
