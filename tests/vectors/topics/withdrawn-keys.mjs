// What an issuer says by a set without keys, and by one without a key that can be used (RFC 7517 section 5): the first says
// that there are none, the second that there are others. Neither is the answer of a service that cannot say: keys that are not in
// it are withdrawn.

import { NOW, NOW_S, api, bearer, claims, forward, jwtIssuer, keysAnswer, reject, told, vector } from "../cases.mjs";
import { b64u, forged, privateJwk, publicJwk } from "../mint.mjs";

const URL = "https://issuer.example/jwks";
const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const ed2 = publicJwk("ed2", { kid: "ed2", alg: "EdDSA" });
const rsa = publicJwk("rsa", { kid: "rsa" });
/** As libraries spell it whose numbers have a sign (jenkinsci/oidc-provider-plugin#205). */
const signedNumber = { ...rsa, n: b64u(Buffer.concat([Buffer.alloc(1), Buffer.from(rsa.n, "base64url")])) };

export const policies = {
  url: jwtIssuer({ jwks: undefined, jwks_url: URL }),
  both: jwtIssuer({ jwks: { keys: [ed2] }, jwks_url: URL }),
  lenient: jwtIssuer({ jwks: undefined, jwks_url: URL }, { rules: [{ path: "/**", access: "required", on_unavailable: "anonymous" }] }),
};

const long = claims({ exp: NOW_S + 200_000 });
const good = bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, long));
const inline = bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed2" }, long));
const noKid = bearer(forged("EdDSA", "ed", { alg: "EdDSA" }, long));
const byRsa = bearer(forged("RS256", "rsa", { alg: "RS256", kid: "rsa" }, long));
const passes = forward(told({ "x-doorward-expires": String(NOW_S + 200_000) }));
const none = keysAnswer([]);
const failed = { of: "keys", failed: true };
const odd = (...keys) => keysAnswer(keys);
const answer = (body, headers = []) => ({ of: "keys", status: 200, headers, body });
const effects = ["keys"];
const on = (name, credential, expected, more) => vector(name, "url", api("/", credential), expected, more);
const at = (seconds, after, members = {}) => ({ now: NOW + seconds * 1000, after, ...members });
const logged = (...left_out_keys) => ({ log: { reason: "keys_unavailable", left_out_keys } });
const refused = (name, key, rule, kid = "odd") => on(`the log names a key ${name}`, good, reject("keys_unavailable"), { effects, results: [odd(key)], also: logged({ kid, rule }) });
const copy = (body, age = 10) => ({ of: "keys", copied: `doorward-copy-1 ${NOW - age * 1000} ${NOW + 200_000}\n\n${body}` });

