import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { notStartedResponse } from "../not-started.js";

import { createGate } from "doorward";
import { NOW, NO_ORIGINS, SITE, WRITTEN, config, deferred, newIssuer, openConfig, request } from "./support.js";

const quiet = { env: {}, log: () => {} };

test("a request that may go on has the headers that the origin must see, and no others", async () => {
  const gate = createGate({ ...quiet, config: openConfig });
  const headers = { "X-Doorward-Subject": "mallory", "x-doorward-anything": "1", accept: "text/html", "x-a": "ü" };
  const verdict = await gate.decide(request("/a%20b?c=%2F", headers));
  assert.equal(verdict.kind, "forward");
  assert.equal(verdict.target, "/a%20b?c=%2F");
  assert.deepEqual([...verdict.headers], [["accept", "text/html"], ["x-a", "ü"]]);
  assert.deepEqual(verdict.removed.map((name) => name.toLowerCase()).sort(), ["x-doorward-anything", "x-doorward-subject"]);
  assert.deepEqual(verdict.set, []);
  assert.deepEqual(verdict.responseHeaders, []);
});

test("a verified session is told to the origin, and keys are fetched once", async () => {
  const { keySet, token } = await newIssuer();
  const urls = [];
  const fetch = async (url) => (urls.push(url), new Response(keySet));
  const gate = createGate({ ...quiet, config, fetch, now: () => NOW });
  for (let i = 0; i < 3; i++) {
    const verdict = await gate.decide(request("/api", { authorization: `Bearer ${token}`, "x-doorward-subject": "mallory" }));
    assert.equal(verdict.kind, "forward");
    assert.equal(verdict.headers.get("x-doorward-subject"), "user-1");
    assert.equal(Object.fromEntries(verdict.set)["x-doorward-subject"], "user-1");
  }
  assert.deepEqual(urls, ["https://auth.test/api/auth/jwks"]);
});

test("a log that fails decides nothing", async () => {
  const lines = [];
  const log = (line) => {
    lines.push(line);
    throw new Error("the log is full");
  };
  const gate = createGate({ ...quiet, config, log });
  const refused = await gate.decide(request("/api"));
  assert.equal(refused.response.status, 401);
  assert.equal(refused.reason, "no_credential");
  assert.deepEqual(lines.slice(1), [refused.log]);
  assert.equal(JSON.parse(lines[0]).event, "start");
  const wrong = createGate({ ...quiet, config: { nonsense: 1 }, log });
  assert.equal((await wrong.decide(request("/api"))).reason, "not_started");
  assert.match(lines[2], /nonsense/);
});

test("a page without a session is sent to the sign-in page, anything else is refused", async () => {
  const lines = [];
  const gate = createGate({ ...quiet, config, log: (line) => line.includes('"event":"refusal"') && lines.push(line) });
  const page = await gate.decide(request("/app?x=1", { accept: "text/html" }));
  assert.equal(page.kind, "answer");
  assert.equal(page.reason, "no_credential");
  assert.equal(page.response.status, 307);
  assert.equal(page.response.headers.get("location"), "/sign-in?callbackURL=%2Fapp%3Fx%3D1");
  const api = await gate.decide(request("/app"));
  assert.equal(api.response.status, 401);
  assert.equal(api.response.headers.get("content-type"), "application/problem+json");
  assert.equal((await api.response.json()).reason, "no_credential");
  assert.deepEqual(lines, [page.log, api.log]);
});

