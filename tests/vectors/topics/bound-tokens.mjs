// Tokens that are bound to a key: `cnf` (RFC 7800), by DPoP (RFC 9449 section 6.1), by a client certificate (RFC 8705 section 3.1).
// The gate checks no proof of possession, so such a token names no identity, wherever it stands: as a plain bearer token it would be the
// thief's as well.

import { ENV, NOW, NOW_S, SECRET, SESSION_TOKEN, SITE, ada, api, bearer, betterAuth, claims, cookies, forward, jwtIssuer, nullAnswer, pair, policy, reject, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { compact, forged, hs256, jwe, jwt, publicJwk } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256" });
const jwks = { keys: [ed, p256] };
const API = "https://api.example.com";

export const policies = {
  foreign: jwtIssuer({ jwks, token_locations: ["authorization", "cookie:id", "header:x-token"] }),
  lenient: jwtIssuer({ jwks }, { rules: [{ path: "/optional/**", access: "optional" }, { path: "/**", access: "required", on_unavailable: "anonymous" }] }),
  "access tokens": jwtIssuer({ jwks, typ: "at+jwt" }),
  "better-auth": betterAuth({ jwks, bearer_tokens: "any" }),
  jwt: betterAuth({ cookie_cache: "jwt" }),
  jwe: betterAuth({ cookie_cache: "jwe" }),
  bridge: policy({ issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks }], rules: [{ path: "/**", access: "required", token_exchange: true, upstream: API }] }, ENV),
};

/** The thumbprint of a client's key. */
const JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const header = { alg: "EdDSA", kid: "ed" };
const of = (members, more = {}) => forged("EdDSA", "ed", { ...header, ...more }, claims(members));
const bound = of({ cnf: { jkt: JKT } });
const refuse = (name, credential, more = {}, reason = "token_bound") => vector(name, "foreign", api("/", credential), reject(reason), more);
const challenge = "Bearer error=\"invalid_token\", error_description=\"The token is bound to a key ('cnf') and cannot be used as a bearer token\"";
const accessToken = (members = {}) => forged("EdDSA", "ed", { ...header, typ: "at+jwt" }, claims({ client_id: "cli", scope: "read", jti: "1", ...members }));
const proof = forged("ES256", "p256", { typ: "dpop+jwt", alg: "ES256", jwk: publicJwk("p256") }, { jti: "a", htm: "GET", htu: `${SITE}/`, iat: NOW_S });

const minted = (jwt) => ({ of: "token", status: 200, headers: [["content-type", "application/json"]], body: JSON.stringify({ token: jwt }), cookies: [SESSION_TOKEN] });
const own = (members = {}) => ({ iat: NOW_S, id: "ada", name: "Ada", sub: "ada", exp: NOW_S + 900, iss: SITE, aud: SITE, ...members });
const cached = sessionCookies(compact(pair(), NOW + 86_400_000, SECRET));
/** Better Auth's session token by its key set. */
const cacheToken = (members = {}) =>
  jwt("EdDSA", "ed", { ...pair(), sub: "ada", sid: pair().session.token, iss: SITE, aud: "better-auth:session-cache", iat: NOW_S - 60, exp: NOW_S + 240, ...members }, { kid: "ed", typ: "better-auth.session-cache+jwt" });
/** The cache does not count, and the auth service is asked. */
const miss = (name, policyName, data, reason = "token_bound") =>
  vector(name, policyName, api("/", sessionCookies(data)), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()], also: { session_data: reason } });

