import type { GateOptions } from "./gate.js";
import type { Session } from "./session.js";

export type { Config, GateOptions } from "./gate.js";
export type { Session } from "./session.js";

/** What is used of Hono's context. */
interface Context {
  req: { raw: Request };
  res: Response;
  env: any;
  set(key: "doorward", session: Session | null): void;
}

/**
 * The gate as middleware of Hono: `app.use(gate())`, before everything that it is to guard. `c.get("doorward")` is who is asking, `null` for an
 * anonymous request: `new Hono<{ Variables: { doorward: Session | null } }>()`.
 */
export function gate(options?: GateOptions): (c: Context, next: () => Promise<void>) => Promise<Response | void>;
