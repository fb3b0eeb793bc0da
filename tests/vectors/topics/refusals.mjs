// What answers say beyond their kind (product, chapter 5): the way for a server action, rounds that are noticed, dead cookies,
// who may read a refusal, and a rule's own style.

import { createHash } from "node:crypto";

import { NOW, NOW_S, OLD_SECRET, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, bearer, betterAuth, claims, cookies, foreign, forward, goodData, jwtIssuer, nullAnswer, page, policy, redirect, reject, send, sessionCookies, vector } from "../cases.mjs";
import { jwt, signedCookie } from "../mint.mjs";

const HTTP_SITE = "http://localhost:3000";
const styled = (refusal_format) => [{ path: "/sign-in", access: "public" }, { path: "/**", access: "required", refusal_format }];

export const policies = {
  plain: betterAuth(),
  shared: betterAuth({ cookie_domain: ".example.com" }),
  custom: betterAuth({ cookie_prefix: "acme", session_data_cookie: "cache", secure_cookies: false }),
  bearer: betterAuth({ bearer_tokens: "any" }),
  base: betterAuth({}, { sign_in: { path: "/docs/sign-in", return_parameter: "next" }, rules: [{ path: "/docs/sign-in", access: "public" }, { path: "/**", access: "required" }] }),
  bare: betterAuth({}, { sign_in: undefined }),
  loop: betterAuth({}, { rules: [{ path: "/**", access: "required" }] }),
  cors: betterAuth({}, { allowed_origins: ["https://admin.example.com"], rules: [{ path: "/app", methods: ["GET", "POST"], access: "required" }] }),
  narrow: betterAuth({}, { allowed_origins: ["https://admin.example.com"], cors: { origins: ["https://docs.example.com"], credentials: false }, debug_header: true }),
  docs: jwtIssuer({}, { docs_url: "https://example.com/reasons#" }),
  page: policy({ issuers: [foreign()], rules: styled("page"), sign_in: { path: "/sign-in" } }),
  api: policy({ issuers: [foreign()], rules: styled("api"), sign_in: { path: "/sign-in" } }),
};

const expired = await jwt("EdDSA", "ed", claims({ exp: NOW_S - 60 }), { kid: "ed" });
const problem = { headers: { "content-type": "application/problem+json" } };
const html = { headers: { "content-type": "text/html; charset=utf-8" } };
const text = (body) => ({ headers: { "content-type": "text/plain" }, body });
const action = (target, ...headers) => send("POST", target, ["next-action", "7f00"], ["accept", "text/x-component"], ["origin", SITE], ...headers);
const acted = (reason) => ({ redirect: { status: 303, reason } });
const goes = (location) => ({ headers: { "x-action-redirect": `${location};push` }, set_cookies: [], body: "" });

/** The counter of rounds for a way back. */
const tag = (wayBack) => createHash("sha256").update(wayBack).digest().subarray(0, 9).toString("base64url");
const counter = (rounds, wayBack) => ({ "__Host-doorward-round": `${rounds}.${tag(wayBack)}` });
const counted = (rounds, wayBack) => [`__Host-doorward-round=${rounds}.${tag(wayBack)}; Max-Age=10; Path=/; HttpOnly; Secure; SameSite=Lax`];
const from = (url) => ["referer", url];
const signInPage = `${SITE}/sign-in?callbackURL=%2Fapp`;
const again = redirect("no_credential", "/sign-in?callbackURL=%2Fapp&attempt=2");
const first = redirect("no_credential", "/sign-in?callbackURL=%2Fapp");
const round = reject("redirect_loop");
const plain = (name, head, expected, more) => vector(name, "plain", head, expected, more);
const at = (target, headers, origin) => ({ ...page(target, ...headers), public_origin: origin });

const gone = (name, domain = "", secure = "; Secure") => `${name}=; Max-Age=0${domain}; Path=/; HttpOnly${secure}; SameSite=Lax`;
const NAMES = [SESSION_TOKEN, SESSION_DATA, "__Secure-better-auth.dont_remember"];
const ended = (name, policyName, headers, set_cookies, more = {}) =>
  vector(name, policyName, api("/app", ...headers), reject("session_ended"), { effects: ["session"], results: [nullAnswer()], also: { set_cookies }, ...more });
