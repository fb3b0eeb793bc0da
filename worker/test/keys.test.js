// Key sets: one fetch for many requests, a warm start from the platform's cache, a refresh behind a response.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clocked, eventually, fetched, settled, startAuth, startGate, startOrigin, temporaryFolder, variables } from "./harness.js";

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

test("many requests at once and after one another fetch the keys once", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth) });
  const token = await auth.sign("EdDSA");
  const responses = await Promise.all(Array.from({ length: 12 }, () => fetched(gate, "/api/me", bearer(token))));
  assert.deepEqual(responses.map((response) => response.status), Array(12).fill(200));
  for (let i = 0; i < 12; i++) assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
  assert.equal(auth.asked.keys, 1);
});

test("a new instance finds the keys in the platform's cache", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const options = { cachePersist: await temporaryFolder(t) };
  const token = await auth.sign("EdDSA");
  for (let i = 0; i < 3; i++) {
    const gate = await startGate(t, { bindings: variables(origin, auth), options, entry: settled });
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
  }
  assert.equal(auth.asked.keys, 1);
});

test("a new instance finds the keys in the KV namespace, where one is bound", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const options = { kvNamespaces: ["DOORWARD_CACHE"], kvPersist: await temporaryFolder(t) };
  const token = await auth.sign("EdDSA");
  for (let i = 0; i < 3; i++) {
    const gate = await startGate(t, { bindings: variables(origin, auth), options });
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
    const kv = await gate.store("DOORWARD_CACHE");
    await eventually(async () => (await kv.list()).keys.length > 0, "the copy is in the namespace");
    const { keys } = await kv.list();
    assert.deepEqual(keys.map(({ name }) => /^doorward-keys-[\w-]{43}$/.test(name)), [true]);
    const life = keys[0].expiration - Date.now() / 1000;
    assert.ok(life > 280 && life <= 301, `${life}`);
    assert.match(await kv.get(keys[0].name), /^doorward-copy-1 \d+ \d+\n\n\{"keys":\[/);
  }
  assert.equal(auth.asked.keys, 1);
});

test("a session is found in the KV namespace where the configuration says so, without its token", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const token = "a-session-token-of-more-than-32-bytes";
  const session = { id: "s", token, userId: "user-1", expiresAt: "2100-01-01T00:00:00.000Z" };
  auth.answers["/api/auth/get-session"] = (_, response) => response.end(JSON.stringify({ session, user: { id: "user-1" } }));
  const options = { kvNamespaces: ["DOORWARD_CACHE"], kvPersist: await temporaryFolder(t) };
  const bindings = variables(origin, auth);
  Object.assign(bindings.DOORWARD.issuers[0], { bearer_tokens: "any", share_sessions: true, session_cache_seconds: 30 });
  for (let i = 0; i < 2; i++) {
    const gate = await startGate(t, { bindings, options });
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
    assert.equal(origin.last().headers["x-doorward-subject"], "user-1");
    const kv = await gate.store("DOORWARD_CACHE");
    await eventually(async () => (await kv.list()).keys.length > 0, "the copy is in the namespace");
    const [{ name }] = (await kv.list()).keys;
    assert.match(name, /^doorward-session-[\w-]{43}$/);
    assert.equal(`${name} ${await kv.get(name)}`.includes("token-of"), false);
  }
  assert.equal(auth.asked.session, 1);
});

