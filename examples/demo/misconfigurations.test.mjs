// Twelve mistakes that a new user makes, each with a real Better Auth and a user who has signed in: what the log says at the first refusal, or
// at the start, names the cause without any tool. The lines are printed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { betterAuth } from "better-auth";

import { session } from "../../middleware/next-session.js";
import { createGate } from "../../middleware/on/default.js";

const SITE = "https://app.example.com";
const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const OTHER_SECRET = "zY8xW7vU6tS5rQ4pO3nM2lK1jI0h-GfEdCbA";

/** A service without a database. */
function service({ url = SITE, secret = SECRET, ...options } = {}) {
  const kept = new Map();
  const storage = { get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value), delete: (key) => void kept.delete(key) };
  const auth = betterAuth({
    baseURL: url, secret, secondaryStorage: storage, emailAndPassword: { enabled: true }, rateLimit: { enabled: false }, telemetry: { enabled: false },
    logger: { disabled: true }, ...options,
  });
  return {
    fetch: (address, init) => auth.handler(new Request(address, init)),
    /** Cookies of somebody who has just signed up. */
    async cookies() {
      const headers = { "content-type": "application/json", origin: new URL(url).origin };
      const body = JSON.stringify({ name: "Ada", email: "ada@example.com", password: "correct horse" });
      const response = await auth.handler(new Request(`${url}${options.basePath ?? "/api/auth"}/sign-up/email`, { method: "POST", headers, body }));
      assert.equal(response.status, 200);
      return response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
    },
  };
}

/** A gate, the lines that it logs, and what it says of a request. */
function gate({ env = {}, issuer = {}, document = {}, fetch, ...options } = {}) {
  const lines = [];
  const config = {
    issuers: [{ type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: "BETTER_AUTH_SECRET" }, ...issuer }],
    rules: [{ path: "{auth}/**", access: "public" }, { path: "/**", access: "required" }],
    ...document,
  };
  const { decide } = createGate({ config, env: { BETTER_AUTH_URL: SITE, BETTER_AUTH_SECRET: SECRET, ...env }, log: (line) => lines.push(JSON.parse(line)), fetch, ...options });
  return {
    lines,
    of: (event) => lines.find((line) => line.event === event),
    async decide(path, headers = {}, init = {}) {
      const verdict = await decide(new Request(SITE + path, { headers: { accept: "application/json", ...headers }, ...init }));
      return verdict.kind === "forward" ? 200 : verdict.response.status;
    },
  };
}

const said = [];
/** Plays one mistake: the line that names it has these members, and no secret of anybody. */
function mistake(name, play) {
  test(name, async () => {
    const { line, cookies = "" } = await play();
    assert.ok(line, "there is no such line");
    const text = JSON.stringify(line);
    for (const secret of [SECRET, OTHER_SECRET, "ada@example.com", ...cookies.split(/[=;. ]/)].filter((part) => part.length >= 16 && !part.startsWith("__"))) {
      assert.ok(!text.includes(secret) && !text.includes(encodeURIComponent(secret)) && !text.includes(btoa(secret)), text);
    }
    said.push(`${said.length + 1}. ${name}\n   ${text}`);
  });
}

test.after(() => console.log(`${said.length} of 12 mistakes\n${said.join("\n")}`));

