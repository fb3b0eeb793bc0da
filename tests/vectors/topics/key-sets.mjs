// Keys (product, chapter 3): which key for a token, when the set is fetched, and what an outage or an odd key costs. Seconds
// are those of `docs/` and of the table in architecture, "Key selection": cool-down 10 s, absent kids 60 s, fresh 300 s
// unless the answer says otherwise (60 s to 3600 s), and a hard ceiling of a day.

import { createHash } from "node:crypto";

import { NOW, NOW_S, api, bearer, claims, foreign, forward, jwtIssuer, keysAnswer, policy, reject, told, vector } from "../cases.mjs";
import { b64u, forged, forgedHmac, jwt, privateJwk, publicJwk } from "../mint.mjs";

const URL_ONLY = { jwks: undefined, jwks_url: "https://issuer.example/jwks" };
const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const ed2 = publicJwk("ed2", { kid: "ed2", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256", alg: "ES256" });

export const policies = {
  url: jwtIssuer(URL_ONLY),
  both: jwtIssuer({ jwks: { keys: [ed] }, jwks_url: "https://issuer.example/jwks" }),
  inline: jwtIssuer({ jwks: { keys: [ed] } }),
  two: policy({
    issuers: [foreign(URL_ONLY), foreign({ ...URL_ONLY, issuer: "https://second.example", jwks_url: "https://second.example/jwks" })],
    rules: [{ path: "/**", access: "required" }],
  }),
};

/** Claims that hold for longer than any key. */
const long = (members = {}) => claims({ exp: NOW_S + 200_000, ...members });
const toldLong = (members = {}) => told({ "x-doorward-expires": String(NOW_S + 200_000), ...members });
const token = (key, kid) => jwt("EdDSA", key, long(), kid === undefined ? {} : { kid });
const good = bearer(await token("ed", "ed"));
const good2 = bearer(await token("ed2", "ed2"));
const noKid = bearer(await token("ed"));
const inItsPlace = bearer(await token("ed2", "ed"));
const es256 = (key) => jwt("ES256", key, long(), { kid: "ed" });
const unknown = (kid) => bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid }, long()));

const effects = ["keys"];
const at = (seconds, after, members = {}) => ({ now: NOW + seconds * 1000, after, ...members });
const on = (name, credential, expected, more) => vector(name, "url", api("/", credential), expected, more);
const passes = forward(toldLong());
/** A token by a set that is fetched for it. */
const fetched = (name, keys, credential, expected, more = {}) => on(name, credential, expected, { effects, results: [keysAnswer(keys)], ...more });
/** An answer that cannot be used. */
const unusable = (name, result) => on(name, good, reject("keys_unavailable"), { effects, results: [result] });
const answer = (status, body, headers = []) => ({ of: "keys", status, headers, body });
const failed = { of: "keys", failed: true };
const set = (...keys) => JSON.stringify({ keys });

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The bytes of a member, other ones in their place. */
const respelt = (key, name, change) => ({ ...key, [name]: change(key[name], Buffer.from(key[name], "base64url")) });
const lastBit = (_, bytes) => b64u(Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1) ^ 1])]));
/** x + p, which is x + 2^521 - 1, and has room in 66 bytes: another spelling of the same point. */
const plusP = (_, bytes) => b64u(Buffer.from((BigInt(`0x${bytes.toString("hex")}`) + 2n ** 521n - 1n).toString(16).padStart(132, "0"), "hex"));
/** A modulus of so many bits, whose primes are unknown. */
const modulus = (bits) => b64u(Buffer.from((2n ** BigInt(bits) - 1n).toString(16), "hex"));
/** The mark of ROCA (CVE-2017-15361): modulo small primes, a power of 65537. */
const primorial = [2n, 11n, 13n, 17n, 19n, 37n, 53n, 61n, 71n, 73n, 79n, 97n, 103n, 107n, 109n, 127n, 151n, 157n].reduce((product, prime) => product * prime);
const ofRoca = b64u(Buffer.from((primorial * (2n ** 2047n / primorial + 1n) + 1n).toString(16), "hex"));
const SHARED = "a secret that everybody can read now";
const rsa = publicJwk("rsa", { kid: "odd" });
const p521 = publicJwk("p521", { kid: "odd" });

