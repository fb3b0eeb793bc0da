// The end-to-end suite: walks through `steps.mjs` in headless Chromium, once for each front, and prints one line for each step.

import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { inFull, seconds, stopAll } from "../../../shared/program.mjs";
import { target } from "../build.mjs";
import { startStack } from "../services.mjs";
import { consoleChecks } from "./console.mjs";
import { environmentChecks } from "./environment.mjs";
import { startRecorder } from "./recorder.mjs";
import { steps } from "./steps.mjs";
import { tokenChecks } from "./tokens.mjs";

// As short as a loaded machine allows: many renewals have to fit into a minute.
const COOKIE_CACHE_SECONDS = 3;
// The gate's memory of an answer hides a renewal for as long.
const SESSION_CACHE_SECONDS = 1;
const PATIENCE_MS = 15_000;
const STEP_MS = 180_000;

const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @returns {Promise<boolean>} whether everything is as expected */
export async function check({ fronts, built, postgres, started, say }) {
  const executablePath = BROWSERS.find((path) => path && existsSync(path));
  if (!executablePath) {
    throw Object.assign(new Error("there is no Chromium, and without one nothing is proven"), {
      hint: "apt-get install --no-install-recommends chromium, or name one in CHROMIUM",
    });
  }
  const begin = Date.now();
  const tally = { good: 0, all: 0 };
  await report(tally, "prompt", await consoleChecks());
  await report(tally, "environment", await environmentChecks(built));
  await report(tally, "tokens", await tokenChecks(built));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  started.push({ stop: () => browser.close() });
  for (const front of fronts) {
    const own = [];
    started.push({ stop: () => stopAll(own, "stack") });
    await walk({ front, built, postgres, browser, started: own, tally, say });
    await stopAll(own, "stack");
  }
  console.log(`${tally.good} of ${tally.all} as expected, in ${seconds(begin)}; screenshots in ${target}`);
  return tally.good === tally.all;
}

async function walk({ front, built, postgres, browser, started, tally, say }) {
  const begin = Date.now();
  const stack = await startStack(
    { front, built, postgres, cookieCacheSeconds: COOKIE_CACHE_SECONDS, sessionCacheSeconds: SESSION_CACHE_SECONDS },
    started,
  );
  say(`${front}: ${stack.gate.name}, Better Auth on ${stack.database.name}, up in ${seconds(begin)} at ${stack.url}`);
  const world = await worldOf(stack, built, browser);
  let stuck = false;
  for (const { what, run } of steps) {
    // Each step goes on from where the one before has ended.
    if (stuck) {
      await report(tally, front, [{ what, problems: ["not tried"] }]);
      continue;
    }
    const marks = logsOf(stack).map(({ lines }) => lines.length);
    const since = Date.now();
    try {
      const found = await withinTime(run(world));
      await report(tally, front, [{ what, problems: [], found, took: Date.now() - since }]);
    } catch (error) {
      stuck = true;
      await report(tally, front, [{ what, problems: [inFull(error)], took: Date.now() - since }]);
      await world.shot(`failed ${what}`).catch(() => {});
      logsOf(stack).forEach(({ name, lines }, i) => lines.slice(marks[i]).slice(-8).forEach((line) => console.log(`      ${name}: ${line}`)));
    }
  }
  await world.close();
}

/** What the steps share: two people with a browser of their own each, and what was seen on the way. */
async function worldOf(stack, built, browser) {
  const shots = join(target, stack.front);
  await rm(shots, { recursive: true, force: true });
  await mkdir(shots, { recursive: true });
  let number = 0;
  const contexts = [];
  const unique = Date.now().toString(36);
  const person = async (name, options) => {
    const recorder = await startRecorder(stack.url);
    const proxy = { server: recorder.proxy };
    const context = await browser.newContext({ baseURL: stack.url, viewport: { width: 1000, height: 640 }, proxy, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("close", recorder.close);
    contexts.push(context);
    return {
      name,
      email: `${name.toLowerCase()}-${unique}@example.com`,
      password: `correct horse ${unique}`,
      context,
      recorder,
      page: await context.newPage(),
      cookie: async (part) => (await context.cookies()).find(({ name }) => name.endsWith(part)),
    };
  };
  const ada = await person("Ada");
  return {
    stack,
    built,
    ada,
    person,
    patience: PATIENCE_MS,
    shot: async (what, page = ada.page) => {
      number += 1;
      const name = `${String(number).padStart(2, "0")}-${what.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}.png`;
      await page.screenshot({ path: join(shots, name) });
    },
    close: () => Promise.all(contexts.map((context) => context.close())),
  };
}

async function report(tally, part, lines) {
  for (const { what, problems, found, took } of lines) {
    tally.all += 1;
    if (problems.length === 0) tally.good += 1;
    const time = took === undefined ? "" : `  ${(took / 1000).toFixed(1)} s`;
    console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${part.padEnd(11)} ${what}${found ? `: ${found}` : ""}${time}`);
    problems.forEach((problem) => console.log(`      ${problem.replaceAll("\n", "\n      ")}`));
  }
}

function logsOf({ auth, api, frontend, gate }) {
  const services = [auth, api, frontend].map(({ name, log }) => ({ name, lines: log }));
  return [...services, { name: "gate", lines: gate.log().split("\n").filter(Boolean) }];
}

async function withinTime(work) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`not over after ${STEP_MS / 1000} s`)), STEP_MS)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
