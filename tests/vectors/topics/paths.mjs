// Paths and rules (product, chapter 4): one canonical form, first match wins, no match means denied.

import { api, bearer, claims, forward, jwtIssuer, page, reject, redirect, send, told, vector } from "../cases.mjs";
import { jwt } from "../mint.mjs";

const good = bearer(await jwt("EdDSA", "ed", claims(), { kid: "ed" }));

export const policies = {
  site: jwtIssuer({}, {
    rules: [
      { path: ["/", "/about", "/public/**", "/sign-in"], access: "public" },
      { path: "/api/items/:id", methods: ["GET", "HEAD"], access: "public" },
      { path: "/open/*/read", access: "public" },
      { path: "/app/public", access: "public" },
      { path: ["/app/**", "/api/**", "/open/**"], access: "required" },
      { path: "/*/late", access: "public" },
    ],
    sign_in: { path: "/sign-in" },
  }),
  next: jwtIssuer({}, {
    rules: [
      { path: ["/_next/**", "/blog/**"], access: "public" },
      { path: ["/", "/app/**", "/index.rsc"], access: "required" },
      { path: "/**", access: "public" },
    ],
    sign_in: { path: "/sign-in" },
  }),
};

const site = (name, head, expected, more) => vector(name, "site", head, expected, more);
const next = (name, head, expected, more) => vector(name, "next", head, expected, more);

const refused = [
  "//app", "/app//x", "/public/../app", "/public/./x", "/public/..", "/public/%2e%2e/app", "/public/%2E./app", "/.%2e/app",
  "/public%2f..%2fapp", "/public/%2F", "/public/;/app", "/public/..;/app", "/app;jsessionid=1", "/app%3b", "/public\\..\\app",
  "/public/%5c..%5capp", "/app%00", "/app%0d%0ax", "/app%7f", "/public/%252e%252e/app", "/app%25", "/app%", "/app%2", "/app%zz",
  "/public/%ff", "/public/%c0%ae%c0%ae/app", "/public/%ed%a0%80", "/public#/app", "/public/%23", "/public/%3f", "/app x", "/caf\u00e9",
  "http://app.example.com/public", "*", "", "app", "?a", "/public/a?b#c", "/public/a?nxtPslug=app", "/public/a?x=1&nxtIslug=app",
  "/public/a?%6extPslug=app", `/public/${"a".repeat(8192)}`,
];

