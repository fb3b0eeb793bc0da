// Starts the stack, and looks at it through a real browser.
//
//   node stack.mjs [--front next|worker|both] [--postgres] [--check]
//
// `cargo xtask stack` builds what it needs and calls it. Exit 0: good; 1: something is not as expected; 2: used wrongly.

import { parseArgs } from "node:util";

import { buildAll } from "./build.mjs";
import { check } from "./check/check.mjs";
import { startStack } from "./services.mjs";

const FRONTS = { next: ["next"], worker: ["worker"], both: ["next", "worker"] };

const options = readOptions();
const started = [];
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    interrupted = true;
    await stopAll();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}
// A slip of this program must leave nothing behind either.
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.once(event, async (error) => {
    interrupted = true;
    console.error(`stack: error: ${error?.stack ?? error}`);
    await stopAll();
    process.exit(1);
  });
}

try {
  const fronts = FRONTS[options.front];
  const built = await buildAll(fronts, say);
  if (options.check) process.exitCode = (await check({ fronts, built, postgres: options.postgres, started, stopAll, say })) ? 0 : 1;
  else await stayUp(fronts, built);
} catch (error) {
  if (!interrupted) {
    console.error(`stack: error: ${error.message}`);
    if (error.hint) console.error(`stack: hint: ${error.hint}`);
    process.exitCode = 1;
  }
} finally {
  if (!interrupted) {
    await stopAll();
    // What does not let go must not keep the caller waiting.
    process.exit();
  }
}

async function stayUp(fronts, built) {
  for (const front of fronts) {
    const { url, gate, database, urls } = await startStack({ front, built, postgres: options.postgres }, started);
    console.log(url);
    say(`${gate.name} → frontend ${urls.frontend}, auth service ${urls.auth} on ${database.name}, Python API ${urls.api}`);
  }
  say("Ctrl-C stops everything. examples/stack/README.md says what to look at, and how to break it");
  await new Promise(() => setInterval(() => {}, 1 << 30));
}

/** Stops everything, the last started first, and whatever goes wrong with one of them. */
async function stopAll() {
  for (const { stop } of started.splice(0).reverse()) {
    try {
      await stop();
    } catch (error) {
      console.error(`stack: error: ${error.message}`);
    }
  }
}

function say(line) {
  console.error(`stack: ${line}`);
}

function readOptions() {
  const refuse = (problem) => {
    console.error(`stack: error: ${problem}`);
    console.error("stack: hint: cargo xtask stack --help");
    process.exit(2);
  };
  let values;
  try {
    const flag = { type: "boolean", default: false };
    ({ values } = parseArgs({ options: { front: { type: "string" }, check: flag, postgres: flag } }));
  } catch (error) {
    refuse(error.message);
  }
  values.front ??= values.check ? "both" : "next";
  if (!Object.hasOwn(FRONTS, values.front)) refuse(`there is no front "${values.front}"`);
  if (values.postgres && process.env.DATABASE_URL) refuse("--postgres makes a cluster, and DATABASE_URL names one");
  return values;
}