export const cases = [
  // No keys: no token can have been signed.
  on("an issuer without keys has signed nothing", good, reject("key_not_found"), { effects, results: [none] }),
  on("and is not asked again at once", good, reject("key_not_found"), at(9, "an issuer without keys has signed nothing")),
  on("but soon, for the set may have been empty by mistake", good, passes, at(10, "an issuer without keys has signed nothing", { effects, results: [odd(ed)] })),
  on("an issuer without keys has signed nothing without a kid", noKid, reject("key_not_found"), { effects, results: [none] }),
  on("a set without keys, with more members and space", good, reject("key_not_found"), { effects, results: [answer(' { "keys" : [ ] , "x": 1 }\n')] }),
  vector("this is no lookup failure", "lenient", api("/", good), reject("key_not_found"), { effects, results: [none] }),

  on("a key before its issuer withdraws all", good, passes, { effects, results: [odd(ed)] }),
  on("the set is fetched behind a response, and is empty", good, passes, at(301, "a key before its issuer withdraws all", { results: [none], also: { after: ["keys"] } })),
  on("the withdrawn key counts no longer, remembered or not", good, reject("key_not_found"), at(302, "a key before its issuer withdraws all")),
  on("nor an hour later", good, reject("key_not_found"), at(4000, "a key before its issuer withdraws all", { effects, results: [none] })),
  on("nor in an outage: then it is not known", good, reject("keys_unavailable"), at(4020, "a key before its issuer withdraws all", { effects, results: [failed] })),
  on("once there are keys again they count", good, passes, at(4060, "a key before its issuer withdraws all", { effects, results: [odd(ed, ed2)] })),
  on("a key before a silence in which all are withdrawn", good, passes, { effects, results: [odd(ed)] }),
  on("no request came meanwhile: the set is fetched before anything rests on it", good, reject("key_not_found"), at(600, "a key before a silence in which all are withdrawn", { effects, results: [none] })),
  on("a key before an unknown one is asked about", good, passes, { effects, results: [odd(ed)] }),
  on("an empty set that came for another token counts for all", inline, reject("key_not_found"), at(20, "a key before an unknown one is asked about", { effects, results: [none] })),
  on("also for a request that passed a second ago", good, reject("key_not_found"), at(21, "a key before an unknown one is asked about")),
  on("a key before a page that says nothing", good, passes, { effects, results: [odd(ed)] }),
  on("a page behind the response", good, passes, at(301, "a key before a page that says nothing", { results: [answer("<html>")], also: { after: ["keys"] } })),
  on("an object behind the next", good, passes, at(340, "a key before a page that says nothing", { results: [answer("{}")], also: { after: ["keys"] } })),
  on("keys that are no list behind the next", good, passes, at(380, "a key before a page that says nothing", { results: [answer('{"keys":{}}')], also: { after: ["keys"] } })),
  on("keys of null behind the next", good, passes, at(420, "a key before a page that says nothing", { results: [answer('{"keys":null}')], also: { after: ["keys"] } })),
  on("an empty list behind the next", good, passes, at(460, "a key before a page that says nothing", { results: [answer("[]")], also: { after: ["keys"] } })),
  on("an empty set with another status behind the next", good, passes, at(500, "a key before a page that says nothing", { results: [{ ...none, status: 203 }], also: { after: ["keys"] } })),
  on("all of that has withdrawn nothing", good, passes, at(540, "a key before a page that says nothing", { results: [odd(ed)], also: { after: ["keys"] } })),

  // Beside keys of the configuration.
  vector("what the configuration has is not withdrawn by an issuer without keys", "both", api("/", inline), passes, { results: [none], also: { after: ["keys"] } }),
  vector("and what it has not is not there", "both", api("/", good), reject("key_not_found"), { effects, results: [none] }),

  // Cached copies: older than the issuer's own answer.
  on("a copy without keys is asked past", good, passes, { effects: ["keys", "keys"], results: [copy('{"keys":[]}'), odd(ed)] }),
  on("a copy without keys, and the issuer says the same", good, reject("key_not_found"), { effects: ["keys", "keys"], results: [copy('{"keys":[]}'), none] }),
  on("a copy without keys, and the issuer is away", good, reject("keys_unavailable"), { effects: ["keys", "keys"], results: [copy('{"keys":[]}'), failed] }),
  on("a copy in which no key can be used is none", good, passes, { effects: ["keys", "keys"], results: [copy(JSON.stringify({ keys: [signedNumber] })), odd(ed)] }),

  // Keys, and none of use: there are others, which are not known here.
  on("a key before another kind takes its place", good, passes, { effects, results: [odd(ed)] }),
  on("behind a response there is nothing but another kind", good, passes, at(301, "a key before another kind takes its place", { results: [odd({ kty: "AKP", alg: "ML-DSA-44", pub: "AAAA", kid: "new" })], also: { after: ["keys"] } })),
  on("the key that is not in the set counts no longer, and what there is is not known", good, reject("keys_unavailable"), at(301.5, "a key before another kind takes its place", { also: logged({ kid: "new", rule: "key-types" }) })),
  on("the set is fetched again as after a failure", good, passes, at(303, "a key before another kind takes its place", { effects, results: [odd(ed)] })),
  vector("of what the configuration has nothing is lost by that", "both", api("/", inline), passes, { results: [odd(signedNumber)], also: { after: ["keys"] } }),
  vector("what is not known is a lookup failure", "lenient", api("/", good), forward(), { effects, results: [odd(signedNumber)], also: { log: { decision: "anonymous", reason: "keys_unavailable", left_out_keys: [{ kid: "rsa", rule: "minimal-integers" }] } } }),

  // Which key, and by which rule.
  on("a modulus with a zero before it is no key (RFC 7518 sections 2 and 6.3.1.1)", byRsa, reject("keys_unavailable"), { effects, results: [odd(signedNumber)], also: logged({ kid: "rsa", rule: "minimal-integers" }) }),
  on("beside a good key the log names the one that the token is by", byRsa, reject("key_not_found"), { effects, results: [odd(ed, signedNumber, { ...ed2, use: "enc" })], also: { log: { reason: "key_not_found", left_out_keys: [{ kid: "rsa", rule: "minimal-integers" }] } } }),
  on("and none of which the token is not", inline, reject("key_not_found"), { effects, results: [odd(ed, signedNumber)], also: { log: { reason: "key_not_found" } } }),
  refused("with a zero before its exponent", { ...rsa, kid: "odd", e: "AAEAAQ" }, "minimal-integers"),
  refused("that is weak", publicJwk("rsaWeak", { kid: "odd" }), "weak-keys"),
  refused("with the exponent 1", { ...rsa, kid: "odd", e: "AQ" }, "weak-keys"),
  refused("that is off its curve", { ...publicJwk("p256", { kid: "odd" }), x: b64u(Buffer.alloc(32, 1)) }, "weak-keys"),
  refused("for encryption", { ...ed, kid: "odd", use: "enc" }, "key-use"),
  refused("with its private part", privateJwk("ed", { kid: "odd" }), "key-use"),
  refused("that is symmetric", { kty: "oct", k: "AAAA", kid: "odd" }, "symmetric-keys"),
  refused("on an unknown curve", publicJwk("secp256k1", { kid: "odd" }), "key-types"),
  refused("without what makes it one", { kty: "RSA", e: "AQAB", kid: "odd" }, "key-members"),
  refused("with padding", { ...ed, kid: "odd", x: `${ed.x}=` }, "base64url"),
  refused("of an algorithm that is none", { ...ed, kid: "odd", alg: "Ed25519ph" }, "registered-alg"),
  refused("of another's algorithm", { ...ed, kid: "odd", alg: "RS256" }, "alg-of-the-key"),
  refused("that is no object", "key", "strict-json", null),
  refused("whose kid is a number", { ...ed, kid: 7 }, "key-members", null),
  refused("whose kid is long and full of tricks", { ...signedNumber, kid: `a"\n\u202e${"x".repeat(100)}` }, "minimal-integers", `a"%0A%E2%80%AE${"x".repeat(50)}...`),
  on("the log names eight of many", good, reject("keys_unavailable"), { effects, results: [odd(...Array.from({ length: 40 }, (_, number) => ({ ...signedNumber, kid: `k${number}` })))], also: logged(...Array.from({ length: 8 }, (_, number) => ({ kid: `k${number}`, rule: "minimal-integers" }))) }),
];
