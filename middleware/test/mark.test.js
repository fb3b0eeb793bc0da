// The mark: what the gate writes and an application in another process reads. Its key is derived here by `node:crypto`, too.

import assert from "node:assert/strict";
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { test } from "node:test";

import { createGate } from "doorward";
import { NotGated, gate as nextGate, sessionReader } from "doorward/next";
import { createVerifier } from "doorward/origin";
import { markReader } from "../mark.js";
import { AUTH, NOW, SITE, config, newIssuer, openConfig, request } from "./support.js";

const SECRET = "a-secret-of-the-tests-with-32-characters";
const MARK = "x-doorward-mark";
const HOST = { marks: true };
const { keySet, token } = await newIssuer({ email: "ada@example.com", plan: "pro", roles: ["a", "ü"], seats: 3 });
const fetch = async () => new Response(keySet);
const withSecret = { ...config, issuers: [{ ...config.issuers[0], secret: { env: "BETTER_AUTH_SECRET" } }] };
const env = { BETTER_AUTH_SECRET: SECRET };
const bearer = (path = "/api", more = {}, init) => request(path, { host: "app.test", authorization: `Bearer ${token}`, ...more }, init);

/** The request as the application gets it, and the mark in it. */
async function onward(asked, options = {}) {
  const gate = createGate({ config: withSecret, env, log: () => {}, fetch, now: () => NOW, ...options }, HOST);
  const verdict = await gate.decide(asked);
  assert.equal(verdict.kind, "forward", verdict.reason);
  return new Request(SITE + verdict.target, { method: asked.method, headers: verdict.headers });
}

const readerOf = (options = {}) => sessionReader({ env, now: () => NOW, ...options });
const claimsOf = (mark) => JSON.parse(Buffer.from(mark.split(".")[1], "base64url"));
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const sha256 = (text) => createHash("sha256").update(text).digest("base64url");

/** A mark with these claims, as the gate would sign it. */
function minted(claims, { head = { alg: "HS256", typ: "doorward-mark+jwt" }, secret = SECRET, use = "doorward mark 1" } = {}) {
  const input = `${part(head)}.${part(claims)}`;
  const key = Buffer.from(hkdfSync("sha256", secret, "", use, 32));
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}

async function reasonOf(promise) {
  try {
    return await promise;
  } catch (problem) {
    assert.ok(problem instanceof NotGated, problem?.stack);
    assert.ok(problem.message.startsWith(`doorward: ${problem.reason}: `));
    assert.ok(!problem.message.includes(SECRET));
    return problem.reason;
  }
}

test("the application reads who is asking, with the claims in their types, from the request or its headers", async () => {
  const mapped = { ...withSecret, claim_headers: { plan: "plan", roles: "roles", seats: "seats" } };
  const got = await onward(bearer("/api?x=1"), { config: mapped });
  const expected = {
    subject: "user-1", sessionId: undefined, email: "ada@example.com", issuer: "better-auth", source: "jwt",
    expires: NOW / 1000 + 86_400, claims: { plan: "pro", roles: ["a", "ü"], seats: 3 },
  };
  assert.deepEqual(await readerOf()(got), expected);
  assert.deepEqual(await readerOf()(got.headers), expected);
});

test("the gate ran and nobody is there: null; it did not run: an exception, whatever the client says", async () => {
  const open = { ...openConfig, issuers: withSecret.issuers };
  const forged = { host: "app.test", "x-doorward-subject": "mallory", "X_Doorward_Mark": "x", [MARK]: minted({ iat: NOW / 1000, exp: NOW / 1000 + 30 }, { secret: "x" }) };
  const got = await onward(request("/", forged), { config: open });
  assert.equal(await readerOf()(got), null);
  assert.deepEqual([...got.headers.keys()].filter((name) => name !== MARK && /doorward/.test(name)), []);
  const past = request("/", { host: "app.test", "x-doorward-subject": "mallory", "x-doorward-email": "m@example.com" });
  assert.equal(await reasonOf(readerOf()(past)), "mark_missing");
  assert.equal(await reasonOf(readerOf()(request("/", forged))), "mark_signature");
});

