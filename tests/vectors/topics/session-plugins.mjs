// Forms that plugins and options of Better Auth give the answer of /get-session (wire format, sections 4 and 7): `customSession` that
// hides the token, `deferSessionRefresh`; and what the log says about `null`.

import { NOW, NOW_S, OLD_SECRET, OTHER_TOKEN, PRIVATE, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, ada, api, bearer, betterAuth, forward, goodData, nullAnswer, page, pair, reject, send, sessionAnswer, sessionCookies, vector, TOKEN } from "../cases.mjs";
import { compact, hs256, jwe, signedValue } from "../mint.mjs";

export const policies = { plain: betterAuth(), bearer: betterAuth({ bearer_tokens: "any" }), "without secret": betterAuth({ secret: undefined, cookie_cache: "off" }) };

const cookie = sessionCookies();
const URL = `${SITE}/api/auth/get-session?disableCookieCache=true`;
const { session, user } = pair();
const { token, ...hidden } = session;
const line = (name, value = "new") => ["set-cookie", `${name}=${value}; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax`];
const gone = (name) => ["set-cookie", `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`];
const says = (body, ...lines) => ({ of: "session", status: 200, headers: lines, body: JSON.stringify(body) });
const effects = (...results) => ({ results, effects: results.map(() => "session") });
const renewed = (lines, ...cookies) => forward({ ...ada("auth-service"), cookie: cookies.join("; ") }, { removed: ["cookie"], response_headers: [...PRIVATE, ...lines] });
const hint = "The response has no session.token: keep it in customSession, or turn on the cookie cache";
const odd = (name, ...lines) =>
  vector(name, "plain", api("/", cookie), reject("session_unavailable"), { ...effects(says({ user, session: hidden }, ...lines)), also: { log: { lookup_failure: "unexpected-body", hint }, set_cookies: [] } });
const withData = (name, body, data) =>
  vector(name, "plain", api("/", cookie), renewed([line(SESSION_DATA, data)], cookie[1], `${SESSION_DATA}=${data}`), effects(says(body, line(SESSION_DATA, data))));

const half = Math.ceil(goodData().length / 2);
const chunks = [goodData().slice(0, half), goodData().slice(half)].map((part, number) => line(`${SESSION_DATA}.${number}`, part));
const wantsRefresh = (members = {}) => ({ ...says({ session, user, needsRefresh: true, ...members }), url: URL });
const refreshed = { ...says({ session, user, needsRefresh: false }, line(SESSION_TOKEN)), url: URL };
const refreshes = { results: [wantsRefresh(), refreshed], effects: ["session"], also: { alongside: ["session"], renewed: [...PRIVATE, line(SESSION_TOKEN)] } };
const ended = (name, head, log, result = nullAnswer(), policy = "plain") => vector(name, policy, head, reject("session_ended"), { ...effects(result), also: { log } });
const outdated = sessionCookies(compact(pair(), NOW - 1, SECRET));

