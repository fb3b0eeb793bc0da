// Sessions as Better Auth would make them: a signed `session_token` and, with the cookie cache on, a `compact` `session_data`.

import { createHmac, randomBytes } from "node:crypto";

const minute = 60_000;

/** What `/get-session` would say of this session, and the cookies that carry it. */
export function session(secret, { cacheExpiresAt = Date.now() + 5 * minute } = {}) {
  const token = randomBytes(16).toString("hex");
  const userId = "user-7f3a";
  const now = Date.now();
  const expiresAt = new Date(now + 60 * minute).toISOString();
  const times = { createdAt: new Date(now).toISOString(), updatedAt: new Date(now).toISOString() };
  const answer = {
    session: { id: "session-7f3a", token, userId, expiresAt, ...times, ipAddress: "", userAgent: "" },
    user: { id: userId, name: "Ada", email: "ada@example.com", emailVerified: true, ...times },
  };
  const data = compact(secret, { ...answer, updatedAt: now, version: "1" }, cacheExpiresAt);
  const tokenCookie = `better-auth.session_token=${signed(secret, token)}`;
  return { answer, tokenCookie, dataCookie: `better-auth.session_data=${data}` };
}

/** Both cookies of a good session. */
export function cookies(secret, options) {
  const { tokenCookie, dataCookie } = session(secret, options);
  return `${tokenCookie}; ${dataCookie}`;
}

function signed(secret, value) {
  return encodeURIComponent(`${value}.${createHmac("sha256", secret).update(value).digest("base64")}`);
}

function compact(secret, payload, expiresAt) {
  const text = JSON.stringify(payload);
  const message = `${text.slice(0, -1)},"expiresAt":${expiresAt}}`;
  const signature = createHmac("sha256", secret).update(message).digest("base64url");
  return Buffer.from(`{"session":${text},"expiresAt":${expiresAt},"signature":"${signature}"}`).toString("base64url");
}
