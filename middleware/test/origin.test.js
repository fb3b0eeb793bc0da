// The verifier at the origin: the shared cases through each kind of request, where keys come from, and real frameworks.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { inspect, promisify } from "node:util";
import { getRequestListener } from "@hono/node-server";
import { AssertionRefused, createVerifier, reasons, seenInMemory } from "doorward/origin";
import { express as expressMiddleware } from "doorward/origin/express";
import { hono as honoMiddleware } from "doorward/origin/hono";
import express from "express";
import { Hono } from "hono";

import { base, cases, HEADER, headersOf, jwks, load, mint, optionsOf, requestOf, URL_OF_KEYS } from "./origin/cases.js";
import { exchange, serve, withoutRaw } from "./support.js";

const run = promisify(execFile);
const BOUND = ["assertion_method", "assertion_host", "assertion_target", "assertion_replayed"];
const verifierOf = (example, more) => createVerifier({ ...optionsOf(example, seenInMemory), ...more });

/** Each way in which a request can come; undefined where it cannot carry a case. */
const DOORS = {
  "a Node request": (verifier, example) => verifier.verifyRequest(nodeRequest(example)),
  "an Express request": (verifier, example) =>
    verifier.verifyRequest({ ...nodeRequest(example), url: "/rewritten", originalUrl: requestOf(example).target }),
  "a Fetch request": (verifier, example) => {
    const { method, target } = requestOf(example);
    const url = `https://10.0.0.7${target}`;
    if (!URL.canParse(url) || !new URL(url).href.endsWith(`7${target}`)) return undefined; // Fetch writes it otherwise
    return verifier.verifyRequest(new Request(url, { method, headers: fetchHeaders(example) }));
  },
  "Headers alone": (verifier, example) => verifier.readSession(fetchHeaders(example)),
  "a record of headers": (verifier, example) => {
    const record = {};
    for (const [name, value] of headersOf(example)) record[name] = name in record ? [record[name], value].flat() : value;
    return verifier.readSession(record);
  },
};

function nodeRequest(example) {
  const { method, target } = requestOf(example);
  return { method, url: target, headers: {}, rawHeaders: headersOf(example).flat() };
}

function fetchHeaders(example) {
  const headers = new Headers();
  for (const [name, value] of headersOf(example)) if (name !== "host") headers.append(name, value);
  return headers;
}

for (const [door, enter] of Object.entries(DOORS)) {
  test(`the assertion vectors hold for ${door}`, async (t) => {
    const failures = [];
    let count = 0;
    const isBound = door.endsWith("request");
    for (const example of cases) {
      const verifier = verifierOf(example);
      const entered = enter(verifier, example);
      if (!entered) continue;
      count += 1;
      const expected = isBound || !BOUND.includes(example.expect) ? (example.expect ?? "ok") : "ok";
      const { found, session } = await outcome(entered);
      if (found !== expected) failures.push(`${example.name}: ${found} instead of ${expected}`);
      for (const [member, value] of Object.entries(example.session ?? {})) {
        const name = member.replace(/_(.)/, (_, letter) => letter.toUpperCase());
        if (JSON.stringify(session?.[name]) !== JSON.stringify(value)) failures.push(`${example.name}: ${member}`);
      }
      if (example.again && isBound && (await outcome(enter(verifier, example))).found !== example.again) {
        failures.push(`${example.name}: the second time`);
      }
    }
    t.diagnostic(`${door}: ${count} of ${cases.length} cases`);
    assert.ok(count > 200, `only ${count} cases`);
    assert.deepEqual(failures, []);
  });
}

async function outcome(entered) {
  try {
    return { found: "ok", session: await entered };
  } catch (problem) {
    if (!(problem instanceof AssertionRefused)) throw problem;
    return { found: problem.reason };
  }
}

test("the reasons are those of the table", () => {
  const table = Object.entries(load("reasons")).map(([code, { status, sentence }]) => [code, [status, sentence]]);
  assert.deepEqual(Object.fromEntries(table), { ...reasons });
});

