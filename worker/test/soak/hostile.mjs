// Fifty honest people, and one hostile client beside them: does anybody else notice? `cargo xtask soak --hostile` calls it, for
// the Worker in workerd and for `createProxy` in Node.
//
// Everything is on this machine, and bounded in number and time. The hostile client is a process of its own (`attack.mjs`), with an
// account of its own.

import { fork } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { root, startGate, variables } from "../harness.js";
import { World } from "./world.mjs";

const HONEST = 50;
/** Milliseconds from one request of an honest person to the next. */
const EVERY = 500;

const host = process.argv[2];
const seconds = Number(process.argv[3]);
const cleanups = [];
const test = { after: (work) => cleanups.unshift(work) };

/** An auth service that is well. */
class Calm extends World {
  fault() {
    return undefined;
  }
}

const world = new Calm();
world.begin();
const [origin, auth] = [await world.startOrigin(test), await world.startAuth(test)];
const bindings = variables(origin, auth);
bindings.DOORWARD.auth_requests_per_second = 100;
bindings.DOORWARD.rules = [
  { path: ["{auth}/**", "/sign-in"], access: "public" },
  { path: "/strict/**", access: "required", max_staleness_seconds: 0 },
  { path: "/api/**", access: "required", token_exchange: true },
  { path: "/**", access: "required" },
];
const gate = host === "node" ? await startNode() : await startGate(test, { bindings });
const agent = new http.Agent({ keepAlive: true });

const counts = { requests: 0, refused: 0, "503": 0, errors: 0 };
const reasons = new Map();
const times = [];

const mallory = world.signIn("mallory");
const attacker = fork(path.join(path.dirname(fileURLToPath(import.meta.url)), "attack.mjs"), { stdio: "inherit" });
test.after(() => attacker.kill());
const attacked = once(attacker, "message").then(([message]) => message);
const cookie = Object.entries(mallory.cookies).map(([name, value]) => `${name}=${value}`).join("; ");
attacker.send({ port: gate.port, origin: gate.origin, cookie, seconds });

world.begin();
const until = Date.now() + seconds * 1000;
await Promise.all(Array.from({ length: HONEST }, (_, number) => honest(number)));
const hostile = await attacked;
for (const cleanup of cleanups) await cleanup();
report();

/** Looks at a page and calls the API, twice a second, with the cookies that a browser would have. */
async function honest(number) {
  const { cookies: jar } = world.signIn(`user-${number}`);
  // Half of them have no cookie cache: as where the service has none.
  const hasCache = number % 2 === 0;
  await rest(Math.random() * EVERY);
  while (Date.now() < until) {
    if (!hasCache) delete jar["better-auth.session_data"];
    const target = ["/app", "/api/notes", "/app/settings", "/api/me"][Math.floor(Math.random() * 4)];
    const method = target.startsWith("/api") && Math.random() < 0.3 ? "POST" : "GET";
    const sent = performance.now();
    try {
      const { status, cookies, body } = await exchange(target, method, jar);
      times.push(performance.now() - sent);
      counts.requests += 1;
      if (status !== 200) {
        counts[status === 503 ? "503" : "refused"] += 1;
        note(`${status} ${/"reason":"(\w+)"/.exec(body)?.[1] ?? ""}`);
      }
      for (const line of cookies) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value === "") delete jar[name];
        else jar[name] = value;
      }
    } catch (error) {
      counts.errors += 1;
      note(error.code ?? error.message);
    }
    await rest(EVERY * (0.5 + Math.random()));
  }
}

/** Once more where a kept connection was closed as the request went out: browsers do the same (RFC 9112 section 9.3.1). */
async function exchange(target, method, jar) {
  try {
    return await exchangeOnce(target, method, jar);
  } catch (error) {
    if (error.code !== "ECONNRESET" || !error.wasReused) throw error;
    return exchangeOnce(target, method, jar);
  }
}

function exchangeOnce(target, method, jar) {
  const cookie = Object.entries(jar).map(([name, value]) => `${name}=${value}`).join("; ");
  return new Promise((resolve, reject) => {
    const headers = { cookie, ...(method === "POST" && { origin: gate.origin }) };
    const request = http.request({ host: "127.0.0.1", port: gate.port, path: target, method, headers, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, cookies: response.headers["set-cookie"] ?? [], body: Buffer.concat(chunks).toString() }));
    });
    request.setTimeout(20_000, () => request.destroy(new Error("no answer in twenty seconds")));
    request.on("error", (error) => reject(Object.assign(error, { wasReused: request.reusedSocket })));
    request.end();
  });
}

async function startNode() {
  const gate = fork(path.join(path.dirname(fileURLToPath(import.meta.url)), "node-gate.mjs"), { stdio: "inherit" });
  test.after(() => gate.kill());
  const { DOORWARD: config, ...env } = bindings;
  gate.send({ middleware: path.join(root, "middleware/on/node.js"), origin: origin.url, config, env });
  const [{ port }] = await once(gate, "message");
  return { port, origin: `http://127.0.0.1:${port}` };
}

function report() {
  const sorted = times.sort((one, other) => one - other);
  const at = (part) => `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1)} ms`;
  console.log(`${host}, ${seconds} s: ${HONEST} honest people, ${counts.requests} requests, ${counts.refused} refused, ${counts["503"]} × 503, ${counts.errors} errors`);
  console.log(`what they wait: half ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`);
  console.log(`the hostile client: ${Object.entries(hostile).map(([name, number]) => `${name} ${number}`).join(", ")}`);
  for (const [what, times] of reasons) console.log(`  ${times} × ${what}`);
  const isWell = counts.requests > HONEST * seconds / 4 && counts.refused + counts["503"] + counts.errors === 0;
  process.exit(isWell ? 0 : 1);
}

function note(what) {
  reasons.set(what, (reasons.get(what) ?? 0) + 1);
}

function rest(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