test("the public origin and the client's address are what the host vouches for", async () => {
  const asked = [];
  const fetch = async (url, { headers }) => (asked.push(Object.fromEntries(headers)), new Response("null"));
  const session = (letter) => ({
    cookie: `__Secure-better-auth.session_token=${letter.repeat(32)}.${"A".repeat(43)}%3D`,
    "x-forwarded-for": "198.51.100.66",
  });
  const options = { publicOrigin: "https://one.test", clientAddress: () => "192.0.2.1" };
  const gate = createGate({ ...quiet, config, fetch, now: () => NOW, ...options });
  await gate.decide(request("/app", session("a")));
  await gate.decide(request("/app", session("b")), { publicOrigin: "https://two.test", clientAddress: "192.0.2.2" });
  await createGate({ ...quiet, config, fetch, now: () => NOW }).decide(request("/app", session("c")));
  const vouched = asked.map((headers) => [headers["x-forwarded-host"], headers["x-forwarded-for"]]);
  assert.deepEqual(vouched, [["one.test", "192.0.2.1"], ["two.test", "192.0.2.2"], ["app.test", undefined]]);
});

test("a public origin is written as browsers write it, and nothing else is one", async () => {
  const asked = [];
  const fetch = async (url, { headers }) => (asked.push(Object.fromEntries(headers)["x-forwarded-host"]), new Response("null"));
  const cookie = `__Secure-better-auth.session_token=${"a".repeat(32)}.${"A".repeat(43)}%3D`;
  for (const [written, origin] of WRITTEN) {
    for (const publicOrigin of [written, () => written]) {
      const gate = createGate({ ...quiet, config: openConfig, fetch, publicOrigin });
      const sameOrigin = { method: "POST", headers: { cookie, origin, "sec-fetch-site": "same-site" } };
      assert.equal((await gate.decide(new Request("https://10.0.0.7/api", sameOrigin))).kind, "forward", written);
      assert.equal((await createGate({ ...quiet, config, fetch, publicOrigin }).decide(request("/app", { cookie }))).reason, "session_ended");
      assert.equal(asked.pop(), new URL(origin).host);
    }
  }
  for (const publicOrigin of NO_ORIGINS) {
    const problem = { name: "TypeError", message: /^doorward: `publicOrigin` must be .*; give it like https:\/\/app\.example$/ };
    assert.throws(() => createGate({ ...quiet, publicOrigin }), problem, publicOrigin);
    const gate = createGate({ ...quiet, config: openConfig, publicOrigin: () => publicOrigin });
    assert.equal((await gate.decide(request("/"))).reason, "not_started", publicOrigin);
  }
  const usual = createGate({ ...quiet, config: openConfig, publicOrigin: () => undefined });
  assert.equal((await usual.decide(request("/"))).kind, "forward");
});

test("keys are refreshed after the response, for `waitUntil` to wait for", async () => {
  const { keySet, token } = await newIssuer();
  let fetches = 0;
  let now = NOW;
  const fetch = async () => (fetches++, new Response(keySet));
  const gate = createGate({ ...quiet, config, fetch, now: () => now });
  const bearer = () => request("/api", { authorization: `Bearer ${token}` });
  const waiting = [];
  const context = { waitUntil: (work) => waiting.push(work) };
  await gate.decide(bearer(), context);
  assert.equal(waiting.length, 0);
  for (let hour = 0; hour < 24 && waiting.length === 0; hour++) {
    now += 400_000;
    assert.equal((await gate.decide(bearer(), context)).kind, "forward");
  }
  assert.equal(waiting.length, 1);
  await waiting[0];
  assert.equal(fetches, 2);
  assert.equal((await gate.decide(bearer(), context)).kind, "forward");
  assert.deepEqual([waiting.length, fetches], [1, 2]);
});

test("what fails after the response is nobody's problem", async () => {
  const { keySet, token } = await newIssuer();
  let failed = 0;
  let now = NOW;
  const perform = async (effect, usual) => {
    if (!effect.background) return usual(effect);
    failed++;
    throw new Error("no");
  };
  const gate = createGate({ ...quiet, config, perform, fetch: async () => new Response(keySet), now: () => now });
  const bearer = () => request("/api", { authorization: `Bearer ${token}` });
  const complaining = { waitUntil: () => { throw new Error("too late"); } };
  for (let i = 0; i < 24 && failed === 0; i++) {
    assert.equal((await gate.decide(bearer(), complaining)).kind, "forward");
    now += 400_000;
  }
  assert.equal(failed, 1);
  assert.equal((await gate.decide(bearer())).kind, "forward");
});

