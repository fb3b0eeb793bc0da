// When the cookie cache is renewed before it runs out, and when never (docs/sessions.md). `alongside` is what is carried while
// the origin works, `renewed` what its response gets.

import { NOW, NOW_S, PRIVATE, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, betterAuth, cookies, forward, goodData, nullAnswer, page, pair, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact, hs256, jwe, signedCookie } from "../mint.mjs";

const DONT_REMEMBER = "__Secure-better-auth.dont_remember";
const everything = { rules: [{ path: "/**", access: "required" }] };

export const policies = {
  plain: betterAuth(),
  early: betterAuth({ renew_percent: 50 }),
  never: betterAuth({ renew_percent: 0 }),
  stateless: betterAuth({ stateless: true }),
  everything: betterAuth({}, everything),
};

// The cookie of these cases was written a minute before NOW and lives until four minutes after it: five minutes in all.
const END = NOW + 240_000;
const DUE = END - 60_000;
const data = goodData();
const cookie = sessionCookies(data);
const line = (name, value = "new") => ["set-cookie", `${name}=${value}; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax`];
const renewed = (...lines) => [...PRIVATE, ...lines];
const result = (...lines) => ({ ...sessionAnswer({}, lines), url: `${SITE}/api/auth/get-session?disableCookieCache=true` });

const renews = (name, head, { policy = "plain", now = DUE, lines = [line(SESSION_DATA)], told = ada(), ...members } = {}) =>
  vector(name, policy, head, forward(told), { now, results: [result(...lines)], also: { alongside: ["session"], renewed: renewed(...lines) }, ...members });
const leaves = (name, head, { policy = "plain", now = DUE, told = ada(), ...members } = {}) =>
  vector(name, policy, head, forward(told), { now, also: { alongside: [], renewed: [] }, ...members });
const withOrigin = (vector, ...lines) => ({ ...vector, origin_set_cookies: lines });

const impersonated = compact(pair({ session: { impersonatedBy: "admin-1" } }), END, SECRET);
const unnamed = compact(pair({ updatedAt: undefined, version: undefined }), END, SECRET);
const forNow = (value) => cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [SESSION_DATA]: data, [DONT_REMEMBER]: value });
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const failing = (name, results, failure, members = {}) =>
  vector(name, "plain", api("/app", cookie), forward(ada()), { now: DUE, results, also: { alongside: ["session"], renewed: [], log: { decision: "renew", lookup_failure: failure, method: "GET", path: "/app", rule: "/**" } }, ...members });

