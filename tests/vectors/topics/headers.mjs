// What the origin gets (product, chapter 6): first everything that only the gate may say is removed, by normalised name; then
// the gate says it, in a form that no value can break out of.

import { NOW_S, ada, api, bearer, betterAuth, claims, forward, goodData, jwtIssuer, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, jwt, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const rules = [{ path: "/public", access: "public" }, { path: "/optional", access: "optional" }, { path: "/**", access: "required" }];

export const policies = {
  usual: jwtIssuer({ jwks: { keys } }, { rules }),
  prefix: jwtIssuer({ jwks: { keys } }, { rules, header_prefix: "X-Acme-" }),
  named: jwtIssuer({ jwks: { keys }, name: "Caf\u00e9 \"1\"" }, { rules }),
  session: betterAuth({}, { rules }),
};

const token = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const good = bearer(token);
const spoofed = [
  ["x-doorward-subject", "admin"], ["X-Doorward-Subject", "admin"], ["x_doorward_subject", "admin"], ["X-DOORWARD_EMAIL", "admin@example.com"],
  ["x-doorward_session", "1"], ["x-doorward-", ""], ["x-doorward-anything-else", "1"], ["x_Doorward-assertion", "a.b.c"],
  ["x.doorward.subject", "admin"], ["X~Doorward!Subject", "admin"],
];
const internal = [
  ["x-middleware-subrequest", "middleware:middleware"], ["X-Middleware-Rewrite", "/admin"], ["x_middleware_next", "1"], ["x-middleware-override-headers", "x"],
  ["x-matched-path", "/admin"], ["X-Rewrite-URL", "/admin"], ["x-original-url", "/admin"], ["x_original_url", "/admin"], ["x-invoke-path", "/admin"], ["script_name", "/admin"],
  ["Daphne-Root-Path", "/public"], ["x.original.url", "/admin"],
];
const names = (headers) => headers.map(([name]) => name);
const kept = [["x-doorwar", "1"], ["x-doorwardsubject", "1"], ["doorward-subject", "1"], ["my-x-doorward-subject", "1"], ["x-request-id", "1"], ["x-forwarded-for", "192.0.2.1"], ["x-middlewarex", "1"]];

const of = (members) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members)));
const value = (name, members, set) => vector(name, "usual", api("/", of(members)), forward(told(set)));
const connection = (name, value, removed) => vector(name, "usual", api("/", ["Connection", value], good), forward(told(), { removed }));

