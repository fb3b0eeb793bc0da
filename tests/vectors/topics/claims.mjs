// Claims of a token whose signature holds (RFC 7519, section 4.1): a wrong type is malformed, never absent.

import { NOW, NOW_S, api, bearer, claims, foreign, forward, jwtIssuer, policy, reject, told, vector } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];

export const policies = {
  usual: jwtIssuer({ jwks: { keys } }),
  exact: jwtIssuer({ jwks: { keys }, clock_tolerance_seconds: 0 }),
  parties: jwtIssuer({ jwks: { keys }, authorized_parties: ["web", "cli"] }),
  "no-audience": jwtIssuer({ jwks: { keys }, audience: null, authorized_parties: ["https://app.example", "cli"] }),
  several: jwtIssuer({ jwks: { keys }, audience: ["https://api.example.com", "https://old.example.com"] }),
  aged: jwtIssuer({ jwks: { keys }, max_age_seconds: 300, clock_tolerance_seconds: 0 }),
  access: jwtIssuer({ jwks: { keys }, typ: ["at+jwt"] }),
  either: jwtIssuer({ jwks: { keys }, typ: ["at+jwt", "JWT"] }),
  demanding: jwtIssuer({ jwks: { keys }, required_claims: ["email", "tenant"] }),
  "two-issuers": policy({
    issuers: [foreign({ jwks: { keys } }), foreign({ name: "second", issuer: "https://issuer.example/", jwks: { keys: [publicJwk("ed2", { kid: "ed" })] } })],
    rules: [{ path: "/second/**", access: "required", issuers: "second" }, { path: "/**", access: "required" }],
  }),
};

const header = { alg: "EdDSA", kid: "ed" };
const of = (members, more = {}) => bearer(forged("EdDSA", "ed", { ...header, ...more }, claims(members)));
/** Claims as text: the token says exactly this. */
const saying = (text) => bearer(forged("EdDSA", "ed", header, text));
/** Good claims, one of them spelled as text. */
const spelled = (name, value) => saying(JSON.stringify(claims({ [name]: "@" })).replace('"@"', value));

const ok = (name, policyName, credential, set = {}, more) => vector(name, policyName, api("/", credential), forward(told(set)), more);
const bad = (name, policyName, credential, reason, more) => vector(name, policyName, api("/", credential), reject(reason), more);
const expires = (seconds) => ({ "x-doorward-expires": String(seconds) });

