// A stand-in for the auth service: answers `/get-session` for the sessions that it was told of, mints tokens for one user, and counts.

import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

export async function authService() {
  const sessions = new Map();
  const seen = [];
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const json = (response, value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  const mint = (origin) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: "user-7f3a", iat: now, exp: now + 900, iss: origin, aud: origin };
    const input = [{ alg: "EdDSA", kid: "k" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString("base64url")}`;
  };
  const server = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    if (request.url === "/api/auth/jwks") return json(response, { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", alg: "EdDSA" }] });
    if (request.url === "/api/auth/token") return json(response, { token: mint(`http://127.0.0.1:${server.address().port}`) });
    if (!request.url.startsWith("/api/auth/get-session")) return response.writeHead(404).end();
    const known = [...sessions].find(([tokenCookie]) => request.headers.cookie?.includes(tokenCookie));
    const { answer, setCookie } = known?.[1] ?? { answer: null, setCookie: [] };
    response.writeHead(200, { "content-type": "application/json", "set-cookie": setCookie }).end(JSON.stringify(answer));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    seen,
    /** Lets `/get-session` know this session, and renew its cookie cache. */
    remember({ tokenCookie, dataCookie, answer }) {
      sessions.set(tokenCookie, { answer, setCookie: [`${dataCookie}; Max-Age=300; Path=/; HttpOnly; SameSite=Lax`] });
    },
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}
