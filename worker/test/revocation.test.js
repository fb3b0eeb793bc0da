// Revocation in workerd: the deny-list from Workers KV and from a URL, and Better Auth's secondary storage in KV.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clocked, eventually, fetched, sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

async function house(test, { issuer = {}, document = {}, kv = ["LISTS", "SESSIONS"], more = {}, entry = clocked } = {}) {
  const [origin, auth] = [await startOrigin(test), await startAuth(test)];
  const bindings = variables(origin, auth, more);
  Object.assign(bindings.DOORWARD.issuers[0], issuer);
  Object.assign(bindings.DOORWARD, typeof document === "function" ? document(auth) : document);
  const gate = await startGate(test, { bindings, entry, options: { kvNamespaces: kv } });
  const judge = async (cookie, seconds = 0) => {
    const response = await fetched(gate, "/api/me", { headers: { cookie, "x-test-ahead": String(seconds * 1000) } });
    return response.status === 200 ? origin.last().headers["x-doorward-source"] : JSON.parse(response.body).reason;
  };
  return { origin, auth, gate, judge, store: (name) => gate.store(name) };
}

test("a deny-list in KV is read, refreshed behind a response, and refuses at its ceiling", async (t) => {
  const { judge, store } = await house(t, { document: { deny_list: { store: "LISTS", refresh_seconds: 30, max_stale_seconds: 100 } } });
  const lists = await store("LISTS");
  const cookie = sessionCookies({ seconds: 3000 });
  assert.equal(await judge(cookie), "revocation_unavailable", "there is no list yet");
  await lists.put("doorward-deny-list", JSON.stringify({ sessions: ["another"] }));
  assert.equal(await judge(cookie, 5), "cookie-cache");
  await lists.put("doorward-deny-list", JSON.stringify({ sessions: ["session-1"] }));
  assert.equal(await judge(cookie, 20), "cookie-cache", "the list that is there is young");
  assert.equal(await judge(cookie, 40), "cookie-cache", "the next one is fetched behind this response");
  await eventually(async () => (await judge(cookie, 41)) === "session_revoked", "the new list is in use");
  await lists.put("doorward-deny-list", "x".repeat(1024 * 1024 + 1));
  assert.equal(await judge(cookie, 130), "session_revoked", "too large a list replaces nothing");
  assert.equal(await judge(cookie, 170), "revocation_unavailable");
});

test("a deny-list behind a secret at a URL", async (t) => {
  const seen = [];
  const { auth, judge } = await house(t, {
    document: (auth) => ({ deny_list: { url: `${auth.url}/revoked`, token: { env: "LIST_TOKEN" } } }),
    more: { LIST_TOKEN: "for-the-list-only" },
  });
  let list = { sessions: ["session-1"] };
  auth.answers["/revoked"] = (request, response) => {
    seen.push([request.headers.authorization, request.headers.cookie]);
    response.end(JSON.stringify(list));
  };
  assert.equal(await judge(sessionCookies()), "session_revoked");
  list = { not_before: { "user-1": Math.ceil(Date.now() / 1000) + 60 } };
  assert.equal(await judge(sessionCookies({ seconds: 3000 }), 70), "session_revoked");
  assert.deepEqual(seen, [["Bearer for-the-list-only", undefined], ["Bearer for-the-list-only", undefined]]);
});

test("a session in KV passes without the auth service, and one that is not there is the auth service's to judge", async (t) => {
  const { auth, judge, store } = await house(t, { issuer: { storage: { store: "SESSIONS", prefix: "better-auth:" } } });
  const sessions = await store("SESSIONS");
  const token = "t".repeat(32);
  const iso = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const cookie = sessionCookies({ token, cache: false });
  assert.equal(await judge(cookie), "session_ended");
  assert.equal(auth.asked.session, 1);
  const pair = { session: { id: "s", token, userId: "user-1", expiresAt: iso(3600), createdAt: iso(-60) }, user: { id: "user-1", email: "a@example.com" } };
  await sessions.put(`better-auth:${token}`, JSON.stringify(pair));
  assert.equal(await judge(cookie, 72), "storage", "what KV has a minute later is newer than that it had ended");
  assert.equal(auth.asked.session, 1);
  await sessions.put("better-auth:revoked-sessions-before-user-1", String(Date.now()));
  assert.equal(await judge(cookie, 83), "session_ended");
  assert.equal(auth.asked.session, 2);
});

test("a namespace that does something else is a lookup failure, and the gate stands", async (t) => {
  for (const get of ["throw new Error()", "return Promise.reject(new Error())", "return new Promise(() => {})", "return 'text'", "return undefined", "return {}"]) {
    const odd = `
import worker from "./worker.js";
const LISTS = { getWithMetadata() {}, get() { ${get} } };
export default { fetch: (request, env, context) => worker.fetch(request, { ...env, LISTS }, context) };`;
    const { judge } = await house(t, { document: { deny_list: { store: "LISTS" } }, kv: [], entry: odd });
    assert.equal(await judge(sessionCookies()), "revocation_unavailable", get);
  }
});

test("a store that is not bound is a wrong configuration", async (t) => {
  const { gate, judge } = await house(t, { document: { deny_list: { store: "NOWHERE" } } });
  assert.equal(await judge(sessionCookies()), "not_started");
  await gate.logged('"path":"deny_list.store","problem":"this host has no store \\"NOWHERE\\""');
  // A variable of that name is no store either.
  const variable = await house(t, { document: { deny_list: { store: "LISTS" } }, kv: [], more: { LISTS: "text" } });
  assert.equal(await variable.judge(sessionCookies()), "not_started");
});
