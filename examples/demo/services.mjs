// What is started here: the auth service as a process that can be stopped and started again, an origin, and the gate on either host.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../shared/port.mjs";
import { service } from "../shared/processes.mjs";
import { startWorker } from "../shared/workerd.mjs";
import { startApi } from "./api.mjs";
import { config, variables } from "./config.mjs";
import { startOrigin } from "./origin.mjs";

// Always the same, because a database that outlives the run holds signing keys that are encrypted with it.
const SECRET = process.env.BETTER_AUTH_SECRET ?? "of-no-use-outside-of-this-demo-6f1d9b";

/**
 * Starts everything, on free ports of this machine. What has been started is in `started`, also when this fails on the way.
 *
 * @param {object} options
 * @param {"worker" | "node"} options.host where the gate runs
 * @param {Record<string, string>} options.environment the auth service's, but for what follows from the rest
 * @param {number} options.sessionCacheSeconds how long the gate remembers an answer of the auth service
 * @param {{stop: () => unknown}[]} started
 */
export async function startAll({ host, environment, sessionCacheSeconds }, started) {
  const folder = await mkdtemp(join(tmpdir(), "doorward-demo-"));
  started.push({ stop: () => rm(folder, { recursive: true, force: true }) });
  const publicOrigin = `http://127.0.0.1:${await freePort()}`;
  const auth = await authService({ ...environment, BETTER_AUTH_URL: publicOrigin, BETTER_AUTH_SECRET: SECRET, PGLITE_FOLDER: join(folder, "database") });
  started.push(auth);
  const origin = await startOrigin(auth.url);
  started.push(origin);
  const api = await startApi({ authService: auth.url, issuer: publicOrigin, seen: origin.seen });
  started.push(api);
  await auth.start();
  const start = { worker: startWorkerd, node: startNode }[host];
  const gate = await start({ publicOrigin, origin: origin.url, config: config(sessionCacheSeconds), env: variables({ publicOrigin, api: api.url, authService: auth.url, secret: SECRET }) });
  started.push(gate);
  return { publicOrigin, auth, origin, gate };
}

/** The auth service. `start` after `stop` finds the same port, the same keys and the same sessions. */
async function authService(environment) {
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  const { log, ...server } = service("auth service", {
    command: [process.execPath, fileURLToPath(new URL("auth-service.mjs", import.meta.url))],
    ready: /"event":"listening"/,
    env: { ...environment, PORT: String(port), ADMIN_PORT: String(adminPort) },
    // Over the IPC channel the service notices when this process is gone, however it went.
    spawn: { stdio: ["ignore", "pipe", "pipe", "ipc"] },
  });
  let isUp = false;
  let before = { keys: 0, session: 0, token: 0 };
  return { url: `http://127.0.0.1:${port}`, log: () => log.join("\n"), start, stop, asked };

  async function start() {
    await server.start();
    isUp = true;
  }

  async function stop() {
    // It may be on its way out already: Ctrl-C reaches every process of a terminal.
    before = await asked().catch(() => before);
    isUp = false;
    await server.stop();
  }

  /** How often it has been asked for keys, sessions and tokens; while it is stopped, until then. */
  async function asked() {
    if (!isUp) return { ...before, stopped: true };
    const { keys, session, token } = await (await fetch(`http://127.0.0.1:${adminPort}`)).json();
    return { keys: before.keys + keys, session: before.session + session, token: before.token + token };
  }
}

/** The Rust Worker in workerd. `log` is what it has said, for the reader of a failure. */
async function startWorkerd({ publicOrigin, origin, config, env }) {
  const bindings = { ORIGIN_URL: origin, PUBLIC_ORIGIN: publicOrigin, DOORWARD: config, ...env };
  const worker = await startWorker(await import("miniflare"), { port: Number(new URL(publicOrigin).port), bindings });
  return { name: "Rust Worker in workerd", ...worker };
}

/** `doorward/node` in this process. */
async function startNode({ publicOrigin, origin, config, env }) {
  const { createProxy } = await import("../../middleware/on/node.js");
  const log = [];
  const server = createServer(createProxy({ origin, config, env, publicOrigin, log: (line) => log.push(line) }));
  server.listen({ host: "127.0.0.1", port: Number(new URL(publicOrigin).port) });
  await once(server, "listening");
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { name: `doorward/node, Node ${process.versions.node}`, log: () => log.join("\n"), stop };
}