export const cases = [
  leaves("before the last fifth of its life it is left alone", api("/app", cookie), { now: DUE - 1 }),
  renews("in the last fifth of its life it is renewed", api("/app", cookie)),
  renews("in its last millisecond it is renewed", api("/app", cookie), { now: END }),
  renews("HEAD renews as well", send("HEAD", "/app", cookie)),
  renews("a page renews", page("/app", cookie)),
  renews("half of its life, where that is configured", api("/app", cookie), { policy: "early", now: END - 150_000 }),
  leaves("not before", api("/app", cookie), { policy: "early", now: END - 150_001 }),
  leaves("never, where that is configured", api("/app", cookie), { policy: "never", now: END }),
  renews("a line for each cookie, in order", api("/app", cookie), { lines: [line(SESSION_TOKEN, "t"), line(SESSION_DATA, ""), line(SESSION_DATA)] }),
  renews("a jwt is renewed", api("/app", sessionCookies(hs256(pair(), NOW_S + 240, SECRET)))),
  renews("a jwe is renewed", api("/app", sessionCookies(await jwe(pair(), NOW_S + 240, SECRET)))),
  renews("without the date of its making its life counts as five minutes", api("/app", sessionCookies(unnamed))),
  leaves("without the date of its making: not before", api("/app", sessionCookies(unnamed)), { now: DUE - 1 }),

  leaves("POST does not renew", send("POST", "/app", cookie, ["origin", SITE])),
  leaves("a prefetch does not renew", api("/app", cookie, ["sec-purpose", "prefetch"])),
  leaves("a prerender does not renew", api("/app", cookie, ["sec-purpose", "prefetch;prerender"])),
  leaves("an older browser's prefetch does not renew", api("/app", cookie, ["purpose", "prefetch"])),
  leaves("a prefetch of Next's router does not renew", api("/app", cookie, ["rsc", "1"], ["next-router-prefetch", "1"])),
  leaves("a WebSocket does not renew", api("/app", cookie, ["upgrade", "websocket"], ["origin", SITE])),
  leaves("what is public does not renew", api("/sign-in", cookie), { told: {} }),
  leaves("the auth service's own path does not renew", api("/api/auth/get-session", cookie), { policy: "everything" }),
  leaves("nor does its root", api("/api/auth", cookie), { policy: "everything" }),
  renews("a path that only begins like it does", api("/api/authors", cookie), { policy: "everything" }),
  leaves("a session that is not to be remembered is not renewed", api("/app", forNow(signedCookie("true", SECRET)))),
  renews("a forged mark does not keep it from that", api("/app", forNow(signedCookie("true", "another secret of nobody at all"))), {}),
  renews("nor does another signed value", api("/app", forNow(signedCookie("false", SECRET)))),
  leaves("an impersonated session is not renewed", api("/app", sessionCookies(impersonated))),

  renews("one at a time and a pause: first", api("/app", cookie)),
  leaves("one at a time and a pause: the old cookie within ten seconds", api("/app", cookie), { after: "one at a time and a pause: first", now: DUE + 9999 }),
  renews("one at a time and a pause: still the old cookie", api("/app", cookie), { after: "one at a time and a pause: first", now: DUE + 10_000 }),
  vector("an answer is enough for others who wait", "plain", api("/app", sessionCookies()), forward(ada("auth-service")), { after: "one at a time and a pause: still the old cookie", now: DUE + 10_001 }),

  failing("a renewal that fails refuses no request", [], "no-response"),
  leaves("after a failure there is a pause", api("/app", cookie), { after: "a renewal that fails refuses no request", now: DUE + 5000 }),
  vector("a failed renewal does not keep a request waiting", "plain", api("/app", sessionCookies()), forward(ada("auth-service")), { after: "a renewal that fails refuses no request", now: DUE + 5000, effects: ["session"], results: [sessionAnswer()] }),
  vector("the line about it says which request it was, and what came of the question", "plain", api("/app?q=hidden", cookie, ["x-request-id", "r-17"], ["traceparent", TRACE]), forward(ada()), {
    now: DUE,
    results: [{ of: "session", status: 500, headers: [], body: "" }],
    also: {
      alongside: ["session"], renewed: [],
      log: { event: "renewal", decision: "renew", lookup_failure: "server-error", method: "GET", path: "/app", rule: "/**", request_id: "r-17", traceparent: TRACE, lookup: { status: 500, url: `${SITE}/api/auth/get-session` } },
    },
  }),
  failing("an answer about another session renews nothing", [sessionAnswer({ session: { token: "another" } }, [line(SESSION_DATA)])], "other-session"),
  failing("nor does a page", [{ of: "session", status: 200, headers: [line(SESSION_DATA)], body: "<p>" }], "unexpected-body"),
  failing("nor does 429", [{ of: "session", status: 429, headers: [line(SESSION_DATA)], body: "" }], "rate-limited"),
  vector("what is dropped from a renewal is named", "plain", api("/app", cookie), forward(ada()), { now: DUE, results: [sessionAnswer({}, [line("tracker"), line(SESSION_DATA)])], also: { alongside: ["session"], renewed: renewed(line(SESSION_DATA)), log: { decision: "renew", dropped_cookies: ["tracker"] } } }),

  vector("a session that has ended: this request goes on", "plain", api("/app", cookie), forward(ada()), { now: DUE, results: [nullAnswer([line(SESSION_TOKEN, "")])], also: { alongside: ["session"], renewed: renewed(line(SESSION_TOKEN, "")) } }),
  vector("a session that has ended: the next one does not", "plain", api("/app", cookie), reject("session_ended"), { after: "a session that has ended: this request goes on", now: DUE + 1 }),

  withOrigin(leavesOursOut("the origin's own session cookie goes before ours"), `${SESSION_DATA}=theirs; Path=/`),
  withOrigin(leavesOursOut("a sign-out by the origin is not undone"), `${SESSION_TOKEN}=; Max-Age=0; Path=/`),
  withOrigin(leavesOursOut("nor by a chunk of it"), `a=b`, `${SESSION_DATA}.1=; Max-Age=0; Path=/`),
  withOrigin(renews("other cookies of the origin are no matter", api("/app", cookie)), "theme=dark; Path=/", "better-auth.session_data=x"),

  vector("a cache that has run out: the request to the auth service is the renewal", "plain", api("/app", cookie), forward({ ...ada("auth-service"), cookie: `${sessionCookies()[1]}; ${SESSION_DATA}=new` }, { removed: ["cookie"], response_headers: renewed(line(SESSION_DATA)) }), { now: END + 1, effects: ["session"], results: [result(line(SESSION_DATA))], also: { alongside: [] } }),
  vector("a service without a store is asked plainly", "stateless", api("/app", cookie), forward(ada()), { now: DUE, results: [{ ...sessionAnswer({}, [line(SESSION_DATA)]), url: `${SITE}/api/auth/get-session` }], also: { alongside: ["session"], renewed: renewed(line(SESSION_DATA)) } }),
];

function leavesOursOut(name) {
  return vector(name, "plain", api("/app", cookie), forward(ada()), { now: DUE, results: [result(line(SESSION_DATA))], also: { alongside: ["session"], renewed: [] } });
}
