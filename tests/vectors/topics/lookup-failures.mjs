// Why it is not known what has become of a session: the code in the log for each kind of answer, what is dropped, and what an
// older answer is good for (docs/sessions.md).

import { NOW, NOW_S, OTHER_TOKEN, SECRET, SESSION_DATA, SESSION_TOKEN, ada, api, betterAuth, forward, nullAnswer, page, pair, redirect, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { signedCookie } from "../mint.mjs";

export const policies = {
  plain: betterAuth(),
  patient: betterAuth({ stale_if_error_seconds: 600 }),
  strict: betterAuth({ stale_if_error_seconds: 600 }, { rules: [{ path: "/**", access: "required", max_staleness_seconds: 60 }] }),
  scarce: betterAuth({}, { auth_requests_per_second: 4 }),
};

const cookie = sessionCookies();
const answered = (status, body = "", headers = []) => ({ of: "session", status, headers, body });
const { session, user } = pair();
const body = (members) => answered(200, JSON.stringify({ session, user, ...members }));
const line = (name, rest = "Path=/; HttpOnly; Secure") => ["set-cookie", `${name}=v; ${rest}`];

const failing = (failure, result) =>
  vector(`the log says ${failure}`, "plain", api("/app", cookie), reject("session_unavailable"), { effects: ["session"], results: [result], also: { log: { decision: "reject", reason: "session_unavailable", lookup_failure: failure } } });

const stale = (name, policy, now, expected, members = {}) =>
  vector(name, policy, api("/app", cookie), expected, { after: `${policy}: the session lives`, now, effects: ["session"], results: [answered(503)], ...members });
const lives = (policy) => vector(`${policy}: the session lives`, policy, api("/app", cookie), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()] });

export const cases = [
  failing("no-response", { of: "session", failed: true }),
  failing("too-large", { of: "session", too_large: true }),
  failing("redirect", answered(302, "", [["location", "https://elsewhere.example/"]])),
  failing("unauthorized", answered(401, "null")),
  failing("rate-limited", answered(429, "null")),
  failing("server-error", answered(500, "null")),
  failing("unexpected-status", answered(404, "null")),
  failing("unexpected-body", answered(200, "<!doctype html>")),
  vector("a session without a user is an odd body", "plain", api("/app", cookie), reject("session_unavailable"), { effects: ["session"], results: [body({ user: {} })], also: { log: { lookup_failure: "unexpected-body" } } }),
  failing("other-session", body({ session: { ...session, token: OTHER_TOKEN } })),
  failing("expired", body({ session: { ...session, expiresAt: new Date(NOW - 1).toISOString() } })),
  vector("an answer that does not count sets no cookies", "plain", page("/app", cookie), reject("session_unavailable"), { effects: ["session"], results: [answered(500, "null", [line(SESSION_TOKEN, "Max-Age=0; Path=/")])], also: { set_cookies: [] } }),
  vector("a session that is known to have ended is no lookup failure", "plain", page("/app", cookie), redirect("session_ended", "/sign-in?callbackURL=%2Fapp"), { effects: ["session"], results: [nullAnswer()], also: { log: { decision: "redirect", reason: "session_ended" } } }),

  vector("what is not passed on is named in the log", "plain", api("/app", cookie), forward(ada("auth-service")), {
    effects: ["session"],
    results: [sessionAnswer({}, [line("tracker"), line(SESSION_DATA, "Path=/; Domain=evil.example"), line(`${SESSION_TOKEN}_multi-kd83hfq0zxp5vnw2rtyb7lmcsj4egu9a`), ["set-auth-jwt", "a.b.c"], ["set-auth-token", "t"]])],
    also: { log: { decision: "forward", dropped_cookies: ["tracker", SESSION_DATA, SESSION_TOKEN] } },
  }),
  vector("what is not passed on is named in a refusal's line as well", "plain", api("/app", cookie), reject("session_ended"), { effects: ["session"], results: [nullAnswer([line("tracker")])], also: { log: { reason: "session_ended", dropped_cookies: ["tracker"] } } }),

  lives("patient"),
  stale("an older answer serves while the service is away", "patient", NOW + 30_000, forward(ada("auth-service")), { also: { log: { decision: "stale-if-error", reason: "session_unavailable", lookup_failure: "server-error" } } }),
  vector("and it is not asked at each request then", "patient", api("/app", cookie), forward(ada("auth-service")), { after: "an older answer serves while the service is away", now: NOW + 31_999, also: { log: { decision: "stale-if-error", lookup_failure: "server-error" } } }),
  stale("up to the age that is configured", "patient", NOW + 599_999, forward(ada("auth-service"))),
  stale("and no longer", "patient", NOW + 602_000, reject("session_unavailable"), { also: { log: { lookup_failure: "server-error" } } }),
  vector("an older answer does not stand against a newer one", "patient", api("/app", cookie), reject("session_ended"), { after: "and no longer", now: NOW + 604_000, effects: ["session"], results: [nullAnswer()] }),
  vector("nor does what ended come back when the service goes away", "patient", api("/app", cookie), reject("session_unavailable"), { after: "an older answer does not stand against a newer one", now: NOW + 620_000, effects: ["session"], results: [answered(503)] }),
  lives("strict"),
  stale("never older than the rule wants it", "strict", NOW + 59_999, forward(ada("auth-service"))),
  stale("never older than the rule wants it: then", "strict", NOW + 62_000, reject("session_unavailable")),
  vector("a session that soon expires: first", "patient", api("/app", cookie), forward(ada("auth-service", { "x-doorward-expires": String(NOW_S + 20) })), { effects: ["session"], results: [sessionAnswer({ session: { expiresAt: new Date(NOW + 20_000).toISOString() } })] }),
  vector("an older answer does not outlive its session: in time", "patient", api("/app", cookie), forward(ada("auth-service", { "x-doorward-expires": String(NOW_S + 20) })), { after: "a session that soon expires: first", now: NOW + 20_000, effects: ["session"], results: [answered(503)] }),
  vector("an older answer does not outlive its session", "patient", api("/app", cookie), reject("session_unavailable"), { after: "a session that soon expires: first", now: NOW + 22_001, effects: ["session"], results: [answered(503)] }),

  vector("unverified credentials have one request of four a second: first", "scarce", api("/app", cookie), reject("session_unavailable"), { effects: ["session"], results: [answered(500)] }),
  vector("unverified credentials have one request of four a second: second", "scarce", api("/app", sessionCookies(undefined, signedOther())), reject("session_unavailable"), { after: "unverified credentials have one request of four a second: first", now: NOW + 900, also: { log: { lookup_failure: "request-limit" }, headers: { "retry-after": "5" } } }),
  vector("unverified credentials have one request of four a second: third", "scarce", api("/app", sessionCookies(undefined, signedOther())), reject("session_ended"), { after: "unverified credentials have one request of four a second: first", now: NOW + 1000, effects: ["session"], results: [nullAnswer()] }),
];

function signedOther() {
  return signedCookie(OTHER_TOKEN, SECRET);
}
