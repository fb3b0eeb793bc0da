// A credential that has been verified is not verified again while its keys and its dates stand (product, chapter 3): each
// case here goes on with an engine that has seen it. A remembered verdict must never say more than a new one would.

import { ENV, NOW, NOW_S, OTHER_TOKEN, SECRET, SITE, TOKEN, ada, api, bearer, claims, cookies, foreign, forward, goodData, jwtIssuer, keysAnswer, nullAnswer, pair, policy, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { compact, hs256, jwe, jwt, publicJwk, signedCookie, tampered, withPayload } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const ed2 = publicJwk("ed2", { kid: "ed2", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256", alg: "ES256" });
const p256b = publicJwk("p256b", { kid: "p256", alg: "ES256" });
const rules = [{ path: "/public", access: "public" }, { path: "/second/**", access: "required", issuers: ["second"] }, { path: "/**", access: "required" }];

export const policies = {
  inline: jwtIssuer({ jwks: { keys: [p256] }, token_locations: ["authorization", "cookie:token"] }),
  exact: jwtIssuer({ jwks: { keys: [p256] }, clock_tolerance_seconds: 0, max_age_seconds: 100 }),
  url: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }),
  two: policy({ issuers: [foreign({ jwks: { keys: [p256] } }), foreign({ name: "second", issuer: "https://second.example", jwks: { keys: [p256] }, token_locations: ["cookie:second"] })], rules }),
  session: policy({ issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks: { keys: [p256] } }], rules: [{ path: "/**", access: "required" }] }, ENV),
};

const es256 = (members, header = {}) => jwt("ES256", "p256", claims(members), { kid: "p256", ...header });
const token = await es256();
const effects = ["check"];
const at = (millis, after, more = {}) => ({ now: NOW + millis, after, ...more });

/** A case that has a credential verified, and what comes of it afterwards. */
function story(first, policyName, head, expected, more, then) {
  return [
    vector(first, policyName, head, expected, more),
    ...then.map(([name, millis, head, expected, more]) => vector(`${first}; ${name}`, policyName, head, expected, at(millis, first, more))),
  ];
}

const passes = forward(told());
const short = await es256({ exp: NOW_S + 10 });
const young = await es256({ iat: NOW_S, exp: NOW_S + 5000 });
const shortTold = forward(told({ "x-doorward-expires": String(NOW_S + 10) }));
const youngTold = forward(told({ "x-doorward-expires": String(NOW_S + 5000) }));
const edToken = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const ed2Token = await jwt("EdDSA", "ed2", claims(), { kid: "ed2" });
const ownClaims = { iss: SITE, aud: SITE, sub: "ada" };
const own = await es256(ownClaims);
const cacheToken = await es256({ ...pair(), ...ownClaims, sid: TOKEN, aud: "better-auth:session-cache" }, { typ: "better-auth.session-cache+jwt" });
const brief = NOW + 1000;

