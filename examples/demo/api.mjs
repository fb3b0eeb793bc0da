// An API that knows no cookies, as many are: it verifies a JWT by the auth service's key set (with jose) and answers with what is the
// caller's own. The gate stands before it, and goes there with a token for each session.

import { createServer } from "node:http";
import { once } from "node:events";
import { createRemoteJWKSet, jwtVerify } from "jose";

/**
 * Starts the API on a free port.
 *
 * @param {object} options
 * @param {string} options.authService where the auth service is
 * @param {string} options.issuer `iss` and `aud` of the tokens that it takes
 * @param {object[]} options.seen grows by each request that arrives
 */
export async function startApi({ authService, issuer, seen }) {
  // The auth service counts what comes directly for the gate's.
  const keys = createRemoteJWKSet(new URL("/api/auth/jwks", authService), { headers: { via: "1.1 api" } });
  const server = createServer(async (request, response) => {
    const { authorization, cookie, ...headers } = request.headers;
    const identity = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-doorward-")));
    seen.push({ method: request.method, target: request.url, identity, cookie });
    try {
      const { payload } = await jwtVerify(/^Bearer (.+)$/.exec(authorization)?.[1] ?? "", keys, { issuer, audience: issuer });
      answer(response, 200, { owner: payload.sub, email: payload.email, notes: [`a note of ${payload.email}`] });
    } catch (error) {
      answer(response, 401, { error: error.code ?? "no token" });
    }
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

function answer(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
