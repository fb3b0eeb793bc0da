// Cookies and JWTs as Better Auth writes them, made without it: for sessions that no service has,
// and for forged ones.

import { constants, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";

const WEEK_MS = 604_800_000;
const TOKEN = "better-auth.session_token";
const DATA = "better-auth.session_data";

/** The lines with which Better Auth deletes its cookies. */
export const DELETIONS = [TOKEN, DATA, "better-auth.dont_remember"].map(
  (name) => `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`,
);

/** A session token like Better Auth's: letters and digits. */
export const randomToken = () => randomBytes(24).toString("base64url").replace(/[-_]/g, "x");

/** What `/get-session` says of a session. */
export function pairOf({ token, user = "user-1", id = "session-1", organisation, now = Date.now() }) {
  const iso = (time) => new Date(time).toISOString();
  const times = { createdAt: iso(now), updatedAt: iso(now) };
  return {
    session: {
      id, token, userId: user, expiresAt: iso(now + WEEK_MS), ...times,
      ipAddress: "", userAgent: "", activeOrganizationId: organisation,
    },
    user: { id: user, name: "Ada", email: "ada@example.com", emailVerified: true, ...times },
  };
}

/** The value of a signed cookie. */
export function signed(secret, value) {
  return encodeURIComponent(`${value}.${mac(secret, value).toString("base64")}`);
}

/** The value of `session_data`, strategy `compact`. */
export function compact(secret, pair, { now = Date.now(), expiresAt }) {
  const session = { ...pair, updatedAt: now, version: "1" };
  const signature = mac(secret, JSON.stringify({ ...session, expiresAt })).toString("base64url");
  return Buffer.from(JSON.stringify({ session, expiresAt, signature })).toString("base64url");
}

/**
 * A session and its cookies, each as `name=value`.
 *
 * @param {object} options those of `pairOf`, and
 * @param {string} options.secret
 * @param {number} [options.cachedUntil] when the cookie cache ends
 */
export function newSession({ secret, token = randomToken(), now = Date.now(), cachedUntil = now + 300_000, ...more }) {
  const pair = pairOf({ token, now, ...more });
  const data = compact(secret, pair, { now, expiresAt: cachedUntil });
  return { token, pair, tokenCookie: `${TOKEN}=${signed(secret, token)}`, dataCookie: `${DATA}=${data}` };
}

/** The line that sets a cookie. */
export const cookieLine = (cookie, seconds) => `${cookie}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax`;

/** The session token in a `Cookie` header; nothing where there is none that is signed with the secret. */
export function tokenIn(cookies = "", secret) {
  const [, value = ""] = /better-auth\.session_token=([^;]+)/.exec(cookies) ?? [];
  const token = value.split(".")[0];
  return value !== "" && value === signed(secret, token) ? token : undefined;
}

const ec = (namedCurve) => ["ec", { namedCurve }];
const rsa = ["rsa", { modulusLength: 2048 }];
const KEYS = {
  EdDSA: ["ed25519"],
  ES256: ec("P-256"), ES384: ec("P-384"), ES512: ec("P-521"),
  RS256: rsa, RS384: rsa, RS512: rsa,
  PS256: rsa, PS384: rsa, PS512: rsa,
};

/** A key of this algorithm: its public half as a JWK, and JWTs by it. `header` replaces members of the header. */
export function newKey(alg, kid) {
  const { publicKey, privateKey: key } = generateKeyPairSync(...KEYS[alg]);
  const digest = alg === "EdDSA" ? null : `sha${alg.slice(2)}`;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const how = { key, dsaEncoding: "ieee-p1363", ...(alg.startsWith("PS") && pss) };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const jwt = (claims, header = {}) => {
    const input = `${part({ alg, kid, ...header })}.${part(claims)}`;
    return `${input}.${sign(digest, Buffer.from(input), how).toString("base64url")}`;
  };
  return { kid, jwk: { ...publicKey.export({ format: "jwk" }), alg, use: "sig", kid }, jwt };
}

const mac = (secret, text) => createHmac("sha256", secret).update(text).digest();