test("a mark is a JWT of at most 30 seconds by a key of its own, bound to host, method, path and credential", async () => {
  const mark = (await onward(bearer("/a/b?x=1", { cookie: "theme=dark" }, { method: "DELETE" }))).headers.get(MARK);
  const [head, payload, signature] = mark.split(".");
  assert.deepEqual(JSON.parse(Buffer.from(head, "base64url")), { alg: "HS256", typ: "doorward-mark+jwt" });
  const { who, ...claims } = claimsOf(mark);
  assert.deepEqual(claims, {
    iat: NOW / 1000, exp: NOW / 1000 + 30, host: "app.test", via: "app.test", htm: "DELETE", path: sha256("/a/b"),
    crd: [["header", "authorization", sha256(`Bearer ${token}`)]],
  });
  assert.equal(who.sub, "user-1");
  const key = Buffer.from(hkdfSync("sha256", SECRET, "", "doorward mark 1", 32));
  assert.equal(createHmac("sha256", key).update(`${head}.${payload}`).digest("base64url"), signature);
});

test("a mark counts for the request that it was made for", async () => {
  const got = await onward(bearer("/a/b?x=1"));
  const mark = got.headers.get(MARK);
  const other = (path, changes, init) => {
    const headers = new Headers(got.headers);
    for (const [name, value] of Object.entries(changes)) value === undefined ? headers.delete(name) : headers.set(name, value);
    return request(path, headers, init);
  };
  const cases = [
    ["user-1", other("/a/b?x=2", {})],
    ["user-1", other("/a/b", { host: "APP.test" })],
    ["user-1", other("/a/b", { host: "10.0.0.7:3000", "x-forwarded-host": "app.test" })],
    ["mark_path", other("/a/c", {})],
    ["user-1", other("/a/c", {}).headers],
    ["mark_method", other("/a/b", {}, { method: "POST" })],
    ["mark_host", other("/a/b", { host: "preview.test" })],
    ["mark_host", other("/a/b", { host: undefined })],
    ["mark_credential", other("/a/b", { authorization: "Bearer x" })],
    ["mark_credential", other("/a/b", { authorization: undefined })],
    ["mark_missing", other("/a/b", { [MARK]: undefined })],
    ["mark_malformed", other("/a/b", { [MARK]: `${mark}, ${mark}` })],
    ["mark_malformed", other("/a/b", { [MARK]: "" })],
    ["mark_malformed", other("/a/b", { [MARK]: `${mark}.x` })],
    ["mark_malformed", other("/a/b", { [MARK]: `${mark}${"x".repeat(20_000)}` })],
    ["mark_malformed", other("/a/b", { [MARK]: mark.slice(0, -6) })],
    ["mark_signature", other("/a/b", { [MARK]: `${mark.slice(0, -6)}AAAAAA` })],
  ];
  for (const [expected, asked] of cases) {
    const found = await reasonOf(readerOf()(asked));
    assert.equal(found.subject ?? found, expected, `${asked.url} ${[...(asked.headers ?? asked).keys()]}`);
  }
  assert.equal(await reasonOf(readerOf({ host: "www.test" })(got)), "mark_host");
  assert.equal((await readerOf({ host: ["www.test", "App.test"] })(other("/a/b", { host: "internal" }))).subject, "user-1");
});

test("under a base path a mark counts for the path that Next's route handlers see, too", async () => {
  const based = { ...withSecret, framework: { name: "next", base_path: "/shop" } };
  for (const [asked, inner, others] of [["/shop/api/who", "/api/who", ["/who", "/shop/who", "/api", "/shop/shop/api/who"]], ["/shop", "/", ["/sho", "/shop/"]]]) {
    const got = await onward(bearer(asked), { config: based });
    const seen = async (path) => reasonOf(readerOf()(request(path, got.headers))).then((found) => found.subject ?? found);
    assert.deepEqual([await seen(asked), await seen(inner)], ["user-1", "user-1"], asked);
    for (const other of others) assert.equal(await seen(other), "mark_path", `${asked} is not ${other}`);
  }
  // Nothing is taken off that is no base path.
  assert.equal(claimsOf((await onward(bearer("/a"))).headers.get(MARK)).inner, undefined);
});

