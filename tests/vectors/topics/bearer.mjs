// `Authorization: Bearer` and what may stand in it (product, chapter 2; RFC 6750, section 2.1): tokens of Better Auth's bearer
// plugin, JWTs, and what is neither.

import { NOW, OLD_SECRET, OTHER_TOKEN, SECRET, TOKEN, ada, api, bearer, betterAuth, claims, forward, jwtIssuer, nullAnswer, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { jwt, publicJwk, signedCookie, signedValue } from "../mint.mjs";

const jwks = { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] };
const good = await jwt("EdDSA", "ed", claims(), { kid: "ed" });
const own = await jwt("EdDSA", "ed", claims({ iss: "https://app.example.com", aud: "https://app.example.com", sub: "ada", email: "ada@example.com" }), { kid: "ed" });

export const policies = {
  off: betterAuth({ jwks }),
  signed: betterAuth({ jwks, bearer_tokens: "signed" }),
  any: betterAuth({ jwks, bearer_tokens: "any" }),
  "plugin-only": betterAuth({ bearer_tokens: "signed", token_locations: ["cookie:jwt"] }),
  neither: betterAuth({ token_locations: ["cookie:jwt"] }),
  jwt: jwtIssuer(),
};

const SIGNED = signedValue(TOKEN, SECRET);
const effects = ["session"];
const alive = { effects, results: [sessionAnswer()] };
const refused = (name, policy, headers, reason) => vector(name, policy, api("/app", ...headers), reject(reason));

export const cases = [
  vector("a signed token is asked about", "signed", api("/app", bearer(SIGNED)), forward(ada("auth-service")), alive),
  vector("an escaped signed token is asked about", "signed", api("/app", bearer(encodeURIComponent(SIGNED))), forward(ada("auth-service")), alive),
  vector("a signed token of a session that has ended", "signed", api("/app", bearer(SIGNED)), reject("session_ended"), { effects, results: [nullAnswer()] }),
  vector("a signed token that the auth service does not know", "signed", api("/app", bearer(SIGNED)), reject("session_unavailable"), { effects }),
  vector("an answer about another token does not count", "signed", api("/app", bearer(SIGNED)), reject("session_unavailable"), { effects, results: [sessionAnswer({ session: { token: OTHER_TOKEN } })] }),
  vector("a bare token is asked about where any is taken", "any", api("/app", bearer(TOKEN)), forward(ada("auth-service")), alive),
  vector("a signed token is asked about where any is taken", "any", api("/app", bearer(SIGNED)), forward(ada("auth-service")), alive),
  refused("a signed token must hold where any is taken", "any", [bearer(signedValue(TOKEN, OLD_SECRET))], "signature_invalid"),
  refused("a bare token is malformed where a signed one is wanted", "signed", [bearer(TOKEN)], "credential_malformed"),
  refused("a signed token by another secret is bad, and no request is made", "signed", [bearer(signedValue(TOKEN, OLD_SECRET))], "signature_invalid"),
  refused("a signed token whose signature is cut is malformed", "signed", [bearer(SIGNED.slice(0, -3))], "credential_malformed"),
  refused("a broken escape is malformed", "signed", [bearer(`${SIGNED}%`)], "credential_malformed"),
  refused("where no plugin is configured, a bare token is malformed", "off", [bearer(TOKEN)], "token_malformed"),
  refused("where no plugin is configured, a signed token is malformed", "off", [bearer(SIGNED)], "token_malformed"),
  vector("a JWT of the auth service itself is a JWT", "any", api("/app", bearer(own)), forward(told({ "x-doorward-subject": "ada", "x-doorward-issuer": "better-auth", "x-doorward-email": "ada@example.com" }))),
  vector("bearer answers are remembered by their own credential: first", "any", api("/app", bearer(TOKEN)), forward(ada("auth-service")), alive),
  vector("bearer answers are remembered by their own credential: second", "any", api("/app", bearer(TOKEN)), forward(ada("auth-service")), { after: "bearer answers are remembered by their own credential: first", now: NOW + 5000 }),
  vector("bearer answers are remembered by their own credential: not for the cookie", "any", api("/app", sessionCookies()), reject("session_ended"), { after: "bearer answers are remembered by their own credential: first", now: NOW + 5000, effects, results: [nullAnswer()] }),
  vector("a bare token where any is taken needs no Origin", "any", send("POST", "/app", bearer(TOKEN)), forward(ada("auth-service")), alive),

  vector("the scheme is compared without regard to case", "jwt", api("/app", ["authorization", `bEARER ${good}`]), forward(told())),
  vector("the header is found whatever its case", "jwt", api("/app", ["AUTHORIZATION", `Bearer ${good}`]), forward(told())),
  vector("spaces around the token do not count", "jwt", api("/app", ["authorization", `Bearer   ${good} `]), forward(told())),
  refused("another scheme is not ours", "jwt", [["authorization", `Basic ${good}`]], "no_credential"),
  refused("a scheme that begins like ours is not ours", "jwt", [["authorization", `BearerX ${good}`]], "no_credential"),
  refused("a token without a scheme is not ours", "jwt", [["authorization", good]], "no_credential"),
  refused("a scheme without a token is malformed", "jwt", [["authorization", "Bearer"]], "credential_malformed"),
  refused("a scheme with spaces is malformed", "jwt", [["authorization", "Bearer   "]], "credential_malformed"),
  refused("two headers are malformed", "jwt", [bearer(good), bearer(good)], "credential_malformed"),
  refused("two headers in one are malformed", "jwt", [["authorization", `Bearer ${good}, Bearer ${good}`]], "credential_malformed"),
  refused("two tokens are malformed", "jwt", [bearer(`${good} ${good}`)], "credential_malformed"),
  refused("a control character is malformed", "jwt", [bearer(`${good}\u0007`)], "credential_malformed"),
  refused("a tab for a space is not ours", "jwt", [["authorization", `Bearer\t${good}`]], "no_credential"),
  refused("something with one dot is malformed", "jwt", [bearer("a.b")], "token_malformed"),
  refused("a plain word is malformed", "jwt", [bearer("null")], "token_malformed"),
  refused("a JWT where only the plugin's tokens are expected is malformed", "plugin-only", [bearer(own)], "credential_malformed"),
  refused("a bearer token where none is expected is no credential", "neither", [bearer(own)], "no_credential"),
  vector("a session counts beside a bearer token that is not ours", "neither", api("/app", bearer("x"), sessionCookies(undefined, signedCookie(TOKEN, SECRET))), forward(ada("auth-service")), alive),
  vector("a token in the query is none", "jwt", api(`/app?access_token=${good}`), reject("no_credential")),
];
