// The stack: database, auth service, API, frontend, and the gate in front. Each listens on a free port of this machine only.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as miniflare from "miniflare";

import { freePort } from "../../shared/port.mjs";
import { cluster } from "../../shared/postgres.mjs";
import { service } from "../../shared/processes.mjs";
import { startWorker } from "../../shared/workerd.mjs";

/** A path from `examples/stack`. */
export const folder = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** @typedef {"next" | "worker"} Front where the gate runs: in Next's `proxy.ts`, or as a Worker in front of Next */

/**
 * Starts everything. What has been started is in `started`, also when this fails on the way.
 *
 * @param {object} options
 * @param {Front} options.front
 * @param {{frontend: string, python: string}} options.built
 * @param {boolean} options.postgres
 * @param {number} [options.cookieCacheSeconds] life of `session_data`
 * @param {number} [options.sessionCacheSeconds] how long the gate remembers an answer of the auth service
 * @param {object} [options.console] hears what each service logs, and when one has ended by itself
 * @param {{stop: () => Promise<void>}[]} started
 */
export async function startStack({ front, built, postgres, cookieCacheSeconds, sessionCacheSeconds, console }, started) {
  const up = async (service) => {
    started.push(service);
    await service.start();
    return service;
  };
  // By the names that the prompt knows.
  const hearing = (name) => console && { onLine: (line) => console.heard(name, line), onEnd: (how) => console.ended(name, how) };
  const [port, originPort, authPort, apiPort, databasePort] = await Promise.all(Array.from({ length: 5 }, freePort));
  const url = `http://localhost:${port}`;
  const authUrl = `http://127.0.0.1:${authPort}`;
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  // For whoever verifies the gate's assertions: where its keys are, and the host that they must be for.
  const forOrigin = { DOORWARD_URL: url };
  const identity = {
    BETTER_AUTH_URL: url,
    BETTER_AUTH_SECRET: secretFor(process.env.DATABASE_URL),
    BETTER_AUTH_ISSUER: url,
    BETTER_AUTH_JWKS_URL: `${authUrl}/api/auth/jwks`,
  };

  const database = await startDatabase({ postgres, port: databasePort, heard: hearing("database") }, up);
  const auth = await up(
    service("auth service", {
      ...hearing("auth"),
      command: [process.execPath, join(folder("auth-service"), "dist/server.js")],
      ready: /"handler ready"/,
      env: {
        ...identity,
        NODE_ENV: "production",
        PORT: String(authPort),
        DATABASE_URL: database.url,
        DATABASE_CONNECTIONS: String(database.connections),
        // Everything comes from one address here, and faster than people are.
        RATE_LIMIT: "off",
        ...(cookieCacheSeconds && { COOKIE_CACHE_SECONDS: String(cookieCacheSeconds) }),
      },
    }),
  );
  const { BETTER_AUTH_ISSUER, BETTER_AUTH_JWKS_URL } = identity;
  const api = await up(
    service("API", {
      ...hearing("api"),
      command: [built.python, "-m", "uvicorn", "notes_api.main:app", "--port", String(apiPort), "--no-access-log"],
      ready: /Uvicorn running/,
      env: { BETTER_AUTH_ISSUER, BETTER_AUTH_JWKS_URL, ...forOrigin, PYTHONDONTWRITEBYTECODE: "1" },
      spawn: { cwd: folder("api") },
    }),
  );

  const doorward = await gateConfig(sessionCacheSeconds);
  const forGate = { ...identity, AUTH_SERVICE_URL: authUrl, DOORWARD: doorward, DOORWARD_ASSERTION_KEY: assertionKey() };
  const isGated = front === "next";
  const frontend = await up(
    service("frontend", {
      ...hearing("frontend"),
      command: [process.execPath, "node_modules/next/dist/bin/next", "start", "-H", "localhost", "-p", String(isGated ? port : originPort)],
      ready: /Ready in/,
      env: {
        NODE_ENV: "production",
        DIST_FOLDER: distFolder(front),
        AUTH_SERVICE_URL: authUrl,
        API_URL: apiUrl,
        ...forOrigin,
        ...(isGated && forGate),
      },
      spawn: { cwd: built.frontend },
    }),
  );
  const stack = { front, url, identity, database, auth, api, frontend, urls: { auth: authUrl, api: apiUrl, frontend: `http://localhost:${isGated ? port : originPort}` } };
  if (isGated) return { ...stack, gate: { name: "doorward/next in proxy.ts", log: () => frontend.log.join("\n") } };

  const bindings = { ...forGate, ORIGIN_URL: stack.urls.frontend, PUBLIC_ORIGIN: url };
  const worker = await up(workerService({ port, bindings, ...hearing("gate") }));
  return { ...stack, gate: { name: "the Rust Worker in workerd", ...worker } };
}

/** The Worker as a service: each start is a workerd of its own. */
function workerService(how) {
  let worker;
  const log = () => worker?.log() ?? "";
  return { log, start, stop, isRunning: () => worker !== undefined };

  async function start() {
    await stop();
    worker = await startWorker(miniflare, how);
  }

  async function stop() {
    const ending = worker;
    worker = undefined;
    await ending?.stop();
  }
}

/** The folder of the Next build for that front. */
export const distFolder = (front) => `.next-${front}`;

async function startDatabase({ postgres, port, heard }, up) {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) return { name: "PostgreSQL of DATABASE_URL", url: DATABASE_URL, connections: 5 };
  if (postgres) return { connections: 5, ...(await up(cluster(port))) };
  const url = `postgres://stack@127.0.0.1:${port}/postgres`;
  const pglite = await up(service("PGlite", { ...heard, command: [process.execPath, folder("run/pglite.mjs"), String(port)], ready: /database ready/ }));
  return { ...pglite, name: "PGlite", url, connections: 1 };
}

/** A database that outlives the run holds signing keys that are encrypted with the secret: there it is always the same. */
function secretFor(database) {
  return database ? createHash("sha256").update(`stack ${database}`).digest("base64url") : randomBytes(32).toString("base64url");
}

/** What the gate signs its assertions with. A new one for each run: nothing outlives it that was signed. */
export function assertionKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return JSON.stringify(privateKey.export({ format: "jwk" }));
}

/** The gate's configuration as JSON, the same on either front. */
export async function gateConfig(sessionCacheSeconds) {
  const config = JSON.parse(await readFile(join(folder("frontend"), "doorward.json"), "utf8"));
  if (sessionCacheSeconds !== undefined) config.issuers[0].session_cache_seconds = sessionCacheSeconds;
  return JSON.stringify(config);
}