test("`handle` passes a request on under the target that was judged, with its body, and follows no redirect", async () => {
  const gate = createGate({ ...quiet, config: openConfig });
  const posted = request("/a?b", { "x-doorward-subject": "mallory" }, { method: "POST", body: "hello" });
  const response = await gate.handle(posted, async (onward) => {
    assert.equal(onward.url, `${SITE}/a?b`);
    assert.equal(onward.method, "POST");
    assert.equal(onward.redirect, "manual");
    assert.equal(onward.headers.get("x-doorward-subject"), null);
    return new Response((await onward.text()).toUpperCase(), { status: 201, headers: { "x-origin": "1" } });
  });
  assert.deepEqual([response.status, response.headers.get("x-origin"), await response.text()], [201, "1", "HELLO"]);
});

test("`handle` puts the gate's headers in place of the origin's and keeps each Set-Cookie", async () => {
  const gate = createGate({ ...quiet, config: { ...openConfig, debug_header: true } });
  const origin = new Response("x", { headers: [["set-cookie", "a=1"], ["doorward-decision", "made up"], ["set-cookie", "b=2"]] });
  const response = await gate.handle(request("/"), () => origin);
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.match(response.headers.get("doorward-decision"), /^forward/);
});

test("`handle` does not reach the origin with a request that is refused, and lets the origin's own exception through", async () => {
  const gate = createGate({ ...quiet, config });
  const refused = await gate.handle(request("/app"), () => assert.fail("reached"));
  assert.equal(refused.status, 401);
  await assert.rejects(gate.handle(request("/sign-in"), () => Promise.reject(new Error("origin"))), /origin/);
});

/** Cookies of a session whose cache has ten seconds left, and what the auth service says about it. */
function nearlyOver() {
  const secret = "a-secret-of-the-tests-with-32-characters";
  const mac = (text, form) => createHmac("sha256", secret).update(text).digest(form);
  const members = (updatedAt) => ({
    session: { id: "s", token: "t".repeat(32), userId: "ada", expiresAt: new Date(NOW + 86_400_000).toISOString() },
    user: { id: "ada", email: "ada@example.com" },
    updatedAt,
  });
  const session = JSON.stringify(members(NOW - 290_000));
  const expiresAt = NOW + 10_000;
  const signature = mac(`${session.slice(0, -1)},"expiresAt":${expiresAt}}`, "base64url");
  const data = Buffer.from(`{"session":${session},"expiresAt":${expiresAt},"signature":"${signature}"}`).toString("base64url");
  const token = encodeURIComponent(`${"t".repeat(32)}.${mac("t".repeat(32), "base64")}`);
  const name = "__Secure-better-auth.session_";
  const line = `${name}data=new; Path=/; HttpOnly`;
  const [issuer] = config.issuers;
  return {
    options: { config: { ...config, issuers: [{ ...issuer, secret: { env: "S" } }] }, env: { S: secret }, log: () => {}, now: () => NOW },
    headers: { cookie: `${name}token=${token}; ${name}data=${data}` },
    line,
    answer: () => new Response(JSON.stringify(members(NOW)), { headers: [["set-cookie", line]] }),
  };
}

