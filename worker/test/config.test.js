// A configuration that is wrong lets nobody through and says why, once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fetched, sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

const wrong = {
  "no origin": { ORIGIN_URL: undefined },
  "an origin with a path": { ORIGIN_URL: "https://example.com/app" },
  "an origin that is no URL": { ORIGIN_URL: "example.com" },
  "an origin with a password": { ORIGIN_URL: "https://a:b@example.com" },
  "a public origin that is no origin": { PUBLIC_ORIGIN: "https://example.com/?a" },
  "a document that is no JSON": { DOORWARD: "{" },
  "a document that is a number": { DOORWARD: 7 },
  "an unknown member": { DOORWARD: { issuers: [], rules: [], rulez: [] } },
  "an auth service without a URL": { BETTER_AUTH_URL: undefined },
  "a secret that is missing": { BETTER_AUTH_SECRET: undefined },
  "a secret that is short": { BETTER_AUTH_SECRET: "short" },
};

for (const [name, change] of Object.entries(wrong)) {
  test(`${name} is 503 for every request`, async (t) => {
    const [origin, auth] = [await startOrigin(t), await startAuth(t)];
    const bindings = Object.fromEntries(Object.entries(variables(origin, auth, change)).filter(([, value]) => value !== undefined));
    const gate = await startGate(t, { bindings });
    for (const [target, options] of [
      ["/public/page"],
      ["/app", { headers: { accept: "text/html", cookie: sessionCookies() } }],
      ["/api/auth/get-session"],
      ["/app", { method: "OPTIONS" }],
    ]) {
      const response = await fetched(gate, target, options);
      assert.equal(response.status, 503);
      const isPage = options?.headers?.accept === "text/html";
      assert.equal(response.headers["content-type"], isPage ? "text/html; charset=utf-8" : "application/problem+json");
      assert.equal(response.headers["cache-control"], "private, no-store");
      assert.match(response.headers.vary, /Cookie/);
      assert.equal(response.headers["retry-after"], "5");
      assert.match(response.body, /not_started/);
    }
    assert.equal(origin.seen.length, 0);
    const log = await gate.logged('"event":"config_error"');
    assert.doesNotMatch(log, /"time":"19/, "before the first request there is no clock");
    if (bindings.BETTER_AUTH_SECRET) assert.equal(log.includes(bindings.BETTER_AUTH_SECRET), false);
  });
}

test("every mistake is named at once", async (t) => {
  const gate = await startGate(t, { bindings: { PUBLIC_ORIGIN: "x", DOORWARD: { rulez: 1 } } });
  assert.equal((await fetched(gate, "/")).status, 503);
  for (const place of ["ORIGIN_URL", "PUBLIC_ORIGIN", "rulez"]) await gate.logged(place);
});

test("the configuration is read once per instance, however many requests there are", async (t) => {
  const origin = await startOrigin(t);
  const auth = await startAuth(t);
  // Counts who asks for the document; the count is told on a path of its own.
  const entry = `
    import worker from "./worker.js";
    let reads = 0;
    const watched = (env) => new Proxy(env, { get: (target, name) => (name === "DOORWARD" && reads++, target[name]) });
    export default {
      fetch: (request, env, context) => new URL(request.url).pathname === "/reads" ? new Response(String(reads)) : worker.fetch(request, watched(env), context),
    };
  `;
  const gate = await startGate(t, { bindings: variables(origin, auth), entry });
  const reads = async () => Number((await fetched(gate, "/reads")).body);
  assert.equal(await reads(), 0);
  for (let number = 0; number < 5; number++) assert.equal((await fetched(gate, "/public/page")).status, 200);
  assert.equal((await fetched(gate, "/api/me")).status, 401);
  // Once more than before the first request: whether it is still the same.
  assert.equal(await reads(), 1);
});

test("where variables come with the requests, the first one compiles the configuration, once", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const { DOORWARD, ORIGIN_URL, ...bindings } = variables(origin, auth);
  const entry = `
    import worker from "./worker.js";
    let reads = 0;
    const more = ${JSON.stringify({ ORIGIN_URL })};
    const given = (env) => new Proxy(env, { get: (target, name) => (name === "PUBLIC_ORIGIN" && reads++, more[name] ?? target[name]) });
    export default {
      fetch: (request, env, context) => new URL(request.url).pathname === "/reads" ? new Response(String(reads)) : worker.fetch(request, given(env), context),
    };
  `;
  const gate = await startGate(t, { bindings: { ...bindings, DOORWARD }, entry });
  const reads = async () => {
    assert.equal((await fetched(gate, "/public/page")).status, 200);
    return (await fetched(gate, "/reads")).body;
  };
  const ofFirst = await reads();
  assert.equal(await reads(), ofFirst);
});

test("a short secret is warned of in the log, once", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth, { BETTER_AUTH_SECRET: "thirty-one-bytes-are-one-too-fe" }) });
  for (let number = 0; number < 3; number++) assert.equal((await fetched(gate, "/public/page")).status, 200);
  const log = await gate.logged('"event":"config_warning"');
  assert.equal(log.split('"path":"issuers[0].secret","problem":"the secret has fewer than 32 bytes (value of BETTER_AUTH_SECRET)"').length - 1, 1);
  assert.equal(log.split('"event":"start"').length - 1, 1);
  assert.equal(log.includes("thirty-one"), false);
});

test("the document may be JSON text as well", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const bindings = variables(origin, auth);
  const gate = await startGate(t, { bindings: { ...bindings, DOORWARD: JSON.stringify(bindings.DOORWARD) } });
  assert.equal((await fetched(gate, "/app", { headers: { cookie: sessionCookies() } })).status, 200);
});

test("without a document the preset applies", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const { DOORWARD, ...bindings } = variables(origin, auth);
  const gate = await startGate(t, { bindings });
  assert.equal((await fetched(gate, "/app", { headers: { cookie: sessionCookies() } })).status, 200);
  assert.equal((await fetched(gate, "/sign-in")).status, 200);
  assert.equal((await fetched(gate, "/app", { headers: { accept: "text/html" } })).status, 307);
});
