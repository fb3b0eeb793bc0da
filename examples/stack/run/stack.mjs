// Starts the stack, and looks at it through a real browser.
//
//   node stack.mjs [--front next|worker|both] [--postgres] [--check]
//
// `cargo xtask stack` builds what it needs and calls it. Exit 0: good; 1: something is not as expected; 2: used wrongly.

import { forever, program, readOptions } from "../../shared/program.mjs";
import { buildAll } from "./build.mjs";
import { check } from "./check/check.mjs";
import { startStack } from "./services.mjs";

const FRONTS = { next: ["next"], worker: ["worker"], both: ["next", "worker"] };

const flag = { type: "boolean", default: false };
const options = readOptions("stack", { front: { type: "string" }, check: flag, postgres: flag }, (values) => {
  values.front ??= values.check ? "both" : "next";
  if (!Object.hasOwn(FRONTS, values.front)) return `there is no front "${values.front}"`;
  if (values.postgres && process.env.DATABASE_URL) return "--postgres makes a cluster, and DATABASE_URL names one";
});

await program("stack", async (started) => {
  const fronts = FRONTS[options.front];
  const built = await buildAll(fronts, say);
  if (options.check) return check({ fronts, built, postgres: options.postgres, started, say });
  return stayUp(fronts, built, started);
});

async function stayUp(fronts, built, started) {
  for (const front of fronts) {
    const { url, gate, database, urls } = await startStack({ front, built, postgres: options.postgres, onLine: heard }, started);
    console.log(url);
    say(`${gate.name} → frontend ${urls.frontend}, auth service ${urls.auth} on ${database.name}, Python API ${urls.api}`);
  }
  say("Ctrl-C stops everything. examples/stack/README.md says what to look at, and how to break it");
  await forever();
}

/** What the services log is what examples/stack/README.md tells to look at. */
function heard(name, line) {
  console.error(`${name}: ${line}`);
}

function say(line) {
  console.error(`stack: ${line}`);
}
