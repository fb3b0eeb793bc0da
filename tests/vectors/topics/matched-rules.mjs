// A target that may stand for several paths (docs/architecture.md, "The canonical form"): each has to match a rule, and every rule
// that matches one has to admit the request, with all its requirements.

import { ENV, NOW_S, SITE, ada, api, bearer, claims, foreign, forward, goodData, jwtIssuer, nullAnswer, page, policy, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const rule = (path, members) => ({ path, access: "required", ...members });
const UNTIL = "2027-01-15";

export const policies = {
  roles: jwtIssuer({ jwks: { keys } }, {
    rules: [
      { path: ["/open/**", "/_next/image"], access: "public" },
      rule("/admin/**", { roles: "admin" }),
      rule("/staff/**", { roles: "staff" }),
      rule("/young/**", { max_session_age_seconds: 60 }),
      { path: "/perhaps/**", access: "optional", roles: "admin" },
      rule("/reported/**", { roles: "admin", mode: "report", report_until: UNTIL }),
      rule("/api/**", { refusal_format: "api" }),
      rule("/**"),
    ],
    sign_in: { path: "/sign-in" },
  }),
  pages: jwtIssuer({ jwks: { keys } }, {
    rules: [
      { path: "/admin.css", access: "public" },
      rule(["/", "/admin", "/reports/**"]),
      rule("/feed", { methods: ["GET"] }),
      rule("/closed/**", { preflight: "refuse" }),
      { path: "/reports.pdf", access: "public" },
      { path: "/**", access: "public" },
    ],
  }),
  sources: policy({
    issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null }, foreign({ jwks: { keys }, token_locations: ["authorization", "cookie:token"] })],
    rules: [
      rule("/session/**", { issuers: "better-auth" }),
      rule("/token/**", { issuers: "issuer.example" }),
      rule("/fresh/**", { max_staleness_seconds: 0 }),
      rule("/lenient/**", { max_staleness_seconds: 0, on_unavailable: "anonymous" }),
      rule("/short/**", { identity_headers: ["subject", "issuer"] }),
      rule("/other/**", { identity_headers: ["subject", "email"] }),
      rule("/bare/**", { credential: "remove" }),
      rule("/**"),
    ],
  }, ENV),
};

const by = (...roles) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ roles })));
const within = (page) => ["next-url", page];
const roles = (name, target, headers, expected) => vector(name, "roles", api(target, ...headers), expected);
const refused = reject("forbidden");
const session = sessionCookies(goodData());
const sources = (name, target, headers, expected, more) => vector(name, "sources", api(target, ...headers), expected, more);
const user = bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims()));
const inCookie = ["cookie", `token=${user[1].slice(7)}`];
const effects = ["session"];
const uncached = { effects, results: [sessionAnswer()] };

const pages = (name, target, expected, ...headers) => vector(name, "pages", api(target, ...headers), expected);
const anonymous = reject("no_credential");
const preflight = [["origin", "https://other.example"], ["access-control-request-method", "GET"]];

