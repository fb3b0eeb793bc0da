// What instances share: copies go out and come in as the engine says, and a cache that is slow, broken or lying costs a moment
// and changes no verdict.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createGate } from "doorward";
import { performer } from "../perform.js";
import { NOW, config, newIssuer, request } from "./support.js";

const COPY = /^doorward-copy-1 \d+ \d+\n/;

/** A gate whose issuer counts; `cache` is shared with others. */
function gateWith({ cache, keySet, issuer = {}, session, ...options }) {
  const asked = [];
  const fetch = async (url) => {
    asked.push(new URL(url).pathname.split("/").at(-1));
    return new Response(url.includes("get-session") ? session : keySet);
  };
  const document = { ...config, issuers: [{ ...config.issuers[0], ...issuer }] };
  const gate = createGate({ env: {}, log: () => {}, now: () => NOW, config: document, fetch, cache, ...options });
  const verdict = async (headers, context) => {
    const { kind, reason } = await gate.decide(request("/api", headers), context);
    return kind === "forward" ? kind : reason;
  };
  return { asked, verdict };
}

/** A store that remembers what was put there, and for how long. */
function newCache() {
  const kept = new Map();
  const puts = [];
  return {
    kept,
    puts,
    get: async (key) => kept.get(key),
    put: async (key, value, options) => (kept.set(key, value), puts.push([key, options])),
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a second instance starts with the keys of the first", async () => {
  const { keySet, token } = await newIssuer();
  const cache = newCache();
  const bearer = { authorization: `Bearer ${token}` };
  const first = gateWith({ cache, keySet });
  const waiting = [];
  assert.equal(await first.verdict(bearer, { waitUntil: (work) => waiting.push(work) }), "forward");
  assert.equal(waiting.length, 1, "the platform is told of the put");
  await Promise.all(waiting);
  const [[key, value]] = cache.kept;
  assert.match(key, /^doorward-keys-[\w-]{43}$/);
  assert.equal(value, `doorward-copy-1 ${NOW} ${NOW + 300_000}\n\n${keySet}`);
  assert.deepEqual(cache.puts, [[key, { ttlSeconds: 300 }]]);

  const second = gateWith({ cache, keySet: "nobody asks" });
  for (let i = 0; i < 3; i++) assert.equal(await second.verdict(bearer), "forward");
  assert.deepEqual([first.asked, second.asked], [["jwks"], []]);
  assert.equal(cache.puts.length, 1, "what came from the cache is not put back");

  const later = gateWith({ cache, keySet, now: () => NOW + 300_000 });
  assert.equal(await later.verdict(bearer), "forward");
  assert.deepEqual(later.asked, ["jwks"], "its age counts from the first fetch");
});

test("without the option nothing is shared, and another URL has another key", async () => {
  const { keySet, token } = await newIssuer();
  const cache = newCache();
  const bearer = { authorization: `Bearer ${token}` };
  await gateWith({ keySet }).verdict(bearer);
  for (const place of ["/one", "/two"]) {
    const gate = gateWith({ cache, keySet, issuer: { jwks_url: `https://auth.test${place}` } });
    await gate.verdict(bearer);
    await settled();
    assert.equal(gate.asked.length, 1);
  }
  assert.equal(cache.kept.size, 2);
});

const thrower = () => {
  throw new Error("broken");
};
const broken = {
  "that never answers": { get: () => new Promise(() => {}), put: () => new Promise(() => {}) },
  "that throws": { get: thrower, put: thrower },
  "that rejects": { get: async () => thrower(), put: async () => thrower() },
  "that rejects late": { get: () => new Promise((_, reject) => setTimeout(reject, 250, new Error("late"))), put: async () => {} },
  "without functions": {},
  "that gives null": { get: async () => null, put: async () => {} },
  "that gives something else": { get: async () => ({ keys: [] }), put: async () => {} },
  "that gives too much": { get: async () => `doorward-copy-1 ${NOW} ${NOW + 1000}\n\n${" ".repeat(50_000_000)}`, put: async () => {} },
  "that gives garbage": { get: async () => "\u0000\ud800garbage", put: async () => {} },
  "that gives a page": { get: async () => "<!doctype html><title>Login</title>", put: async () => {} },
  "that gives an older copy": { get: async () => `doorward-copy-1 ${NOW - 300_000} ${NOW + 1000}\n\n{"keys":[]}`, put: async () => {} },
};
for (const [name, cache] of Object.entries(broken)) {
  test(`a cache ${name} costs a moment and no verdict`, async () => {
    const { keySet, token } = await newIssuer();
    const gate = gateWith({ cache, keySet });
    // Timers end in their order, however busy the machine is.
    const late = new Promise((resolve) => setTimeout(resolve, 600, "late").unref());
    assert.equal(await Promise.race([gate.verdict({ authorization: `Bearer ${token}` }), late]), "forward");
    assert.equal(await gate.verdict({ authorization: `Bearer ${token.slice(0, -9)}AAAAAAAAA` }), "signature_invalid");
    assert.deepEqual(gate.asked, ["jwks"]);
    await settled();
  });
}

