// The same tokens to Doorward and to jose. What Doorward accepts, jose accepts; what jose alone accepts, Doorward refuses by a
// rule that docs/strictness.md names.
//
// DOORWARD_DIFFERENTIAL=full: 100,000 tokens by 520 keys instead of a tenth of that. DOORWARD_SEED=<n>: others.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";

import { createGate } from "doorward";
import * as tokens from "./differential/tokens.js";

const { AUDIENCE, ISSUER, NOW } = tokens;
const full = process.env.DOORWARD_DIFFERENTIAL === "full";
const [TOKENS, KEYS, RSA_KEYS] = full ? [100_000, 520, 24] : [10_000, 104, 6];
const seed = Number(process.env.DOORWARD_SEED ?? 7519);

/** The reasons that a rule of docs/strictness.md may give. */
const RULES = {
  base64url: ["token_malformed", "credential_malformed"],
  "header-types": ["token_malformed"],
  "strict-json": ["token_malformed", "claims_malformed"],
  "closed-header": ["token_unsupported"],
  "required-claims": ["claim_missing"],
  "claim-types": ["claims_malformed"],
  "from-the-future": ["token_not_yet_valid"],
  "key-use": ["keys_unavailable"],
  typ: ["type_mismatch"],
  size: ["token_too_large"],
};

test("what Doorward accepts, jose accepts; what only jose accepts falls under a named rule", async (t) => {
  const page = await readFile(new URL("../../docs/strictness.md", import.meta.url), "utf8");
  for (const rule of Object.keys(RULES)) assert.ok(page.includes(`| \`${rule}\` | `), `docs/strictness.md has no rule ${rule}`);

  const random = tokens.randomness(seed);
  const keys = Array.from({ length: KEYS }, (_, at) =>
    tokens.newKey(at < RSA_KEYS ? tokens.RSA_ALGORITHMS[at % 6] : random.pick(tokens.OTHER_ALGORITHMS), random, at),
  );
  const verifiers = keys.map((key, at) => verifiersOf(key, keys[(at + 1) % KEYS], setOf(at)));
  const classes = { honest: tokens.HONEST, signed: tokens.SIGNED, forged: tokens.FORGED, respelt: tokens.RESPELT };
  const counts = new Map();
  const wrong = [];
  let [both, neither, only] = [0, 0, 0];

  for (let at = 0; at < TOKENS; at++) {
    const number = random.below(KEYS);
    const [key, { ours, theirs, setRule }] = [keys[number], verifiers[number]];
    const family = random.below(10) < 5 ? "honest" : random.pick(["signed", "forged", "respelt"]);
    const name = random.pick(Object.keys(classes[family]));
    const [rule, make] = family === "honest" ? ["", classes.honest[name]] : classes[family][name];
    const token = make(key, random, random.pick(keys));
    const [reason, accepted] = await Promise.all([ours(token), theirs(token)]);
    const count = counts.get(`${family}: ${name}`) ?? { tokens: 0, both: 0, neither: 0, jose: 0 };
    counts.set(`${family}: ${name}`, count);
    count.tokens++;
    const problem = (text) => wrong.push(`${family}: ${name}: ${text} (${reason}; ${JSON.stringify(key.jwk)} ${token})`);
    if (!reason && accepted) [count.both++, both++];
    else if (reason && !accepted) [count.neither++, neither++];
    else if (!reason) problem("ACCEPTED, and jose refuses it");
    else {
      [count.jose++, only++];
      if (![rule, setRule].some((rule) => RULES[rule]?.includes(reason))) problem("refused without a rule, and jose accepts it");
    }
  }

  for (const [name, { tokens, both, neither, jose }] of [...counts].sort()) {
    t.diagnostic(`${name}: ${tokens} tokens, ${both} accepted by both, ${neither} by neither, ${jose} by jose only`);
  }
  t.diagnostic(
    `${full ? "full size" : "a tenth of the full size (DOORWARD_DIFFERENTIAL=full)"}, seed ${seed}: ${TOKENS} tokens by ${KEYS} keys; ` +
      `${both} accepted by both, ${neither} by neither, ${only} by jose only and refused by a named rule`,
  );
  assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} tokens differ`);
  assert.ok(both >= TOKENS / 3, `only ${both} of ${TOKENS} tokens are valid`);
});

/** Every tenth key is in a set that is odd; such a set makes every token of its key a bad one. */
function setOf(at) {
  const names = Object.keys(tokens.KEY_SETS);
  const [good, odd] = [names.slice(0, 3), names.slice(3)];
  return at % 10 === 9 ? odd[Math.floor(at / 10) % odd.length] : good[at % good.length];
}

/** Doorward's reason or nothing, and whether jose accepts, for tokens by the key set of this key. */
function verifiersOf(key, other, name) {
  const [setRule, make] = tokens.KEY_SETS[name];
  const keySet = { keys: make(key, other) };
  const body = new TextEncoder().encode(JSON.stringify(keySet));
  const gate = createGate({
    config: {
      issuers: [{ type: "jwt", issuer: ISSUER, audience: AUDIENCE, jwks_url: "https://issuer.test/jwks" }],
      rules: [{ path: "/**", access: "required" }],
    },
    now: () => NOW * 1000,
    log: () => {},
    perform: (effect, usual) => (effect.kind === "fetch" ? { kind: "answered", status: 200, headers: [], body } : usual(effect)),
  });
  const ours = async (token) => {
    const headers = [["authorization", `Bearer ${token}`]];
    const decision = await gate.decideHead({ method: "GET", target: "/", publicOrigin: "https://app.test", headers });
    return decision.kind === "forward" ? undefined : decision.reason;
  };
  // A key that is there twice is one key for Doorward, whose configuration may repeat a fetched one; jose leaves it to its caller.
  const once = new Map(keySet.keys.map((jwk) => [JSON.stringify(jwk), jwk]));
  const jwks = createLocalJWKSet({ keys: [...once.values()] });
  const options = { issuer: ISSUER, audience: AUDIENCE, clockTolerance: 5, currentDate: new Date(NOW * 1000) };
  const theirs = (token) => jwtVerify(token, jwks, options).then(() => true, () => false);
  return { ours, theirs, setRule };
}
