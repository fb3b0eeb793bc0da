// A request's budget is three seconds, and effects take time: `takes_ms` of a result is how long it took (see README.md).

import { createHash } from "node:crypto";
import { NOW, NOW_S, SECRET, SITE, SESSION_TOKEN, TOKEN, ada, api, bearer, betterAuth, claims, cookies, ENV, forward, goodData, jwtIssuer, keysAnswer, page, policy, reject, sessionAnswer, sessionCookies, told, vector, OLD_SECRET } from "../cases.mjs";
import { jwt, privateJwk, publicJwk, signedCookie } from "../mint.mjs";

const asJwt = { issuer: SITE, audience: SITE };
const own = (members = {}) => claims({ iss: SITE, aud: SITE, sub: "ada", ...members });
const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256", alg: "ES256" });

export const policies = {
  both: betterAuth({ jwks_url: undefined, ...asJwt }),
  lenient: betterAuth({ jwks_url: undefined, ...asJwt }, { rules: [{ path: "/**", access: "required", on_unavailable: "anonymous" }] }),
  keys: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }),
  two: policy(
    {
      issuers: [
        { type: "better-auth", name: "one", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null },
        { type: "better-auth", name: "two", url: "https://two.example.com", secret: { env: "SECOND_SECRET" }, jwks_url: null, cookie_prefix: "two" },
      ],
      rules: [{ path: "/**", access: "required" }],
    },
    { ...ENV, SECOND_SECRET: OLD_SECRET },
  ),
  pages: betterAuth({}, { rules: [{ path: "/errors/**", access: "public" }, { path: "/**", access: "required" }], pages: { 503: "/errors/later" } }),
  signed: policy(
    {
      issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null }],
      rules: [{ path: "/**", access: "required" }],
      assertion: { audience: "billing", keys: [{ env: "KEY" }] },
    },
    { ...ENV, KEY: JSON.stringify(privateJwk("p256", { kid: "es1" })) },
  ),
};

const late = (result, takes_ms) => ({ ...result, takes_ms });
const good = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const es256 = await jwt("ES256", "p256", claims(), { kid: "p256" });
const ownToken = await jwt("EdDSA", "ed", own(), { kid: "ed" });
const bothCookies = cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), "__Secure-two.session_token": signedCookie(TOKEN, OLD_SECRET) });
const brief = { session: { expiresAt: new Date(NOW + 100).toISOString() } };
// A cookie cache that runs out while the platform signs what it says.
const runningOut = sessionCookies(goodData({}, NOW + 100));
const signing = { of: "sign", real: true };
const checking = { of: "check", real: true };
const asserted = (members) => ({
  assertion: {
    header: { alg: "ES256", kid: "es1", typ: "doorward-assertion+jwt" },
    key: publicJwk("p256"),
    claims: {
      iss: "doorward", aud: "billing", iat: NOW_S, exp: NOW_S + 30, htm: "GET", host: "app.example.com", tgt: createHash("sha256").update("/").digest("base64url"),
      sub: "ada", sid: "session-1", email: "ada@example.com", idp: "better-auth", sess_exp: NOW_S + 604_800, ...members,
    },
  },
});

const laterPage = { of: "page", url: "/errors/later?reason=session_unavailable&from=%2Fapp", status: 200, headers: [["content-type", "text/html"]], body: "later" };
const unavailable = (takes_ms) => late({ of: "session", status: 500, headers: [], body: "" }, takes_ms);

export const cases = [
  vector("a page of the application is shown for what is left of the budget", "pages", page("/app", sessionCookies()), reject("session_unavailable"), { effects: ["session", "page"], results: [unavailable(2900), laterPage], also: { body: "later" } }),
  vector("a page of the application is not fetched when the budget is spent", "pages", page("/app", sessionCookies()), reject("session_unavailable"), { effects: ["session"], results: [unavailable(2960)], also: { log: { reason: "session_unavailable", page_failure: "too_late" } } }),
  vector("keys that come within the budget count", "keys", api("/", bearer(good)), forward(told()), { effects: ["keys"], results: [late(keysAnswer([ed]), 2000)] }),
  vector("a token is checked when its keys are there, not when they were asked for", "keys", api("/", bearer(await jwt("EdDSA", "ed", claims({ exp: NOW_S - 4 }), { kid: "ed" }))), reject("token_expired"), { effects: ["keys"], results: [late(keysAnswer([ed]), 1500)] }),
  vector("a token that runs out while its signature is checked is past", "keys", api("/", bearer(await jwt("ES256", "p256", claims({ exp: NOW_S - 4 }), { kid: "p256" }))), reject("token_expired"), { effects: ["keys", "check"], results: [keysAnswer([p256]), late(checking, 1000)] }),
  vector("a token is good in its last millisecond, when its signature has been checked", "keys", api("/", bearer(await jwt("ES256", "p256", claims({ exp: NOW_S - 4 }), { kid: "p256" }))), forward(told({ "x-doorward-expires": String(NOW_S - 4) })), { effects: ["keys", "check"], results: [keysAnswer([p256]), late(checking, 999)] }),
  vector("a token that begins while its signature is checked is good", "keys", api("/", bearer(await jwt("ES256", "p256", claims({ nbf: NOW_S + 6 }), { kid: "p256" }))), forward(told()), { effects: ["keys", "check"], results: [keysAnswer([p256]), late(checking, 1000)] }),
  vector("a session in time after keys goes on", "both", api("/", bearer(ownToken), sessionCookies()), forward(told({ "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth" })), { effects: ["keys", "session"], results: [late(keysAnswer([ed]), 2000), late(sessionAnswer(), 900)] }),
  vector("with no time left, the auth service is not asked", "both", api("/", bearer(ownToken), sessionCookies()), reject("session_unavailable"), { effects: ["keys"], results: [late(keysAnswer([ed]), 2980)] }),
  vector("with no time left, `on_unavailable: anonymous` forwards it anonymously", "lenient", api("/", bearer(ownToken), sessionCookies()), forward(), { effects: ["keys"], results: [late(keysAnswer([ed]), 2980)] }),
  vector("with no time left, no signature is checked", "keys", api("/", bearer(es256)), reject("signature_check_unavailable"), { effects: ["keys"], results: [late(keysAnswer([p256]), 2980)] }),
  vector("a session that ends while another is asked about has expired", "two", api("/", bothCookies), reject("session_expired"), {
    effects: ["session", "session"],
    results: [{ ...sessionAnswer(brief), url: `${SITE}/api/auth/get-session?disableCookieCache=true` }, late({ ...sessionAnswer(), url: "https://two.example.com/api/auth/get-session?disableCookieCache=true" }, 200)],
  }),
  vector("an assertion that is signed in time says what was known", "signed", api("/", runningOut), forward(ada()), { effects: ["sign"], results: [late(signing, 90)], also: asserted({ src: "cookie-cache" }) }),
  vector("what is known of a session when it is signed is what is signed", "signed", api("/", runningOut), forward(ada("auth-service")), { effects: ["sign", "session", "sign"], results: [late(signing, 200), sessionAnswer()], also: asserted({ src: "auth-service" }) }),
  vector("a platform that fails to sign the second time", "signed", api("/", runningOut), reject("assertion_unavailable"), { effects: ["sign", "session", "sign"], results: [late(signing, 200), sessionAnswer(), { of: "sign", failed: true }] }),
  vector("a session that has ended while it was signed has none", "signed", api("/", runningOut), reject("session_ended"), { effects: ["sign", "session"], results: [late(signing, 200), { of: "session", status: 200, body: "null" }] }),
];
