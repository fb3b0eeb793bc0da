// Tokens and cookies by second implementations: `jose` for honest tokens, `node:crypto` for everything that jose would
// refuse to make. Nothing here knows Doorward. Keys and secrets are throwaway and protect nothing.
//
// The same input always gives the same bytes, so that a new case changes no other: ECDSA by RFC 6979 (`@noble/curves`), PSS with
// a salt made from what is signed. Each such signature is verified by `node:crypto` before it is used.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  constants, createCipheriv, createHash, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, privateEncrypt,
  sign as nodeSign, verify as nodeVerify,
} from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
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

const CURVES = { "P-256": p256, "P-384": p384, "P-521": p521, secp256k1 };

/** A JWS signature (RFC 7518 section 3, RFC 8037 section 3.1). */
function signature(alg, key, input, options = {}) {
  const hash = HASH[alg.slice(2)];
  if (alg === "EdDSA") return nodeSign(null, Buffer.from(input), privateKey(key));
  if (alg.startsWith("HS")) return createHmac(hash, options.secret).update(input).digest();
  if (alg.startsWith("ES")) return ecdsa(hash, key, input, options.der ? "der" : "ieee-p1363");
  if (alg.startsWith("PS")) return pss(hash, key, input, options.saltLength ?? Number(alg.slice(2)) / 8);
  return nodeSign(hash, Buffer.from(input), privateKey(key));
}

/** ECDSA with the nonce of RFC 6979. */
function ecdsa(hash, key, input, dsaEncoding) {
  const digest = createHash(hash).update(input).digest();
  const secret = Buffer.from(keys[key].d, "base64url");
  const format = dsaEncoding === "der" ? "der" : "compact";
  const made = Buffer.from(CURVES[keys[key].crv].sign(digest, secret, { prehash: false, lowS: false, format }));
  return verified(made, hash, input, { key: createPublicKey(privateKey(key)), dsaEncoding });
}

/** RSASSA-PSS (RFC 8017 section 9.1.1) with a salt made from what is signed. */
function pss(hash, key, input, saltLength) {
  const digest = (...parts) => createHash(hash).update(Buffer.concat(parts)).digest();
  const bits = privateKey(key).asymmetricKeyDetails.modulusLength - 1;
  const length = Math.ceil(bits / 8);
  const salt = mask(digest, digest(Buffer.from(`salt of ${input}`)), saltLength);
  const h = digest(Buffer.alloc(8), digest(Buffer.from(input)), salt);
  const block = Buffer.alloc(length - h.length - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  const masked = Buffer.from(mask(digest, h, block.length).map((byte, at) => byte ^ block[at]));
  masked[0] &= 0xff >> (8 * length - bits);
  const encoded = Buffer.concat([masked, h, Buffer.from([0xbc])]);
  const made = privateEncrypt({ key: privateKey(key), padding: constants.RSA_NO_PADDING }, encoded);
  return verified(made, hash, input, { key: createPublicKey(privateKey(key)), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

/** MGF1 (RFC 8017 appendix B.2.1). */
function mask(digest, seed, length) {
  const parts = [];
  for (let count = 0; parts.length * seed.length < length; count++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(count);
    parts.push(digest(seed, counter));
  }
  return Buffer.concat(parts).subarray(0, length);
}

function verified(made, hash, input, key) {
  if (!nodeVerify(hash, Buffer.from(input), key, made)) throw new Error("a signature does not hold");
  return made;
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** An honest JWT, made by jose where the algorithm gives the same bytes each time, and verified by jose. */
export async function jwt(alg, key, claims, header = {}) {
  const protectedHeader = { alg, ...header };
  const isRandom = alg.startsWith("ES") || alg.startsWith("PS");
  const token = isRandom ? forged(alg, key, protectedHeader, claims) : await signedByJose(alg, key, claims, protectedHeader);
  await compactVerify(token, await importJWK({ ...publicJwk(key), alg }, alg));
  return token;
}

const signedByJose = async (alg, key, claims, header) =>
  new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(await importJWK({ ...keys[key], alg }, alg));

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
