// Kinds of requests and the shape of their refusals (product, chapter 5). The shape never changes whether.

import { NOW_S, api, betterAuth, bearer, claims, cookies, forward, jwtIssuer, page, redirect, reject, send, sessionCookies, goodData, ada, told, vector } from "../cases.mjs";
import { jwt } from "../mint.mjs";

const expired = await jwt("EdDSA", "ed", claims({ exp: NOW_S - 60 }), { kid: "ed" });
const good = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const required = [{ path: "/**", access: "required" }];
const signIn = [{ path: "/sign-in", access: "public" }, ...required];

export const policies = {
  pages: betterAuth(),
  token: jwtIssuer({ token_locations: ["authorization", "cookie:token"] }, { rules: signIn, sign_in: { path: "/sign-in" } }),
  bare: jwtIssuer({ token_locations: ["authorization", "cookie:token"] }),
  loop: jwtIssuer({ token_locations: ["authorization", "cookie:token"] }, { sign_in: { path: "/sign-in" } }),
  parameter: jwtIssuer({}, { rules: signIn, sign_in: { path: "/account/sign-in", return_parameter: "next" } }),
  keys: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }, { rules: signIn, sign_in: { path: "/sign-in" } }),
  debug: jwtIssuer({}, { debug_header: true, rules: [{ path: "/about", access: "public" }, ...required], sign_in: { path: "/sign-in" } }),
};

const pages = (name, head, expected, also) => vector(name, "pages", head, expected, { also });
const noStore = { "cache-control": "private, no-store" };
const problem = { headers: { ...noStore, "content-type": "application/problem+json", "www-authenticate": "Bearer" } };
const html = { headers: { ...noStore, "content-type": "text/html; charset=utf-8" } };
const invalid = (sentence) => `Bearer error="invalid_token", error_description="${sentence}"`;
const session = sessionCookies(goodData());

