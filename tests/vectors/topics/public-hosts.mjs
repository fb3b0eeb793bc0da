// An auth service with several hosts (`baseURL: { allowedHosts }`): it speaks in the name of the host that it is asked at, and so a
// token of one host names no identity at another. Which host it is, the platform says.

import { ENV, NOW, NOW_S, SECRET, SESSION_TOKEN, ada, api, bearer, forward, pair, policy, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact, forged, jwt, publicJwk } from "../mint.mjs";

const jwks = { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] };
const [MAIN, ONE, TWO, PREVIEW] = ["https://app.example.com", "https://one.example.com", "https://two.example.com:8443", "https://preview-x7.example.com"];
const HOSTS = ["one.example.com", "https://two.example.com:8443", "preview-*.example.com"];
const service = (members = {}) => ({ type: "better-auth", url: MAIN, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks, public_hosts: HOSTS, ...members });
const provider = { type: "jwt", name: "oauth", issuer: "{public_origin}/api/auth", public_hosts: HOSTS, audience: "https://api.example.com", jwks, typ: "at+jwt" };
const rules = [{ path: "/exchange/**", access: "required", token_exchange: true }, { path: "/**", access: "required" }];

export const policies = {
  hosts: policy({ issuers: [service(), provider], rules }, ENV),
  "cache by key set": policy({ issuers: [service({ cookie_cache: "jwt-jwks" })], rules }, ENV),
  one: policy({ issuers: [service({ public_hosts: undefined })], rules }, ENV),
};

const claims = (origin, members = {}) => ({ iss: origin, aud: origin, sub: "ada", iat: NOW_S - 60, exp: NOW_S + 600, ...members });
const of = (origin, members, header = {}) => forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed", ...header }, claims(origin, members));
const access = (origin) => of(origin, { iss: `${origin}/api/auth`, aud: "https://api.example.com" }, { typ: "at+jwt" });
const at = (public_origin, ...headers) => ({ ...api("/x", ...headers), public_origin });
const told = (issuer = "better-auth") => ({ "x-doorward-subject": "ada", "x-doorward-issuer": issuer, "x-doorward-expires": String(NOW_S + 600), "x-doorward-source": "jwt" });
const good = (name, origin, token, more, issuer) => vector(name, "hosts", at(origin, bearer(token)), forward(told(issuer)), more);
const bad = (name, origin, token, reason = "issuer_unknown", more) => vector(name, "hosts", at(origin, bearer(token)), reject(reason), more);
const log = (unverified, expected, differs_in) => ({ also: { log: { reason: "issuer_unknown", iss: { unverified, expected, differs_in } } } });

const cacheToken = (origin) =>
  jwt("EdDSA", "ed", { ...pair(), sub: "ada", sid: pair().session.token, iss: origin, aud: "better-auth:session-cache", iat: NOW_S - 60, exp: NOW_S + 240 }, { kid: "ed", typ: "better-auth.session-cache+jwt" });
const ofOne = await cacheToken(ONE);
const cached = sessionCookies(compact(pair(), NOW + 86_400_000, SECRET));
const minted = (token) => ({ of: "token", status: 200, headers: [], body: JSON.stringify({ token }), cookies: [SESSION_TOKEN] });
const exchanging = (origin) => ({ ...at(origin, cached), target: "/exchange/x" });
const crosses = (token) => forward({ ...ada(), authorization: `Bearer ${token}` });

