// ES512 (RFC 7518, section 3.4): in a file of its own, because some JavaScript runtimes have no P-521.

import { NOW_S, SITE, TOKEN, ada, api, bearer, betterAuth, claims, forward, jwtIssuer, pair, reject, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, jwt, publicJwk, tampered, withPayload, withSignature } from "../mint.mjs";

const keys = [publicJwk("p521", { kid: "ES512", alg: "ES512" }), publicJwk("p521", { kid: "p521" }), publicJwk("p256", { kid: "p256" })];

export const policies = {
  token: jwtIssuer({ jwks: { keys } }),
  cookie: betterAuth({ jwks: { keys } }),
};

const effects = ["check"];
const bad = (name, token, reason, more = { effects }) => vector(name, "token", api("/", bearer(token)), reject(reason), more);
const token = await jwt("ES512", "p521", claims(), { kid: "ES512" });
const cache = (members = {}) =>
  jwt("ES512", "p521", { ...pair(), sid: TOKEN, iat: NOW_S, exp: NOW_S + 300, iss: SITE, aud: "better-auth:session-cache", sub: "ada", ...members }, { kid: "ES512", typ: "better-auth.session-cache+jwt" });

export const cases = [
  vector("ES512: a good token goes on", "token", api("/", bearer(token)), forward(told()), { effects }),
  vector("ES512: a good token goes on by a key that does not say its algorithm", "token", api("/", bearer(await jwt("ES512", "p521", claims(), { kid: "p521" }))), forward(told()), { effects }),
  bad("ES512: other claims under the signature", withPayload(token, claims({ sub: "admin" })), "signature_invalid"),
  bad("ES512: a bit of the signature turned", tampered(token), "signature_invalid"),
  bad("ES512: a signature by another key", await jwt("ES512", "p521b", claims(), { kid: "ES512" }), "signature_invalid"),
  bad("ES512: a signature of zeros", withSignature(token, (bytes) => Buffer.alloc(bytes.length)), "signature_invalid"),
  bad("ES512: a signature cut short", withSignature(token, (bytes) => bytes.subarray(0, -1)), "signature_invalid"),
  bad("ES512: a signature in DER", forged("ES512", "p521", { alg: "ES512", kid: "ES512" }, claims(), { der: true }), "signature_invalid"),
  bad("ES512: by a key of P-256", forged("ES512", "p521", { alg: "ES512", kid: "p256" }, claims()), "key_unsuitable", {}),
  bad("ES512: a check that the platform does not know is an outage, not a bad token", token, "signature_check_unavailable", { effects, results: [{ of: "check", unsupported: true }] }),
  vector("ES512: a session_data of the key set goes on", "cookie", api("/", sessionCookies(await cache())), forward(ada()), { effects }),
  vector("ES512: a session_data of the key set with a bent signature is a miss", "cookie", api("/", sessionCookies(tampered(await cache()))), forward(ada("auth-service")), { effects: ["check", "session"], results: [sessionAnswer()] }),
];
