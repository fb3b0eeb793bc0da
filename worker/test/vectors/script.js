// What a Worker with the feature `conformance` is told by a decision vector, and what it says (worker/src/conformance.rs).

import { taken } from "./results.js";

/** The case that is played: there is one at a time. */
export const script = {};

/** Begins a case. */
export function begin({ now_ms, results = [] }, oddHead) {
  Object.assign(script, { now: now_ms, results: [...results.entries()], oddHead, effects: [], later: [], said: {} });
}

export const now = () => script.now;

export const oddHead = () => script.oddHead;

export function say(what, json) {
  script.said[what] = JSON.parse(json);
}

export function performed(json) {
  const effect = JSON.parse(json);
  if (effect.purpose === "wait") {
    script.now += effect.millis;
    return '{"waited":true}';
  }
  (script.said.decision ? script.later : script.effects).push(effect.purpose);
  const result = taken(script, effect);
  // Signatures are checked and made for real unless the script says otherwise.
  if (result?.real || (!result && ["check", "sign"].includes(effect.purpose))) return undefined;
  return JSON.stringify(result ?? { failed: true });
}
