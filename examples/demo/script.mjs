// The demo: starts a real Better Auth service, an origin and the gate in front of it, walks through `steps.mjs` and prints one line for each.
//
//   node script.mjs [--host worker|node] [--strategy compact|jwt|jwe] [--serve]
//
// `cargo xtask demo` builds what it needs and calls it. Exit 0: every line is as expected; 1: some are not; 2: used wrongly.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { forever, inFull, program, readOptions, seconds } from "../shared/program.mjs";
import { Browser } from "./browser.mjs";
import { PROTECTED } from "./origin.mjs";
import { startAll } from "./services.mjs";
import { steps } from "./steps.mjs";

// As short as a loaded machine allows: the script waits once for both to end.
const COOKIE_CACHE_SECONDS = 5;
const TOKEN_SECONDS = 5;
const IDENTIFIED = ["cookie-cache", "auth-service", "jwt"];

const DATABASE_URL = process.env.DATABASE_URL ?? "";

const text = (usual) => ({ type: "string", default: usual });
const { host, strategy, serve } = readOptions(
  "demo",
  { host: text("worker"), strategy: text("compact"), serve: { type: "boolean", default: false } },
  ({ host, strategy }) => {
    if (!["worker", "node"].includes(host)) return `there is no host "${host}"`;
    if (!["compact", "jwt", "jwe"].includes(strategy)) return `there is no strategy "${strategy}"`;
  },
);

await program("demo", async (started) => {
  const begin = Date.now();
  const environment = { DATABASE_URL, COOKIE_CACHE_STRATEGY: strategy, ...(!serve && { COOKIE_CACHE_SECONDS, TOKEN_SECONDS }) };
  // 0: each step sees what was decided just now.
  const stage = await startAll({ host, environment, sessionCacheSeconds: 0 }, started);
  const { publicOrigin, auth, origin, gate } = stage;
  const database = DATABASE_URL ? "PostgreSQL" : "PGlite";
  console.error(`demo: gate ${publicOrigin} (${gate.name}) → origin ${origin.url}, auth service ${auth.url} (Better Auth on ${database}), up in ${seconds(begin)}`);
  return serve ? stayUp(stage) : walk(stage);
});

async function stayUp({ publicOrigin }) {
  console.log(publicOrigin);
  console.error(`
Try it:
  open ${publicOrigin}/ in a browser, then the dashboard: it asks you to sign up
  curl -i ${publicOrigin}/dashboard -H 'accept: text/html'       → to the sign-in page
  curl -i ${publicOrigin}/api/me                                 → 401, and why
  curl -i ${publicOrigin}/ -H 'x-doorward-subject: boss'         → the origin sees nobody
Ctrl-C stops everything.`);
  await forever();
}

/** Walks the script; true if every line is as expected. */
async function walk({ publicOrigin, auth, origin, gate }) {
  const world = {
    auth,
    visitor: new Browser(publicOrigin),
    ada: new Browser(publicOrigin),
    // Another browser of Ada's.
    elsewhere: new Browser(publicOrigin),
    // A real PostgreSQL remembers the last run.
    email: DATABASE_URL ? `ada-${randomBytes(4).toString("hex")}@example.com` : "ada@example.com",
    reasonOf: (answer) => verdict(answer).reason,
    until: sleep,
  };
  const table = columns(["request", Math.max(...steps.map(({ what }) => what.length))], ["decision", 8], ["reason", 26], ["status", 6], ["the gate asked", 14], ["what the origin saw", 0]);
  table.head();
  const logs = [{ whose: "the gate's", log: gate.log }, { whose: "the auth service's", log: auth.log }];

  const begin = Date.now();
  let failed = 0;
  for (const step of steps) {
    const before = await auth.asked();
    const mark = origin.seen.length;
    const logged = logs.map(({ log }) => log().length);
    let answer;
    try {
      answer = await step.send(world);
    } catch (error) {
      failed += 1;
      table.line(false, [step.what, "", "", "", "", inFull(error)]);
      continue;
    }
    const asks = difference(before, await auth.asked());
    const arrived = origin.seen.slice(mark);
    const found = { ...verdict(answer), status: answer.status, asks, received: arrived.find(({ target }) => target === answer.target), arrived };
    const wrong = problems(step, answer, found, world);
    table.line(wrong.length === 0, [step.what, found.decision, found.reason ?? "", String(answer.status), counted(asks), sight(found.received)]);
    if (wrong.length === 0) continue;
    failed += 1;
    for (const problem of wrong) console.log(`    ${problem}`);
    logs.forEach(({ whose, log }, i) => {
      const lines = log().slice(logged[i]).trim();
      if (lines) console.log(`    ${whose} log: ${lines.replaceAll("\n", "\n      ")}`);
    });
  }
  console.log(`${steps.length - failed} of ${steps.length} as expected, in ${seconds(begin)}`);
  return failed === 0;
}