export const cases = [
  good("a token at its own host", ONE, of(ONE)),
  good("at the host of the URL", MAIN, of(MAIN)),
  good("at a host with a port", TWO, of(TWO)),
  good("at a preview", PREVIEW, of(PREVIEW)),

  bad("a token of one host at another", TWO, of(ONE), "issuer_unknown", log(ONE, undefined, undefined)),
  bad("of the host of the URL at another", ONE, of(MAIN), "issuer_unknown", log(MAIN, ONE, "host")),
  bad("of another at the host of the URL", MAIN, of(ONE)),
  bad("of one preview at another", "https://preview-y8.example.com", of(PREVIEW)),
  bad("of one host for another", ONE, of(ONE, { aud: TWO }), "audience_mismatch"),
  bad("of another host for this one", ONE, of(TWO, { aud: ONE })),
  bad("at a host that is not listed, of that host", "https://three.example.com", of("https://three.example.com"), "issuer_unknown", log("https://three.example.com", "https://three.example.com", "public host")),
  bad("at a host that is not listed, of the host of the URL", "https://three.example.com", of(MAIN)),
  bad("at a host that begins like one", "https://one.example.com.evil.example", of("https://one.example.com.evil.example")),
  bad("at a host that ends like one", "https://evil-one.example.com", of("https://evil-one.example.com")),
  bad("at another port", "https://one.example.com:8443", of("https://one.example.com:8443")),
  bad("by plain http", "http://one.example.com", of("http://one.example.com")),
  bad("at a preview of more labels", "https://preview-a.b.example.com", of("https://preview-a.b.example.com")),
  bad("at a preview of no name", "https://preview-.example.com", of("https://preview-.example.com")),
  bad("at a preview with a path in it", "https://preview-a/x.example.com", of("https://preview-a/x.example.com")),
  bad("at no host at all", "", of("")),
  bad("with the placeholder itself", ONE, of("{public_origin}")),
  vector("whatever a client says of the host", "hosts", at(ONE, bearer(of(TWO)), ["host", "two.example.com:8443"], ["x-forwarded-host", "two.example.com:8443"]), reject("issuer_unknown")),

  // What is remembered.
  good("a token that is remembered at its host", ONE, of(ONE, { jti: "1" })),
  bad("counts at no other for that", TWO, of(ONE, { jti: "1" }), "issuer_unknown", { after: "a token that is remembered at its host", now: NOW + 1000 }),
  good("and goes on to count at its own", ONE, of(ONE, { jti: "1" }), { after: "a token that is remembered at its host", now: NOW + 2000 }),
  vector("a session token of the key set at its host", "cache by key set", at(ONE, sessionCookies(ofOne)), forward(ada()), { also: { session_data: "valid" } }),
  vector("at another it does not count, and the service is asked", "cache by key set", at(TWO, sessionCookies(ofOne)), forward(ada("auth-service")), { after: "a session token of the key set at its host", now: NOW + 1000, effects: ["session"], results: [sessionAnswer()], also: { session_data: "issuer_unknown" } }),

  // Access tokens have the base path in their name.
  good("an access token at its own host", ONE, access(ONE), {}, "oauth"),
  bad("an access token of another host", TWO, access(ONE)),
  bad("an access token at the host of the URL, which is not one of this issuer's", MAIN, access(MAIN)),

  // Token exchange: the service issues in the name of the host that it is asked for.
  vector("an exchanged token is that host's", "hosts", exchanging(ONE), crosses(of(ONE, { exp: NOW_S + 900 })), { effects: ["token"], results: [minted(of(ONE, { exp: NOW_S + 900 }))] }),
  vector("and at another host another is asked for", "hosts", exchanging(TWO), crosses(of(TWO, { exp: NOW_S + 900 })), { after: "an exchanged token is that host's", now: NOW + 1000, effects: ["token"], results: [minted(of(TWO, { exp: NOW_S + 900 }))] }),
  vector("at the first it is kept", "hosts", exchanging(ONE), crosses(of(ONE, { exp: NOW_S + 900 })), { after: "an exchanged token is that host's", now: NOW + 2000 }),
  vector("one of another host does not go on", "hosts", exchanging(PREVIEW), reject("exchanged_token_invalid"), { effects: ["token"], results: [minted(of(ONE))], also: { log: { cause: "issuer_unknown" } } }),

  // Without hosts of its own a service has one name everywhere, as before.
  vector("one name counts at every host", "one", at(TWO, bearer(of(MAIN))), forward(told())),
  vector("and no other does", "one", at(TWO, bearer(of(TWO))), reject("issuer_unknown")),
];
