// Who is asking as a value: of whatever a framework hands to its code, once the gate has run, and an exception where it has not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import http from "node:http";
import { test } from "node:test";
import { promisify } from "node:util";

import { gate as astro } from "doorward/astro";
import { gate as hono } from "doorward/hono";
import { createGate } from "doorward";
import { session as sessionOfNext } from "doorward/next";
import { NotGated, middleware, protect, session as sessionOfNode } from "doorward/node";
import { session, sessionReader } from "doorward/session";
import { gate as sveltekit } from "doorward/sveltekit";
import { requestOf, withSession } from "doorward/testing";
import { Hono } from "hono";

import { newSession } from "../../tests/fakes/better-auth.mjs";
import { serve } from "./support.js";

const run = promisify(execFile);
const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const env = { BETTER_AUTH_URL: "http://127.0.0.1:1", BETTER_AUTH_SECRET: secret };
const options = { env, public: ["/"], log() {} };
const { tokenCookie, dataCookie } = newSession({ secret, user: "ada" });
const cookie = `${tokenCookie}; ${dataCookie}`;
const FORGED = { "x-doorward-subject": "root", "x-doorward-mark": "a.b.c" };
const isMissing = (problem) => problem instanceof NotGated && ["mark_missing", "mark_malformed"].includes(problem.reason);

const ask = (path, headers = {}) => new Request(`https://app.test${path}`, { headers: { accept: "application/json", ...FORGED, ...headers } });

/** What a framework hands over, of a Fetch request and of one of Node. */
const FETCHED = [
  ["the request", (request) => request],
  ["SvelteKit's event and Astro's context", (request) => ({ request, locals: {} })],
  ["Hono's context", (request) => ({ req: { raw: request } })],
  ["the event of h3 2", (request) => ({ req: request, headers: request.headers })],
];
const RECEIVED = [
  ["the request", (req) => req],
  ["the event of h3 1", (req) => ({ node: { req } })],
  ["Fastify's request", (req) => ({ raw: req, headers: req.headers })],
];

for (const [name, form] of FETCHED) {
  test(`session(${name}) after decide: a user, an anonymous request, and an exception without the gate`, async () => {
    const gate = createGate(options);
    const known = ask("/dashboard", { cookie });
    assert.equal((await gate.decide(known)).kind, "forward");
    assert.equal((await session(form(known))).subject, "ada");
    const anonymous = ask("/");
    await gate.decide(anonymous);
    assert.equal(await session(form(anonymous)), null);
    const refused = ask("/dashboard");
    assert.equal((await gate.decide(refused)).reason, "no_credential");
    await assert.rejects(session(form(refused)), isMissing);
    await assert.rejects(session(form(ask("/dashboard", { cookie }))), isMissing);
  });
}

for (const [name, form] of RECEIVED) {
  test(`session(${name}) of Node, the same`, async (t) => {
    const answered = async (req, res) => {
      const given = await session(form(req)).then((who) => who && who.subject, (problem) => problem.reason);
      res.end(JSON.stringify([given, req.doorward === undefined ? "none" : (req.doorward?.subject ?? null)]));
    };
    const guarded = await serve(t, protect(options, answered));
    const bare = await serve(t, answered);
    const from = async (origin, path, headers) => (await fetch(origin + path, { headers: { ...FORGED, ...headers } })).json();
    assert.deepEqual(await from(guarded.origin, "/dashboard", { cookie }), ["ada", "ada"]);
    assert.deepEqual(await from(guarded.origin, "/"), [null, null]);
    assert.deepEqual(await from(bare.origin, "/dashboard", { cookie }), ["mark_malformed", "none"]);
  });
}

test("where a framework makes another request of Node's, the mark says it, and only with the option", async (t) => {
  const read = sessionReader({ env });
  const copied = async (req, res) => {
    const request = new Request(`http://${req.headers.host}${req.url}`, { headers: new Headers(Object.entries(req.headers)) });
    res.end(JSON.stringify(await read({ request }).then((who) => who && who.subject, (problem) => problem.reason)));
  };
  const from = async ({ origin }, path, headers) => (await fetch(origin + path, { headers: { ...FORGED, ...headers } })).json();
  const marked = await serve(t, protect({ ...options, marks: true }, copied));
  assert.equal(await from(marked, "/dashboard", { cookie }), "ada");
  assert.equal(await from(marked, "/"), null);
  const without = await serve(t, protect(options, copied));
  assert.equal(await from(without, "/dashboard", { cookie }), "mark_missing");
});

test("what a framework renders for its cache has no session", async () => {
  const gate = createGate(options);
  const request = ask("/dashboard", { cookie });
  await gate.decide(request);
  // As Nitro does: a request without the headers, of which the page is made for everybody.
  await assert.rejects(session({ node: { req: new Proxy({ headers: {} }, {}) } }), isMissing);
  await assert.rejects(session({ request: new Request(request.url) }), isMissing);
});

test("what is no request is a TypeError", async () => {
  for (const source of [undefined, null, "ada", {}, { req: {} }, Promise.resolve(new Headers())]) await assert.rejects(session(source), TypeError);
});