// The Worker with a namespace that does something else. By `getWithMetadata` it is taken for one.
const withNamespace = (namespace) => `
import worker from "./worker.js";
const namespace = { getWithMetadata() {}, ...${namespace} };
export default { fetch: (request, env, context) => worker.fetch(request, { ...env, DOORWARD_CACHE: namespace }, context) };`;
const stream = (text) => `{ get: async () => new Response(${text}).body, put: async () => {} }`;
const never = "{ get: () => new Promise(() => {}), put: () => new Promise(() => {}) }";
const odd = {
  "never answers": never,
  "throws": "{ get() { throw new Error() }, put() { throw new Error() } }",
  "rejects": "{ get: async () => { throw new Error() }, put: async () => { throw new Error() } }",
  "gives what is no stream": "{ get: async () => 'doorward-copy-1', put: async () => {} }",
  "gives garbage": stream("new Uint8Array([0, 255, 10, 10])"),
  "gives a page": stream("'<!doctype html>'"),
  "gives too much": stream("`doorward-copy-1 ${Date.now() - 1} ${Date.now() + 1e6}\\n\\n${' '.repeat(30_000_000)}`"),
  "never ends": "{ get: async () => new ReadableStream({ start(c) { c.enqueue(new Uint8Array(9)) } }), put: async () => {} }",
};
for (const [name, namespace] of Object.entries(odd)) {
  test(`a cache that ${name} costs a moment and no verdict`, async (t) => {
    const [origin, auth] = [await startOrigin(t), await startAuth(t)];
    const gate = await startGate(t, { bindings: variables(origin, auth), entry: withNamespace(namespace) });
    const token = await auth.sign("EdDSA");
    // That it passes is the measure: keys that come later than a request's budget are 503.
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
    const forged = await fetched(gate, "/api/me", bearer(`${token.slice(0, -9)}AAAAAAAAA`));
    assert.deepEqual([forged.status, JSON.parse(forged.body).reason], [401, "signature_invalid"]);
    assert.equal(auth.asked.keys, 1);
  });
}

test("a binding that is no namespace is a mistake of the configuration", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth, { DOORWARD_CACHE: "cache" }) });
  assert.equal((await fetched(gate, "/public/x")).status, 503);
  await eventually(() => gate.log().includes('"path":"DOORWARD_CACHE","problem":"is not a KV namespace"'), "the log says what is wrong");
});

test("an issuer that forbids keeping is asked by every instance", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t, { cacheControl: "no-store" })];
  const options = { cachePersist: await temporaryFolder(t) };
  const token = await auth.sign("EdDSA");
  for (let i = 0; i < 2; i++) {
    const gate = await startGate(t, { bindings: variables(origin, auth), options });
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
  }
  assert.equal(auth.asked.keys, 2);
});

test("a failure is not kept, and the next request after the back-off is served", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth), entry: clocked });
  auth.answers["/api/auth/jwks"] = (_, response) => response.writeHead(500).end();
  const token = await auth.sign("EdDSA");
  const away = await fetched(gate, "/api/me", bearer(token));
  assert.deepEqual([away.status, JSON.parse(away.body).reason], [503, "keys_unavailable"]);
  delete auth.answers["/api/auth/jwks"];
  const back = await fetched(gate, "/api/me", { headers: { ...bearer(token).headers, "x-test-ahead": "5000" } });
  assert.equal(back.status, 200);
});

test("a key that is new to this instance is fetched from the issuer, not from the cache", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth), entry: clocked });
  assert.equal((await fetched(gate, "/api/me", bearer(await auth.sign("EdDSA")))).status, 200);
  await auth.addKey("ES256", "rotated");
  const token = await auth.sign("rotated");
  const response = await fetched(gate, "/api/me", { headers: { ...bearer(token).headers, "x-test-ahead": "20000" } });
  assert.equal(response.status, 200);
  assert.equal(auth.asked.keys, 2);
});

test("keys that are no longer fresh are refreshed behind a response", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth), entry: clocked });
  const token = await auth.sign("EdDSA");
  assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
  // The refresh is slow, the response is not: it does not wait for it.
  let refreshed;
  auth.answers["/api/auth/jwks"] = (_, response) => (refreshed = response);
  const later = { headers: { ...bearer(token).headers, "x-test-ahead": "400000" } };
  assert.equal((await fetched(gate, "/api/me", later)).status, 200);
  await eventually(() => refreshed, "the refresh arrives");
  assert.equal(auth.asked.keys, 2);
  await auth.addKey("EdDSA", "after");
  delete auth.answers["/api/auth/jwks"];
  refreshed.writeHead(302, { location: "/elsewhere" }).end();
  // The answer was no key set: the keys stay.
  assert.equal((await fetched(gate, "/api/me", later)).status, 200);
});
