// Token exchange (product, chapter 7): a session is forwarded to an origin with a JWT of its auth service, which the service
// issues for active sessions and for no other, and which is verified before it is forwarded (wire format, section 6).

import { ENV, NOW, NOW_S, PRIVATE, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, bearer, forward, keysAnswer, nullAnswer, pair, policy, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact, forged, forgedHmac, jwt, publicJwk, signedValue, tampered } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256" });
const API = "https://api.example.com";
const AUDIENCE = "https://notes.example.com";
const exchange = (path, members = {}) => ({ path, access: "required", token_exchange: true, upstream: API, ...members });
const rules = [
  { path: "{auth}/**", access: "public" },
  exchange("/own/**", { upstream: undefined }),
  exchange("/optional/**", { access: "optional" }),
  exchange("/lenient/**", { on_unavailable: "anonymous" }),
  exchange("/reported/**", { mode: "report", report_until: "2027-01-15" }),
  exchange("/for-notes/**", { token_exchange: { audience: AUDIENCE } }),
  exchange("/cookie-first/**", { on_conflict: "cookie" }),
  exchange("/with-cookies/**", { credential: "keep" }),
  { path: "/API/plain", access: "required" },
  exchange("/api/**"),
  { path: "/elsewhere/**", access: "public", upstream: "https://static.example.com" },
  { path: "/**", access: "required" },
];
const site = (members = {}) =>
  policy({ issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks: { keys: [ed, p256] }, ...members }], rules }, ENV);

export const policies = {
  site: site(),
  bearer: site({ bearer_tokens: "any" }),
  stateless: site({ stateless: true }),
  fetched: site({ jwks: undefined, jwks_url: `${SITE}/api/auth/jwks` }),
  "without secret": site({ secret: undefined, cookie_cache: "off" }),
};

/** A cookie cache that lives longer than any token here. */
const cached = sessionCookies(compact(pair(), NOW + 86_400_000, SECRET));
const claims = (members = {}) => ({ iat: NOW_S, id: "ada", name: "Ada", sub: "ada", exp: NOW_S + 900, iss: SITE, aud: SITE, ...members });
const token = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const later = await jwt("EdDSA", "ed", claims({ iat: NOW_S + 841, exp: NOW_S + 1741 }), { kid: "ed" });

const byPlatform = await jwt("ES256", "p256", claims(), { kid: "p256" });
/** Where it and a token that the service issues are not to be taken for one another. */
const own = forged("EdDSA", "ed", { kid: "ed", alg: "EdDSA" }, claims({ via: "script" }));

const answered = (status, body, headers = []) => ({ of: "token", status, headers: [["content-type", "application/json"], ...headers], body });
/** `cookies` are the names of those that the service has to get. */
const minted = (jwt, members = {}) => ({ ...answered(200, JSON.stringify({ token: jwt })), cookies: [SESSION_TOKEN], ...members });
const asked = (...results) => ({ effects: results.map(({ of }) => of), results });
const denied = answered(401, '{"message":"Unauthorized","code":"UNAUTHORIZED"}');

/** Goes on to the API with this token; its session's cookies do not. */
const crosses = (jwt, members = {}) =>
  forward({ ...ada(), authorization: `Bearer ${jwt}` }, { removed: ["cookie"], upstream: API, ...members });
const toApi = (name, expected, more, ...headers) => vector(name, "site", api("/api/notes", cached, ...headers), expected, more);
const refused = (name, result, log) => toApi(name, reject("token_exchange_unavailable"), { ...asked(result), also: { log } });
const failure = (code) => ({ reason: "token_exchange_unavailable", lookup_failure: code });
/** A token that does not hold, and what the log says is behind it. */
const invalid = (name, jwt, cause) => toApi(name, reject("exchanged_token_invalid"), { ...asked(minted(jwt)), also: { log: { reason: "exchanged_token_invalid", cause } } });

const jwtAda = { ...ada("jwt"), "x-doorward-expires": String(NOW_S + 900) };
delete jwtAda["x-doorward-session"];
delete jwtAda["x-doorward-email"];
const line = (name, value) => ["set-cookie", `${name}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`];
const gone = (name) => `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`;
const here = ["origin", SITE];
const unsafe = (name, target, members = {}, more = {}) =>
  ({ ...vector(name, "site", send("POST", target, cached, here), forward(ada(), members.forward), more), ...members.case });

