// What the log says of a refusal beside its reason: what was expected, what came that is near it, and what to do.

import { ENV, KEYS, ada, sessionAnswer, NOW, NOW_S, OLD_SECRET, OTHER_TOKEN, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, api, bearer, betterAuth, claims, cookies, forward, goodData, jwtIssuer, keysAnswer, nullAnswer, page, pair, policy, redirect, reject, send, sessionCookies, vector } from "../cases.mjs";
import { compact, forged, signedCookie } from "../mint.mjs";

const rules = [{ path: "/admin/**", access: "required", roles: { any: ["admin", "owner"] } }, { path: "/**", access: "required" }];
const site = (members = {}, document = {}, env = ENV) => betterAuth(members, { rules, ...document }, env);

export const policies = {
  site: site(),
  http: site({ secure_cookies: false }),
  two: policy({
    issuers: [
      { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null },
      { type: "better-auth", name: "other", url: "https://other.example", cookie_prefix: "other", jwks_url: null },
    ],
    rules,
  }, ENV),
  quoted: site({}, {}, { BETTER_AUTH_SECRET: `"${SECRET}"` }),
  rotated: site({ secret: undefined, secrets: { env: "BETTER_AUTH_SECRETS" } }, {}, { BETTER_AUTH_SECRETS: `2:${SECRET},1:${OLD_SECRET}` }),
  debug: site({}, { debug: true, sign_in: { path: "/sign-in" }, rules: [{ path: "/sign-in", access: "public" }, ...rules] }),
  closed: site({}, { sign_in: { path: "/login" } }),
  passes: site({}, { log: { pass_every: 2 }, server_timing: true }),
  tokens: jwtIssuer({ jwks: { keys: KEYS }, algorithms: "EdDSA" }, { rules: [{ path: "/**", access: "required", roles: "admin" }] }),
  remote: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }, { rules }),
  development: site({}, {}, { ...ENV, NODE_ENV: "development" }),
  chunks: jwtIssuer({ jwks: { keys: KEYS }, token_locations: ["cookie:id"] }, { rules }),
};

const PLAIN = SESSION_TOKEN.replace("__Secure-", "");
const good = signedCookie(TOKEN, SECRET);
const expected = [SESSION_TOKEN];

/** A cookie that is near the one that is looked for. */
const near = (name, pairs, problem, { policyName = "site", names = expected, near: came = Object.keys(pairs)[0], reason = "no_credential", also = {} } = {}) =>
  vector(name, policyName, api("/app", cookies(pairs)), reject(reason), { also: { log: { reason, cookies: { expected: names, near: [{ name: came, problem }] }, rule: "/**", ...also } } });

const SECRET_FOUND = { variable: "BETTER_AUTH_SECRET", length: "32–64" };
/** The auth service signs with another text. The fingerprints were made by `openssl dgst -sha256 -hmac`. */
const signed = (name, by, service_has, hint, { policyName = "site", fingerprint = "196814", variable = "BETTER_AUTH_SECRET" } = {}) =>
  vector(name, policyName, api("/app", cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, by) })), reject("signature_invalid"), {
    also: { log: { issuer: "better-auth", secret: JSON.parse(JSON.stringify({ ...SECRET_FOUND, variable, fingerprint, service_has })), hint } },
  });
const OTHER = "The auth service signs with another secret: give the gate the value that the auth service has in this environment, and restart both";

const failed = (name, result, lookup, hint, { failure, more = {} } = {}) =>
  vector(name, "site", api("/app", cookies({ [SESSION_TOKEN]: good })), reject("session_unavailable"), {
    effects: ["session"], results: [{ of: "session", ...result }],
    also: { log: { lookup_failure: failure, lookup: { url: `${SITE}/api/auth/get-session`, ...lookup }, hint, ...more } },
  });

const token = (name, header, members, reason, said, more = {}) => {
  const all = claims(members);
  const unverified = { alg: "EdDSA", kid: "ed", iss: all.iss, aud: all.aud, exp: all.exp, iat: all.iat, ...header };
  return vector(name, "tokens", api("/app", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed", ...header }, all))), reject(reason), {
    also: { log: { token: { unverified: JSON.parse(JSON.stringify(unverified)), ...said }, ...more } },
  });
};