export const cases = [
  // Frameworks other than Next.js serve the data of a page under a name of its own.
  ...["/admin", "/admin.data", "/admin.json", "/admin.xml", "/Admin.JSON", "/admin/__data.json", "/admin/_payload.json", "/admin/_.data", "/reports.json", "/reports/a.json", "/_root.data", "/__data.json", "/_payload.json"]
    .map((target) => pages(`the data of a page are the page's: ${target}`, target, anonymous)),
  ...["/admin.css", "/reports.pdf", "/administration.json", "/admins", "/admin/x.json", "/.admin", "/x/admin.json", "/x.data", "/favicon.ico", "/reports.tar.gz"]
    .map((target) => pages(`what is no page's data is not taken for it: ${target}`, target, forward())),

  // HEAD is GET without the content.
  vector("a rule for GET is one for HEAD", "pages", send("HEAD", "/feed"), anonymous),
  vector("a rule for GET is none for POST", "pages", send("POST", "/feed"), forward()),

  // What is no preflight must not pass for one.
  vector("a preflight is forwarded anonymously", "pages", send("OPTIONS", "/admin", ...preflight), forward()),
  vector("a preflight is refused where a rule says so", "pages", send("OPTIONS", "/closed/a", ...preflight), anonymous),
  vector("a preflight with a token is no exception", "pages", send("OPTIONS", "/closed/a", ...preflight, by("admin")), forward(told())),
  vector("a preflight asks for no other protocol", "pages", send("OPTIONS", "/admin", ...preflight, ["upgrade", "websocket"]), anonymous),
  vector("a preflight asks for none at all", "pages", send("OPTIONS", "/admin", ...preflight, ["upgrade", ""]), anonymous),

  // Where frameworks take a path from.
  ...["a:80/admin?x=", "app.example.com/admin", "app.example.com?x", "app.example.com#x", "user@app.example.com", "a\\b", "a b"]
    .map((host) => pages(`a host that is none: ${host}`, "/x", reject("path_refused"), ["Host", host])),
  ...["app.example.com", "app.example.com:8080", "[2001:db8::1]:443", "b\u00fccher.example", ""].slice(0, 3)
    .map((host) => pages(`a host: ${host}`, "/x", forward(), ["host", host])),
  ...["X-Forwarded-Host", "x_forwarded_host", "X-Forwarded-Proto", "X.Forwarded.Port", "X-Forwarded-Server", "X-Forwarded-For", "Forwarded"]
    .map((name) => pages(`a path in ${name} goes no further`, "/x", forward({}, { removed: [name] }), [name, "a:80/admin?x="])),
  pages("what proxies say goes on", "/x", forward(), ["X-Forwarded-Host", "app.example.com, b:8080"], ["X-Forwarded-Proto", "https"], ["Forwarded", "for=\"[2001:db8::1]:4711\";proto=https, for=192.0.2.7"]),
  pages("Astro's own words go no further", "/x", forward({}, { removed: ["x-astro-path", "X_Astro_Locals"] }), ["x-astro-path", "/admin"], ["X_Astro_Locals", "{}"]),
  ...["x_astro_path=/admin", "a=1&x_astro_path=/admin", "%78_astro_path=/admin", "__pathname=/admin", "x_astro_path_token=1"]
    .map((query) => pages(`a query that names another path: ${query}`, `/x?${query}`, reject("path_refused"))),
  pages("a query that begins like it", "/x?x=1&x_a=2&_path=/admin", forward()),
  pages("a page shown in two others", "/x", reject("path_refused"), within("/x"), within("/admin")),

  // The requirements of both rules, whichever of them is found first or last.
  roles("a page shown in another: with both roles", "/admin/x", [within("/staff/x"), by("admin", "staff")], forward(told())),
  roles("a page shown in another: with the role of the page only", "/admin/x", [within("/staff/x"), by("admin")], refused),
  roles("a page shown in another: with the role of the other only", "/admin/x", [within("/staff/x"), by("staff")], refused),
  roles("a page shown in another, the other way round: with both roles", "/staff/x", [within("/admin/x"), by("admin", "staff")], forward(told())),
  roles("a page shown in another, the other way round: with one role", "/staff/x", [within("/admin/x"), by("staff")], refused),
  roles("a page shown in another, the other way round: with the other role", "/staff/x", [within("/admin/x"), by("admin")], refused),
  roles("a page shown in another that asks for no role", "/admin/x", [within("/x"), by("staff")], refused),
  roles("a page that asks for no role, shown in one that does", "/x", [within("/admin/x"), by("staff")], refused),
  roles("a page that asks for no role, shown in one that does, with it", "/x", [within("/admin/x"), by("admin")], forward(told())),
  roles("a public page shown in one that asks for a role", "/open/x", [within("/admin/x"), by("staff")], refused),
  roles("a public page shown in one that asks for a role, with it", "/open/x", [within("/admin/x"), by("admin")], forward(told())),
  roles("a page shown in a public one", "/admin/x", [within("/open/x"), by("staff")], refused),
  roles("data of a page: with its role", "/_next/data/build/admin/x.json", [by("admin")], forward(told())),
  roles("data of a page: without its role", "/_next/data/build/admin/x.json", [by("staff")], refused),
  roles("data of a page: anonymous", "/_next/data/build/admin/x.json", [], reject("no_credential")),
  roles("an image: with its role", "/_next/image?url=%2Fadmin%2Fx.png", [by("admin")], forward(told())),
  roles("an image: without its role", "/_next/image?url=%2Fadmin%2Fx.png", [by("staff")], refused),
  roles("an image, shown in another page: both roles", "/_next/image?url=%2Fadmin%2Fx.png", [within("/staff/x"), by("admin", "staff")], forward(told())),
  roles("an image, shown in another page: the image's role only", "/_next/image?url=%2Fadmin%2Fx.png", [within("/staff/x"), by("admin")], refused),
  roles("an image, shown in another page: that page's role only", "/_next/image?url=%2Fadmin%2Fx.png", [within("/staff/x"), by("staff")], refused),
  roles("a weaker access may ask for more", "/x", [within("/perhaps/x"), by("staff")], refused),
  roles("a weaker access may ask for more, the other way round", "/perhaps/x", [within("/x"), by("staff")], refused),
  roles("a weaker access that admits no request does not admit one under the other rule", "/perhaps/x", [within("/x")], reject("no_credential")),
  roles("both are met", "/perhaps/x", [within("/x"), by("admin")], forward(told())),
  roles("another kind of requirement", "/admin/x", [within("/young/x"), bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ roles: ["admin"], auth_time: NOW_S - 61 })))], refused),
  roles("another kind of requirement, met", "/admin/x", [within("/young/x"), bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ roles: ["admin"], auth_time: NOW_S - 60 })))], forward(told())),
  roles("one rule for both readings asks once", "/admin/x", [within("/admin/y"), by("admin")], forward(told())),
  vector("how a refusal looks is the matter of the strictest access", "roles", page("/open/x", within("/api/x")), reject("no_credential")),
  vector("a preflight passes", "roles", send("OPTIONS", "/admin/x", ["origin", "https://other.example"], ["access-control-request-method", "GET"], within("/staff/x")), forward()),

  // Who only reports does not excuse who does not.
  roles("one rule reports and the other is met", "/reported/x", [within("/x"), by("staff")], forward()),
  roles("one rule reports and the other refuses", "/reported/x", [within("/admin/x"), by("staff")], refused),
  roles("one rule refuses and the other reports", "/admin/x", [within("/reported/x"), by("staff")], refused),
  roles("the one that reports is met", "/reported/x", [within("/admin/x"), by("admin")], forward(told())),
  roles("both are required and one reports", "/reported/x", [within("/x")], reject("no_credential")),
  roles("a public one beside the one that reports", "/open/x", [within("/reported/x"), by("staff")], forward()),

  sources("each rule accepts another issuer: a session alone", "/session/x", [within("/token/x"), session], reject("no_credential")),
  sources("each rule accepts another issuer: a token alone", "/session/x", [within("/token/x"), inCookie], reject("no_credential")),
  sources("each rule accepts another issuer: a token where either's may be", "/session/x", [within("/token/x"), user], reject("issuer_unknown")),
  sources("each rule accepts another issuer: both, for two users", "/session/x", [within("/token/x"), [session[0], `${session[1]}; ${inCookie[1]}`]], reject("credential_ambiguous")),
  sources("one rule accepts all, the other one issuer: that one", "/x", [within("/session/x"), session], forward(ada())),
  sources("one rule accepts all, the other one issuer: another", "/x", [within("/session/x"), user], reject("issuer_unknown")),
  sources("one rule wants to know now", "/x", [within("/fresh/x"), session], forward(ada("auth-service")), uncached),
  sources("one rule wants to know now, the other way round", "/fresh/x", [within("/x"), session], forward(ada("auth-service")), uncached),
  sources("one rule wants to know now, and the session has ended", "/x", [within("/fresh/x"), session], reject("session_ended"), { effects, results: [nullAnswer()] }),
  sources("a lookup failure that one rule admits, where the other has none, is forwarded anonymously", "/x", [within("/lenient/x"), session], forward(), { effects }),
  sources("a lookup failure that one rule admits and the other does not", "/fresh/x", [within("/lenient/x"), session], reject("session_unavailable"), { effects }),
  sources("a lookup failure that both rules admit", "/lenient/x", [within("/lenient/y"), session], forward(), { effects }),

  // The origin gets what all of them let it have.
  sources("headers of one rule", "/short/x", [session], forward({ "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth" })),
  sources("headers that both rules tell", "/short/x", [within("/other/x"), session], forward({ "x-doorward-subject": "ada" })),
  sources("headers where one rule tells all", "/x", [within("/other/x"), session], forward({ "x-doorward-subject": "ada", "x-doorward-email": "ada@example.com" })),
  sources("a credential that one of the rules keeps from the origin", "/x", [within("/bare/x"), session], forward(ada(), { removed: ["cookie"] })),
];