test("a refusal is logged with its reason and never with the token", async () => {
  for (const example of cases) {
    const lines = [];
    const { found } = await outcome(DOORS["a Node request"](verifierOf(example, { log: (line) => lines.push(line) }), example));
    if (found === "ok") {
      assert.deepEqual(lines, []);
      continue;
    }
    assert.equal(lines.length, 1);
    const { reason, path } = JSON.parse(lines[0]);
    assert.deepEqual([reason, path.includes("?")], [found, false]);
    const parts = headersOf(example).flatMap(([, value]) => value.split("."));
    assert.ok(parts.every((part) => part.length < 12 || !lines[0].includes(part)), example.name);
  }
});

for (const { name, steps } of load("timeline").timelines) {
  test(`keys: ${name}`, async () => {
    let [answer, fetches, at] = ["down", 0, 0];
    const fetch = async (url) => {
      assert.equal(url, URL_OF_KEYS);
      fetches += 1;
      if (answer === "down") throw new Error("down");
      return new Response(typeof answer === "string" ? answer : JSON.stringify(jwks(...answer)));
    };
    const verifier = verifierOf({ verifier: { keys: "down" } }, { fetch, now: () => (base.now + at) * 1000 });
    for (const step of steps) {
      answer = step.server ?? answer;
      at = step.at;
      const token = mint({ header: { kid: step.kid }, sign: step.kid }, base.now + at);
      const { found } = await outcome(verifier.verifyRequest(new Request("https://x/a/b?x=1", { headers: { [HEADER]: token } })));
      assert.deepEqual([found, fetches], [step.expect, step.fetches], JSON.stringify(step));
    }
  });
}

test("keys: many requests fetch once", async () => {
  let fetches = 0;
  const fetch = async () => {
    fetches += 1;
    await new Promise((done) => setTimeout(done, 20));
    return Response.json(jwks("es1"));
  };
  const verifier = verifierOf({}, { keys: URL_OF_KEYS, fetch });
  const sessions = await Promise.all(Array.from({ length: 8 }, () => verifier.readSession({ [HEADER]: mint({}) })));
  assert.deepEqual([sessions.length, fetches], [8, 1]);
});

/** A verifier of keys that are fetched, its clock, and how often it has fetched. */
function watched() {
  const state = { at: base.now, fetches: 0, inits: [], answer: () => Response.json(jwks("es1")) };
  const fetch = async (url, init) => (state.fetches++, state.inits.push(init), await setImmediate(), state.answer());
  const verifier = verifierOf({}, { keys: URL_OF_KEYS, fetch, now: () => state.at * 1000 });
  state.ask = async (kid = "es1") => {
    const token = mint({ header: { kid }, sign: "es1" }, state.at);
    return (await outcome(verifier.readSession({ [HEADER]: token }))).found;
  };
  return state;
}

test("keys: unverified tokens cannot make a Worker fetch, where no request may wait for another's", async (t) => {
  const { navigator } = Object.getOwnPropertyDescriptors(globalThis);
  t.after(() => (navigator ? Object.defineProperty(globalThis, "navigator", navigator) : delete globalThis.navigator));
  Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Cloudflare-Workers" }, configurable: true });
  const worker = watched();
  // Nobody can be told anything before there are keys, so each asks for itself.
  assert.deepEqual(await Promise.all([worker.ask(), worker.ask()]), ["ok", "ok"]);
  worker.fetches = 0;
  worker.at += 11;
  const unverified = Promise.all(Array.from({ length: 300 }, (_, index) => worker.ask(`unknown-${index}`)));
  assert.equal(await worker.ask(), "ok");
  assert.deepEqual([new Set(await unverified), worker.fetches], [new Set(["assertion_key_unknown"]), 1]);
  // What is stale is fetched once as well, and whoever has the key meanwhile uses it.
  worker.at += 301;
  const users = await Promise.all(Array.from({ length: 300 }, () => worker.ask()));
  assert.deepEqual([new Set(users), worker.fetches], [new Set(["ok"]), 2]);
});

