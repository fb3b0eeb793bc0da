// The form of a token before any key is looked at (RFC 7515; RFC 8725), and the places it may be in. A token has one spelling.

import { api, b64u, bearer, claims, cookies, forward, jwtIssuer, reject, told, vector } from "../cases.mjs";
import { forged, jwt, publicJwk, signedInput } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];

export const policies = {
  usual: jwtIssuer({ jwks: { keys } }),
  places: jwtIssuer({ jwks: { keys }, token_locations: ["cookie:token", "header:X-Token"] }),
};

const header = (members = {}) => ({ alg: "EdDSA", kid: "ed", ...members });
const of = (members, payload = claims()) => forged("EdDSA", "ed", header(members), payload);
const saying = (text) => forged("EdDSA", "ed", text, claims());

const ok = (name, token, set = {}) => vector(name, "usual", api("/", bearer(token)), forward(told(set)));
const bad = (name, token, reason, more) => vector(name, "usual", api("/", bearer(token)), reject(reason), more);
const placed = (name, head, expected) => vector(name, "places", api("/", ...head), expected);

const good = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const [head64, body64, mac64] = good.split(".");
/** The last character with its unused bits set: 64 bytes leave four, so another character says the same bytes. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const otherBits = (text) => text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)) | 1];
const inBody = (make) => {
  const payload = make(JSON.stringify(claims()));
  return signedInput("EdDSA", "ed", `${head64}.${payload}`);
};
const padded = (text) => {
  let json = text;
  while (json.length % 3 !== 1) json += " ";
  return `${b64u(json)}==`;
};
const standard = JSON.stringify(claims({ note: "\u00ff\u00fe?>>>~~~" }));
const json = { payload: body64, protected: head64, signature: mac64 };
const ours = publicJwk("ed2", { kid: "ed2" });
/** 44 characters of header, 86 of signature, two dots, and the rest of 16 KiB in claims. */
const large = of({ x: "" }, JSON.stringify(claims()).padEnd(((16_384 - 44 - 86 - 2) * 3) / 4));
if (large.length !== 16_384) throw new Error(`the large token has ${large.length} characters`);

