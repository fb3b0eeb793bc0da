// Signatures by key set (RFC 7518, RFC 8037): every algorithm but ES512, which has a file of its own. ES256 is checked by the
// host in these runs, so all but EdDSA cost a `check`.

import { api, b64u, bearer, claims, forward, jwtIssuer, reject, told, vector } from "../cases.mjs";
import { forged, forgedHmac, jwt, publicJwk, publicPem, signedInput, tampered, withPayload, withSignature } from "../mint.mjs";

const ALGORITHMS = {
  EdDSA: ["ed", "ed2"], ES256: ["p256", "p256b"], ES384: ["p384", "p384b"],
  RS256: ["rsa", "rsa2"], RS384: ["rsa", "rsa2"], RS512: ["rsa", "rsa2"],
  PS256: ["rsa", "rsa2"], PS384: ["rsa", "rsa2"], PS512: ["rsa", "rsa2"],
};

export const policies = {
  "alg-in-keys": jwtIssuer({ jwks: { keys: Object.entries(ALGORITHMS).map(([alg, [key]]) => publicJwk(key, { kid: alg, alg })) } }),
  "no-alg-in-keys": jwtIssuer({ jwks: { keys: ["ed", "p256", "p384", "rsa"].map((key) => publicJwk(key, { kid: key })) } }),
  "eddsa-only": jwtIssuer({ jwks: { keys: ["ed", "rsa"].map((key) => publicJwk(key, { kid: key })) }, algorithms: ["EdDSA"] }),
};

const asksOf = (alg) => ({ effects: alg === "EdDSA" ? [] : ["check"] });
const bad = (name, token, reason, more, policy = "alg-in-keys") => vector(name, policy, api("/", bearer(token)), reject(reason), more);
const bare = (name, token, reason, more) => bad(name, token, reason, more, "no-alg-in-keys");

const perAlgorithm = [];
for (const [alg, [key, other]] of Object.entries(ALGORITHMS)) {
  const token = await jwt(alg, key, claims(), { kid: alg });
  const more = asksOf(alg);
  perAlgorithm.push(
    vector(`${alg}: a good token goes on`, "alg-in-keys", api("/", bearer(token)), forward(told()), more),
    vector(`${alg}: a good token goes on by a key that does not say its algorithm`, "no-alg-in-keys", api("/", bearer(await jwt(alg, key, claims(), { kid: key }))), forward(told()), more),
    bad(`${alg}: other claims under the signature`, withPayload(token, claims({ sub: "admin" })), "signature_invalid", more),
    bad(`${alg}: a bit of the signature turned`, tampered(token), "signature_invalid", more),
    bad(`${alg}: a signature by another key`, await jwt(alg, other, claims(), { kid: alg }), "signature_invalid", more),
    bad(`${alg}: a signature cut short`, withSignature(token, (bytes) => bytes.subarray(0, -1)), "signature_invalid", more),
    bad(`${alg}: a signature with a byte more`, withSignature(token, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])), "signature_invalid", more),
    bad(`${alg}: no signature`, withSignature(token, () => Buffer.alloc(0)), "signature_invalid", more),
    bad(`${alg}: a signature of zeros`, withSignature(token, (bytes) => Buffer.alloc(bytes.length)), "signature_invalid", more),
  );
  if (alg === "EdDSA") continue;
  perAlgorithm.push(
    bad(`${alg}: a check that the platform cannot perform is an outage, not a bad token`, token, "signature_check_unavailable", { effects: ["check"], results: [{ of: "check", failed: true }] }),
    bad(`${alg}: a check that the platform does not know is an outage, not a bad token`, token, "signature_check_unavailable", { effects: ["check"], results: [{ of: "check", unsupported: true }] }),
  );
}

/** A point of order 1: with it for key and R, and zero for S, a lax verifier of Ed25519 takes any message. */
const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
policies["low-order"] = jwtIssuer({ jwks: { keys: [{ kty: "OKP", crv: "Ed25519", x: b64u(neutral), kid: "low" }] } });
/** The order of Ed25519's group, little-endian: S + L is a second spelling of S (RFC 8032, section 5.1.7). */
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;
const plusOrder = (bytes) => {
  let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + ORDER;
  const out = Buffer.from(bytes);
  for (let place = 32; place < 64; place++, s >>= 8n) out[place] = Number(s & 255n);
  return out;
};

const ed = await jwt("EdDSA", "ed", claims(), { kid: "EdDSA" });
const header = (alg, kid) => ({ alg, kid });
const checked = { effects: ["check"] };
const input = (alg, kid) => `${b64u(JSON.stringify({ alg, kid }))}.${b64u(JSON.stringify(claims()))}`;