test("keys: a clock that is set back freezes none", async () => {
  const year = 365 * 86_400;
  const ahead = watched();
  ahead.at += year;
  assert.deepEqual([await ahead.ask(), ahead.fetches], ["ok", 1]);
  ahead.at -= year;
  ahead.answer = () => Response.json(jwks("es2"));
  assert.deepEqual([await ahead.ask(), ahead.fetches], ["assertion_key_unknown", 2]);
  // Where nobody answers, they are of use for a day from now on, and not from the moment that has yet to come.
  const alone = watched();
  alone.at += year;
  assert.equal(await alone.ask(), "ok");
  alone.answer = () => Promise.reject(new Error("down"));
  for (const [seconds, expected] of [[-year, "ok"], [23 * 3600, "ok"], [3600, "keys_unavailable"]]) {
    alone.at += seconds;
    assert.equal(await alone.ask(), expected, String(seconds));
  }
});

test("keys: no cache stands between them and the gate", async () => {
  const { ask, inits } = watched();
  await ask();
  assert.equal(inits[0].cache, "no-store");
});

test("keys: nothing counts but a small answer with status 200 from the very address", async (t) => {
  const good = JSON.stringify(jwks("es1"));
  const { origin } = await serve(t, (req, res) => {
    const answers = {
      "/good": () => res.end(good),
      "/moved": () => res.writeHead(302, { location: "/good" }).end(),
      "/absent": () => res.writeHead(404).end(good),
      "/odd": () => res.writeHead(203).end(good),
      "/large": () => res.end(" ".repeat(70_000) + good),
    };
    answers[req.url]();
  });
  for (const kind of ["good", "moved", "absent", "odd", "large"]) {
    const verifier = verifierOf({}, { keys: `${origin}/${kind}`, fetch: undefined });
    const { found } = await outcome(verifier.readSession({ [HEADER]: mint({}) }));
    assert.equal(found, kind === "good" ? "ok" : "keys_unavailable", kind);
  }
});

/** What is no number of seconds to differ by. The text is what an environment variable gives. */
const NO_TOLERANCES = ["5", "", -1, -0.5, 61, 1e30, NaN, Infinity, true, null, [5], {}, 5n, new Date(0), new Number(5)];

test("an assertion of yesterday is refused, whatever the tolerance is given as", async () => {
  for (const clockToleranceSeconds of [...NO_TOLERANCES, undefined, 0, 5, 0.5, 60]) {
    for (const age of [66, 100, 86_400, 10 * 365 * 86_400]) {
      const make = () => verifierOf({}, { clockToleranceSeconds, now: () => (base.now + 30 + age) * 1000 });
      if (NO_TOLERANCES.includes(clockToleranceSeconds)) {
        assert.throws(make, { name: "TypeError", message: /`clockToleranceSeconds` must be a number from 0 to 60/ });
        continue;
      }
      const headers = { [HEADER]: mint({}) };
      assert.equal((await outcome(make().verifyRequest(new Request("https://x/a/b?x=1", { headers })))).found, "assertion_expired");
      assert.equal((await outcome(make().readSession(headers))).found, "assertion_expired");
    }
  }
});

test("a clock that gives no number lets nobody pass", async () => {
  for (const moment of [NaN, Infinity, String(base.now * 1000), null, undefined, true, [base.now * 1000], new Date(base.now * 1000)]) {
    await assert.rejects(verifierOf({}, { now: () => moment }).readSession({ [HEADER]: mint({}) }), TypeError, String(moment));
  }
});

test("a replay in the tolerance after the end is refused, and a store is told a whole second", async () => {
  const ends = [];
  for (const [clockToleranceSeconds, end] of [[5, 35], [0.5, 31]]) {
    let now = base.now + 29;
    const memory = seenInMemory(() => now * 1000);
    const seen = { add: (jti, expires) => (ends.push(expires - base.now), memory.add(jti, expires)) };
    const verifier = verifierOf({}, { clockToleranceSeconds, seen, now: () => now * 1000 });
    const ask = async () => (await outcome(verifier.verifyRequest(new Request("https://x/a/b?x=1", { headers: { [HEADER]: mint({}) } })))).found;
    assert.equal(await ask(), "ok");
    now = base.now + 30.25;
    assert.equal(await ask(), "assertion_replayed");
    assert.deepEqual(ends.splice(0), [end, end]);
  }
});