/** Odd keys: each is left out, and the good one beside it is used. */
const odd = {
  "of an unknown kind": { kty: "AKP", alg: "ML-DSA-44", pub: "AAAA", kid: "odd" },
  "for encryption": { ...ed2, use: "enc" },
  "that may only sign": { ...ed2, key_ops: ["sign"] },
  "with its private part": privateJwk("ed2", { kid: "ed2" }),
  "symmetric": { kty: "oct", k: b64u(SHARED), kid: "odd", alg: "HS256" },
  "for encryption and signatures at once": { ...ed2, use: ["sig"] },
  "whose operations are a text": { ...ed2, key_ops: "verify" },
  "whose operations are none": { ...ed2, key_ops: [] },
  "whose algorithm is null": { ...ed2, alg: null },
  "of no kind": { crv: "Ed25519", x: ed2.x, kid: "odd" },
  "of a kind that is a list": { ...ed2, kty: ["OKP"] },
  "of Ed448": { kty: "OKP", crv: "Ed448", x: b64u(Buffer.alloc(57, 7)), kid: "odd", alg: "EdDSA" },
  "of X25519": { kty: "OKP", crv: "X25519", x: ed2.x, kid: "odd" },
  "of the curve P-192": { kty: "EC", crv: "P-192", x: b64u(Buffer.alloc(24, 1)), y: b64u(Buffer.alloc(24, 2)), kid: "odd" },
  "with padding": respelt({ ...ed2, kid: "odd" }, "x", (text) => `${text}=`),
  "in the alphabet of base64": { ...ed2, x: "+/".repeat(21).concat("A") },
  "with trailing bits": respelt({ ...ed2, kid: "odd" }, "x", (text) => text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)) ^ 1]),
  "nested too deep": { ...ed2, x5c: JSON.parse(`${"[".repeat(20)}${"]".repeat(20)}`) },
  ...Object.fromEntries(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map((name) => [`with the private member ${name}`, { ...rsa, [name]: "AQAB" }])),
  "RSA of 1024 bits": publicJwk("rsaWeak", { kid: "odd" }),
  "RSA of 2047 bits": { ...rsa, n: modulus(2047) },
  "RSA of 8193 bits": { ...rsa, n: modulus(8193) },
  "RSA with a zero before its modulus": respelt(rsa, "n", (_, bytes) => b64u(Buffer.concat([Buffer.alloc(1), bytes]))),
  "RSA with an even modulus": respelt(rsa, "n", lastBit),
  "RSA with the mark of ROCA": { ...rsa, n: ofRoca },
  "RSA with an exponent of five bytes": { ...rsa, e: b64u(Buffer.from([1, 0, 0, 0, 1])) },
  "RSA with a zero before its exponent": { ...rsa, e: b64u(Buffer.from([0, 1, 0, 1])) },
  "RSA with the exponent 1": { ...publicJwk("rsa"), e: "AQ", kid: "odd" },
  "RSA with an even exponent": { ...publicJwk("rsa"), e: "Ag", kid: "odd" },
  "on a curve that JWTs do not use here": publicJwk("secp256k1", { kid: "odd" }),
  "with a coordinate cut short": { ...publicJwk("p256"), x: publicJwk("p256").x.slice(0, -2), kid: "odd" },
  "whose point is off P-256": respelt({ ...p256, kid: "odd" }, "y", lastBit),
  "whose point is off P-384": respelt(publicJwk("p384", { kid: "odd" }), "x", lastBit),
  "whose point is off P-521": respelt(p521, "y", lastBit),
  "whose point is spelt with p added": respelt(p521, "x", plusP),
  "whose point is at nought": { ...p256, x: b64u(Buffer.alloc(32)), y: b64u(Buffer.alloc(32)), kid: "odd" },
  "whose algorithm is not for its kind": { ...ed2, alg: "RS256" },
  "whose algorithm is none": { ...ed2, alg: "none" },
  "whose kid is a number": { ...ed2, kid: 7 },
  "that is null": null,
  "that is a text": "key",
  "that is empty": {},
};

/** With the exponent 1 a signature is the padded digest itself (RFC 8017, section 9.2): no private key is needed. */
function signedByOne(bits) {
  const input = `${b64u(JSON.stringify({ alg: "RS256", kid: "one" }))}.${b64u(JSON.stringify(long()))}`;
  const info = Buffer.concat([Buffer.from("3031300d060960864801650304020105000420", "hex"), createHash("sha256").update(input).digest()]);
  const padding = Buffer.alloc(bits / 8 - info.length - 3, 0xff);
  return `${input}.${b64u(Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info]))}`;
}

