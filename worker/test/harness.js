// What the tests of the Worker stand on: the built Worker in real workerd, an origin that records what it got, an auth
// service that has a key set, and a client that says exactly what it is told to say. Everything on free ports.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Miniflare } from "miniflare";
import { WebSocketServer } from "ws";
import { freePort } from "../../examples/shared/port.mjs";
import { startAuthService } from "../../tests/fakes/auth-service.mjs";
import { Search } from "../../tests/causes/leaks.mjs";
import { newKey, newSession } from "../../tests/fakes/better-auth.mjs";

process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const build = path.join(root, "worker", "build");
export const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
/** The folder of a Worker that only tests load. */
export function variant(name) {
  const folder = path.join(root, "worker", "test", "build", name);
  if (!existsSync(folder)) throw new Error(`${folder} is not there: \`cargo xtask build tests\` makes it`);
  return folder;
}

export const compatibilityDate = "2026-04-20";

/** Everything that a gate of these tests logs and answers is searched for what is somebody's: at the end of the test, which then fails. */
const search = new Search();
const leaks = [];

/** A folder that is gone after the test. */
export async function temporaryFolder(test) {
  const folder = await mkdtemp(path.join(tmpdir(), "doorward-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The Worker from `folder` in workerd. `bindings` are its variables; `entry` is a module text around `worker.js`. */
export async function startGate(test, { bindings, folder = build, entry, options = {} }) {
  const log = [];
  const gate = new Miniflare({
    ...(entry
      ? { modules: true, script: entry, scriptPath: path.join(folder, "entry.js"), modulesRoot: folder }
      : { modules: true, scriptPath: path.join(folder, "worker.js"), modulesRoot: folder }),
    modulesRules: [
      { type: "ESModule", include: ["**/*.js"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
    cf: false,
    compatibilityDate,
    bindings,
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr]) stream.on("data", (chunk) => log.push(chunk.toString()));
    },
    ...options,
  });
  search.hideVariables(bindings ?? {});
  test.after(async () => {
    await gate.dispose();
    const what = search.found(log.join(""));
    if (what) leaks.push(`the log has ${what} in it`);
    // Never the text itself.
    if (leaks.length > 0) throw new Error(`${leaks.length} leaks, the first: ${leaks.splice(0)[0]}`);
  });
  const url = await gate.ready;
  return { url, port: Number(url.port), origin: url.origin, log: () => log.join(""), logged, store: (name) => gate.getKVNamespace(name), inspector: () => gate.getInspectorURL() };

  /** The log, once this is in it: workerd writes to a pipe, and it answers before that is read. */
  async function logged(what) {
    const has = () => (typeof what === "string" ? log.join("").includes(what) : what.test(log.join("")));
    await eventually(has, `the log has ${what}`).catch((error) => {
      throw new Error(`${error.message}; it has:\n${log.join("")}`);
    });
    return log.join("");
  }
}

/** The Worker under a clock that runs ahead by as many milliseconds as the request says: an `entry` of `startGate`. */
export const clocked = `
import worker from "./worker.js";
const clock = Date.now;
export default {
  fetch(request, env, context) {
    const ahead = Number(request.headers.get("x-test-ahead") ?? 0);
    Date.now = () => clock() + ahead;
    return worker.fetch(request, env, context);
  },
};`;

/** The Worker, whose answers come when all that it does behind them is done: an `entry` of `startGate`. */
export const settled = `
import worker from "./worker.js";
export default {
  async fetch(request, env, context) {
    const work = [];
    const waitUntil = (each) => (work.push(each), context.waitUntil(each));
    const response = await worker.fetch(request, env, { waitUntil, passThroughOnException() {} });
    for (let done = 0; done < work.length; done++) await work[done];
    return response;
  },
};`;

/** An origin that records every request and answers by path. `release` lets it end what it holds, `drop` ends its connections. */
export async function startOrigin(test) {
  const seen = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = http.createServer((request, response) => {
    const entry = { method: request.method, url: request.url, headers: request.headers, raw: pairs(request.rawHeaders) };
    entry.firstBytes = new Promise((resolve) => request.once("data", resolve));
    entry.body = digest(request);
    seen.push(entry);
    serve(request, response, entry);
  });
  server.on("upgrade", (request, socket, head) => {
    const entry = { method: request.method, url: request.url, headers: request.headers, raw: pairs(request.rawHeaders) };
    seen.push(entry);
    sockets.handleUpgrade(request, socket, head, (client) => {
      entry.closed = new Promise((resolve) => client.once("close", (code, reason) => resolve([code, reason.toString()])));
      client.on("message", (message, isBinary) => client.send(message, { binary: isBinary }));
    });
  });
  const origin = await listen(test, server);
  return { ...origin, seen, last: () => seen.at(-1), release: () => server.emit("release"), drop: () => server.closeAllConnections() };

  function serve(request, response, entry) {
    const { pathname } = new URL(request.url, "http://origin");
    if (pathname.endsWith("/redirect")) return void response.writeHead(302, { location: `${origin.url}/elsewhere?a=b` }).end();
    if (pathname.endsWith("/no-content")) return void response.writeHead(204).end();
    if (pathname.endsWith("/not-modified")) return void response.writeHead(304, { etag: '"1"' }).end();
    if (pathname.endsWith("/cookies")) return void response.writeHead(200, { "set-cookie": ["a=1; Path=/", "b=2; Path=/"], "cache-control": "public, max-age=60" }).end();
    if (pathname.startsWith("/public/page/")) return void response.writeHead(200, { "content-type": "text/html", "set-cookie": "a=1" }).end(`<p>${request.url}</p>`);
    if (pathname.endsWith("/large")) return void response.writeHead(200, { "content-type": "text/html" }).end("a".repeat(600 * 1024));
    if (pathname.endsWith("/teapot")) return void response.writeHead(418, "Short And Stout", { "x-origin": "yes" }).end("tea");
    if (pathname.endsWith("/drip")) {
      response.writeHead(200, { "content-type": "text/plain" }).write("first");
      return void server.once("release", () => response.end(" last"));
    }
    if (pathname.endsWith("/events")) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      const more = setInterval(() => response.write("data: more\n\n"), 50);
      return void response.once("close", () => (clearInterval(more), (entry.isOver = true)));
    }
    if (pathname.endsWith("/own-cookie")) return void response.writeHead(200, { "set-cookie": ["a=1; Domain=127.0.0.1; Path=/", "b=2; Path=/"], "content-location": `${origin.url}/x` }).end();
    if (pathname.endsWith("/hold")) return void server.once("release", () => response.end("released"));
    entry.body.then((body) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ url: request.url, body }));
    });
  }
}

