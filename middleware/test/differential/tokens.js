// Keys and tokens for a comparison with another library: honest ones, and ones that something is wrong with. Which ones, a
// seed decides; RSA keys alone are new each time. Nothing here knows Doorward or the other library.

import { constants, createECDH, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";

export const NOW = 1_700_000_000;
export const ISSUER = "https://issuer.test";
export const AUDIENCE = "https://api.test";

const b64u = (bytes) => Buffer.from(bytes).toString("base64url");

/** mulberry32 */
export function randomness(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit) => next() % limit;
  const bytes = (length) => Buffer.from(Array.from({ length }, () => next() & 255));
  return { below, bytes, pick: (list) => list[below(list.length)] };
}

const CURVES = { ES256: ["prime256v1", "P-256", 32], ES384: ["secp384r1", "P-384", 48], ES512: ["secp521r1", "P-521", 66] };
export const RSA_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
/** Slow ones less often. */
export const OTHER_ALGORITHMS = ["EdDSA", "EdDSA", "EdDSA", "EdDSA", "ES256", "ES256", "ES256", "ES256", "ES384", "ES512"];

/** A key with its public half as a JWK. */
export function newKey(alg, random, number) {
  const privateKey = newPrivateKey(alg, random);
  const { kty, crv, x, y, n, e } = createPublicKey(privateKey).export({ format: "jwk" });
  const kid = `key-${number}`;
  return { alg, kid, privateKey, jwk: JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid })) };
}

function newPrivateKey(alg, random) {
  if (RSA_ALGORITHMS.includes(alg)) return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  if (alg === "EdDSA") {
    const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), random.bytes(32)]);
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  }
  const [curve, crv, length] = CURVES[alg];
  const ecdh = createECDH(curve);
  const scalar = random.bytes(length);
  scalar[0] = 0; // below the order
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const [x, y] = [point.subarray(1, 1 + length), point.subarray(1 + length)].map(b64u);
  return createPrivateKey({ key: { kty: "EC", crv, x, y, d: b64u(scalar) }, format: "jwk" });
}

/** A JWS signature (RFC 7518 section 3, RFC 8037 section 3.1); `dsaEncoding` may be another than JWS has. */
function signature(key, input, dsaEncoding = "ieee-p1363") {
  const hash = `sha${key.alg.slice(2)}`;
  if (key.alg === "EdDSA") return sign(null, Buffer.from(input), key.privateKey);
  if (key.alg.startsWith("ES")) return sign(hash, Buffer.from(input), { key: key.privateKey, dsaEncoding });
  if (key.alg.startsWith("RS")) return sign(hash, Buffer.from(input), key.privateKey);
  const saltLength = Number(key.alg.slice(2)) / 8;
  return sign(hash, Buffer.from(input), { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

const asText = (value) => (typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value));

export function signed(key, header, claims, dsaEncoding) {
  const input = `${b64u(asText(header))}.${b64u(asText(claims))}`;
  return `${input}.${b64u(signature(key, input, dsaEncoding))}`;
}

const headerOf = (key, more = {}) => ({ alg: key.alg, kid: key.kid, typ: "JWT", ...more });
const claimsOf = (random, more = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: `user-${random.below(1e6)}`,
  iat: NOW - random.below(1000),
  exp: NOW + 1 + random.below(1000),
  ...more,
});
/** The same without a member. */
const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([own]) => own !== name));
/** JSON with one more member as text, so that it can be one that is there already. */
const plus = (object, member) => `${JSON.stringify(object).slice(0, -1)},${member}}`;

/** Honest tokens. Every verifier accepts them. */
export const HONEST = {
  plain: (key, random) => signed(key, headerOf(key), claimsOf(random)),
  "no typ": (key, random) => signed(key, without(headerOf(key), "typ"), claimsOf(random)),
  "typ in full": (key, random) => signed(key, headerOf(key, { typ: "application/jwt" }), claimsOf(random)),
  "no kid": (key, random) => signed(key, without(headerOf(key), "kid"), claimsOf(random)),
  "several audiences": (key, random) => signed(key, headerOf(key), claimsOf(random, { aud: ["b", AUDIENCE] })),
  "more claims": (key, random) => signed(key, headerOf(key), claimsOf(random, { x: { y: [1, null, "é\u0000"] }, email: "a@b.c" })),
  "fractions of a second": (key, random) => signed(key, headerOf(key), claimsOf(random, { exp: NOW + 0.5, iat: NOW - 0.25 })),
  "within the tolerance": (key, random) => signed(key, headerOf(key), claimsOf(random, { exp: NOW - 4, nbf: NOW + 5 })),
  "no iat": (key, random) => signed(key, headerOf(key), without(claimsOf(random), "iat")),
  "white space in JSON": (key, random) =>
    signed(key, JSON.stringify(headerOf(key), null, " "), JSON.stringify(claimsOf(random), null, "\t")),
  "a key of its own, to be ignored": (key, random) =>
    signed(key, headerOf(key, { jwk: key.jwk, jku: "https://evil.test", x5c: ["AAAA"] }), claimsOf(random)),
};