test("`handle`: where nobody is there, the answer is the gate's; the application's own failures stay its own", async () => {
  const lines = [];
  const log = (line) => line.includes('"event":"refusal"') && lines.push(JSON.parse(line));
  const nobody = Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } });
  const late = Object.assign(new Error("late"), { name: "TimeoutError" });
  const config = { issuers: [{ type: "better-auth", url: "https://auth.test" }], rules: [{ path: "/up", access: "public", upstream: "https://api.test" }, { path: "/**", access: "public" }] };
  const fails = (error) => () => Promise.reject(error);
  for (const [error, status, reason] of [[nobody, 502, "origin_unreachable"], [late, 504, "origin_timed_out"]]) {
    const gate = createGate({ config, env: {}, log, fetch: fails(error) });
    for (const [path, next] of [["/up", () => assert.fail("not there")], ["/", fails(error)]]) {
      const response = await gate.handle(new Request(`https://app.test${path}`), next);
      assert.deepEqual([response.status, (await response.json()).reason, response.headers.get("retry-after")], [status, reason, "5"]);
      assert.equal(response.headers.get("cache-control"), "private, no-store");
    }
    const page = await gate.handle(new Request("https://app.test/", { headers: { accept: "text/html" } }), fails(error));
    assert.deepEqual([page.status, page.headers.get("content-type")], [status, "text/html; charset=utf-8"]);
  }
  assert.deepEqual(lines.map(({ reason }) => reason), [...Array(3).fill("origin_unreachable"), ...Array(3).fill("origin_timed_out")]);
  const gate = createGate({ config, env: {}, log, fetch: fails(new Error("odd")) });
  assert.equal((await gate.handle(new Request("https://app.test/up"), () => {})).status, 502);
  for (const own of [new Error("a bug"), new TypeError("x is not a function"), { redirect: "/" }]) {
    await assert.rejects(gate.handle(new Request("https://app.test/"), fails(own)), (thrown) => thrown === own);
  }
});