test("Hono: c.get(\"doorward\"), and its own headers stay", async () => {
  const app = new Hono();
  app.use(hono(options));
  app.all("*", async (c) => {
    c.header("set-cookie", "own=1");
    const { method } = c.req;
    return c.json({ who: c.get("doorward")?.subject ?? null, again: (await session(c))?.subject ?? null, header: c.req.header("x-doorward-subject") ?? null, method, body: await c.req.text() });
  });
  const known = await app.request(ask("/dashboard", { cookie }));
  assert.deepEqual(await known.json(), { who: "ada", again: "ada", header: "ada", method: "GET", body: "" });
  assert.deepEqual(known.headers.getSetCookie(), ["own=1"]);
  const posted = await app.request(new Request("https://app.test/notes", { method: "POST", body: "hello", headers: { cookie, "sec-fetch-site": "same-origin" } }));
  assert.deepEqual((await posted.json()).body, "hello");
  assert.deepEqual(await (await app.request(ask("/"))).json(), { who: null, again: null, header: null, method: "GET", body: "" });
  const refused = await app.request(ask("/dashboard"));
  assert.deepEqual([refused.status, (await refused.json()).reason], [401, "no_credential"]);
});

for (const [name, call] of [
  ["SvelteKit", (event, answered) => sveltekit(options)({ event, resolve: () => answered(event) })],
  ["Astro", (event, answered) => astro(options)(event, () => answered(event))],
]) {
  test(`${name}: locals.doorward, and nothing forged is left on its request`, async () => {
    const answered = async ({ request, locals }) => Response.json({ who: locals.doorward?.subject ?? null, header: request.headers.get("x-doorward-subject") });
    const of = (path, headers) => ({ request: ask(path, headers), locals: {} });
    assert.deepEqual(await (await call(of("/dashboard", { cookie }), answered)).json(), { who: "ada", header: "ada" });
    assert.deepEqual(await (await call(of("/"), answered)).json(), { who: null, header: null });
    const refused = await call(of("/dashboard"), answered);
    assert.deepEqual([refused.status, (await refused.json()).reason], [401, "no_credential"]);
  });
}

test("Astro: a page that is made when the site is built is made without the gate", async () => {
  const response = await astro(options)({ request: ask("/dashboard"), locals: {}, isPrerendered: true }, async () => new Response("built"));
  assert.equal(await response.text(), "built");
});

test("the framework is known, so data of a public page is as public as the page", async () => {
  const event = { request: ask("/__data.json"), locals: {} };
  const response = await sveltekit(options)({ event, resolve: () => new Response("data") });
  assert.equal(await response.text(), "data");
});

test("doorward/testing: a session for what asks, in this test alone", async (t) => {
  const page = async () => [(await sessionOfNext())?.subject, (await session(ask("/")))?.claims.role, sessionOfNode({})?.subject];
  assert.deepEqual(await withSession({ subject: "eve", claims: { role: "admin" } }, page), ["eve", "admin", "eve"]);
  assert.deepEqual(await withSession(null, page), [undefined, undefined, undefined]);
  assert.equal(await withSession("ada", () => session(ask("/")).then(({ subject, issuer }) => `${subject} ${issuer}`)), "ada testing");
  await assert.rejects(session(ask("/")), isMissing);
  const req = requestOf("ada", new http.IncomingMessage(null));
  assert.deepEqual([req.doorward.subject, sessionOfNode(req).subject, (await session(req)).subject], ["ada", "ada", "ada"]);
  const anonymous = requestOf(null, ask("/"));
  assert.equal(await session({ request: anonymous }), null);
  for (const who of [undefined, "", {}, { email: "a@b" }, ["ada"]]) assert.throws(() => withSession(who, page), TypeError, JSON.stringify(who));
  // A gate that runs in the test counts for its own request.
  const { origin } = await serve(t, (req, res) => middleware(options)(req, res, () => res.end(sessionOfNode(req)?.subject ?? "anonymous")));
  assert.equal(await (await fetch(`${origin}/`)).text(), "anonymous");
});

for (const [env, isRefused] of [
  [{}, true],
  [{ NODE_ENV: "production" }, true],
  [{ NODE_ENV: "production", VITEST: "true" }, true],
  [{ NODE_ENV: "test", VERCEL_ENV: "production" }, true],
  [{ NODE_ENV: "staging" }, true],
  [{ NODE_ENV: "test" }, false],
  [{ VITEST: "true" }, false],
]) {
  test(`doorward/testing ${isRefused ? "does not start" : "starts"} with ${JSON.stringify(env)}`, async () => {
    const program = ["--input-type=module", "--eval", 'import "doorward/testing"; console.log("works")'];
    const cwd = new URL(".", import.meta.url);
    const ended = await run(process.execPath, program, { cwd, env: { PATH: process.env.PATH, ...env } }).catch((error) => error);
    if (isRefused) assert.match(ended.stderr, /is for tests/);
    else assert.equal(ended.stdout, "works\n");
  });
}
