// What a rule requires and a session does not meet, as far as is known (docs/sessions.md, "Requirements of a rule"): only the auth service's
// own answer of now is a definite no. A cookie cache, a storage, a cached copy or this instance's memory may be older than a promotion, or not have all that the
// service says (customSession). And forms of e-mail addresses that more than one reader could understand.

import { NOW, NOW_S, TOKEN, ada, api, bearer, betterAuth, claims, forward, goodData, jwtIssuer, nullAnswer, pair, page, reject, send, sessionAnswer, sessionCookies, told, vector, SECRET } from "../cases.mjs";
import { forged, publicJwk, signedValue } from "../mint.mjs";

const rule = (path, members) => ({ path, access: "required", ...members });
const rules = [
  rule("/role", { roles: "admin" }),
  rule("/scope", { scopes: "read" }),
  rule("/plan", { claims: { plan: "pro" } }),
  rule("/org", { claims: { "session.activeOrganizationId": "acme" } }),
  rule("/domain", { email_domains: "example.com" }),
  rule("/age", { max_session_age_seconds: 3600 }),
  rule("/young", { max_session_age_seconds: 60 }),
  rule("/recent", { roles: "admin", max_staleness_seconds: 5 }),
  rule("/lenient", { roles: "admin", on_unavailable: "anonymous" }),
  rule("/**"),
];

export const policies = {
  session: betterAuth({ bearer_tokens: "signed" }, { rules, sign_in: { path: "/sign-in" } }),
  stale: betterAuth({ stale_if_error_seconds: 600 }, { rules }),
  stateless: betterAuth({ stateless: true }, { rules }),
  stored: { ...betterAuth({ storage: { store: "SESSIONS", lag_seconds: 0 } }, { rules }), stores: ["SESSIONS"] },
  token: jwtIssuer({ jwks: { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] } }, { rules }),
};

const effects = ["session"];
const refused = reject("forbidden");
const unavailable = reject("session_unavailable");
const old = sessionCookies(goodData());
const bare = sessionCookies();
const admin = { user: { role: "admin" } };
const answers = (...members) => ({ effects: members.map(() => "session"), results: members.map((each) => sessionAnswer(each)) });
const on = (name, policy, target, expected, more = {}, cookie = old) => vector(name, policy, api(target, cookie), expected, more);
const fresh = (members = {}) => forward(ada("auth-service", members));
const iso = (millis) => new Date(millis).toISOString();

/** Of each kind of requirement: what the cookie cache says, what the service says now. */
const KINDS = [
  ["/role", {}, admin],
  ["/role", { user: { role: "user" } }, admin],
  ["/scope", {}, { user: { scope: "read" } }],
  ["/plan", {}, { user: { plan: "pro" } }],
  ["/plan", { user: { plan: "free" } }, { user: { plan: "pro" } }],
  ["/org", { session: { activeOrganizationId: "other" } }, { session: { activeOrganizationId: "acme" } }],
  ["/domain", { user: { emailVerified: false } }, { user: { emailVerified: true } }],
  ["/age", { session: { createdAt: undefined } }, {}],
];
const kinds = KINDS.flatMap(([target, known, now], number) => [
  on(`${target}: the cookie cache does not have it, the service does (${number})`, "session", target, fresh(), answers(now), sessionCookies(goodData(known))),
  on(`${target}: neither has it (${number})`, "session", target, refused, answers(known), sessionCookies(goodData(known))),
  on(`${target}: the cookie cache does not have it, and the auth service does not answer (${number})`, "session", target, unavailable, { effects, also: { log: { reason: "session_unavailable", lookup_failure: "no-response" } } }, sessionCookies(goodData(known))),
  on(`${target}: the session has ended (${number})`, "session", target, reject("session_ended"), { effects, results: [nullAnswer()] }, sessionCookies(goodData(known))),
  on(`${target}: the cookie cache has it, and no request is made (${number})`, "session", target, forward(ada()), {}, sessionCookies(goodData(now))),
]);