export const cases = [
  ...perAlgorithm,

  // Names that are no algorithm of a key set.
  ...["none", "None", "nOnE", "NONE"].flatMap((alg) => [
    bad(`alg ${alg} without a signature`, `${input(alg, "EdDSA")}.`, "alg_not_allowed"),
    bare(`alg ${alg} with a true signature`, signedInput("EdDSA", "ed", input(alg, "ed")), "alg_not_allowed"),
  ]),
  bad("HS256 with the public RSA key as text for secret", forgedHmac("HS256", publicPem("rsa"), header("HS256", "RS256"), claims()), "alg_not_allowed"),
  bare("HS256 with the public RSA key as text for secret, by a key that does not say its algorithm", forgedHmac("HS256", publicPem("rsa"), header("HS256", "rsa"), claims()), "alg_not_allowed"),
  bare("HS256 with the key's JWK for secret", forgedHmac("HS256", JSON.stringify(publicJwk("rsa", { kid: "rsa" })), header("HS256", "rsa"), claims()), "alg_not_allowed"),
  bare("HS256 with the key's modulus for secret", forgedHmac("HS256", Buffer.from(publicJwk("rsa").n, "base64url"), header("HS256", "rsa"), claims()), "alg_not_allowed"),
  bare("HS256 with an Ed25519 key's bytes for secret", forgedHmac("HS256", Buffer.from(publicJwk("ed").x, "base64url"), header("HS256", "ed"), claims()), "alg_not_allowed"),
  bare("HS512 with nothing for secret", forgedHmac("HS512", "", header("HS512", "rsa"), claims()), "alg_not_allowed"),
  ...["eddsa", "es256", "rs256", "RS1", "ES256K", "Ed448", "A256GCM", "dir", "RS256 ", ""].map((alg) =>
    bare(`alg ${JSON.stringify(alg)}`, signedInput("EdDSA", "ed", input(alg, "ed")), "alg_not_allowed"),
  ),
  vector("Ed25519 is EdDSA by its later name (RFC 9864)", "alg-in-keys", api("/", bearer(forged("EdDSA", "ed", header("Ed25519", "EdDSA"), claims()))), forward(told())),
  bad("an algorithm that is not on the issuer's list", forged("RS256", "rsa", header("RS256", "rsa"), claims()), "alg_not_allowed", {}, "eddsa-only"),
  vector("an algorithm that is on the issuer's list", "eddsa-only", api("/", bearer(await jwt("EdDSA", "ed", claims(), { kid: "ed" }))), forward(told())),

  // A true signature by an algorithm that the key is not for.
  bad("PS256 by a key for RS256", forged("PS256", "rsa", header("PS256", "RS256"), claims()), "key_unsuitable"),
  bad("RS512 by a key for RS256", forged("RS512", "rsa", header("RS512", "RS256"), claims()), "key_unsuitable"),
  bad("ES256 by a key for EdDSA", forged("ES256", "p256", header("ES256", "EdDSA"), claims()), "key_unsuitable"),
  bare("ES384 by a key of P-256", forged("ES384", "p384", header("ES384", "p256"), claims()), "key_unsuitable"),
  bare("RS256 by an elliptic key", forged("RS256", "rsa", header("RS256", "p256"), claims()), "key_unsuitable"),
  bare("EdDSA by an RSA key", forged("EdDSA", "ed", header("EdDSA", "rsa"), claims()), "key_unsuitable"),
  // The header says one algorithm, the signature is of another.
  bare("a PKCS #1 signature that says PS256", forged("RS256", "rsa", header("PS256", "rsa"), claims()), "signature_invalid", checked),
  bare("a PSS signature that says RS256", forged("PS256", "rsa", header("RS256", "rsa"), claims()), "signature_invalid", checked),
  bare("a SHA-512 signature that says RS256", forged("RS512", "rsa", header("RS256", "rsa"), claims()), "signature_invalid", checked),
  bare("a PSS signature with a salt of another length", forged("PS256", "rsa", header("PS256", "rsa"), claims(), { saltLength: 20 }), "signature_invalid", checked),
  bare("a PSS signature with the longest salt", forged("PS256", "rsa", header("PS256", "rsa"), claims(), { saltLength: 222 }), "signature_invalid", checked),
  bare("a PSS signature without salt", forged("PS512", "rsa", header("PS512", "rsa"), claims(), { saltLength: 0 }), "signature_invalid", checked),
  bare("an ECDSA signature in DER", forged("ES256", "p256", header("ES256", "p256"), claims(), { der: true }), "signature_invalid", checked),
  bare("an ECDSA signature in DER, of ES384", forged("ES384", "p384", header("ES384", "p384"), claims(), { der: true }), "signature_invalid", checked),
  bad("an Ed25519 signature whose S is spelled with the order added", withSignature(ed, plusOrder), "signature_invalid"),
  bad("an Ed25519 key of low order signs nothing", withSignature(forged("EdDSA", "ed", header("EdDSA", "low"), claims()), () => Buffer.concat([neutral, Buffer.alloc(32)])), "signature_invalid", {}, "low-order"),
];