test("`handle`: an upstream's response loses what concerns its connection, and the request what the client says of itself", async () => {
  const config = { issuers: [{ type: "better-auth", url: "https://auth.test" }], rules: [{ path: "/**", access: "public", upstream: "https://api.test" }] };
  let sent;
  const fetch = async (request) => ((sent = request), new Response("ok", { headers: { "keep-alive": "timeout=5", "proxy-authenticate": "Basic", "x-kept": "1" } }));
  const gate = createGate({ config, env: {}, fetch, clientAddress: "192.0.2.1" });
  const headers = { forwarded: "for=6.6.6.6", "x-forwarded-for": "6.6.6.6", "x-real-ip": "6.6.6.6", "proxy-authorization": "Basic x", te: "trailers", "x-kept": "1" };
  const response = await gate.handle(new Request("https://app.test/a", { headers }), () => assert.fail("not there"));
  assert.deepEqual([...response.headers.keys()], ["content-type", "x-kept"]);
  const names = [...sent.headers.keys()].filter((name) => name !== "accept-encoding");
  assert.deepEqual(names, ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-kept"]);
  assert.deepEqual([sent.headers.get("x-forwarded-for"), sent.headers.get("x-forwarded-host")], ["192.0.2.1", "app.test"]);
});

test("without a gate every door gives the same answer", async () => {
  const wrong = createGate({ config: "{", env: {}, log: () => {} });
  const answers = [];
  for (const headers of [{}, { accept: "text/html" }, { "next-action": "7f" }]) {
    const request = new Request("https://app.test/", { method: "POST", headers });
    const { response, reason } = await wrong.decide(request);
    const handled = await wrong.handle(request, () => assert.fail("not there"));
    const head = await wrong.decideHead({ method: "POST", target: "/", publicOrigin: "https://app.test", headers: Object.entries(headers) });
    const core = notStartedResponse(request);
    const seen = await Promise.all([response, handled, new Response(head.body, head), core].map(async (one) => [one.status, [...one.headers], await one.text()]));
    for (const one of seen) assert.deepEqual(one, seen[0]);
    assert.equal(reason, "not_started");
    assert.equal(core.headers.get("retry-after"), "5");
    assert.ok(core.headers.get("vary").includes("Accept"));
    answers.push(core.headers.get("content-type"));
  }
  assert.deepEqual(answers, ["application/problem+json", "text/html; charset=utf-8", "text/plain"]);
});

test("`handle` has the cookies renewed while the origin works, and the origin's own go before", async () => {
  for (const [cookie, expected] of [[undefined, 1], ["theme=dark", 2], ["__Secure-better-auth.session_token=; Max-Age=0; Path=/", 1]]) {
    const { options, headers, line, answer } = nearlyOver();
    const asked = deferred();
    const origin = deferred();
    const gate = createGate({ ...options, fetch: async () => (asked.resolve(), await origin.promise, answer()) });
    const response = await gate.handle(request("/app", headers), async (onward) => {
      assert.equal(onward.headers.get("x-doorward-subject"), "ada");
      await asked.promise;
      origin.resolve();
      return new Response("page", { headers: cookie ? [["set-cookie", cookie]] : [] });
    });
    const lines = response.headers.getSetCookie();
    assert.equal(lines.length, expected);
    assert.equal(lines.includes(line), cookie !== "__Secure-better-auth.session_token=; Max-Age=0; Path=/");
    assert.equal(await response.text(), "page");
  }
});

test("a host that does not see the response gets renewed cookies with the verdict, or none if that fails", async () => {
  const { options, headers, line, answer } = nearlyOver();
  const verdict = await createGate({ ...options, fetch: async () => answer() }).decide(request("/app", headers));
  assert.deepEqual(verdict.responseHeaders[0], ["cache-control", "private, no-store"]);
  assert.deepEqual(verdict.responseHeaders.filter(([name]) => !name.endsWith("-control")), [["set-cookie", line]]);
  assert.equal(verdict.finish, undefined);
  const failing = createGate({ ...options, fetch: () => Promise.reject(new Error("away")) });
  const without = await failing.decide(request("/app", headers));
  assert.deepEqual([without.kind, without.responseHeaders], ["forward", []]);
});

/** What a framework does that goes on with the request that it has, whatever `next` is given. */
const ignoring = (request, see = () => {}) => () => (see(request), new Response(request.headers.get("x-doorward-subject") ?? "nobody"));

/** A request as workerd or Deno gives it: nobody edits its headers. `refuse` is what an edit does. */
function unchangeable(asked, refuse = () => { throw new TypeError("immutable"); }) {
  for (const name of ["set", "delete", "append"]) Object.defineProperty(asked.headers, name, { value: refuse });
  return asked;
}

test("`handle`: where `next` ignores its argument, the framework's own request says who it is, and nothing forged", async () => {
  const { keySet, token } = await newIssuer();
  const fetch = async () => new Response(keySet);
  const forged = { "x-doorward-subject": "mallory", "x-doorward-email": "m@evil.test", "x_doorward_role": "admin", "x-original-url": "/admin", "x-middleware-subrequest": "x" };
  const open = createGate({ ...quiet, config: openConfig });
  const asked = request("/", forged);
  assert.equal(await (await open.handle(asked, ignoring(asked))).text(), "nobody");
  assert.deepEqual([...asked.headers], []);
  const gate = createGate({ ...quiet, config, fetch, now: () => NOW });
  const signedIn = request("/api", { ...forged, authorization: `Bearer ${token}` });
  assert.equal(await (await gate.handle(signedIn, ignoring(signedIn))).text(), "user-1");
  assert.equal(signedIn.headers.get("x-doorward-email"), null);
  const removing = { ...config, rules: [{ path: "/**", access: "required", credential: "remove" }] };
  const without = request("/api", { authorization: `Bearer ${token}` });
  await createGate({ ...quiet, config: removing, fetch, now: () => NOW }).handle(without, ignoring(without));
  assert.equal(without.headers.get("authorization"), null);
});

test("`handle`: where nobody can edit the framework's request, one with a forged identity is refused", async () => {
  const lines = [];
  const forged = (name = "x-doorward-subject") => request("/", { [name]: "mallory", "x-forwarded-prefix": "/a" });
  for (const [prefix, name] of [["x-doorward-", "X_Doorward_Subject"], ["x-doorward-", "x.doorward.anything"], ["x-acme-", "x-acme-user"]]) {
    for (const refuse of [undefined, () => {}]) {
      const gate = createGate({ env: {}, config: { ...openConfig, header_prefix: prefix }, log: (line) => lines.push(line) });
      const asked = unchangeable(forged(name), refuse);
      const response = await gate.handle(asked, () => assert.fail("it went on"));
      assert.deepEqual([response.status, (await response.json()).reason], [400, "head_malformed"], name);
      assert.equal(response.headers.get("cache-control"), "private, no-store");
      assert.equal(JSON.parse(lines.pop()).reason, "head_malformed");
      assert.ok(!lines.join().includes("mallory"));
      // Who says that `next` answers its argument is believed: that has nothing forged in it.
      const taken = unchangeable(forged(name), refuse);
      const passed = await gate.handle(taken, (onward) => new Response([...onward.headers.keys()].join()), { usesArgument: true });
      assert.equal(await passed.text(), "");
    }
  }
  const gate = createGate({ ...quiet, config: openConfig });
  for (const headers of [{}, { "x-forwarded-prefix": "/a", cookie: "a=b" }]) {
    assert.equal((await gate.handle(unchangeable(request("/", headers)), () => new Response("page"))).status, 200);
  }
});

test("who is asking is a value of the verdict, in the types of the claims, and nothing for nobody", async () => {
  const { keySet, token } = await newIssuer({ email: "ada@example.com", roles: ["a", "b"], seats: 3 });
  const mapped = { ...config, claim_headers: { roles: "roles", seats: "seats" } };
  const gate = createGate({ ...quiet, config: mapped, fetch: async () => new Response(keySet), now: () => NOW });
  const expected = {
    subject: "user-1", sessionId: undefined, email: "ada@example.com", issuer: "better-auth", source: "jwt",
    expires: NOW / 1000 + 86_400, claims: { roles: ["a", "b"], seats: 3 },
  };
  for (let i = 0; i < 2; i++) {
    const verdict = await gate.decide(request("/api", { authorization: `Bearer ${token}`, "x-doorward-subject": "mallory" }));
    assert.deepEqual(verdict.identity, expected);
    assert.equal(verdict.identity, verdict.identity);
  }
  assert.equal((await gate.decide(request("/sign-in", { "x-doorward-subject": "mallory" }))).identity, undefined);
  assert.equal((await gate.decide(request("/sign-in", { authorization: `Bearer ${token}` }))).identity, undefined, "a public rule asks nobody");
  const told = { ...mapped, rules: [{ path: "/**", access: "required", identity_headers: ["subject"] }] };
  const less = createGate({ ...quiet, config: told, fetch: async () => new Response(keySet), now: () => NOW });
  const { identity } = await less.decide(request("/api", { authorization: `Bearer ${token}` }));
  assert.deepEqual([identity.subject, identity.email, identity.claims], ["user-1", undefined, {}]);
});

test("an option that is not of its type is refused at once", () => {
  const others = [null, 5, true, "text", []];
  const wrong = {
    config: [null, 5, true, [], () => {}],
    env: [null, 5, true, "text", []],
    fetch: others,
    stores: [null, 5, "text", [], { A: 5 }, { A: new Map() }],
    cache: others,
    now: [...others, NOW, new Date(NOW), NaN],
    publicOrigin: [5, true, [], {}, [SITE]],
    clientAddress: [5, true, [], {}],
    log: [...others, {}],
    waitUntil: others,
    perform: others,
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const problem = { name: "TypeError", message: new RegExp(`^doorward: \`${name}\` must be `) };
      assert.throws(() => createGate({ ...quiet, [name]: value }), problem, `${name} ${String(value)}`);
    }
  }
  for (const options of [null, 5, "text", []]) assert.throws(() => createGate(options), TypeError);
  createGate();
  createGate({ config: undefined, now: undefined, publicOrigin: null, clientAddress: null, stores: {}, env: Object.create(null) });
});