mistake("the gate has another secret", async () => {
  const auth = service({ secret: OTHER_SECRET });
  const cookies = await auth.cookies();
  const { decide, of } = gate({ fetch: auth.fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 401);
  const line = of("refusal");
  assert.equal(line.reason, "signature_invalid");
  assert.deepEqual([line.secret.variable, line.secret.length, line.secret.fingerprint.length], ["BETTER_AUTH_SECRET", "32–64", 6]);
  assert.match(line.hint, /signs with another secret/);
  assert.equal(of("start").secrets[0].fingerprint, line.secret.fingerprint);
  return { line, cookies };
});

mistake("the gate has no secret", async () => {
  const { decide, of } = gate({ env: { BETTER_AUTH_SECRET: undefined } });
  assert.equal(await decide("/app"), 503);
  const line = of("config_error");
  assert.equal(line.path, "issuers[0].secret");
  assert.match(line.hint, /BETTER_AUTH_SECRET/);
  assert.equal(of("refusal").reason, "not_started");
  return { line };
});

mistake("the gate's secret has quotation marks around it", async () => {
  const auth = service();
  const cookies = await auth.cookies();
  const { decide, of } = gate({ env: { BETTER_AUTH_SECRET: `"${SECRET}"` }, fetch: auth.fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 401);
  assert.match(of("config_warning").problem, /quotation marks .*BETTER_AUTH_SECRET/);
  const line = of("refusal");
  assert.equal(line.secret.service_has, "without-quotes");
  return { line, cookies };
});

mistake("http in the gate, https in the auth service", async () => {
  const auth = service();
  const cookies = await auth.cookies();
  const { decide, of } = gate({ env: { BETTER_AUTH_URL: "http://localhost:3000" }, fetch: auth.fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 401);
  const line = of("refusal");
  assert.deepEqual([line.reason, line.cookies.near[0].problem], ["no_credential", "secure-prefix"]);
  assert.match(line.hint, /https or http/);
  return { line, cookies };
});

mistake("another base path", async () => {
  const auth = service({ basePath: "/auth" });
  const cookies = await auth.cookies();
  const { decide, of } = gate({ fetch: auth.fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 503);
  const line = of("refusal");
  assert.deepEqual([line.reason, line.lookup.url, line.lookup.status], ["session_unavailable", `${SITE}/api/auth/get-session`, 404]);
  assert.match(line.hint, /base_path/);
  return { line, cookies };
});

mistake("another cookie prefix", async () => {
  const auth = service({ advanced: { cookiePrefix: "acme" } });
  const cookies = await auth.cookies();
  const { decide, of } = gate({ fetch: auth.fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 401);
  const line = of("refusal");
  assert.deepEqual(line.cookies, { expected: ["__Secure-better-auth.session_token"], near: [{ name: "__Secure-acme.session_token", problem: "prefix" }] });
  assert.match(line.hint, /cookie_prefix/);
  return { line, cookies };
});

mistake("a cookie with a name of its own", async () => {
  const auth = service({ advanced: { cookies: { session_token: { name: "sid" } } } });
  const cookies = await auth.cookies();
  const { decide, of } = gate({ fetch: auth.fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 401);
  const line = of("refusal");
  assert.equal(line.cookies.near[0].problem, "name");
  assert.match(line.hint, /session_token_cookie/);
  return { line, cookies };
});

mistake("the auth service of another environment, with the same secret", async () => {
  const cookies = await service().cookies();
  const { decide, of } = gate({ fetch: service().fetch });
  assert.equal(await decide("/app", { cookie: cookies }), 401);
  const line = of("refusal");
  assert.deepEqual([line.reason, line.asked_url], ["session_ended", `${SITE}/api/auth/get-session?disableCookieCache=true`]);
  return { line, cookies };
});

mistake("a matcher that leaves the path out", async () => {
  // The gate never sees such a request: who asks for the session hears of it.
  const error = await session(new Request(`${SITE}/app`)).catch((error) => error);
  assert.match(error.message, /the gate did not run for this request: include its path in the matcher/);
  return { line: { message: error.message } };
});

mistake("a proxy in front, and no public origin", async () => {
  const auth = service();
  const cookies = await auth.cookies();
  const { decide, of } = gate({ fetch: auth.fetch, publicOrigin: "http://127.0.0.1:3000" });
  assert.equal(await decide("/app", { cookie: cookies, origin: "https://www.example.com" }, { method: "POST" }), 403);
  const line = of("refusal");
  assert.deepEqual([line.reason, line.origin, line.public_origin], ["cross_site_request", "https://www.example.com", "http://127.0.0.1:3000"]);
  assert.match(line.hint, /publicOrigin/);
  return { line, cookies };
});

mistake("an auth service that cannot be reached", async () => {
  const cookies = await service().cookies();
  // A port that nothing listens on.
  const { decide, of } = gate({ issuer: { fetch_url: "http://127.0.0.1:59998" } });
  assert.equal(await decide("/app", { cookie: cookies }), 503);
  const line = of("refusal");
  assert.deepEqual([line.reason, line.lookup], ["session_unavailable", { network_error: "ECONNREFUSED", url: "http://127.0.0.1:59998/api/auth/get-session" }]);
  return { line, cookies };
});

mistake("the sign-in page is protected", async () => {
  const { decide, of } = gate({ document: { sign_in: { path: "/login" } } });
  assert.equal(await decide("/login"), 401);
  assert.deepEqual([of("config_warning").path, of("config_warning").hint], ["sign_in.path", 'make it public: "public": ["/login"]']);
  const line = of("refusal");
  assert.match(line.hint, /sign-in page .* make it public/);
  return { line };
});
