import type { Session } from "./session.js";

export type { Session } from "./session.js";

/** A user's id, what a session is to say besides, or `null` for an anonymous request. */
export type Who = string | (Partial<Session> & { subject: string }) | null;

/**
 * Runs a function as if it were asked by this user: `session()` of `doorward/next`, `doorward/node` and `doorward/session` give that, whatever
 * request they are given.
 *
 * ```ts
 * const page = await withSession({ subject: "ada", claims: { role: "admin" } }, () => AdminPage());
 * ```
 *
 * @throws {Error} this is no test, or production
 */
export function withSession<T>(who: Who, run: () => T): T;

/**
 * The same request, as if the gate had let it on: for handlers that get one (`req.doorward`, `session(req)`, `session(event)`).
 *
 * @throws {Error} this is no test, or production
 */
export function requestOf<R extends object>(who: Who, request: R): R & { doorward: Session | null };