/** Local parts, and domains, and whether one reader's address is every other's. */
const ADDRESSES = [
  ["ada@example.com", true], ["ada.lovelace+tag@example.com", true], ["r&d@example.com", true], ["o'hara@example.com", true], ["a_b-c@EXAMPLE.com", true], ["1@example.com", true],
  ["=?utf-8?q?ada?=@example.com", false], ["=?utf-8?q?ada=40evil.example?=@example.com", false], ["=?utf-7?q?ada+AEA-evil.example?=@example.com", false],
  ["a%40evil.example@example.com", false], ["a%evil.example@example.com", false], ["evil.example!a@example.com", false], ["a=40evil.example@example.com", false], ["a=evil.example@example.com", false],
  ["\"ada\"@example.com", false], ["\"a@evil.example\"@example.com", false], ["\"a b\"@example.com", false], ["(evil.example)ada@example.com", false], ["ada(x)@example.com", false], ["<ada@example.com>", false],
  [".ada@example.com", false], ["ada.@example.com", false], ["a..da@example.com", false], ["ada@@example.com", false], ["ada,b@example.com", false], ["ada;b@example.com", false], ["ada:b@example.com", false], ["a\\@example.com", false], ["[ada]@example.com", false],
  ["ada\u0000@example.com", false], ["ada\n@example.com", false], ["ada @example.com", false], ["\u00e4da@example.com", false], ["ada\uff20example.com", false], ["ada@example.com\u0000", false],
  [`${"a".repeat(64)}@example.com`, true], [`${"a".repeat(65)}@example.com`, false],
  ["ada@example.com.", false], ["ada@.example.com", false], ["ada@-example.com", false], ["ada@example.com%00", false], ["ada@example.com,evil.example", false], ["ada@[127.0.0.1]", false],
];
const addressed = (email) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ email, email_verified: true })));
const toldOf = (email) => forward(told({ "x-doorward-email": encodeURIComponent(email).replace(/%(40|2B|26|27|5F)/g, (escape) => decodeURIComponent(escape)) }));
const verified = (name, holds, members) => vector(`verified: ${name}`, "token", api("/domain", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ email: "ada@example.com", ...members })))), holds ? toldOf("ada@example.com") : refused);