/** Signed by the right key, with something wrong in header or claims: the rule by which it is refused where others accept it. */
export const SIGNED = {
  "typ of another purpose": ["typ", (key, random) => signed(key, headerOf(key, { typ: random.pick(["at+jwt", "JOSE", "", "logout+jwt"]) }), claimsOf(random))],
  "typ that is no text": ["header-types", (key, random) => signed(key, headerOf(key, { typ: random.pick([1, null, ["JWT"]]) }), claimsOf(random))],
  "kid that is no text": ["header-types", (key, random) => signed(key, headerOf(key, { kid: random.pick([1, null, {}]) }), claimsOf(random))],
  "unknown kid": ["", (key, random) => signed(key, headerOf(key, { kid: "another" }), claimsOf(random))],
  "another alg": ["", (key, random) => signed(key, headerOf(key, { alg: random.pick(["none", "None", "HS256", "ES256K", "RS1", "", "eddsa", key.alg === "RS256" ? "PS256" : "RS256"]) }), claimsOf(random))],
  "header that closes doors": ["closed-header", (key, random) => signed(key, headerOf(key, random.pick([{ crit: ["exp"], exp: 1 }, { crit: [] }, { b64: false }, { b64: true }, { zip: "DEF" }, { cty: "JWT" }])), claimsOf(random))],
  "header with a member twice": ["strict-json", (key, random) => signed(key, plus(headerOf(key), random.pick(['"alg":"none"', `"kid":"${key.kid}"`, '"x":{"a":1,"a":2}'])), claimsOf(random))],
  "claims with a member twice": ["strict-json", (key, random) => signed(key, headerOf(key), plus(claimsOf(random), random.pick([`"sub":"root"`, `"exp":${NOW + 9}`, '"x":{"a":1,"a":2}'])))],
  "claims that are no JSON object": ["", (key, random) => signed(key, headerOf(key), random.pick(["[]", "null", "1", "", "{", `${JSON.stringify(claimsOf(random))} x`, "﻿{}"]))],
  "claims that are no UTF-8": ["strict-json", (key, random) => signed(key, headerOf(key), Buffer.concat([Buffer.from(plus(claimsOf(random), '"x":"')).subarray(0, -1), Buffer.from([0xff]), Buffer.from('"}')]))],
  "deep claims": ["strict-json", (key, random) => signed(key, headerOf(key), plus(claimsOf(random), `"x":${"[".repeat(20)}${"]".repeat(20)}`))],
  "no exp": ["required-claims", (key, random) => signed(key, headerOf(key), without(claimsOf(random), "exp"))],
  "no sub": ["required-claims", (key, random) => signed(key, headerOf(key), random.pick([without(claimsOf(random), "sub"), claimsOf(random, { sub: "" })]))],
  "no iss or aud": ["", (key, random) => signed(key, headerOf(key), without(claimsOf(random), random.pick(["iss", "aud"])))],
  "another iss": ["", (key, random) => signed(key, headerOf(key), claimsOf(random, { iss: random.pick(["https://issuer.test/", "", "https://evil.test"]) }))],
  "another aud": ["", (key, random) => signed(key, headerOf(key), claimsOf(random, { aud: random.pick(["https://api.test/", "", [], ["b"]]) }))],
  "iss or aud of another type": ["claim-types", (key, random) => signed(key, headerOf(key), claimsOf(random, random.pick([{ iss: [ISSUER] }, { iss: 1 }, { aud: { 0: AUDIENCE } }, { aud: [AUDIENCE, 1] }, { aud: null }, { sub: 1 }, { sub: ["root"] }])))],
  "dates of another type": ["claim-types", (key, random) => signed(key, headerOf(key), claimsOf(random, { [random.pick(["exp", "nbf", "iat"])]: random.pick([`${NOW}`, null, true, [NOW], {}]) }))],
  "dates out of range": ["claim-types", (key, random) => signed(key, headerOf(key), plus(without(claimsOf(random), "exp"), `"exp":${random.pick(["1e300", "-1", "1e12", "99999999999999999999", "-1e300"])}`))],
  "expired": ["", (key, random) => signed(key, headerOf(key), claimsOf(random, { exp: NOW - 5 - random.below(100) }))],
  "not yet valid": ["", (key, random) => signed(key, headerOf(key), claimsOf(random, { nbf: NOW + 6 + random.below(100) }))],
  "issued in the future": ["from-the-future", (key, random) => signed(key, headerOf(key), claimsOf(random, { iat: NOW + 6 + random.below(100) }))],
  "too large": ["size", (key, random) => signed(key, headerOf(key, random.below(2) ? { x: "x".repeat(2000) } : {}), claimsOf(random, { x: "x".repeat(random.below(2) ? 16_000 : 0) + "y".repeat(13_000) }))],
};

