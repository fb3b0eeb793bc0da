// What the auth service says about a session (product, chapter 7; wire format, section 7): which answers count, which of its
// cookies reach the browser, and how long an answer is remembered.

import { createHash } from "node:crypto";

import { NOW, NOW_S, OTHER_TOKEN, PRIVATE, SECRET, SESSION_DATA, SESSION_TOKEN, ada, api, betterAuth, forward, nullAnswer, page, pair, redirect, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { signedCookie } from "../mint.mjs";

export const policies = {
  plain: betterAuth(),
  brief: betterAuth({ session_cache_seconds: 0 }),
};

const cookie = sessionCookies();
const answered = (status, body, headers = []) => ({ of: "session", status, headers, body });
const json = ["content-type", "application/json"];

/** The answer does not count, so it is not known. */
const unknown = (name, result, members = {}) =>
  vector(name, "plain", api("/app", cookie), reject("session_unavailable"), { effects: ["session"], results: result ? [result] : [], ...members });

const { session, user } = pair();
const body = (members) => answered(200, JSON.stringify({ session, user, ...members }), [json]);

const line = (name, value, rest = "Path=/; HttpOnly; Secure; SameSite=Lax") => ["set-cookie", `${name}=${value}; ${rest}`];
const gone = (name) => line(name, "", "Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax");
const lines = (...list) => list.map(([, value]) => value);
const passed = (...list) => ({ response_headers: [...PRIVATE, ...list] });
const renewed = (kept, goesOn) => forward({ ...ada("auth-service"), cookie: goesOn.join("; ") }, { removed: ["cookie"], ...passed(...kept) });
/** What is passed on, and with which cookies the request goes on then: those that the browser will have. */
const withCookies = (name, sent, kept, ...goesOn) =>
  vector(name, "plain", api("/app", cookie), kept.length > 0 ? renewed(kept, goesOn) : forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer({}, sent)] });

const token = line(SESSION_TOKEN, signedCookie("new", SECRET));
const data = line(SESSION_DATA, "abc", "Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax");
/** What counts rounds between here and the sign-in page. */
const counted = `__Host-doorward-round=1.${createHash("sha256").update("/app").digest().subarray(0, 9).toString("base64url")}; Max-Age=10; Path=/; HttpOnly; Secure; SameSite=Lax`;
const deletions = [gone(SESSION_TOKEN), gone(SESSION_DATA), gone("__Secure-better-auth.dont_remember")];