export const cases = [
  ...kinds,
  on("there is no service to ask about a token", "token", "/role", refused, {}, bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ role: "user" })))),
  on("a page of a user who has been given the role", "session", "/role", fresh(), answers(admin)),
  vector("a user who may not see a page is told so, and not sent to sign in", "session", page("/role", old), refused, answers({})),
  vector("another site's request makes no request to the auth service", "session", send("POST", "/role", old, ["origin", "https://evil.example"]), reject("cross_site_request")),
  on("the cookies of the answer go on with a refusal", "session", "/role", refused, { effects, results: [sessionAnswer({}, [["set-cookie", "__Secure-better-auth.session_data=new; Path=/"]])], also: { set_cookies: ["__Secure-better-auth.session_data=new; Path=/"] } }),

  on("memory: an answer without the role", "session", "/", fresh(), answers({}), bare),
  on("memory: is no reason for a refusal", "session", "/role", fresh(), { after: "memory: an answer without the role", now: NOW + 1000, ...answers(admin) }, bare),
  on("memory: one that has it is enough", "session", "/role", fresh(), { after: "memory: is no reason for a refusal", now: NOW + 10_000 }, bare),
  on("memory: for as long as it counts", "session", "/role", fresh(), { after: "memory: is no reason for a refusal", now: NOW + 11_000, ...answers(admin) }, bare),
  on("memory: beside a cookie cache that is older", "session", "/role", fresh(), { after: "memory: is no reason for a refusal", now: NOW + 15_000 }),
  on("memory: of a role that is gone does for as long as it counts", "session", "/role", refused, { after: "memory: is no reason for a refusal", now: NOW + 22_000, ...answers({}) }),
  on("a promotion is seen with the next request", "session", "/role", fresh(), { after: "memory: of a role that is gone does for as long as it counts", now: NOW + 22_000, ...answers(admin) }),
  on("a rule's staleness bounds the memory: first", "session", "/recent", fresh(), answers(admin)),
  on("a rule's staleness bounds the memory", "session", "/recent", refused, { after: "a rule's staleness bounds the memory: first", now: NOW + 5000, ...answers({}) }),

  on("a lookup failure admits no user who is known not to meet the requirement", "session", "/lenient", unavailable, { effects }),
  on("and lets pass of whom nothing is known", "session", "/lenient", forward(), { effects }, bare),
  on("older knowledge is no definite no: it lives", "stale", "/", fresh(), answers({}), bare),
  on("older knowledge is no definite no", "stale", "/role", unavailable, { after: "older knowledge is no definite no: it lives", now: NOW + 60_000, effects, also: { log: { lookup_failure: "no-response" } } }, bare),
  on("a stateless service may say more than its cookie", "stateless", "/plan", fresh(), answers({ user: { plan: "pro" } })),
  vector("a token of the bearer plugin: an answer without the role", "session", api("/role", bearer(signedValue(TOKEN, SECRET))), refused, answers({})),
  vector("a token of the bearer plugin: the role has been given", "session", api("/role", bearer(signedValue(TOKEN, SECRET))), fresh(), { after: "a token of the bearer plugin: an answer without the role", ...answers(admin) }),
  on("a storage does not have it, the service does", "stored", "/role", fresh(), { effects: ["read", "read", "session"], results: [{ of: "read", key: TOKEN, found: JSON.stringify(pair()) }, { of: "read", key: "revoked-sessions-before-ada", absent: true }, sessionAnswer(admin)] }, bare),
  on("a storage does not have it, nor does the service", "stored", "/role", refused, { effects: ["read", "read", "session"], results: [{ of: "read", key: TOKEN, found: JSON.stringify(pair()) }, { of: "read", key: "revoked-sessions-before-ada", absent: true }, sessionAnswer()] }, bare),
  on("a storage has it", "stored", "/role", forward(ada("storage")), { effects: ["read", "read"], results: [{ of: "read", key: TOKEN, found: JSON.stringify(pair(admin)) }, { of: "read", key: "revoked-sessions-before-ada", absent: true }] }, bare),

  // The gate's clock is behind.
  on("a session of this minute, and a clock that is a little behind", "session", "/young", forward(ada()), {}, sessionCookies(goodData({ session: { createdAt: iso(NOW + 60_000) } }))),
  on("a session from the future: the log speaks of the clock", "session", "/young", refused, { ...answers({ session: { createdAt: iso(NOW + 180_000) } }), also: { log: { reason: "forbidden", cause: "token_not_yet_valid" } } }, sessionCookies(goodData({ session: { createdAt: iso(NOW + 180_000) } }))),
  vector("a token of a sign-in in the future: the log speaks of the clock", "token", api("/young", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ auth_time: NOW_S + 180 })))), refused, { also: { log: { reason: "forbidden", cause: "token_not_yet_valid" } } }),
  vector("a sign-in that is too long ago is no matter of the clock", "token", api("/young", bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ auth_time: NOW_S - 61 })))), refused, { also: { log: { reason: "forbidden", cause: undefined } } }),

  ...ADDRESSES.map(([email, holds]) => vector(`address ${JSON.stringify(email)} ${holds ? "is" : "is not"} of its domain`, "token", api("/domain", addressed(email)), holds ? toldOf(email) : refused)),
  verified("one name says so", true, { email_verified: true }),
  verified("the other name says so", true, { emailVerified: true }),
  verified("both say so", true, { email_verified: true, emailVerified: true }),
  verified("one says no", false, { email_verified: false, emailVerified: true }),
  verified("the other says no", false, { email_verified: true, emailVerified: false }),
  verified("one says something else", false, { email_verified: "true", emailVerified: true }),
  verified("one says nothing", true, { email_verified: null, emailVerified: true }),
  verified("both say nothing", false, { email_verified: null, emailVerified: null }),
];