/** Not signed, or not as it should be. */
export const FORGED = {
  "no signature": ["", (key, random) => `${signed(key, headerOf(key, { alg: random.pick(["none", key.alg]) }), claimsOf(random)).split(".").slice(0, 2).join(".")}.`],
  "an HMAC with the public key": ["", (key, random) => {
    const input = `${b64u(JSON.stringify(headerOf(key, { alg: "HS256" })))}.${b64u(JSON.stringify(claimsOf(random)))}`;
    const secret = random.pick([createPublicKey(key.privateKey).export({ format: "pem", type: "spki" }), JSON.stringify(key.jwk), "", Buffer.from(key.jwk.x ?? key.jwk.n, "base64url")]);
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  }],
  "another key's signature": ["", (key, random, other) => signed({ ...key, ...(other.alg === key.alg ? { privateKey: other.privateKey } : {}), kid: other.kid }, headerOf(key, { jwk: other.jwk, kid: other.kid }), claimsOf(random))],
  "DER instead of r and s": ["", (key, random) => signed(key, headerOf(key), claimsOf(random, key.alg.startsWith("ES") ? {} : { exp: 1 }), "der")],
  "a signature of zeros, ones or noise": ["", (key, random) => {
    const [header, claims, own] = HONEST.plain(key, random).split(".");
    const length = Buffer.from(own, "base64url").length;
    return `${header}.${claims}.${b64u(random.pick([Buffer.alloc(length), Buffer.alloc(length, 255), Buffer.alloc(length).fill(1, length - 1), random.bytes(length), Buffer.alloc(0)]))}`;
  }],
  "s and more than the order": ["", (key, random) => changedSignature(key, random, (bytes) => {
    if (key.alg !== "EdDSA") return Buffer.concat([bytes, Buffer.alloc(1)]);
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
    const out = Buffer.from(bytes);
    for (let at = 32; at < 64; at++, s >>= 8n) out[at] = Number(s & 255n);
    return out;
  })],
  "a bit of the signature": ["", (key, random) => changedSignature(key, random, (bytes) => {
    bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    return bytes;
  })],
  "the claims of another token": ["", (key, random) => {
    const [one, two] = [HONEST.plain(key, random), HONEST.plain(key, random)].map((token) => token.split("."));
    return `${one[0]}.${b64u(JSON.stringify(claimsOf(random, { sub: "root" })))}.${two[2]}`;
  }],
};

function changedSignature(key, random, change) {
  const [header, claims, own] = HONEST.plain(key, random).split(".");
  return `${header}.${claims}.${b64u(change(Buffer.from(own, "base64url")))}`;
}

/** An honest token, written differently. */
export const RESPELT = {
  "padding": ["base64url", (key, random) => inPart(key, random, (part) => `${part}=`)],
  "white space": ["base64url", (key, random) => inPart(key, random, (part) => insert(part, random, random.pick(["\t", " ", "\u000c"])))],
  "another alphabet": ["base64url", (key, random) => inPart(key, random, (part) => part.replaceAll("-", "+").replaceAll("_", "/"))],
  "trailing bits": ["base64url", (key, random) => inPart(key, random, (part) => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return part.length % 4 === 0 ? `${part}A` : part.slice(0, -1) + alphabet[alphabet.indexOf(part.at(-1)) ^ 1];
  })],
  "characters in and out": ["base64url", (key, random) => {
    let token = HONEST.plain(key, random);
    for (let times = 1 + random.below(2); times > 0; times--) {
      const at = random.below(token.length);
      token = token.slice(0, at) + random.pick(["", "A", ".", "%", "?", "="]) + token.slice(at + random.below(2));
    }
    return token;
  }],
  "more or fewer parts": ["", (key, random) => {
    const token = HONEST.plain(key, random);
    return random.pick([`${token}.`, `.${token}`, token.replace(".", ".."), `${token}.${token}`, token.slice(0, token.lastIndexOf(".")), `${token}..`, token.split(".")[0], "", "."]);
  }],
};

function inPart(key, random, change) {
  const parts = HONEST.plain(key, random).split(".");
  const at = random.below(3);
  parts[at] = change(parts[at]);
  return parts.join(".");
}

/** Inside, because white space around a token belongs to the header field that carries it. */
function insert(text, random, character) {
  const at = 1 + random.below(text.length - 1);
  return text.slice(0, at) + character + text.slice(at);
}

/** What may stand in a key set beside or instead of the plain key. */
export const KEY_SETS = {
  plain: ["", (key) => [key.jwk]],
  "alg and use": ["", (key) => [{ ...key.jwk, alg: key.alg, use: "sig", key_ops: ["verify"] }]],
  "among odd keys": ["", (key, other) => [{ kty: "oct", k: "AAAA" }, { ...other.jwk, kid: "x" }, { kty: "OKP", crv: "Ed448", x: "AAAA" }, {}, key.jwk]],
  "for encryption": ["key-use", (key) => [{ ...key.jwk, use: "enc" }]],
  "for wrapping": ["key-use", (key) => [{ ...key.jwk, key_ops: ["wrapKey"] }]],
  "of another alg": ["", (key) => [{ ...key.jwk, alg: key.alg === "ES256" ? "ES384" : "ES256" }]],
  "one kid, two keys": ["", (key, other) => [key.jwk, { ...(other.alg === key.alg ? other.jwk : key.jwk), kid: key.kid }]],
};