/** The problem document of a request without a cookie; with a path, and what the log says. */
const shown = (path, rule) => {
  const findings = { cookies: { expected }, decision: "reject", event: "refusal", gate: "doorward", method: "GET", path, reason: "no_credential", rule, status: 401, time: new Date(NOW).toISOString() };
  return JSON.stringify({
    detail: "The request has no session cookie and no token", ...(path && { findings }),
    reason: "no_credential", status: 401, title: "Unauthorized", type: "urn:doorward:reason:no_credential",
  });
};
const local = (headers = []) => ({ ...api("/app", ["host", "localhost:3000"], ...headers), client_address: "127.0.0.1" });
const timed = { response_headers: [["server-timing", "doorward;dur=0"]] };

/** An IMF-fixdate (RFC 9110 section 5.6.7) that is so many seconds ahead. */
const dated = (seconds) => [["Date", new Date(NOW + seconds * 1000).toUTCString()]];

export const cases = [
  // names of cookies
  near("near: https is expected, and the cookie was set over http", { [PLAIN]: good }, "secure-prefix"),
  near("near: http is expected, and the cookie was set over https", { [SESSION_TOKEN]: good }, "secure-prefix", { policyName: "http", names: [PLAIN] }),
  near("near: another prefix", { "__Secure-acme.session_token": good }, "prefix"),
  near("near: another prefix, with a dash", { "acme-session_token": good }, "prefix"),
  near("near: another name, whose value has the form", { my_session: good }, "name", { also: { hint: "Set session_token_cookie to the name that the auth service gives the cookie" } }),
  near("near: capitals", { "__secure-Better-Auth.session_token": good }, "case"),
  near("near: empty", { [SESSION_TOKEN]: "" }, "empty"),
  near("near: without a signature", { [SESSION_TOKEN]: TOKEN }, "unsigned", { reason: "credential_malformed" }),
  near("near: cut", { [SESSION_TOKEN]: good.slice(0, 60) }, "cut", { reason: "credential_malformed" }),
  near("near: encoded twice", { [SESSION_TOKEN]: encodeURIComponent(good) }, "encoded-twice", { reason: "credential_malformed" }),
  near("near: the account of the multi-session plugin, without its token", { [`__Secure-acme.session_token_multi-${OTHER_TOKEN.toLowerCase()}`]: good }, "prefix", { near: "__Secure-acme.session_token" }),
  near("near: a chunk of a token's cookie is missing", { "id.1": "x" }, "chunk-missing", { policyName: "chunks", names: ["id"], near: "id", reason: "cookie_incomplete" }),
  near("near: a name that controls a terminal", { "\u009b31m.session_token": good }, "prefix", { near: "%C2%9B31m.session_token" }),
  vector("near: nothing, if the request has no cookie", "site", api("/app"), reject("no_credential"), { also: { log: { cookies: { expected }, hint: null } } }),
  vector("near: nothing that is somebody else's", "site", api("/app", cookies({ theme: "dark", cart: "a.b", "better-auth.state": good })), reject("no_credential"), { also: { log: { cookies: { expected } } } }),
  vector("near: the cookie of one service is not near that of another", "two", api("/app", cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, OLD_SECRET) })), reject("signature_invalid"), { also: { log: { cookies: null } } }),
  vector("near: two of one name, and the first is bad", "site", api("/app", ["cookie", `${SESSION_TOKEN}=${signedCookie(OTHER_TOKEN, OLD_SECRET)}; ${SESSION_TOKEN}=${good}`]), reject("signature_invalid"), {
    also: { log: { cookies: { expected, near: [{ name: SESSION_TOKEN, problem: "repeated" }] } } },
  }),
  vector("another scheme than Bearer is named, and not what follows it", "site", api("/app", ["authorization", "Basic dXNlcjpwYXNzd29yZC1vZi10aGUtdXNlcg=="]), reject("no_credential"), { also: { log: { authorization_scheme: "Basic" } } }),
  vector("an Authorization that is one word is not repeated", "site", api("/app", ["authorization", "c2VjcmV0LXNlY3JldC1zZWNyZXQ"]), reject("no_credential"), { also: { log: { authorization_scheme: null } } }),

  // secrets
  signed("secret: another one", OLD_SECRET, undefined, OTHER),
  signed("secret: the auth service's has quotation marks", `"${SECRET}"`, "with-quotes", "The auth service's secret has quotation marks around it, and the gate's has not: take them away there"),
  signed("secret: the gate's has quotation marks", SECRET, "without-quotes", "The gate's secret has quotation marks around it, and the auth service's has not: take them away", { policyName: "quoted", fingerprint: "335739" }),
  signed("secret: the auth service's ends with a line end", `${SECRET}\n`, "with-line-end", "The auth service's secret ends with a line end or a space, and the gate's does not: take it away there"),
  signed("secret: the auth service has none, and uses the published one", "better-auth-secret-12345678901234567890", "published-default", "The auth service has no secret of its own and uses Better Auth's published default: set BETTER_AUTH_SECRET there"),
  signed("secret: a retired one", OLD_SECRET, "retired", "The cookie is signed by a retired secret: users sign in again, and the auth service must have the same list of secrets", { policyName: "rotated", variable: "BETTER_AUTH_SECRETS" }),

  // lookups
  failed("lookup: the platform's code", { failed: true }, {}, "Nothing answers at this URL: check that it is right, that the service runs, and that the gate can reach it from where it runs", { failure: "no-response" }),
  failed("lookup: no such path", { status: 404, headers: [["content-type", "text/html; charset=utf-8"]], body: "<h1>no</h1>" }, { status: 404, content_type: "text/html" }, "There is no such path: compare base_path with basePath of the auth service, and see that the plugin is there whose path it is", { failure: "unexpected-status" }),
  failed("lookup: a redirect, without its query", { status: 301, headers: [["location", "https://www.example.com/api/auth/get-session?token=once"]], body: "" }, { status: 301, redirects_to: "https://www.example.com/api/auth/get-session" }, "Redirects are not followed: write the address that it redirects to", { failure: "redirect" }),
  failed("lookup: a page of something else", { status: 200, headers: [["Content-Type", "text/html"]], body: "<!doctype html>" }, { status: 200, content_type: "text/html" }, "This is not the response of such a service: check the URL and base_path", { failure: "unexpected-body" }),
  failed("lookup: deployment protection", { status: 401, headers: [], body: "" }, { status: 401 }, "Something in front of the service wants a credential of its own (deployment protection, a firewall): let the gate through", { failure: "unauthorized" }),
  failed("lookup: the service has failed", { status: 500, headers: [], body: "" }, { status: 500 }, "The service has failed: its own log says why", { failure: "server-error" }),
  vector("lookup: a key set that is away", "remote", api("/app", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims()))), reject("keys_unavailable"), {
    effects: ["keys"], results: [{ of: "keys", status: 404, headers: [], body: "" }], also: { log: { lookup: { url: "https://issuer.example/jwks", status: 404 } } },
  }),
  vector("ended: the service has not recognized the cookies", "site", api("/app", cookies({ [SESSION_TOKEN]: good })), reject("session_ended"), {
    effects: ["session"], results: [nullAnswer()],
    also: { log: { asked_url: `${SITE}/api/auth/get-session?disableCookieCache=true`, cookies_deleted: false, session_data: null, hint: "The auth service has not recognized the cookies: it has another secret or cookie name (is it that of another environment?), or uses customSession" } },
  }),
  vector("ended: the cookie cache is of another version", "site", api("/app", sessionCookies(compact(pair({ version: "2" }), NOW + 240_000, SECRET))), reject("session_ended"), {
    effects: ["session"], results: [nullAnswer()], also: { session_data: "session_version", log: { session_data: "session_version" } },
  }),
  vector("ended: the cookie cache is of another session", "site", api("/app", sessionCookies(goodData({ session: { token: OTHER_TOKEN } }))), reject("session_ended"), {
    effects: ["session"], results: [nullAnswer()], also: { session_data: "session_mismatch", log: { session_data: "session_mismatch" } },
  }),

  // tokens
  token("token: another algorithm", { alg: "HS256" }, {}, "alg_not_allowed", { expected: { alg: ["EdDSA"] } }),
  token("token: another audience", {}, { aud: ["one", "two"] }, "audience_mismatch", { expected: { aud: ["https://api.example.com"] } }),
  token("token: an unknown key", { kid: "new" }, {}, "key_not_found", { expected: { kid: ["ed", "p256", "rsa"] } }),
  token("token: too old by a minute", {}, { exp: NOW_S - 60, iat: NOW_S - 120 }, "token_expired", { seconds_off: 60 }),
  token("token: too early by a minute", {}, { iat: NOW_S + 60 }, "token_not_yet_valid", { seconds_off: -60 }),
  token("token: no exp", {}, { exp: undefined }, "claim_missing", { expected: { claims: ["exp"] } }),
  vector("token: two parts", "tokens", api("/app", bearer("aaaa.bbbb.cccc.dddd")), reject("token_malformed"), { also: { log: { token: { parts: 4 } } } }),
  ...[[90, 90], [-90, -90], [2, null]].map(([ahead, said]) =>
    vector(`clock: the issuer's is ${ahead} s ahead`, "remote", api("/app", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ iat: NOW_S + 90 })))), reject("token_not_yet_valid"), {
      effects: ["keys"], results: [keysAnswer(KEYS, dated(ahead))], also: { log: { clock_difference_seconds: said } },
    }),
  ),

  // requirements
  vector("requirement: a role", "tokens", api("/app", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ role: "user,a@example.com" })))), reject("forbidden"), {
    also: { log: { requirement: { name: "roles", expected: ["admin"], found: ["user"] }, issuer: "issuer.example", rule: "/**" } },
  }),

  // the request
  vector("request: its id and its trace", "site", api("/app", ["cf-ray", "8f2a-FRA"], ["x-request-id", "req-1"], ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]), reject("no_credential"), {
    also: { log: { event: "refusal", time: new Date(NOW).toISOString(), request_id: "req-1", traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" } },
  }),
  vector("request: a trace that is none is left out", "site", api("/app", ["x-vercel-id", `fra1::${"x".repeat(400)}`], ["traceparent", "00-<script>-01"]), reject("no_credential"), {
    also: { log: { request_id: `fra1::${"x".repeat(294)}...`, traceparent: null } },
  }),
  vector("request: both origins, and what to do", "site", send("POST", "/app", ["origin", "https://www.example.com"], sessionCookies(goodData())), reject("cross_site_request"), {
    also: { log: { origin: "https://www.example.com", public_origin: SITE, hint: 'If "origin" is this site, give the host its public origin (publicOrigin, DOORWARD_PUBLIC_ORIGIN or PUBLIC_ORIGIN); if it is another site of yours, list it in allowed_origins' } },
  }),
  vector("debug: the refusal shows the line of the log", "debug", api("/app"), reject("no_credential"), { also: { body: shown("/app", "/**") } }),
  vector("debug: a page shows it too, escaped", "debug", page("/admin/x", sessionCookies(goodData())), reject("forbidden"), { effects: ["session"], results: [sessionAnswer()], also: { log: { requirement: { name: "roles", expected: ["admin", "owner"], found: [] } } } }),
  vector("development: the refusal shows the line of the log on this machine", "development", local(), reject("no_credential"), { also: { body: shown("/app", "/**") } }),
  vector("development: not behind a proxy", "development", local([["x-forwarded-for", "192.0.2.7"]]), reject("no_credential"), { also: { body: shown() } }),
  vector("development: not to another machine", "development", { ...local(), client_address: "192.0.2.7" }, reject("no_credential"), { also: { body: shown() } }),
  vector("development: not without the configuration's word", "site", local(), reject("no_credential"), { also: { body: shown() } }),
  vector("passes: the first of two is not logged", "passes", api("/app", sessionCookies(goodData())), forward(ada(), timed), { also: { log: null } }),
  vector("passes: the second is", "passes", api("/app?code=once", sessionCookies(goodData()), ["x-request-id", "req-2"]), forward(ada(), timed), {
    after: "passes: the first of two is not logged",
    also: { log: { event: "pass", decision: "forward", method: "GET", path: "/app", rule: "/**", issuer: "better-auth", request_id: "req-2", reason: null } },
  }),
  vector("request: the sign-in page is protected", "closed", api("/login"), reject("no_credential"), { also: { log: { hint: "This is the sign-in page (sign_in.path), and a rule protects it: make it public" } } }),
];
