// Every cell of the fault matrix in each host: the decision and the reason that `docs/faults.md` says, in time, and every fault met.

import assert from "node:assert/strict";
import http from "node:http";
import path from "node:path";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { createGate } from "doorward";
import { Miniflare } from "miniflare";
import { freePort } from "../../../examples/shared/port.mjs";
import { CELLS, FAULTS, LIMITS, PROTECTED, REQUESTS, SECRET, SITE, brokenCache, configOf, copiesFor, credentials, expected, startService } from "./cells.js";

/** The budget of a request, and what a busy machine may take besides. */
const DEADLINE_MS = 3000 + 900;
const BUILD = fileURLToPath(new URL("../../../worker/build", import.meta.url));

process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

/** The cells of one batch as gates of the npm package, here. Each gives a status, a body, the log's last line. */
async function inNode(cells) {
  return {
    stop: async () => {},
    gates: cells.map(({ cell, config, kept }) => {
      const counted = { auth: 0, jwks: 0, cache: 0 };
      const fetch = (url, init) => (counted[url.includes("/jwks") ? "jwks" : "auth"]++, globalThis.fetch(url, init));
      const cache = { get: brokenCache(cell.cache, kept, counted, LIMITS), put: async () => {} };
      const lines = new Map();
      // What is said about the configuration is not about a request.
      const log = (line) => line.startsWith("{") && lines.set(JSON.parse(line).path, JSON.parse(line));
      const gate = createGate({ config, env: { BETTER_AUTH_SECRET: SECRET }, cache, fetch, log });
      const origin = (request) => new Response(pageOf(request.headers.get("x-doorward-subject")));
      const ask = async (target, headers) => {
        const started = Date.now();
        const response = await gate.handle(new Request(SITE + target, { headers }), origin);
        return { took: Date.now() - started, status: response.status, body: await response.text(), line: lines.get(target) };
      };
      return { ask, counted: async () => counted };
    }),
  };
}

/** The same as Workers, in one workerd, in front of an origin. */
async function inWorkerd(cells) {
  const origin = http.createServer((request, response) => response.end(pageOf(request.headers["x-doorward-subject"])));
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  let said = "";
  const workerd = new Miniflare({
    cf: false,
    handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.on("data", (chunk) => (said += chunk))),
    workers: cells.map(({ cell, config, kept }) => ({
      name: cell.name,
      modules: true,
      script: entry(cell, kept),
      scriptPath: path.join(BUILD, "entry.js"),
      modulesRoot: BUILD,
      modulesRules: [
        { type: "ESModule", include: ["**/*.js"] },
        { type: "CompiledWasm", include: ["**/*.wasm"] },
      ],
      compatibilityDate: "2026-04-20",
      // A port of its own: what stands in front of several Workers otherwise lets them wait for each other.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      bindings: { ORIGIN_URL: `http://127.0.0.1:${origin.address().port}`, BETTER_AUTH_SECRET: SECRET, DOORWARD: config },
    })),
  });
  await workerd.ready;
  const gates = await Promise.all(
    cells.map(async ({ cell }) => {
      const url = await workerd.unsafeGetDirectURL(cell.name);
      return {
        async ask(target, headers) {
          const path = target === "/public" ? target : `/${cell.name}${target}`;
          const { status, body, took } = await send(url, path, headers);
          const lineOf = () => said.split("\n").find((line) => line.startsWith("{") && line.endsWith("}") && line.includes(`"${path}"`));
          // What it says comes through a pipe, later than what it answers. Every refusal is logged.
          for (const until = Date.now() + 10_000; status >= 400 && !lineOf() && Date.now() < until; ) await new Promise((resolve) => setTimeout(resolve, 5));
          const line = lineOf();
          return { took, status, body, line: line && JSON.parse(line) };
        },
        counted: async () => JSON.parse((await send(url, "/counted", {})).body),
      };
    }),
  );
  return { gates, stop: async () => (await workerd.dispose(), origin.close()) };
}

/** One request over a connection of its own. */
async function send(url, path, headers) {
  const [response] = await once(http.get({ host: url.hostname, port: url.port, path, headers, agent: false }), "response");
  response.setEncoding("utf8");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body, took: Number(response.headers["x-took"]) };
}

/** The Worker with a cache that is broken in the cell's way, with counters of what it asks for, and with a clock. */
const entry = (cell, kept) => `
import worker from "./worker.js";
const counted = { auth: 0, jwks: 0, cache: 0 };
const usual = globalThis.fetch;
globalThis.fetch = (input, init) => {
  if (typeof input === "string") counted[input.includes("/jwks") ? "jwks" : "auth"]++;
  return usual(input, init);
};
${brokenCache}
const found = brokenCache(${JSON.stringify(cell.cache)}, ${JSON.stringify(kept)}, counted, ${JSON.stringify(LIMITS)});
const get = async (key) => {
  const text = await found(key);
  return text === undefined ? null : new Response(text).body;
};
// By \`getWithMetadata\` it is taken for a KV namespace.
const namespace = { get, put: async () => {}, getWithMetadata() {} };
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/counted") return Response.json(counted);
    const started = Date.now();
    const response = await worker.fetch(request, { ...env, DOORWARD_CACHE: namespace }, context);
    const timed = new Response(response.body, response);
    timed.headers.set("x-took", Date.now() - started);
    return timed;
  },
};`;

