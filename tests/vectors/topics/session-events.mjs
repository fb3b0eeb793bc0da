// Events win over memory (docs/sessions.md, "What has happened since"): a request to the auth service that is not safe, and a response
// that sets or clears the session's cookies, void what is remembered of that session, whichever credential names it; a cookie tells
// other instances. And cookies that come with an answer: for whom, and that the same request's page sees them.

import { createHmac, hkdfSync, createHash } from "node:crypto";
import { NOW, PRIVATE, SECRET, OLD_SECRET, OTHER_TOKEN, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, bearer, betterAuth, cookies, forward, goodData, nullAnswer, pair, policy, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact, signedCookie, signedValue } from "../mint.mjs";

const organization = { claim_headers: { org: "session.activeOrganizationId" } };
const lately = { path: "/**", access: "required" };
const strip = { path: "/stripped/**", access: "required", credential: "remove" };
const rules = [{ path: "{auth}/**", access: "public" }, strip, lately];

export const policies = {
  plain: betterAuth({}, { ...organization, rules }),
  bearer: betterAuth({ bearer_tokens: "any" }, { ...organization, rules }),
  stale: betterAuth({ stale_if_error_seconds: 600 }, { ...organization, rules }),
  shared: betterAuth({ share_sessions: true }, { ...organization, rules }),
  redis: { ...betterAuth({ storage: { store: "SESSIONS", lag_seconds: 0 } }, { ...organization, rules }), stores: ["SESSIONS"] },
  kv: { ...betterAuth({ storage: { store: "SESSIONS" } }, { ...organization, rules }), stores: ["SESSIONS"] },
  "without secret": betterAuth({ secret: undefined, cookie_cache: "off" }, { ...organization, rules }),
};

const here = ["origin", SITE];
const cookie = sessionCookies();
const asked = (org, members = {}, lines = []) => sessionAnswer({ session: { activeOrganizationId: org, ...members } }, lines);
const told = (org, source = "auth-service") => ({ ...ada(source), "x-doorward-org": org });
const later = (seconds, after, members = {}) => ({ now: NOW + seconds * 1000, after, ...members });
const effects = (org, ...lines) => ({ results: [asked(org, {}, lines)], effects: ["session"] });
const line = (name, value = "new") => ["set-cookie", `${name}=${value}; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax`];
const gone = (name) => ["set-cookie", `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`];

/** The cookie of the gate's own, by a second implementation: HKDF (RFC 5869) without a salt, HMAC-SHA256. */
const key = (secret) => Buffer.from(hkdfSync("sha256", secret, "", "doorward as of 1", 32));
function sessionName(token, issuer = "better-auth") {
  const hash = createHash("sha256");
  for (const part of [issuer, "session", token]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(part)));
    hash.update(length).update(part);
  }
  return hash.digest();
}
const mac = (at, token, secret) => createHmac("sha256", key(secret)).update(sessionName(token)).update(String(at)).digest("base64url");
const asOf = (at, { token = TOKEN, secret = SECRET } = {}) => `doorward_as_of=${at}.${mac(at, token, secret)}`;
const tells = (at) => [...PRIVATE, ["set-cookie", `${asOf(at)}; Max-Age=10; Path=/; HttpOnly; Secure; SameSite=Lax`]];
const with_ = (...more) => ["cookie", [cookie[1], ...more].join("; ")];
/** What is left of such a line for the origin. */
const bare = { removed: ["cookie"] };
const keeps = (set, line = cookie[1]) => forward({ ...set, cookie: line }, bare);

let number = 0;
/** Something is remembered, then there is an event, then a request needs the session. */
function story(name, policyName, event, { head = api("/", cookie), before = "a", after = "b", eventAt = 2, ask = ["session"], results = [asked("b")], expected = forward(told("b")), first = [asked("a")], firstAsks = ["session"], firstTold = forward(told("a")) } = {}) {
  const [one, two, three] = [`${name}: before (${++number})`, `${name}: the event`, `${name}: after`];
  return [
    vector(one, policyName, head, firstTold, { results: first, effects: firstAsks }),
    { ...vector(two, policyName, event.head, event.expected ?? forward(event.set ?? {}), later(eventAt, one, event.more)), ...event.case },
    vector(three, policyName, head, expected, later(eventAt + 1, two, { results, effects: ask })),
  ];
}
const post = (target, ...headers) => ({ head: send("POST", target, cookie, here, ...headers) });
const remembers = { ask: [], results: [], expected: forward(told("a")) };
const onApp = (origin_set_cookies, head = send("POST", "/app", cookie, here)) => ({ head, set: told("a"), case: { origin_set_cookies } });

