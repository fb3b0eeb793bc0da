// Requests that may change a session, and what waits for their responses: whoever sends many, slow ones or such that are broken off
// takes nobody's place, and nothing is left behind.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import http from "node:http";
import { test } from "node:test";

import { createGate } from "doorward";
import { createProxy, middleware } from "doorward/node";
import { NOW, SITE, config, deferred, request, serve } from "./support.js";

const SECRET = "a secret of the tests, with 32 bytes or more";
const TOKEN = "TokenOfTheTestsThatIsLongEnough0";
const mac = createHmac("sha256", SECRET).update(TOKEN).digest("base64");
const NAME = "__Secure-better-auth.session_token";
const cookie = `${NAME}=${TOKEN}.${encodeURIComponent(mac)}`;
const secured = { ...config, issuers: [{ ...config.issuers[0], secret: { env: "SECRET" }, base_path: "/api/auth" }], rules: [{ path: "/api/auth/**", access: "public" }, ...config.rules] };
const session = (org) => JSON.stringify({
  session: { id: "s", token: TOKEN, userId: "ada", expiresAt: new Date(NOW + 9e8).toISOString(), activeOrganizationId: org },
  user: { id: "ada" },
});
const RENEWED = `${NAME}=renewed; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax`;
const options = (lines, fetch = async () => new Response(session("a"))) => ({ config: secured, env: { SECRET }, log: (line) => lines.push(line), now: () => NOW, fetch });
const signOut = (init) => request("/api/auth/sign-out", { cookie, origin: SITE }, { method: "POST", ...init });

test("2,300 requests that fail and 2,100 slow ones keep nobody waiting", async () => {
  const lines = [];
  const gate = createGate(options(lines));
  for (let i = 0; i < 2300; i++) {
    await assert.rejects(gate.handle(signOut(), () => Promise.reject(new Error("broken off"))));
  }
  const { promise, resolve } = deferred();
  const slow = Array.from({ length: 2100 }, () => gate.handle(signOut(), () => promise.then(() => new Response("ok"))));
  const page = await gate.handle(request("/app", { cookie }), () => new Response("page"));
  assert.deepEqual([page.status, await page.text()], [200, "page"]);
  resolve();
  const answers = await Promise.all(slow);
  assert.ok(answers.every(({ status }) => status === 200));
  // The oldest gave way, and it was said.
  await gate.handle(request("/app", { cookie }), () => new Response("page"));
  assert.ok(lines.some((line) => JSON.parse(line).event === "abandon"), lines.join("\n"));
  assert.ok(!lines.some((line) => JSON.parse(line).reason === "not_started"));
});

test("a slow page brings no cookie after a sign-out", async () => {
  const gate = createGate(options([], async () => new Response(session("a"), { headers: { "set-cookie": RENEWED } })));
  for (const signsOut of [false, true]) {
    const { promise, resolve } = deferred();
    const page = gate.handle(request("/app", { cookie: `${cookie}; n=${signsOut}` }), () => promise);
    await new Promise(setImmediate);
    if (signsOut) {
      const answer = await gate.handle(signOut(), () => new Response(null, { headers: { "set-cookie": `${NAME}=; Max-Age=0; Path=/` } }));
      assert.ok(answer.headers.getSetCookie().some((line) => line.startsWith("doorward_as_of=")));
    }
    resolve(new Response("page"));
    const lines = (await page).headers.getSetCookie();
    assert.deepEqual(lines, signsOut ? [] : [RENEWED]);
  }
});

test("proxy: clients that go away and origins that fail leave nothing behind", async (t) => {
  const lines = [];
  const origin = await serve(t, (req, res) => (req.url.includes("fails") ? req.socket.destroy() : req.url.includes("hangs") ? undefined : res.end("ok")));
  const proxy = createProxy({ ...options(lines), origin: origin.origin, publicOrigin: SITE });
  const gate = await serve(t, proxy);
  const send = (path, method, abort) =>
    new Promise((resolve) => {
      const req = http.request(gate.origin + path, { method, agent: false, headers: { cookie, origin: SITE } }, (res) => res.resume().on("end", () => resolve(res.statusCode)));
      req.on("error", () => resolve(0));
      req.end();
      if (abort) setTimeout(() => req.destroy(), 20);
    });
  for (let i = 0; i < 24; i++) {
    await Promise.all(Array.from({ length: 50 }, () => send("/api/auth/fails", "POST")));
    await Promise.all(Array.from({ length: 50 }, () => send("/api/auth/hangs", "POST", true)));
  }
  assert.equal(await send("/app", "GET"), 200);
  assert.ok(!lines.some((line) => ["abandon", "not_started"].some((word) => line.includes(word))), lines.at(-1));
});

test("middleware: what the application sets is heard, and what it ends is not brought back", async (t) => {
  const gate = middleware({ ...options([], async () => new Response(session("a"), { headers: { "set-cookie": RENEWED } })), publicOrigin: SITE });
  const server = await serve(t, (req, res) =>
    gate(req, res, () => {
      if (req.url === "/out") res.setHeader("set-cookie", [`${NAME}=; Max-Age=0; Path=/`, "theme=dark"]);
      res.end("ok");
    }),
  );
  const cookies = (path) =>
    new Promise((resolve) => http.get(server.origin + path, { agent: false, headers: { cookie } }, (res) => (res.resume(), resolve(res.headers["set-cookie"] ?? []))));
  assert.deepEqual(await cookies("/app"), [RENEWED]);
  assert.deepEqual(await cookies("/app"), [], "it is remembered");
  const other = middleware({ ...options([], async () => new Response(session("a"), { headers: { "set-cookie": RENEWED } })), publicOrigin: SITE });
  const second = await serve(t, (req, res) => other(req, res, () => (res.setHeader("set-cookie", `${NAME}=; Max-Age=0; Path=/`), res.end("ok"))));
  const seen = await new Promise((resolve) => http.get(`${second.origin}/out`, { agent: false, headers: { cookie } }, (res) => (res.resume(), resolve(res.headers["set-cookie"]))));
  assert.deepEqual(seen, [`${NAME}=; Max-Age=0; Path=/`]);
});
