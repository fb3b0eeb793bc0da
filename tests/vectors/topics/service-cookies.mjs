// `credential: "remove"` and an `upstream`: none of the auth service's own cookies reaches the origin, whichever plugin sets it
// (better-auth 1.7.25). Every signed cookie has one key and a signature that says nothing of the name: whoever sees one could send it
// as another.

import { ENV, OTHER_TOKEN, SECRET, SESSION_DATA, SESSION_TOKEN, SITE, TOKEN, ada, api, betterAuth, forward, goodData, policy, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { signedCookie } from "../mint.mjs";

const rules = [
  { path: "/kept", access: "required" },
  { path: "/public", access: "public", credential: "remove" },
  { path: "/api/**", access: "required", upstream: "https://api.example.com" },
  { path: "/**", access: "required", credential: "remove" },
];

export const policies = {
  usual: betterAuth({}, { rules }),
  custom: betterAuth({ cookie_prefix: "acme", session_token_cookie: "sid", session_data_cookie: "sid.data" }, { rules }),
  plain: betterAuth({ secure_cookies: false }, { rules }),
  replaced: policy({
    issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null }],
    rules: [{ path: "/**", access: "required", credential: "remove" }], sign_in: { path: "/sign-in" },
  }, ENV),
};

const signed = signedCookie(OTHER_TOKEN, SECRET);
const [, session] = sessionCookies(goodData());
const with_ = (...pairs) => ["cookie", [session, ...pairs].join("; ")];
const gone = (name, ...pairs) => vector(name, "usual", api("/", with_(...pairs, "theme=dark")), forward(ada("cookie-cache", { cookie: "theme=dark" }), { removed: ["cookie"] }));
const stays = (name, ...pairs) => vector(name, "usual", api("/", with_(...pairs)), forward(ada("cookie-cache", { cookie: pairs.join("; ") }), { removed: ["cookie"] }));

const multi = `${SESSION_TOKEN}_multi-${OTHER_TOKEN.toLowerCase()}`;
const logical = [
  "account_data", "account_data.0", "account_data.1", "admin_session", "two_factor", "trust_device", "state", "oauth_state", "oauth_state.1", "oauth_popup",
  "relay_state", "better-auth-passkey", "transfer_token", "electron", "convex_jwt",
];

export const cases = [
  gone("the accounts of the multi-session plugin are removed: each is a whole token", `${multi}=${signed}`),
  gone("several of them", `${multi}=${signed}`, `${SESSION_TOKEN}_multi-abc=${signed}`, `${SESSION_TOKEN}_multi-=${signed}`),
  gone("without `__Secure-` too, as another deployment of the service has set them", `better-auth.session_token_multi-${OTHER_TOKEN.toLowerCase()}=${signed}`, `better-auth.session_token=${signed}`, "better-auth.session_data.0=x", `better-auth.dont_remember=${signed}`),
  gone("by the name that the service's helpers read with a dash", `better-auth-session_token=${signed}`, `__Secure-better-auth-session_data=x`),
  gone("with `__Host-` before them", `__Host-better-auth.session_token=${signed}`, `__Host-better-auth.admin_session=${signed}`),
  gone("the confirmation of a logout", `${SESSION_TOKEN}.oauth_logout_confirmation=${signed}`),
  gone("an authorization code and what was asked for it", `oidc_consent_prompt=${signed}`, `oidc_login_prompt=${signed}`),
  ...logical.map((name) => gone(`${name} is removed`, `__Secure-better-auth.${name}=${signed}`)),
  gone("all of them at once", ...logical.map((name) => `__Secure-better-auth.${name}=${signed}`), ...logical.map((name) => `better-auth.${name}=${signed}`), `${multi}=${signed}`),

  stays("which way of signing in was used last tells nothing: scripts read it", "better-auth.last_used_login_method=google"),
  stays("names that begin or end alike stay", "better-auth.states=1", "better-auth.theme=2", "xbetter-auth.state=3", "state=4", "two_factor=5", "better-auth.account_data.x=6", "better-authstate=7", "__Secure-other.session_token=8"),
  stays("a session of another prefix is another service's", "other.session_token_multi-abc=1"),

  vector("to a rule's own upstream none of them goes", "usual", api("/api/notes", with_(`${multi}=${signed}`, `__Secure-better-auth.admin_session=${signed}`, "theme=dark")), forward(ada("cookie-cache", { cookie: "theme=dark" }), { removed: ["cookie"], upstream: "https://api.example.com" })),
  vector("from a public path neither", "usual", api("/public", ["cookie", `${multi}=${signed}; __Secure-better-auth.admin_session=${signed}; a=b`]), forward({ cookie: "a=b" }, { removed: ["cookie"] })),
  vector("on two lines", "usual", api("/public", ["cookie", `${multi}=${signed}`], ["cookie", "a=b"]), forward({ cookie: "a=b" }, { removed: ["cookie", "cookie"] })),
  vector("where the credential is kept, they are too", "usual", api("/kept", with_(`${multi}=${signed}`)), forward(ada(), { removed: [] })),

  vector("names of one's own: the accounts of the multi-session plugin", "custom", api("/public", ["cookie", `__Secure-sid_multi-abc=${signed}; sid_multi-abc=${signed}; __Secure-sid=${signed}; __Secure-sid.data.1=x; a=b`]), forward({ cookie: "a=b" }, { removed: ["cookie"] })),
  vector("names of one's own: the plugins' cookies have the prefix", "custom", api("/public", ["cookie", `__Secure-acme.admin_session=${signed}; acme.two_factor=${signed}; acme.session_token_multi-abc=${signed}; better-auth.state=1`]), forward({ cookie: "better-auth.state=1" }, { removed: ["cookie"] })),
  vector("a service without secure cookies: what was set with them is no less a token", "plain", api("/public", ["cookie", `${SESSION_TOKEN}=${signed}; ${SESSION_DATA}=x; ${multi}=${signed}; a=b`]), forward({ cookie: "a=b" }, { removed: ["cookie"] })),

  vector("the log names what the service wanted to set and never a token", "replaced", api("/", ["cookie", `${SESSION_TOKEN}=${signedCookie(TOKEN, SECRET)}`]), forward(ada("auth-service"), { removed: ["cookie"] }), {
    results: [sessionAnswer({}, [["set-cookie", `${multi}=${signed}; Path=/; HttpOnly`], ["set-cookie", `__Secure-better-auth.admin_session=${signed}; Path=/`]])], effects: ["session"],
    also: { log: { dropped_cookies: [SESSION_TOKEN, "__Secure-better-auth.admin_session"] } },
  }),
];
