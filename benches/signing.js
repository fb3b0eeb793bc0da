// What an assertion costs: cases `sign_<alg>`, phase `first`.
//
//   ours    `gate.decideHead(head)` of a credential that has been verified before, with an assertion. The ratio is of what that adds
//           to the decision: the difference to the row `ours: without`. ES256 and EdDSA include the effect to the platform.
//   rival   jose's `SignJWT` with the same claims, an imported key and a digest of the target that is there already.
//   shown   `subtle.sign` of as many bytes, and nothing around it: what no caller of WebCrypto comes below.

import { SignJWT, exportJWK, generateKeyPair, importJWK } from "jose";

const SECRET = "a-secret-of-gate-and-origin-for-the-bench";

/**
 * @param {(options: object) => object} createGate
 * @param {object} config one that takes the head
 * @param {Record<string, string>} env
 * @param {object} head
 * @param {(key: string, who: string, prepare: Function) => void} compare
 */
export function signingCases(createGate, config, env, head, compare) {
  for (const alg of ["HS256", "ES256", "EdDSA"]) {
    const key = `sign_${alg.toLowerCase()}.first`;
    compare(key, "ours", async (iterations) => decisions(await withAssertion(alg), iterations));
    compare(key, "jose", async (iterations) => signatures(alg, await joseKey(alg), iterations));
    if (alg in PARAMETERS) compare(key, "subtle.sign", async (iterations) => bareSignatures(alg, iterations));
    compare(key, "ours: without", async (iterations) => decisions(createGate({ config, env, log: () => {} }), iterations));
  }

  async function withAssertion(alg) {
    const secrets = alg === "HS256" ? { ASSERTION: SECRET } : { ASSERTION: JSON.stringify(await privateJwk(alg)) };
    const place = alg === "HS256" ? { secret: { env: "ASSERTION" } } : { keys: [{ env: "ASSERTION" }] };
    return createGate({ config: { ...config, assertion: { audience: "billing", ...place } }, env: { ...env, ...secrets }, log: () => {} });
  }

  async function decisions(gate, iterations) {
    await passes(gate);
    return async () => {
      for (let i = 0; i < iterations; i++) await passes(gate);
    };
  }

  async function passes(gate) {
    const decision = await gate.decideHead(head);
    if (decision.kind !== "forward") throw new Error(`refused: ${decision.reason}`);
  }
}

const PARAMETERS = { ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, EdDSA: { name: "Ed25519" } };

async function bareSignatures(alg, iterations) {
  const key = await crypto.subtle.importKey("jwk", await privateJwk(alg), PARAMETERS[alg], false, ["sign"]);
  const input = new Uint8Array(500);
  return async () => {
    for (let i = 0; i < iterations; i++) await crypto.subtle.sign(PARAMETERS[alg], key, input);
  };
}

const jwks = new Map();
async function privateJwk(alg) {
  if (!jwks.has(alg)) jwks.set(alg, await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey));
  return jwks.get(alg);
}

async function joseKey(alg) {
  return alg === "HS256" ? new TextEncoder().encode(SECRET) : importJWK(await privateJwk(alg), alg);
}

function signatures(alg, key, iterations) {
  return async () => {
    for (let i = 0; i < iterations; i++) {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        htm: "GET", host: "app.test", tgt: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", sub: "user-1", sid: "session-1",
        idp: "better-auth", src: "jwt", sess_exp: now + 600,
      };
      const jwt = new SignJWT(claims).setProtectedHeader({ alg, kid: "k1", typ: "doorward-assertion+jwt" });
      await jwt.setIssuer("doorward").setAudience("billing").setIssuedAt(now).setExpirationTime(now + 30).setJti(`jti-${i}`).sign(key);
    }
  };
}
