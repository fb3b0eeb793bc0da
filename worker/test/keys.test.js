// Key sets: one fetch for many requests, a warm start from the platform's cache, a refresh behind a response.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, fetched, startAuth, startGate, startOrigin, temporaryFolder, variables } from "./harness.js";

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

// The Worker under a clock that runs ahead by as many milliseconds as the request says.
const clocked = `
import worker from "./worker.js";
const clock = Date.now;
export default {
  fetch(request, env, context) {
    const ahead = Number(request.headers.get("x-test-ahead") ?? 0);
    Date.now = () => clock() + ahead;
    return worker.fetch(request, env, context);
  },
};`;

test("many requests at once and after one another fetch the keys once", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth) });
  const token = await auth.sign("EdDSA");
  const responses = await Promise.all(Array.from({ length: 12 }, () => fetched(gate, "/api/me", bearer(token))));
  assert.deepEqual(responses.map((response) => response.status), Array(12).fill(200));
  for (let i = 0; i < 12; i++) assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
  assert.equal(auth.count.keys, 1);
});

test("a new instance finds the keys in the platform's cache", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const options = { cachePersist: await temporaryFolder(t) };
  const token = await auth.sign("EdDSA");
  for (let i = 0; i < 3; i++) {
    const gate = await startGate(t, { bindings: variables(origin, auth), options });
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(auth.count.keys, 1);
});

test("an issuer that forbids keeping is asked by every instance", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t, { cacheControl: "no-store" })];
  const options = { cachePersist: await temporaryFolder(t) };
  const token = await auth.sign("EdDSA");
  for (let i = 0; i < 2; i++) {
    const gate = await startGate(t, { bindings: variables(origin, auth), options });
    assert.equal((await fetched(gate, "/api/me", bearer(token))).status, 200);
  }
  assert.equal(auth.count.keys, 2);
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
  assert.equal(auth.count.keys, 2);
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
  assert.equal(auth.count.keys, 2);
  await auth.addKey("EdDSA", "after");
  delete auth.answers["/api/auth/jwks"];
  refreshed.writeHead(302, { location: "/elsewhere" }).end();
  // The answer was no key set: the keys stay.
  assert.equal((await fetched(gate, "/api/me", later)).status, 200);
});