test("the session's cookie is bound, and not the cookie cache, which changes while the session stays", async () => {
  const name = "__Secure-better-auth.session_token";
  const value = `${"t".repeat(32)}.${encodeURIComponent(createHmac("sha256", SECRET).update("t".repeat(32)).digest("base64"))}`;
  const cookie = `theme=dark; ${name}=${value}; __Secure-better-auth.session_data=old`;
  const session = { id: "s", token: "t".repeat(32), userId: "ada", expiresAt: new Date(NOW + 86_400_000).toISOString() };
  const service = async () => Response.json({ session, user: { id: "ada", email: "ada@example.com" } });
  const got = await onward(request("/app", { host: "app.test", cookie }), { fetch: service });
  assert.deepEqual(claimsOf(got.headers.get(MARK)).crd, [["cookie", name, sha256(value)]]);
  const read = async (changed) => {
    const headers = new Headers(got.headers);
    headers.set("cookie", changed);
    const found = await reasonOf(readerOf()(headers));
    return found.subject ?? found;
  };
  assert.equal(await read(`${name}=${value}; __Secure-better-auth.session_data=new; more=1`), "ada");
  assert.equal(await read(`${name}=x; ${name}=${value}`), "mark_credential");
  assert.equal(await read("theme=dark"), "mark_credential");
  const removed = { ...withSecret, rules: [{ path: "/**", access: "required", credential: "remove" }] };
  const bare = await onward(request("/app", { host: "app.test", cookie }), { fetch: service, config: removed });
  assert.deepEqual([claimsOf(bare.headers.get(MARK)).crd, bare.headers.get("cookie")], [[], "theme=dark"]);
  assert.equal((await readerOf()(bare)).subject, "ada");
});

test("a mark is over after 30 seconds, and the answer for a request is found once", async () => {
  let now = NOW;
  const got = await onward(bearer());
  const read = sessionReader({ env, now: () => now });
  assert.equal((await read(got)).subject, "user-1");
  now += 36_000;
  assert.equal((await read(got)).subject, "user-1", "verified once a request");
  assert.equal(await reasonOf(read(new Request(got))), "mark_expired");
  now = NOW + 34_000;
  assert.equal((await read(new Request(got))).subject, "user-1");
  now = NOW - 6_000;
  assert.equal(await reasonOf(read(new Request(got))), "mark_not_yet_valid");
  for (const moment of [NaN, undefined, "x"]) assert.equal(await reasonOf(sessionReader({ env, now: () => moment })(new Request(got))), "mark_expired");
});

test("what only looks like a mark is none", async () => {
  const iat = NOW / 1000;
  const good = { iat, exp: iat + 30, host: "app.test", crd: [], who: { sub: "mallory" } };
  const read = (mark) => reasonOf(readerOf()(new Headers({ host: "app.test", [MARK]: mark })));
  assert.equal((await read(minted(good))).subject, "mallory", "the test's own way of minting");
  const { exp, ...endless } = good;
  for (const [claims, how, expected] of [
    [{ ...good, exp: exp + 3600 }, {}, "mark_malformed"],
    [{ ...good, exp: iat }, {}, "mark_malformed"],
    [{ ...good, exp: String(exp) }, {}, "mark_malformed"],
    [endless, {}, "mark_malformed"],
    [{ ...good, crd: undefined }, {}, "mark_malformed"],
    [{ ...good, who: "mallory" }, {}, "mark_malformed"],
    [{ ...good, who: { sub: "" } }, {}, "mark_malformed"],
    [{ ...good, host: undefined }, {}, "mark_host"],
    [good, { head: { alg: "none", typ: "doorward-mark+jwt" } }, "mark_malformed"],
    [good, { head: { alg: "HS256", typ: "doorward-assertion+jwt" } }, "mark_malformed"],
    [good, { head: { typ: "doorward-mark+jwt", alg: "HS256" } }, "mark_malformed"],
    [good, { use: "doorward mark 2" }, "mark_signature"],
    [good, { secret: "another-secret-of-at-least-32-characters" }, "mark_signature"],
  ]) {
    assert.equal(await read(minted(claims, how)), expected, JSON.stringify([claims, how]));
  }
});

