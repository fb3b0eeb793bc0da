// The auth service. Its log is one line of JSON for each event; nothing secret is in it.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";

import { auth } from "./auth.js";
import { pool, testConnection } from "./database.js";
import { BASE_PATH } from "./environment.js";
import { say } from "./log.js";
import { settings } from "./settings.js";

if (!(await testConnection())) process.exit(1);
await (await getMigrations(auth.options)).runMigrations();

const handle = toNodeHandler(async (request: Request) => {
  const response = await auth.handler(request);
  if (!response.ok && new URL(request.url).pathname === `${BASE_PATH}/token`) {
    const body = (await response.clone().text()).slice(0, 500);
    say("no token given", { level: "warning", status: response.status, body, session_cookie: request.headers.get("cookie")?.includes("session_token=") ?? false });
  }
  return response;
});

const server = createServer((request, response) => void handle(request, response));
server.listen({ host: "127.0.0.1", port: settings.port }, () => {
  const { port } = server.address() as AddressInfo;
  say("handler ready", {
    listening: `http://127.0.0.1:${port}`,
    url: settings.url,
    issuer: settings.issuer,
    audience: settings.audience,
    jwks: settings.jwksUrl,
    // Says whether it was read, and lets two services compare theirs.
    secret: { length: settings.secret.length, fingerprint: fingerprint(settings.secret) },
    cookie_cache_seconds: settings.cookieCacheSeconds,
    token_seconds: settings.tokenSeconds,
  });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close(() => void pool.end().finally(() => process.exit(0)));
    server.closeAllConnections();
  });
}

/** Eight hexadecimal digits: enough to see that two differ, too few to be of use for a secret that is not weak. */
function fingerprint(secret: string): string {
  return createHash("sha256").update(secret).digest("hex").slice(0, 8);
}
