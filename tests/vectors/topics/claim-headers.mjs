// `claim_headers`: chosen claims for the origin (product, chapter 6). Texts as every identity header, numbers and flags as they are, lists
// and objects as JSON in base64url; bounded; and no value can end a header or begin another.

import { NOW_S, ada, api, b64u, bearer, betterAuth, claims, forward, goodData, jwtIssuer, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const rules = [
  { path: "/some", access: "required", identity_headers: ["subject", "role"] },
  { path: "/none", access: "required", identity_headers: [] },
  { path: "/optional", access: "optional" },
  { path: "/**", access: "required" },
];
const claim_headers = { role: "role", org: "org.id", plan: "https://example.com/plan" };
const many = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, name]));

export const policies = {
  token: jwtIssuer({ jwks: { keys } }, { rules, claim_headers }),
  many: jwtIssuer({ jwks: { keys } }, { claim_headers: many }),
  prefix: jwtIssuer({ jwks: { keys } }, { rules, claim_headers, header_prefix: "x-acme-" }),
  session: betterAuth({}, { claim_headers: { role: "role", org: "session.activeOrganizationId", agent: "session.userAgent" } }),
};

const by = (members) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members)));
const mapped = (set) => Object.fromEntries(Object.entries(set).map(([name, value]) => [`x-doorward-${name}`, value]));
const value = (name, members, set) => vector(name, "token", api("/", by(members)), forward(told(mapped(set))));
const json = (value) => b64u(JSON.stringify(value));
const longest = (bytes) => "a".repeat(bytes);

export const cases = [
  value("a text is told", { role: "admin" }, { role: "admin" }),
  value("a number is told", { role: 7 }, { role: "7" }),
  value("a negative number and a fraction are told", { role: -7.5 }, { role: "-7.5" }),
  value("a flag is told", { role: true }, { role: "true" }),
  value("a flag that is off is told", { role: false }, { role: "false" }),
  value("null is as good as missing", { role: null }, {}),
  value("what is missing is not told", {}, {}),
  value("an empty text is told as that", { role: "" }, { role: "" }),
  value("a list is JSON in base64url", { role: ["admin", "user"] }, { role: json(["admin", "user"]) }),
  value("an empty list is JSON in base64url", { role: [] }, { role: json([]) }),
  value("an object is JSON in base64url", { role: { name: "admin", of: [1] } }, { role: json({ name: "admin", of: [1] }) }),
  value("letters outside of ASCII in a list", { role: ["Zo\u00eb\r\n"] }, { role: json(["Zo\u00eb\r\n"]) }),
  value("a claim within another", { org: { id: "acme" } }, { org: "acme" }),
  value("a claim whose name has a dot", { "org.id": "acme" }, { org: "acme" }),
  value("a claim whose name is a URL", { "https://example.com/plan": "pro" }, { plan: "pro" }),
  value("a path through something that is no object", { org: "acme" }, {}),
  value("a path through a list", { org: [{ id: "acme" }] }, {}),
  value("several", { role: "admin", org: { id: "acme" } }, { role: "admin", org: "acme" }),
  value("other claims are not told", { role: "admin", secret: "x", permissions: ["y"] }, { role: "admin" }),
  value("a line end cannot begin a header", { role: "a\r\nx-admin: 1" }, { role: "a%0D%0Ax-admin:%201" }),
  value("a line feed alone cannot either", { role: "a\nb" }, { role: "a%0Ab" }),
  value("a zero cannot end a value", { role: "a\u0000b" }, { role: "a%00b" }),
  value("control characters are escaped", { role: "\u0001\u001f\u007f\u0085" }, { role: "%01%1F%7F%C2%85" }),
  value("spaces are escaped", { role: " a b " }, { role: "%20a%20b%20" }),
  value("letters outside of ASCII are escaped", { role: "Zo\u00eb" }, { role: "Zo%C3%AB" }),
  value("a percent sign stays one", { role: "100%" }, { role: "100%25" }),
  value("a comma stays one value", { role: "a,b" }, { role: "a,b" }),
  value("4096 bytes are told", { role: longest(4096) }, { role: longest(4096) }),
  value("4097 bytes are left out, and that is told", { role: longest(4097) }, { omitted: "role" }),
  value("what grows over 4096 bytes by its escapes is left out", { role: "\u00eb".repeat(683) }, { omitted: "role" }),
  value("what is left out takes nothing with it", { role: longest(5000), org: { id: "acme" } }, { org: "acme", omitted: "role" }),
  vector("6144 bytes together are told", "many", api("/", by({ a: longest(4096), b: longest(2048) })), forward(told(mapped({ a: longest(4096), b: longest(2048) })))),
  vector("with more than 6144 bytes together, the later ones are left out", "many", api("/", by({ a: longest(4096), b: longest(2049), c: "x", d: longest(4000) })), forward(told(mapped({ a: longest(4096), c: "x", omitted: "b,d" })))),
  vector("an anonymous request has no claims", "token", api("/optional", ["x-doorward-role", "admin"], ["X_Doorward_Org", "acme"]), forward({}, { removed: ["x-doorward-role", "X_Doorward_Org"] })),
  vector("what a client says of itself is removed, whether there is such a claim or not", "token", api("/", ["x_doorward_role", "admin"], by({})), forward(told(), { removed: ["x_doorward_role"] })),
  vector("a prefix of one's own", "prefix", api("/", by({ role: "admin" })), forward(Object.fromEntries(Object.entries(told(mapped({ role: "admin" }))).map(([name, value]) => [name.replace("doorward", "acme"), value])))),
  vector("a rule tells some", "token", api("/some", by({ role: "admin", org: { id: "acme" } })), forward(mapped({ subject: "user-1", role: "admin" }))),
  vector("a rule tells none", "token", api("/none", by({ role: "admin" })), forward()),
  vector("a claim of a Better Auth user", "session", api("/", sessionCookies(goodData({ user: { role: "admin" } }))), forward(ada("cookie-cache", mapped({ role: "admin", agent: "vectors" })))),
  vector("a claim of a Better Auth session", "session", api("/", sessionCookies(goodData({ session: { activeOrganizationId: "acme" } }))), forward(ada("cookie-cache", mapped({ org: "acme", agent: "vectors" })))),
  vector("a claim that the auth service tells", "session", api("/", sessionCookies()), forward(ada("auth-service", mapped({ role: "owner", agent: "vectors" }))), { effects: ["session"], results: [sessionAnswer({ user: { role: "owner" } })] }),
];