const pageOf = (subject) => (subject ? PROTECTED.replace("ada", subject) : "a page for everybody");

/** What became of a request, in the words of the document. */
function outcome({ status, body }, { name }) {
  if (status === 200) {
    const content = name === "public" ? "a page for everybody" : PROTECTED;
    return body === content ? "pass" : `200 with ${JSON.stringify(body.slice(0, 60))}`;
  }
  if (body.includes(PROTECTED)) return `${status} with what is protected`;
  try {
    return `${status} ${JSON.parse(body).reason}`;
  } catch {
    return `${status} with ${JSON.stringify(body.slice(0, 60))}`;
  }
}

/** All that is wrong in a cell. */
async function problemsOf({ cell }, gate, headers) {
  const problems = [];
  const wrong = (problem) => problems.push(`${cell.name}: ${problem}`);
  let slowest = 0;
  await Promise.all(
    REQUESTS.map(async (request) => {
      const answer = await gate.ask(request.name === "public" ? "/public" : `/${request.name}`, headers[request.name]);
      const { took } = answer;
      slowest = Math.max(slowest, took);
      const [found, wanted] = [outcome(answer, request), expected(request, cell)];
      if (!wanted.split(" or ").includes(found)) wrong(`${request.name} should be ${wanted} and is ${found}`);
      if (!(took <= DEADLINE_MS)) wrong(`${request.name} took ${Math.round(took)} ms`);
      const failure = FAULTS.find(({ name }) => name === cell.auth).lookup_failure;
      if (request.name === "session" && answer.line?.lookup_failure !== failure) wrong(`the lookup failure of session should be ${failure} and is ${answer.line?.lookup_failure}`);
    }),
  );
  return { problems, slowest, counted: await gate.counted() };
}

/** Whether each fault of a cell was met, and no redirect followed. */
function problemsOfCounters({ cell }, counted, arrivals) {
  const problems = [];
  const wrong = (problem) => problems.push(`${cell.name}: ${problem}`);
  for (const what of ["auth", "jwks", "cache"]) {
    if (counted[what] === 0) wrong(`the ${what} was not asked`);
  }
  for (const what of ["auth", "jwks"]) {
    const arrived = arrivals[`${cell.name} ${what}`] ?? 0;
    if (arrived !== (cell[what] === "down" ? 0 : counted[what])) wrong(`${counted[what]} asks of the ${what} were sent and ${arrived} arrived`);
  }
  if (arrivals[`${cell.name} elsewhere`]) wrong("a redirect was followed");
  return problems;
}

test("the document has what is to be played", () => {
  assert.deepEqual(FAULTS.map(({ name }) => name), ["fine", "slow", "down", "garbage", "huge", "redirecting"]);
  assert.equal(CELLS.length, 216);
  assert.equal(REQUESTS.length, 12);
});

/**
 * The hosts, and how many cells run at once. Few: the gates of a batch share a processor, and what waits for it
 * longer than their own time-outs would be a fault that no cell names.
 */
const HOSTS = { Node: [inNode, 12], workerd: [inWorkerd, 12] };

for (const [host, [start, atOnce]] of Object.entries(HOSTS)) {
  test(`every cell of the fault matrix is as it is written, in ${host}`, { timeout: 300_000 }, async (t) => {
    const people = credentials();
    const service = await startService(people.keys);
    t.after(service.stop);
    const closed = `http://127.0.0.1:${await freePort()}`;
    const [begun, problems, total] = [performance.now(), [], { requests: 0, auth: 0, jwks: 0, cache: 0, slowest: 0 }];
    for (let first = 0; first < CELLS.length; first += atOnce) {
      const batch = CELLS.slice(first, first + atOnce).map((cell) => ({ cell, config: configOf(cell, service.url, closed) }));
      for (const each of batch) each.kept = await copiesFor(createGate, each.config, people);
      const { gates, stop } = await start(batch);
      try {
        // Starts every instance before the first is measured: they share a processor with their compiler.
        for (const gate of gates) await gate.ask("/public", {});
        const results = await Promise.all(batch.map((each, place) => problemsOf(each, gates[place], people.headers)));
        const arrivals = await service.arrived();
        for (const [place, { problems: found, slowest, counted }] of results.entries()) {
          problems.push(...found, ...problemsOfCounters(batch[place], counted, arrivals));
          total.requests += REQUESTS.length;
          total.slowest = Math.max(total.slowest, slowest);
          for (const what of ["auth", "jwks", "cache"]) total[what] += counted[what];
        }
      } finally {
        await stop();
      }
    }
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    t.diagnostic(
      `${host}: ${CELLS.length} cells, ${total.requests} requests in ${seconds} s, the slowest ${Math.round(total.slowest)} ms; ` +
        `asked: auth service ${total.auth}, key set ${total.jwks}, cache ${total.cache}`,
    );
    assert.deepEqual(problems.slice(0, 40), [], `${problems.length} problems`);
  });
}
