// The configuration among the options: it means what the same document means, a misspelt name never passes for none, and whoever develops
// sees in the browser what is wrong.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";

import { createGate } from "doorward";
import { gate } from "doorward/next";
import { middleware } from "doorward/node";
import { startAuthService } from "../../tests/fakes/auth-service.mjs";
import { compact, newSession, signed } from "../../tests/fakes/better-auth.mjs";
import { serve } from "./support.js";

const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const env = { BETTER_AUTH_URL: "http://127.0.0.1:1", BETTER_AUTH_SECRET: secret };
let auth;
before(async () => {
  auth = await startAuthService({ secret });
  env.BETTER_AUTH_URL = auth.url;
});
after(() => auth.stop());

const short = { signIn: "/login", public: ["/", "/pricing", "/blog/**"], require: { "/admin/**": { roles: "admin" } } };
const long = { config: { extends: "better-auth", sign_in: { path: "/login" }, public: short.public, require: short.require } };

/** The cookies of somebody with this role. */
function cookiesOf(role) {
  const { pair, token } = newSession({ secret });
  pair.user.role = role;
  // What a session does not have is asked about before it is refused.
  auth.remember(token, pair);
  const data = compact(secret, pair, { expiresAt: Date.now() + 300_000 });
  return `better-auth.session_token=${signed(secret, token)}; better-auth.session_data=${data}`;
}

const CASES = [
  ["/", undefined, 200],
  ["/pricing", undefined, 200],
  ["/blog/a/b", undefined, 200],
  ["/login", undefined, 200],
  ["/dashboard", undefined, "/login?callbackURL=%2Fdashboard", "no_credential"],
  ["/dashboard", "user", 200],
  ["/admin", undefined, "/login?callbackURL=%2Fadmin", "no_credential"],
  ["/admin/users", "user", 403, "forbidden"],
  ["/admin/users", "admin", 200],
];

for (const [name, options] of [["the short form", short], ["the document that it stands for", long]]) {
  test(`${name} decides as it reads`, async () => {
    const made = createGate({ ...options, env, log() {} });
    for (const [path, role, expected, reason] of CASES) {
      const headers = { accept: "text/html", "sec-fetch-mode": "navigate", ...(role && { cookie: cookiesOf(role) }) };
      const verdict = await made.decide(new Request(`https://app.test${path}`, { headers }));
      const outcome = verdict.kind === "forward" ? 200 : (verdict.response.headers.get("location") ?? verdict.response.status);
      assert.deepEqual([outcome, verdict.kind === "forward" ? undefined : verdict.reason], [expected, reason], `${path} ${role}`);
    }
    console.log(`${CASES.length} cases`);
  });
}

const WRONG = [
  [{ pubic: ["/"] }, "pubic", /did you mean "public"/],
  [{ sigIn: "/login" }, "sigIn", /did you mean "signIn"/],
  [{ signIn: "//evil.example" }, "signIn", /like \/sign-in/],
  [{ signIn: { paht: "/login" } }, "signIn.paht", /did you mean "path"/],
  [{ require: { "/admin/**": { role: "admin" } } }, 'require["/admin/**"].role', /did you mean "roles"/],
  [{ onRequest() {} }, "onRequest", /known here: signIn, public, require, framework, config, .*\bclientAddress\b/],
  [{ config: { extends: "better-auth" }, public: ["/"] }, "config", /all of it/],
];

for (const [options, path, hint] of WRONG) {
  test(`${JSON.stringify(Object.keys(options))} is refused at ${path}`, async () => {
    const lines = [];
    const made = createGate({ ...options, env, log: (line) => lines.push(JSON.parse(line)) });
    const { response, reason } = await made.decide(new Request("https://app.test/pricing"));
    assert.deepEqual([response.status, reason], [503, "not_started"]);
    const errors = lines.filter(({ event }) => event === "config_error");
    assert.ok(errors.some((line) => line.path === path && hint.test(line.hint)), JSON.stringify(errors));
  });
}

test("in Next the framework is known where no configuration is given, and one that is given counts", async () => {
  const flight = (options) => gate({ ...options, env, log() {} })(new Request("https://app.test/pricing", { headers: { accept: "text/html" } }));
  assert.equal((await flight({ public: ["/pricing"] })).headers.get("x-middleware-next"), "1");
  const lines = [];
  await gate({ public: ["/"], env, log: (line) => lines.push(JSON.parse(line)) })(new Request("https://app.test/"));
  assert.equal(lines.find(({ event }) => event === "start").configuration, "options");
});

const escaping = { public: ["/<script>"] , signIn: "<b>" };
const SEEN = [
  ["on this machine in development", "development", {}, true],
  ["in production", "production", {}, false],
  ["without NODE_ENV", undefined, {}, false],
  ["through a proxy", "development", { "x-forwarded-for": "203.0.113.9" }, false],
  ["by another name", "development", { host: "app.test" }, false],
];

for (const [name, mode, headers, isSeen] of SEEN) {
  test(`what is wrong is ${isSeen ? "shown" : "hidden"}: ${name}`, async (t) => {
    const options = { ...escaping, env: { ...env, NODE_ENV: mode }, log() {} };
    const guard = middleware(options);
    const { port } = await serve(t, (req, res) => guard(req, res, () => res.end("passed")));
    const ask = async (accept) => {
      const asked = http.get({ port, host: "127.0.0.1", path: "/", headers: { host: `localhost:${port}`, accept, ...headers } });
      const [res] = await new Promise((done) => asked.once("response", (...all) => done(all)));
      let body = "";
      for await (const chunk of res) body += chunk;
      return { status: res.statusCode, body };
    };
    const page = await ask("text/html");
    assert.equal(page.status, 503);
    assert.equal(page.body.includes("<code>signIn</code>"), isSeen, page.body);
    assert.ok(!page.body.includes("<b>"), "written as it came");
    const problem = JSON.parse((await ask("application/json")).body);
    assert.equal(problem.reason, "not_started");
    assert.equal(problem.errors?.some(({ path }) => path === "signIn") ?? false, isSeen);

    const asked = new Request(`http://localhost:${port}/`, { headers: { host: `localhost:${port}`, accept: "text/html", ...headers } });
    const routed = await (await gate(options)(asked)).text();
    assert.equal(routed.includes("<code>signIn</code>"), isSeen, "as routing middleware");
  });
}