export const cases = [
  // By its method.
  refuse("bound by DPoP, sent as a plain bearer token", bearer(bound), { also: { headers: { "www-authenticate": challenge } } }),
  vector("bound by DPoP, with a proof that is not checked", "foreign", api("/", bearer(bound), ["dpop", proof]), reject("token_bound")),
  refuse("bound by a client certificate", bearer(of({ cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }))),
  refuse("bound by both", bearer(of({ cnf: { jkt: JKT, "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }))),
  refuse("bound to a key that stands in it", bearer(of({ cnf: { jwk: publicJwk("p256") } }))),
  refuse("bound to an encrypted key", bearer(of({ cnf: { jwe: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhDQkMtSFMyNTYifQ.a.b.c.d" } }))),
  refuse("bound to a key of the issuer's by its kid", bearer(of({ cnf: { kid: "ed" } }))),
  refuse("bound to a key somewhere else", bearer(of({ cnf: { jku: "https://keys.example/jwks", kid: "1" } }))),
  refuse("bound by an unknown method", bearer(of({ cnf: { "urn:example:face": "yes" } }))),
  refuse("bound by nothing that it names", bearer(of({ cnf: {} }))),
  refuse("bound to a key of the wrong type", bearer(of({ cnf: { jkt: null } }))),
  // RFC 7800 section 3.1: the claim is an object.
  refuse("a confirmation that is null is not absent", bearer(of({ cnf: null })), {}, "claims_malformed"),
  refuse("a confirmation that is a text", bearer(of({ cnf: JKT })), {}, "claims_malformed"),
  refuse("a confirmation that is an empty text", bearer(of({ cnf: "" })), {}, "claims_malformed"),
  refuse("a confirmation that is false", bearer(of({ cnf: false })), {}, "claims_malformed"),
  refuse("a confirmation that is a list", bearer(of({ cnf: [{ jkt: JKT }] })), {}, "claims_malformed"),
  refuse("a confirmation that is an empty list", bearer(of({ cnf: [] })), {}, "claims_malformed"),
  refuse("a confirmation twice", bearer(forged("EdDSA", "ed", header, JSON.stringify(claims({ cnf: { jkt: JKT } })).replace("{", '{"cnf":{},'))), {}, "claims_malformed"),
  refuse("a confirmation that is spelled with an escape", bearer(forged("EdDSA", "ed", header, JSON.stringify(claims({ cnf: { jkt: JKT } })).replace('"cnf"', '"\\u0063nf"')))),
  vector("a claim of another name binds nothing", "foreign", api("/", bearer(of({ CNF: { jkt: JKT }, "x.cnf": {}, act: { cnf: { jkt: JKT } } }))), forward(told())),
  vector("a proof beside a token that is not bound asks for nothing", "foreign", api("/", bearer(of()), ["dpop", proof]), forward(told())),

  // Wherever it stands, whatever the rule lets pass, whichever key signs.
  refuse("bound, in a cookie", cookies({ id: bound })),
  refuse("bound, in a header", ["x-token", bound]),
  refuse("bound, and verified by the platform", bearer(forged("ES256", "p256", { alg: "ES256", kid: "p256" }, claims({ cnf: { jkt: JKT } }))), { effects: ["check"] }),
  refuse("bound, once more: nothing is remembered of it", bearer(bound), { after: "bound by DPoP, sent as a plain bearer token", now: NOW + 1000 }),
  vector("bound, of the type of access tokens", "access tokens", api("/", bearer(accessToken({ cnf: { jkt: JKT } }))), reject("token_bound")),
  vector("an access token that is not bound", "access tokens", api("/", bearer(accessToken())), forward(told())),
  vector("bound, under an optional rule", "lenient", api("/optional/x", bearer(bound)), reject("token_bound")),
  vector("bound, under `on_unavailable: anonymous`: this is no lookup failure", "lenient", api("/", bearer(bound)), reject("token_bound")),
  vector("bound, of a Better Auth service", "better-auth", api("/", bearer(forged("EdDSA", "ed", header, own({ cnf: { jkt: JKT } })))), reject("token_bound")),
  vector("bound, beside a good session", "better-auth", api("/", bearer(forged("EdDSA", "ed", header, own({ cnf: { jkt: JKT } }))), cached), reject("token_bound")),

  // Whose it is comes first, then whether it may be used at all, then whether it is fresh.
  refuse("bound and for another audience", bearer(of({ cnf: { jkt: JKT }, aud: "https://other.example" })), {}, "audience_mismatch"),
  refuse("bound and past", bearer(of({ cnf: { jkt: JKT }, exp: NOW_S - 600 }))),
  refuse("bound by a party that is not the issuer", bearer(forged("EdDSA", "ed2", header, claims({ cnf: { jkt: JKT } }))), {}, "signature_invalid"),

  // `Authorization: DPoP` is a scheme that the gate does not know: as RFC 6750 section 3.1 has it, the request says nothing.
  vector("DPoP as the scheme is no credential", "foreign", api("/", ["authorization", `DPoP ${bound}`], ["dpop", proof]), reject("no_credential"), { also: { headers: { "www-authenticate": "Bearer" } } }),
  vector("DPoP as the scheme of a token that is not bound is none either", "foreign", api("/", ["authorization", `DPoP ${of()}`], ["dpop", proof]), reject("no_credential")),
  vector("DPoP as the scheme, under an optional rule, names no identity", "lenient", api("/optional/x", ["authorization", `dpop ${of()}`]), forward()),

  // The cookie cache, where it is a JWT.
  miss("a session token of the key set that is bound does not count", "better-auth", await cacheToken({ cnf: { jkt: JKT } })),
  vector("one that is not bound does", "better-auth", api("/", sessionCookies(await cacheToken())), forward(ada()), { also: { session_data: "valid" } }),
  miss("a session token by the secret that is bound does not count", "jwt", hs256({ ...pair(), cnf: { jkt: JKT } }, NOW_S + 240, SECRET)),
  miss("a session token by the secret with a confirmation that is none does not count", "jwt", hs256({ ...pair(), cnf: null }, NOW_S + 240, SECRET), "claims_malformed"),
  miss("an encrypted one that is bound does not count", "jwe", await jwe({ ...pair(), cnf: { jkt: JKT } }, NOW_S + 240, SECRET)),
  vector("and where the session has ended, no request passes", "better-auth", api("/", sessionCookies(await cacheToken({ cnf: { jkt: JKT } }))), reject("session_ended"), { effects: ["session"], results: [nullAnswer()] }),

  // A token for an origin: it could not use it.
  vector("an exchanged token that is bound", "bridge", api("/notes", cached), reject("exchanged_token_invalid"), { effects: ["token"], results: [minted(forged("EdDSA", "ed", header, own({ cnf: { jkt: JKT } })))], also: { log: { reason: "exchanged_token_invalid", cause: "token_bound" } } }),
  vector("a token in place of an exchanged one that is bound", "bridge", api("/notes", bearer(forged("EdDSA", "ed", header, own({ cnf: { jkt: JKT } })))), reject("token_bound")),
];
