// Requests from other sites (product, chapter 4): identity by cookie with an unsafe method needs the browser to say that it is
// same-origin, else a same-origin or listed `Origin`. `same-site.mjs` has where the two meet.

import { ENV, OLD_SECRET, SITE, TOKEN, ada, bearer, claims, cookies, forward, goodData, jwtIssuer, policy, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { jwt, publicJwk, signedCookie } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const own = { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks: { keys: [publicJwk("ed2", { kid: "own" })] }, bearer_tokens: "any" };
const rules = [{ path: "/public", access: "public" }, { path: "/optional", access: "optional" }, { path: "/**", access: "required" }];

export const policies = {
  site: policy({ issuers: [own], rules, allowed_origins: ["https://admin.example.com", "http://localhost:3000"], sign_in: { path: "/sign-in" } }, ENV),
  token: jwtIssuer({ jwks: { keys: [ed] }, token_locations: ["authorization", "cookie:token", "header:x-token"] }),
};

const session = sessionCookies(goodData());
const token = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const adasToken = await jwt("EdDSA", "ed2", claims({ iss: SITE, aud: SITE, sub: "ada" }), { kid: "own" });
const origin = (value) => ["origin", value];
const site = (value) => ["sec-fetch-site", value];
const crossing = reject("cross_site_request");
const post = (name, headers, expected, more) => vector(name, "site", send("POST", "/app", session, ...headers), expected, more);

export const cases = [
  post("from this site", [origin(SITE)], forward(ada())),
  post("from a listed origin", [origin("https://admin.example.com")], forward(ada())),
  post("from a listed origin with a port", [origin("http://localhost:3000")], forward(ada())),
  post("from another site", [origin("https://evil.example")], crossing),
  post("from a site whose name begins like ours", [origin("https://app.example.com.evil.example")], crossing),
  post("from a site whose name ends like ours", [origin("https://evil-app.example.com")], crossing),
  post("from a site below ours", [origin("https://x.app.example.com")], crossing),
  post("from this host by another scheme", [origin("http://app.example.com")], crossing),
  post("from this host by another port", [origin("https://app.example.com:8443")], crossing),
  post("from a listed host by another port", [origin("http://localhost:3001")], crossing),
  post("from nowhere that says so", [origin("null")], crossing),
  post("from an origin with a path", [origin(`${SITE}/`)], crossing),
  post("from an empty origin", [origin("")], crossing),
  post("without an origin", [], crossing),
  post("without an origin, from the same origin by Sec-Fetch-Site", [site("same-origin")], forward(ada())),
  post("without an origin, from the same site only", [site("same-site")], crossing),
  post("without an origin, from another site", [site("cross-site")], crossing),
  post("without an origin, by the person's own hand", [site("none")], crossing),
  post("a Host header makes no origin same", [origin("https://evil.example"), ["host", "evil.example"], ["x-forwarded-host", "evil.example"]], crossing),
  post("a Referer is no origin", [["referer", `${SITE}/app`]], crossing),
  ...["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"].map((method) =>
    vector(`${method} changes something`, "site", send(method, "/app", session, origin("https://evil.example")), crossing),
  ),
  ...["GET", "HEAD", "OPTIONS"].map((method) => vector(`${method} changes nothing`, "site", send(method, "/app", session, origin("https://evil.example")), forward(ada()))),
  vector("a form from another site is refused by a page, not sent to sign in", "site", send("POST", "/app", ["accept", "text/html"], ["sec-fetch-mode", "navigate"], origin("https://evil.example"), session), crossing, { also: { headers: { "content-type": "text/html; charset=utf-8" } } }),
  vector("a server action from another site", "site", send("POST", "/app", ["next-action", "7f00"], origin("https://evil.example"), session), crossing),
  vector("a public path takes it from anywhere", "site", send("POST", "/public", session, origin("https://evil.example")), forward()),
  vector("optional: from another site with a session", "site", send("POST", "/optional", session, origin("https://evil.example")), crossing),
  vector("optional: from another site without one", "site", send("POST", "/optional", origin("https://evil.example")), forward()),
  vector("a session that the auth service knows, from another site", "site", send("POST", "/app", sessionCookies(), origin("https://evil.example")), crossing, { effects: ["session"], results: [sessionAnswer()] }),
  vector("without a session, what is missing is the session", "site", send("POST", "/app", origin("https://evil.example")), reject("no_credential")),
  vector("with a bad session, what is wrong is the session", "site", send("POST", "/app", origin("https://evil.example"), sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET))), reject("signature_invalid")),
  vector("a token in a header is not sent by a browser by itself", "token", send("POST", "/", bearer(token), origin("https://evil.example")), forward(told())),
  vector("a token in a header of its own is not either", "token", send("POST", "/", ["x-token", token], origin("https://evil.example")), forward(told())),
  vector("a token in a cookie is", "token", send("POST", "/", cookies({ token }), origin("https://evil.example")), crossing),
  vector("a token in a cookie, from this site", "token", send("POST", "/", cookies({ token }), origin(SITE)), forward(told())),
  vector("a bearer token beside the session of the same person needs no origin", "site", send("POST", "/app", session, bearer(adasToken)), forward(told({ "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth" }))),
  vector("Basic beside a session does not make it come from here", "site", send("POST", "/app", session, ["authorization", "Basic x"]), crossing),
];
