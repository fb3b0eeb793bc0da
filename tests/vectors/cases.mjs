// What the topics have in common: one moment, one person, one site, and short words for requests.

import { b64u, compact, publicJwk, signedCookie } from "./mint.mjs";

/** 2027-01-15T08:00:00.000Z. */
export const NOW = 1_800_000_000_000;
export const NOW_S = NOW / 1000;
export const SITE = "https://app.example.com";
export const SECRET = "4Yk0-current-secret-of-the-vectors-8Rw2";
export const OLD_SECRET = "9Tq7-retired-secret-of-the-vectors-3Lm5";
export const ENV = { BETTER_AUTH_SECRET: SECRET };

/** The session token of Ada's session, and of another. */
export const TOKEN = "Kd83hFq0ZxP5vNw2RtYb7LmCsJ4eGu9A";
export const OTHER_TOKEN = "Zp19sXc4VbN7mQw6ErT2yUiO8aSdF3gH";

/** A policy from its document and the values of its variables. */
export const policy = (config, env = {}) => ({ config, env });

/** A policy with one Better Auth issuer at the site itself. */
export function betterAuth(members = {}, document = {}, env = ENV) {
  const issuer = { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, ...members };
  return policy({ issuers: [issuer], rules: RULES, sign_in: { path: "/sign-in" }, ...document }, env);
}

/** A policy with one foreign issuer. Its keys are inline unless told otherwise. */
export function jwtIssuer(members = {}, document = {}) {
  return policy({ issuers: [foreign(members)], rules: [{ path: "/**", access: "required" }], ...document });
}

export const foreign = (members = {}) => ({
  type: "jwt", issuer: "https://issuer.example", audience: "https://api.example.com", jwks: { keys: KEYS }, ...members,
});

export const RULES = [
  { path: ["{auth}/**", "/sign-in"], access: "public" },
  { path: "/optional/**", access: "optional" },
  { path: "/**", access: "required" },
];

/** The foreign issuer's keys. */
export const KEYS = [publicJwk("ed", { kid: "ed", alg: "EdDSA" }), publicJwk("p256", { kid: "p256" }), publicJwk("rsa", { kid: "rsa" })];

/** Claims that hold. */
export const claims = (members = {}) => ({
  iss: "https://issuer.example", aud: "https://api.example.com", sub: "user-1", iat: NOW_S - 60, exp: NOW_S + 600, ...members,
});

/** What the origin is told about a foreign token with those claims. */
export const told = (members = {}) => ({
  "x-doorward-subject": "user-1", "x-doorward-issuer": "issuer.example", "x-doorward-expires": String(NOW_S + 600),
  "x-doorward-source": "jwt", ...members,
});

const iso = (millis) => new Date(millis).toISOString();

/** Better Auth's pair of session and user. */
export function pair({ session = {}, user = {}, ...members } = {}) {
  return {
    session: {
      expiresAt: iso(NOW + 604_800_000), token: TOKEN, createdAt: iso(NOW - 3_600_000), updatedAt: iso(NOW - 3_600_000),
      ipAddress: "192.0.2.7", userAgent: "vectors", userId: "ada", id: "session-1", ...session,
    },
    user: {
      name: "Ada Lovelace", email: "ada@example.com", emailVerified: true, createdAt: iso(NOW - 9e9),
      updatedAt: iso(NOW - 9e9), id: "ada", ...user,
    },
    updatedAt: NOW - 60_000,
    version: "1",
    ...members,
  };
}

/** The auth service's answer about a pair. */
export const sessionAnswer = (members = {}, headers = []) => {
  const { session, user } = pair(members);
  return { of: "session", status: 200, headers: [["content-type", "application/json"], ...headers], body: JSON.stringify({ session, user }) };
};

export const nullAnswer = (headers = []) => ({ of: "session", status: 200, headers, body: "null" });
export const keysAnswer = (keys, headers = []) => ({ of: "keys", status: 200, headers, body: JSON.stringify({ keys }) });

/** What the origin is told about Ada. */
export const ada = (source = "cookie-cache", members = {}) => ({
  "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth", "x-doorward-session": "session-1",
  "x-doorward-email": "ada@example.com", "x-doorward-expires": String(NOW_S + 604_800), "x-doorward-source": source, ...members,
});

export const cookies = (pairs) => ["cookie", Object.entries(pairs).map(([name, value]) => `${name}=${value}`).join("; ")];
export const SESSION_TOKEN = "__Secure-better-auth.session_token";
export const SESSION_DATA = "__Secure-better-auth.session_data";
/** The pair of cookies of a session. */
export const sessionCookies = (data, token = signedCookie(TOKEN, SECRET)) =>
  cookies(data === undefined ? { [SESSION_TOKEN]: token } : { [SESSION_TOKEN]: token, [SESSION_DATA]: data });
/** A good `session_data`. */
export const goodData = (members = {}, expires = NOW + 240_000) => compact(pair(members), expires, SECRET);

/** What keeps a response with cookies out of every cache (RFC 9213). */
export const PRIVATE = ["", "cdn-", "cloudflare-cdn-", "vercel-cdn-", "netlify-cdn-"]
  .map((whose) => `${whose}cache-control`).concat("surrogate-control").map((name) => [name, "private, no-store"]);

export const bearer = (token) => ["authorization", `Bearer ${token}`];

const request = (method, target, headers, members = {}) => ({ method, target, headers, public_origin: SITE, client_address: "192.0.2.7", ...members });
/** A page that somebody wants to see. */
export const page = (target, ...headers) =>
  request("GET", target, [["accept", "text/html,application/xhtml+xml"], ["sec-fetch-mode", "navigate"], ["sec-fetch-dest", "document"], ...headers]);
/** A script's request. */
export const api = (target, ...headers) => request("GET", target, [["accept", "application/json"], ...headers]);
/** Anything else. */
export const send = (method, target, ...headers) => request(method, target, headers);

/** Is forwarded with an identity (or, with nothing set, anonymously). */
export const forward = (set = {}, members = {}) => ({ forward: { set, removed: [], response_headers: [], ...members } });
export const reject = (reason) => ({ reject: { status: STATUS[reason] ?? 401, reason } });
export const redirect = (reason, location, status = 307) => ({ redirect: { status, reason, location } });

/**
 * One case. `effects` are purposes of the effects before the decision; `also` are further members of `expect` (see README.md).
 * Every case says which effects it costs: none, unless it says otherwise.
 */
export const vector = (name, policyName, head, expected, { results = [], effects = [], after, now = NOW, also = {} } = {}) => ({
  name, policy: policyName, after, now_ms: now, request: head, results, expect: { ...expected, effects, ...also },
});

/** Statuses by reason (product, "Answers"); 401 is not listed. */
const STATUS = {
  path_refused: 400, method_refused: 400, credential_ambiguous: 400, route_denied: 403, cross_site_request: 403, keys_unavailable: 503,
  signature_check_unavailable: 503, session_unavailable: 503, revocation_unavailable: 503, assertion_unavailable: 503, token_exchange_unavailable: 503,
  exchanged_token_invalid: 503, forbidden: 403,
};

export { b64u };
