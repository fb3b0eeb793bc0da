// Better Auth's cookies (product, chapter 2; wire format, sections 1 to 5 and 11): `session_token`, and `session_data` in its
// four strategies. `expect.session_data` says why a `session_data` did not count: a reason, never an error to the client.

import { NOW, NOW_S, OLD_SECRET, OTHER_TOKEN, SECRET, SESSION_DATA, SESSION_TOKEN, TOKEN, ada, api, betterAuth, b64u, cookies, forward, goodData, nullAnswer, pair, redirect, page, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact, forged, forgedHmac, hs256, jwe, jwt, publicJwk, signedCookie, signedValue, tampered, withPayload } from "../mint.mjs";

const jwks = { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] };
const rules = [{ path: "/sign-in", access: "public" }, { path: "/**", access: "required" }];
const rotated = { BETTER_AUTH_SECRETS: `2:${SECRET},1:${OLD_SECRET}` };

export const policies = {
  auto: betterAuth({ jwks }),
  off: betterAuth({ jwks, cookie_cache: "off" }),
  compact: betterAuth({ jwks, cookie_cache: "compact" }),
  jwt: betterAuth({ jwks, cookie_cache: "jwt" }),
  jwe: betterAuth({ jwks, cookie_cache: "jwe" }),
  "jwt-jwks": betterAuth({ jwks, cookie_cache: "jwt-jwks" }),
  "no-secret": betterAuth({ jwks, secret: undefined, cookie_cache: "jwt-jwks" }, { rules }, {}),
  "version-2": betterAuth({ cookie_cache_version: "2" }),
  "any-version": betterAuth({ cookie_cache_version: null }),
  rotated: betterAuth({ secret: undefined, secrets: { env: "BETTER_AUTH_SECRETS" } }, {}, rotated),
  legacy: betterAuth({ secrets: { env: "BETTER_AUTH_SECRETS" }, secret: { env: "BETTER_AUTH_SECRET" } }, {}, { BETTER_AUTH_SECRETS: `1:${SECRET}`, BETTER_AUTH_SECRET: OLD_SECRET }),
  plain: betterAuth({ secure_cookies: false }),
  prefix: betterAuth({ cookie_prefix: "acme" }),
  custom: betterAuth({ session_token_cookie: "sid", session_data_cookie: "sdata" }),
};

/** Is forwarded without a request to the auth service. */
const good = (name, policy, cookie, members = {}) =>
  vector(name, policy, api("/app", cookie), forward(ada("cookie-cache", members)), { also: { session_data: "valid" } });

/** `session_data` does not count, so the auth service is asked; it knows the session. */
const miss = (name, policy, cookie, why, { now } = {}) =>
  vector(name, policy, api("/app", cookie), forward(ada("auth-service")), { now, effects: ["session"], results: [sessionAnswer()], also: { session_data: why } });

/** The same where the auth service knows no session. */
const ended = (name, policy, cookie, why = "absent") =>
  vector(name, policy, api("/app", cookie), reject("session_ended"), { effects: ["session"], results: [nullAnswer()], also: { session_data: why } });

const refused = (name, policy, cookie, reason) => vector(name, policy, api("/app", cookie), reject(reason));

/** A token of the key set about the cookie cache, with whatever is different. */
const cacheClaims = (members = {}) => ({ ...pair(), sid: TOKEN, iat: NOW_S - 60, exp: NOW_S + 240, iss: "https://app.example.com", aud: "better-auth:session-cache", sub: "ada", ...members });
const cacheToken = (members = {}, header = {}) => jwt("EdDSA", "ed", cacheClaims(members), { kid: "ed", typ: "better-auth.session-cache+jwt", ...header });

const chunked = (value, size, token = signedCookie(TOKEN, SECRET)) => {
  const parts = value.match(new RegExp(`.{1,${size}}`, "g"));
  return cookies({ [SESSION_TOKEN]: token, ...Object.fromEntries(parts.map((part, number) => [`${SESSION_DATA}.${number}`, part])) });
};