export const cases = [
  site("a public path needs no credential", api("/about"), forward({}, { target: "/about" })),
  site("a public path needs no credential, not even by a bad token", api("/about", bearer("x.y.z")), forward({}, { target: "/about" })),
  site("a public path tells the origin nothing about a good token", api("/about", good), forward({}, { target: "/about" })),
  site("the root is a path like another", api("/"), forward({}, { target: "/" })),
  site("a path that no rule matches is denied", api("/nowhere"), reject("route_denied")),
  site("a path that no rule matches is denied to a good token too", api("/nowhere", good), reject("route_denied")),
  site("a page that no rule matches is denied, not sent to sign in", page("/nowhere"), reject("route_denied")),
  site("a transport form that no rule matches is denied", api("/nowhere.rsc"), reject("route_denied")),
  site("an open pattern matches its own path", api("/app"), reject("no_credential")),
  site("an open pattern matches its own path with a slash", api("/app/"), reject("no_credential")),
  site("an open pattern matches what is below", api("/app/a/b"), reject("no_credential")),
  site("an open pattern matches no sibling", api("/application"), reject("route_denied")),
  site("a good token opens what is required", api("/app/a/b?c=d", good), forward(told(), { target: "/app/a/b?c=d" })),
  site("paths are compared with regard to case", api("/About"), reject("route_denied")),
  site("the first rule that matches wins, when it is the milder one", api("/app/public"), forward({}, { target: "/app/public" })),
  site("the first rule that matches wins, when it is the stricter one", api("/app/late"), reject("no_credential")),
  site("a named segment is one segment", api("/api/items/7"), forward({}, { target: "/api/items/7" })),
  site("a named segment is not two segments", api("/api/items/7/x"), reject("no_credential")),
  site("a named segment is not none", api("/api/items"), reject("no_credential")),
  site("a star in the middle is one segment", api("/open/x/read"), forward({}, { target: "/open/x/read" })),
  site("a star in the middle is not two segments", api("/open/x/y/read"), reject("no_credential")),
  site("a rule matches the methods that it lists", send("HEAD", "/api/items/7"), forward({}, { target: "/api/items/7" })),
  site("another method goes on to the next rule", send("DELETE", "/api/items/7"), reject("no_credential")),

  site("an escaped letter is that letter", api("/%61bout"), forward({}, { target: "/about" })),
  site("an escaped letter hides nothing that is required", api("/%61pp/x"), reject("no_credential")),
  site("letters outside of ASCII are written in one way", api("/app/caf%c3%a9", good), forward(told(), { target: "/app/caf%C3%A9" })),
  site("brackets are written escaped", api("/public/[slug]"), forward({}, { target: "/public/%5Bslug%5D" })),
  site("a space stays escaped", api("/public/a%20b"), forward({}, { target: "/public/a%20b" })),
  site("a query is carried as it is", api("/public/a?x=%2F..%2F&y=1;2"), forward({}, { target: "/public/a?x=%2F..%2F&y=1;2" })),
  site("an empty query is carried", api("/public/a?"), forward({}, { target: "/public/a?" })),
  site("a slash at the end stays", api("/public/a/"), forward({}, { target: "/public/a/" })),
  site("dots in names are names", api("/public/..a/b../..."), forward({}, { target: "/public/..a/b../..." })),

  ...refused.map((target) =>
    site(`a second reading is refused: ${target.length > 80 ? `${target.length} characters` : JSON.stringify(target)}`, api(target), reject("path_refused")),
  ),
  site("a second reading is refused to a good token too", api("/public/../app", good), reject("path_refused")),
  site("a second reading of a page is no way to sign in", page("//evil.example/app"), reject("path_refused"), {
    also: { headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store" } },
  }),
  site("a preflight has no second reading either", send("OPTIONS", "/public/../app", ["origin", "https://app.example.com"], ["access-control-request-method", "GET"]), reject("path_refused")),

  next("the payload of a page is the page", api("/app/x.rsc"), reject("no_credential")),
  next("the payload of a page, fetched ahead, is the page", api("/app.prefetch.rsc"), reject("no_credential")),
  next("the payload of a page is the page however it is escaped", api("/app%2ersc"), reject("no_credential")),
  next("a segment of a page is the page", api("/app/x.segments/_tree.segment.rsc"), reject("no_credential")),
  next("a deep segment of a page is the page", api("/app/x.segments/app/x/__PAGE__.segment.rsc"), reject("no_credential")),
  next("the data of a page is the page, although /_next is public", api("/_next/data/build-1/app/x.json"), reject("no_credential")),
  next("the data of the root is the root", api("/_next/data/build-1/index.json"), reject("no_credential")),
  next("the payload of the root is the root", api("/index.rsc?_rsc=1"), reject("no_credential")),
  next("assets under /_next stay public", api("/_next/static/chunks/app.js"), forward({}, { target: "/_next/static/chunks/app.js" })),
  next("the payload of a public page is public", api("/blog/a.rsc"), forward({}, { target: "/blog/a.rsc" })),
  next("a good token opens the payload of a page", api("/app/x.rsc?_rsc=1", good), forward(told(), { target: "/app/x.rsc?_rsc=1" })),
  next("a payload is never redirected, whatever it says that it accepts", page("/app/x.rsc"), reject("no_credential"), {
    also: { headers: { "content-type": "application/problem+json" } },
  }),
  next("a page beside a payload's name is a page", page("/app/x.rscx"), redirect("no_credential", "/sign-in?callbackURL=%2Fapp%2Fx.rscx")),
];
