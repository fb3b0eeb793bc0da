#!/usr/bin/env node
// The command line `doorward` on Node: performs what the commands ask for, and decides nothing.
// They are Rust (doctor/ in the repository), compiled to ../wasm/cli.wasm.br; the native program
// (cli/) performs the same effects.

import { Doorward } from "../wasm/cli.js";
import { computer } from "./computer.mjs";
import { perform } from "./perform.mjs";

/** Ends the wait for the effect that is being performed. */
let interrupt = () => process.exit(130);
process.on("SIGINT", () => interrupt());

const program = new Doorward(
  JSON.stringify({
    args: process.argv.slice(2),
    out_is_terminal: Boolean(process.stdout.isTTY),
    err_is_terminal: Boolean(process.stderr.isTTY),
  }),
  computer,
);
let step = JSON.parse(program.start());
while (step.exit === undefined) {
  const interrupted = new Promise((resolve) => {
    interrupt = () => resolve({ result: "interrupted" });
  });
  const result = await Promise.race([perform(step, () => interrupt()), interrupted]);
  step = JSON.parse(program.resume(JSON.stringify(result)));
}
process.exit(step.exit);
