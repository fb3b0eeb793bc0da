// Pages of the application in place of the gate's own: shown under the status of the refusal, where they can be shown.

import { OLD_SECRET, SITE, TOKEN, betterAuth, forward, goodData, nullAnswer, page, redirect, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { signedCookie } from "../mint.mjs";

const rules = [
  { path: "/errors/elsewhere", access: "public", upstream: "https://pages.example.com" },
  { path: "/errors/**", access: "public" },
  { path: "/sign-in", access: "public" },
  { path: "/admin", access: "required", roles: "admin" },
  { path: "/app/**", access: "required" },
];
const pages = { 400: "/errors/link", 401: "/errors/signed-out", 403: "/errors/no-access", 503: "/errors/later" };

export const policies = {
  site: betterAuth({}, { sign_in: undefined, rules, pages }),
  "sign-in": betterAuth({}, { rules, pages }),
  elsewhere: betterAuth({}, { sign_in: undefined, rules, pages: { 401: "/errors/elsewhere" } }),
};

const HTML = "<!doctype html><title>Our own page</title>";

/** What the origin answers at this URL, to a request without a cookie. */
const appPage = (url, members = {}) => ({
  of: "page", url, cookies: [], status: 200, body: HTML,
  headers: [
    ["Content-Type", "text/html; charset=utf-8"], ["Content-Language", "de"], ["Set-Cookie", "visited=1"], ["Cache-Control", "public, max-age=60"],
    ["Content-Security-Policy", "default-src 'self'"], ["X-Powered-By", "app"], ["ETag", "1"],
  ],
  ...members,
});

const ofPage = { "content-type": "text/html; charset=utf-8", "content-language": "de", "content-security-policy": "default-src 'self'" };
const ofGate = { "cache-control": "private, no-store", "x-powered-by": null, etag: null };

/** The page at this URL is shown in place. */
const shows = (name, head, reason, url, { policyName = "site", effects = [], results = [], also } = {}) =>
  vector(name, policyName, head, reject(reason), {
    effects: [...effects, "page"], results: [...results, appPage(url)], also: { headers: { ...ofPage, ...ofGate }, set_cookies: [], body: HTML, ...also },
  });

const SIGNED_OUT = "/errors/signed-out?reason=no_credential&from=%2Fapp%2Fx";

/** Where the page brings this in place of itself, the gate's own is shown, and the log says why. */
const fallsBack = (name, answer, page_failure) =>
  vector(`${name} is not shown`, "site", page("/app/x"), reject("no_credential"), {
    effects: ["page"],
    results: answer === undefined ? [] : [{ of: "page", url: SIGNED_OUT, ...answer }],
    also: { headers: { "content-type": "text/html; charset=utf-8", "content-language": null }, log: { reason: "no_credential", status: 401, page_failure } },
  });

const withType = (...lines) => ({ status: 200, headers: lines.map((line) => ["content-type", line]), body: HTML });

const session = sessionCookies(goodData());
const forged = sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET));
const back = ["referer", `${SITE}/sign-in?callbackURL=%2Fapp%2Fx&attempt=2`];
const form = send("POST", "/app/x", ["sec-fetch-mode", "navigate"], ["origin", "https://evil.example"], session);
const problem = { also: { headers: { "content-type": "application/problem+json" } } };
const ended = ["session_token", "session_data", "dont_remember"].map((name) => `__Secure-better-auth.${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`);

export const cases = [
  shows("a page for 401", page("/app/x?tab=1"), "no_credential", "/errors/signed-out?reason=no_credential&from=%2Fapp%2Fx%3Ftab%3D1", { also: { headers: { ...ofPage, ...ofGate, "www-authenticate": "Bearer" } } }),
  shows("a page for a session that does not count", page("/app/x", forged), "signature_invalid", "/errors/signed-out?reason=signature_invalid&from=%2Fapp%2Fx"),
  shows("a page for 403", page("/admin", session), "forbidden", "/errors/no-access?reason=forbidden&from=%2Fadmin", { effects: ["session"], results: [sessionAnswer()] }),
  shows("a page for what no rule matches", page("/other"), "route_denied", "/errors/no-access?reason=route_denied&from=%2Fother"),
  shows("a page after a form of another site has no way back, and the status is 403", form, "cross_site_request", "/errors/no-access?reason=cross_site_request"),
  shows("a page for an address that is not plain has none either", page("/app//x"), "path_refused", "/errors/link?reason=path_refused"),
  shows("a page for 503", page("/app/x", sessionCookies()), "session_unavailable", "/errors/later?reason=session_unavailable&from=%2Fapp%2Fx", { effects: ["session"], also: { headers: { ...ofPage, ...ofGate, "retry-after": "5" } } }),
  shows("cookies of a session that has ended are cleared with it", page("/app/x", sessionCookies()), "session_ended", "/errors/signed-out?reason=session_ended&from=%2Fapp%2Fx", {
    effects: ["session"], results: [nullAnswer()], also: { set_cookies: ended },
  }),
  shows("the head of a request that would get a page has its headers alone", { ...page("/app/x"), method: "HEAD" }, "no_credential", SIGNED_OUT, { also: { body: "" } }),
  shows("a redirect loop ends at the page for 401", page("/app/x", back), "redirect_loop", "/errors/signed-out?reason=redirect_loop&from=%2Fapp%2Fx", { policyName: "sign-in" }),
  shows("a page whose rule has an upstream is fetched there", page("/app/x"), "no_credential", "https://pages.example.com/errors/elsewhere?reason=no_credential&from=%2Fapp%2Fx", { policyName: "elsewhere" }),
  vector("the sign-in page comes before a page for 401", "sign-in", page("/app/x"), redirect("no_credential", "/sign-in?callbackURL=%2Fapp%2Fx")),
  vector("the page itself goes on", "site", page("/errors/no-access?reason=forbidden"), forward()),
  vector("a page that is itself refused is not fetched", "site", send("GET", "/errors/no-access", ["accept", "text/html"], ["host", "a b"]), reject("path_refused"), { effects: ["page"], results: [appPage("/errors/link?reason=path_refused")] }),
  vector("a script gets a problem document, whatever pages there are", "site", send("GET", "/app/x", ["accept", "application/json"]), reject("no_credential"), problem),
  vector("a payload too", "site", page("/app/x", ["rsc", "1"]), reject("no_credential"), problem),
  fallsBack("a page at which nothing answers", undefined, "unreachable"),
  fallsBack("a page that takes too long", { failed: true }, "unreachable"),
  fallsBack("a page that is too large", { too_large: true }, "too_large"),
  fallsBack("a page that redirects", { status: 307, headers: [["location", "/sign-in"]] }, "redirect"),
  fallsBack("a page that is not there", { ...withType("text/html"), status: 404 }, "status"),
  fallsBack("a page that the application itself protects", { ...withType("text/html"), status: 401 }, "status"),
  fallsBack("a document that is no page", withType("application/json"), "not_html"),
  fallsBack("a page without a type", withType(), "not_html"),
  fallsBack("a page of a type that only begins so", withType("text/html5"), "not_html"),
];
