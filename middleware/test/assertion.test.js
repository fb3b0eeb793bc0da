// What the gate signs, as others read it: jose, and the verifier that runs at the origin.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createGate } from "doorward";
import { createVerifier, seenInMemory } from "doorward/origin";
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from "jose";

import { NOW, SITE, config, newIssuer, request } from "./support.js";

const SECRET = "a-secret-of-gate-and-origin-9f2K-only";
const PATH = "/.well-known/doorward/jwks.json";
const HEADER = "x-doorward-assertion";
const TARGET = "/a%20b/c?x=1&y=%2F";

/** One gate per kind of key, and what an origin has to know of it. */
const KINDS = {
  HS256: async () => ({ assertion: { secret: { env: "SECRET" } }, env: { SECRET } }),
  ES256: () => withKey("ES256"),
  EdDSA: () => withKey("EdDSA"),
};

async function withKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const env = { KEY: JSON.stringify({ ...(await exportJWK(privateKey)), kid: "k1" }) };
  return { assertion: { keys: [{ env: "KEY" }], jwks_path: PATH }, env };
}

async function world(kind) {
  const { assertion, env } = await KINDS[kind]();
  const { keySet, token } = await newIssuer({ email: "ada@example.com", role: ["admin"] });
  const clock = { now: NOW };
  const gate = createGate({
    config: { ...config, claim_headers: { role: "role" }, assertion: { audience: "billing", ...assertion } },
    env, log: () => {}, now: () => clock.now, fetch: async () => new Response(keySet),
  });
  const keys = kind === "HS256" ? { secret: SECRET } : await published(gate);
  const verifier = (more) => createVerifier({ audience: "billing", host: "app.test", keys, now: () => clock.now, log: () => {}, ...more });
  const pass = async (target = TARGET, init) => {
    const verdict = await gate.decide(request(target, { authorization: `Bearer ${token}` }, init));
    assert.equal(verdict.kind, "forward", verdict.reason);
    return { target: verdict.target, method: init?.method ?? "GET", headers: verdict.headers };
  };
  return { clock, gate, keys, pass, verifier };
}

async function published(gate) {
  const { kind, response } = await gate.decide(request(PATH));
  assert.equal(kind, "answer");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/jwk-set+json");
  const text = await response.text();
  assert.ok(!text.includes('"d"'), "a private key is published");
  return JSON.parse(text);
}

const at = (origin, { target, method, headers }) => new Request(origin + target, { method, headers });
const refused = (reason) => (error) => (assert.equal(error.reason, reason), true);

for (const kind of Object.keys(KINDS)) {
  test(`${kind}: jose verifies it`, async () => {
    const { keys, pass } = await world(kind);
    const key = keys.secret ? new TextEncoder().encode(keys.secret) : createLocalJWKSet(keys);
    const { headers } = await pass();
    const { payload, protectedHeader } = await jwtVerify(headers.get(HEADER), key, {
      audience: "billing", issuer: "doorward", typ: "doorward-assertion+jwt", algorithms: [kind], currentDate: new Date(NOW), maxTokenAge: 30,
    });
    assert.equal(protectedHeader.alg, kind);
    assert.equal(payload.sub, "user-1");
    assert.deepEqual(payload.claims, { role: ["admin"] });
  });

  test(`${kind}: the origin takes it for the request that it was made for, and no other`, async () => {
    const { clock, pass, verifier } = await world(kind);
    const good = await pass();
    const session = await verifier().verifyRequest(at("https://10.0.0.7", good));
    assert.deepEqual(
      [session.subject, session.email, session.issuer, session.source, session.claims],
      ["user-1", "ada@example.com", "better-auth", "jwt", { role: ["admin"] }],
    );
    const others = {
      "another path": ["assertion_target", () => verifier().verifyRequest(at(SITE, { ...good, target: "/a%20b/d?x=1&y=%2F" }))],
      "another query": ["assertion_target", () => verifier().verifyRequest(at(SITE, { ...good, target: "/a%20b/c?x=2&y=%2F" }))],
      "no query": ["assertion_target", () => verifier().verifyRequest(at(SITE, { ...good, target: "/a%20b/c" }))],
      "another method": ["assertion_method", () => verifier().verifyRequest(at(SITE, { ...good, method: "DELETE" }))],
      "another host": ["assertion_host", () => verifier({ host: "other.test" }).verifyRequest(at(SITE, good))],
      "another audience": ["assertion_audience", () => verifier({ audience: "reports" }).verifyRequest(at(SITE, good))],
      "another gate": ["assertion_issuer", () => verifier({ issuer: "other" }).verifyRequest(at(SITE, good))],
      "a later moment": ["assertion_expired", () => verifier({ now: () => clock.now + 36_000 }).verifyRequest(at(SITE, good))],
      "an earlier moment": ["assertion_not_yet_valid", () => verifier({ now: () => clock.now - 6_000 }).verifyRequest(at(SITE, good))],
    };
    for (const [name, [reason, enter]] of Object.entries(others)) await assert.rejects(enter, refused(reason), name);
    console.log(`${kind}: one request accepted, ${Object.keys(others).length} others refused`);
  });
}

