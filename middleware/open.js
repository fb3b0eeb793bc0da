// Connections that stay open, WebSockets and event streams: they end with what they rest on. How long that is the engine says, and
// whether it still holds it is asked again and again.

/** A WebSocket that ends so was closed by the gate (RFC 6455 section 7.4.2: 4000 to 4999 are the application's own). */
export const CLOSE_CODE = 4401;

/** No timer takes more; a connection that may last longer is looked at again then. */
const LONGEST_MS = 2 ** 31 - 1;

/** After so long a look has come to nothing: an instance that has fallen never answers. */
const LOOK_MS = 5_000;

/**
 * @typedef {{ livesMs?: number, recheckAfterMs?: number, recheck?: () => Promise<string | undefined> }} ConnectionLimits how long a connection may stay
 *   open, how often it is looked at, and what gives the reason why it is over
 */

/** Whether a response is one that goes on and on, by its type: its bytes are news, not a document. */
export function isStream(contentType) {
  return /^\s*(text\/event-stream|application\/(x-ndjson|ndjson|jsonl|json-seq|stream\+json|grpc[\w.+-]*)|multipart\/x-mixed-replace)\s*(;|$)/i.test(contentType ?? "");
}

/** Whether there is anything that could end a connection. */
export const isBounded = ({ livesMs, recheckAfterMs }) => livesMs !== undefined || recheckAfterMs !== undefined;

/**
 * Calls `end`, once, when a connection is over.
 *
 * @param {ConnectionLimits} limits
 * @param {(reason: string) => void} end
 * @returns {() => void} to be called when it has ended by itself
 */
export function watchOver({ livesMs, recheckAfterMs, recheck }, end) {
  let isOver = false;
  const timers = new Set();
  if (livesMs !== undefined) {
    const begun = Date.now();
    const wait = (ms) => after(Math.min(ms, LONGEST_MS), () => (ms > LONGEST_MS ? wait(begun + livesMs - Date.now()) : over("expired")));
    wait(Math.max(0, livesMs));
  }
  if (recheckAfterMs !== undefined && recheck) after(recheckAfterMs, look);
  return stop;

  function after(ms, work) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isOver) work();
    }, ms);
    // In Node a program may end although this is to come.
    timer?.unref?.();
    timers.add(timer);
  }

  async function look() {
    let late;
    const silence = new Promise((resolve) => (late = setTimeout(resolve, LOOK_MS)));
    // Who does not know ends nothing.
    const reason = await Promise.race([recheck(), silence]).catch(() => undefined);
    clearTimeout(late);
    if (isOver) return;
    if (reason) over(reason);
    else after(recheckAfterMs, look);
  }

  function over(reason) {
    if (isOver) return;
    stop();
    end(reason);
  }

  function stop() {
    isOver = true;
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  }
}

/**
 * A body that ends when its connection is over: its reader comes back then, as it does after every end, and is decided on anew.
 *
 * @param {ReadableStream} body
 * @param {ConnectionLimits} limits
 * @returns {ReadableStream}
 */
export function ending(body, limits) {
  const reader = body.getReader();
  let stop;
  let isOver = false;
  return new ReadableStream({
    start(controller) {
      stop = watchOver(limits, () => {
        isOver = true;
        controller.close();
        reader.cancel().catch(() => {});
      });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (isOver) return;
        if (!done) return controller.enqueue(value);
        stop();
        controller.close();
      } catch (error) {
        stop();
        if (!isOver) controller.error(error);
      }
    },
    cancel(reason) {
      stop();
      return reader.cancel(reason);
    },
  });
}