/** Decision and reason as the response tells them: `doorward-decision: redirect; reason=token_expired`. */
function verdict({ headers }) {
  const [decision, ...members] = (headers["doorward-decision"] ?? "none").split(";").map((part) => part.trim());
  return { decision, ...Object.fromEntries(members.map((member) => member.split("="))) };
}

/** What is not as expected, in sentences. */
function problems({ expect, check }, answer, found, world) {
  const wrong = [];
  const hold = (holds, sentence) => holds || wrong.push(sentence);
  const equal = (name, actual, expected) => hold(actual === expected, `expected ${name} ${expected ?? "none"}, got ${actual ?? "none"}`);

  equal("decision", found.decision, expect.decision);
  equal("reason", found.reason, expect.reason);
  equal("status", answer.status, expect.status);
  if (expect.location) equal("location", answer.headers.location, expect.location);
  for (const question of expect.asks && found.asks ? ["keys", "session", "token"] : []) {
    const { least = 0, most = least } = expect.asks[question] ?? {};
    const times = found.asks[question];
    hold(least <= times && times <= most, `expected the gate to ask for ${question} ${least === most ? least : `${least} to ${most}`} times, it did ${times} times`);
  }

  const saw = sees(found.received);
  equal("the origin to see", saw, expect.sees);
  const identity = found.received?.identity ?? {};
  if (IDENTIFIED.includes(expect.sees)) {
    equal("x-doorward-email", identity["x-doorward-email"], world.email);
    hold(!Object.values(identity).some((value) => value.includes("boss")), "a forged identity header reached the origin");
  }

  const ours = expect.sees === "nothing";
  if (ours) {
    hold(found.arrived.every(({ target }) => target.startsWith("/api/auth/")), "a refused request reached the origin");
    hold(!answer.text.includes(PROTECTED), "protected content in a refusal");
    hold(answer.headers["cache-control"]?.includes("no-store"), `expected cache-control no-store, got ${answer.headers["cache-control"] ?? "none"}`);
  }
  if (ours && expect.status !== 307 && !answer.headers["content-type"]?.startsWith("text/html")) {
    equal("content-type", answer.headers["content-type"]?.split(";")[0], "application/problem+json");
    equal("the problem's reason", problem(answer.text).reason, expect.reason);
  }
  if (expect.status === 401) hold(answer.headers["www-authenticate"]?.startsWith("Bearer"), `expected WWW-Authenticate: Bearer …, got ${answer.headers["www-authenticate"] ?? "none"}`);
  hold(!Object.keys(answer.headers).some((name) => name.startsWith("x-doorward-")), "an identity header in a response");

  const missing = check?.({ ...world, answer, received: found.received });
  if (missing) wrong.push(`expected ${missing}`);
  return wrong;
}

/** What the origin makes of a request: nothing came, nobody, or somebody by that source. */
function sees(received) {
  if (!received) return "nothing";
  if (Object.keys(received.identity).length === 0) return "nobody";
  return received.identity["x-doorward-source"] ?? "somebody";
}

function sight(received) {
  if (!received) return "nothing";
  const { identity } = received;
  const who = sees(received) === "nobody" ? "nobody" : `${identity["x-doorward-email"] ?? "?"} by ${identity["x-doorward-source"] ?? "?"}`;
  return `${received.method} ${received.target} ${who}`;
}

function problem(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** How often the gate asked in between; nothing is known while nobody is there to count. */
function difference(before, after) {
  if (after.stopped) return undefined;
  return { keys: after.keys - before.keys, session: after.session - before.session, token: after.token - before.token };
}

function counted(asks) {
  if (!asks) return "–";
  const parts = Object.entries(asks).filter(([, times]) => times > 0);
  return parts.map(([question, times]) => `${question} ${times}×`).join(", ") || "nothing";
}

function columns(...widths) {
  const paint = process.stdout.isTTY && !process.env.NO_COLOR ? (code, text) => `\x1b[${code}m${text}\x1b[0m` : (_, text) => text;
  const row = (cells) => cells.map((cell, i) => cell.padEnd(widths[i][1])).join("  ").trimEnd();
  return {
    head: () => console.log(paint(1, `     ${row(widths.map(([name]) => name))}`)),
    line: (good, cells) => console.log(`${good ? paint(32, "ok  ") : paint(31, "FAIL")} ${row(cells)}`),
  };
}
