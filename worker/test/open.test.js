// Connections that stay open end with what they rest on: WebSockets and event streams, by their time and by a sign-out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";

import { eventually, fetched, send, sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

async function house(test, { issuer = {}, rules } = {}) {
  const [origin, auth] = [await startOrigin(test), await startAuth(test)];
  const bindings = variables(origin, auth);
  Object.assign(bindings.DOORWARD.issuers[0], issuer);
  if (rules) bindings.DOORWARD.rules.unshift(...rules);
  return { origin, auth, gate: await startGate(test, { bindings }) };
}

const seconds = () => Date.now() / 1000;

/** A socket that is open, and the promise of how it was closed and when. */
async function opened(test, gate, headers, target = "/socket") {
  const socket = new WebSocket(`ws://127.0.0.1:${gate.port}${target}`, { headers: { origin: gate.origin, ...headers } });
  test.after(() => socket.terminate());
  const closed = new Promise((resolve) => socket.once("close", (code, reason) => resolve({ code, reason: reason.toString(), at: seconds() })));
  await new Promise((resolve, reject) => (socket.once("open", resolve), socket.once("error", reject)));
  const echo = async (message) => {
    const heard = new Promise((resolve) => socket.once("message", (data, isBinary) => resolve(isBinary ? data : data.toString())));
    socket.send(message);
    return heard;
  };
  return { socket, closed, echo };
}

test("a WebSocket is closed a second after its token, at both ends", async (t) => {
  const { origin, auth, gate } = await house(t);
  const exp = Math.floor(seconds()) + 4;
  const { closed, echo } = await opened(t, gate, { authorization: `Bearer ${await auth.sign("EdDSA", { exp })}` });
  assert.equal(await echo("hello"), "hello");
  assert.deepEqual(await echo(Buffer.from([0, 1, 255])), Buffer.from([0, 1, 255]));
  const { code, reason, at } = await closed;
  assert.deepEqual([code, reason], [4401, "expired"]);
  assert.ok(at >= exp + 0.9 && at < exp + 15, `${at - exp} s after its token`);
  assert.deepEqual(await origin.last().closed, [4401, "expired"]);
});

test("a WebSocket that is closed by one of its ends is closed as that end says", async (t) => {
  const { origin, auth, gate } = await house(t);
  const headers = { authorization: `Bearer ${await auth.sign("EdDSA")}` };
  const one = await opened(t, gate, headers);
  one.socket.close(4000, "enough");
  assert.deepEqual(await origin.last().closed, [4000, "enough"]);
  assert.equal((await one.closed).code, 4000);
  const other = await opened(t, gate, headers);
  other.socket.terminate();
  await origin.last().closed;
});

test("an event stream ends a second after its token", async (t) => {
  const { origin, auth, gate } = await house(t);
  const exp = Math.floor(seconds()) + 4;
  const response = await send(gate, "/events", { headers: { authorization: `Bearer ${await auth.sign("EdDSA", { exp })}` } });
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.match(text, /^(data: more\n\n)+$/);
  assert.ok(seconds() >= exp + 0.9 && seconds() < exp + 15, `${seconds() - exp} s after its token`);
  await eventually(() => origin.last().isOver, "the origin hears of it");
});

test("nobody's connection ends by its rule alone, and any other response goes on to its end", async (t) => {
  const { origin, auth, gate } = await house(t, { rules: [{ path: "/public/short/**", access: "public", max_connection_seconds: 1 }] });
  const begun = seconds();
  const stream = await send(gate, "/public/short/events");
  await stream.text();
  assert.ok(seconds() - begun < 15);
  assert.equal((await (await opened(t, gate, {}, "/public/short/socket")).closed).code, 4401);

  const exp = Math.floor(seconds()) + 1;
  const slow = await send(gate, "/drip", { headers: { authorization: `Bearer ${await auth.sign("EdDSA", { exp })}` } });
  assert.equal(await slow.firstBytes, "first");
  await new Promise((resolve) => setTimeout(resolve, 2500));
  origin.release();
  assert.equal(await slow.text(), "first last");
});

test("a connection ends when the auth service says that its session has, without a renewal, and not when it says nothing", { timeout: 120_000 }, async (t) => {
  const { auth, gate } = await house(t, { issuer: { session_cache_seconds: 1 } });
  const token = "t".repeat(32);
  const iso = (after) => new Date(Date.now() + after * 1000).toISOString();
  const session = { session: { id: "s", token, userId: "user-1", expiresAt: iso(3600), createdAt: iso(-60) }, user: { id: "user-1", email: "a@example.com" } };
  const asked = [];
  let answer = (response) => response.end(JSON.stringify(session));
  auth.answers["/api/auth/get-session"] = (request, response) => (asked.push(request.url), answer(response));
  const cookie = sessionCookies({ token, cache: false });
  const { closed, echo } = await opened(t, gate, { cookie });
  const stream = await send(gate, "/events", { headers: { cookie } });
  answer = (response) => response.writeHead(500).end();
  const looks = () => asked.filter((url) => url.includes("disableRefresh=true")).length;
  await eventually(() => looks() > 0, "it is looked at");
  assert.equal(await echo("still here"), "still here");
  answer = (response) => response.end("null");
  const { code, reason } = await closed;
  assert.deepEqual([code, reason], [4401, "session_ended"]);
  await stream.text();
  assert.equal((await fetched(gate, "/api/me", { headers: { cookie } })).status, 401);
});