test("a clock that gives no moment of these years lets nobody in, whatever has ended", async () => {
  const { keySet, token } = await newIssuer({ exp: NOW / 1000 + 60, iat: undefined });
  const ask = async (moment) => {
    const gate = createGate({ ...quiet, config, fetch: async () => new Response(keySet), now: () => moment });
    const { kind, reason } = await gate.decide(request("/api", { authorization: `Bearer ${token}` }));
    return kind === "forward" ? kind : reason;
  };
  assert.equal(await ask(NOW), "forward");
  assert.equal(await ask(NOW + 86_400_000), "token_expired");
  for (const moment of [NaN, Infinity, -1, 0, undefined, null, true, NOW / 1000, String(NOW), [NOW], new Date(NOW), 1e300]) {
    assert.equal(await ask(moment), "not_started", String(moment));
  }
});

test("what comes with a request is held to its type as well", async () => {
  const gate = createGate({ ...quiet, config: openConfig });
  for (const context of [null, 5, { seesResponse: "false" }, { waitUntil: 5 }, { clientAddress: 5 }, { publicOrigin: {} }]) {
    assert.equal((await gate.decide(request("/"), context)).reason, "not_started", JSON.stringify(context));
  }
  const odd = createGate({ ...quiet, config: openConfig, clientAddress: () => 5 });
  assert.equal((await odd.decide(request("/"))).reason, "not_started");
  for (const head of [{ method: ["GET"] }, { target: undefined }, { publicOrigin: 5 }, { clientAddress: ["192.0.2.1"] }, { headers: [["a", 5]] }]) {
    const decision = await gate.decideHead({ method: "GET", target: "/", publicOrigin: SITE, headers: [], ...head });
    assert.equal(decision.reason, "not_started", JSON.stringify(head));
  }
});

