// Presets (`extends`): what each leaves public, which tokens it takes from its few variables, and what is written over it.

import { ENV, NOW_S, SECRET, SITE, TOKEN, ada, api, bearer, b64u, cookies, forward, goodData, page, policy, redirect, reject, send, vector } from "../cases.mjs";
import { forged, publicJwk, signedCookie } from "../mint.mjs";

const env = { ...ENV, BETTER_AUTH_URL: SITE };
const over = (config) => policy({ extends: "better-auth", ...config }, env);
/** Values of the variables of each preset, its `iss` and its key set. */
const PRESETS = {
  supabase: { env: { SUPABASE_URL: "https://abcdefghijklmnopqrst.supabase.co" }, keys: "https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json" },
  clerk: { env: { CLERK_FRONTEND_API_URL: "https://clerk.example.com", CLERK_AUTHORIZED_PARTIES: "https://app.example.com, https://admin.example.com" }, keys: "https://clerk.example.com/.well-known/jwks.json" },
  auth0: { env: { AUTH0_DOMAIN: "tenant.us.auth0.com", AUTH0_AUDIENCE: "https://api.example.com" }, keys: "https://tenant.us.auth0.com/.well-known/jwks.json" },
  workos: { env: { WORKOS_CLIENT_ID: "client_01HXYZ123456789ABCDEFGHIJ" }, keys: "https://api.workos.com/sso/jwks/client_01HXYZ123456789ABCDEFGHIJ" },
  "cloudflare-access": { env: { CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com", CF_ACCESS_AUD: "32eafc7626e9" }, keys: "https://team.cloudflareaccess.com/cdn-cgi/access/certs" },
  oidc: { env: { OIDC_ISSUER: "https://login.example.com", OIDC_JWKS_URL: "https://login.example.com/keys", OIDC_AUDIENCE: "https://api.example.com" }, keys: "https://login.example.com/keys" },
};

export const policies = {
  "better-auth": over({}),
  over: over({
    rules: [{ path: "/admin/health", access: "public" }],
    require: { "/admin/**": { roles: "admin" }, "/admin/billing/**": { roles: "owner" }, "/blog/drafts/**": {} },
    public: ["/", "/pricing", "/blog/**", "/admin/login"],
    issuers: { cookie_prefix: "shop" },
    sign_in: { path: "/login" },
  }),
  service: over({ require: ["/api/**"], rules: [{ path: "{auth}/**", access: "public" }] }),
  beside: over({ issuers: [{ type: "jwt", name: "machines", issuer: "https://issuer.example", audience: "jobs", jwks: { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] } }, { name: "better-auth", jwks_url: null }] }),
  ...Object.fromEntries(Object.entries(PRESETS).map(([name, { env }]) => [name, policy({ extends: name }, env)])),
  "auth0 by a URL": policy({ extends: "auth0" }, { ...PRESETS.auth0.env, AUTH0_DOMAIN: "https://tenant.us.auth0.com/" }),
  "supabase with a slash": policy({ extends: "supabase" }, { NEXT_PUBLIC_SUPABASE_URL: "https://abcdefghijklmnopqrst.supabase.co/" }),
};

const WEB = [
  "/favicon.ico", "/favicon.svg", "/icon.svg", "/icon.png", "/icon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png", "/apple-icon.png",
  "/manifest.webmanifest", "/manifest.json", "/site.webmanifest", "/robots.txt", "/sitemap.xml", "/_next/static/chunks/a.js",
  "/.well-known/acme-challenge/x7", "/.well-known/openid-configuration", "/.well-known/openid-configuration/api/auth",
  "/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/api/auth", "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp", "/.well-known/doorward",
];
const AUTH_PAGES = [
  "/sign-in", "/sign-up", "/signin", "/signup", "/login", "/register", "/forgot-password", "/forget-password", "/reset-password", "/verify-email",
  "/magic-link", "/two-factor", "/two-factor/otp", "/2fa", "/auth/sign-in", "/auth/sign-up", "/auth/login", "/auth/register", "/auth/forgot-password",
  "/auth/reset-password", "/auth/verify-email", "/auth/email-verification", "/auth/email-otp", "/auth/magic-link", "/auth/two-factor",
  "/auth/recover-account", "/auth/callback",
];
const CLOSED = [
  "/", "/dashboard", "/assets/app.css", "/logo.png", "/images/icon.svg", "/.well-known", "/.well-known/security.txt", "/.well-known/doorward/other",
  "/.well-known/acme-challenge", "/.well-known/acme-challenge/a/b", "/sitemap/1.xml", "/sign-in/other", "/login/admin", "/auth", "/auth/settings",
  "/auth/accept-invitation", "/_next/image", "/api/authentic", "/FAVICON.ICO",
];
const opens = (policyName, what, path) => vector(`${policyName}: ${what} ${path}`, policyName, api(path), forward());
const closes = (policyName, what, path) => vector(`${policyName}: ${what} ${path}`, policyName, api(path), reject("no_credential"));

const iat = NOW_S - 30;
const times = { iat, exp: iat + 300 };
const key = publicJwk("rsa", { kid: "k1", alg: "RS256", use: "sig" });
function preset(name, sample, { policyName = name, header = { typ: "JWT" }, places = bearer } = {}) {
  const { keys } = PRESETS[name];
  const token = (claims, more) => forged("RS256", "rsa", { alg: "RS256", kid: "k1", ...header, ...more }, { ...times, ...sample, ...claims });
  const results = [{ of: "keys", status: 200, headers: [], body: JSON.stringify({ keys: [key] }), url: keys }];
  const told = (claims, subject) => ({
    "x-doorward-subject": subject ?? claims.sub ?? sample.sub, "x-doorward-issuer": name, "x-doorward-expires": String(times.exp), "x-doorward-source": "jwt",
    ...(sample.sid && { "x-doorward-session": sample.sid }), ...(sample.email && { "x-doorward-email": sample.email }),
  });
  return {
    good: (what, claims = {}, { at = places, more = {}, subject } = {}) =>
      vector(`${policyName}: ${what}`, policyName, api("/notes", at(token(claims, more))), forward(told(claims, subject)), { results, effects: ["keys", "check"] }),
    bad: (what, claims, reason, { at = places, more = {} } = {}) =>
      vector(`${policyName}: ${what}`, policyName, api("/notes", at(token(claims, more))), reject(reason), reason === "issuer_unknown" || reason === "no_credential" ? {} : { results, effects: ["keys", "check"] }),
    anonymous: (path = "/notes") => closes(policyName, "without a token", path),
  };
}

const supabaseSample = { iss: "https://abcdefghijklmnopqrst.supabase.co/auth/v1", sub: "94db8a4d", aud: "authenticated", role: "authenticated", email: "ada@example.com" };
const supabase = preset("supabase", supabaseSample);
const supabaseSlash = preset("supabase", supabaseSample, { policyName: "supabase with a slash" });
const inCookie = (name) => (access_token) => cookies({ [name]: `base64-${b64u(JSON.stringify({ access_token, refresh_token: "r" }))}` });
const clerk = preset("clerk", { iss: "https://clerk.example.com", azp: "https://app.example.com", sid: "sess_1", sub: "user_1", nbf: iat });
const auth0Sample = { iss: "https://tenant.us.auth0.com/", sub: "auth0|1", aud: ["https://api.example.com", "https://tenant.us.auth0.com/userinfo"], azp: "web" };
const auth0 = preset("auth0", auth0Sample);
const auth0Url = preset("auth0", auth0Sample, { policyName: "auth0 by a URL" });
const CLIENT = PRESETS.workos.env.WORKOS_CLIENT_ID;
const workos = preset("workos", { iss: `https://api.workos.com/user_management/${CLIENT}`, client_id: CLIENT, sub: "user_1", sid: "session_1" }, { header: {} });
const access = preset("cloudflare-access", { iss: "https://team.cloudflareaccess.com", aud: ["32eafc7626e9"], type: "app", sub: "7335d417", email: "user@example.com" }, { places: (token) => ["cf-access-jwt-assertion", token] });
const oidc = preset("oidc", { iss: "https://login.example.com", aud: "https://api.example.com", sub: "u1" });

const shop = (role) => cookies({ "__Secure-shop.session_token": signedCookie(TOKEN, SECRET), "__Secure-shop.session_data": goodData({ user: { role } }) });
const machine = forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, { iss: "https://issuer.example", aud: "jobs", sub: "job-1", iat, exp: iat + 300 });

