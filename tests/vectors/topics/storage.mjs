// Better Auth's secondary storage, read directly (wire format, section 8): a signed token only, then the session, then whether its
// user's sessions were revoked. Anything but a live session of this token means: ask the auth service.

import { NOW, OLD_SECRET, OTHER_TOKEN, SECRET, TOKEN, ada, api, bearer, betterAuth, forward, goodData, nullAnswer, pair, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { signedCookie } from "../mint.mjs";

const stores = ["SESSIONS"];
const issuer = (storage = {}, members = {}) => ({ storage: { store: "SESSIONS", ...storage }, bearer_tokens: "any", ...members });
const rules = [{ path: "/fresh.rsc", access: "required", max_staleness_seconds: 0 }, { path: "/now", access: "required", max_staleness_seconds: 0 }, { path: "/minute", access: "required", max_staleness_seconds: 60 }, { path: "/soon", access: "required", max_staleness_seconds: 65 }, { path: "/**", access: "required" }];
const withRules = { rules };

export const policies = {
  kv: { ...betterAuth(issuer(), withRules), stores },
  prefixed: { ...betterAuth(issuer({ prefix: "better-auth:" })), stores },
  redis: { ...betterAuth(issuer({ lag_seconds: 0 }), withRules), stores },
};

const KEY = { session: TOKEN, before: "revoked-sessions-before-ada" };
const stored = (members = {}, key = KEY.session) => {
  const { session, user } = pair(members);
  return { of: "read", key, found: JSON.stringify({ session, user }) };
};
const text = (found, key = KEY.session) => ({ of: "read", key, found });
const absent = (key) => ({ of: "read", key, absent: true });
const before = (millis) => ({ of: "read", key: KEY.before, found: String(millis) });
const notRevoked = absent(KEY.before);
const iso = (millis) => new Date(millis).toISOString();

const cookie = sessionCookies();
const fromStore = forward(ada("storage"));
const fromService = forward(ada("auth-service"));
const found = ["read", "read"];

/** What the store says, and that the service is asked then. */
const asksTheService = (name, results, effects) => [
  vector(`${name}: the service is asked`, "kv", api("/", cookie), fromService, { results: [...results, sessionAnswer()], effects: [...effects, "session"] }),
  vector(`${name}: only the service signs out`, "kv", api("/", cookie), reject("session_ended"), { results: [...results, nullAnswer()], effects: [...effects, "session"] }),
  vector(`${name}, and the service is away: not known`, "kv", api("/", cookie), reject("session_unavailable"), { results, effects: [...effects, "session"] }),
];

const later = (first, policyName, millis, name, head, expected, more = {}) =>
  vector(`${first}; ${name}`, policyName, head, expected, { after: first, now: NOW + millis, ...more });

export const cases = [
  vector("the service says that it has ended, and the store is late", "kv", api("/now", cookie), reject("session_ended"), { results: [nullAnswer()], effects: ["session"] }),
  later("the service says that it has ended, and the store is late", "kv", 11_000, "what the store still has counts for nothing", api("/", cookie), reject("session_ended"), { results: [stored(), notRevoked, nullAnswer()], effects: [...found, "session"] }),
  later("the service says that it has ended, and the store is late", "kv", 82_000, "after its lag the store counts again", api("/", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  vector("a session that the store has passes, and no request is made", "kv", api("/", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  vector("before every key stands the prefix", "prefixed", api("/", cookie), fromStore, { results: [stored({}, `better-auth:${TOKEN}`), absent(`better-auth:${KEY.before}`)], effects: found }),
  vector("one that began after its user's others were revoked passes", "kv", api("/", cookie), fromStore, { results: [stored(), before(NOW - 3_600_001)], effects: found }),
  vector("one that began in that very millisecond passes", "kv", api("/", cookie), fromStore, { results: [stored(), before(NOW - 3_600_000)], effects: found }),
  vector("a signed token of the bearer plugin is looked up too", "kv", api("/", bearer(signedCookie(TOKEN, SECRET))), fromStore, { results: [stored(), notRevoked], effects: found }),
  vector("a bare one is never looked up", "kv", api("/", bearer(TOKEN)), fromService, { results: [sessionAnswer()], effects: ["session"] }),
  vector("a token that another secret has signed is never looked up", "kv", api("/", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET))), reject("signature_invalid")),
  vector("a token with a signature of another is never looked up", "kv", api("/", sessionCookies(undefined, signedCookie(TOKEN, SECRET).replace(TOKEN, OTHER_TOKEN))), reject("signature_invalid")),
  vector("a bearer token without a signature is never looked up", "kv", api("/", bearer(`${TOKEN}.${"A".repeat(43)}=`)), reject("signature_invalid")),
  vector("a good cookie cache is enough", "kv", api("/", sessionCookies(goodData())), forward(ada())),

  ...asksTheService("the store has nothing", [absent(KEY.session)], ["read"]),
  ...asksTheService("the store fails", [{ of: "read", key: KEY.session, failed: true }], ["read"]),
  ...asksTheService("the store has too much", [{ of: "read", key: KEY.session, too_large: true }], ["read"]),
  ...asksTheService("the host cannot read", [{ of: "read", key: KEY.session, unsupported: true }], ["read"]),
  ...asksTheService("the store has a page", [text("<!doctype html>")], ["read"]),
  ...asksTheService("the store has null", [text("null")], ["read"]),
  ...asksTheService("the store has a member twice", [text('{"session":{},"session":{},"user":{}}')], ["read"]),
  ...asksTheService("the store has another's session", [stored({ session: { token: OTHER_TOKEN } })], ["read"]),
  ...asksTheService("the store has a session of two users", [stored({ session: { userId: "grace" } })], ["read"]),
  ...asksTheService("the store has a session that is over", [stored({ session: { expiresAt: iso(NOW - 1) } })], ["read"]),
  ...asksTheService("the store has a session without an end", [stored({ session: { expiresAt: undefined } })], ["read"]),
  ...asksTheService("the user's older sessions were revoked", [stored(), before(NOW - 3_599_999)], found),
  ...asksTheService("since when the user's sessions count is no number", [stored(), { of: "read", key: KEY.before, found: "soon" }], found),
  ...asksTheService("since when the user's sessions count is empty", [stored(), { of: "read", key: KEY.before, found: "" }], found),
  ...asksTheService("since when the user's sessions count cannot be read", [stored(), { of: "read", key: KEY.before, failed: true }], found),
  ...asksTheService("a session has no date when it began, and some were revoked", [stored({ session: { createdAt: undefined } }), before(1)], found),
  vector("a session has no date when it began, and none was revoked", "kv", api("/", cookie), fromStore, { results: [stored({ session: { createdAt: undefined } }), notRevoked], effects: found }),

  vector("the store has it", "kv", api("/", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  later("the store has it", "kv", 4_000, "it is remembered", api("/", cookie), fromStore),
  later("the store has it", "kv", 4_500, "and young enough for a rule that wants so much", api("/soon", cookie), fromStore),
  later("the store has it", "kv", 6_000, "and soon too old for that: it is read anew", api("/soon", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  later("the store has it", "kv", 6_001, "never young enough for a rule that wants less than the store's lag", api("/now", cookie), fromService, { results: [sessionAnswer()], effects: ["session"] }),
  vector("a rule that wants no more than the store's lag takes what was just read", "kv", api("/minute", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  vector("a store that is never late is as good as the service", "redis", api("/now", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  later("a store that is never late is as good as the service", "redis", 1, "and is read each time where that is wanted", api("/now", cookie), fromStore, { results: [stored(), notRevoked], effects: found }),
  vector("of two rules for one request the one that wants to know now asks the service, and both take its answer", "kv", api("/fresh.rsc", cookie), fromService, { results: [stored(), notRevoked, sessionAnswer()], effects: [...found, "session"] }),
  vector("a store that is late is not asked by a rule that wants to know now", "kv", api("/now", cookie), fromService, { results: [sessionAnswer()], effects: ["session"] }),
];