export const cases = [
  fetched("the keys are fetched for the first token", [ed], good, passes),
  on("the keys serve the next token", good, passes, at(1, "the keys are fetched for the first token")),
  on("the keys serve until they are no longer fresh", good, passes, at(299, "the keys are fetched for the first token", { also: { after: [] } })),
  on("keys that are no longer fresh serve, and are fetched after the response", good, passes, at(300, "the keys are fetched for the first token", { results: [keysAnswer([ed, ed2])], also: { after: ["keys"] } })),
  on("what was fetched after the response serves", good2, passes, at(301, "keys that are no longer fresh serve, and are fetched after the response", { also: { after: [] } })),

  // Unknown kids.
  fetched("an unknown kid is fetched once and not found", [ed], unknown("nobody"), reject("key_not_found")),
  on("an unknown kid in the cool-down makes no request", unknown("nobody-2"), reject("key_not_found"), at(9, "an unknown kid is fetched once and not found")),
  on("a known kid is served in the cool-down", good, passes, at(9, "an unknown kid is fetched once and not found")),
  on("a kid that is known to be absent makes no request after the cool-down", unknown("nobody"), reject("key_not_found"), at(11, "an unknown kid is fetched once and not found")),
  on("another unknown kid asks after the cool-down", unknown("nobody-3"), reject("key_not_found"), at(11, "an unknown kid is fetched once and not found", { effects, results: [keysAnswer([ed])] })),
  on("a kid is absent for a minute only", unknown("nobody"), reject("key_not_found"), at(61, "an unknown kid is fetched once and not found", { effects, results: [keysAnswer([ed])] })),
  on("a new key is found by its first token", good2, passes, at(80, "an unknown kid is fetched once and not found", { effects, results: [keysAnswer([ed, ed2])] })),
  fetched("two keys, before one is withdrawn", [ed, ed2], good2, passes),
  on("a withdrawn key serves until the set is fetched anew", good2, passes, at(301, "two keys, before one is withdrawn", { results: [keysAnswer([ed])], also: { after: ["keys"] } })),
  on("a withdrawn key serves no longer", good2, reject("key_not_found"), at(302, "two keys, before one is withdrawn")),

  // Another key in the place of the one that is known: under its kid, or both without one. A set that is no longer fresh proves no refusal.
  fetched("a key, before another takes its kid", [ed], good, passes),
  on("by a fresh set the new key is a bad signature", inItsPlace, reject("signature_invalid"), at(299, "a key, before another takes its kid")),
  on("by a stale one it is a reason to ask", inItsPlace, passes, at(300, "a key, before another takes its kid", { effects, results: [keysAnswer([{ ...ed2, kid: "ed" }])] })),
  on("what the old key has signed is refused then", good, reject("signature_invalid"), at(301, "a key, before another takes its kid")),
  fetched("a key without a kid, before another", [publicJwk("ed")], noKid, passes),
  on("another key, neither has a kid", bearer(await token("ed2")), passes, at(300, "a key without a kid, before another", { effects, results: [keysAnswer([publicJwk("ed2")])] })),
  fetched("a key, before one of another kind takes its kid", [ed], good, passes),
  on("by a fresh set a key of another kind is unsuitable", bearer(await es256("p256")), reject("key_unsuitable"), at(299, "a key, before one of another kind takes its kid")),
  on("by a stale one that is a reason to ask as well", bearer(await es256("p256")), passes, at(300, "a key, before one of another kind takes its kid", { effects: ["keys", "check"], results: [keysAnswer([{ ...p256, kid: "ed" }])] })),
  fetched("two keys that suit, before one is withdrawn", [publicJwk("ed"), publicJwk("ed2")], noKid, reject("key_ambiguous")),
  on("one of them is left", noKid, passes, at(300, "two keys that suit, before one is withdrawn", { effects, results: [keysAnswer([publicJwk("ed")])] })),
  fetched("a key that the platform checks by, before another takes its kid", [{ ...p256, kid: "ed" }], bearer(await es256("p256")), passes, { effects: ["keys", "check"] }),
  on("the platform checks by the old key, and then by the new one", bearer(await es256("p256b")), passes, at(300, "a key that the platform checks by, before another takes its kid", { effects: ["check", "keys", "check"], results: [keysAnswer([{ ...publicJwk("p256b", { alg: "ES256" }), kid: "ed" }])] })),
  fetched("a key, before an outage in which another takes its kid", [ed], good, passes),
  on("in an outage it is not known whose the signature is", inItsPlace, reject("keys_unavailable"), at(300, "a key, before an outage in which another takes its kid", { effects, results: [failed] })),
  on("nor at the next try", inItsPlace, reject("keys_unavailable"), at(300.5, "a key, before an outage in which another takes its kid")),
  on("and who has the old one goes on", good, passes, at(301, "a key, before an outage in which another takes its kid", { also: { after: [] } })),
  vector("a bad signature by inline keys, the others have never been fetched", "both", api("/", inItsPlace), reject("signature_invalid"), { effects, results: [keysAnswer([p256])] }),
  vector("a bad signature by inline keys, and there are no others", "inline", api("/", inItsPlace), reject("signature_invalid")),

  // Silence. A set that is twice as old as it is fresh is asked for before anything rests on it.
  fetched("two keys, before a silence", [ed, ed2], good2, passes),
  on("not overdue yet", good2, passes, at(599, "two keys, before a silence", { results: [failed], also: { after: ["keys"] } })),
  fetched("two keys, before another silence", [ed, ed2], good2, passes),
  on("a token that has passed before, by a key that was withdrawn in the silence", good2, reject("key_not_found"), at(600, "two keys, before another silence", { effects, results: [keysAnswer([ed])] })),
  fetched("two keys, before a third silence", [ed, ed2], good, passes),
  on("a new token by a key that was withdrawn in the silence", good2, reject("key_not_found"), at(80_000, "two keys, before a third silence", { effects, results: [keysAnswer([ed])] })),
  fetched("two keys, before a silence and an outage", [ed, ed2], good2, passes),
  on("overdue keys serve in an outage", good2, passes, at(600, "two keys, before a silence and an outage", { effects, results: [failed], also: { after: [] } })),
  on("and no request waits for the next fetch", good2, passes, at(602, "two keys, before a silence and an outage", { effects: [], results: [failed], also: { after: ["keys"] } })),
  vector("inline keys are never overdue", "both", api("/", good2), passes, { effects, results: [keysAnswer([ed2])] }),
  vector("inline keys are never overdue: they serve while the others are fetched", "both", api("/", good), passes, { after: "inline keys are never overdue", now: NOW + 700_000, results: [keysAnswer([ed2])], also: { after: ["keys"] }, effects: [] }),

  // Outages.
  on("keys that cannot be fetched are an outage, not a bad token", good, reject("keys_unavailable"), { effects, results: [failed] }),
  on("a failure is not asked about again at once", good, reject("keys_unavailable"), at(0.9, "keys that cannot be fetched are an outage, not a bad token")),
  on("a failure is asked about again soon, and what comes is used", good, passes, at(2, "keys that cannot be fetched are an outage, not a bad token", { effects, results: [keysAnswer([ed])] })),
  fetched("keys before an outage", [ed], good, passes),
  on("stale keys serve in an outage", good, passes, at(400, "keys before an outage", { results: [failed], also: { after: ["keys"] } })),
  on("stale keys serve in an outage and the next try waits", good, passes, at(400.5, "keys before an outage", { also: { after: [] } })),
  on("an unknown kid in an outage is unknown to us, not to the issuer", unknown("nobody"), reject("keys_unavailable"), at(400.6, "keys before an outage")),
  on("stale keys serve until a day has passed", good, passes, at(86_399, "keys before an outage", { results: [failed], also: { after: ["keys"] } })),
  on("keys of a day ago serve no longer", good, reject("keys_unavailable"), at(86_402, "keys before an outage", { effects, results: [failed] })),
  on("after an outage fresh keys serve", good, passes, at(86_450, "keys before an outage", { effects, results: [keysAnswer([ed])] })),
  fetched("keys before an answer that cannot be used", [ed], good, passes),
  on("a page in place of keys does not empty the cache", good, passes, at(500, "keys before an answer that cannot be used", { results: [answer(200, "<html>")], also: { after: ["keys"] } })),
  on("an outage did not empty the cache", good, passes, at(500.1, "keys before an answer that cannot be used")),
  unusable("500 is an outage", answer(500, set(ed))),
  unusable("404 is an outage", answer(404, set(ed))),
  unusable("a redirect is not followed", answer(302, "", [["location", "https://evil.example/jwks"]])),
  unusable("304 to a question without a condition is an outage", answer(304, "")),
  unusable("an empty body is an outage", answer(200, "")),
  unusable("a page is an outage", answer(200, "<!doctype html>", [["content-type", "text/html"]])),
  unusable("an object without keys is an outage", answer(200, "{}")),
  unusable("a list of keys is no set", answer(200, JSON.stringify([ed]))),
  unusable("keys that are no list are an outage", answer(200, JSON.stringify({ keys: ed }))),
  unusable("a set with more after its end is an outage", answer(200, `${set(ed)}{}`)),
  unusable("keys twice are an outage", answer(200, `{"keys":[],"keys":[${JSON.stringify(ed)}]}`)),
  unusable("a set that is cut off is an outage", answer(200, set(ed).slice(0, -1))),
  unusable("a set over 256 KiB is an outage", answer(200, `{"keys":[${JSON.stringify(ed)}],"x":"${"x".repeat(262_144)}"}`)),

  // Freshness.
  fetched("max-age below the floor", [ed], good, passes, { results: [keysAnswer([ed], [["cache-control", "public, max-age=1"]])] }),
  on("max-age below the floor: still fresh", good, passes, at(59, "max-age below the floor", { also: { after: [] } })),
  on("max-age below the floor: fetched anew", good, passes, at(60, "max-age below the floor", { results: [keysAnswer([ed])], also: { after: ["keys"] } })),
  fetched("max-age above the ceiling", [ed], good, passes, { results: [keysAnswer([ed], [["Cache-Control", "max-age=86400"]])] }),
  on("max-age above the ceiling: still fresh", good, passes, at(3599, "max-age above the ceiling", { also: { after: [] } })),
  on("max-age above the ceiling: fetched anew", good, passes, at(3600, "max-age above the ceiling", { results: [keysAnswer([ed])], also: { after: ["keys"] } })),
  fetched("max-age counts from where the answer was made", [ed], good, passes, { results: [keysAnswer([ed], [["cache-control", "max-age=600"], ["age", "500"]])] }),
  on("max-age counts from where the answer was made: still fresh", good, passes, at(99, "max-age counts from where the answer was made", { also: { after: [] } })),
  on("max-age counts from where the answer was made: fetched anew", good, passes, at(100, "max-age counts from where the answer was made", { results: [keysAnswer([ed])], also: { after: ["keys"] } })),
  fetched("an answer that was stale when it came", [ed], good, passes, { results: [keysAnswer([ed], [["cache-control", "max-age=0, must-revalidate"], ["age", "604800"]])] }),
  on("an answer that was stale when it came: it is not fetched all the time", good, passes, at(59, "an answer that was stale when it came", { also: { after: [] } })),
  on("an answer that was stale when it came: fetched anew", good, passes, at(60, "an answer that was stale when it came", { results: [keysAnswer([ed])], also: { after: ["keys"] } })),

  // Odd keys.
  ...Object.entries(odd).map(([what, key]) => fetched(`a key ${what} does not cost the others`, [key, ed], good, passes)),
  fetched("a key without what makes it one does not cost the others", [{ kty: "OKP" }, { kty: "EC", crv: "P-256" }, { kty: "RSA" }, ed], good, passes),
  on("a key with a member twice does not cost the others", good, passes, { effects, results: [answer(200, `{"keys":[${JSON.stringify(ed2).replace("{", '{"kid":"x",')},${JSON.stringify(ed)}]}`)] }),
  fetched("a key for signatures that says so serves", [{ ...ed, use: "sig", key_ops: ["verify"] }], good, passes),
  fetched("a key with its private part is not used", [privateJwk("ed2", { kid: "ed2" }), ed], good2, reject("key_not_found")),
  fetched("a set of nothing but private keys is an outage", [privateJwk("ed", { kid: "ed" })], good, reject("keys_unavailable")),
  fetched("a weak key is not used", [publicJwk("rsaWeak", { kid: "weak" }), ed], bearer(forged("RS256", "rsaWeak", { alg: "RS256", kid: "weak" }, long())), reject("key_not_found")),
  fetched("an RSA key with the exponent 1 is not used: anybody could sign for it", [{ ...publicJwk("rsa"), e: "AQ", kid: "one" }, ed], bearer(signedByOne(2048)), reject("key_not_found")),
  fetched("a key that may only sign is not used", [{ ...ed2, key_ops: ["sign"] }, ed], good2, reject("key_not_found")),
  fetched("a key whose algorithm is not for its kind is not used", [{ ...ed2, alg: "RS256" }, ed], good2, reject("key_not_found")),
  fetched("a key whose point is off its curve is not used, and is no outage", [respelt(p256, "y", lastBit), ed], bearer(await jwt("ES256", "p256", long(), { kid: "p256" })), reject("key_not_found")),
  fetched("a symmetric key is not used", [{ kty: "oct", k: b64u(SHARED), kid: "shared", alg: "HS256" }, ed], bearer(forgedHmac("HS256", SHARED, { alg: "HS256", kid: "shared" }, long())), reject("alg_not_allowed"), { effects: [], results: [] }),
  fetched("a key for encryption is not used", [{ ...ed2, use: "enc" }, ed], good2, reject("key_not_found")),

  // Without a kid, and with one twice.
  fetched("without a kid, the one key serves", [ed], noKid, passes),
  fetched("without a kid, the one key of its kind serves", [p256, publicJwk("rsa", { kid: "rsa" }), ed], noKid, passes),
  fetched("without a kid, two keys of its kind are ambiguous", [ed, ed2], noKid, reject("key_ambiguous")),
  fetched("without a kid, two keys of its kind are ambiguous, even when one has none", [publicJwk("ed"), ed2], noKid, reject("key_ambiguous")),
  fetched("without a kid, no key of its kind is none", [p256], noKid, reject("key_not_found")),
  fetched("with a kid, a key without one does not serve", [publicJwk("ed")], good, reject("key_not_found")),
  fetched("a kid twice is ambiguous", [ed, { ...ed2, kid: "ed" }], good, reject("key_ambiguous")),
  fetched("a kid twice is told apart by algorithm", [{ ...p256, kid: "ed" }, ed], good, passes),
  fetched("of a set of many keys the last serves as well", [...Array(64).fill(ed2), ed], good, passes),
  fetched("the same key twice is one key", [ed, ed], good, passes),
  fetched("an empty kid is a kid", [{ ...ed, kid: "" }], bearer(await token("ed", "")), passes),
  fetched("a kid is compared with regard to case", [ed], bearer(await token("ed", "ED")), reject("key_not_found")),
  fetched("a key for another algorithm is unsuitable", [{ ...p256, kid: "ed" }], good, reject("key_unsuitable")),

  // Inline keys.
  vector("inline keys need no request", "inline", api("/", good), passes),
  vector("an unknown kid beside inline keys alone makes no request", "inline", api("/", unknown("nobody")), reject("key_not_found")),
  vector("inline keys serve while the others have never been fetched", "both", api("/", good), passes, { results: [failed], also: { after: ["keys"] } }),
  vector("a key that is not inline is fetched", "both", api("/", good2), passes, { effects, results: [keysAnswer([ed2])] }),
  vector("inline keys and fetched ones serve together", "both", api("/", good), passes, { after: "a key that is not inline is fetched", now: NOW + 1, also: { after: [] } }),

  // Two issuers, two sets.
  vector("each issuer's keys are fetched from its own place", "two", api("/", bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed" }, long({ iss: "https://second.example" })))), forward(toldLong({ "x-doorward-issuer": "second.example" })), {
    effects, results: [{ ...keysAnswer([{ ...ed2, kid: "ed" }]), url: "https://second.example/jwks" }],
  }),
  vector("the keys of one issuer serve no other, although they share a kid", "two", api("/", bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed" }, long()))), reject("signature_invalid"), {
    after: "each issuer's keys are fetched from its own place", effects, results: [{ ...keysAnswer([ed]), url: "https://issuer.example/jwks" }],
  }),
  vector("a token of an unknown issuer makes no request", "two", api("/", bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed" }, long({ iss: "https://evil.example" })))), reject("issuer_unknown")),
  vector("a token that cannot be read makes no request", "two", api("/", bearer("a.b.c")), reject("token_malformed")),
  vector("an algorithm that is not allowed makes no request", "two", api("/", bearer(forged("EdDSA", "ed", { alg: "none", kid: "ed" }, long()))), reject("alg_not_allowed")),
];
