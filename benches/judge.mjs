// From samples to ratios, and from ratios to what is missed. A ratio is taken within a round, where both sides had the same
// machine, and the median of the rounds is what counts.

import { isSpeedUp, LIMITS } from "./limits.mjs";

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => quantile(values, 0.5);

/** Medians by key and by whose it is, and the ratio of each key, from the rounds of one runtime. */
export function summary(runtime, rounds) {
  const rows = {};
  const ratios = {};
  for (const key of Object.keys(rounds[0])) {
    const names = Object.keys(rounds[0][key]).sort();
    const name = `${runtime}.${key}`;
    rows[name] = Object.fromEntries(names.map((who) => [who, median(rounds.map((round) => round[key][who]))]));
    if (!(name in LIMITS)) continue;
    const rival = rivalOf(rows[name]);
    // Where a part of the decision is what counts, the rest has a row of its own.
    const own = (round) => round[key].ours - (round[key]["ours: without"] ?? 0);
    const ratio = (round) => (isSpeedUp(name) ? round[key][rival] / own(round) : own(round) / round[key][rival]);
    ratios[name] = median(rounds.map(ratio));
  }
  return { rows, ratios };
}

/** The one that is compared; the others are only shown. */
export const rivalOf = (row) => ["jose", "getCookieCache", "getSessionCookie", "hono + jose"].find((who) => who in row);

/** What is missed: one sentence each. `bytes` are the sizes that are judged as such. */
export function missed(ratios, bytes) {
  return Object.keys(LIMITS).flatMap((key) => {
    const problem = problemOf(key, ratios, bytes);
    return problem ? [`${key}: ${problem}`] : [];
  });
}

export function problemOf(key, ratios, bytes) {
  const { at_least, at_most, at_most_bytes } = LIMITS[key];
  const ratio = ratios[key];
  if (!Number.isFinite(ratio)) return "was not measured";
  if (at_least !== undefined && ratio < at_least) return `${short(ratio)}x is ${short(at_least / ratio)} times too little, at least ${at_least}x`;
  if (at_most !== undefined && ratio > at_most) return `${short(ratio)} is ${short(ratio / at_most)} times too much, at most ${at_most}`;
  if (at_most_bytes !== undefined && bytes[key] > at_most_bytes) {
    return `${bytes[key]} bytes are ${bytes[key] - at_most_bytes} too many, at most ${at_most_bytes}`;
  }
  return undefined;
}

export const short = (number) => (Math.abs(number) >= 100 ? number.toFixed(0) : number.toPrecision(3));