export const cases = [
  pages("a page without a session goes to sign in and back", page("/app?tab=1"), redirect("no_credential", "/sign-in?callbackURL=%2Fapp%3Ftab%3D1"), { headers: noStore }),
  pages("a page is known by what it accepts where the browser says nothing else", send("GET", "/app", ["accept", "text/html"]), redirect("no_credential", "/sign-in?callbackURL=%2Fapp")),
  pages("a frame is a page", send("GET", "/app", ["sec-fetch-dest", "iframe"]), redirect("no_credential", "/sign-in?callbackURL=%2Fapp")),
  pages("the head of a page goes to sign in like the page", send("HEAD", "/app", ["accept", "text/html"]), redirect("no_credential", "/sign-in?callbackURL=%2Fapp")),
  pages("a form goes to sign in by GET, without a way back", send("POST", "/app", ["accept", "text/html"], ["sec-fetch-mode", "navigate"], ["origin", "https://app.example.com"]), redirect("no_credential", "/sign-in", 303)),
  pages("the way back is one value of one parameter", page("/app?next=//evil.example&a=b%26c"), redirect("no_credential", "/sign-in?callbackURL=%2Fapp%3Fnext%3D%2F%2Fevil.example%26a%3Db%2526c")),
  pages("the way back is a path of this site, whatever it looks like", page("/@evil.example/:80"), redirect("no_credential", "/sign-in?callbackURL=%2F%40evil.example%2F%3A80")),
  pages("the way back is written in one way", page("/caf%c3%a9/%61"), redirect("no_credential", "/sign-in?callbackURL=%2Fcaf%25C3%25A9%2Fa")),
  pages("a way back that is too long is left out", page(`/app?${"a".repeat(3000)}`), redirect("no_credential", "/sign-in")),
  pages("the root can be come back to", page("/"), redirect("no_credential", "/sign-in?callbackURL=%2F")),
  pages("the method of a page does not make it less of one", send("DELETE", "/app", ["sec-fetch-mode", "navigate"]), redirect("no_credential", "/sign-in", 303)),
  vector("the way back goes by its configured name", "parameter", page("/app"), redirect("no_credential", "/account/sign-in?next=%2Fapp")),

  pages("a payload is refused, not redirected", send("GET", "/app?_rsc=1", ["rsc", "1"], ["accept", "*/*"]), reject("no_credential"), problem),
  pages("a payload is refused even where it says that it is a page", page("/app", ["RSC", "1"]), reject("no_credential"), problem),
  pages("a prefetch of the router is refused, not redirected", page("/app", ["next-router-prefetch", "1"], ["rsc", "1"]), reject("no_credential"), problem),
  pages("a prefetch of the browser is refused, not redirected", page("/app", ["sec-purpose", "prefetch;prerender"]), reject("no_credential"), problem),
  pages("a prefetch by the older name is refused, not redirected", page("/app", ["purpose", "prefetch"]), reject("no_credential"), problem),
  pages("a server action is sent to sign in by what its client reads", send("POST", "/app", ["next-action", "7f00"], ["accept", "text/x-component"], ["origin", "https://app.example.com"]), { redirect: { status: 303, reason: "no_credential" } }, { headers: { ...noStore, "x-action-redirect": "./../../sign-in?callbackURL=%2Fapp;push" } }),
  pages("a script's request is refused", api("/app"), reject("no_credential"), problem),
  pages("a script's request is one whatever it accepts", send("GET", "/app", ["sec-fetch-mode", "cors"], ["accept", "text/html"]), reject("no_credential"), problem),
  pages("a request that says nothing is no page", send("GET", "/app"), reject("no_credential"), problem),
  pages("a WebSocket is refused", send("GET", "/app", ["connection", "Upgrade"], ["upgrade", "websocket"], ["accept", "text/html"]), reject("no_credential"), problem),
  pages("a WebSocket with a session goes on", send("GET", "/app", ["connection", "Upgrade"], ["upgrade", "WebSocket"], session), forward(ada())),
  pages("the head of a script's request is refused without a body", send("HEAD", "/app", ["accept", "application/json"]), reject("no_credential"), { ...problem, body: "" }),

  pages("a preflight is forwarded anonymously", send("OPTIONS", "/app", ["origin", "https://other.example"], ["access-control-request-method", "PUT"]), forward()),
  pages("a preflight is forwarded anonymously, even with a session", send("OPTIONS", "/app", ["origin", "https://other.example"], ["access-control-request-method", "PUT"], session), forward()),
  pages("OPTIONS without a method to ask for is no preflight", send("OPTIONS", "/app", ["origin", "https://other.example"]), reject("no_credential"), problem),
  pages("OPTIONS without an origin is no preflight", send("OPTIONS", "/app", ["access-control-request-method", "PUT"]), reject("no_credential"), problem),
  pages("nothing else is a preflight by calling itself one", send("GET", "/app", ["origin", "https://other.example"], ["access-control-request-method", "PUT"]), reject("no_credential"), problem),
  pages("POST is no preflight by calling itself one", send("POST", "/app", ["origin", "https://other.example"], ["access-control-request-method", "PUT"]), reject("no_credential"), problem),

  vector("a page with an expired token goes to sign in", "token", page("/app", cookies({ token: expired })), redirect("token_expired", "/sign-in?callbackURL=%2Fapp")),
  vector("a script with an expired token is told so", "token", api("/app", bearer(expired)), reject("token_expired"), {
    also: { headers: { ...noStore, "content-type": "application/problem+json", "www-authenticate": invalid("The token has expired") } },
  }),
  vector("a challenge has no quotation marks of its own", "token", api("/app", bearer(await jwt("EdDSA", "ed", claims({ aud: "x" }), { kid: "ed" }))), reject("audience_mismatch"), {
    also: { headers: { "www-authenticate": invalid("The token is for another audience ('aud')") } },
  }),
  vector("without a sign-in page, a page is refused by a page", "bare", page("/app"), reject("no_credential"), { also: html }),
  vector("the head of a refused page has no body", "bare", send("HEAD", "/app", ["accept", "text/html"]), reject("no_credential"), { also: { ...html, body: "" } }),
  vector("a sign-in page that asks for a session ends in a page, not a loop", "loop", page("/sign-in"), reject("redirect_loop"), { also: html }),
  vector("a loop is seen with a slash at the end", "loop", page("/sign-in/"), reject("redirect_loop"), { also: html }),
  vector("a loop is seen with a query", "loop", page("/sign-in?callbackURL=%2Fapp"), reject("redirect_loop"), { also: html }),
  vector("a loop is seen with an expired token", "loop", page("/sign-in", cookies({ token: expired })), reject("redirect_loop"), { also: html }),
  vector("the sign-in page opens to a good token", "loop", page("/sign-in", cookies({ token: good })), forward(told())),
  vector("a script at the sign-in page is told what is missing", "loop", api("/sign-in"), reject("no_credential"), { also: problem }),
  vector("an outage is a page that says when to come back, not a way to sign in", "keys", page("/app", bearer(good)), reject("keys_unavailable"), {
    effects: ["keys"],
    also: { headers: { ...noStore, "content-type": "text/html; charset=utf-8", "retry-after": "5" } },
  }),
  vector("an outage is told to a script with when to come back", "keys", api("/app", bearer(good)), reject("keys_unavailable"), {
    effects: ["keys"],
    also: { headers: { ...noStore, "content-type": "application/problem+json", "retry-after": "5" } },
  }),
  vector("a preflight passes in an outage", "keys", send("OPTIONS", "/app", ["origin", "https://other.example"], ["access-control-request-method", "PUT"], bearer(good)), forward()),

  vector("the debug header says who goes on", "debug", api("/app", bearer(good)), forward(told(), { response_headers: [["doorward-decision", "forward; issuer=issuer.example; source=jwt"]] })),
  vector("the debug header says that the request is anonymous", "debug", api("/about"), forward({}, { response_headers: [["doorward-decision", "forward; anonymous"]] })),
  vector("the debug header says why not", "debug", api("/app", bearer(expired)), reject("token_expired"), { also: { headers: { "doorward-decision": "reject; reason=token_expired" } } }),
  vector("the debug header says why elsewhere", "debug", page("/app"), redirect("no_credential", "/sign-in?callbackURL=%2Fapp"), { also: { headers: { "doorward-decision": "redirect; reason=no_credential" } } }),
];
