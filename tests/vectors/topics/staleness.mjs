// `max_staleness_seconds`: how old the knowledge of a session may be. 0 asks the auth service every time.

import { NOW, NOW_S, ada, api, bearer, betterAuth, claims, forward, goodData, jwtIssuer, keysAnswer, nullAnswer, reject, sessionAnswer, sessionCookies, told, vector, SECRET, TOKEN } from "../cases.mjs";
import { forged, hs256, jwe, publicJwk, signedValue } from "../mint.mjs";
import { pair } from "../cases.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const rule = (path, members) => ({ path, access: "required", ...members });
const rules = [
  rule("/never", { max_staleness_seconds: 0 }),
  rule("/little", { max_staleness_seconds: 5 }),
  rule("/minute", { max_staleness_seconds: 60 }),
  rule("/almost", { max_staleness_seconds: 59 }),
  { path: "/optional", access: "optional", max_staleness_seconds: 0 },
  rule("/**"),
];

export const policies = {
  session: betterAuth({ bearer_tokens: "signed" }, { rules }),
  token: jwtIssuer({ jwks: { keys } }, { rules }),
  fetched: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }, { rules }),
};

const by = (members) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members)));
const session = sessionCookies(goodData()); // written a minute ago
const effects = ["session"];
const asked = { effects, results: [sessionAnswer()] };
const now = ada("auth-service");
const at = (target, expected, more, cookie = session) => (name) => vector(name, "session", api(target, cookie), expected, more);
const token = (name, target, members, expected, more) => vector(name, "token", api(target, by(members)), expected, more);

export const cases = [
  at("/minute", forward(ada()))("a cookie cache of just that age counts"),
  at("/almost", forward(now), asked)("an older one is a cache miss"),
  at("/almost", reject("session_ended"), { effects, results: [nullAnswer()] })("an older one is a cache miss, and the session has ended"),
  at("/almost", reject("session_unavailable"), { effects })("an older one is a cache miss, and it is not known"),
  at("/never", forward(now), asked)("0 asks although the cookie cache is good"),
  at("/never", forward(now), asked, sessionCookies(goodData({ updatedAt: NOW })))("0 asks although the cookie cache is of this moment"),
  at("/optional", forward(now), asked)("0 asks where a credential is optional"),
  at("/almost", forward(now), asked, sessionCookies(goodData({ updatedAt: undefined })))("a cookie cache without a date is as old as can be"),
  at("/almost", forward(now), asked, sessionCookies(goodData({ updatedAt: "soon" })))("a cookie cache with a date of another type too"),
  at("/", forward(ada()), {}, sessionCookies(goodData({ updatedAt: undefined })))("without the requirement its date does not matter"),
  at("/almost", forward(now), asked, sessionCookies(hs256(pair(), NOW_S + 240, SECRET)))("a cookie cache as JWT"),
  at("/minute", forward(ada()), {}, sessionCookies(hs256(pair(), NOW_S + 240, SECRET)))("a cookie cache as JWT that is young enough"),
  at("/almost", forward(now), asked, sessionCookies(await jwe(pair(), NOW_S + 240, SECRET)))("an encrypted cookie cache"),

  at("/", forward(ada()))("a verified cookie under a rule that does not ask: first"),
  at("/almost", forward(now), { ...asked, after: "a verified cookie under a rule that does not ask: first" })("a verified cookie under a rule that does not ask is as old as its cookie"),
  at("/", forward(ada()), { after: "a verified cookie under a rule that does not ask: first" })("it still counts under the rule that does not ask"),

  at("/little", forward(now), asked, sessionCookies())("an answer is remembered: first"),
  at("/little", forward(now), { after: "an answer is remembered: first", now: NOW + 4999 }, sessionCookies())("an answer that is young enough counts"),
  at("/little", forward(now), { ...asked, after: "an answer is remembered: first", now: NOW + 5000 }, sessionCookies())("an answer that is older is asked for again"),
  at("/", forward(now), { after: "an answer is remembered: first", now: NOW + 6000 }, sessionCookies())("other rules take it"),
  at("/never", forward(now), { ...asked, after: "an answer is remembered: first", now: NOW + 6000 }, sessionCookies())("0 asks again, in the same millisecond"),
  at("/never", reject("session_ended"), { effects, results: [nullAnswer()], after: "an answer is remembered: first", now: NOW + 6000 }, sessionCookies())("0 notices at once that a session has ended"),
  at("/", reject("session_ended"), { after: "an answer is remembered: first", now: NOW + 6000 }, sessionCookies())("and then every rule knows it"),
  vector("a token of the bearer plugin is asked about every time: first", "session", api("/never", bearer(signedValue(TOKEN, SECRET))), forward(now), asked),
  vector("a token of the bearer plugin is asked about every time", "session", api("/never", bearer(signedValue(TOKEN, SECRET))), forward(now), { ...asked, after: "a token of the bearer plugin is asked about every time: first" }),

  token("a token of just that age counts", "/minute", {}, forward(told())),
  token("an older token is too old", "/almost", {}, reject("token_too_old")),
  token("an older token is too old although it has been verified: first", "/", {}, forward(told())),
  token("an older token is too old although it has been verified", "/almost", {}, reject("token_too_old"), { after: "an older token is too old although it has been verified: first" }),
  token("a token gets too old: first", "/minute", {}, forward(told())),
  token("a token gets too old", "/minute", {}, reject("token_too_old"), { after: "a token gets too old: first", now: NOW + 1 }),
  token("a token cannot be looked up, so 0 takes none", "/never", { iat: NOW_S }, reject("token_too_old")),
  token("a token without a date is as old as can be", "/minute", { iat: undefined }, reject("token_too_old")),
  token("a bad token is bad before it is old", "/never", { exp: NOW_S - 60 }, reject("token_expired")),
  vector("a token whose keys come late is checked by its own age", "fetched", api("/minute", by({})), forward(told()), { effects: ["keys"], results: [keysAnswer(keys)] }),
];