export const cases = [
  vector("whatever calls itself ours is removed, in every spelling", "usual", api("/", ...spoofed, good), forward(told(), { removed: names(spoofed) })),
  vector("whatever calls itself ours is removed on a public path", "usual", api("/public", ...spoofed), forward({}, { removed: names(spoofed) })),
  vector("whatever has the gate's prefix is removed from an anonymous request", "usual", api("/optional", ...spoofed), forward({}, { removed: names(spoofed) })),
  vector("whatever calls itself ours is removed from a preflight", "usual", send("OPTIONS", "/", ["origin", "https://other.example"], ["access-control-request-method", "GET"], ...spoofed), forward({}, { removed: names(spoofed) })),
  vector("whatever calls itself ours is no credential", "usual", api("/", ...spoofed), reject("no_credential")),
  vector("a name that comes twice is removed once", "usual", api("/", ["x-doorward-subject", "a"], ["accept", "b"], ["x-doorward-subject", "c"], good), forward(told(), { removed: ["x-doorward-subject"] })),
  vector("internals of frameworks are removed", "usual", api("/", ...internal, good), forward(told(), { removed: names(internal) })),
  vector("internals of frameworks are removed on a public path", "usual", api("/public", ...internal), forward({}, { removed: names(internal) })),
  vector("other headers stay", "usual", api("/", ...kept, good), forward(told())),
  vector("credentials stay for the origin", "usual", api("/", good, ["cookie", "theme=dark"]), forward(told())),
  vector("a prefix of one's own is removed and set", "prefix", api("/", ["x_acme_subject", "admin"], ["X-ACME-subject", "admin"], good), forward(Object.fromEntries(Object.entries(told()).map(([name, value]) => [name.replace("doorward", "acme"), value])), { removed: ["x_acme_subject", "X-ACME-subject"] })),

  connection("Connection that keeps the connection stays", "keep-alive", []),
  connection("Connection that closes the connection stays", "close", []),
  connection("Connection that upgrades stays", "Upgrade, Keep-Alive", []),
  connection("Connection that would drop what we say is removed", "close, x-doorward-subject", ["Connection"]),
  connection("Connection that would drop anything is removed", "cookie", ["Connection"]),

  vector("the session's attributes are forwarded, and not its token", "session", api("/", sessionCookies(goodData())), forward(ada())),
  vector("the session's attributes are forwarded as the auth service says them", "session", api("/", sessionCookies()), forward(ada("auth-service", { "x-doorward-email": "ada@new.example" })), { effects: ["session"], results: [sessionAnswer({ user: { email: "ada@new.example" } })] }),
  vector("an attribute that is not there is not forwarded", "session", api("/", sessionCookies(goodData({ user: { email: undefined }, session: { id: undefined } }))), forward((({ "x-doorward-email": _, "x-doorward-session": __, ...rest }) => rest)(ada()))),
  vector("an attribute of another type is not forwarded", "session", api("/", sessionCookies(goodData({ user: { email: ["a"] }, session: { id: null } }))), forward((({ "x-doorward-email": _, "x-doorward-session": __, ...rest }) => rest)(ada()))),
  vector("a session's name that is a number is told as it is written", "session", api("/", sessionCookies(goodData({ session: { id: 7 } }))), forward(ada("cookie-cache", { "x-doorward-session": "7" }))),
  value("a token's sid and email are told", { sid: "s-1", email: "a@example.com" }, { "x-doorward-session": "s-1", "x-doorward-email": "a@example.com" }),
  value("a token's email of another type is not told", { email: { a: 1 }, sid: null }, {}),
  value("a token's sid that is a number is told as it is written", { sid: 7 }, { "x-doorward-session": "7" }),
  value("an expiry is told in whole seconds", { exp: NOW_S + 600.9 }, { "x-doorward-expires": String(NOW_S + 600) }),

  // Values: visible ASCII stays, everything else and % is percent-encoded UTF-8, so decodeURIComponent gives it back.
  value("a line end cannot begin a header", { sub: "ada\r\nx-admin: 1" }, { "x-doorward-subject": "ada%0D%0Ax-admin:%201" }),
  value("a line feed alone cannot either", { email: "a@b\nc" }, { "x-doorward-email": "a@b%0Ac" }),
  value("a zero cannot end a value", { sub: "ada\u0000" }, { "x-doorward-subject": "ada%00" }),
  value("control characters are escaped", { sub: "\u0001\t\u007f\u0080" }, { "x-doorward-subject": "%01%09%7F%C2%80" }),
  value("spaces are escaped, so that none is lost at an end", { sub: " a b " }, { "x-doorward-subject": "%20a%20b%20" }),
  value("letters outside of ASCII are escaped", { sub: "Zo\u00eb \u{1f600}" }, { "x-doorward-subject": "Zo%C3%AB%20%F0%9F%98%80" }),
  value("line separators are escaped", { sub: "a\u2028b\u2029" }, { "x-doorward-subject": "a%E2%80%A8b%E2%80%A9" }),
  value("a percent sign is escaped, so that it stays one", { sub: "100%41" }, { "x-doorward-subject": "100%2541" }),
  value("visible ASCII stays", { sub: "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~" }, { "x-doorward-subject": "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~" }),
  vector("an issuer's name is a value like another", "named", api("/", good), forward(told({ "x-doorward-issuer": "Caf%C3%A9%20\"1\"" }))),
  vector("odd characters in a session are escaped", "session", api("/", sessionCookies(goodData({ user: { id: "\u00e4\r\n", email: "\u00e4@example.com" }, session: { userId: "\u00e4\r\n" } }))), forward(ada("cookie-cache", { "x-doorward-subject": "%C3%A4%0D%0A", "x-doorward-email": "%C3%A4@example.com" }))),
];