const forged = signedCookie(TOKEN, OLD_SECRET);

const readable = (origin, more = {}) => ({ "access-control-allow-origin": origin, "access-control-expose-headers": "www-authenticate, retry-after", ...more });
const withCredentials = { "access-control-allow-credentials": "true" };
const asked = (origin) => [["origin", origin], ["access-control-request-method", "PUT"]];

export const cases = [
  plain("a server action goes to sign in, and back to its page", action("/app/x?tab=1"), acted("no_credential"), { also: goes("./../../../sign-in?callbackURL=%2Fapp%2Fx%3Ftab%3D1") }),
  plain("a server action of the front page", action("/"), acted("no_credential"), { also: goes("./../sign-in?callbackURL=%2F") }),
  plain("a server action with a bad session", action("/app", sessionCookies(undefined, forged)), acted("signature_invalid"), { also: goes("./../../sign-in?callbackURL=%2Fapp") }),
  vector("a server action below a base path", "base", action("/docs/app"), acted("no_credential"), { also: goes("./../../../docs/sign-in?next=%2Fdocs%2Fapp") }),
  plain("a server action of another site is an error of its client", send("POST", "/app", ["next-action", "7f00"], ["origin", "https://evil.example"], sessionCookies(goodData())), reject("cross_site_request"), { also: text("Forbidden: The request relies on a cookie and does not come from this site (CSRF protection) (cross_site_request)") }),
  plain("a server action in an outage is an error of its client", action("/app", sessionCookies()), reject("session_unavailable"), { effects: ["session"], also: text("Service Unavailable: The auth service could not be asked about the session (session_unavailable)") }),
  plain("a server action to an odd path is an error of its client", action("/app//x"), reject("path_refused"), { also: text("Bad Request: The request path is ambiguous: servers could read it in different ways (path_refused)") }),
  vector("a server action where there is no sign-in page is an error of its client", "bare", action("/app"), reject("no_credential"), { also: text("Unauthorized: The request has no session cookie and no token (no_credential)") }),
  vector("a server action of a sign-in page that asks for a session is an error of its client", "loop", action("/sign-in"), round, { also: text("Unauthorized: Sign-in redirects back here without creating a session (redirect loop) (redirect_loop)") }),
  plain("a server action is a POST", send("GET", "/app", ["next-action", "7f00"], ["accept", "text/x-component"]), reject("no_credential"), { also: problem }),
  plain("data of the Pages Router is a payload", page("/app", ["x-nextjs-data", "1"]), reject("no_credential"), { also: problem }),

  plain("rounds by Referer: the first time", page("/app"), first, { also: { set_cookies: counted(1, "/app") } }),
  plain("rounds by Referer: back from the sign-in page, still without a session", page("/app", from(signInPage)), again, { also: { set_cookies: counted(1, "/app") } }),
  plain("rounds by Referer: back again", page("/app", from(`${signInPage}&attempt=2`)), round, { also: { ...html, set_cookies: [] } }),
  plain("rounds by Referer: and again", page("/app", from(`${signInPage}&attempt=3`)), round, { also: html }),
  plain("rounds by Referer: back with a session", page("/app", from(`${signInPage}&attempt=2`), sessionCookies(goodData())), forward(ada())),
  plain("rounds by Referer: an outage is an outage", page("/app", from(`${signInPage}&attempt=2`), sessionCookies()), reject("session_unavailable"), { effects: ["session"], also: html }),
  plain("rounds by Referer: what is wrong is a bad secret", page("/app", from(`${signInPage}&attempt=2`), sessionCookies(undefined, forged)), round, { also: html }),
  plain("rounds by Referer: the query is a part of the way back", page("/app?a=b%26c", from(`${SITE}/sign-in?x=1&callbackURL=%2Fapp%3Fa%3Db%2526c&attempt=2`)), round),
  plain("rounds by Referer: a slash at the sign-in page's end", page("/app", from(`${SITE}/sign-in/?callbackURL=%2Fapp&attempt=2`)), round),
  plain("rounds by Referer: a script is told what is missing", api("/app", from(`${signInPage}&attempt=2`)), reject("no_credential"), { also: problem }),
  vector("rounds by Referer: a site without https", "plain", at("/app", [from(`${HTTP_SITE}/sign-in?callbackURL=%2Fapp`)], HTTP_SITE), again, { also: { set_cookies: [`doorward-round=1.${tag("/app")}; Max-Age=10; Path=/; HttpOnly; SameSite=Lax`] } }),
  plain("no alarm: a link of the sign-in page to somewhere else", page("/other", from(`${signInPage}&attempt=2`)), redirect("no_credential", "/sign-in?callbackURL=%2Fother"), { also: { set_cookies: counted(1, "/other") } }),
  plain("no alarm: the sign-in page without a way back", page("/app", from(`${SITE}/sign-in`)), first),
  plain("no alarm: a page whose name begins like the sign-in page's", page("/app", from(`${SITE}/sign-in-help?callbackURL=%2Fapp&attempt=2`)), first),
  plain("no alarm: another site's sign-in page", page("/app", from("https://evil.example/sign-in?callbackURL=%2Fapp&attempt=2")), first),
  plain("no alarm: a site whose name begins like this one's", page("/app", from(`${SITE}.evil.example/sign-in?callbackURL=%2Fapp&attempt=2`)), first),
  plain("no alarm: an attempt that is no number", page("/app", from(`${signInPage}&attempt=-1`)), again),
  plain("no alarm: a Referer that is none", page("/app", from("sign-in?callbackURL=%2Fapp&attempt=2")), first),

  plain("rounds by cookie: the second", page("/app", cookies(counter(1, "/app"))), first, { also: { set_cookies: counted(2, "/app") } }),
  plain("rounds by cookie: the third", page("/app", cookies(counter(2, "/app"))), first, { also: { set_cookies: counted(3, "/app") } }),
  plain("rounds by cookie: the fourth", page("/app", cookies(counter(3, "/app"))), first, { also: { set_cookies: counted(4, "/app") } }),
  plain("rounds by cookie: the fourth return is the last", page("/app", cookies(counter(4, "/app"))), round, { also: { ...html, set_cookies: [] } }),
  plain("rounds by cookie: where the secret differs and the sign-in page sends back at once", page("/app", cookies({ ...counter(4, "/app"), [SESSION_TOKEN]: forged }), from("https://news.example/")), round, { also: html }),
  plain("rounds by cookie: with a session there is no round", page("/app", cookies({ ...counter(4, "/app"), [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [SESSION_DATA]: goodData() })), forward(ada())),
  plain("no alarm: two tabs with two pages", page("/other", cookies(counter(4, "/app"))), redirect("no_credential", "/sign-in?callbackURL=%2Fother"), { also: { set_cookies: counted(1, "/other") } }),
  plain("no alarm: two tabs with two queries", page("/app?tab=2", cookies(counter(4, "/app?tab=1"))), redirect("no_credential", "/sign-in?callbackURL=%2Fapp%3Ftab%3D2"), { also: { set_cookies: counted(1, "/app?tab=2") } }),
  plain("no alarm: a counter that is none", page("/app", cookies({ "__Host-doorward-round": `many.${tag("/app")}` })), first, { also: { set_cookies: counted(1, "/app") } }),
  plain("no alarm: a counter by the name of a site without https", page("/app", cookies({ "doorward-round": `9.${tag("/app")}` })), first),
  plain("a form is not counted: it has no way back", send("POST", "/app", ["sec-fetch-mode", "navigate"], ["origin", SITE], cookies(counter(4, "/app"))), redirect("no_credential", "/sign-in", 303), { also: { set_cookies: [] } }),

  ended("the end of a session clears its cookies", "plain", [sessionCookies()], NAMES.map((name) => gone(name))),
  ended("the chunks that were sent are cleared", "plain", [cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [`${SESSION_DATA}.0`]: "a", [`${SESSION_DATA}.1`]: "b", [`${SESSION_DATA}.x`]: "c", other: "d" })], [...NAMES, `${SESSION_DATA}.0`, `${SESSION_DATA}.1`].map((name) => gone(name))),
  ended("with a domain, cookies with and without it are cleared", "shared", [sessionCookies()], NAMES.flatMap((name) => [gone(name, "; Domain=example.com"), gone(name)])),
  ended("cookies are cleared under their configured names", "custom", [cookies({ "acme.session_token": signedCookie(TOKEN, SECRET) })], ["acme.session_token", "cache", "acme.dont_remember"].map((name) => gone(name, "", ""))),
  ended("what the auth service clears itself is cleared once", "plain", [sessionCookies()], [`${SESSION_TOKEN}=; Max-Age=0; Domain=example.com; Path=/`, gone(SESSION_DATA), gone(NAMES[2])], { results: [nullAnswer([["set-cookie", `${SESSION_TOKEN}=; Max-Age=0; Domain=example.com; Path=/`]])] }),
  ended("the end of a session is known: first", "plain", [sessionCookies()], NAMES.map((name) => gone(name))),
  plain("what is remembered of it clears the cookies of a page too", page("/app", sessionCookies()), redirect("session_ended", "/sign-in?callbackURL=%2Fapp"), { after: "the end of a session is known: first", now: NOW + 5000, also: { set_cookies: [...NAMES.map((name) => gone(name)), ...counted(1, "/app")] } }),
  plain("a lookup failure clears nothing", page("/app", sessionCookies()), reject("session_unavailable"), { effects: ["session"], also: { set_cookies: [] } }),
  plain("a bad signature clears nothing", api("/app", sessionCookies(undefined, forged)), reject("signature_invalid"), { also: { set_cookies: [] } }),
  vector("a bearer token that has ended clears no cookies", "bearer", api("/app", bearer(signedCookie(TOKEN, SECRET)), sessionCookies(goodData())), reject("session_ended"), { effects: ["session"], results: [nullAnswer()], also: { set_cookies: [] } }),

  vector("a page of a listed origin may read why", "cors", api("/app", ["origin", "https://admin.example.com"]), reject("no_credential"), { also: { headers: readable("https://admin.example.com", withCredentials) } }),
  vector("a refused preflight may be read", "cors", send("OPTIONS", "/app", ...asked("https://admin.example.com")), reject("route_denied"), { also: { headers: readable("https://admin.example.com", { ...withCredentials, "content-type": "application/problem+json" }) } }),
  vector("a preflight to an odd path is refused", "cors", send("OPTIONS", "/app//x", ...asked("https://admin.example.com")), reject("path_refused"), { also: { headers: readable("https://admin.example.com", withCredentials) } }),
  vector("origins that may read can be others than those that may send", "narrow", api("/app", ["origin", "https://docs.example.com"]), reject("no_credential"), { also: { headers: { "access-control-allow-origin": "https://docs.example.com", "access-control-expose-headers": "www-authenticate, retry-after, doorward-decision" } } }),
  vector("the debug header says what was wrong each time", "narrow", page("/app", from(`${signInPage}&attempt=2`)), round, { also: { headers: { "doorward-decision": "reject; reason=redirect_loop; cause=no_credential" } } }),
  vector("a configured page of reasons is a link", "docs", api("/app"), reject("no_credential"), { also: { body: JSON.stringify({ detail: "The request has no session cookie and no token", docs: "https://example.com/reasons#no_credential", reason: "no_credential", status: 401, title: "Unauthorized", type: "urn:doorward:reason:no_credential" }) } }),

  vector("style page: who says nothing is sent to sign in", "page", send("GET", "/app"), first),
  vector("style page: who wants JSON and is no browser too", "page", api("/app"), first),
  vector("style page: a bad token too", "page", send("GET", "/app", bearer(expired)), redirect("token_expired", "/sign-in?callbackURL=%2Fapp")),
  vector("style page: a browser's script is told", "page", send("GET", "/app", ["sec-fetch-mode", "cors"], ["accept", "text/html"]), reject("no_credential"), { also: problem }),
  vector("style page: a payload is a payload", "page", send("GET", "/app", ["rsc", "1"]), reject("no_credential"), { also: problem }),
  vector("style api: a page is told, not redirected", "api", page("/app"), reject("no_credential"), { also: problem }),
  vector("style api: a server action is told", "api", action("/app"), reject("no_credential"), { also: problem }),
  vector("style api: the head of a page", "api", send("HEAD", "/app", ["accept", "text/html"]), reject("no_credential"), { also: { ...problem, body: "" } }),
];
