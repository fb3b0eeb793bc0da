// Who has caused a lookup failure (docs/sessions.md): older knowledge stands, and `on_unavailable: "anonymous"` forwards a request
// anonymously, only where the other side has failed. What the gate did not ask, and what the caller can cause, is a refusal.

import { ENV, NOW, OTHER_TOKEN, SECRET, SITE, ada, api, bearer, betterAuth, claims, foreign, forward, jwtIssuer, keysAnswer, nullAnswer, policy, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { forged, publicJwk, signedCookie } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const rsa = publicJwk("rsa", { kid: "rsa" });
const lenient = (members = {}) => [{ path: "/optional", access: "optional", on_unavailable: "anonymous", ...members }, { path: "/**", access: "required", on_unavailable: "anonymous", ...members }];

export const policies = {
  // Of 4 requests a second one is for unverified credentials.
  scarce: betterAuth({ stale_if_error_seconds: 600 }, { auth_requests_per_second: 4, rules: [{ path: "/fresh", access: "required", max_staleness_seconds: 0 }, ...lenient()] }),
  stale: betterAuth({ stale_if_error_seconds: 600 }),
  lenient: betterAuth({}, { rules: lenient() }),
  keys: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }, { rules: lenient() }),
  checked: jwtIssuer({ jwks: { keys: [rsa] } }, { rules: lenient() }),
  both: policy({ issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null }, foreign({ jwks: undefined, jwks_url: "https://issuer.example/jwks" })], rules: lenient() }, ENV),
  bridged: betterAuth({ jwks_url: undefined }, { rules: [{ path: "/**", access: "required", on_unavailable: "anonymous", token_exchange: true }] }),
};

const effects = ["session"];
const cookie = sessionCookies();
const other = (number) => sessionCookies(undefined, signedCookie(OTHER_TOKEN.slice(0, -2) + String(number).padStart(2, "0"), SECRET));
const answered = (status, body = "") => ({ of: "session", status, headers: [], body });
const unavailable = reject("session_unavailable");
const log = (decision, reason, failure) => ({ also: { log: { decision, reason, lookup_failure: failure } } });
// The auth service is not told whose request it is: then it counts all as one client's.
const anywhere = (head) => ({ ...head, client_address: undefined });

/** Every code of the log: what stands for the session then, and what becomes of a request under a required rule. */
const WORDS = [
  ["no-response", { of: "session", failed: true }, true],
  ["redirect", answered(302), true],
  ["server-error", answered(500), true],
  ["unexpected-status", answered(404), true],
  ["unexpected-status", answered(204), true],
  ["unexpected-body", answered(200, "<!doctype html>"), true],
  ["other-session", { ...sessionAnswer({ session: { token: OTHER_TOKEN } }) }, true],
  // About this caller: too much of one's own, too often by oneself.
  ["too-large", { of: "session", too_large: true }, false],
  ["headers-too-large", { of: "session", headers_too_large: true }, false],
  ["rate-limited", answered(429), false],
  ["unauthorized", answered(401), false],
  ["unexpected-status", answered(403), false],
  ["unexpected-status", answered(431), false],
  ["expired", sessionAnswer({ session: { expiresAt: new Date(NOW - 1).toISOString() } }), false],
];

const byWords = WORDS.flatMap(([failure, result, isTheirs]) => {
  const status = result.status === undefined || result.status === 200 ? "" : ` (${result.status})`;
  const first = `${failure}${status}: the session lives`;
  return [
    vector(first, "stale", api("/app", cookie), forward(ada("auth-service")), { effects, results: [sessionAnswer()] }),
    vector(`${failure}${status}: ${isTheirs ? "older knowledge stands" : "older knowledge does not stand"}`, "stale", api("/app", cookie), isTheirs ? forward(ada("auth-service")) : unavailable, {
      after: first, now: NOW + 30_000, effects, results: [result], ...log(isTheirs ? "stale-if-error" : "reject", "session_unavailable", failure),
    }),
    vector(`${failure}${status}: ${isTheirs ? "it is forwarded anonymously" : "it is refused"}`, "lenient", api("/app", cookie), isTheirs ? forward() : unavailable, { effects, results: [result], ...log(isTheirs ? "anonymous" : "reject", "session_unavailable", failure) }),
    vector(`${failure}${status}: under an optional rule it is forwarded anonymously`, "lenient", api("/optional", cookie), forward(), { effects, results: [result], ...log("anonymous", "session_unavailable", failure) }),
  ];
});

/** A flood of signed cookies that the auth service does not know: one is asked about, and none of the others is forwarded anonymously. */
const flood = Array.from({ length: 6 }, (_, number) =>
  vector(`a flood of unknown cookies: ${number + 1}`, "scarce", api("/app", other(number)), number === 0 ? reject("session_ended") : unavailable, {
    after: number === 0 ? undefined : `a flood of unknown cookies: ${number}`,
    ...(number === 0 ? { effects, results: [nullAnswer()] } : log("reject", "session_unavailable", "request-limit")),
  }),
);