test("a mark is no assertion, and an assertion no mark, with one secret for both", async () => {
  const assertion = { audience: "app", secret: { env: "SHARED" } };
  const shared = "one-secret-for-all-of-it-32-characters!!";
  const got = await onward(bearer(), { config: { ...config, assertion }, env: { SHARED: shared, DOORWARD_MARK_SECRET: shared } });
  const verifier = createVerifier({ audience: "app", host: "app.test", keys: { secret: shared }, now: () => NOW, log: () => {} });
  assert.equal((await verifier.verifyRequest(got)).subject, "user-1");
  const mark = got.headers.get(MARK);
  await assert.rejects(verifier.readSession({ "x-doorward-assertion": mark }), { reason: "assertion_type" });
  const swapped = new Headers(got.headers);
  swapped.set(MARK, got.headers.get("x-doorward-assertion"));
  assert.equal(await reasonOf(readerOf({ env: { DOORWARD_MARK_SECRET: shared } })(swapped)), "mark_malformed");
});

test("which secret counts", async () => {
  const own = "the-secret-of-the-marks-with-32-characters";
  const jwtOnly = { ...config, issuers: [{ type: "jwt", issuer: AUTH, audience: AUTH, jwks_url: `${AUTH}/api/auth/jwks` }] };
  const both = await onward(bearer(), { env: { ...env, DOORWARD_MARK_SECRET: own } });
  assert.equal((await readerOf({ env: { ...env, DOORWARD_MARK_SECRET: own } })(both)).subject, "user-1");
  assert.equal(await reasonOf(readerOf()(both)), "mark_signature");
  assert.equal((await readerOf({ env: {}, secret: own })(both)).subject, "user-1");
  const alone = await onward(bearer(), { config: jwtOnly, env: { DOORWARD_MARK_SECRET: own } });
  assert.equal((await readerOf({ env: { DOORWARD_MARK_SECRET: own } })(alone)).subject, "user-1");
  const versions = { BETTER_AUTH_SECRETS: `2:${SECRET},1:older-secret-of-the-tests-32-characters` };
  const listed = { ...config, issuers: [{ ...config.issuers[0], secrets: { env: "BETTER_AUTH_SECRETS" } }] };
  assert.equal((await readerOf({ env: versions })(await onward(bearer(), { config: listed, env: versions }))).subject, "user-1");
  // Neither: the gate says so at its start, sets none, and the application hears what to set.
  for (const blank of [{}, { DOORWARD_MARK_SECRET: " " }]) {
    const lines = [];
    const none = await onward(bearer(), { config: jwtOnly, env: blank, log: (line) => lines.push(line) });
    assert.equal(none.headers.get(MARK), null);
    assert.ok(lines.some((line) => line.includes('"event":"config_warning"') && line.includes('"path":"DOORWARD_MARK_SECRET"')), lines.join("\n"));
    assert.equal(await reasonOf(readerOf({ env: blank })(both)), "mark_secret");
  }
  const short = createGate({ config, env: { DOORWARD_MARK_SECRET: "short" }, log: () => {} }, HOST);
  assert.equal((await short.decide(request("/sign-in"))).reason, "not_started");
  assert.equal(await reasonOf(readerOf({ env: { DOORWARD_MARK_SECRET: "short" } })(both)), "mark_secret");
});

test("a mark is for the application alone: no upstream gets one, nor a host that wants none", async () => {
  const rules = [{ path: "/api/**", access: "required", upstream: "https://api.test" }, { path: "/**", access: "required" }];
  assert.equal((await onward(bearer("/api/x"), { config: { ...withSecret, rules } })).headers.get(MARK), null);
  const gate = createGate({ config: withSecret, env, log: () => {}, fetch, now: () => NOW });
  assert.equal((await gate.decide(bearer())).headers.get(MARK), null);
  const acme = await onward(bearer(), { config: { ...withSecret, header_prefix: "x-acme-" } });
  assert.equal((await readerOf({ header: "X-Acme-Mark" })(acme)).subject, "user-1");
});

test("claims that are too long for a second time are named instead", async () => {
  const long = await newIssuer({ plan: "p".repeat(2200), seats: 3 });
  const got = await onward(request("/api", { host: "app.test", authorization: `Bearer ${long.token}` }), {
    config: { ...withSecret, claim_headers: { plan: "plan", seats: "seats" } },
    fetch: async () => new Response(long.keySet),
  });
  assert.ok(got.headers.get(MARK).length < 4096);
  const { claims, omitted } = await readerOf()(got);
  assert.deepEqual([claims, omitted], [{ seats: 3 }, ["plan"]]);
});