const seconds = NOW_S + 240;
const strategies = {
  compact: (members, key = SECRET) => compact(pair(members), NOW + 240_000, key),
  jwt: (members, key = SECRET) => hs256(pair(members), seconds, key),
  jwe: (members, key = SECRET) => jwe(pair(members), seconds, key),
  "jwt-jwks": (members, key) => (key ? forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed", typ: "better-auth.session-cache+jwt" }, cacheClaims(pair(members))) : cacheToken({ ...pair(members), sid: members?.session?.token ?? TOKEN })),
};
const expiredAt = {
  compact: (millis) => compact(pair(), millis, SECRET),
  jwt: (millis) => hs256(pair(), Math.floor(millis / 1000), SECRET),
  jwe: (millis) => jwe(pair(), Math.floor(millis / 1000), SECRET),
  "jwt-jwks": (millis) => cacheToken({ exp: Math.floor(millis / 1000) }),
};
/** The character in the middle changed for another of the alphabet. */
const bent = (value) => {
  const middle = value.length >> 1;
  return value.slice(0, middle) + (value[middle] === "A" ? "B" : "A") + value.slice(middle + 1);
};

/** So many characters at the end are whole bytes of a JWS's signature. */
const CUT = { compact: 9, jwe: 9, jwt: 3, "jwt-jwks": 2 };

const perStrategy = [];
for (const [name, make] of Object.entries(strategies)) {
  const data = await make();
  const wrongKey = name === "jwe" ? "key_not_found" : "signature_invalid";
  perStrategy.push(
    good(`${name}: a good session goes on without asking`, "auto", sessionCookies(data)),
    good(`${name}: a good session goes on where this strategy is the configured one`, name, sessionCookies(data)),
    good(`${name}: chunks are put together`, "auto", chunked(data, 300)),
    good(`${name}: chunks are put together in the order of their numbers`, "auto", cookies({ [`${SESSION_DATA}.1`]: data.slice(200), [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [`${SESSION_DATA}.0`]: data.slice(0, 200) })),
    good(`${name}: more than ten chunks are put together in the order of their numbers`, "auto", chunked(data, Math.ceil(data.length / 12))),
    miss(`${name}: a session of another token does not count`, "auto", sessionCookies(await make({ session: { token: OTHER_TOKEN } })), "session_mismatch"),
    ended(`${name}: another user's session_data does not sign in a signed value that is no session`, "auto", sessionCookies(await make(), signedCookie("Q".repeat(32), SECRET)), "session_mismatch"),
    miss(`${name}: by another key it does not count`, "auto", sessionCookies(await make({}, OLD_SECRET)), wrongKey),
    miss(`${name}: past its own expiry it does not count`, "auto", sessionCookies(await expiredAt[name](NOW - 1000)), "token_expired"),
    miss(`${name}: when the session in it is past, it does not count`, "auto", sessionCookies(await make({ session: { expiresAt: "2027-01-15T07:59:59.999Z" } })), "session_expired"),
    good(`${name}: the session in it is good in the millisecond of its expiry`, "auto", sessionCookies(await make({ session: { expiresAt: "2027-01-15T08:00:00.000Z" } })), { "x-doorward-expires": String(NOW_S) }),
    miss(`${name}: of another version it does not count`, "auto", sessionCookies(await make({ version: "2" })), "session_version"),
    good(`${name}: of the configured version it counts`, "version-2", sessionCookies(name === "jwt-jwks" ? await strategies.compact({ version: "2" }) : await make({ version: "2" }))),
    good(`${name}: without a version it is of the first`, "auto", sessionCookies(await make({ version: undefined }))),
    miss(`${name}: cut off it does not count`, "auto", sessionCookies(data.slice(0, -CUT[name])), name.startsWith("jwt") ? "signature_invalid" : "token_malformed"),
    miss(`${name}: a missing chunk is a miss`, "auto", cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [`${SESSION_DATA}.0`]: data.slice(0, 99), [`${SESSION_DATA}.2`]: data.slice(99) }), "cookie_incomplete"),
    miss(`${name}: a missing first chunk is a miss`, "auto", cookies({ [SESSION_TOKEN]: signedCookie(TOKEN, SECRET), [`${SESSION_DATA}.1`]: data }), "cookie_incomplete"),
    miss(`${name}: where the cookie cache is off it is not read`, "off", sessionCookies(data), "absent"),
    refused(`${name}: beside a session_token with a bad signature it does not count`, "auto", sessionCookies(data, signedCookie(TOKEN, OLD_SECRET)), "signature_invalid"),
    vector(`${name}: alone it is no session`, "auto", page("/app", cookies({ [SESSION_DATA]: data })), redirect("no_credential", "/sign-in?callbackURL=%2Fapp")),
    miss(`${name}: without a user it does not count`, "auto", sessionCookies(await make({ user: { id: undefined } })), "token_malformed"),
    miss(`${name}: of a session without an expiry it does not count`, "auto", sessionCookies(await make({ session: { expiresAt: null } })), "token_malformed"),
    miss(`${name}: of a session of another user it does not count`, "auto", sessionCookies(await make({ session: { userId: "bob" } })), "token_malformed"),
  );
}

