// One user's sessions as Better Auth would make them, and an auth service that knows them.

import { startAuthService } from "../../../tests/fakes/auth-service.mjs";
import { cookieLine, newKey, newSession } from "../../../tests/fakes/better-auth.mjs";

/** What `/get-session` would say of this session, and the cookies that carry it. */
export function session(secret, { cacheExpiresAt: cachedUntil } = {}) {
  return newSession({ secret, cachedUntil, user: "user-7f3a", id: "session-7f3a" });
}

/** Both cookies of a good session. */
export function cookies(secret, options) {
  const { tokenCookie, dataCookie } = session(secret, options);
  return `${tokenCookie}; ${dataCookie}`;
}

/** An auth service for that user: it mints JWTs, and knows the sessions that it is told to remember. */
export async function authService(secret) {
  const key = newKey("EdDSA", "k");
  const token = () => {
    const now = Math.floor(Date.now() / 1000);
    return key.jwt({ sub: "user-7f3a", iat: now, exp: now + 900, iss: service.url, aud: service.url });
  };
  const service = await startAuthService({ secret, keys: () => [key.jwk], token });
  /** `/get-session` knows this session from now on, and renews its cookie cache. */
  const remember = ({ token, pair, dataCookie }) => service.remember(token, pair, [cookieLine(dataCookie, 300)]);
  return { ...service, remember };
}