test("a clock that is set forward and back makes the store forget nothing", (t) => {
  let [wall, monotone] = [base.now, 1000];
  t.mock.method(performance, "now", () => monotone * 1000);
  const seen = seenInMemory(() => wall * 1000);
  const end = base.now + 35;
  assert.equal(seen.add("a", end), true);
  wall += 3600;
  assert.equal(seen.add("b", end + 3600), true);
  wall -= 3600;
  assert.deepEqual([seen.add("a", end), seen.add("c", end)], [false, true]);
  // What was used under the wrong clock comes again an hour later.
  monotone += 3600;
  wall += 3600;
  assert.deepEqual([seen.add("d", end + 3600), seen.add("b", end + 3600)], [true, false]);
  for (const wrong of [undefined, null, NaN, "1800000035", true]) assert.throws(() => seen.add("e", wrong), TypeError);
  for (const wrong of [null, 5, "Date.now", {}]) assert.throws(() => seenInMemory(wrong), TypeError);
});

test("a store that is full forgets nothing", () => {
  const seen = seenInMemory(() => base.now * 1000);
  for (let number = 0; number < 500_000; number++) seen.add(`${number}`, base.now + 35);
  assert.throws(() => seen.add("one more", base.now + 35), RangeError);
  assert.equal(seen.add("0", base.now + 35), false);
});

test("a token of more than 16 KiB is not read", async () => {
  const found = new Map();
  for (let size = 11_700; size < 12_000; size++) {
    const token = mint({ claims: { claims: { x: "x".repeat(size) } } });
    if (Math.abs(token.length - 16_384) > 4) continue;
    found.set(token.length, (await outcome(verifierOf({}).readSession({ [HEADER]: token }))).found);
  }
  assert.ok([...found.keys()].some((length) => length <= 16_384) && [...found.keys()].some((length) => length > 16_384));
  for (const [length, reason] of found) assert.equal(reason, length <= 16_384 ? "ok" : "assertion_malformed", String(length));
});

test("what are no headers and no request is a mistake, and not a request of nobody", async () => {
  const verifier = verifierOf({});
  const good = { [HEADER]: mint({}) };
  const promised = Promise.resolve(new Headers(good));
  const request = new Request("https://x/a/b?x=1", { headers: good });
  for (const wrong of [promised, undefined, null, "x", 5, request, { method: "GET", headers: good }, [[HEADER, good[HEADER]]]]) {
    await assert.rejects(verifier.readSession(wrong), TypeError, String(wrong));
    assert.throws(() => verifier.has(wrong), TypeError);
  }
  for (const wrong of [Promise.resolve(request), undefined, null, new Headers(good), { raw: request, method: "GET" }]) {
    await assert.rejects(verifier.verifyRequest(wrong), TypeError, String(wrong));
  }
  assert.equal((await verifier.readSession(await promised)).subject, "user-1");
});

test("whether a session is optional is said by true or false", () => {
  for (const optional of ["false", "", 0, 1, null, []]) {
    for (const make of [expressMiddleware, honoMiddleware]) assert.throws(() => make(verifierOf({}), { optional }), TypeError);
  }
  for (const verifier of [undefined, null, {}, "billing"]) {
    for (const make of [expressMiddleware, honoMiddleware]) assert.throws(() => make(verifier), TypeError);
  }
});