export const cases = [
  // Tokens without an audience (Clerk's, Cognito's): the party is in its place.
  ok("no audience: issued for us by azp", "no-audience", of({ aud: undefined, azp: "https://app.example" })),
  ok("no audience: issued for us by client_id", "no-audience", of({ aud: undefined, client_id: "cli" })),
  bad("no audience: issued for another", "no-audience", of({ aud: undefined, azp: "https://other.example" }), "authorized_party_mismatch"),
  bad("no audience: azp counts before client_id", "no-audience", of({ aud: undefined, azp: "other", client_id: "cli" }), "authorized_party_mismatch"),
  bad("no audience: client_id is of another type", "no-audience", of({ aud: undefined, client_id: ["cli"] }), "claims_malformed"),
  bad("no audience: issued for no audience", "no-audience", of({ aud: undefined }), "claim_missing"),
  bad("no audience: a token that names one is for that one (RFC 7519 section 4.1.3)", "no-audience", of({ azp: "cli" }), "audience_mismatch"),
  bad("no audience: an empty list names none, and is there", "no-audience", of({ aud: [], azp: "cli" }), "audience_mismatch"),
  bad("no audience: null is not absent", "no-audience", of({ aud: null, azp: "cli" }), "claims_malformed"),
  bad("an audience is required where one is configured, whatever the authorized party", "parties", of({ aud: undefined, azp: "web" }), "claim_missing"),

  // exp: "on or after which the JWT MUST NOT be accepted"
  ok("exp: in the future", "exact", of({ exp: NOW_S + 1 }), expires(NOW_S + 1)),
  bad("exp: now", "exact", of({ exp: NOW_S }), "token_expired"),
  ok("exp: one millisecond ahead", "exact", of({ exp: NOW_S }), expires(NOW_S), { now: NOW - 1 }),
  ok("exp: past, within the tolerance", "usual", of({ exp: NOW_S - 4 }), expires(NOW_S - 4)),
  bad("exp: past, at the end of the tolerance", "usual", of({ exp: NOW_S - 5 }), "token_expired"),
  ok("exp: with a fraction", "exact", of({ exp: NOW_S + 0.5 }), expires(NOW_S)),
  bad("exp: past by a fraction", "exact", of({ exp: NOW_S - 0.5 }), "token_expired"),
  ok("exp: written with an exponent", "exact", spelled("exp", "1.8000006e9"), expires(NOW_S + 600)),
  bad("exp: missing", "usual", of({ exp: undefined }), "claim_missing"),
  bad("exp: zero", "usual", of({ exp: 0 }), "token_expired"),
  bad("exp: negative", "usual", of({ exp: -1 }), "claims_malformed"),
  bad("exp: the least number", "usual", spelled("exp", "-9223372036854775808"), "claims_malformed"),
  bad("exp: beyond 64 bits", "usual", spelled("exp", "18446744073709551616"), "claims_malformed"),
  bad("exp: the greatest number of 64 bits", "usual", spelled("exp", "18446744073709551615"), "claims_malformed"),
  bad("exp: 1e300", "usual", spelled("exp", "1e300"), "claims_malformed"),
  bad("exp: 1e400, which is no double", "usual", spelled("exp", "1e400"), "claims_malformed"),
  bad("exp: milliseconds taken for seconds", "usual", of({ exp: NOW + 600_000 }), "claims_malformed"),
  bad("exp: a text", "usual", of({ exp: String(NOW_S + 600) }), "claims_malformed"),
  bad("exp: null", "usual", of({ exp: null }), "claims_malformed"),
  bad("exp: true", "usual", of({ exp: true }), "claims_malformed"),
  bad("exp: a list", "usual", of({ exp: [NOW_S + 600] }), "claims_malformed"),
  bad("exp: an object", "usual", of({ exp: {} }), "claims_malformed"),
  bad("exp: not a number that JSON has", "usual", spelled("exp", "NaN"), "claims_malformed"),
  bad("exp: with a zero before it", "usual", spelled("exp", `0${NOW_S + 600}`), "claims_malformed"),

  ok("nbf: past", "exact", of({ nbf: NOW_S - 1 })),
  ok("nbf: now", "exact", of({ nbf: NOW_S })),
  bad("nbf: in the future", "exact", of({ nbf: NOW_S + 1 }), "token_not_yet_valid"),
  ok("nbf: in the future, within the tolerance", "usual", of({ nbf: NOW_S + 5 })),
  bad("nbf: in the future, beyond the tolerance", "usual", of({ nbf: NOW_S + 6 }), "token_not_yet_valid"),
  bad("nbf: a text", "usual", of({ nbf: "0" }), "claims_malformed"),
  bad("nbf: null", "usual", of({ nbf: null }), "claims_malformed"),
  bad("nbf: negative", "usual", of({ nbf: -1 }), "claims_malformed"),
  bad("nbf: 1e300", "usual", spelled("nbf", "1e300"), "claims_malformed"),

  ok("iat: missing", "usual", of({ iat: undefined })),
  ok("iat: in the future, within the tolerance", "usual", of({ iat: NOW_S + 5 })),
  bad("iat: in the future", "usual", of({ iat: NOW_S + 6 }), "token_not_yet_valid"),
  bad("iat: a text", "usual", of({ iat: "0" }), "claims_malformed"),
  bad("iat: null", "usual", of({ iat: null }), "claims_malformed"),
  ok("iat: as old as it may be", "aged", of({ iat: NOW_S - 300 })),
  bad("iat: too old", "aged", of({ iat: NOW_S - 301 }), "token_too_old"),
  bad("iat: missing where there is a greatest age", "aged", of({ iat: undefined }), "claim_missing"),

  bad("aud: another", "usual", of({ aud: "https://other.example" }), "audience_mismatch"),
  bad("aud: the beginning of ours", "usual", of({ aud: "https://api.example" }), "audience_mismatch"),
  bad("aud: ours and more", "usual", of({ aud: "https://api.example.com/" }), "audience_mismatch"),
  bad("aud: ours in capitals", "usual", of({ aud: "https://API.example.com" }), "audience_mismatch"),
  bad("aud: missing", "usual", of({ aud: undefined }), "claim_missing"),
  bad("aud: empty", "usual", of({ aud: "" }), "audience_mismatch"),
  ok("aud: a list with ours", "usual", of({ aud: ["https://other.example", "https://api.example.com"] })),
  bad("aud: a list without ours", "usual", of({ aud: ["https://other.example"] }), "audience_mismatch"),
  ok("azp: an accepted party", "parties", of({ azp: "web" })),
  bad("azp: another party", "parties", of({ azp: "mobile" }), "authorized_party_mismatch"),
  bad("azp: the beginning of ours", "parties", of({ azp: "we" }), "authorized_party_mismatch"),
  bad("azp: none where one is asked for", "parties", of(), "claim_missing"),
  bad("azp: a list", "parties", of({ azp: ["web"] }), "claims_malformed"),
  ok("azp: not asked for", "usual", of({ azp: "mobile" })),
  bad("aud: an empty list", "usual", of({ aud: [] }), "audience_mismatch"),
  bad("aud: a list with ours and a number", "usual", of({ aud: ["https://api.example.com", 7] }), "claims_malformed"),
  bad("aud: a list in a list", "usual", of({ aud: [["https://api.example.com"]] }), "claims_malformed"),
  bad("aud: a number", "usual", of({ aud: 7 }), "claims_malformed"),
  bad("aud: null", "usual", of({ aud: null }), "claims_malformed"),
  bad("aud: an object", "usual", of({ aud: { "https://api.example.com": true } }), "claims_malformed"),
  ok("aud: the second of two that are accepted", "several", of({ aud: "https://old.example.com" })),

  bad("iss: another", "usual", of({ iss: "https://other.example" }), "issuer_unknown"),
  bad("iss: ours with a slash at the end", "usual", of({ iss: "https://issuer.example/" }), "issuer_unknown"),
  bad("iss: missing", "usual", of({ iss: undefined }), "claim_missing"),
  bad("iss: a list with ours", "usual", of({ iss: ["https://issuer.example"] }), "claims_malformed"),
  bad("iss: null", "usual", of({ iss: null }), "claims_malformed"),
  bad("iss: empty", "usual", of({ iss: "" }), "issuer_unknown"),
  ok("iss: escaped is the same text", "usual", spelled("iss", '"https:\\/\\/issuer.example"')),
  bad("iss: the keys of one issuer do not serve another, although they share a kid", "two-issuers", of({ iss: "https://issuer.example/" }), "signature_invalid"),
  vector("iss: each issuer has its own keys", "two-issuers", api("/", bearer(forged("EdDSA", "ed2", header, claims({ iss: "https://issuer.example/" })))), forward(told({ "x-doorward-issuer": "second" }))),
  vector("iss: a rule accepts the issuers that it names only", "two-issuers", api("/second/x", of({})), reject("issuer_unknown")),

  bad("sub: missing", "usual", of({ sub: undefined }), "claim_missing"),
  bad("sub: empty", "usual", of({ sub: "" }), "claim_missing"),
  bad("sub: a number", "usual", of({ sub: 7 }), "claims_malformed"),
  bad("sub: null", "usual", of({ sub: null }), "claims_malformed"),

  ok("typ: JWT", "usual", of({}, { typ: "JWT" })),
  ok("typ: in small letters", "usual", of({}, { typ: "jwt" })),
  ok("typ: as a whole media type", "usual", of({}, { typ: "application/jwt" })),
  bad("typ: of an access token where none is expected", "usual", of({}, { typ: "at+jwt" }), "type_mismatch"),
  bad("typ: of a logout token", "usual", of({}, { typ: "logout+jwt" }), "type_mismatch"),
  bad("typ: of another media type", "usual", of({}, { typ: "text/jwt" }), "type_mismatch"),
  bad("typ: empty", "usual", of({}, { typ: "" }), "type_mismatch"),
  ok("typ: of an access token where one is expected", "access", of({}, { typ: "at+jwt" })),
  ok("typ: of an access token as a whole media type", "access", of({}, { typ: "application/at+jwt" })),
  bad("typ: absent where an access token is expected", "access", of({}), "type_mismatch"),
  bad("typ: JWT where an access token is expected", "access", of({}, { typ: "JWT" }), "type_mismatch"),
  ok("typ: absent where JWT will do", "either", of({})),

  ok("required claims: there", "demanding", of({ email: "a@example.com", tenant: 0 }), { "x-doorward-email": "a@example.com" }),
  bad("required claims: one missing", "demanding", of({ email: "a@example.com" }), "claim_missing"),
  bad("required claims: one null", "demanding", of({ email: "a@example.com", tenant: null }), "claim_missing"),

  // The claims as a text.
  bad("claims: a member twice", "usual", saying(JSON.stringify(claims()).replace("{", '{"sub":"admin",')), "claims_malformed"),
  bad("claims: a member twice, escaped", "usual", saying(JSON.stringify(claims()).replace("{", '{"s\\u0075b":"admin",')), "claims_malformed"),
  bad("claims: a member twice, deep inside", "usual", saying(JSON.stringify(claims()).replace("{", '{"x":{"a":1,"a":1},')), "claims_malformed"),
  bad("claims: exp twice", "usual", saying(JSON.stringify(claims()).replace(/}$/, `,"exp":${NOW_S + 9999}}`)), "claims_malformed"),
  bad("claims: more after the end", "usual", saying(`${JSON.stringify(claims())}{}`), "claims_malformed"),
  bad("claims: a list", "usual", saying(JSON.stringify([claims()])), "claims_malformed"),
  bad("claims: a text", "usual", saying('"x"'), "claims_malformed"),
  bad("claims: nothing", "usual", saying(""), "claims_malformed"),
  bad("claims: with a comment", "usual", saying(`/**/${JSON.stringify(claims())}`), "claims_malformed"),
  bad("claims: with a comma at the end", "usual", saying(JSON.stringify(claims()).replace(/}$/, ",}")), "claims_malformed"),
  bad("claims: with a byte order mark", "usual", saying(`\ufeff${JSON.stringify(claims())}`), "claims_malformed"),
  bad("claims: half a character", "usual", spelled("name", '"\\ud800"'), "claims_malformed"),
  bad("claims: nested too deep", "usual", spelled("x", `${"[".repeat(40)}${"]".repeat(40)}`), "claims_malformed"),
  ok("claims: space around them", "usual", saying(` \n${JSON.stringify(claims())}\t`)),
  ok("claims: more than is known", "usual", of({ roles: ["x"], nested: { a: [1, null] } })),

  // Whose it is comes before whether it is fresh; whether it is signed comes before both.
  bad("order: a bad signature comes before an expiry", "usual", bearer(forged("EdDSA", "ed2", header, claims({ exp: 1 }))), "signature_invalid"),
  bad("order: a wrong audience comes before an expiry", "usual", of({ exp: 1, aud: "x" }), "audience_mismatch"),
];