export const cases = [
  ...story("a token is checked", "inline", api("/", bearer(token)), passes, { effects }, [
    ["not again", 1000, api("/other", bearer(token)), passes],
    ["not again for another method", 1000, send("POST", "/", bearer(token)), passes],
    ["its place still decides whether its origin matters", 1000, send("POST", "/", cookies({ token }), ["origin", "https://evil.example"]), reject("cross_site_request")],
    ["with a bit turned it is another token", 1000, api("/", bearer(tampered(token))), reject("signature_invalid"), { effects }],
    ["its signature is good for no other claims", 1000, api("/", bearer(withPayload(token, claims({ sub: "admin" })))), reject("signature_invalid"), { effects }],
    ["with padding it is malformed", 1000, api("/", bearer(`${token}==`)), reject("token_malformed")],
    ["beside a bad one it is not enough", 1000, api("/", bearer(token), cookies({ token: "x.y.z" })), reject("token_malformed")],
    ["it is still good at the end of the tolerance", 604_999, api("/", bearer(token)), passes],
    ["it is past after that", 605_000, api("/", bearer(token)), reject("token_expired"), { effects }],
  ]),
  ...story("a token that is soon past is checked", "exact", api("/", bearer(short)), shortTold, { effects }, [
    ["good in its last millisecond", 9_999, api("/", bearer(short)), shortTold],
    ["past in the next", 10_000, api("/", bearer(short)), reject("token_expired"), { effects }],
  ]),
  ...story("a token that is soon too old is checked", "exact", api("/", bearer(young)), youngTold, { effects }, [
    ["good at the greatest age", 100_000, api("/", bearer(young)), youngTold],
    ["too old after that", 100_001, api("/", bearer(young)), reject("token_too_old"), { effects }],
  ]),
  ...story("a signature that does not hold is not remembered as one that does", "inline", api("/", bearer(tampered(token))), reject("signature_invalid"), { effects }, [
    ["the second time it does not hold either", 1, api("/", bearer(tampered(token))), reject("signature_invalid"), { effects }],
    ["the true one is checked by itself", 2, api("/", bearer(token)), passes, { effects }],
  ]),
  ...story("a check that could not be performed is not remembered", "inline", api("/", bearer(token)), reject("signature_check_unavailable"), { effects, results: [{ of: "check", failed: true }] }, [
    ["it is performed the next time", 1, api("/", bearer(token)), passes, { effects }],
  ]),

  // Rules and places.
  ...story("a token is good where its issuer is accepted", "two", api("/", bearer(token)), passes, { effects }, [
    ["it is not where another is", 1, api("/second/x", bearer(token)), reject("no_credential")],
    ["it is not in the place of another", 1, api("/", cookies({ second: token })), reject("issuer_unknown")],
    ["it is not in the place of another, where that one is accepted", 1, api("/second/x", cookies({ second: token })), reject("issuer_unknown")],
    ["on a public path it is anonymous", 1, api("/public", bearer(token)), forward()],
  ]),

  // Keys.
  ...story("a token by a fetched key is verified", "url", api("/", bearer(edToken)), passes, { effects: ["keys"], results: [keysAnswer([ed])] }, [
    ["the keys are still fetched after the response", 301_000, api("/", bearer(edToken)), passes, { results: [keysAnswer([ed, ed2])], also: { after: ["keys"] } }],
    ["a second key changes nothing", 302_000, api("/", bearer(edToken)), passes, { also: { after: [] } }],
  ]),
  ...story("a token by a key that is soon withdrawn is verified", "url", api("/", bearer(edToken)), passes, { effects: ["keys"], results: [keysAnswer([ed, ed2])] }, [
    ["another token has the keys fetched", 301_000, api("/", bearer(ed2Token)), passes, { results: [keysAnswer([ed2])], also: { after: ["keys"] } }],
    ["its key is gone, and so is the verdict", 302_000, api("/", bearer(edToken)), reject("key_not_found")],
  ]),
  ...story("a token by a key whose kid is soon another's is checked", "url", api("/", bearer(token)), passes, { effects: ["keys", "check"], results: [keysAnswer([p256])] }, [
    ["the keys are fetched anew", 301_000, api("/", bearer(token)), passes, { results: [keysAnswer([p256b])], also: { after: ["keys"] } }],
    ["it is checked by the new key, and does not hold", 302_000, api("/", bearer(token)), reject("signature_invalid"), { effects }],
  ]),

  // Purposes: what is good as one thing proves nothing as another.
  ...story("an API token of the auth service is checked", "session", api("/", bearer(own)), forward(told({ "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth" })), { effects }, [
    ["it is no session_data", 1, api("/", sessionCookies(own)), reject("session_ended"), { effects: ["check", "session"], results: [nullAnswer()] }],
  ]),
  ...story("a session_data of the key set is checked", "session", api("/", sessionCookies(cacheToken)), forward(ada()), { effects }, [
    ["not again", 1, api("/", sessionCookies(cacheToken)), forward(ada())],
    ["it is no API token", 2, api("/", bearer(cacheToken)), reject("type_mismatch"), { effects }],
  ]),

  // Cookies.
  ...story("a session's cookies are verified", "session", api("/", sessionCookies(goodData())), forward(ada()), {}, [
    ["for another session_token they are not", 1, api("/", sessionCookies(goodData(), signedCookie(OTHER_TOKEN, SECRET))), reject("session_ended"), { effects: ["session"], results: [nullAnswer()] }],
    ["for a session_token that does not hold they are not", 1, api("/", sessionCookies(goodData(), `${TOKEN}.${"A".repeat(43)}%3D`)), reject("signature_invalid")],
    ["without a session_token they are none", 1, api("/", cookies({ "__Secure-better-auth.session_data": goodData() })), reject("no_credential")],
    ["good in the last millisecond", 240_000, api("/", sessionCookies(goodData())), forward(ada())],
    ["past in the next, and the auth service is asked", 240_001, api("/", sessionCookies(goodData())), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()] }],
  ]),
  ...(await Promise.all(
    Object.entries({
      compact: (session) => compact(pair({ session }), NOW + 240_000, SECRET),
      jwt: (session) => hs256(pair({ session }), NOW_S + 240, SECRET),
      jwe: (session) => jwe(pair({ session }), NOW_S + 240, SECRET),
    }).map(async ([strategy, make]) => {
      const data = sessionCookies(await make({ expiresAt: new Date(brief).toISOString() }));
      const soon = forward(ada("cookie-cache", { "x-doorward-expires": String(brief / 1000) }));
      return story(`${strategy}: a session that soon ends is verified`, "session", api("/", data), soon, {}, [
        ["good in its last millisecond", 1000, api("/", data), soon],
        ["ended in the next, although its cookie is fresh", 1001, api("/", data), reject("session_ended"), { effects: ["session"], results: [nullAnswer()] }],
      ]);
    }),
  )).flat(),
  ...story("jwt: a cookie that is soon past is verified", "session", api("/", sessionCookies(hs256(pair(), NOW_S + 10, SECRET))), forward(ada()), {}, [
    ["good in its last millisecond", 9_999, api("/", sessionCookies(hs256(pair(), NOW_S + 10, SECRET))), forward(ada())],
    ["past in the next", 10_000, api("/", sessionCookies(hs256(pair(), NOW_S + 10, SECRET))), reject("session_ended"), { effects: ["session"], results: [nullAnswer()] }],
  ]),
];
