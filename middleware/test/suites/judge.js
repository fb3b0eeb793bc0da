// Cases of conformance suites through the WebAssembly, signatures checked by the WebCrypto of the runtime that this runs in.
// It runs in each, and so it has nothing of Node.

import { performer } from "../../perform.js";
import { signaturesBy } from "../../signatures.js";

const HOST = JSON.stringify({ checks: signaturesBy().parts });

/** No case is encrypted for a key that is derived from this one: each is refused for its form. */
const SECRET = new Uint8Array(32);

/** Sets of signatures over any bytes whose names do not say how. */
const ALGORITHMS = {
  ecdsa_secp256r1_sha256_p1363: "ES256",
  ecdsa_secp384r1_sha384_p1363: "ES384",
  ecdsa_secp521r1_sha512_p1363: "ES512",
  ed25519: "EdDSA",
};

/**
 * What comes of each case of a suite: the reason why it is refused, or `accepted`, in order.
 *
 * @param {object} glue what wasm-bindgen wrote, with the door for suites
 * @param {{ rfc: object[] } | { set: string, groups: object[] }} suite
 * @returns {Promise<string[]>}
 */
export async function judge(glue, suite) {
  glue.__wbg_reset_state();
  const perform = performer();
  const outcomes = [];
  const put = ({ reason }) => outcomes.push(reason ?? "accepted");
  if (suite.rfc) {
    for (const example of suite.rfc) {
      put(await ofToken(glue, perform, example.secret ? { kty: "oct", k: example.secret } : example.key, example.token));
    }
    return outcomes;
  }
  for (const group of suite.groups) {
    for (const vector of group.tests) put(await ofCase(glue, perform, suite.set, group, vector));
  }
  return outcomes;
}

async function ofCase(glue, perform, set, group, vector) {
  if (vector.jwe !== undefined) return JSON.parse(glue.suite_jwe(SECRET, textOf(vector.jwe)));
  if (vector.jws !== undefined) return ofToken(glue, perform, group.public ?? group.private, textOf(vector.jws));
  const [key, message, tag, signature] = ["key", "msg", "tag", "sig"].map((name) => fromHex(vector[name] ?? ""));
  if (set.startsWith("hmac")) return glue.suite_mac(key, message, tag) ? {} : { reason: "signature_invalid" };
  if (set === "a256cbc_hs512") {
    const [aad, iv, ciphertext] = ["aad", "iv", "ct"].map((name) => fromHex(vector[name]));
    const content = glue.suite_decrypted(key, aad, iv, ciphertext, tag);
    if (content && String(content) !== String(message)) throw new Error(`case ${vector.tcId} was decrypted to something else`);
    return content ? {} : { reason: "signature_invalid" };
  }
  const jwk = JSON.stringify(jwkOf(group));
  return withVerdict(perform, (verdict) => glue.suite_signature(HOST, jwk, algorithmOf(set), message, signature, verdict));
}

/**
 * A token with a key or a key set. A symmetric key is tried as the secret of an HS256 cookie, which is the only place for one;
 * in a key set it is no key at all.
 */
async function ofToken(glue, perform, key, token) {
  const keySet = JSON.stringify(key?.keys ? key : { keys: [key] });
  const byKeySet = await withVerdict(perform, (verdict) => glue.suite_token(HOST, keySet, token, verdict));
  if (key?.kty !== "oct") return byKeySet;
  if (!byKeySet.reason) throw new Error(`a symmetric key of a key set was used for ${token}`);
  return JSON.parse(glue.suite_hs256(fromBase64url(key.k), token));
}

/** Asks, lets the platform check the signature where it has to, and asks again. */
async function withVerdict(perform, ask) {
  const first = JSON.parse(ask(undefined));
  if (!first.check) return first;
  const { signingInput, signature, ...check } = first.check;
  const reply = await perform({ kind: "check", ...check, signingInput: Uint8Array.from(signingInput), signature: Uint8Array.from(signature) });
  return reply.kind === "checked" ? JSON.parse(ask(reply.holds)) : { reason: "signature_check_unavailable" };
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
    return toBase64url(fromHex(length ? plain.padStart(2 * length, "0") : plain));
  };
  if (modulus) return { kty: "RSA", n: number(modulus), e: number(publicExponent) };
  const [crv, length] = { secp256r1: ["P-256", 32], secp384r1: ["P-384", 48], secp521r1: ["P-521", 66] }[curve];
  return { kty: "EC", crv, x: number(wx, length), y: number(wy, length) };
}

const textOf = (token) => (typeof token === "string" ? token : JSON.stringify(token));
const fromHex = (hex) => Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
const fromBase64url = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const toBase64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
