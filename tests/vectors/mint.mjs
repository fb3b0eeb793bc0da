// Tokens and cookies by second implementations: `jose` for honest tokens, `node:crypto` for everything that jose would
// refuse to make. Nothing here knows Doorward. Keys and secrets are throwaway and protect nothing.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  createCipheriv, createHash, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, sign as nodeSign,
} from "node:crypto";
import { CompactSign, compactDecrypt, compactVerify, importJWK } from "jose";

const KEYS_FILE = new URL("keys.json", import.meta.url);

/** What is generated where `keys.json` has no key of that name; keys that are there stay. */
const WANTED = {
  ed: ["ed25519"],
  ed2: ["ed25519"],
  p256: ["ec", { namedCurve: "P-256" }],
  p256b: ["ec", { namedCurve: "P-256" }],
  p384: ["ec", { namedCurve: "P-384" }],
  p384b: ["ec", { namedCurve: "P-384" }],
  p521: ["ec", { namedCurve: "P-521" }],
  p521b: ["ec", { namedCurve: "P-521" }],
  rsa: ["rsa", { modulusLength: 2048 }],
  rsa2: ["rsa", { modulusLength: 2048 }],
  rsaWeak: ["rsa", { modulusLength: 1024 }],
  secp256k1: ["ec", { namedCurve: "secp256k1" }],
};

const keys = existsSync(KEYS_FILE) ? JSON.parse(readFileSync(KEYS_FILE, "utf8")) : {};
for (const [name, parameters] of Object.entries(WANTED)) {
  keys[name] ??= generateKeyPairSync(...parameters).privateKey.export({ format: "jwk" });
}
writeFileSync(KEYS_FILE, `${JSON.stringify(keys, null, 2)}\n`);

/** The private key of this name, for `node:crypto`. */
const privateKey = (name) => createPrivateKey({ key: keys[name], format: "jwk" });

/** The public key of this name as a JWK; `members` are put beside (or over) its own. */
export function publicJwk(name, members = {}) {
  const { kty, crv, x, y, n, e } = keys[name];
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, ...members }));
}

/** The same with its private members. */
export const privateJwk = (name, members = {}) => ({ ...keys[name], ...members });

/** A public key as text, as somebody who confuses algorithms would use it for an HMAC. */
export const publicPem = (name) => createPublicKey(privateKey(name)).export({ format: "pem", type: "spki" });

export const b64u = (bytes) => Buffer.from(bytes).toString("base64url");

const HASH = { 256: "sha256", 384: "sha384", 512: "sha512" };

/** A JWS signature by `node:crypto` (RFC 7518 section 3, RFC 8037 section 3.1). */
function signature(alg, key, input, options = {}) {
  const hash = HASH[alg.slice(2)];
  if (alg === "EdDSA") return nodeSign(null, Buffer.from(input), privateKey(key));
  if (alg.startsWith("HS")) return createHmac(hash, options.secret).update(input).digest();
  if (alg.startsWith("ES")) {
    return nodeSign(hash, Buffer.from(input), { key: privateKey(key), dsaEncoding: options.der ? "der" : "ieee-p1363" });
  }
  if (alg.startsWith("PS")) {
    const saltLength = options.saltLength ?? Number(alg.slice(2)) / 8;
    return nodeSign(hash, Buffer.from(input), { key: privateKey(key), padding: 6 /* RSA_PKCS1_PSS_PADDING */, saltLength });
  }
  return nodeSign(hash, Buffer.from(input), privateKey(key));
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** An honest JWT, made and verified by jose. */
export async function jwt(alg, key, claims, header = {}) {
  const jwk = { ...keys[key], alg };
  const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, ...header })
    .sign(await importJWK(jwk, alg));
  await compactVerify(token, await importJWK({ ...publicJwk(key), alg }, alg));
  return token;
}

/**
 * Any JWS, with a true signature by `node:crypto` over whatever header and payload there are (objects, or JSON text with
 * its own spelling). `header.alg` need not be the algorithm that signs.
 */
export function forged(alg, key, header, payload, options = {}) {
  const input = `${b64u(text(header))}.${b64u(text(payload))}`;
  return `${input}.${b64u(signature(alg, key, input, options))}`;
}

/** A JWS with an HMAC. */
export const forgedHmac = (alg, secret, header, payload) => forged(alg, undefined, header, payload, { secret });

/** A signature over an encoded header and payload exactly as they are spelled. */
export const signedInput = (alg, key, input) => `${input}.${b64u(signature(alg, key, input))}`;

/** The bytes of a token's signature, changed by `change`. */
export function withSignature(token, change) {
  const [header, payload, mac] = token.split(".");
  return `${header}.${payload}.${b64u(change(Buffer.from(mac, "base64url")))}`;
}

/** The same token with the last bit of its signature's middle byte turned. */
export const tampered = (token) => withSignature(token, (bytes) => (bytes[bytes.length >> 1] ^= 1, bytes));

/** The same signature under other claims. */
export function withPayload(token, payload) {
  const [header, , mac] = token.split(".");
  return `${header}.${b64u(text(payload))}.${mac}`;
}

// ---- Better Auth (../better-auth has its own bytes; these are made by its wire format) ------------------------------

/** `token.signature` as Better Auth signs every cookie, not percent-encoded. */
export const signedValue = (value, secret) => `${value}.${createHmac("sha256", secret).update(value).digest("base64")}`;

/** The same as it stands in a `Cookie` header. */
export const signedCookie = (value, secret) => encodeURIComponent(signedValue(value, secret));

/** Strategy `compact`. `outer` changes the text of the outer object before it is encoded. */
export function compact(payload, expires, secret, outer = (json) => json) {
  const session = text(payload);
  const message = `${session.slice(0, -1)},"expiresAt":${expires}}`;
  const mac = createHmac("sha256", secret).update(message).digest("base64url");
  return b64u(outer(`{"session":${session},"expiresAt":${expires},"signature":"${mac}"}`));
}

/** Strategy `jwt` with the secret. */
export const hs256 = (payload, expires, secret, header = { alg: "HS256" }) =>
  forgedHmac(header.alg, secret, header, { ...payload, iat: expires - 300, exp: expires });

/** Strategy `jwe`; deterministic, and decrypted by jose to be sure. */
export async function jwe(payload, expires, secret, { header = {}, salt = "better-auth-session", check = true } = {}) {
  const key = Buffer.from(hkdfSync("sha256", secret, salt, "BetterAuth.js Generated Encryption Key", 64));
  const kid = createHash("sha256").update(`{"k":"${b64u(key)}","kty":"oct"}`).digest("base64url");
  const aad = b64u(JSON.stringify({ alg: "dir", enc: "A256CBC-HS512", kid, ...header }));
  const iv = createHash("sha256").update(`iv of ${text(payload)}`).digest().subarray(0, 16);
  const plaintext = text({ ...payload, iat: expires - 300, exp: expires, jti: "415e2ac7-33f3-460f-af31-1e28634ab89c" });
  const cipher = createCipheriv("aes-256-cbc", key.subarray(32), iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(aad.length * 8));
  const tag = createHmac("sha512", key.subarray(0, 32)).update(aad).update(iv).update(ciphertext).update(length).digest();
  const token = `${aad}..${b64u(iv)}.${b64u(ciphertext)}.${b64u(tag.subarray(0, 32))}`;
  if (check) await compactDecrypt(token, key);
  return token;
}
