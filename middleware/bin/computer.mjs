// What commands have computed at once (doctor/src/functions.rs): the gate's engine answers by the
// module that decides about requests, and expressions are JavaScript's own.

/** The gate's module, when a command has asked for it. */
let gate;

/** Loads the gate's module: only some commands ask it. */
export async function load() {
  if (gate === undefined) {
    gate = await import("../wasm/default.js");
    gate.__wbg_reset_state();
  }
}

export const computer = {
  inspect: (question) => gate.inspect(question),
  matches: (expression, text) => {
    try {
      return new RegExp(expression).test(text);
    } catch {
      return undefined;
    }
  },
};
