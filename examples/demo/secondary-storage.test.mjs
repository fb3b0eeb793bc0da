// What a real Better Auth writes into its `secondaryStorage`, read by the gate: a Map stands in for Workers KV or Redis. And a
// deny-list from a function.

import assert from "node:assert/strict";
import { test } from "node:test";
import { betterAuth } from "better-auth";
import { betterAuth as betterAuth14 } from "better-auth-1.4";

import { createGate } from "../../middleware/on/default.js";

const SITE = "https://app.example.com";
const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const COOKIE = "__Secure-better-auth.session_token";

/** A service without a database, its storage, and a gate that reads it; the gate's clock can be set forward. */
function house({ make = betterAuth, storage = {}, document = {}, stores = {} } = {}) {
  const kept = new Map();
  const reads = [];
  let asked = 0;
  let ahead = 0;
  const auth = make({
    baseURL: SITE,
    secret: SECRET,
    secondaryStorage: {
      get: (key) => kept.get(key) ?? null,
      set: (key, value) => void kept.set(key, value),
      delete: (key) => void kept.delete(key),
    },
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const gate = createGate({
    config: {
      issuers: [{ type: "better-auth", url: SITE, secret: { env: "SECRET" }, storage: { store: "SESSIONS", lag_seconds: 0, ...storage } }],
      rules: [{ path: "/**", access: "required" }],
      ...document,
    },
    env: { SECRET },
    log: () => {},
    now: () => Date.now() + ahead,
    fetch: (url, init) => (asked++, auth.handler(new Request(url, init))),
    stores: { SESSIONS: async (key) => (reads.push(key), kept.get(key)), ...stores },
  });
  return {
    kept,
    reads,
    asked: () => asked,
    wait: (seconds) => void (ahead += seconds * 1000),
    async post(path, body, cookie) {
      const headers = { "content-type": "application/json", origin: SITE, ...(cookie && { cookie }) };
      const response = await auth.handler(new Request(`${SITE}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
      assert.equal(response.status, 200, path);
      const line = response.headers.getSetCookie().find((line) => line.startsWith(`${COOKIE}=`));
      return { cookie: line?.split(";")[0], body: await response.json() };
    },
    signUp(name) {
      return this.post("/sign-up/email", { name, email: `${name}@example.com`, password: "correct horse" });
    },
    signIn(name) {
      return this.post("/sign-in/email", { email: `${name}@example.com`, password: "correct horse" });
    },
    async session(cookie) {
      const response = await auth.handler(new Request(`${SITE}/api/auth/get-session`, { headers: { cookie } }));
      return response.json();
    },
    async judge(cookie) {
      const verdict = await gate.decide(new Request(`${SITE}/app`, { headers: { cookie } }));
      return verdict.kind === "forward" ? Object.fromEntries(verdict.set) : verdict.reason;
    },
  };
}

const tokenOf = (cookie) => decodeURIComponent(cookie.split("=")[1]).split(".")[0];

for (const [version, make] of [["1.7", betterAuth], ["1.4", betterAuth14]]) test(`a session is read as Better Auth ${version} has written it, and the service is not asked`, async () => {
  const here = house({ make });
  const { cookie } = await here.signUp("ada");
  const told = await here.judge(cookie);
  const { session, user } = await here.session(cookie);
  assert.deepEqual(
    [told["x-doorward-subject"], told["x-doorward-session"], told["x-doorward-email"], told["x-doorward-expires"], told["x-doorward-source"]],
    [user.id, session.id, "ada@example.com", String(Math.floor(Date.parse(session.expiresAt) / 1000)), "storage"],
  );
  assert.deepEqual(here.reads, [tokenOf(cookie), `revoked-sessions-before-${user.id}`]);
  assert.equal(here.asked(), 0);
});

test("a sign-out is noticed when the answer is no longer remembered, by the service's own word", async () => {
  const here = house();
  const { cookie } = await here.signUp("ada");
  assert.equal((await here.judge(cookie))["x-doorward-source"], "storage");
  await here.post("/sign-out", {}, cookie);
  assert.equal(here.kept.has(tokenOf(cookie)), false);
  here.wait(11);
  assert.equal(await here.judge(cookie), "session_ended");
  assert.equal(here.asked(), 1);
});

test("a store that shows a revoked session still is not believed", async () => {
  const here = house();
  const { cookie: old } = await here.signUp("ada");
  const shown = here.kept.get(tokenOf(old));
  const { cookie } = await here.signIn("ada");
  await here.post("/revoke-sessions", {}, cookie);
  const user = JSON.parse(shown).user.id;
  assert.match(here.kept.get(`revoked-sessions-before-${user}`), /^[0-9]+$/);
  // As KV does for up to a minute.
  here.kept.set(tokenOf(old), shown);
  assert.equal(await here.judge(old), "session_ended");
  assert.equal(here.asked(), 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const { cookie: next } = await here.signIn("ada");
  assert.equal((await here.judge(next))["x-doorward-source"], "storage");
});

test("what the secret has not signed is never looked up", async () => {
  const here = house();
  const { cookie } = await here.signUp("ada");
  const [name, value] = cookie.split("=");
  const flipped = encodeURIComponent(decodeURIComponent(value).replace(/\.(.)/, (_, first) => `.${first === "A" ? "B" : "A"}`));
  assert.equal(await here.judge(`${name}=${flipped}`), "signature_invalid");
  assert.equal(await here.judge(`${name}=${tokenOf(cookie)}`), "credential_malformed");
  assert.deepEqual([here.reads, here.asked()], [[], 0]);
});

test("a store that fails, is slow, or gives something else leaves it to the service", { timeout: 10_000 }, async () => {
  for (const SESSIONS of [() => Promise.reject(new Error("no")), () => new Promise(() => {}), () => 7, () => ({}), () => "{}", () => undefined]) {
    const here = house({ stores: { SESSIONS } });
    const { cookie } = await here.signUp("ada");
    assert.equal((await here.judge(cookie))["x-doorward-source"], "auth-service", String(SESSIONS));
    assert.equal(here.asked(), 1);
  }
});

test("what a deny-list from a function names is out, and without the function nobody is in", async () => {
  let list = { sessions: [] };
  const document = { deny_list: { store: "LISTS", refresh_seconds: 5 } };
  const here = house({ document, stores: { LISTS: async (key) => (assert.equal(key, "doorward-deny-list"), new TextEncoder().encode(JSON.stringify(list))) } });
  const { cookie } = await here.signUp("ada");
  const told = await here.judge(cookie);
  list = { sessions: [told["x-doorward-session"]] };
  assert.equal((await here.judge(cookie))["x-doorward-subject"], told["x-doorward-subject"]);
  here.wait(10);
  assert.equal(await here.judge(cookie), "session_revoked");

  const failing = house({ document, stores: { LISTS: () => Promise.reject(new Error("no")) } });
  assert.equal(await failing.judge((await failing.signUp("ada")).cookie), "revocation_unavailable");
  const absent = house({ document, stores: { LISTS: () => null } });
  assert.equal(await absent.judge((await absent.signUp("ada")).cookie), "revocation_unavailable");
  const without = house({ document });
  assert.equal(await without.judge((await without.signUp("ada")).cookie), "not_started");
});