const data = goodData();
const HS256_ONLY = await strategies.jwt();
const JWE = await strategies.jwe();
const token = signedCookie(TOKEN, SECRET);
const now = NOW;

export const cases = [
  ...perStrategy,

  // Moments: a compact cookie counts milliseconds and is good in the last one; the others count seconds and are not.
  vector("compact: good in the millisecond of its expiry", "auto", api("/app", sessionCookies(compact(pair(), NOW, SECRET))), forward(ada())),
  miss("compact: past a millisecond later", "auto", sessionCookies(compact(pair(), NOW - 1, SECRET)), "token_expired"),
  vector("jwt: good in the last millisecond before its expiry", "auto", api("/app", sessionCookies(hs256(pair(), NOW_S, SECRET))), forward(ada()), { now: now - 1 }),
  miss("jwt: past in the second of its expiry", "auto", sessionCookies(hs256(pair(), NOW_S, SECRET)), "token_expired"),
  vector("jwe: good in the last millisecond before its expiry", "auto", api("/app", sessionCookies(await jwe(pair(), NOW_S, SECRET))), forward(ada()), { now: now - 1 }),
  miss("jwe: past in the second of its expiry, without tolerance", "auto", sessionCookies(await jwe(pair(), NOW_S, SECRET)), "token_expired"),
  miss("jwt-jwks: past in the second of its expiry, without tolerance", "auto", sessionCookies(await cacheToken({ exp: NOW_S })), "token_expired"),

  // Changed after the fact.
  miss("compact: another user in it does not count", "auto", sessionCookies(compact(pair(), NOW + 240_000, SECRET, (json) => json.replaceAll('"ada"', '"bob"'))), "signature_invalid"),
  miss("compact: another expiry does not count", "auto", sessionCookies(compact(pair(), NOW - 1, SECRET, (json) => json.replace(`"expiresAt":${NOW - 1},"sig`, `"expiresAt":${NOW + 240_000},"sig`))), "signature_invalid"),
  miss("compact: a second session before the signed one does not count", "auto", sessionCookies(compact(pair(), NOW + 240_000, SECRET, (json) => json.replace("{", `{"session":${JSON.stringify(pair({ user: { id: "bob" } }))},`))), "token_malformed"),
  miss("compact: a second session after the signed one does not count", "auto", sessionCookies(compact(pair(), NOW + 240_000, SECRET, (json) => json.replace(/}$/, `,"session":${JSON.stringify(pair({ user: { id: "bob" } }))}}`))), "token_malformed"),
  miss("compact: a second user in the signed session does not count", "auto", sessionCookies(compact(JSON.stringify(pair()).replace('"user":{', '"user":{"id":"bob"},"user":{'), NOW + 240_000, SECRET)), "token_malformed"),
  miss("compact: more after the end does not count", "auto", sessionCookies(compact(pair(), NOW + 240_000, SECRET, (json) => `${json} {}`)), "token_malformed"),
  miss("compact: with padding it does not count", "auto", sessionCookies(`${goodData({ user: { name: "Ada L" } })}=`), "token_malformed"),
  miss("compact: an expiry in quotation marks does not count", "auto", sessionCookies(compact(pair(), `"${NOW + 240_000}"`, SECRET)), "token_malformed"),
  miss("compact: an expiry with a fraction does not count", "auto", sessionCookies(compact(pair(), `${NOW + 240_000}.5`, SECRET)), "token_malformed"),
  miss("compact: an expiry beyond any clock does not count", "auto", sessionCookies(compact(pair(), "1e300", SECRET)), "token_malformed"),
  good("compact: the signed bytes count, not what a reader makes of them", "auto", sessionCookies(goodData({ user: { name: "\u00c5da \u2028\"\\ \u{1f600} 2024-01-01T00:00:00Z" } }))),
  miss("jwt: another user in it does not count", "auto", sessionCookies(withPayload(HS256_ONLY, { ...pair({ user: { id: "bob" }, session: { userId: "bob" } }), iat: NOW_S, exp: seconds })), "signature_invalid"),
  miss("jwt: by HS512 it does not count, although Better Auth would take it", "jwt", sessionCookies(hs256(pair(), seconds, SECRET, { alg: "HS512" })), "alg_not_allowed"),
  miss("jwt: by no algorithm it does not count", "jwt", sessionCookies(`${b64u('{"alg":"none"}')}.${b64u(JSON.stringify({ ...pair(), exp: seconds }))}.`), "alg_not_allowed"),
  miss("jwt: by no algorithm it does not count where the strategy is told by shape", "auto", sessionCookies(`${b64u('{"alg":"none"}')}.${b64u(JSON.stringify({ ...pair(), exp: seconds }))}.`), "alg_not_allowed"),
  miss("jwt: a token to verify an e-mail address, under the same key, is no session", "auto", sessionCookies(forgedHmac("HS256", SECRET, { alg: "HS256" }, { email: "ada@example.com", iat: NOW_S, exp: seconds })), "token_malformed"),
  miss("jwt: without an expiry it does not count", "auto", sessionCookies(forgedHmac("HS256", SECRET, { alg: "HS256" }, pair())), "claim_missing"),
  miss("jwt: by the public key as secret it does not count", "jwt-jwks", sessionCookies(forgedHmac("HS256", JSON.stringify(jwks.keys[0]), { alg: "HS256", kid: "ed", typ: "better-auth.session-cache+jwt" }, cacheClaims())), "alg_not_allowed"),
  miss("jwe: bent in the middle it does not count", "auto", sessionCookies(bent(JWE)), "signature_invalid"),
  miss("jwe: compressed it does not count", "auto", sessionCookies(await jwe(pair(), seconds, SECRET, { header: { zip: "DEF" }, check: false })), "token_unsupported"),
  miss("jwe: by another encryption it does not count", "auto", sessionCookies(await jwe(pair(), seconds, SECRET, { header: { enc: "A256GCM" }, check: false })), "token_unsupported"),
  miss("jwe: by a password it does not count", "auto", sessionCookies(await jwe(pair(), seconds, SECRET, { header: { alg: "PBES2-HS512+A256KW", p2c: 2147483647, p2s: "AAAA" }, check: false })), "token_unsupported"),
  miss("jwe: of another purpose it does not count", "auto", sessionCookies(await jwe(pair(), seconds, SECRET, { salt: "better-auth-account" })), "key_not_found"),
  miss("jwe: of an unknown key it does not count", "auto", sessionCookies(await jwe(pair(), seconds, SECRET, { header: { kid: "x" } })), "key_not_found"),
  good("jwe: without the name of a key it counts", "auto", sessionCookies(await jwe(pair(), seconds, SECRET, { header: { kid: undefined } }))),
  miss("jwt-jwks: another user in it does not count", "auto", sessionCookies(withPayload(await cacheToken(), cacheClaims({ sub: "bob" }))), "signature_invalid"),
  miss("jwt-jwks: with a bent signature it does not count", "auto", sessionCookies(tampered(await cacheToken())), "signature_invalid"),
  miss("jwt-jwks: an API token is no session_data", "auto", sessionCookies(await cacheToken({ aud: "https://app.example.com" }, { typ: undefined })), "type_mismatch"),
  miss("jwt-jwks: of type JWT it does not count", "auto", sessionCookies(await cacheToken({}, { typ: "JWT" })), "type_mismatch"),
  miss("jwt-jwks: for another audience it does not count", "auto", sessionCookies(await cacheToken({ aud: "https://app.example.com" })), "audience_mismatch"),
  miss("jwt-jwks: of another issuer it does not count", "auto", sessionCookies(await cacheToken({ iss: "https://other.example" })), "issuer_unknown"),
  miss("jwt-jwks: without an issuer it does not count", "auto", sessionCookies(await cacheToken({ iss: undefined })), "claim_missing"),
  miss("jwt-jwks: of a subject that is not its user it does not count", "auto", sessionCookies(await cacheToken({ sub: "bob" })), "claims_malformed"),
  miss("jwt-jwks: of a sid that is not its token it does not count", "auto", sessionCookies(await cacheToken({ sid: OTHER_TOKEN })), "claims_malformed"),
  miss("jwt-jwks: by an unknown key it does not count", "auto", sessionCookies(await cacheToken({}, { kid: "other" })), "key_not_found"),
  vector("jwt-jwks: a session_data is no API token", "auto", api("/app", ["authorization", `Bearer ${await cacheToken()}`]), reject("type_mismatch")),
  vector("jwt-jwks: without a secret the session_token is compared with it", "no-secret", api("/app", sessionCookies(await cacheToken())), forward(ada())),
  vector("jwt-jwks: without a secret the session_token's signature says nothing", "no-secret", api("/app", sessionCookies(await cacheToken(), `${TOKEN}.${encodeURIComponent("A".repeat(43))}%3D`)), forward(ada())),
  miss("jwt-jwks: without a secret, the session of another token does not count", "no-secret", sessionCookies(await cacheToken({ sid: OTHER_TOKEN, session: pair({ session: { token: OTHER_TOKEN } }).session })), "session_mismatch"),
  miss("jwt-jwks: without a secret, nothing signed with one is read", "no-secret", sessionCookies(HS256_ONLY), "alg_not_allowed"),

  // Each strategy where another is configured.
  miss("a compact cookie is not read where jwt is configured", "jwt", sessionCookies(data), "token_malformed"),
  miss("a jwt cookie is not read where compact is configured", "compact", sessionCookies(HS256_ONLY), "token_malformed"),
  miss("a jwt cookie is not read where the key set is configured", "jwt-jwks", sessionCookies(HS256_ONLY), "alg_not_allowed"),
  miss("a cookie of the key set is not read where the secret is configured", "jwt", sessionCookies(await cacheToken()), "alg_not_allowed"),
  miss("a jwt cookie is not read where jwe is configured", "jwe", sessionCookies(HS256_ONLY), "token_malformed"),
  miss("a jwe cookie is not read where jwt is configured", "jwt", sessionCookies(JWE), "token_unsupported"),
  miss("something of no strategy's shape is a miss", "auto", sessionCookies("a.b"), "token_malformed"),
  good("where versions are not compared, any counts", "any-version", sessionCookies(goodData({ version: "77" }))),
  miss("where another version is configured, the first does not count", "version-2", sessionCookies(goodData()), "session_version"),
  miss("a version that is no text does not count", "any-version", sessionCookies(goodData({ version: 1 })), "token_malformed"),

  // session_token.
  ended("a good session_token alone is a reason to ask", "auto", sessionCookies()),
  ended("a signed state cookie, renamed, is no sign-in", "auto", sessionCookies(undefined, signedCookie("s7-tAteVAlue_of32CharactersXXYYZZ", SECRET))),
  ended("a signed state cookie, renamed, beside another user's session_data is no sign-in", "auto", sessionCookies(data, signedCookie("s7-tAteVAlue_of32CharactersXXYYZZ", SECRET)), "session_mismatch"),
  ended("a dont_remember cookie, renamed, is no sign-in", "auto", sessionCookies(undefined, signedCookie("true", SECRET))),
  vector("a session that is not remembered has no session_data and is asked about", "auto", api("/app", cookies({ [SESSION_TOKEN]: token, "__Secure-better-auth.dont_remember": signedCookie("true", SECRET) })), forward(ada("auth-service")), { effects: ["session"], results: [sessionAnswer()] }),
  refused("by another secret it is bad", "auto", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET)), "signature_invalid"),
  refused("a signature of another value is bad", "auto", sessionCookies(undefined, encodeURIComponent(`${OTHER_TOKEN}.${signedValue(TOKEN, SECRET).split(".")[1]}`)), "signature_invalid"),
  refused("a bare token is malformed", "auto", sessionCookies(undefined, TOKEN), "credential_malformed"),
  refused("an empty signature is malformed", "auto", sessionCookies(undefined, `${TOKEN}.`), "credential_malformed"),
  refused("an empty token is malformed", "auto", sessionCookies(undefined, signedCookie("", SECRET)), "credential_malformed"),
  refused("a signature without padding is malformed", "auto", sessionCookies(undefined, encodeURIComponent(signedValue(TOKEN, SECRET).slice(0, -1))), "credential_malformed"),
  refused("a signature in base64url is malformed", "auto", sessionCookies(undefined, `${TOKEN}.${"-_".repeat(21)}A%3D`), "credential_malformed"),
  refused("a signature that is encoded twice is malformed", "auto", sessionCookies(undefined, encodeURIComponent(token)), "credential_malformed"),
  vector("a session_token that is not escaped counts", "auto", api("/app", sessionCookies(data, signedValue(TOKEN, SECRET))), forward(ada())),
  vector("a session_token in quotation marks counts", "auto", api("/app", sessionCookies(data, `"${token}"`)), forward(ada())),
  vector("a token may have dots: the last one counts", "auto", api("/app", sessionCookies(goodData({ session: { token: "a.b.c" } }), signedCookie("a.b.c", SECRET))), forward(ada())),
  vector("an empty session_token is none", "auto", api("/app", cookies({ [SESSION_TOKEN]: "", [SESSION_DATA]: data })), reject("no_credential")),
  vector("a name without its prefix is another cookie", "auto", api("/app", cookies({ "better-auth.session_token": token, "better-auth.session_data": data })), reject("no_credential")),
  vector("a name with a prefix that is not configured is another cookie", "plain", api("/app", sessionCookies(data)), reject("no_credential")),
  vector("the plain name counts where it is configured", "plain", api("/app", cookies({ "better-auth.session_token": token, "better-auth.session_data": data })), forward(ada())),
  vector("names are compared with regard to case", "auto", api("/app", cookies({ [SESSION_TOKEN.toUpperCase()]: token })), reject("no_credential")),
  vector("a prefix of one's own makes the names", "prefix", api("/app", cookies({ "__Secure-acme.session_token": token, "__Secure-acme.session_data": data })), forward(ada())),
  vector("names of one's own keep the secure prefix", "custom", api("/app", cookies({ "__Secure-sid": token, "__Secure-sdata": data })), forward(ada())),
  vector("chunks of a session_data of one's own name count", "custom", api("/app", cookies({ "__Secure-sid": token, "__Secure-sdata.0": data.slice(0, 100), "__Secure-sdata.1": data.slice(100) })), forward(ada())),
  vector("the cookies of further accounts are not read", "auto", api("/app", cookies({ [`${SESSION_TOKEN}_multi-${TOKEN.toLowerCase()}`]: token, [SESSION_DATA]: data })), reject("no_credential")),
  vector("session_token has no chunks", "auto", api("/app", cookies({ [`${SESSION_TOKEN}.0`]: token, [SESSION_DATA]: data })), reject("no_credential")),

  // Twice.
  vector("of two session_tokens the first counts, when it is good", "auto", api("/app", ["cookie", `${SESSION_TOKEN}=${token}; ${SESSION_TOKEN}=bad; ${SESSION_DATA}=${data}`]), forward(ada())),
  refused("of two session_tokens the first counts, when it is bad", "auto", ["cookie", `${SESSION_TOKEN}=${signedCookie(TOKEN, OLD_SECRET)}; ${SESSION_TOKEN}=${token}; ${SESSION_DATA}=${data}`], "signature_invalid"),
  vector("of two session_datas the first counts", "auto", api("/app", ["cookie", `${SESSION_TOKEN}=${token}; ${SESSION_DATA}=${data}; ${SESSION_DATA}=x`]), forward(ada())),
  miss("of two session_datas the second does not count", "auto", ["cookie", `${SESSION_TOKEN}=${token}; ${SESSION_DATA}=x; ${SESSION_DATA}=${data}`], "token_malformed"),
  vector("cookies may come in two headers", "auto", api("/app", ["cookie", `theme=dark; ${SESSION_TOKEN}=${token}`], ["cookie", `${SESSION_DATA}=${data}`]), forward(ada())),
  vector("a whole session_data counts before chunks of an older one", "auto", api("/app", cookies({ [`${SESSION_DATA}.0`]: "x", [SESSION_TOKEN]: token, [SESSION_DATA]: data })), forward(ada())),
  vector("chunks count where the whole is empty", "auto", api("/app", cookies({ [SESSION_DATA]: "", [SESSION_TOKEN]: token, [`${SESSION_DATA}.0`]: data })), forward(ada())),
  miss("chunks left over from a longer one are a miss", "auto", cookies({ [SESSION_TOKEN]: token, [`${SESSION_DATA}.0`]: data, [`${SESSION_DATA}.1`]: "AAAA" }), "token_malformed"),
  vector("a number with a zero before it is no chunk", "auto", api("/app", cookies({ [SESSION_TOKEN]: token, [`${SESSION_DATA}.0`]: data, [`${SESSION_DATA}.01`]: "AAAA" })), forward(ada())),
  miss("a hundred and one chunks are a miss", "auto", cookies({ [SESSION_TOKEN]: token, ...Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`${SESSION_DATA}.${n}`, "A"])) }), "token_too_large"),
  miss("a session_data over 64 KiB is a miss", "auto", sessionCookies("A".repeat(65_537)), "token_too_large"),

  // Several secrets: the first verifies, retired ones open encrypted cookies only (as Better Auth itself does).
  good("the current secret verifies", "rotated", sessionCookies(data)),
  good("a retired secret opens an encrypted cookie", "rotated", sessionCookies(await jwe(pair(), seconds, OLD_SECRET))),
  good("the current secret opens an encrypted cookie", "rotated", sessionCookies(JWE)),
  refused("a retired secret verifies no session_token", "rotated", sessionCookies(await jwe(pair(), seconds, OLD_SECRET), signedCookie(TOKEN, OLD_SECRET)), "signature_invalid"),
  miss("a retired secret verifies no compact cookie", "rotated", sessionCookies(compact(pair(), NOW + 240_000, OLD_SECRET)), "signature_invalid"),
  miss("a retired secret verifies no jwt cookie", "rotated", sessionCookies(hs256(pair(), seconds, OLD_SECRET)), "signature_invalid"),
  good("beside a list, the single secret opens an encrypted cookie", "legacy", sessionCookies(await jwe(pair(), seconds, OLD_SECRET))),
  refused("beside a list, the single secret verifies no session_token", "legacy", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET)), "signature_invalid"),

  // optional.
  vector("optional: without a session a request is forwarded anonymously", "auto", api("/optional/x"), forward()),
  vector("optional: a good session goes on", "auto", api("/optional/x", sessionCookies(data)), forward(ada())),
  vector("optional: a bad session_token is refused", "auto", api("/optional/x", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET))), reject("signature_invalid")),
  vector("optional: a page with a bad session_token goes to sign in", "auto", page("/optional/x", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET))), redirect("signature_invalid", "/sign-in?callbackURL=%2Foptional%2Fx")),
  vector("optional: a session that has ended is refused", "auto", api("/optional/x", sessionCookies()), reject("session_ended"), { effects: ["session"], results: [nullAnswer()] }),
  vector("optional: a session that cannot be looked up is not taken for none", "auto", api("/optional/x", sessionCookies()), reject("session_unavailable"), { effects: ["session"] }),
  vector("optional: a session_data alone is none", "auto", api("/optional/x", cookies({ [SESSION_DATA]: data })), forward()),
  vector("the auth service's own paths need no credential, whatever the cookie", "auto", api("/api/auth/get-session", sessionCookies(undefined, "bad")), forward()),
];