test("a wrong configuration is refused at once", () => {
  const right = { audience: "billing", host: "app.example.com", keys: URL_OF_KEYS };
  createVerifier(right);
  for (const wrong of [
    { keys: "http://app.example.com/jwks" },
    { keys: "file:///etc/passwd" },
    { keys: "jwks.json" },
    { keys: undefined },
    { keys: { keys: [] } },
    { keys: { secret: "too short" } },
    { keys: { secret: undefined } },
    { keys: { secret: "x".repeat(32), ...jwks("es1") } },
    { keys: { secret: ["x".repeat(32), "x".repeat(32), "x".repeat(32)] } },
    { host: [] },
    { host: undefined },
    { host: "https://app.example.com" },
    { host: "app.example.com/" },
    { audience: "" },
    { audience: undefined },
    { issuer: "" },
    { header: "authorization" },
    ...NO_TOLERANCES.map((clockToleranceSeconds) => ({ clockToleranceSeconds })),
    ...["audience", "issuer", "header"].flatMap((name) => ["", 5, true, ["a"], null, {}].map((value) => ({ [name]: value }))),
    ...[5, true, null, {}, [5], [undefined], [["app.example.com", "/"]]].map((host) => ({ host })),
    ...[5, true, null, [], [URL_OF_KEYS], { secret: 5 }, { secret: [5] }, { secret: "x".repeat(32).split("") }].map((keys) => ({ keys })),
    ...["now", "log", "fetch", "target"].flatMap((name) => [null, 5, true, "Date.now", [], {}].map((value) => ({ [name]: value }))),
    ...[null, 5, true, "redis", [], {}, { add: 1 }].map((seen) => ({ seen })),
  ]) {
    assert.throws(() => createVerifier({ ...right, ...wrong }), TypeError, inspect(wrong));
  }
});

test("a store that fails ends the request, and one that says nothing lets nobody pass", async () => {
  const example = cases[0];
  const enter = DOORS["a Node request"];
  const failing = { add: () => Promise.reject(new RangeError("down")) };
  await assert.rejects(enter(verifierOf(example, { seen: failing }), example), RangeError);
  for (const answer of [undefined, 1, {}]) {
    const verifier = verifierOf(example, { seen: { add: () => answer } });
    assert.equal((await outcome(enter(verifier, example))).found, "assertion_replayed", String(answer));
  }
});

test("a refusal is an answer", async () => {
  for (const [reason, header] of [["assertion_missing", "www-authenticate"], ["keys_unavailable", "retry-after"]]) {
    const response = new AssertionRefused(reason).toResponse();
    assert.equal(response.status, reasons[reason][0]);
    assert.ok(response.headers.has(header));
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).reason, reason);
  }
});

test("the example of the README runs", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, example] = /```js\n(import \{ createVerifier \}.*?)```/s.exec(readme);
  const code = `
    import { base, HEADER, jwks, mint, URL_OF_KEYS } from "./test/origin/cases.js";
    const [asked, used] = [[], []];
    globalThis.fetch = async (url) => (asked.push(url), Response.json(jwks("es1")));
    Date.now = () => base.now * 1000;
    const app = { use: (middleware) => used.push(middleware.length) };
    const request = new Request("https://10.0.0.7/a/b?x=1", { headers: { [HEADER]: mint({}) } });
    const headers = async () => request.headers;
    ${example}
    console.log(session.subject, reader.subject, used.join(), asked.join() === URL_OF_KEYS);`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: new URL("..", import.meta.url) });
  assert.equal(stdout, "user-1 user-1 3 true\n");
});

// Real frameworks over sockets.

const SPOOFS = ["x-doorward-subject", "X-Doorward-Subject", "X_DOORWARD_SUBJECT", "x-doorward_email", "X_Doorward-Role", "x.doorward.id"];

function lines(target, token, more = []) {
  const headers = ["host: evil.example", "connection: close", ...(token ? [`${HEADER}: ${token}`] : []), ...more];
  return `GET ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`;
}

const seenIn = (text) => JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));

function expressServer(optional) {
  const app = express();
  app.use("/a", expressMiddleware(verifierOf({}), { optional }), (req, res) => {
    res.json({ who: req.doorward?.subject ?? null, seen: [...Object.keys(req.headers), ...req.rawHeaders] });
  });
  return app;
}

function honoServer(optional) {
  const app = new Hono();
  app.use("/a/*", honoMiddleware(verifierOf({}), { optional }));
  app.all("/a/*", (c) => c.json({ who: c.get("doorward")?.subject ?? null, seen: [...c.req.raw.headers.keys(), ...Object.keys(c.req.header())] }));
  return getRequestListener(app.fetch);
}

