// `node --import doorward/register`: the same requests to servers that know nothing of the gate. Each is a program of its own, started as its
// users start it; and once more without the gate, to see that these requests would find what is open.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import WebSocket from "ws";
import { freePort } from "../../examples/shared/port.mjs";
import { authority } from "../../tests/causes/certificates.mjs";
import { startAuthService } from "../../tests/fakes/auth-service.mjs";
import { newKey, newSession } from "../../tests/fakes/better-auth.mjs";

const HERE = fileURLToPath(new URL("register/", import.meta.url));
const REGISTER = new URL("../on/register.js", import.meta.url).href;
const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const LARGE = Buffer.alloc(11 * 1024 * 1024, 7);

/** The servers, and what a client speaks with each. */
const SERVERS = [
  ["http", "http", true],
  ["express", "http", true],
  ["fastify", "http", true],
  ["hono", "http", true],
  ["https", "https", true],
  ["http2-compat", "h2", false],
  ["http2-stream", "h2", false],
  ["http2-secure", "h2s", true],
];

const people = {};
let auth;
let tls;

before(async () => {
  const key = newKey("ES256", "k1");
  auth = await startAuthService({ secret, keys: () => [key.jwk] });
  const { tokenCookie, dataCookie } = newSession({ secret, user: "ada" });
  const uncached = newSession({ secret, user: "bob" });
  auth.remember(uncached.token, uncached.pair, [`better-auth.session_data=renewed; Path=/`]);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: auth.url, aud: auth.url, iat: now, sub: "eve" };
  Object.assign(people, {
    session: { cookie: `${tokenCookie}; ${dataCookie}` },
    uncached: { cookie: uncached.tokenCookie },
    tampered: { cookie: `${tokenCookie.replace(/(?<==)./, (first) => (first === "a" ? "b" : "a"))}; ${dataCookie}` },
    jwt: { authorization: `Bearer ${key.jwt({ ...claims, exp: now + 600 })}` },
    expired: { authorization: `Bearer ${key.jwt({ ...claims, iat: now - 900, exp: now - 600 })}` },
    brief: () => ({ authorization: `Bearer ${key.jwt({ ...claims, exp: Math.floor(Date.now() / 1000) + 1 })}` }),
  });
  const { certificate, certify } = await authority();
  tls = { authority: certificate, ...(await certify(["localhost"])) };
});

after(() => auth.stop());

const anonymous = {};
const refused = (reason, status = 401) => ({ status, reason });
const content = (subject) => ({ status: 200, subject });