test("what a host gets wrong is a 503, never a pass", async () => {
  const broken = createGate({ ...quiet, config: openConfig, publicOrigin: () => { throw new Error("no"); } });
  assert.equal((await broken.decide(request("/"))).response.status, 503);
  const clockless = createGate({ ...quiet, config: openConfig, now: () => { throw new Error("no"); } });
  assert.equal((await clockless.decide(request("/"))).response.status, 503);
});

test("the answer to HEAD has no body", async () => {
  const broken = createGate({ ...quiet, config: "{" });
  const { response } = await broken.decide(request("/", {}, { method: "HEAD" }));
  assert.deepEqual([response.status, response.body], [503, null]);
});

test("handle: a request under a rule with an upstream goes there, body and all, and nowhere else", async () => {
  const sent = [];
  const fetch = async (onward) => {
    sent.push({ url: onward.url, method: onward.method, headers: Object.fromEntries(onward.headers), body: await onward.text() });
    return new Response("from the API", { status: 201, headers: { "x-a": "1" } });
  };
  const rules = [{ path: "/**", access: "public", upstream: "https://api.test" }];
  const gate = createGate({ ...quiet, config: { ...config, rules }, fetch });
  const cookie = "__Secure-better-auth.session_token=x.y; theme=dark";
  const asked = new Request(`${SITE}/notes?x=%2F`, { method: "POST", headers: { cookie, "accept-encoding": "br" }, body: "a note" });
  const response = await gate.handle(asked, () => assert.fail("it went on"));
  assert.deepEqual([response.status, response.headers.get("x-a"), await response.text()], [201, "1", "from the API"]);
  const { headers, ...rest } = sent[0];
  assert.deepEqual(rest, { url: "https://api.test/notes?x=%2F", method: "POST", body: "a note" });
  assert.deepEqual([headers.cookie, headers["accept-encoding"]], ["theme=dark", "identity"]);
});