/** One account uses up the rate class, and another user's session has been revoked meanwhile: the service is there. */
const hammered = [
  vector("a revoked session, a share that is spent: it lives", "scarce", api("/app", cookie), forward(ada("auth-service")), { effects, results: [sessionAnswer()] }),
  ...Array.from({ length: 6 }, (_, number) =>
    vector(`a revoked session, a rate class that is used up: others ask, ${number + 1}`, "scarce", api("/app", other(number)), number === 0 ? reject("session_ended") : unavailable, {
      after: number === 0 ? "a revoked session, a share that is spent: it lives" : `a revoked session, a rate class that is used up: others ask, ${number}`,
      now: NOW + 30_000,
      ...(number === 0 ? { effects, results: [nullAnswer()] } : {}),
    }),
  ),
];

const unknown = bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "nobody-has-it" }, claims()));
const forgedKnown = bearer(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed" }, claims()));
const rs = (alg) => bearer(forged(alg, "rsa", { alg, kid: "rsa" }, claims()));
const keysDown = { of: "keys", status: 503, headers: [], body: "" };
const token = (status) => ({ of: "token", status, headers: [], body: "" });

export const cases = [
  ...byWords,
  vector("a limit for all clients together is caused by the auth service: the session is active", "stale", anywhere(api("/app", cookie)), forward(ada("auth-service")), { effects, results: [sessionAnswer()] }),
  vector("a limit for all clients together is caused by the auth service", "stale", anywhere(api("/app", cookie)), forward(ada("auth-service")), { after: "a limit for all clients together is caused by the auth service: the session is active", now: NOW + 30_000, effects, results: [answered(429)], ...log("stale-if-error", "session_unavailable", "rate-limited") }),
  vector("a limit for all clients together: it is forwarded anonymously", "lenient", anywhere(api("/app", cookie)), forward(), { effects, results: [answered(429)], ...log("anonymous", "session_unavailable", "rate-limited") }),
  ...flood,
  vector("under an optional rule, a flood is forwarded anonymously", "scarce", api("/optional", other(7)), forward(), { after: "a flood of unknown cookies: 6", ...log("anonymous", "session_unavailable", "request-limit") }),
  ...hammered,

  vector("keys that are away: it is forwarded anonymously", "keys", api("/", unknown), forward(), { effects: ["keys"], results: [keysDown], ...log("anonymous", "keys_unavailable") }),
  vector("keys are there", "keys", api("/", forgedKnown), reject("signature_invalid"), { effects: ["keys"], results: [keysAnswer([ed])] }),
  vector("keys are away, older ones are there: an unknown key is a choice of the token's", "keys", api("/", unknown), reject("keys_unavailable"), { after: "keys are there", now: NOW + 20_000, effects: ["keys"], results: [keysDown], ...log("reject", "keys_unavailable") }),
  vector("keys are away, older ones are there: again, and no request is made", "keys", api("/", unknown), reject("keys_unavailable"), { after: "keys are away, older ones are there: an unknown key is a choice of the token's", now: NOW + 20_100 }),
  vector("keys are away, older ones are stale: a forged signature", "keys", api("/", forgedKnown), reject("keys_unavailable"), { after: "keys are there", now: NOW + 400_000, effects: ["keys"], results: [keysDown] }),
  vector("keys are away, under an optional rule", "keys", api("/optional", unknown), forward(), { after: "keys are there", now: NOW + 500_000, effects: ["keys"], results: [keysDown] }),
  vector("a platform that fails to check: it is forwarded anonymously", "checked", api("/", rs("RS256")), forward(), { effects: ["check"], results: [{ of: "check", failed: true }], ...log("anonymous", "signature_check_unavailable") }),
  vector("an algorithm that the platform has not is a choice of the token's", "checked", api("/", rs("PS256")), reject("signature_check_unavailable"), { effects: ["check"], results: [{ of: "check", unsupported: true }], ...log("reject", "signature_check_unavailable") }),
  vector("a failure that others have caused is forwarded anonymously before another effect", "both", api("/", cookie, unknown), forward(), { effects: ["keys"], results: [keysDown], ...log("anonymous", "keys_unavailable") }),
  vector("beside a failure that the caller has caused: keys are there", "both", api("/", cookie, forgedKnown), reject("signature_invalid"), { effects: ["keys"], results: [keysAnswer([ed])] }),
  vector("a failure that the caller has caused is not excused by another", "both", api("/", cookie, unknown), reject("keys_unavailable"), { after: "beside a failure that the caller has caused: keys are there", now: NOW + 20_000, effects: ["keys"], results: [keysDown] }),

  vector("token exchange: the service is away", "bridged", api("/", cookie), forward(), { effects: ["session", "token"], results: [sessionAnswer(), token(503)], ...log("anonymous", "token_exchange_unavailable", "server-error") }),
  vector("token exchange: a token that is too large is caused by its user", "bridged", api("/", cookie), reject("token_exchange_unavailable"), { effects: ["session", "token"], results: [sessionAnswer(), { of: "token", too_large: true }], ...log("reject", "token_exchange_unavailable", "too-large") }),
  vector("token exchange: a token that does not hold is no lookup failure", "bridged", api("/", cookie), reject("exchanged_token_invalid"), { effects: ["session", "token"], results: [sessionAnswer(), { of: "token", status: 200, headers: [], body: JSON.stringify({ token: "no-token" }) }], ...log("reject", "exchanged_token_invalid") }),
];