function nodeServer(optional) {
  const guard = expressMiddleware(verifierOf({}), { optional });
  return (req, res) =>
    guard(req, res, (problem) =>
      res.end(JSON.stringify({ problem, who: req.doorward?.subject ?? null, seen: Object.keys({ ...req.headers, ...req.headersDistinct }) })),
    );
}

for (const [name, listener] of Object.entries({ Express: expressServer, Hono: honoServer, "plain Node": nodeServer })) {
  test(`${name}: the exact target counts, and no identity header is left`, async (t) => {
    const { port } = await serve(t, listener(false));
    for (const target of ["/a/b?x=1", "/a/b%20c", "/a/b%2Fc?q=%e4", "/a/b?"]) {
      const token = mint({ minted_for: { target } });
      const more = SPOOFS.map((header) => `${header}: mallory`);
      const { who, seen } = seenIn(await exchange(port, lines(target, token, more)));
      assert.equal(who, "user-1", target);
      assert.deepEqual(seen.filter((one) => /mallory|doorward/i.test(one)), []);
    }
    const other = await exchange(port, lines("/a/b?x=2", mint({})));
    assert.ok(other.startsWith("HTTP/1.1 403"), other);
    assert.equal(seenIn(other).reason, "assertion_target");
    const twice = await exchange(port, lines("/a/b?x=1", mint({}), [`${HEADER}: ${mint({})}`]));
    assert.equal(seenIn(twice).reason, "assertion_ambiguous");
    assert.ok((await exchange(port, lines("/a/b?x=1"))).startsWith("HTTP/1.1 401"));
  });

  test(`${name}: optional lets nobody pass as nobody, and a bad assertion not`, async (t) => {
    const { port } = await serve(t, listener(true));
    const { who, seen } = seenIn(await exchange(port, lines("/a/b", undefined, ["x-doorward-subject: mallory"])));
    assert.equal(who, null);
    assert.deepEqual(seen.filter((one) => /mallory|doorward/i.test(one)), []);
    assert.equal(seenIn(await exchange(port, lines("/a/b", "x"))).reason, "assertion_malformed");
  });
}

test("Express: a request with no raw head, as serverless-http makes them, is read by its headers", async (t) => {
  const listen = (optional) => {
    const listener = nodeServer(optional);
    return serve(t, (req, res) => listener(withoutRaw(req, { "x-doorward-id": ["mallory"] }), res));
  };
  const spoofs = ["x-doorward-subject: mallory", "X_Doorward-Role: mallory"];
  for (const optional of [false, true]) {
    const { port } = await listen(optional);
    const { who, seen } = seenIn(await exchange(port, lines("/a/b?x=1", mint({}), spoofs)));
    assert.deepEqual([who, seen.filter((one) => /doorward/i.test(one))], ["user-1", []]);
    assert.equal(seenIn(await exchange(port, lines("/a/b?x=1", "x", spoofs))).reason, "assertion_malformed");
    const twice = await exchange(port, lines("/a/b?x=1", mint({}), [`${HEADER}: ${mint({})}`]));
    assert.equal(seenIn(twice).reason, "assertion_ambiguous");
  }
  const plain = { method: "GET", url: "/a/b?x=1", headers: { [HEADER]: mint({}), "x-doorward-subject": "mallory" } };
  await expressMiddleware(verifierOf({}))(plain, {}, assert.ifError);
  assert.deepEqual([plain.doorward.subject, plain.headers], ["user-1", {}]);
});

/** Optional for the whole site, and demanded below `/a` by the same verifier, or below `/b` by another. */
const nested = {
  Express(site, other) {
    const app = express();
    const who = (req, res) => res.json({ who: req.doorward?.subject ?? null });
    app.use(expressMiddleware(site, { optional: true }));
    return app.use("/a", expressMiddleware(site), who).use("/b", expressMiddleware(other), who).use(who);
  },
  Hono(site, other) {
    const app = new Hono();
    app.use(honoMiddleware(site, { optional: true }));
    app.use("/a/*", honoMiddleware(site)).use("/b/*", honoMiddleware(other));
    return getRequestListener(app.all("*", (c) => c.json({ who: c.get("doorward")?.subject ?? null })).fetch);
  },
};