test("whoever can write to the cache is believed", async () => {
  const [issuer, mallory] = [await newIssuer(), await newIssuer()];
  const poisoned = { get: async () => `doorward-copy-1 ${NOW} ${NOW + 1000}\n\n${mallory.keySet}`, put: async () => {} };
  const gate = gateWith({ cache: poisoned, keySet: issuer.keySet });
  assert.equal(await gate.verdict({ authorization: `Bearer ${mallory.token}` }), "forward", "as the documentation says");
});

const bearerToken = "a-session-token-of-more-than-32-bytes";
const session = JSON.stringify({
  session: { id: "s", token: bearerToken, userId: "ada", expiresAt: new Date(NOW + 1e9).toISOString() },
  user: { id: "ada", email: "ada@example.com" },
});

test("sessions are shared where the configuration says so, without token or cookie", async () => {
  for (const [shares, asks] of [[true, 1], [false, 3]]) {
    const cache = newCache();
    const gates = [1, 2, 3].map(() => gateWith({ cache, session, issuer: { bearer_tokens: "any", share_sessions: shares, session_cache_seconds: 10 } }));
    for (const gate of gates) {
      assert.equal(await gate.verdict({ authorization: `Bearer ${bearerToken}` }), "forward");
      await settled();
    }
    assert.equal(gates.flatMap(({ asked }) => asked).length, asks);
    assert.equal(cache.kept.size, shares ? 1 : 0);
    for (const [key, value] of cache.kept) {
      assert.match(key, /^doorward-session-[\w-]{43}$/);
      assert.match(value, COPY);
      assert.ok(!(key + value).includes(bearerToken.slice(2, 12)));
      assert.deepEqual(cache.puts, [[key, { ttlSeconds: 10 }]]);
    }
  }
});

test("a configuration that shares sessions with nobody is warned of", async () => {
  const lines = [];
  const gate = gateWith({ session, issuer: { share_sessions: true }, log: (line) => lines.push(line) });
  await gate.verdict({});
  const { event, path, problem } = JSON.parse(lines[1]);
  assert.deepEqual([event, path, problem], ["config_warning", "issuers[0].share_sessions", "this host has no cache that instances share"]);
});

test("a fetch for which no copy will do is not looked for", async () => {
  const keys = [];
  const cache = { get: async (key) => (keys.push(key), undefined), put: async () => {} };
  const perform = performer(async () => new Response("{}"), { cache });
  const effect = { kind: "fetch", method: "GET", url: "https://a.test/", headers: [], timeoutMs: 100, maxBytes: 100 };
  assert.equal((await perform({ ...effect, copy: undefined })).kind, "answered");
  assert.equal((await perform({ ...effect, copy: "k" })).kind, "answered");
  assert.deepEqual(keys, ["k"]);
});

test("a slow cache and a slow issuer share the effect's time", async () => {
  const perform = performer(() => new Promise(() => {}), { cache: { get: () => new Promise(() => {}) } });
  const effect = { kind: "fetch", method: "GET", url: "https://a.test/", headers: [], timeoutMs: 300, maxBytes: 100, copy: "k" };
  // Timers end in their order, however busy the machine is.
  const late = new Promise((resolve) => setTimeout(resolve, 450, "late").unref());
  assert.deepEqual(await Promise.race([perform(effect), late]), { kind: "failed", code: "TIMEOUT" });
});