export const cases = [
  // customSession
  ...[["hides the session", { user }], ["hides the token", { user, session: hidden }], ["flattens the session", { ...hidden, user }], ["makes up a form of its own", { me: "ada" }]].map(([name, body]) =>
    withData(`an answer that ${name} is as good as the cookie cache that comes with it`, body, goodData())),
  withData("whatever its strategy: jwt", { user }, hs256(pair(), NOW_S + 300, SECRET)),
  withData("whatever its strategy: jwe", { user }, await jwe(pair(), NOW_S + 300, SECRET)),
  vector("and in chunks", "plain", api("/", cookie), renewed(chunks, cookie[1], ...chunks.map(([, value]) => value.split(";")[0])), effects(says({ user }, ...chunks))),
  vector("and for who has sent a token in a header", "bearer", api("/", bearer(signedValue(TOKEN, SECRET))), forward(ada("auth-service")), effects(says({ user }, line(SESSION_DATA, goodData())))),
  vector("and remembered", "plain", api("/", cookie), forward(ada("auth-service")), { after: "and in chunks", now: NOW + 5000 }),
  odd("without one it says nothing, and the log says why"),
  odd("with one of another session too", line(SESSION_DATA, goodData({ session: { token: OTHER_TOKEN } }))),
  odd("with one by another secret too", line(SESSION_DATA, compact(pair(), NOW + 300_000, OLD_SECRET))),
  odd("with one that has run out too", line(SESSION_DATA, goodData({}, NOW - 1))),
  odd("with one that is deleted too", gone(SESSION_DATA)),
  odd("with a chunk missing too", chunks[1]),
  vector("a page is no such answer", "plain", api("/", cookie), reject("session_unavailable"), { ...effects({ of: "session", status: 200, headers: [line(SESSION_DATA, goodData())], body: "<!doctype html>" }), also: { log: { lookup_failure: "unexpected-body" } } }),
  vector("nor is one of another session with its own token", "plain", api("/", cookie), reject("session_unavailable"), { ...effects(says({ user, session: { ...session, token: OTHER_TOKEN } }, line(SESSION_DATA, goodData()))), also: { log: { lookup_failure: "other-session" } } }),

  // deferSessionRefresh
  vector("a session that wants to be refreshed is, alongside", "plain", api("/", cookie), forward(ada("auth-service")), refreshes),
  vector("and once", "plain", api("/", cookie), forward(ada("auth-service")), { after: "a session that wants to be refreshed is, alongside", now: NOW + 1000, also: { alongside: [] } }),
  vector("in a header too, without cookies", "bearer", api("/", bearer(signedValue(TOKEN, SECRET))), forward(ada("auth-service")), { ...refreshes, also: { alongside: ["session"], renewed: [] } }),
  vector("not by a request that changes something", "plain", send("POST", "/app", cookie, ["origin", SITE]), forward(ada("auth-service")), { results: [wantsRefresh()], effects: ["session"], also: { alongside: [] } }),
  vector("but by the next one that does not", "plain", api("/", cookie), forward(ada("auth-service")), { after: "not by a request that changes something", now: NOW + 1000, results: [refreshed], also: { alongside: ["session"], renewed: [...PRIVATE, line(SESSION_TOKEN)] } }),
  vector("nor ahead of need", "plain", api("/", cookie, ["sec-purpose", "prefetch"]), forward(ada("auth-service")), { results: [wantsRefresh()], effects: ["session"], also: { alongside: [] } }),
  vector("one that does not want it is left alone", "plain", api("/", cookie), forward(ada("auth-service")), { results: [says({ session, user, needsRefresh: false })], effects: ["session"], also: { alongside: [] } }),

  // null
  ended("the log says who was asked, and that it did not know the cookies", api("/", cookie), { reason: "session_ended", asked_url: URL, cookies_deleted: false }),
  ended("or that it did", api("/", cookie), { asked_url: URL, cookies_deleted: true }, nullAnswer([gone(SESSION_TOKEN)])),
  ended("cookies of others are not the session's", api("/", cookie), { asked_url: URL, cookies_deleted: false }, nullAnswer([gone("theme")])),
  ended("a cookie cache by our own secret makes it a question", api("/", outdated), { asked_url: URL, cookies_deleted: false, hint: "The cookie cache is valid by this secret: check that this URL is that of the auth service that created the session" }),
  ended("one by another secret does not", api("/", sessionCookies(compact(pair(), NOW - 1, OLD_SECRET))), { asked_url: URL, cookies_deleted: false }),
  ended("a page too", page("/api", cookie), { asked_url: URL, cookies_deleted: false }, nullAnswer(), "without secret"),
].map((it) => (it.name === "a page too" ? { ...it, expect: { redirect: { status: 307, reason: "session_ended", location: "/sign-in?callbackURL=%2Fapi" }, effects: ["session"], log: it.expect.log } } : it));
