// What becomes of requests when the gate falls: 503, never a pass, and the next one finds a new gate.
// The Worker here is the one to deploy plus a planted trap: `cargo xtask build tests` makes it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, fetched, send, sessionCookies, startAuth, startGate, startOrigin, variables, variant } from "./harness.js";

const folder = variant("trap");

async function house(test) {
  const origin = await startOrigin(test);
  const auth = await startAuth(test);
  return { origin, auth, gate: await startGate(test, { bindings: variables(origin, auth), folder }) };
}

function assertNotStarted(response) {
  assert.equal(response.status, 503);
  assert.equal(response.headers["content-type"], "application/problem+json");
  assert.equal(response.headers["cache-control"], "private, no-store");
  assert.ok(response.headers["retry-after"]);
  if (response.body) assert.equal(JSON.parse(response.body).reason, "not_started");
}

for (const kind of ["panic", "stack"]) {
  test(`two interleaved requests across a trap (${kind}) end in 503, and the next one passes, with keys asked for again`, async (t) => {
    const { origin, auth, gate } = await house(t);
    let keys;
    auth.answers["/api/auth/jwks"] = (_, response) => (keys = response);
    const bearer = { headers: { authorization: `Bearer ${await auth.sign("EdDSA")}` } };
    const undecided = fetched(gate, "/api/me", bearer);
    await eventually(() => keys, "the keys are asked for");
    assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": kind } }));
    assert.equal((await fetched(gate, "/public/page")).status, 200);
    delete auth.answers["/api/auth/jwks"];
    keys.end("{}");
    assertNotStarted(await undecided);
    assert.equal((await fetched(gate, "/api/me", bearer)).status, 200);
    assert.deepEqual(origin.seen.map(({ url }) => url), ["/public/page", "/api/me"]);
  });

  test(`a request that has been sent on before a trap (${kind}) gets the origin's answer`, async (t) => {
    const { origin, gate } = await house(t);
    const held = fetched(gate, "/public/hold");
    await eventually(() => origin.seen.length === 1, "the held request reaches the origin");
    assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": kind } }));
    assert.equal((await fetched(gate, "/public/page")).status, 200);
    origin.release();
    assert.deepEqual([(await held).status, (await held).body], [200, "released"]);
  });
}

test("a request that was decided after an effect, and sent on before a trap, gets the origin's answer", async (t) => {
  const { origin, auth, gate } = await house(t);
  const bearer = { headers: { authorization: `Bearer ${await auth.sign("EdDSA")}` } };
  const held = fetched(gate, "/hold", bearer);
  await eventually(() => origin.seen.length === 1, "the held request reaches the origin");
  assert.equal(auth.asked.keys, 1);
  assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": "panic" } }));
  origin.release();
  assert.deepEqual([(await held).status, (await held).body], [200, "released"]);
});

test("a request whose session is being renewed when the gate falls gets the origin's answer", async (t) => {
  const { origin, auth, gate } = await house(t);
  let renewal;
  auth.answers["/api/auth/get-session"] = (_, response) => (renewal = response);
  const cookie = sessionCookies({ now: Date.now() - 290_000 });
  const held = fetched(gate, "/hold", { headers: { cookie } });
  await eventually(() => renewal && origin.seen.length === 1, "the held request reaches the origin, and the renewal the auth service");
  assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": "panic" } }));
  origin.release();
  assert.deepEqual([(await held).status, (await held).body], [200, "released"]);
});

test("an origin that fails after a trap is an origin that fails", async (t) => {
  const { origin, gate } = await house(t);
  const held = fetched(gate, "/public/hold");
  await eventually(() => origin.seen.length === 1, "the held request reaches the origin");
  assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": "panic" } }));
  assert.equal((await fetched(gate, "/public/page")).status, 200);
  origin.drop();
  assert.deepEqual([(await held).status, JSON.parse((await held).body).reason], [502, "origin_unreachable"]);
});

test("a gate that falls again and again is not started again and again", async (t) => {
  const { gate } = await house(t);
  const statuses = [];
  for (let i = 0; i < 8; i++) {
    assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": "panic" } }));
  }
  for (let i = 0; i < 3; i++) statuses.push((await fetched(gate, "/public/page")).status);
  assert.deepEqual(statuses, [503, 503, 503]);
  const starts = () => gate.log().split("a new one starts").length - 1;
  await eventually(() => starts() >= 5, "five starts are logged");
  assert.equal(starts(), 5);
});

test("the log names the place of a panic and never its message", async (t) => {
  const { gate } = await house(t);
  assertNotStarted(await fetched(gate, "/public/page", { method: "HEAD", headers: { "x-plant-trap": "panic" } }));
  const log = await gate.logged(/panicked at worker\/src\/panics\.rs:\d+/);
  assert.doesNotMatch(log, /planted, with/);
});

test("a response that is on its way when the gate falls goes on", async (t) => {
  const { origin, gate } = await house(t);
  const response = await send(gate, "/public/drip");
  assert.equal(await response.firstBytes, "first");
  assertNotStarted(await fetched(gate, "/public/page", { headers: { "x-plant-trap": "panic" } }));
  origin.release();
  assert.equal(await response.text(), "first last");
});