/** An auth service with a key for each algorithm, which signs JWTs; `answers` replace an answer by path. */
export async function startAuth(test, { algorithms = ["EdDSA"], cacheControl } = {}) {
  const keys = new Map(algorithms.map((algorithm) => [algorithm, newKey(algorithm, algorithm)]));
  const service = await startAuthService({ cacheControl, keys: () => [...keys.values()].map(({ jwk }) => jwk) });
  test.after(service.stop);
  const addKey = (algorithm, kid) => void keys.set(kid, newKey(algorithm, kid));
  const sign = (kid, claims = {}, header = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { email: "ada@example.com", sub: "user-1", iss: service.url, aud: service.url, iat: now, exp: now + 600 };
    return keys.get(kid).jwt({ ...usual, ...claims }, header);
  };
  return { ...service, sign, addKey };
}

/** The variables of a gate with one Better Auth issuer. */
export const variables = (origin, auth, more = {}) => ({
  ORIGIN_URL: origin.url,
  BETTER_AUTH_URL: auth.url,
  BETTER_AUTH_SECRET: secret,
  DOORWARD: {
    issuers: [{ type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: "BETTER_AUTH_SECRET" } }],
    rules: [
      { path: ["{auth}/**", "/sign-in", "/public/**"], access: "public" },
      { path: "/**", access: "required" },
    ],
    sign_in: { path: "/sign-in" },
    debug_header: true,
  },
  ...more,
});

/** Better Auth's cookies of one session: the signed token and, unless told otherwise, the compact cookie cache. */
export function sessionCookies({ now = Date.now(), seconds = 300, cache = true, key = secret, session: id, ...more } = {}) {
  const { tokenCookie, dataCookie } = newSession({ secret: key, now, cachedUntil: now + seconds * 1000, id, ...more });
  return cache ? `${tokenCookie}; ${dataCookie}` : tokenCookie;
}

/**
 * Sends one request over a connection of its own. `headers` are pairs or an object; `body` is bytes, or a function that
 * gets the request and writes it. Nothing is added but `Host`, `Connection` and the body's framing.
 */
export function send(gate, target, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    search.hideHead(Array.isArray(headers) ? pairs(headers.flat()) : Object.entries(headers));
    const options = { host: "127.0.0.1", port: gate.port, path: target, method, headers, agent: false };
    const request = http.request(options, (response) => resolve(answer(response)));
    request.on("error", reject);
    if (typeof body === "function") body(request);
    else request.end(body);
  });
}

async function answer(response) {
  const chunks = [];
  const head = { status: response.statusCode, message: response.statusMessage, headers: response.headers };
  const firstBytes = new Promise((resolve) => response.once("data", (chunk) => resolve(chunk.toString())));
  const text = (async () => {
    for await (const chunk of response) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const emitted = [...pairs(response.rawHeaders).filter(([name]) => name !== "set-cookie"), ["body", body]];
    for (const [name, text] of emitted) {
      const what = search.found(text);
      if (what) leaks.push(`${name} of an answer has ${what} in it`);
    }
    return body;
  })();
  return { ...head, firstBytes, text: () => text, json: async () => JSON.parse(await text) };
}

/** `send`, and the whole answer. */
export async function fetched(gate, target, options) {
  const response = await send(gate, target, options);
  return { ...response, body: await response.text() };
}

/** Asks again until the condition holds. It gives up after so long that a busy machine is no reason. */
export async function eventually(condition, what) {
  const until = performance.now() + 20_000;
  do {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (performance.now() < until);
  throw new Error(`it never happened: ${what}`);
}

const pairs = (flat) => flat.flatMap((name, index) => (index % 2 ? [] : [[name.toLowerCase(), flat[index + 1]]]));

async function digest(stream) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** A server of the test, by itself or by what it does. When it has stopped, nobody else is given its port. */
export async function listen(test, what) {
  const server = typeof what === "function" ? http.createServer(what) : what;
  const port = await freePort();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = () => new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  test.after(stop);
  return { port, url: `http://127.0.0.1:${port}`, stop };
}