/** Name, method, target, whose, what comes; then a body, or further headers. */
const REQUESTS = () => [
  ["an anonymous page", "GET", "/dashboard", anonymous, refused("no_credential")],
  ["an anonymous HEAD", "HEAD", "/dashboard", anonymous, { status: 401 }],
  ["an anonymous OPTIONS", "OPTIONS", "/dashboard", anonymous, refused("no_credential")],
  ["a file, anonymously", "GET", "/private.txt", anonymous, refused("no_credential")],
  ["a public page", "GET", "/sign-in", anonymous, content(undefined)],
  ["a page of a session", "GET", "/dashboard", people.session, content("ada")],
  ["a page of a JWT", "GET", "/dashboard", people.jwt, content("eve")],
  ["an expired JWT", "GET", "/dashboard", people.expired, refused("token_expired")],
  ["a tampered cookie", "GET", "/dashboard", people.tampered, refused("signature_invalid")],
  ["a session that is asked about", "GET", "/dashboard", people.uncached, { ...content("bob"), sets: ["better-auth.session_data=renewed; Path=/", "own=1"] }],
  ["a data endpoint, anonymously", "GET", "/_next/data/b/dashboard.json", anonymous, refused("no_credential")],
  ["SvelteKit's data, anonymously", "GET", "/dashboard/__data.json", anonymous, refused("no_credential")],
  ["POST from this site", "POST", "/note", people.session, { ...content("ada"), bytes: 5 }, "hello", { "sec-fetch-site": "same-origin" }],
  ["POST from another site", "POST", "/note", people.session, refused("cross_site_request", 403), "hello", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  ["POST without an origin", "POST", "/note", people.session, refused("cross_site_request", 403), "hello"],
  ["11 MB, anonymously", "POST", "/upload", anonymous, { refused: true }, LARGE],
  ["11 MB of a session", "POST", "/upload", people.session, { ...content("ada"), bytes: LARGE.length }, LARGE, { "sec-fetch-site": "same-origin" }],
  ["a path with a dot segment", "GET", "/sign-in/../dashboard", anonymous, { refused: true }],
  ["an encoded slash", "GET", "/sign-in%2f..%2fdashboard", anonymous, { refused: true }],
  ["an encoded dot segment", "GET", "/sign-in/%2e%2e/dashboard", anonymous, { refused: true }],
  ["a double slash", "GET", "//dashboard", anonymous, { refused: true }],
  ["a backslash", "GET", "/sign-in\\..\\dashboard", anonymous, { refused: true }],
  ["a parameter in the path", "GET", "/sign-in/..;/dashboard", anonymous, { refused: true }],
  ["an encoded letter", "GET", "/%64ashboard", anonymous, refused("no_credential")],
  ["an encoded letter of a session", "GET", "/%64ashboard", people.session, { ...content("ada"), target: "/dashboard" }],
];

/** Headers that no client may bring. */
const FORGED = { "x-doorward-subject": "root", "X-Doorward-Mark": "a.b.c", "x_doorward_subject": "root" };

for (const [name, speaks, hasSockets] of SERVERS) {
  test(`${name}: every request is decided on`, { timeout: 240_000 }, async (t) => {
    const server = await start(t, name, speaks, ["--import", REGISTER]);
    const wrong = [];
    let cases = 0;
    for (const [what, method, target, whose, expected, body, more] of REQUESTS()) {
        const got = await ask(server, { method, target, body, headers: { accept: "application/json", ...FORGED, ...whose, ...more } });
      cases += 1;
      const problem = problemOf(expected, got);
      if (problem) wrong.push(`${what}: ${problem}`);
    }
    assert.deepEqual(wrong, []);
    console.log(`${name}: ${cases} requests`);
    const line = await server.listening();
    assert.equal(line.address, `127.0.0.1:${server.port}`);
    assert.ok(line.guards.includes(speaks.startsWith("h2") ? "stream" : "upgrade"));
  });

  test(`${name}: without the gate these requests find what is open`, { timeout: 120_000 }, async (t) => {
    const server = await start(t, name, speaks, []);
    const open = [];
    for (const [what, method, target, whose, expected, body] of REQUESTS()) {
      if (!(expected.reason || expected.refused) || body === LARGE) continue;
      const got = await ask(server, { method, target, body, headers: { ...FORGED, ...whose } });
      if (got.text.includes("content") || got.text.includes("private")) open.push(what);
    }
    assert.ok(open.includes("an anonymous page") && open.includes("a file, anonymously") && open.length >= 8, JSON.stringify(open));
  });

  test(`${name}: an event stream ends with its token`, { timeout: 90_000 }, async (t) => {
    const server = await start(t, name, speaks, ["--import", REGISTER]);
    const began = Date.now();
    const got = await ask(server, { method: "GET", target: "/stream", headers: people.brief() });
    assert.equal(got.status, 200);
    assert.match(got.text, /data: one/);
    assert.ok(Date.now() - began < 30_000, "it went on");
  });

  if (!hasSockets) continue;
  test(`${name}: a WebSocket is for whoever has a session, and ends with it`, { timeout: 120_000 }, async (t) => {
    const server = await start(t, name, speaks, ["--import", REGISTER]);
    const origin = `${speaks === "http" ? "http" : "https"}://127.0.0.1:${server.port}`;
    assert.deepEqual(await connect(server, { origin, ...FORGED }), { status: 401 });
    assert.deepEqual(await connect(server, { origin: "https://evil.example", ...people.session }), { status: 403 });
    const { message } = await connect(server, { origin, ...FORGED, ...people.session });
    assert.deepEqual(message, { content: true, header: "ada", identity: "ada", isMarked: true });
    const { closed } = await connect(server, { origin, ...people.brief() }, true);
    assert.equal(closed, 4401);
    if (name === "http") assert.equal(await otherProtocol(server), 501);
  });
}

test("a server of bare sockets ends the program, unless its port is named", { timeout: 90_000 }, async (t) => {
  const ended = await start(t, "bare", "http", ["--import", REGISTER], {}, true);
  assert.equal(await ended.exit, 1);
  assert.match(ended.errors(), /"ungated_ports" of the configuration/);
  const port = await freePort();
  const left = await start(t, "bare", "http", ["--import", REGISTER], { PORT: String(port), DOORWARD: JSON.stringify({ extends: "better-auth", ungated_ports: [9229, port] }) });
  assert.deepEqual((await left.listening()).guards, []);
});

test("the workers of a cluster are gated, and one whose workers are not does not run", { timeout: 120_000 }, async (t) => {
  const server = await start(t, "cluster", "http", ["--import", REGISTER]);
  for (const [headers, status] of [[FORGED, 401], [people.session, 200], [FORGED, 401]]) {
    const got = await ask(server, { method: "GET", target: "/dashboard", headers });
    assert.equal(got.status, status, got.text);
  }
  const ended = await start(t, "cluster", "http", ["--import", REGISTER], { WITHOUT: "1" }, true);
  assert.equal(await ended.exit, 1);
  assert.match(ended.errors(), /have no gate/);
});

test("a client that goes away while it is decided reaches nothing", { timeout: 90_000 }, async (t) => {
  let asked;
  const isAsked = new Promise((resolve) => (asked = resolve));
  const slow = await startAuthService({ secret, fault: (question) => (question === "session" ? (asked(), ["slow", { milliseconds: 1500 }]) : undefined) });
  t.after(() => slow.stop());
  const { token, pair, tokenCookie } = newSession({ secret, user: "bob" });
  slow.remember(token, pair);
  const server = await start(t, "counts", "http", ["--import", REGISTER], { BETTER_AUTH_URL: slow.url });
  const gone = http.get({ port: server.port, host: "127.0.0.1", path: "/dashboard", headers: { cookie: tokenCookie } });
  gone.on("error", () => {});
  await isAsked;
  gone.destroy();
  await new Promise((done) => setTimeout(done, 2500));
  assert.equal((await ask(server, { method: "GET", target: "/sign-in", headers: {} })).text, "1");
});

test("variables that the program sets before the first request count, and mistakes are said without one", { timeout: 90_000 }, async (t) => {
  const late = await start(t, "late-variables", "http", ["--import", REGISTER], { BETTER_AUTH_URL: "", LATE_URL: auth.url });
  const got = await ask(late, { method: "GET", target: "/dashboard", headers: people.session });
  assert.equal(got.status, 200, got.text);
  const wrong = await start(t, "http", "http", ["--import", REGISTER], { BETTER_AUTH_URL: "" });
  await eventually(() => wrong.errors().includes("every request gets 503"));
  assert.match(wrong.errors(), /"event":"config_error".*BETTER_AUTH_URL[^]*every request gets 503/);
});

test("a second gate does not start", { timeout: 90_000 }, async (t) => {
  const ended = await start(t, "http", "http", ["--import", REGISTER, "--import", `${REGISTER}?again`], {}, true);
  assert.notEqual(await ended.exit, 0);
  assert.match(ended.errors(), /loaded twice/);
});

test("another tool that takes the events first ends the program", { timeout: 90_000 }, async (t) => {
  const takes = `data:text/javascript,import http from "node:http";const {emit}=http.Server.prototype;http.Server.prototype.emit=function(...all){return emit.apply(this,all)}`;
  const before = await start(t, "http", "http", ["--import", takes, "--import", REGISTER], {}, true);
  assert.equal(await before.exit, 1);
  assert.match(before.errors(), /before any other --import/);
  const behind = await start(t, "http", "http", ["--import", REGISTER, "--import", takes]);
  const got = await ask(behind, { method: "GET", target: "/dashboard", headers: {} });
  assert.equal(got.status, 401);
});

for (const [what, env, expected] of [
  ["a wrong configuration is 503 for every request", { DOORWARD: '{"extends":"better-auth","pubic":["/"]}' }, 503],
  ["the variable DOORWARD is the configuration", { DOORWARD: '{"extends":"better-auth","public":["/dashboard"]}' }, 200],
  ["a blank variable is none", { DOORWARD: " " }, 401],
]) {
  test(what, { timeout: 90_000 }, async (t) => {
    const server = await start(t, "http", "http", ["--import", REGISTER], env);
    const got = await ask(server, { method: "GET", target: "/dashboard", headers: { accept: "application/json" } });
    assert.equal(got.status, expected);
    if (expected === 503) await eventually(() => server.errors().includes("pubic"));
  });
}

/** What is not as it has to be. */
function problemOf(expected, { status, text, cookies }) {
  const said = json(text);
  if (expected.refused) return status >= 400 && !said.content ? undefined : `${status} ${text}`;
  if (status !== expected.status) return `${status} in place of ${expected.status}: ${text.slice(0, 200)}`;
  if (expected.reason && said.reason !== expected.reason) return `${said.reason} in place of ${expected.reason}`;
  if (status !== 200) return said.content ? "content" : undefined;
  const { header, identity, bytes, target, isMarked } = said;
  if (header !== expected.subject || (identity ?? undefined) !== expected.subject) return `it is ${header} and ${identity}, not ${expected.subject}`;
  if (!isMarked) return "no mark";
  if (expected.bytes !== undefined && bytes !== expected.bytes) return `${bytes} bytes`;
  if (expected.target && target !== expected.target) return target;
  if (expected.sets && !expected.sets.every((line) => cookies.includes(line))) return `Set-Cookie: ${cookies}`;
  return undefined;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { content: /content|private/.test(text) };
  }
}

