// Where `doorward/testing` puts a session for the tests of an application; without that, nothing is ever there.

const PLACE = Symbol.for("doorward.testing.1");

/**
 * The session of the test that runs; `null` for an anonymous one, nothing outside of such a test.
 *
 * @returns {import("./session.js").Session | null | undefined}
 */
export function insteadOfRequest() {
  return globalThis[PLACE]?.();
}

/** Has this be asked from now on, in all copies of the package. */
export function answerWith(ask) {
  globalThis[PLACE] = ask;
}
