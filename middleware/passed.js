// Requests that the gate has let on to the application, in this process, and the decision about each: what `session(req)` rests on. An
// application may have been bundled with a copy of this package of its own, so it is one place for all copies.

const PLACE = Symbol.for("doorward.passed.1");

/** @type {WeakMap<object, { identity?: import("./session.js").Session }>} */
export const passed = (globalThis[PLACE] ??= new WeakMap());

/**
 * Remembers a request that goes on, and gives it `doorward`: who is asking, `null` for an anonymous request.
 *
 * @param {object} req what the application gets
 * @param {{ identity?: import("./session.js").Session }} decision
 */
export function letOn(req, decision) {
  passed.set(req, decision);
  const configurable = true;
  Object.defineProperty(req, "doorward", {
    configurable,
    get: () => decision.identity ?? null,
    // What verifies an assertion of another gate writes it too.
    set: (value) => void Object.defineProperty(req, "doorward", { configurable, writable: true, value }),
  });
}