export const cases = [
  vector("a session that lives goes on", "plain", api("/app", cookie), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()] }),
  vector("an answer may say more than is needed", "plain", api("/app", cookie), forward(ada("auth-service")), { effects: ["session"], results: [body({ needsRefresh: false, roles: ["x"] })] }),
  vector("200 null is the one answer that means signed out", "plain", api("/app", cookie), reject("session_ended"), { effects: ["session"], results: [nullAnswer()], also: { set_cookies: lines(...deletions) } }),
  vector("null may have space around it", "plain", api("/app", cookie), reject("session_ended"), { effects: ["session"], results: [answered(200, " null\n")] }),
  vector("a page of a session that has ended goes to sign in, and dead cookies are cleared", "plain", page("/app", cookie), redirect("session_ended", "/sign-in?callbackURL=%2Fapp"), { effects: ["session"], results: [nullAnswer(deletions)], also: { set_cookies: [...lines(...deletions), counted] } }),
  vector("a script whose session has ended is told, and dead cookies are cleared", "plain", api("/app", cookie), reject("session_ended"), { effects: ["session"], results: [nullAnswer(deletions)], also: { set_cookies: lines(...deletions) } }),

  unknown("401 means unknown, not signed out", answered(401, '{"code":"FAILED_TO_GET_SESSION"}', [json])),
  unknown("403 means unknown", answered(403, "null")),
  unknown("404 means unknown", answered(404, "null")),
  unknown("429 means unknown", answered(429, '{"message":"Too many requests. Please try again later."}', [json, ["x-retry-after", "7"]])),
  unknown("500 means unknown", answered(500, "null")),
  unknown("503 means unknown", answered(503, "")),
  unknown("204 means unknown", answered(204, "")),
  unknown("201 with a session means unknown", answered(201, JSON.stringify({ session, user }))),
  unknown("a redirect is not followed and means unknown", answered(302, "", [["location", "https://auth.example.com/api/auth/get-session"]])),
  unknown("a page with 200 means unknown", answered(200, "<!doctype html><title>Sign in</title>", [["content-type", "text/html"]])),
  unknown("an empty body means unknown", answered(200, "")),
  unknown("an empty object means unknown", answered(200, "{}")),
  unknown("a list means unknown", answered(200, "[]")),
  unknown("false means unknown", answered(200, "false")),
  unknown("null in quotation marks means unknown", answered(200, '"null"')),
  unknown("null with more behind it means unknown", answered(200, "null null")),
  unknown("a session with more behind it means unknown", answered(200, `${JSON.stringify({ session, user })}x`)),
  unknown("a session that is null means unknown", body({ session: null })),
  unknown("a user that is null means unknown", body({ user: null })),
  unknown("a user without an id means unknown", body({ user: { ...user, id: undefined } })),
  unknown("a user with an empty id means unknown", body({ user: { ...user, id: "" } })),
  unknown("a user with a number for an id means unknown", body({ user: { ...user, id: 7 }, session: { ...session, userId: 7 } })),
  unknown("two users mean unknown", answered(200, JSON.stringify({ session, user }).replace('"user":', '"user":{"id":"bob"},"user":'))),
  unknown("a session of another user means unknown", body({ session: { ...session, userId: "bob" } })),
  unknown("a session of another token means unknown", body({ session: { ...session, token: OTHER_TOKEN } })),
  unknown("a session without a token means unknown", body({ session: { ...session, token: undefined } })),
  unknown("a session that is past means unknown", body({ session: { ...session, expiresAt: "2027-01-15T07:59:59.999Z" } })),
  unknown("a session without an expiry means unknown", body({ session: { ...session, expiresAt: undefined } })),
  unknown("a session with a text for its expiry means unknown", body({ session: { ...session, expiresAt: "tomorrow" } })),
  unknown("a failed fetch means unknown", { of: "session", failed: true }),
  unknown("no answer means unknown", undefined),
  vector("a page whose session is unknown is no sign-out", "plain", page("/app", cookie), reject("session_unavailable"), { effects: ["session"], also: { set_cookies: [], headers: { "content-type": "text/html; charset=utf-8", "retry-after": "5" } } }),
  vector("a payload whose session is unknown is refused", "plain", page("/app", ["rsc", "1"], cookie), reject("session_unavailable"), { effects: ["session"], also: { headers: { "content-type": "application/problem+json" } } }),
  vector("a preflight makes no request", "plain", send("OPTIONS", "/app", ["origin", "https://other.example"], ["access-control-request-method", "PUT"], cookie), forward()),
  vector("a public path makes no request", "plain", page("/sign-in", cookie), forward()),

  withCookies("the session's cookies reach the browser, in their order", [gone(SESSION_DATA), data, token], [gone(SESSION_DATA), data, token], `${SESSION_TOKEN}=${signedCookie("new", SECRET)}`, `${SESSION_DATA}=abc`),
  withCookies("chunks and dont_remember reach the browser", [line(`${SESSION_DATA}.0`, "a"), line(`${SESSION_DATA}.1`, "b"), line("__Secure-better-auth.dont_remember", "x")], [line(`${SESSION_DATA}.0`, "a"), line(`${SESSION_DATA}.1`, "b"), line("__Secure-better-auth.dont_remember", "x")], cookie[1], `${SESSION_DATA}.0=a`, `${SESSION_DATA}.1=b`, "__Secure-better-auth.dont_remember=x"),
  withCookies("the header's name may be written in any case", [["Set-Cookie", data[1]]], [data], cookie[1], `${SESSION_DATA}=abc`),
  withCookies("cookies of other names do not", [line("tracking", "1"), line("__Secure-better-auth.state", "1"), line("better-auth.session_token", "1"), line(`${SESSION_TOKEN}_multi-abc`, "1"), line(`${SESSION_DATA}.x`, "1"), line(`${SESSION_DATA}.00`, "1"), line(`${SESSION_TOKEN}2`, "1"), data], [data], cookie[1], `${SESSION_DATA}=abc`),
  withCookies("a name that is a value of another does not", [["set-cookie", `x=1; ${SESSION_TOKEN}=2`]], []),
  withCookies("a line without a name does not", [["set-cookie", SESSION_TOKEN], ["set-cookie", ""]], []),
  withCookies("tokens in headers do not", [["set-auth-token", "abc.def"], ["set-auth-jwt", "a.b.c"], ["access-control-expose-headers", "set-auth-token"], ["x-doorward-subject", "bob"], ["location", "https://evil.example"]], []),
  withCookies("a Domain of this site does", [line(SESSION_TOKEN, "a", "Path=/; Domain=example.com"), line(SESSION_DATA, "b", "Path=/; Domain=.example.com"), line(SESSION_DATA, "c", "Path=/; domain=APP.example.com")], [line(SESSION_TOKEN, "a", "Path=/; Domain=example.com"), line(SESSION_DATA, "b", "Path=/; Domain=.example.com"), line(SESSION_DATA, "c", "Path=/; domain=APP.example.com")], `${SESSION_TOKEN}=a`, `${SESSION_DATA}=c`),
  withCookies("a foreign Domain does not", [line(SESSION_TOKEN, "a", "Path=/; Domain=evil.example"), line(SESSION_TOKEN, "b", "Path=/; Domain=ample.com"), line(SESSION_TOKEN, "c", "Path=/; Domain=x.app.example.com"), line(SESSION_TOKEN, "d", "Domain=example.com; Domain=evil.example")], []),
  unknown("cookies of an answer that does not count do not", answered(500, "", [token]), { also: { set_cookies: [] } }),
  unknown("cookies of an answer about another token do not", answered(200, JSON.stringify({ session: { ...session, token: OTHER_TOKEN }, user }), [token]), { also: { set_cookies: [] } }),
  unknown("cookies of a redirect do not", answered(302, "", [token]), { also: { set_cookies: [] } }),

  vector("an answer is remembered", "plain", api("/app", cookie), renewed([data], [cookie[1], `${SESSION_DATA}=abc`]), { effects: ["session"], results: [sessionAnswer({}, [data])] }),
  vector("what is remembered is not asked again, and its cookies are not set again", "plain", api("/app", cookie), forward(ada("auth-service")), { after: "an answer is remembered", now: NOW + 9_999 }),
  vector("what is remembered is about its own credential", "plain", api("/app", sessionCookies(undefined, signedCookie(OTHER_TOKEN, SECRET))), reject("session_ended"), { after: "an answer is remembered", now: NOW + 9_999, effects: ["session"], results: [nullAnswer()] }),
  vector("what is remembered is forgotten after ten seconds", "plain", api("/app", cookie), reject("session_ended"), { after: "an answer is remembered", now: NOW + 10_000, effects: ["session"], results: [nullAnswer()] }),
  vector("the end of a session is remembered", "plain", api("/app", cookie), reject("session_ended"), { after: "an answer is remembered", now: NOW + 10_500 }),
  vector("a failure is not remembered: first", "plain", api("/app", cookie), reject("session_unavailable"), { effects: ["session"] }),
  vector("a failure is not remembered: for two seconds there is no other request", "plain", api("/app", cookie), reject("session_unavailable"), { after: "a failure is not remembered: first", now: NOW + 1999, also: { log: { lookup_failure: "no-response" } } }),
  vector("a failure is not remembered: second", "plain", api("/app", cookie), forward(ada("auth-service")), { after: "a failure is not remembered: first", now: NOW + 2000, effects: ["session"], results: [sessionAnswer()] }),
  vector("a failure does not end what was remembered: first", "plain", api("/app", cookie), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()] }),
  vector("a failure after that is a failure", "plain", api("/app", cookie), reject("session_unavailable"), { after: "a failure does not end what was remembered: first", now: NOW + 10_000, effects: ["session"], results: [{ of: "session", failed: true }] }),
  vector("what is remembered does not outlive the session: first", "plain", api("/app", cookie), forward(ada("auth-service", { "x-doorward-expires": String(NOW_S + 5) })), { effects: ["session"], results: [sessionAnswer({ session: { expiresAt: new Date(NOW + 5000).toISOString() } })] }),
  vector("what is remembered does not outlive the session: in its last millisecond", "plain", api("/app", cookie), forward(ada("auth-service", { "x-doorward-expires": String(NOW_S + 5) })), { after: "what is remembered does not outlive the session: first", now: NOW + 5000 }),
  vector("what is remembered does not outlive the session: then it is asked again", "plain", api("/app", cookie), reject("session_ended"), { after: "what is remembered does not outlive the session: first", now: NOW + 5001, effects: ["session"], results: [nullAnswer()] }),
  vector("where nothing is to be remembered, nothing is: first", "brief", api("/app", cookie), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()] }),
  vector("where nothing is to be remembered, nothing is: second", "brief", api("/app", cookie), reject("session_ended"), { after: "where nothing is to be remembered, nothing is: first", effects: ["session"], results: [nullAnswer()] }),
];