export const cases = [
  // own writes are read back
  ...["organization/set-active", "update-user", "organization/create", "sign-out", "change-password", "revoke-sessions", "admin/impersonate-user", "admin/stop-impersonating", "multi-session/set-active", "anything/else"].flatMap((endpoint) =>
    story(`POST /${endpoint}`, "plain", { ...post(`/api/auth/${endpoint}`), more: { also: { renewed: tells(NOW + 2000) } } })),
  ...["PUT", "PATCH", "DELETE"].flatMap((method) => story(`${method} at the service`, "plain", { head: send(method, "/api/auth/x", cookie, here) })),
  ...["/api/%61uth/update-user", "/API/auth/update-user", "/api/auth/update-user/"].flatMap((target) => story(`however the path is spelled: ${target}`, "plain", { head: send("POST", target, cookie, here), expected: { forward: {} } })),
  ...story("a GET at the service that sets nothing changes nothing", "plain", { head: api("/api/auth/get-session", cookie) }, remembers),
  ...story("a GET at the service that sets the session's cookies", "plain", { head: api("/api/auth/verify-email", cookie), case: { origin_set_cookies: [line(SESSION_TOKEN)[1]] } }),
  ...story("a path that only begins like the service's", "plain", { head: send("POST", "/api/authors", cookie, here), set: told("a") }, remembers),
  ...story("an origin that sets the session's cookies", "plain", onApp([line(SESSION_DATA)[1]])),
  ...story("an origin that sets a chunk of them", "plain", onApp([line(`${SESSION_DATA}.0`)[1]])),
  ...story("an origin that clears them", "plain", onApp([gone(SESSION_TOKEN)[1]])),
  ...story("an origin that sets others", "plain", onApp([line("theme")[1], line("session_token")[1]]), remembers),
  ...story("a session of another user", "plain", { head: send("POST", "/api/auth/sign-out", sessionCookies(undefined, signedCookie(OTHER_TOKEN, SECRET)), here) }, remembers),
  ...story("a session whose signature does not hold", "plain", { head: send("POST", "/api/auth/sign-out", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET)), here) }, remembers),
  ...story("without a session", "plain", { head: send("POST", "/api/auth/sign-in/email", here) }, remembers),
  ...story("without a secret a session is what it says", "without secret", post("/api/auth/update-user")),

  // whichever credential names the session
  ...[signedValue(TOKEN, SECRET), TOKEN].flatMap((token) =>
    story(`by a cookie, and then by ${token === TOKEN ? "a bare" : "a signed"} bearer token`, "bearer", post("/api/auth/update-user"), { head: api("/", bearer(token)) })),
  ...[signedValue(TOKEN, SECRET), TOKEN].flatMap((token) =>
    story(`by ${token === TOKEN ? "a bare" : "a signed"} bearer token, and then by a cookie`, "bearer", { head: send("POST", "/api/auth/update-user", bearer(token)) })),

  // nothing older is of use
  ...story("while the service is away nothing older serves", "stale", post("/api/auth/update-user"), { results: [], expected: reject("session_unavailable") }),
  ...story("a copy from before is none", "shared", post("/api/auth/update-user"), {
    results: [{ of: "session", copied: `doorward-copy-1 ${NOW + 1000} ${NOW + 60_000}\n\n${JSON.stringify({ claims: { "session.activeOrganizationId": "a" }, subject: "ada", id: "session-1", email: "ada@example.com", expires: NOW + 604_800_000, impersonated: false })}` }, asked("b")],
    ask: ["session", "session"],
  }),
  ...story("a store that says things late is not read", "kv", post("/api/auth/update-user"), {
    first: [{ of: "read", key: TOKEN, found: JSON.stringify({ session: pair({ session: { activeOrganizationId: "a" } }).session, user: pair().user }) }, { of: "read", key: "revoked-sessions-before-ada", absent: true }],
    firstAsks: ["read", "read"], firstTold: forward(told("a", "storage")),
  }),
  ...story("a store that says things at once is", "redis", post("/api/auth/update-user"), {
    first: [{ of: "read", absent: true }, asked("a")], firstAsks: ["read", "session"],
    results: [{ of: "read", key: TOKEN, found: JSON.stringify({ session: pair({ session: { activeOrganizationId: "b" } }).session, user: pair().user }) }, { of: "read", key: "revoked-sessions-before-ada", absent: true }],
    ask: ["read", "read"], expected: forward(told("b", "storage")),
  }),
  ...story("a cookie cache from before the request to the service is asked about", "plain", { head: send("POST", "/api/auth/organization/create", sessionCookies(goodData({ session: { activeOrganizationId: "a" } })), here) }, {
    head: api("/", sessionCookies(goodData({ session: { activeOrganizationId: "a" } }))), first: [], firstAsks: [], firstTold: forward(told("a", "cookie-cache")),
  }),
  ...story("one that was written since is not", "plain", { head: send("POST", "/api/auth/organization/set-active", sessionCookies(goodData({ updatedAt: NOW + 2500, session: { activeOrganizationId: "b" } })), here) }, {
    head: api("/", sessionCookies(goodData({ updatedAt: NOW + 2500, session: { activeOrganizationId: "b" } }))), first: [], firstAsks: [], firstTold: forward(told("b", "cookie-cache")), results: [], ask: [], expected: forward(told("b", "cookie-cache")),
  }),
  ...story("after a sign-out its cookies are asked about, and dead", "plain", post("/api/auth/sign-out"), { results: [nullAnswer()], expected: reject("session_ended") }),

  // what other instances are told
  vector("another instance remembers", "plain", api("/", cookie), forward(told("a")), effects("a")),
  vector("a cookie says that something has happened since", "plain", api("/", with_(asOf(NOW + 1000))), keeps(told("b")), later(2, "another instance remembers", effects("b"))),
  vector("what was asked after that serves, with the cookie and without", "plain", api("/", with_(asOf(NOW + 1000))), keeps(told("b")), later(3, "a cookie says that something has happened since")),
  vector("one of another session says nothing about this one", "plain", api("/", with_(asOf(NOW + 2500, { token: OTHER_TOKEN }))), keeps(told("b")), later(3, "a cookie says that something has happened since")),
  vector("a forged one is none", "plain", api("/", with_(asOf(NOW + 2500, { secret: OLD_SECRET }))), keeps(told("b")), later(3, "a cookie says that something has happened since")),
  vector("one from far ahead is none", "plain", api("/", with_(asOf(NOW + 60_000))), keeps(told("b")), later(3, "a cookie says that something has happened since")),
  vector("one that is a little ahead is of a response that may not have come: who comes later asks", "plain", api("/", with_(asOf(NOW + 7000))), keeps(told("c")), later(3, "a cookie says that something has happened since", effects("c"))),
  vector("and who comes later still", "plain", api("/", with_(asOf(NOW + 7000))), keeps(told("d")), later(4, "one that is a little ahead is of a response that may not have come: who comes later asks", effects("d"))),
  vector("a cookie cache that was written before says nothing", "plain", api("/", ["cookie", `${sessionCookies(goodData())[1]}; ${asOf(NOW - 1000)}`]), keeps(told("b"), sessionCookies(goodData())[1]), effects("b")),
  vector("one that was written later does", "plain", api("/", ["cookie", `${asOf(NOW - 61_000)}; ${sessionCookies(goodData())[1]}`]), keeps(ada(), sessionCookies(goodData())[1])),
  vector("on a public path the origin does not get it either", "plain", api("/api/auth/get-session", ["cookie", `a=1; ${asOf(NOW)}; b=2`]), keeps({}, "a=1; b=2")),
  vector("nor any that is none", "plain", api("/api/auth/get-session", ["Cookie", "doorward_as_of=x"]), forward({}, { removed: ["Cookie"] })),
  vector("nor where the session's cookies are removed", "plain", api("/stripped/", ["cookie", `${sessionCookies(goodData())[1]}; theme=dark; ${asOf(NOW - 61_000)}`]), forward({ ...ada(), cookie: "theme=dark" }, bare)),
  vector("nor the auth service when it is asked", "plain", api("/", with_(asOf(NOW - 100))), keeps(told("a")), { results: [{ ...asked("a"), cookies: [SESSION_TOKEN] }], effects: ["session"] }),
  vector("without a secret none counts", "without secret", api("/", cookie), forward(told("a")), effects("a")),
  vector("and who sends one is not asked about", "without secret", api("/", with_(asOf(NOW + 1000))), keeps(told("a")), later(2, "without a secret none counts")),
  vector("nor is one set", "without secret", send("POST", "/api/auth/update-user", cookie, here), forward(), later(3, "and who sends one is not asked about", { also: { renewed: [] } })),
  vector("a bearer token has no use for one", "bearer", send("POST", "/api/auth/update-user", bearer(signedValue(TOKEN, SECRET))), forward(), { also: { renewed: [] } }),

  // for whom cookies are
  vector("cookies that come with an answer are passed on to who has sent cookies", "plain", api("/", cookie), forward({ ...told("a"), cookie: `${SESSION_TOKEN}=new` }, { ...bare, response_headers: [...PRIVATE, line(SESSION_TOKEN)] }), effects("a", line(SESSION_TOKEN))),
  ...[signedValue(TOKEN, SECRET), TOKEN].map((token) =>
    vector(`and not to who has sent ${token === TOKEN ? "a bare" : "a signed"} token in a header`, "bearer", api("/", bearer(token)), forward(told("a")), effects("a", line(SESSION_TOKEN), line(SESSION_DATA)))),
  vector("nor with a refusal", "bearer", api("/", bearer(TOKEN)), reject("session_ended"), { results: [nullAnswer([gone(SESSION_TOKEN)])], effects: ["session"], also: { set_cookies: [] } }),

  // the page of this very request sees them
  vector("a new value takes the place of the old one", "plain", api("/", ["cookie", `a=1; ${cookie[1]}; b=2`]), forward({ ...told("a"), cookie: `a=1; ${SESSION_TOKEN}=new; b=2; ${SESSION_DATA}=new` }, { ...bare, response_headers: [...PRIVATE, line(SESSION_TOKEN), line(SESSION_DATA)] }), effects("a", line(SESSION_TOKEN), line(SESSION_DATA))),
  vector("and of all of its name", "plain", api("/", ["Cookie", `${cookie[1]}; a=1`], ["cookie", `${SESSION_TOKEN}=older`]), forward({ ...told("a"), cookie: `${SESSION_TOKEN}=new; a=1` }, { removed: ["Cookie", "cookie"], response_headers: [...PRIVATE, line(SESSION_TOKEN)] }), effects("a", line(SESSION_TOKEN))),
  vector("chunks of the old one go", "plain", api("/", ["cookie", `${cookie[1]}; ${SESSION_DATA}.0=old; ${SESSION_DATA}.1=old`]), forward({ ...told("a"), cookie: `${cookie[1]}; ${SESSION_DATA}=new` }, { ...bare, response_headers: [...PRIVATE, line(SESSION_DATA), gone(`${SESSION_DATA}.0`), gone(`${SESSION_DATA}.1`)] }), effects("a", line(SESSION_DATA), gone(`${SESSION_DATA}.0`), gone(`${SESSION_DATA}.1`))),
  vector("what the service clears goes", "plain", api("/", ["cookie", `${SESSION_DATA}=old; ${cookie[1]}`]), forward({ ...told("a"), cookie: cookie[1] }, { ...bare, response_headers: [...PRIVATE, gone(SESSION_DATA)] }), effects("a", gone(SESSION_DATA))),
  vector("what is dropped is not put there either", "plain", api("/", cookie), forward(told("a")), effects("a", line("tracker"))),
  vector("an origin that gets no cookies of the session gets no new ones", "plain", api("/stripped/", ["cookie", `${cookie[1]}; a=1`]), forward({ ...told("a"), cookie: "a=1" }, { ...bare, response_headers: [...PRIVATE, line(SESSION_TOKEN)] }), effects("a", line(SESSION_TOKEN))),
];