test("each has a number of its own, also in the same millisecond", async () => {
  const { pass, verifier } = await world("EdDSA");
  const seen = seenInMemory(() => NOW);
  const numbers = new Set();
  for (let i = 0; i < 200; i++) {
    const passed = await pass();
    await verifier({ seen }).verifyRequest(at(SITE, passed));
    numbers.add(decodeJwt(passed.headers.get(HEADER)).jti);
    await assert.rejects(() => verifier({ seen }).verifyRequest(at(SITE, passed)), refused("assertion_replayed"));
  }
  assert.equal(numbers.size, 200);
});

test("two gates with one key do not use the same numbers", async () => {
  const { assertion, env } = await withKey("EdDSA");
  const { keySet, token } = await newIssuer();
  const numbers = new Set();
  for (let i = 0; i < 20; i++) {
    const options = { config: { ...config, assertion: { audience: "billing", ...assertion } }, env, log: () => {}, now: () => NOW };
    const gate = createGate({ ...options, fetch: async () => new Response(keySet) });
    const { headers } = await gate.decide(request("/", { authorization: `Bearer ${token}` }));
    numbers.add(decodeJwt(headers.get(HEADER)).jti);
  }
  assert.equal(numbers.size, 20);
});

test("a platform that does not sign lets nobody pass", async () => {
  const { assertion, env } = await withKey("ES256");
  const { keySet, token } = await newIssuer();
  const perform = (effect, usual) => (effect.kind === "sign" ? { kind: "failed" } : usual(effect));
  const options = { config: { ...config, assertion: { audience: "billing", ...assertion } }, env, log: () => {}, now: () => NOW, perform };
  const gate = createGate({ ...options, fetch: async () => new Response(keySet) });
  const { kind, reason, response } = await gate.decide(request("/", { authorization: `Bearer ${token}` }));
  assert.deepEqual([kind, reason, response.status], ["answer", "assertion_unavailable", 503]);
});

for (const [alg, outcome] of Object.entries({ EdDSA: "forward", ES256: "answer" })) {
  test(`${alg}: a platform that does not have it leaves it to the gate, which has EdDSA`, async () => {
    const { assertion, env } = await withKey(alg);
    const { keySet, token } = await newIssuer();
    const asked = [];
    const perform = (effect, usual) => (asked.push(effect.kind), effect.kind === "sign" ? { kind: "unsupported" } : usual(effect));
    const options = { config: { ...config, assertion: { audience: "billing", jwks_path: PATH, ...assertion } }, env, log: () => {}, now: () => NOW, perform };
    const gate = createGate({ ...options, fetch: async () => new Response(keySet) });
    const verdict = await gate.decide(request("/", { authorization: `Bearer ${token}` }));
    assert.equal(verdict.kind, outcome);
    assert.equal(asked.filter((work) => work === "sign").length, 1);
    if (outcome === "answer") return assert.equal(verdict.reason, "assertion_unavailable");
    const keys = createLocalJWKSet(await published(gate));
    await jwtVerify(verdict.headers.get(HEADER), keys, { audience: "billing", issuer: "doorward", currentDate: new Date(NOW) });
  });
}

test("a wrong configuration is not covered by a rule that only reports", async () => {
  const rules = [{ path: "/**", access: "required", mode: "report", report_until: "2030-01-01" }];
  const lines = [];
  const gate = createGate({ config: { ...config, rules, assertion: { audience: "billing" } }, env: {}, log: (line) => lines.push(line), now: () => NOW });
  const { kind, reason, response } = await gate.decide(request("/"));
  assert.deepEqual([kind, reason, response.status], ["answer", "not_started", 503]);
  assert.ok(lines.some((line) => line.includes("assertion.keys")));
});