/** Starts one of the servers as a program of its own. */
async function start(t, name, speaks, args, more = {}, ends = false) {
  const port = Number(more.PORT ?? (await freePort()));
  const env = { PATH: process.env.PATH, PORT: String(port), TLS_KEY: tls.key, TLS_CERTIFICATE: tls.cert };
  const child = spawn(process.execPath, [...args, `${HERE}${name}.mjs`], {
    cwd: HERE,
    env: { ...env, BETTER_AUTH_URL: auth.url, BETTER_AUTH_SECRET: secret, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  // Not before all that it has written is read.
  const exit = once(child, "close").then(([code]) => code);
  const server = {
    port,
    speaks,
    exit,
    errors: () => errors,
    /** The line of the log that says so: a program's output comes later than its answers. */
    async listening() {
      const line = () => out.split("\n").slice(0, -1).find((line) => line.includes('"event":"listening"'));
      await eventually(line);
      return JSON.parse(line());
    },
  };
  if (ends) return exit.then(() => server);
  for (let left = 600; left > 0 && !(await answers(port)); left--) {
    if (child.exitCode !== null) throw new Error(`${name} has ended: ${errors}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  return server;
}

/** Waits until it is so; fails after half a minute. */
async function eventually(isSo) {
  for (let left = 600; left > 0 && !isSo(); left--) await new Promise((done) => setTimeout(done, 50));
  assert.ok(isSo(), String(isSo));
}

/** Whether somebody listens. */
async function answers(port) {
  const net = await import("node:net");
  const socket = net.connect(port, "127.0.0.1");
  const isThere = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error").then(() => false)]).catch(() => false);
  socket.destroy();
  return isThere;
}

/** Sends a request as it is written, and gives what comes back. */
function ask({ port, speaks }, request) {
  return speaks.startsWith("h2") ? askOver2(port, speaks, request) : askOver1(port, speaks, request);
}

async function askOver1(port, speaks, { method, target, headers, body }) {
  const { request } = speaks === "https" ? https : http;
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  const req = request({ port, host: "127.0.0.1", servername: "localhost", method, path: target, headers: { ...headers, ...length }, ca: tls.authority, agent: false });
  req.end(body);
  const res = await new Promise((resolve) => {
    req.on("response", resolve);
    // Who is refused does not read what is sent, and the connection may end before its answer is read.
    req.on("error", () => resolve(undefined));
  });
  if (!res) return { status: 499, text: "" };
  let text = "";
  try {
    for await (const chunk of res) text += chunk;
  } catch {
    // A stream that is cut off.
  }
  return { status: res.statusCode, text, cookies: res.headers["set-cookie"] ?? [] };
}

async function askOver2(port, speaks, { method, target, headers, body }) {
  const client = http2.connect(`${speaks === "h2s" ? "https" : "http"}://127.0.0.1:${port}`, { ca: tls.authority, servername: "localhost" });
  client.on("error", () => {});
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const stream = client.request({ ":method": method, ":path": target, ...lower }, { endStream: body === undefined });
  let answered = { ":status": 499 };
  let text = "";
  stream.on("response", (headers) => (answered = headers));
  stream.on("data", (chunk) => (text += chunk));
  if (body !== undefined) stream.end(body);
  // Who is refused does not read what is sent, and the stream may be reset.
  await new Promise((resolve) => stream.on("end", resolve).on("close", resolve).on("error", resolve));
  client.destroy();
  return { status: answered[":status"], text, cookies: [answered["set-cookie"] ?? []].flat() };
}

/** Opens a WebSocket: its first message or the status in its place, or how it was closed. */
function connect({ port, speaks }, headers, waits = false) {
  const { origin, ...rest } = headers;
  const socket = new WebSocket(`${speaks === "http" ? "ws" : "wss"}://127.0.0.1:${port}/socket`, { headers: rest, origin, ca: tls.authority, servername: "localhost" });
  return new Promise((resolve, reject) => {
    socket.on("unexpected-response", (_, { statusCode }) => resolve({ status: statusCode }));
    socket.on("error", reject);
    socket.on("close", (closed) => resolve({ closed }));
    socket.on("message", (message) => {
      if (waits) return;
      resolve({ message: JSON.parse(message) });
      socket.terminate();
    });
  });
}

/** What comes to a request for another protocol than WebSocket. */
async function otherProtocol({ port }) {
  const req = http.get({ port, host: "127.0.0.1", path: "/sign-in", headers: { connection: "upgrade", upgrade: "h2c" } });
  const [res] = await once(req, "response");
  res.resume();
  return res.statusCode;
}
