import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, Verifier } from "./index.js";

// What the types of Express make their request of.
declare global {
  namespace Express {
    interface Request {
      /** Who is asking; nothing where the middleware lets requests pass without an assertion, or is not in front. */
      doorward?: Session;
    }
  }
}

/**
 * Middleware for Express and Connect: answers what it refuses; otherwise `req.doorward` is the session, and no header is left that
 * looks like an identity.
 *
 * `optional`: whether a request without an assertion may pass, with `req.doorward` undefined. Default: no.
 */
export function express(
  verifier: Verifier,
  options?: { optional?: boolean },
): (req: IncomingMessage & { doorward?: Session }, res: ServerResponse, next: (problem?: unknown) => void) => Promise<void>;