test("an option that is not of its type is refused at once, and so is what has no mark in it", async () => {
  for (const wrong of [
    { header: "authorization" }, { header: 5 }, { secret: 5 }, { secret: "short" }, { secret: "" }, { host: [] }, { host: 5 }, { env: "A=B" }, { now: 5 }, null,
  ]) {
    assert.throws(() => sessionReader(wrong), TypeError, JSON.stringify(wrong));
  }
  for (const wrong of [undefined, null, 5, "x", {}, Promise.resolve(new Headers())]) {
    assert.throws(() => markReader({ env })(wrong), TypeError);
  }
});

test("`doorward/next` marks each request that goes on, in the way that Next takes headers", async () => {
  const proxy = nextGate({ config: withSecret, env, log: () => {}, fetch, now: () => NOW });
  const response = await proxy(bearer());
  const mark = response.headers.get(`x-middleware-request-${MARK}`);
  assert.ok(response.headers.get("x-middleware-override-headers").split(",").includes(MARK));
  assert.equal((await readerOf()(new Headers({ host: "app.test", authorization: `Bearer ${token}`, [MARK]: mark }))).subject, "user-1");
});

test("a `header_prefix` whose optional variable is not set, or set, is the core's matter alone", async () => {
  for (const [prefix, more, name] of [
    [{ env: "PREFIX", optional: true }, {}, "x-doorward-subject"],
    [{ env: ["NONE", "PREFIX"], optional: true }, { PREFIX: "X-Acme-" }, "x-acme-subject"],
    [{ env: "PREFIX", optional: true }, { PREFIX: " " }, "x-doorward-subject"],
    [{ env: "PREFIX", default: "x-acme-" }, {}, "x-acme-subject"],
  ]) {
    const proxy = nextGate({ config: { ...withSecret, header_prefix: prefix, debug_header: true }, env: { ...env, ...more }, log: () => {}, fetch, now: () => NOW });
    const response = await proxy(bearer());
    assert.equal(response.status, 200, JSON.stringify(prefix));
    assert.equal(response.headers.get(`x-middleware-request-${name}`), "user-1");
  }
});

test("that Next cuts a large body is said once", async () => {
  const lines = [];
  const open = { ...openConfig, issuers: withSecret.issuers };
  const proxy = nextGate({ config: open, env, log: (line) => lines.push(line) });
  const upload = (bytes) => proxy(request("/", { host: "app.test", origin: SITE, "content-length": bytes }, { method: "POST" }));
  for (const bytes of ["10485760", "x"]) await upload(bytes);
  const warnings = () => lines.filter((line) => line.includes('"event":"config_warning"'));
  assert.deepEqual(warnings(), []);
  for (const bytes of ["10485761", "99999999"]) assert.equal((await upload(bytes)).status, 200);
  assert.equal(warnings().length, 1);
  assert.match(warnings()[0], /experimental\.proxyClientMaxBodySize/);
});

test("what the gate adds to a page's response goes to the browser, whatever caches are told by it", async () => {
  const name = "__Secure-better-auth.session_token";
  const value = `${"t".repeat(32)}.${encodeURIComponent(createHmac("sha256", SECRET).update("t".repeat(32)).digest("base64"))}`;
  const session = { id: "s", token: "t".repeat(32), userId: "ada", expiresAt: new Date(NOW + 86_400_000).toISOString() };
  const line = `${name}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`;
  const service = async () => new Response(JSON.stringify({ session, user: { id: "ada" } }), { headers: [["set-cookie", line]] });
  const proxy = nextGate({ config: { ...withSecret, debug_header: true }, env, log: () => {}, fetch: service, now: () => NOW });
  const response = await proxy(request("/app", { host: "app.test", cookie: `${name}=${value}` }));
  assert.deepEqual([response.status, response.headers.getSetCookie()], [200, [line]]);
  assert.equal(response.headers.get("surrogate-control") ?? response.headers.get("cache-control"), "private, no-store");
});
