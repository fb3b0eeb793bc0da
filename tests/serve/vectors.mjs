// node vectors.mjs [file …]: plays the decision vectors over HTTP, through `doorward serve` as a proxy (the program in DOORWARD_PROGRAM).
//
// Played is what this way can have: cases that need no script of results (their effects are signature checks, which are made for real) and
// no earlier case. The clock is faketime's. Compared is what a client and the application can see: status, headers, cookies and body of an
// answer, its reason in the log; of a forward its target, the headers set and removed. Last line: `N of M as expected`.

import { spawn } from "node:child_process";
import http from "node:http";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { freePort, isUp, send, startApp } from "./world.mjs";

const folder = process.env.DOORWARD_VECTORS ?? fileURLToPath(new URL("../vectors/decisions/", import.meta.url));
const program = process.env.DOORWARD_PROGRAM;
const wanted = process.argv.slice(2);
/** Framing and connection are this test's own. */
const OF_CONNECTION = new Set(["connection", "content-length", "transfer-encoding", "expect", "host", "upgrade", "te"]);

const isText = (text) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text.trim() === text;
const isToken = (text) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);

/** Why a case cannot be played so; nothing where it can. */
function beyond({ after, results = [], expect, request, origin_set_cookies: cookies }, { stores }) {
  if (after !== undefined) return "history";
  if (results.length > 0 || stores || cookies) return "results";
  if ([...(expect.effects ?? []), ...(expect.after ?? []), ...(expect.alongside ?? [])].some((one) => one !== "check")) return "effects";
  if (expect.forward?.upstream || expect.assertion) return "another origin";
  const { method, target, headers = [], public_origin: origin = "" } = request;
  // The application of this test is Node, whose parser knows some methods.
  if (!http.METHODS.includes(method) && expect.forward) return "no HTTP";
  if (!isToken(method) || method === "CONNECT" || !/^\/[\x21-\x7e]*$/.test(target) || target.includes("#")) return "no HTTP";
  if (headers.some(([name, value]) => !isToken(name) || !isText(value) || OF_CONNECTION.has(name.toLowerCase()))) return "no HTTP";
  return /^https?:\/\/[a-z0-9.:[\]-]+$/.test(origin) ? undefined : "no public origin";
}

async function startGate(app, { config, env = {} }, { now_ms: now, request }) {
  const home = mkdtempSync(path.join(tmpdir(), "doorward-vectors-"));
  writeFileSync(path.join(home, "doorward.json"), JSON.stringify(config));
  const port = await freePort();
  // It stands still: some cases are about a millisecond.
  const time = new Date(now).toISOString().replace("T", " ").slice(0, -1);
  const args = ["-f", time, program, "serve", "--upstream", `http://127.0.0.1:${app.port}`, "--listen", `127.0.0.1:${port}`, "--public-origin", request.public_origin, "--config", "doorward.json", "--max-head", "262144"];
  const child = spawn("faketime", args, { cwd: home, env: { PATH: process.env.PATH, TZ: "UTC", DONT_FAKE_MONOTONIC: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1", ...env }, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {}
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  const isThere = await Promise.race([isUp(port).then(() => true, () => false), ended.then(() => false)]);
  return { port, stop, isThere, said: () => said };
}

/** What is not as expected; nothing where all is. */
async function problemOf(app, gate, { request, expect }) {
  const [before, logged] = [app.seen.length, gate.said().length];
  const { method, target, headers = [], public_origin: origin } = request;
  const response = await send(gate.port, { method, target, headers, host: origin.split("://")[1], ms: 4000 });
  const [seen] = app.seen.slice(before);
  const answer = expect.reject ?? expect.redirect ?? expect.respond;
  if (!answer) return forwardProblem(seen, response, expect);
  if (seen) return `it was forwarded as ${seen.url}`;
  if (answer.status !== response.status) return `${response.status}, not ${answer.status}`;
  if (answer.location !== undefined && response.get("location") !== answer.location) return `to ${response.get("location")}`;
  const reason = () => gate.said().slice(logged).split("\n").filter(Boolean).map((line) => JSON.parse(line).reason).findLast(Boolean);
  if (answer.reason !== undefined) {
    for (let turn = 0; turn < 50 && reason() === undefined; turn++) await new Promise((resolve) => setTimeout(resolve, 10));
    if (reason() !== answer.reason) return `reason ${reason()}, not ${answer.reason}`;
  }
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    const has = response.get(name) ?? null;
    if (has !== value && !(name === "content-length" || response.all(name).join(", ") === value)) return `${name}: ${has}, not ${value}`;
  }
  if (expect.set_cookies && JSON.stringify(response.all("set-cookie")) !== JSON.stringify(expect.set_cookies)) return `cookies ${response.all("set-cookie")}`;
  if (expect.body !== undefined && response.body !== expect.body) return `body ${response.body.slice(0, 200)}`;
  return undefined;
}

function forwardProblem(seen, response, { forward }) {
  if (!seen) return `${response.status} ${response.body.slice(0, 150)}`;
  if (forward.target !== undefined && seen.url !== forward.target) return `forwarded as ${seen.url}, not ${forward.target}`;
  const pairs = seen.headers.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), seen.headers[at + 1]]] : []));
  for (const [name, value] of Object.entries(forward.set ?? {})) {
    const has = pairs.filter(([own]) => own === name.toLowerCase()).map(([, own]) => own);
    if (has.length !== 1 || has[0] !== value) return `${name}: ${has}, not ${value}`;
  }
  const setAnyway = new Set([...Object.keys(forward.set ?? {}), "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "cookie"]);
  for (const name of forward.removed ?? []) {
    if (!setAnyway.has(name.toLowerCase()) && pairs.some(([own]) => own === name.toLowerCase())) return `${name} has arrived`;
  }
  return undefined;
}

const app = await startApp();
let [right, all] = [0, 0];
const left = new Map();
try {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
    if (wanted.length > 0 && !wanted.includes(file)) continue;
    const { policies, cases } = JSON.parse(readFileSync(path.join(folder, file), "utf8"));
    const groups = new Map();
    for (const vector of cases) {
      const why = beyond(vector, policies[vector.policy]);
      if (why) {
        left.set(why, (left.get(why) ?? 0) + 1);
        continue;
      }
      const key = JSON.stringify([vector.policy, vector.now_ms, vector.request.public_origin]);
      groups.set(key, [...(groups.get(key) ?? []), vector]);
    }
    for (const vectors of groups.values()) {
      const policy = policies[vectors[0].policy];
      let gate = await startGate(app, policy, vectors[0]);
      for (const vector of vectors) {
        let problem = gate.isThere ? await problemOf(app, gate, vector) : `no gate: ${gate.said().slice(0, 300)}`;
        if (problem !== undefined) {
          // What another case has left may count: once more with a gate of its own.
          await gate.stop();
          gate = await startGate(app, policy, vector);
          problem = gate.isThere ? await problemOf(app, gate, vector) : `no gate: ${gate.said().slice(0, 300)}`;
        }
        all++;
        if (problem === undefined) right++;
        else console.log(`${file}: ${vector.name}: ${problem}`);
      }
      await gate.stop();
    }
  }
} finally {
  app.close();
}
console.log(`not played: ${[...left].map(([why, count]) => `${count} ${why}`).join(", ")}`);
console.log(`${right} of ${all} as expected`);
if (all === 0 || right < all) process.exitCode = 1;
