// What must hold, beside the key of each ratio. Speed-ups (`repeat…` of the JWT cases) are rival / ours and have to be at least
// so much; everything else is ours / rival and may be at most so much. Sizes are judged in bytes. A key without a limit is
// shown and not judged.

const atLeast = (limit) => ({ at_least: limit });
const atMost = (limit) => ({ at_most: limit });

/** The same in every runtime. */
const CASES = {
  "eddsa.first": atMost(1.1),
  "es256.first": atMost(1.0),
  "es384.first": atMost(1.0),
  "rs256.first": atMost(1.0),
  "ps256.first": atMost(1.0),
  "eddsa.repeat": atLeast(50),
  "es256.repeat": {},
  "es384.repeat": {},
  "rs256.repeat": atLeast(25),
  "ps256.repeat": {},
  "eddsa.repeat_headers": atLeast(12),
  "es256.repeat_headers": {},
  "es384.repeat_headers": {},
  "rs256.repeat_headers": {},
  "ps256.repeat_headers": {},
  "compact.first": atMost(0.2),
  "compact.repeat": atMost(0.03),
  "hs256.first": atMost(0.3),
  "hs256.repeat": atMost(0.3),
  "jwe.first": atMost(0.25),
  "jwe.repeat": atMost(0.25),
  "session_token.first": atMost(1.0),
  "sign_hs256.first": atMost(0.5),
  "sign_es256.first": atMost(0.5),
  "sign_eddsa.first": atMost(0.5),
};

const inRuntime = (runtime) => Object.fromEntries(Object.entries(CASES).map(([key, limit]) => [`${runtime}.${key}`, limit]));

export const LIMITS = {
  ...inRuntime("workerd"),
  ...inRuntime("node"),
  "workerd.worker.added_p50": atMost(0.5),
  "workerd.worker.added_p99": atMost(0.7),
  "workerd.cold": atMost(1.2),
  "size.middleware_gzip": { at_most_bytes: 80 * 1024 },
  "size.worker_gzip": { at_most_bytes: 280 * 1024 },
};

/** Keys whose ratio is a speed-up. */
export const isSpeedUp = (key) => /\.(eddsa|es256|es384|rs256|ps256)\.repeat/.test(key);