export const cases = [
  ok("the usual form", good),

  // Header parameters that say where a key is: a token does not bring its own.
  ok("jku is not followed", of({ jku: "https://evil.example/jwks" })),
  ok("x5u is not followed", of({ x5u: "https://evil.example/x5u" })),
  bad("jwk is not trusted", forged("EdDSA", "ed2", header({ jwk: ours }), claims()), "signature_invalid"),
  bad("jwk is not trusted without a kid that is known", forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed2", jwk: ours }, claims()), "key_not_found"),
  bad("jku is not followed for a kid that is not known", forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed2", jku: "https://issuer.example/jwks" }, claims()), "key_not_found"),
  bad("x5c is not trusted", forged("EdDSA", "ed2", header({ x5c: ["AAAA"] }), claims()), "signature_invalid"),
  ok("an unknown parameter is passed over (RFC 7515, section 4)", of({ x: { y: 1 } })),

  // What has to be understood and is not.
  bad("crit of something", of({ crit: ["exp"], exp: 1 }), "token_unsupported"),
  bad("crit of nothing", of({ crit: [] }), "token_unsupported"),
  bad("crit that is no list", of({ crit: "x" }), "token_unsupported"),
  bad("crit that is null", of({ crit: null }), "token_unsupported"),
  bad("b64 false, as RFC 7797 wants it", of({ b64: false, crit: ["b64"] }), "token_unsupported"),
  bad("b64 false without crit", of({ b64: false }), "token_unsupported"),
  bad("zip", of({ zip: "DEF" }), "token_unsupported"),
  bad("a token in a token", of({ cty: "JWT" }, good), "token_unsupported"),
  bad("a token in a token, in small letters", of({ cty: "jwt" }, good), "token_unsupported"),
  ok("another cty says nothing about claims", of({ cty: "json" })),
  bad("an encrypted token", `${b64u('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.AAAA.AAAA.AAAA.AAAA`, "token_unsupported"),
  bad("an encrypted token by a password", `${b64u('{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2c":2147483647}')}.AAAA.AAAA.AAAA.AAAA`, "token_unsupported"),
  bad("a token with a part too many", `${good}.AAAA`, "token_malformed"),
  bad("a token with many parts", `${good}${".".repeat(5000)}`, "token_malformed"),
  bad("a token without a header", `.${body64}.${mac64}`, "token_malformed"),
  bad("a token without a payload has no claims", signedInput("EdDSA", "ed", `${head64}.`), "claims_malformed"),
  bad("dots alone", "..", "token_malformed"),

  // JSON serialisation (RFC 7515, section 7.2).
  bad("the flattened JSON serialisation in the header is no token of RFC 6750", JSON.stringify(json), "credential_malformed"),
  placed("the flattened JSON serialisation", [cookies({ token: encodeURIComponent(JSON.stringify(json)) })], reject("token_unsupported")),
  placed("the general JSON serialisation", [cookies({ token: encodeURIComponent(JSON.stringify({ payload: body64, signatures: [{ protected: head64, signature: mac64 }] })) })], reject("token_unsupported")),
  placed("the JSON serialisation with a header that is not protected", [["x-token", JSON.stringify({ ...json, header: { alg: "none" } })]], reject("token_unsupported")),

  // One spelling.
  bad("padding at the signature", `${good}==`, "token_malformed"),
  bad("padding at the signature, escaped", `${good}%3D%3D`, "token_malformed"),
  bad("padding at the payload, signed", inBody(padded), "token_malformed"),
  bad("padding at the header, signed", signedInput("EdDSA", "ed", `${padded(JSON.stringify(header()))}.${body64}`), "token_malformed"),
  bad("other unused bits at the signature", `${head64}.${body64}.${otherBits(mac64)}`, "token_malformed"),
  bad("other unused bits at the payload, signed", inBody((text) => otherBits(b64u(text.length % 3 === 0 ? `${text} ` : text))), "token_malformed"),
  bad("the alphabet of base64, signed", inBody(() => Buffer.from(standard).toString("base64").replaceAll("=", "")), "token_malformed"),
  bad("a length that no bytes have", `${good.slice(0, -1)}`, "token_malformed"),
  bad("a character of no alphabet", `${head64}.${body64}.*${mac64.slice(1)}`, "token_malformed"),
  placed("a space at the end", [cookies({ token: `${good}%20` })], reject("token_malformed")),
  placed("a line end inside", [cookies({ token: `${head64}.${body64}%0A.${mac64}` })], reject("token_malformed")),
  placed("a zero inside", [cookies({ token: `${good}%00` })], reject("token_malformed")),

  // The header as a text.
  bad("header: a member twice", saying('{"alg":"none","alg":"EdDSA","kid":"ed"}'), "token_malformed"),
  bad("header: a member twice, escaped", saying('{"alg":"EdDSA","\\u0061lg":"EdDSA","kid":"ed"}'), "token_malformed"),
  bad("header: kid twice", saying('{"alg":"EdDSA","kid":"ed","kid":"x"}'), "token_malformed"),
  bad("header: more after the end", saying('{"alg":"EdDSA","kid":"ed"}{}'), "token_malformed"),
  bad("header: a list", saying("[]"), "token_malformed"),
  bad("header: not JSON", saying("alg=EdDSA"), "token_malformed"),
  bad("header: bytes that are no UTF-8", `${b64u(Buffer.from([0x7b, 0xff, 0x7d]))}.${body64}.${mac64}`, "token_malformed"),
  bad("header: no alg", saying('{"kid":"ed"}'), "token_malformed"),
  bad("header: alg is null", of({ alg: null }), "token_malformed"),
  bad("header: alg is a list", of({ alg: ["EdDSA"] }), "token_malformed"),
  bad("header: kid is a number", of({ kid: 7 }), "token_malformed"),
  bad("header: kid is null", of({ kid: null }), "token_malformed"),
  bad("header: typ is a number", of({ typ: 7 }), "token_malformed"),
  bad("header: cty is a list", of({ cty: ["JWT"] }), "token_malformed"),
  bad("header: nested too deep", saying(`{"alg":"EdDSA","kid":"ed","x":${"[".repeat(40)}${"]".repeat(40)}}`), "token_malformed"),

  // Size.
  vector("size: 16 KiB", "usual", api("/", bearer(large)), forward(told())),
  bad("size: a byte over 16 KiB", `${large}A`, "token_too_large"),
  bad("size: far too large", `${head64}.${"A".repeat(100_000)}.${mac64}`, "token_too_large"),
  bad("size: a header over 2 KiB", of({ x: "x".repeat(2048) }), "token_too_large"),
  placed("size: a cookie over 16 KiB", [cookies({ token: `${head64}.${"A".repeat(16_384)}.${mac64}` })], reject("token_too_large")),
  placed("size: more chunks than there may be", [cookies(Object.fromEntries(Array.from({ length: 101 }, (_, number) => [`token.${number}`, "A"])))], reject("token_too_large")),

  // Places.
  placed("a cookie", [cookies({ token: good })], forward(told())),
  placed("a cookie in chunks", [cookies({ "token.1": good.slice(50), "token.0": good.slice(0, 50) })], forward(told())),
  placed("a cookie with a chunk missing", [cookies({ "token.0": good.slice(0, 50), "token.2": good.slice(50) })], reject("cookie_incomplete")),
  placed("a cookie without its first chunk", [cookies({ "token.1": good.slice(50) })], reject("cookie_incomplete")),
  placed("a header", [["x-token", good]], forward(told())),
  placed("a header whatever its case", [["X-TOKEN", good]], forward(told())),
  placed("a header with something else in it", [["x-token", "none"]], reject("token_malformed")),
  placed("an empty cookie is none", [cookies({ token: "" })], reject("no_credential")),
  placed("a place that is not configured is none", [bearer(good)], reject("no_credential")),
  placed("a cookie of another name is none", [cookies({ token2: good, Token: good })], reject("no_credential")),
];
