// What is verified: JWTs made by jose and cookies made by Better Auth's own code, as large as real ones. All distinct; the keys
// live as long as this process.

import { createHmac, randomBytes } from "node:crypto";
import { signJWT, symmetricEncodeJWT } from "better-auth/crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const AUTH = "https://auth.test";
export const SITE = "https://app.test";
export const SECRET = randomBytes(32).toString("base64url");

export const ALGORITHMS = { eddsa: "EdDSA", es256: "ES256", es384: "ES384", rs256: "RS256", ps256: "PS256" };
export const STRATEGIES = ["compact", "hs256", "jwe"];

/** So many of each are made; one more warms a gate up and is not measured. */
const POOL = 384;
const LIFE_SECONDS = 3600;

const identifier = (length) => randomBytes(length).toString("base64url").slice(0, length).replace(/[^A-Za-z0-9]/g, "x");
const iso = (milliseconds) => new Date(milliseconds).toISOString();
const times = (count, make) => Promise.all(Array.from({ length: count }, make));

/** Key set, JWTs by case, and cookie headers by case; each list has its one to warm up with at the end. */
export async function mint({ algorithms = Object.keys(ALGORITHMS), count = POOL, cookies = true } = {}) {
  const keys = [];
  const jwts = {};
  for (const name of algorithms) {
    const alg = ALGORITHMS[name];
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(publicKey)), alg, kid: `key-${name}` });
    jwts[name] = await times(count + 1, () => jwt(alg, `key-${name}`, privateKey));
  }
  const fixtures = { auth: AUTH, site: SITE, secret: SECRET, jwks: { keys }, jwts, cookies: {}, tokens: [] };
  if (!cookies) return fixtures;
  for (const strategy of STRATEGIES) fixtures.cookies[strategy] = await times(count + 1, () => sessionCookies(strategy));
  fixtures.tokens = Array.from({ length: 64 }, () => cookieHeader(identifier(32)));
  return fixtures;
}

function user() {
  const id = identifier(32);
  const name = `User ${id.slice(0, 8)}`;
  const at = iso(Date.now());
  return { id, name, email: `${id.slice(0, 12)}@example.com`, emailVerified: true, image: null, createdAt: at, updatedAt: at };
}

/** What the jwt plugin puts in: the whole user. */
function jwt(alg, kid, privateKey) {
  const claims = user();
  return new SignJWT({ ...claims, sid: identifier(32) })
    .setProtectedHeader({ alg, kid })
    .setSubject(claims.id)
    .setIssuer(AUTH)
    .setAudience(AUTH)
    .setIssuedAt()
    .setExpirationTime(`${LIFE_SECONDS} s`)
    .sign(privateKey);
}

const hmac = (message, encoding) => createHmac("sha256", SECRET).update(message).digest(encoding);

/** A cookie header with the signed token, and with what sites have beside it. */
function cookieHeader(token, data) {
  const signed = encodeURIComponent(`${token}.${hmac(token, "base64")}`);
  const session = [`__Secure-better-auth.session_token=${signed}`, ...(data ? [`__Secure-better-auth.session_data=${data}`] : [])];
  return ["theme=dark", "_ga=GA1.1.1386400532.1763866800", ...session, "locale=en-GB"].join("; ");
}

async function sessionCookies(strategy) {
  const token = identifier(32);
  const who = user();
  const now = Date.now();
  const payload = {
    session: {
      expiresAt: iso(now + 604_800_000), token, createdAt: iso(now), updatedAt: iso(now), ipAddress: "203.0.113.7",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", userId: who.id, id: identifier(32),
    },
    user: who,
    updatedAt: now,
    version: "1",
  };
  return cookieHeader(token, await sessionData(strategy, payload, now + LIFE_SECONDS * 1000));
}

async function sessionData(strategy, payload, expiresAt) {
  if (strategy === "hs256") return signJWT(payload, SECRET, LIFE_SECONDS);
  if (strategy === "jwe") return symmetricEncodeJWT(payload, SECRET, "better-auth-session", LIFE_SECONDS);
  const signature = hmac(JSON.stringify({ ...payload, expiresAt }), "base64url");
  return Buffer.from(JSON.stringify({ session: payload, expiresAt, signature })).toString("base64url");
}
