import type { Session, Verifier } from "./index.js";

/** What is used of Hono's context. */
interface Context {
  req: { raw: Request };
  set(key: "doorward", session: Session | undefined): void;
}

/**
 * Middleware for Hono: answers what it refuses; otherwise `c.get("doorward")` is the session, and no header is left that looks like
 * an identity.
 *
 * `optional`: whether a request without an assertion may pass, without a session. Default: no.
 */
export function hono(
  verifier: Verifier,
  options?: { optional?: boolean },
): (c: Context, next: () => Promise<void>) => Promise<Response | void>;
