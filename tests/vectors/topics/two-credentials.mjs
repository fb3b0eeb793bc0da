// Several credentials in one request (product, chapter 2): every one that the rule accepts is checked; any bad one gives its
// reason; all good but naming different people is ambiguous.

import { ENV, NOW_S, OLD_SECRET, SECRET, SESSION_TOKEN, SITE, TOKEN, ada, api, bearer, claims, cookies, foreign, forward, goodData, keysAnswer, nullAnswer, page, policy, reject, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, jwt, publicJwk, signedCookie, signedValue, tampered } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256", alg: "ES256" });
const own = { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks: { keys: [publicJwk("ed2", { kid: "own" })] }, bearer_tokens: "any" };
const rules = [
  { path: "/optional/**", access: "optional" },
  { path: "/better-auth/**", access: "required", issuers: ["better-auth"] },
  { path: "/foreign/**", access: "required", issuers: ["issuer.example"] },
  { path: "/**", access: "required" },
];

export const policies = {
  both: policy({ issuers: [own, foreign({ jwks: { keys: [ed, p256] }, token_locations: ["authorization", "cookie:token", "header:x-token"] })], rules }, ENV),
  fetched: policy({ issuers: [own, foreign({ jwks: undefined, jwks_url: "https://issuer.example/jwks" })], rules }, ENV),
};

const user = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const other = await jwt("EdDSA", "ed", claims({ sub: "user-2" }), { kid: "ed" });
const expired = await jwt("EdDSA", "ed", claims({ exp: NOW_S - 60 }), { kid: "ed" });
const es256 = await jwt("ES256", "p256", claims(), { kid: "p256" });
const anotherEs256 = await jwt("ES256", "p256", claims({ jti: "another" }), { kid: "p256" });
const ownToken = (sub) => jwt("EdDSA", "ed2", claims({ iss: SITE, aud: SITE, sub }), { kid: "own" });
const adasToken = await ownToken("ada");
const bobsToken = await ownToken("bob");
const session = sessionCookies(goodData());
const asked = sessionCookies();
const inCookie = (token) => cookies({ token });
const effects = ["session"];
const adaByToken = told({ "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth" });

const both = (name, headers, expected, more) => vector(name, "both", api("/", ...headers), expected, more);

