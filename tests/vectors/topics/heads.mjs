// Heads that are odd: methods that are none (RFC 9110 section 9.1), and headers that come twice, in two lines (RFC 9112) or in one as hosts
// with Fetch's `Headers` join them (Fetch standard, "get"): the same is decided.

import { NOW, PRIVATE, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, bearer, betterAuth, claims, cookies, foreign, forward, goodData, jwtIssuer, page, policy, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { jwt, publicJwk, signedCookie } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const byMethod = [{ path: "/api/**", methods: ["POST", "PATCH"], access: "required" }, { path: "/api/**", access: "public" }, { path: "/**", access: "required" }];

export const policies = {
  methods: betterAuth({}, { rules: byMethod }),
  "no preflights": betterAuth({}, { rules: byMethod.map((rule) => (rule.access === "required" ? { ...rule, preflight: "refuse" } : rule)) }),
  site: betterAuth({}, { rules: [{ path: "/public", access: "public" }, { path: "/optional", access: "optional" }, { path: "/without", access: "required", credential: "remove" }, { path: "/**", access: "required" }], cors: { origins: [SITE] }, sign_in: { path: "/public" } }),
  token: jwtIssuer({ jwks: { keys: [ed] }, token_locations: ["authorization", "header:x-token"] }, { rules: [{ path: "/optional", access: "optional" }, { path: "/**", access: "required" }] }),
  mixed: policy({ issuers: [foreign({ jwks: { keys: [ed] } })], rules: [{ path: "/**", access: "required" }], sign_in: { path: "/sign-in" } }),
};

const session = sessionCookies(goodData());
const token = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const odd = { reject: { status: 400, reason: "method_refused" } };
const preflight = (target, method, ...more) => send("OPTIONS", target, ["origin", SITE], ["access-control-request-method", method], ...more);

/** Both ways in which a header comes twice, each with the same expectation. */
const twice = (name, policyName, head, [header, ...values], expected, more) => [
  vector(`${name}, in two lines`, policyName, { ...head, headers: [...head.headers, ...values.map((value) => [header, value])] }, expected, more),
  vector(`${name}, in one`, policyName, { ...head, headers: [...head.headers, [header, values.join(", ")]] }, expected, more),
];

const pairs = { [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [SESSION_DATA]: goodData() };
const line = (...names) => cookies(Object.fromEntries(names.map((name) => [name, pairs[name] ?? "1"])));
const joined = (...names) => ({ cookie: names.map((name) => `${name}=${pairs[name] ?? "1"}`).join("; ") });

// A minute before the end of the five that the cookie of these cases lives.
const DUE = NOW + 180_000;
const renewal = [["set-cookie", `${SESSION_DATA}=new; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax`]];
const ahead = (name, target, renews, ...headers) =>
  vector(name, "site", api(target, session, ...headers), forward(ada()), {
    now: DUE,
    results: renews ? [sessionAnswer({}, renewal)] : [],
    also: { alongside: renews ? ["session"] : [], renewed: renews ? [...PRIVATE, ...renewal] : [] },
  });

export const cases = [
  ...["post", "Post", "pOST", "patch", "get", "head", "options", "delete", "propfind", "", " ", "GET ", " GET", "GE T", "GET\t", "GET\u0000", "POST\r\nx: y", "GET/1", "GÉT", "PO,ST", "(GET)", "POST;", "A".repeat(33)].map((method) =>
    vector(`${JSON.stringify(method)} is no method`, "methods", send(method, "/api/x", session, ["origin", SITE]), odd),
  ),
  vector("a method in small letters opens no public rule to an anonymous request", "methods", send("post", "/api/x"), odd),
  vector("a method that is none is refused on a public path too", "site", send("post", "/public"), odd),
  vector("a method that is none is refused where no rule matches", "methods", send("get", "/nowhere//"), odd),
  vector("a page asked for by no method is a page", "site", { ...page("/app"), method: "get" }, odd, { also: { headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store" } } }),
  vector("the log takes no more of a method than the beginning", "site", send(`${"x".repeat(5000)}`, "/app"), odd, { also: { log: { method: `${"x".repeat(300)}...`, reason: "method_refused" } } }),
  ...["GET", "M-SEARCH", "VERSION-CONTROL", "QUERY", "A", "1", "A".repeat(32)].map((method) => vector(`${method} is a method`, "site", send(method, "/public"), forward())),
  vector("a method that a rule names", "methods", send("PATCH", "/api/x"), reject("no_credential")),
  vector("a method that no rule names falls to the next", "methods", send("DELETE", "/api/x"), forward()),
  vector("a preflight for a method that is none", "no preflights", preflight("/api/x", "patch"), odd),
  vector("a preflight for a method that a rule names", "no preflights", preflight("/api/x", "PATCH"), reject("no_credential")),
  vector("a preflight for no method", "methods", preflight("/api/x", ""), odd),
  ...twice("a preflight for two methods", "no preflights", send("OPTIONS", "/api/x", ["origin", SITE]), ["access-control-request-method", "DELETE", "PATCH"], odd),
  vector("what is no preflight may say so as it likes", "methods", send("GET", "/api/x", ["access-control-request-method", "patch"]), forward()),

  // RFC 9113 section 8.2.3: several lines of cookies are one, which hosts put together for the origin.
  vector("cookies in two lines", "site", api("/app", line("a", SESSION_TOKEN), line(SESSION_DATA, "b")), forward(ada())),
  vector("cookies in as many lines as there are", "site", api("/app", line("a"), line(SESSION_TOKEN), line("b"), line(SESSION_DATA)), forward(ada())),
  vector("cookies in one line stay as they are", "site", api("/app", ["cookie", ` x=a, b=c;  ${line(SESSION_TOKEN, SESSION_DATA)[1]};`]), forward(ada())),
  vector("a comma is part of a value", "site", api("/app", ["cookie", `x=a, ${line(SESSION_TOKEN)[1]}`]), reject("no_credential")),
  vector("cookies in two lines, of which the session's do not go on", "site", api("/without", line("a", SESSION_TOKEN), line(SESSION_DATA, "b")), { forward: { set: { ...ada(), ...joined("a", "b") }, removed: ["cookie", "cookie"], response_headers: [] } }),
  vector("of one name in two lines the first counts", "site", api("/app", line(SESSION_TOKEN, SESSION_DATA), ["cookie", `${SESSION_TOKEN}=x`]), forward(ada())),

  ...twice("two tokens", "token", api("/app"), ["authorization", `Bearer ${token}`, `Bearer ${token}`], reject("credential_malformed")),
  ...twice("a token behind another scheme", "token", api("/app"), ["authorization", "Basic YTpi", `Bearer ${token}`], reject("credential_malformed")),
  ...twice("a token before another scheme", "token", api("/app"), ["authorization", `Bearer ${token}`, "Basic YTpi"], reject("credential_malformed")),
  ...twice("a token behind another scheme, where none is asked for", "token", api("/optional"), ["authorization", "Basic YTpi", `bearer ${token}`], reject("credential_malformed")),
  ...twice("two schemes that are not ours", "token", api("/optional"), ["authorization", "Basic YTpi", "Negotiate x"], forward()),
  vector("another scheme's own commas", "token", api("/optional", ["authorization", 'Digest username="a", realm="b", nc=1']), forward()),
  ...twice("two tokens in a header of their own", "token", api("/app"), ["x-token", token, token], reject("token_unsupported")),
  vector("one token in a header of its own", "token", api("/app", ["x-token", token]), forward(told())),

  ...twice("two hosts", "site", api("/public"), ["host", "app.example.com", "app.example.com"], reject("path_refused")),
  ...twice("two hosts of which one is ours", "site", api("/public"), ["host", "app.example.com", "evil.example"], reject("path_refused")),
  ...twice("two pages around this one", "site", api("/public"), ["next-url", "/public", "/public"], reject("path_refused")),
  ...twice("two pages around this one, of which one is nothing", "site", api("/public"), ["next-url", "", "/public"], reject("path_refused")),

  ...twice("two words for a navigation are none", "site", api("/app"), ["sec-fetch-mode", "navigate", "navigate"], reject("no_credential"), { also: { headers: { "content-type": "application/problem+json" } } }),
  ...twice("two destinations are none", "site", send("GET", "/app"), ["sec-fetch-dest", "document", "document"], reject("no_credential"), { also: { headers: { "content-type": "application/problem+json" } } }),
  ...twice("what is accepted may stand in two", "mixed", send("GET", "/app"), ["accept", "image/png", "text/html"], { redirect: { status: 307, reason: "no_credential", location: "/sign-in?callbackURL=%2Fapp" } }),
  ...twice("two signs of a payload are one", "site", page("/app"), ["rsc", "1", "1"], reject("no_credential"), { also: { headers: { "content-type": "application/problem+json" } } }),
  ...twice("two origins read no refusal", "site", api("/app"), ["origin", SITE, SITE], reject("no_credential"), { also: { headers: { "access-control-allow-origin": null } } }),

  // What is fetched ahead of need renews nothing, whatever tells that it is.
  ahead("a payload renews", "/x.rsc", true),
  ahead("a payload that is fetched ahead does not, by its path", "/x.prefetch.rsc", false),
  ahead("a segment that is fetched ahead does not, by its path", "/x.segments/_tree.segment.rsc", false),
  ahead("the root's, fetched ahead, does not", "/index.prefetch.rsc", false),
  ahead("fetched ahead by its path and its headers", "/x.prefetch.rsc", false, ["next-router-prefetch", "1"]),
  ahead("a page whose name only looks so", "/x.prefetch.rscx", true),
  ...["sec-purpose", "purpose"].map((name) => ahead(`fetched ahead by the second ${name}`, "/x", false, [name, ""], [name, "prefetch"])),
];
