// Starts the stack, and looks at it through a real browser.
//
//   node stack.mjs [--front next|worker|both] [--postgres] [--quiet] [--check]
//
// `cargo xtask stack` builds what it needs and calls it. Exit 0: good; 1: something is not as expected; 2: used wrongly.

import { forever, program, readOptions } from "../../shared/program.mjs";
import { buildAll } from "./build.mjs";
import { check } from "./check/check.mjs";
import { openConsole } from "./console.mjs";
import { askDoctors } from "./doctor.mjs";
import { startStack } from "./services.mjs";

const FRONTS = { next: ["next"], worker: ["worker"], both: ["next", "worker"] };

const flag = { type: "boolean", default: false };
const options = readOptions("stack", { front: { type: "string" }, check: flag, postgres: flag, quiet: flag }, (values) => {
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
  const stacks = [];
  const diagnose = async () => (await Promise.all(stacks.map((stack) => askDoctors(stack, built)))).flat();
  const console = openConsole({ output: process.stderr, input: process.stdin, quiet: options.quiet, diagnose });
  for (const front of fronts) {
    const stack = await startStack({ front, built, postgres: options.postgres, console: named(console, fronts, front) }, started);
    process.stdout.write(`${stack.url}\n`);
    say(`${stack.gate.name} → frontend ${stack.urls.frontend}, auth service ${stack.urls.auth} on ${stack.database.name}, Python API ${stack.urls.api}`);
    put(named(console, fronts, front), stack);
    stacks.push(stack);
  }
  say("`help` lists the commands of this prompt. examples/stack/README.md says what to look at, and how to break it");
  console.open();
  await forever();
}

/** Each service by the name that the prompt and the log know it by. */
function put(console, { front, url, database, auth, api, frontend, gate, urls }) {
  if (database.start) console.add("database", database, database.url);
  console.add("auth", auth, urls.auth);
  console.add("api", api, urls.api);
  console.add("frontend", frontend, urls.frontend);
  if (front === "worker") console.add("gate", gate, url);
}

/** With two fronts beside each other a name says whose service it is. */
function named(console, fronts, front) {
  if (fronts.length === 1) return console;
  const full = (name) => `${front}/${name}`;
  return {
    heard: (name, line) => console.heard(full(name), line),
    ended: (name, how) => console.ended(full(name), how),
    add: (name, ...rest) => console.add(full(name), ...rest),
  };
}

function say(line) {
  console.error(`stack: ${line}`);
}