export const cases = [
  // who crosses, and with what
  toApi("a session of the cookie cache goes on with a token", crosses(token), asked(minted(token))),
  toApi("and goes on with it again, without a question", crosses(token), { after: "a session of the cookie cache goes on with a token", now: NOW + 60_000 }),
  vector("to another path, with the same", "site", api("/own/notes", cached), forward({ ...ada(), authorization: `Bearer ${token}` }, { upstream: null }), { after: "a session of the cookie cache goes on with a token", now: NOW + 60_000 }),
  toApi("the last minute of a token is no time to send it off", crosses(later), { after: "a session of the cookie cache goes on with a token", now: NOW + 841_000, ...asked(minted(later)) }),
  vector("a session that was asked about goes on with a token", "site", api("/api/notes", sessionCookies()), forward({ ...ada("auth-service"), authorization: `Bearer ${token}` }, { removed: ["cookie"], upstream: API }), asked(sessionAnswer(), minted(token))),
  vector("a token of the bearer plugin is sent as it came, and a token goes on", "bearer", api("/api/notes", bearer(signedValue(TOKEN, SECRET))), forward({ ...ada("auth-service"), authorization: `Bearer ${token}` }, { removed: ["authorization"], upstream: API }), asked(sessionAnswer(), minted(token, { cookies: [] }))),
  vector("a service without a store gets its cookie cache: there is nothing else to ask", "stateless", api("/api/notes", cached), crosses(token), asked(minted(token, { cookies: [SESSION_TOKEN, SESSION_DATA] }))),
  vector("a session without a secret to check it with", "without secret", api("/api/notes", sessionCookies()), forward({ ...ada("auth-service"), authorization: `Bearer ${token}` }, { removed: ["cookie"], upstream: API }), asked(sessionAnswer(), minted(token))),
  vector("without an upstream the host's own origin is where it goes, cookies and all", "site", api("/own/notes", cached), forward({ ...ada(), authorization: `Bearer ${token}` }, { upstream: null }), asked(minted(token))),
  vector("an upstream gets the session's cookies where a rule says so", "site", api("/with-cookies/notes", cached), crosses(token, { removed: [] }), asked(minted(token))),
  vector("other cookies go on", "site", api("/api/notes", ["cookie", `theme=dark; ${cached[1]}`]), forward({ ...ada(), cookie: "theme=dark", authorization: `Bearer ${token}` }, { removed: ["cookie"] }), asked(minted(token))),
  vector("a public path may have an upstream too", "site", api("/elsewhere/logo.svg", cached), forward({}, { removed: ["cookie"], upstream: "https://static.example.com" })),
  vector("an anonymous request is forwarded anonymously", "site", api("/optional/notes"), forward({}, { upstream: API })),
  toApi("a token that the platform checks", crosses(byPlatform), { effects: ["token", "check"], results: [minted(byPlatform)] }),
  vector("its keys are fetched", "fetched", api("/api/notes", cached), crosses(token), asked(minted(token), keysAnswer([ed]))),

  // Authorization belongs to the token exchange
  toApi("what a client puts into Authorization does not go on", crosses(token, { removed: ["cookie", "Authorization"] }), asked(minted(token)), ["Authorization", "Basic YWRhOng="]),
  vector("nor under an optional rule", "site", api("/optional/notes", ["authorization", "Basic YWRhOng="]), forward({}, { removed: ["authorization"], upstream: API })),
  vector("nor with a preflight", "site", send("OPTIONS", "/api/notes", ["origin", "https://other.example"], ["access-control-request-method", "GET"], ["authorization", "Bearer x"]), forward({}, { removed: ["authorization"], upstream: API })),
  vector("a good token goes on as it came", "site", api("/api/notes", bearer(token)), forward(jwtAda, { removed: [], upstream: API })),
  vector("and so does one beside a session of the same person", "site", api("/api/notes", cached, bearer(token)), forward(jwtAda, { removed: ["cookie"], upstream: API })),
  vector("unless the rule would rather have the session", "site", api("/cookie-first/notes", cached, bearer(own)), crosses(later, { removed: ["cookie", "authorization"] }), { now: NOW + 850_000, ...asked(minted(later)) }),
  vector("a bad token is refused, also beside a good session", "site", api("/api/notes", cached, bearer(tampered(token))), reject("signature_invalid")),
  vector("a good token for another audience is not forwarded", "site", api("/for-notes/x", bearer(token)), reject("audience_mismatch")),
  vector("a good token for just these ears does", "site", api("/for-notes/x", bearer(await jwt("EdDSA", "ed", claims({ aud: [SITE, AUDIENCE] }), { kid: "ed" }))), forward(jwtAda, { removed: [], upstream: API })),
  vector("a session goes on with a token for these ears", "site", api("/for-notes/x", cached), crosses(await jwt("EdDSA", "ed", claims({ aud: AUDIENCE }), { kid: "ed" })), asked(minted(await jwt("EdDSA", "ed", claims({ aud: AUDIENCE }), { kid: "ed" })))),
  vector("and with no other", "site", api("/for-notes/x", cached), reject("exchanged_token_invalid"), { ...asked(minted(token)), also: { log: { cause: "audience_mismatch" } } }),
  vector("a token for other ears is another one", "site", api("/for-notes/x", cached), crosses(await jwt("EdDSA", "ed", claims({ aud: AUDIENCE }), { kid: "ed" })), { after: "a session of the cookie cache goes on with a token", now: NOW + 1000, ...asked(minted(await jwt("EdDSA", "ed", claims({ aud: AUDIENCE }), { kid: "ed" }))) }),

  // where rules meet
  vector("a target that only some router would take there goes to the origin, without a token", "site", api("/API/notes", cached, ["authorization", "Basic x"]), forward(ada(), { removed: ["cookie", "authorization"], upstream: null })),
  vector("a target that is another rule's to some router goes where it leads, and without a token", "site", api("/api/plain", cached), forward(ada(), { removed: ["cookie"], upstream: API })),
  vector("a payload that only carries such a page too", "site", api("/_next/data/build/api/notes.json", cached), forward(ada(), { removed: ["cookie"], upstream: null })),

  // a request from elsewhere
  vector("another site causes no token", "site", send("POST", "/api/notes", cached, ["origin", "https://evil.example"]), reject("cross_site_request")),
  vector("this site does", "site", send("POST", "/api/notes", cached, here), crosses(token), asked(minted(token))),

  // what the service may say
  refused("an auth service that is away", { of: "token", failed: true }, failure("no-response")),
  refused("one that fails", answered(500, ""), failure("server-error")),
  refused("one that limits", answered(429, "{}"), failure("rate-limited")),
  refused("one that redirects", answered(302, "", [["location", "/sign-in"]]), failure("redirect")),
  refused("one that forbids", answered(403, "{}"), failure("unexpected-status")),
  refused("one that shows a page", answered(200, "<!doctype html>"), failure("unexpected-body")),
  refused("one that says null", answered(200, "null"), failure("unexpected-body")),
  refused("one whose token is none", answered(200, '{"token":null}'), failure("unexpected-body")),
  refused("one whose token is empty", answered(200, '{"token":""}'), failure("unexpected-body")),
  refused("one that says too much", { of: "token", too_large: true }, failure("too-large")),
  refused("one without the jwt plugin", answered(404, ""), failure("no-jwt-plugin")),
  toApi("a failure is not asked about again at once", reject("token_exchange_unavailable"), { after: "one that fails", now: NOW + 1900, also: { log: failure("server-error") } }),
  toApi("and again a little later", crosses(token), { after: "one that fails", now: NOW + 2100, ...asked(minted(token)) }),
  toApi("a token that is not renewed", crosses(token), asked(minted(token))),
  toApi("near its end a token does, while there is no newer one", crosses(token), { after: "a token that is not renewed", now: NOW + 845_000, ...asked(answered(500, "")), also: { log: { decision: "stale-if-error", reason: "token_exchange_unavailable", lookup_failure: "server-error" } } }),
  toApi("and no longer than until its end", reject("token_exchange_unavailable"), { after: "near its end a token does, while there is no newer one", now: NOW + 900_000, ...asked(answered(500, "")) }),
  vector("under `on_unavailable: anonymous` it is forwarded anonymously", "site", api("/lenient/notes", cached, ["authorization", "Basic x"]), forward({}, { removed: ["cookie", "authorization"], upstream: API }), { ...asked(answered(500, "")), also: { log: { decision: "anonymous", reason: "token_exchange_unavailable", lookup_failure: "server-error" } } }),
  vector("and so does what is only reported", "site", api("/reported/notes", cached), forward({}, { removed: ["cookie"], upstream: API }), { ...asked(minted(tampered(token))), also: { log: { decision: "report", reason: "exchanged_token_invalid", cause: "signature_invalid" } } }),
  toApi("cookies that come with a token are passed on, the session's own", crosses(token, { response_headers: [...PRIVATE, line(SESSION_DATA, "abc")] }), asked(minted(token, { headers: [line(SESSION_DATA, "abc"), line("other", "x"), ["set-auth-jwt", token]] }))),

  // a session that has ended
  toApi("denied, and the service says that the session has ended", reject("session_ended"), { ...asked(denied, nullAnswer()), also: { set_cookies: [SESSION_TOKEN, SESSION_DATA, "__Secure-better-auth.dont_remember"].map(gone) } }),
  toApi("what has ended is known to have ended", reject("session_ended"), { after: "denied, and the service says that the session has ended", now: NOW + 9000 }),
  toApi("denied, and the session is active: not known", reject("token_exchange_unavailable"), { ...asked(denied, sessionAnswer()), also: { log: failure("unauthorized"), set_cookies: [] } }),
  toApi("denied, and the service is away: not known", reject("token_exchange_unavailable"), { ...asked(denied, { of: "session", failed: true }), also: { log: failure("no-response"), set_cookies: [] } }),
  vector("denied, just after the service said that the session is active: not known, and there is no second request", "site", api("/api/notes", sessionCookies()), reject("token_exchange_unavailable"), { ...asked(sessionAnswer(), denied), also: { log: failure("unauthorized") } }),
  vector("a session of the bearer plugin that was denied is as good as before: there is no second request", "bearer", api("/api/notes", bearer(signedValue(TOKEN, SECRET))), reject("token_exchange_unavailable"), { ...asked(sessionAnswer(), denied), also: { log: failure("unauthorized") } }),
  vector("denied a little later, it has ended: that clears no cookies", "bearer", api("/api/notes", bearer(signedValue(TOKEN, SECRET))), reject("session_ended"), { after: "a session of the bearer plugin that was denied is as good as before: there is no second request", now: NOW + 3000, ...asked(denied, nullAnswer()), also: { set_cookies: [] } }),

  // what is kept ends with a sign-out
  toApi("before a sign-out", crosses(token), asked(minted(token))),
  vector("a sign-out at the auth service", "site", send("POST", "/api/auth/sign-out", cached, here), forward(), { after: "before a sign-out", now: NOW + 1000 }),
  toApi("ends what was kept", crosses(later), { after: "a sign-out at the auth service", now: NOW + 850_000, ...asked(minted(later)) }),
  unsafe("a request that ends nothing", "/app", {}, { after: "ends what was kept", now: NOW + 851_000 }),
  toApi("ends nothing that was kept", crosses(later), { after: "a request that ends nothing", now: NOW + 852_000 }),
  unsafe("a sign-out of the origin's own", "/app", { case: { origin_set_cookies: [gone(SESSION_TOKEN)] } }, { after: "ends nothing that was kept", now: NOW + 853_000 }),
  toApi("ends what was kept as well", reject("token_exchange_unavailable"), { after: "a sign-out of the origin's own", now: NOW + 854_000, ...asked(answered(500, "")) }),

  // what does not hold does not go on
  invalid("a token of another user", await jwt("EdDSA", "ed", claims({ sub: "bob" }), { kid: "ed" }), "session_mismatch"),
  invalid("a token for another audience", await jwt("EdDSA", "ed", claims({ aud: "https://other.example" }), { kid: "ed" }), "audience_mismatch"),
  invalid("a token without an audience", await jwt("EdDSA", "ed", claims({ aud: undefined }), { kid: "ed" }), "claim_missing"),
  invalid("a token of another issuer", await jwt("EdDSA", "ed", claims({ iss: "https://other.example" }), { kid: "ed" }), "issuer_unknown"),
  invalid("a token that never expires", await jwt("EdDSA", "ed", claims({ exp: undefined }), { kid: "ed" }), "claim_missing"),
  invalid("a token that has expired", await jwt("EdDSA", "ed", claims({ iat: NOW_S - 900, exp: NOW_S - 10 }), { kid: "ed" }), "token_expired"),
  invalid("a token that has just expired: an origin's clock forgives nothing", await jwt("EdDSA", "ed", claims({ iat: NOW_S - 900, exp: NOW_S }), { kid: "ed" }), "token_expired"),
  invalid("a token of tomorrow", await jwt("EdDSA", "ed", claims({ iat: NOW_S + 86_400, exp: NOW_S + 87_300 }), { kid: "ed" }), "token_not_yet_valid"),
  invalid("a token without a subject", await jwt("EdDSA", "ed", claims({ sub: undefined }), { kid: "ed" }), "claim_missing"),
  invalid("a token that was changed", tampered(token), "signature_invalid"),
  invalid("a token by another key", forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed" }, claims()), "signature_invalid"),
  invalid("a token by an unknown key", forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed2" }, claims()), "key_not_found"),
  invalid("a token with a shared secret", forgedHmac("HS256", SECRET, { alg: "HS256" }, claims()), "alg_not_allowed"),
  invalid("a token of another kind", forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed", typ: "logout+jwt" }, claims()), "type_mismatch"),
  invalid("something that is no token", "abc", "token_malformed"),
  toApi("who comes next need not find that out again", reject("exchanged_token_invalid"), { after: "a token for another audience", now: NOW + 1000 }),
  vector("keys that cannot be had are an outage of keys", "fetched", api("/api/notes", cached), reject("keys_unavailable"), asked(minted(token), { of: "keys", failed: true })),
  toApi("a check that cannot be performed", reject("signature_check_unavailable"), asked(minted(byPlatform), { of: "check", failed: true })),
];
