// Lines of the log that the host makes by itself, in the form of the engine's own: one JSON object, its members in the order of their names.

/**
 * A line about something that the engine has not decided, or cannot say any more.
 *
 * @param {string} event
 * @param {Record<string, unknown>} members nothing that a client has sent, but for its method
 * @param {number} [now] milliseconds since 1970
 */
export function logLine(event, members, now = Date.now()) {
  const all = { event, gate: "doorward", time: timeOf(now), ...members };
  return JSON.stringify(Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1))));
}

function timeOf(now) {
  return Number.isFinite(now) ? new Date(now).toISOString() : undefined;
}

/** The line with how long the decision took, where the clock runs: on edge platforms it stands still between two answers of the network. */
export function withDuration(line, since) {
  const micros = Math.round((clock() - since) * 1000);
  return micros > 0 ? `${line.slice(0, -1)},"duration_us":${micros}}` : line;
}

/** Milliseconds of a clock that nobody sets. */
export function clock() {
  return globalThis.performance?.now() ?? 0;
}