for (const [name, listener] of Object.entries(nested)) {
  test(`${name}: what a verifier has found counts for itself further in, and for no other`, async (t) => {
    const seen = new Set();
    const store = { add: (id) => !seen.has(id) && Boolean(seen.add(id)) };
    const { port } = await serve(t, listener(verifierOf({}, { seen: store }), verifierOf({}, { audience: "admin" })));
    const ask = async (target, token) => seenIn(await exchange(port, lines(target, token)));
    const tokenFor = (target) => mint({ minted_for: { target }, claims: { jti: Buffer.from(target.padEnd(16)).toString("base64url") } });
    assert.equal((await ask("/a/b", tokenFor("/a/b"))).who, "user-1");
    assert.equal((await ask("/a/b")).reason, "assertion_missing");
    assert.equal((await ask("/b/b", tokenFor("/b/b"))).reason, "assertion_missing");
    assert.equal((await ask("/c", tokenFor("/c"))).who, "user-1");
    assert.equal((await ask("/c")).who, null);
    assert.equal(seen.size, 3);
  });
}

test("Hono: the session goes into a mounted app, whose path is cut off", async () => {
  const inner = new Hono();
  inner.all("*", (c) => c.json({ who: c.env.doorward?.subject ?? null, path: new URL(c.req.url).pathname, seen: [...c.req.raw.headers.keys()] }));
  const app = new Hono();
  app.use(honoMiddleware(verifierOf({})));
  app.mount("/a", inner.fetch, { optionHandler: (c) => [{ ...c.env, doorward: c.get("doorward") }] });
  const response = await app.request("https://x/a/b?x=1", { headers: { [HEADER]: mint({}), "x-doorward-subject": "mallory" } });
  assert.deepEqual(await response.json(), { who: "user-1", path: "/b", seen: [] });
  // Within, the path is another than the gate's: refused, and the log says what to do.
  const lines = [];
  const within = new Hono().use(honoMiddleware(verifierOf({}, { log: (line) => lines.push(line) }))).all("*", (c) => c.text("reached"));
  const mounted = new Hono().mount("/a", within.fetch);
  assert.equal((await mounted.request("https://x/a/b?x=1", { headers: { [HEADER]: mint({}) } })).status, 403);
  assert.match(JSON.parse(lines[0]).hint, /mount/);
});

test("Hono: a body is still there behind the middleware", async () => {
  const app = new Hono();
  app.use(honoMiddleware(verifierOf({})));
  app.post("/a/b", async (c) => c.text(await c.req.text()));
  const token = mint({ minted_for: { method: "POST", target: "/a/b" } });
  const response = await app.request("https://x/a/b", { method: "POST", body: "hello", headers: { [HEADER]: token } });
  assert.equal(await response.text(), "hello");
});

test("Hono: a body that somebody in front has read is there as Hono keeps it", async () => {
  const app = new Hono();
  app.use(async (c, next) => (await c.req.text(), next()));
  app.use(honoMiddleware(verifierOf({})));
  app.post("/a/b", async (c) => c.json([c.get("doorward").subject, await c.req.text(), [...c.req.raw.headers.keys()], c.req.raw.method, c.req.raw.url]));
  const token = mint({ minted_for: { method: "POST", target: "/a/b" } });
  const headers = { [HEADER]: token, "x-doorward-subject": "mallory", "content-type": "text/plain" };
  const response = await app.request("https://x/a/b", { method: "POST", body: "hello", headers });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), ["user-1", "hello", ["content-type"], "POST", "https://x/a/b"]);
});

test("a proxy that rewrites says what the target was", async () => {
  const verifier = verifierOf({}, { target: (request) => `/a${request.url}` });
  const { found } = await outcome(verifier.verifyRequest({ method: "GET", url: "/b?x=1", headers: {}, rawHeaders: [HEADER, mint({})] }));
  assert.equal(found, "ok");
});