export const cases = [
  ...WEB.map((path) => opens("better-auth", "everybody fetches", path)),
  ...AUTH_PAGES.map((path) => opens("better-auth", "people sign in at", path)),
  ...CLOSED.map((path) => closes("better-auth", "not public:", path)),
  vector("better-auth: the auth service is public", "better-auth", send("POST", "/api/auth/sign-in/email"), forward()),
  vector("better-auth: a page is sent to sign in", "better-auth", page("/dashboard"), redirect("no_credential", "/sign-in?callbackURL=%2Fdashboard")),
  vector("better-auth: a session", "better-auth", api("/dashboard", cookies({ "__Secure-better-auth.session_token": signedCookie(TOKEN, SECRET), "__Secure-better-auth.session_data": goodData() })), forward(ada())),

  ...["/", "/pricing", "/blog", "/blog/a/b"].map((path) => opens("over", "public over the preset:", path)),
  ...["/favicon.ico", "/sign-up"].map((path) => opens("over", "public by the preset:", path)),
  closes("over", "what is required beats what is public:", "/blog/drafts/x"),
  closes("over", "what is required beats what is public:", "/admin/login"),
  opens("over", "a rule beats what is required:", "/admin/health"),
  closes("over", "the preset's last rule:", "/pricing/x"),
  vector("over: a page is sent to its own sign-in page", "over", page("/dashboard"), redirect("no_credential", "/login?callbackURL=%2Fdashboard")),
  vector("over: a member of the preset's issuer is another", "over", api("/dashboard", shop("user")), forward(ada())),
  vector("over: a role that is required", "over", api("/admin/x", shop("admin")), forward(ada())),
  vector("over: the narrower of two that are required", "over", api("/admin/billing/x", shop("owner")), forward(ada())),

  vector("service: what is required for an API does not close a service that a rule leaves open", "service", send("POST", "/api/auth/sign-in/email"), forward()),
  closes("service", "the API:", "/api/notes"),

  vector("beside: an issuer of one's own", "beside", api("/notes", bearer(machine)), forward({ "x-doorward-subject": "job-1", "x-doorward-issuer": "machines", "x-doorward-expires": String(iat + 300), "x-doorward-source": "jwt" })),
  vector("beside: the preset's issuer", "beside", api("/notes", cookies({ "__Secure-better-auth.session_token": signedCookie(TOKEN, SECRET), "__Secure-better-auth.session_data": goodData() })), forward(ada())),

  supabase.good("an access token"),
  supabase.good("in the cookie that Supabase names after the project", {}, { at: inCookie("sb-abcdefghijklmnopqrst-auth-token") }),
  supabase.bad("in another project's cookie", {}, "no_credential", { at: inCookie("sb-zzzz-auth-token") }),
  supabase.bad("a user's OAuth client", { client_id: "1f2e3d4c" }, "authorized_party_mismatch"),
  supabase.bad("of another project", { iss: "https://zzzz.supabase.co/auth/v1" }, "issuer_unknown"),
  supabase.bad("the anon key's audience", { aud: "anon" }, "audience_mismatch"),
  supabaseSlash.good("an access token"),
  opens("supabase", "people sign in at", "/auth/confirm"),
  supabase.anonymous(),

  clerk.good("a session token"),
  clerk.good("in the cookie", {}, { at: (token) => cookies({ __session: token }) }),
  clerk.good("of the other origin", { azp: "https://admin.example.com" }),
  clerk.bad("a page's of another origin", { azp: "https://evil.example.com" }, "authorized_party_mismatch"),
  clerk.bad("a native app's, unless that is said", { azp: undefined }, "claim_missing"),
  clerk.bad("a template's", { sid: undefined }, "claim_missing"),
  clerk.bad("of another instance", { iss: "https://clerk.other.com" }, "issuer_unknown"),
  opens("clerk", "people sign in at", "/sign-in/factor-one"),
  clerk.anonymous(),

  auth0.good("an access token"),
  auth0.good("of the profile of RFC 9068", {}, { more: { typ: "at+jwt" } }),
  auth0.bad("an ID token", { aud: "web" }, "audience_mismatch"),
  auth0.bad("another tenant's", { iss: "https://other.us.auth0.com/" }, "issuer_unknown"),
  auth0Url.good("an access token"),
  auth0.anonymous(),

  workos.good("an access token"),
  workos.bad("that names another client", { client_id: "client_other" }, "authorized_party_mismatch"),
  workos.bad("of another environment", { iss: "https://api.workos.com/user_management/client_other" }, "issuer_unknown"),
  workos.bad("without a session", { sid: undefined }, "claim_missing"),
  workos.anonymous(),

  access.good("a person's"),
  access.good("a person's in the cookie", {}, { at: (token) => cookies({ CF_Authorization: token }) }),
  access.bad("for another application", { aud: ["0000"] }, "audience_mismatch"),
  access.bad("of the team's own session", { type: "org" }, "forbidden"),
  access.bad("of another team", { iss: "https://other.cloudflareaccess.com" }, "issuer_unknown"),
  access.anonymous("/favicon.ico"),

  oidc.good("an access token"),
  oidc.bad("for another API", { aud: "other" }, "audience_mismatch"),
  oidc.bad("of another issuer", { iss: "https://login.example.com/" }, "issuer_unknown"),
  oidc.anonymous(),
];
