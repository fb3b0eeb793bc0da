// What the operator has revoked is out, whatever vouches for it and whether it is fresh or remembered (product, chapter 7). A list
// that is not there, or not understood, is a lookup failure, which is refused.

import { createHash } from "node:crypto";

import { ENV, NOW, NOW_S, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, bearer, betterAuth, claims, cookies, foreign, forward, goodData, page, pair, policy, redirect, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { compact, jwt, publicJwk, signedCookie } from "../mint.mjs";

const URL = "https://ops.example.com/revoked.json";
const deny_list = { url: URL };
const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const jwtPolicy = (members = {}, rule = {}) => policy({ issuers: [foreign({ jwks: { keys: [ed] } })], rules: [{ path: "/**", access: "required", ...rule }], deny_list, ...members });

export const policies = {
  session: betterAuth({ bearer_tokens: "any" }, { deny_list }),
  jwt: jwtPolicy(),
  // The list stays fresh for a minute, so that what is remembered is checked against it.
  slow: jwtPolicy({ deny_list: { url: URL, refresh_seconds: 60 } }),
  "slow-session": betterAuth({}, { deny_list: { url: URL, refresh_seconds: 60 } }),
  lenient: jwtPolicy({}, { on_unavailable: "anonymous" }),
  mixed: policy({ issuers: [foreign({ jwks: { keys: [ed] } })], rules: [{ path: "/open", access: "public" }, { path: "/optional", access: "optional" }, { path: "/**", access: "required" }], deny_list }),
  secret: policy({ ...jwtPolicy().config, deny_list: { url: URL, token: { env: "LIST_TOKEN" } } }, { LIST_TOKEN: "for-the-list" }),
  store: { ...jwtPolicy({ deny_list: { store: "LISTS", key: "revoked" } }), stores: ["LISTS"] },
  both: policy({ issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null }, foreign({ jwks: { keys: [ed] } })], rules: [{ path: "/**", access: "required" }], deny_list }, ENV),
};

const list = (members, headers = []) => ({ of: "deny-list", url: URL, status: 200, headers, body: JSON.stringify(members) });
const raw = (body, status = 200) => ({ of: "deny-list", status, headers: [], body });
const copy = (age, body, until = NOW + 1000) => ({ of: "deny-list", copied: `doorward-copy-1 ${NOW - age} ${until}\n\n${typeof body === "string" ? body : JSON.stringify(body)}` });
const stored = (members) => ({ of: "read", key: "revoked", found: JSON.stringify(members) });
const nothing = { sessions: [] };
const digest = (text) => createHash("sha256").update(text).digest("base64url");
const signedPart = (token) => token.slice(0, token.lastIndexOf("."));

const token = await jwt("EdDSA", "ed", claims({ sid: "session-7" }), { kid: "ed" });
const toldOf7 = told({ "x-doorward-session": "session-7" });
const undated = await jwt("EdDSA", "ed", claims({ iat: undefined }), { kid: "ed" });
const since = await jwt("EdDSA", "ed", claims({ auth_time: NOW_S - 500 }), { kid: "ed" });
const effects = ["deny-list"];
const revoked = reject("session_revoked");
const unavailable = reject("revocation_unavailable");
const whole = sessionCookies(goodData());
const dead = [SESSION_TOKEN, SESSION_DATA, "__Secure-better-auth.dont_remember"].map((name) => `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`);
const signInPage = (path) => redirect("session_revoked", `/sign-in?callbackURL=${encodeURIComponent(path)}`);
const began = NOW_S - 3600;

/** Cases of one kind of credential with one list each: name, list, outcome. */
const each = (prefix, policyName, head, rows, more = {}) =>
  rows.map(([name, members, expected]) => vector(`${prefix}: ${name}`, policyName, head, expected, { results: [list(members)], effects, ...more }));

/** Two requests, the list changes in between or has been there all the while. */
const later = (first, policyName, seconds, name, head, expected, more = {}) =>
  vector(`${first}; ${name}`, policyName, head, expected, { after: first, now: NOW + seconds * 1000, ...more });

