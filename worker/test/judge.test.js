// Real credentials, verified in workerd by the WebAssembly to be deployed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { WebSocket } from "ws";

import { fetched, sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

const page = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

async function house(test, { algorithms } = {}) {
  const origin = await startOrigin(test);
  const auth = await startAuth(test, { algorithms });
  const gate = await startGate(test, { bindings: variables(origin, auth) });
  return { origin, auth, gate };
}

const identity = ({ headers }) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-doorward-")).map(([name, value]) => [name.slice(11), value]));

test("an anonymous page is sent to sign in, an anonymous call gets 401, and the origin hears of neither", async (t) => {
  const { origin, gate } = await house(t);
  const redirect = await fetched(gate, "/app?tab=1", { headers: page });
  assert.deepEqual([redirect.status, redirect.headers.location], [307, "/sign-in?callbackURL=%2Fapp%3Ftab%3D1"]);
  assert.equal(redirect.headers["cache-control"], "private, no-store");
  const refusal = await fetched(gate, "/api/me");
  assert.deepEqual([refusal.status, refusal.headers["www-authenticate"]], [401, "Bearer"]);
  assert.equal(refusal.headers["content-type"], "application/problem+json");
  assert.equal(JSON.parse(refusal.body).reason, "no_credential");
  assert.equal((await fetched(gate, "/api/me", { method: "HEAD" })).body, "");
  assert.equal(origin.seen.length, 0);
});

test("a session from the cookie cache is forwarded with its identity, and nothing is asked", async (t) => {
  const { origin, auth, gate } = await house(t);
  const response = await fetched(gate, "/app", { headers: { ...page, cookie: sessionCookies(), x_doorward_subject: "root" } });
  assert.equal(response.status, 200);
  const { subject, session, email, source } = identity(origin.last());
  assert.deepEqual({ subject, session, email, source }, { subject: "user-1", session: "session-1", email: "ada@example.com", source: "cookie-cache" });
  assert.equal(origin.last().headers.x_doorward_subject, undefined);
  assert.match(response.headers["doorward-decision"], /^forward; .*cookie-cache/);
  assert.deepEqual(auth.asked, { keys: 0, session: 0, token: 0 });
});

test("what the gate adds to a response goes beside the cookies of the origin", async (t) => {
  const { gate } = await house(t);
  const response = await fetched(gate, "/cookies", { headers: { cookie: sessionCookies() } });
  assert.deepEqual(response.headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/"]);
  assert.match(response.headers["doorward-decision"], /^forward/);
});

test("a tampered, a foreign and an expired cookie are not let through", async (t) => {
  const { origin, auth, gate } = await house(t);
  const good = sessionCookies();
  const tampered = good.replace(/session_data=(.{40}).{4}/, "session_data=$1AAAA");
  for (const cookie of [tampered, sessionCookies({ key: "another secret of another server!!" }), good.replace("session_token=", "session_token=x")]) {
    const response = await fetched(gate, "/api/me", { headers: { cookie } });
    assert.equal(response.status, 401, cookie.slice(0, 40));
  }
  // The cache is over and the auth service answers `null`: signed out.
  const response = await fetched(gate, "/api/me", { headers: { cookie: sessionCookies({ seconds: -1 }) } });
  assert.deepEqual([response.status, JSON.parse(response.body).reason], [401, "session_ended"]);
  assert.equal(auth.asked.session > 0, true);
  assert.equal(origin.seen.length, 0);
});

test("an answer of the auth service brings its cookies to the browser, and its outage is 503", async (t) => {
  const { origin, auth, gate } = await house(t);
  const token = "t".repeat(32);
  const day = new Date(Date.now() + 86_400_000).toISOString();
  let asked;
  auth.answers["/api/auth/get-session"] = (request, response) => {
    asked = request.headers;
    response.setHeader("content-type", "application/json");
    response.setHeader("set-cookie", ["better-auth.session_data=new; Path=/; HttpOnly", "better-auth.session_token=same; Path=/", "tracker=1"]);
    response.end(JSON.stringify({ session: { id: "s", token, userId: "user-2", expiresAt: day }, user: { id: "user-2", email: "b@example.com" } }));
  };
  const cookie = sessionCookies({ token, cache: false });
  const response = await fetched(gate, "/cookies", { headers: { cookie: `${cookie}; other=secret`, "x-forwarded-for": "6.6.6.6" } });
  assert.equal(response.status, 200);
  assert.equal(identity(origin.last()).subject, "user-2");
  assert.deepEqual(response.headers["set-cookie"], [
    "a=1; Path=/", "b=2; Path=/", "better-auth.session_data=new; Path=/; HttpOnly", "better-auth.session_token=same; Path=/",
  ]);
  // An answer with somebody's cookies is nobody else's.
  assert.equal(response.headers["cache-control"], "private, no-store");
  // Only what the effect says is sent: no other cookie, one address.
  assert.equal(asked.cookie, cookie);
  assert.equal(asked["x-forwarded-for"], "127.0.0.1");
  assert.deepEqual([asked["user-agent"], asked["x-doorward-subject"]], [undefined, undefined]);

  await auth.stop();
  const away = await fetched(gate, "/api/me", { headers: { cookie: sessionCookies({ cache: false }) } });
  assert.deepEqual([away.status, JSON.parse(away.body).reason], [503, "session_unavailable"]);
});

test("a cookie cache near its end is renewed while the origin works, and a renewal that fails refuses no request", async (t) => {
  const { origin, auth, gate } = await house(t);
  const token = "t".repeat(32);
  const day = new Date(Date.now() + 86_400_000).toISOString();
  auth.answers["/api/auth/get-session"] = (request, response) => {
    assert.equal(request.url, "/api/auth/get-session?disableCookieCache=true");
    response.setHeader("set-cookie", ["better-auth.session_data=new; Path=/; HttpOnly", "tracker=1"]);
    response.end(JSON.stringify({ session: { id: "s", token, userId: "user-1", expiresAt: day }, user: { id: "user-1" } }));
  };
  const cookie = sessionCookies({ token, now: Date.now() - 290_000 });
  const response = await fetched(gate, "/cookies", { headers: { cookie } });
  assert.deepEqual([response.status, identity(origin.last()).source], [200, "cookie-cache"]);
  assert.deepEqual(response.headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/", "better-auth.session_data=new; Path=/; HttpOnly"]);
  assert.equal(response.headers["cache-control"], "private, no-store");
  // Not twice at once.
  await fetched(gate, "/cookies", { headers: { cookie } });
  assert.equal(auth.asked.session, 1);

  await auth.stop();
  const other = await fetched(gate, "/cookies", { headers: { cookie: sessionCookies({ now: Date.now() - 290_000 }) } });
  assert.deepEqual([other.status, other.headers["set-cookie"]], [200, ["a=1; Path=/", "b=2; Path=/"]]);
});

test("an answer that is late or too large is none", { timeout: 15_000 }, async (t) => {
  const { auth, gate } = await house(t);
  auth.answers["/api/auth/get-session"] = (_, response) => void response.writeHead(200).write("null");
  const late = await fetched(gate, "/api/me", { headers: { cookie: sessionCookies({ cache: false }) } });
  assert.deepEqual([late.status, JSON.parse(late.body).reason], [503, "session_unavailable"]);
  auth.answers["/api/auth/get-session"] = (_, response) => response.writeHead(200).end(" ".repeat(300 * 1024) + "null");
  const large = await fetched(gate, "/api/me", { headers: { cookie: sessionCookies({ cache: false }) } });
  assert.deepEqual([large.status, JSON.parse(large.body).reason], [503, "session_unavailable"]);
  auth.answers["/api/auth/get-session"] = (_, response) => response.writeHead(302, { location: "/elsewhere" }).end();
  const moved = await fetched(gate, "/api/me", { headers: { cookie: sessionCookies({ cache: false }) } });
  assert.deepEqual([moved.status, JSON.parse(moved.body).reason], [503, "session_unavailable"]);
});

test("tokens of every algorithm pass with their own signature only", { timeout: 60_000 }, async (t) => {
  const algorithms = ["EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
  const { origin, auth, gate } = await house(t, { algorithms });
  for (const algorithm of algorithms) {
    const token = await auth.sign(algorithm);
    for (let i = 0; i < 2; i++) {
      const response = await fetched(gate, "/api/me", { headers: { authorization: `Bearer ${token}` } });
      assert.equal(response.status, 200, `${algorithm}: ${response.body}`);
    }
    assert.deepEqual([identity(origin.last()).subject, identity(origin.last()).source], ["user-1", "jwt"]);

    const passed = origin.seen.length;
    const [head, claims, signature] = token.split(".");
    const flipped = (signature[20] === "A" ? "B" : "A") + signature.slice(21);
    for (const forged of [
      `${head}.${claims}.${signature.slice(0, 20)}${flipped}`,
      `${head}.${Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), sub: "root" })).toString("base64url")}.${signature}`,
      `${head}.${claims}.`,
    ]) {
      const response = await fetched(gate, "/api/me", { headers: { authorization: `Bearer ${forged}` } });
      assert.equal(response.status, 401, algorithm);
    }
    assert.equal(origin.seen.length, passed);
  }
  assert.equal(auth.asked.keys, 1);
});

test("a WebSocket goes through with a session and is refused without", async (t) => {
  const { origin, gate } = await house(t);
  const open = (headers) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${gate.port}/socket?a=1`, ["chat"], { headers });
      socket.on("open", () => resolve(socket));
      socket.on("unexpected-response", (_, response) => reject(new Error(`status ${response.statusCode}`)));
      socket.on("error", reject);
    });
  await assert.rejects(open({ origin: gate.origin }), /status 401/);
  assert.equal(origin.seen.length, 0);

  const socket = await open({ origin: gate.origin, cookie: sessionCookies() });
  t.after(() => socket.terminate());
  for (const message of ["hello", "again", "x".repeat(100_000)]) {
    const echo = new Promise((resolve) => socket.once("message", (data) => resolve(data.toString())));
    socket.send(message);
    assert.equal(await echo, message);
  }
  assert.equal(origin.last().url, "/socket?a=1");
  assert.equal(identity(origin.last()).subject, "user-1");
  const closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
  socket.close(1000);
  assert.equal(await closed, 1000);
});

test("no log line has a token in it", async (t) => {
  const { auth, gate } = await house(t);
  const token = await auth.sign("EdDSA", { aud: "someone else" });
  const cookie = sessionCookies({ key: "another secret of another server!!" });
  await fetched(gate, `/api/me?token=${token}`, { headers: { authorization: `Bearer ${token}x`, cookie } });
  await fetched(gate, "/api/me", { headers: { cookie } });
  // Both of them, of which the second is logged last.
  const log = await gate.logged(/"event":"refusal".*\n.*"event":"refusal"/);
  for (const secret of [...token.split("."), ...cookie.split(/[=;]/).filter((part) => part.length > 30)]) {
    assert.equal(log.includes(secret), false);
  }
});
