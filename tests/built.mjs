// Fails, and says what to do, where something is missing that only cargo makes: npm scripts load it
// and do not build it.
//
//   node built.mjs [package] [worker] [suites] [variants]

import { existsSync } from "node:fs";

const MADE = {
  package: ["cargo xtask build", "middleware/wasm"],
  worker: ["cargo xtask build", "worker/build"],
  suites: ["cargo xtask build tests", "middleware/test/suites/wasm"],
  variants: ["cargo xtask build tests", "worker/test/build"],
};

for (const [command, folder] of process.argv.slice(2).map((name) => MADE[name])) {
  if (existsSync(new URL(`../${folder}`, import.meta.url))) continue;
  console.error(`doorward: error: ${folder} has not been built`);
  console.error(`doorward: hint: ${command}`);
  process.exitCode = 1;
}
