// What commands have computed at once (doctor/src/functions.rs): the gate's engine answers by the
// module that decides about requests, and expressions are JavaScript's own.

import { readFileSync } from "node:fs";

/** The gate's module, when a command has asked for it. */
let gate;

/** Loads the gate's module: only some commands ask it. */
export async function load() {
  if (gate === undefined) {
    gate = await import("../wasm/default.js");
    gate.__wbg_reset_state();
  }
}

const SUFFIXES = new URL("../wasm/suffixes.txt", import.meta.url);

export const computer = {
  suffixes: () => readFileSync(SUFFIXES, "utf8"),
  inspect: (question) => gate.inspect(question),
  matches: (expression, text) => {
    try {
      return new RegExp(expression).test(text);
    } catch {
      return undefined;
    }
  },
};
