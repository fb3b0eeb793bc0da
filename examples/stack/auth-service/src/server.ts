// The auth service. Its log is one line of JSON for each event; nothing secret is in it.

import { createHmac } from "node:crypto";
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
    secret: { length: lengthOf(settings.secret), fingerprint: fingerprint(settings.secret) },
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

/** The one that Doorward's gate and commands print: enough to see that two secrets differ, too little to guess one from. */
function fingerprint(secret: string): string {
  return createHmac("sha256", secret).update("doorward fingerprint 1").digest("hex").slice(0, 6);
}

/** In classes: the exact length helps whoever guesses. */
function lengthOf(secret: string): string {
  const bytes = Buffer.byteLength(secret);
  return bytes < 32 ? "<32" : bytes <= 64 ? "32–64" : ">64";
}
