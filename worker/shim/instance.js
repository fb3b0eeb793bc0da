// The WebAssembly instance and whether it has fallen.
//
// After a trap (a panic, an exhausted stack or memory) an instance's memory is in no known state and the promises of the
// requests in it never settle. So every call into an instance goes through `guard`: the first one that throws marks the
// instance as fallen, and no request gets into a fallen instance again, neither a new request nor the rest of an old one.

let current;

/**
 * The instance that new requests go to; nothing before the first start.
 *
 * @returns {{ readonly fallen: boolean } | undefined}
 */
export const currentInstance = () => current;

/**
 * The exports of a new instance, watched. The glue calls this for each instance that it makes.
 *
 * @param {WebAssembly.Exports} exports
 * @returns {WebAssembly.Exports}
 */
export function guard(exports) {
  // `waiting`: whom to tell when it falls.
  const instance = { fallen: false, waiting: new Set() };
  current = instance;
  const watched = Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? watch(value, instance) : value]);
  return Object.fromEntries(watched);
}

/**
 * What a promise of the running instance brings, unless the instance falls before that: such a promise never settles then. A
 * request is told of the fall while another one runs; the platform lets it go on in its own context
 * (`handle_cross_request_promise_resolution`).
 *
 * @param {Promise<[Response | Promise<Response>]>} promise a response, or the promise of one. It is in an array, because a
 *   response that is on its way from the origin needs no instance any more
 * @param {Response | Promise<Response>} [otherwise] what the client gets where the promise brings nothing; if absent, that is a failure
 * @returns {Promise<Response>}
 */
export function whileStanding(promise, otherwise) {
  const instance = current;
  const brought = new Promise((resolve, reject) => {
    const fall = () => reject(new Error("doorward: the gate has fallen"));
    const end = (settle) => (value) => {
      instance.waiting.delete(fall);
      if (instance.fallen) fall();
      else settle(value);
    };
    instance.waiting.add(fall);
    promise.then(end(([response]) => resolve(response)), end(reject));
  });
  return otherwise ? brought.catch(() => otherwise) : brought;
}

// What an export returns as a failure comes back as a value; an exception that crosses its border has cut Rust's frames
// off in the middle of their work, whatever it was.
function watch(call, instance) {
  return (...values) => {
    if (instance.fallen) throw new Error("doorward: this instance has fallen");
    try {
      return call(...values);
    } catch (error) {
      instance.fallen = true;
      for (const tell of instance.waiting) tell();
      instance.waiting.clear();
      throw error;
    }
  };
}