export const cases = [
  ...each("a session of the cookie cache", "session", api("/", whole), [
    ["not on the list", { sessions: ["session-2"], tokens: [digest("x")], not_before: { grace: NOW_S + 99 } }, forward(ada())],
    ["its id", { sessions: ["session-0", "session-1"] }, revoked],
    ["its token", { tokens: [digest(TOKEN)] }, revoked],
    ["the token with its signature is no name for it", { tokens: [digest(decodeURIComponent(signedCookie(TOKEN, SECRET)))] }, forward(ada())],
    ["its user, before that second", { not_before: { ada: began + 1 } }, revoked],
    ["its user, not before its own second", { not_before: { ada: began } }, forward(ada())],
    ["another's id in capitals", { sessions: ["SESSION-1"], not_before: { Ada: NOW_S } }, forward(ada())],
  ]),
  vector("a session without the date when it began is too old for its user", "session", api("/", sessionCookies(compact(pair({ session: { createdAt: undefined } }), NOW + 240_000, SECRET))), revoked, { results: [list({ not_before: { ada: 1 } })], effects }),
  vector("a session that is asked about is checked too", "session", api("/", sessionCookies()), revoked, { results: [sessionAnswer(), list({ sessions: ["session-1"] })], effects: ["session", "deny-list"] }),
  vector("so is a token of the bearer plugin", "session", api("/", bearer(TOKEN)), revoked, { results: [sessionAnswer(), list({ tokens: [digest(TOKEN)] })], effects: ["session", "deny-list"] }),
  vector("and a signed one, by the same name", "session", api("/", bearer(signedCookie(TOKEN, SECRET))), revoked, { results: [sessionAnswer(), list({ tokens: [digest(TOKEN)] })], effects: ["session", "deny-list"] }),
  vector("a revoked page goes to sign in with its cookies cleared", "session", page("/app", whole), signInPage("/app"), { results: [list({ sessions: ["session-1"] })], effects }),
  vector("its cookies are cleared", "session", api("/", whole), revoked, { results: [list({ sessions: ["session-1"] })], effects, also: { set_cookies: dead } }),
  vector("what the service sets for it is not passed on", "session", api("/", sessionCookies()), revoked, {
    results: [sessionAnswer({}, [["set-cookie", `${SESSION_DATA}=new; Path=/`]]), list({ sessions: ["session-1"] })], effects: ["session", "deny-list"], also: { set_cookies: dead },
  }),
  vector("a revoked bearer token clears no cookies", "both", api("/", bearer(token), cookies({ unrelated: "1" })), revoked, { results: [list({ sessions: ["session-7"] })], effects, also: { set_cookies: [] } }),
  vector("of two credentials the revoked one counts", "both", api("/", whole, bearer(token)), revoked, { results: [list({ sessions: ["session-7"] })], effects }),

  ...each("a JWT", "jwt", api("/", bearer(token)), [
    ["not on the list", { sessions: [], tokens: [], not_before: {} }, forward(toldOf7)],
    ["its sid", { sessions: ["session-7"] }, revoked],
    ["its header and claims", { tokens: [digest(signedPart(token))] }, revoked],
    ["its user, before that second", { not_before: { "user-1": NOW_S - 59 } }, revoked],
    ["its user, not before its own second", { not_before: { "user-1": NOW_S - 60 } }, forward(toldOf7)],
  ]),
  vector("a session whose name is a number is found", "jwt", api("/", bearer(await jwt("EdDSA", "ed", claims({ sid: 7 }), { kid: "ed" }))), revoked, { results: [list({ sessions: ["7"] })], effects }),
  vector("one whose name is a list would not be, and names no identity", "jwt", api("/", bearer(await jwt("EdDSA", "ed", claims({ sid: ["session-7"] }), { kid: "ed" }))), reject("claims_malformed")),
  vector("a JWT without a date is too old for its user", "jwt", api("/", bearer(undated)), revoked, { results: [list({ not_before: { "user-1": 1 } })], effects }),
  vector("a JWT without a date is of its own user only", "jwt", api("/", bearer(undated)), forward(told()), { results: [list({ not_before: { "user-2": 1 } })], effects }),
  vector("signing in counts, not when the token was made", "jwt", api("/", bearer(since)), revoked, { results: [list({ not_before: { "user-1": NOW_S - 400 } })], effects }),
  vector("a bad token is bad without the list", "jwt", api("/", bearer(`${signedPart(token)}.AAAA`)), reject("signature_invalid")),

  ...[
    ["no answer", [], "no-response"],
    ["not found", [raw("", 404)], "unexpected-status"],
    ["an error with a list in it", [raw(JSON.stringify(nothing), 500)], "server-error"],
    ["a redirect", [raw("", 302)], "redirect"],
    ["too large", [{ of: "deny-list", too_large: true }], "too-large"],
    ["a page", [raw("<!doctype html>")], "unexpected-body"],
    ["null", [raw("null")], "unexpected-body"],
    ["an empty object", [raw("{}")], "unexpected-body"],
    ["an unknown member", [list({ sessions: [], users: [] })], "unexpected-body"],
    ["a member twice", [raw('{"sessions":[],"sessions":["session-7"]}')], "unexpected-body"],
    ["a number for an id", [list({ sessions: [7] })], "unexpected-body"],
    ["a digest in hex", [list({ tokens: [createHash("sha256").digest("hex")] })], "unexpected-body"],
    ["milliseconds", [list({ not_before: { grace: NOW } })], "unexpected-body"],
  ].map(([name, results, word]) => vector(`the list is ${name}`, "jwt", api("/", bearer(token)), unavailable, { results, effects, also: { log: { reason: "revocation_unavailable", deny_list_failure: word } } })),
  vector("without a list no identity is admitted, and under `on_unavailable: anonymous` the request is anonymous", "lenient", api("/", bearer(token)), forward(), { effects, also: { log: { decision: "anonymous", reason: "revocation_unavailable", deny_list_failure: "no-response" } } }),
  vector("a public path asks for no list", "mixed", api("/open", bearer(token)), forward()),
  vector("an anonymous request asks for no list", "mixed", api("/optional"), forward()),
  vector("a request with a session on an optional path does", "mixed", api("/optional", bearer(token)), unavailable, { effects }),
  vector("a preflight asks for no list", "mixed", send("OPTIONS", "/x", ["origin", "https://x.example"], ["access-control-request-method", "PUT"]), forward()),
  vector("a list behind a secret", "secret", api("/", bearer(token)), revoked, { results: [list({ sessions: ["session-7"] })], effects }),

  // Remembered is no better than fresh.
  vector("a token is verified", "slow", api("/", bearer(token)), forward(toldOf7), { results: [list(nothing)], effects }),
  later("a token is verified", "slow", 59, "the list is young", api("/", bearer(token)), forward(toldOf7)),
  later("a token is verified", "slow", 60, "the list is fetched anew behind a response", api("/", bearer(token)), forward(toldOf7), { results: [list({ sessions: ["session-7"] })], also: { after: ["deny-list"] } }),
  later("a token is verified", "slow", 61, "the token that is remembered is on it", api("/", bearer(token)), revoked),
  vector("a session is seen", "slow-session", api("/", whole), forward(ada()), { results: [list(nothing)], effects }),
  later("a session is seen", "slow-session", 61, "behind its response the list", api("/", whole), forward(ada()), { results: [list({ not_before: { ada: NOW_S } })], also: { after: ["deny-list"] } }),
  later("a session is seen", "slow-session", 62, "it is on the list though it is remembered", api("/", whole), revoked),
  vector("a session is asked about", "slow-session", api("/", sessionCookies()), forward(ada("auth-service")), { results: [sessionAnswer(), list(nothing)], effects: ["session", "deny-list"] }),
  later("a session is asked about", "slow-session", 9, "the answer is remembered", api("/", sessionCookies()), forward(ada("auth-service"))),
  vector("the list is in use", "jwt", api("/", bearer(token)), forward(toldOf7), { results: [list(nothing)], effects }),
  later("the list is in use", "jwt", 60, "one that is twice as old as it should be is fetched first", api("/", bearer(token)), revoked, { results: [list({ sessions: ["session-7"] })], effects }),
  vector("another list is in use", "jwt", api("/", bearer(token)), forward(toldOf7), { results: [list(nothing)], effects }),
  later("another list is in use", "jwt", 299.9, "it serves while there is no newer one", api("/", bearer(token)), forward(toldOf7), { effects, also: { log: { decision: "forward", deny_list_failure: "no-response" } } }),
  later("another list is in use", "jwt", 300, "until its ceiling", api("/", bearer(token)), unavailable, { also: { log: { reason: "revocation_unavailable" } } }),
  later("another list is in use", "jwt", 310, "and not after", api("/", bearer(token)), unavailable, { effects }),
  later("another list is in use", "jwt", 320, "a new one is taken at once", api("/", bearer(token)), forward(toldOf7), { results: [list(nothing)], effects }),
  vector("a good list is there", "jwt", api("/", bearer(token)), forward(toldOf7), { results: [list({ sessions: ["session-1"] })], effects }),
  later("a good list is there", "jwt", 70, "garbage does not replace it", api("/", bearer(token)), forward(toldOf7), { results: [raw("{}")], effects, also: { log: { deny_list_failure: "unexpected-body" } } }),
  later("a good list is there", "jwt", 80, "what stands on it is still revoked", api("/", bearer(await jwt("EdDSA", "ed", claims({ sid: "session-1" }), { kid: "ed" }))), revoked, { effects }),
  vector("a list that comes old", "jwt", api("/", bearer(token)), forward(toldOf7), { results: [list(nothing, [["age", "280"]])], effects }),
  later("a list that comes old", "jwt", 19, "counts from when it was made", api("/", bearer(token)), forward(toldOf7), { effects, also: { log: { deny_list_failure: "no-response" } } }),
  later("a list that comes old", "jwt", 25, "and ends early", api("/", bearer(token)), unavailable, { effects }),

  vector("a copy of the list from the shared cache is enough", "jwt", api("/", bearer(token)), revoked, { results: [copy(59_999, { sessions: ["session-7"] })], effects }),
  ...[
    ["that is as old as a list may usually be", copy(60_000, nothing)],
    ["from the future", copy(-1, nothing)],
    ["whose time is over", copy(1000, nothing, NOW)],
    ["of no list", copy(1000, "{}")],
    ["that is none", { of: "deny-list", copied: JSON.stringify(nothing) }],
  ].map(([name, result]) => vector(`a copy ${name} is asked past`, "jwt", api("/", bearer(token)), revoked, { results: [result, list({ sessions: ["session-7"] })], effects: [...effects, ...effects] })),
  vector("a copy that is asked past in vain admits no request", "jwt", api("/", bearer(token)), unavailable, { results: [copy(60_000, nothing)], effects: [...effects, ...effects] }),
  vector("a list that came as a copy", "jwt", api("/", bearer(token)), forward(toldOf7), { results: [copy(50_000, nothing)], effects }),
  later("a list that came as a copy", "jwt", 5, "is as old as its fetch: the next one is fetched behind a response", api("/", bearer(token)), forward(toldOf7), { results: [list({ sessions: ["session-7"] })], also: { after: ["deny-list"] } }),
  later("a list that came as a copy", "jwt", 6, "and that one counts", api("/", bearer(token)), revoked),
  vector("a list in a store", "store", api("/", bearer(token)), revoked, { results: [stored({ sessions: ["session-7"] })], effects: ["read"] }),
  vector("an empty list in a store", "store", api("/", bearer(token)), forward(toldOf7), { results: [stored(nothing)], effects: ["read"] }),
  vector("a store without the list", "store", api("/", bearer(token)), unavailable, { results: [{ of: "read", absent: true }], effects: ["read"], also: { log: { deny_list_failure: "not-found" } } }),
  vector("a store that fails", "store", api("/", bearer(token)), unavailable, { effects: ["read"], also: { log: { deny_list_failure: "no-response" } } }),
  vector("a store with a list that is too large", "store", api("/", bearer(token)), unavailable, { results: [{ of: "read", too_large: true }], effects: ["read"], also: { log: { deny_list_failure: "too-large" } } }),
];
