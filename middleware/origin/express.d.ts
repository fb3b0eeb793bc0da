import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, Verifier } from "./index.js";
import "../express-request.js";

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