export const cases = [
  both("a session and a token of the same person: the token tells", [session, bearer(adasToken)], forward(adaByToken)),
  both("a session and a token of different people", [session, bearer(bobsToken)], reject("credential_ambiguous")),
  both("different people are no page to sign in at", [["accept", "text/html"], session, bearer(bobsToken)], reject("credential_ambiguous")),
  both("a session and a token of another issuer with the same subject", [session, bearer(await jwt("EdDSA", "ed", claims({ sub: "ada" }), { kid: "ed" }))], reject("credential_ambiguous")),
  both("a good session beside a bad token", [session, bearer(tampered(adasToken))], reject("signature_invalid")),
  both("a good session beside an expired token", [session, bearer(expired)], reject("token_expired")),
  both("a good session beside something malformed", [session, ["authorization", "Bearer"]], reject("credential_malformed")),
  both("a good session beside a token of an unknown issuer", [session, bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims({ iss: "https://evil.example" })))], reject("issuer_unknown")),
  both("a good session beside a scheme that is not ours", [session, ["authorization", "Basic YWRhOng="]], forward(ada())),
  both("a good token beside a bad session", [sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET)), bearer(user)], reject("signature_invalid")),
  both("a good token beside a session that has ended", [asked, bearer(adasToken)], reject("session_ended"), { effects, results: [nullAnswer()] }),
  both("a good token beside a session that the auth service does not know", [asked, bearer(adasToken)], reject("session_unavailable"), { effects }),
  both("a good token beside a session that lives, of the same person", [asked, bearer(adasToken)], forward(adaByToken), { effects, results: [sessionAnswer()] }),
  both("a good token beside an active session of another user", [asked, bearer(bobsToken)], reject("credential_ambiguous"), { effects, results: [sessionAnswer()] }),
  both("a good token beside an empty session cookie", [cookies({ [SESSION_TOKEN]: "" }), bearer(user)], forward(told())),
  both("a bad token comes before the question about a session", [asked, bearer(expired)], reject("token_expired")),
  both("the same token in two places", [inCookie(user), bearer(user)], forward(told())),
  both("two tokens of different people in two places", [inCookie(user), bearer(other)], reject("credential_ambiguous")),
  both("a good token in one place and a bad one in another", [inCookie(tampered(user)), bearer(user)], reject("signature_invalid")),
  both("a good token in one place and an incomplete one in another", [cookies({ "token.1": "x" }), bearer(user)], reject("cookie_incomplete")),
  both("three places, one of them with another user", [inCookie(user), ["x-token", other], bearer(user)], reject("credential_ambiguous")),
  both("a bearer token and a cookie of one session are asked about each", [asked, bearer(signedValue(TOKEN, SECRET))], forward(ada("auth-service")), { effects: ["session", "session"], results: [sessionAnswer(), sessionAnswer()] }),
  both("a bearer token and a cookie of two people", [asked, bearer(signedValue(TOKEN, SECRET))], reject("credential_ambiguous"), { effects: ["session", "session"], results: [sessionAnswer(), sessionAnswer({ user: { id: "bob" }, session: { userId: "bob" } })] }),
  both("a bearer token that lives beside a cookie whose session has ended", [asked, bearer(signedValue(TOKEN, SECRET))], reject("session_ended"), { effects: ["session", "session"], results: [sessionAnswer(), nullAnswer()] }),
  both("two tokens that the platform checks are checked each", [inCookie(es256), bearer(anotherEs256)], forward(told()), { effects: ["check", "check"] }),
  both("one check that fails is enough for an outage", [inCookie(es256), bearer(anotherEs256)], reject("signature_check_unavailable"), { effects: ["check"], results: [{ of: "check", failed: true }] }),
  both("a bad credential weighs more than an outage", [asked, bearer(es256), inCookie(expired)], reject("token_expired")),

  vector("a rule that accepts one issuer does not look at the other's token", "both", api("/better-auth/x", session, inCookie(other)), forward(ada())),
  vector("a rule that accepts one issuer does not look at the other's session", "both", api("/foreign/x", sessionCookies(undefined, "bad"), bearer(user)), forward(told())),
  vector("a rule that accepts one issuer refuses the other's token", "both", api("/better-auth/x", bearer(user)), reject("issuer_unknown")),
  vector("a rule that accepts one issuer does not take the other's session", "both", api("/foreign/x", session), reject("no_credential")),

  vector("keys first, then the session", "fetched", api("/", asked, bearer(await jwt("EdDSA", "ed", claims({ sub: "ada" }), { kid: "ed" }))), reject("credential_ambiguous"), { effects: ["keys", "session"], results: [sessionAnswer(), keysAnswer([ed])] }),
  vector("a token whose keys cannot be had, beside a good session, is an outage", "fetched", api("/", session, bearer(user)), reject("keys_unavailable"), { effects: ["keys"] }),

  // optional: absent passes anonymously, present and bad fails.
  vector("optional: nothing", "both", api("/optional/x"), forward()),
  vector("optional: nothing, on a page", "both", page("/optional/x"), forward()),
  vector("optional: a good token", "both", api("/optional/x", bearer(user)), forward(told())),
  vector("optional: an expired token", "both", api("/optional/x", bearer(expired)), reject("token_expired")),
  vector("optional: a token of an unknown issuer", "both", api("/optional/x", bearer(forged("EdDSA", "ed", { alg: "EdDSA" }, claims({ iss: "x" })))), reject("issuer_unknown")),
  vector("optional: something malformed", "both", api("/optional/x", bearer("a,b")), reject("credential_malformed")),
  vector("optional: one good and one bad", "both", api("/optional/x", session, bearer(expired)), reject("token_expired")),
  vector("optional: different people", "both", api("/optional/x", session, bearer(user)), reject("credential_ambiguous")),
  vector("optional: a scheme that is not ours is nothing", "both", api("/optional/x", ["authorization", "Digest x"]), forward()),
  vector("optional: a token whose keys cannot be had is not taken for none", "fetched", api("/optional/x", bearer(user)), reject("keys_unavailable"), { effects: ["keys"] }),
  vector("optional: a check that cannot be performed is not taken for no credential", "both", api("/optional/x", bearer(es256)), reject("signature_check_unavailable"), { effects: ["check"], results: [{ of: "check", unsupported: true }] }),
];
