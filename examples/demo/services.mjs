// What the demo starts: the auth service as a process that can be stopped and started again, and the gate on either host.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startWorker } from "../shared/workerd.mjs";
import { config, variables } from "./config.mjs";

const fromHere = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The auth service. `start` after `stop` finds the same port, the same keys and the same sessions. */
export function authService(environment) {
  let child;
  let admin;
  let before = { keys: 0, session: 0, token: 0 };
  const service = { url: undefined, database: undefined, start, stop, asked };
  return service;

  async function start() {
    await stop();
    const known = service.url ? { PORT: new URL(service.url).port } : {};
    // Over the IPC channel the service notices when this process is gone, however it went.
    child = spawn(process.execPath, [fromHere("auth-service.mjs")], {
      env: { ...process.env, ...environment, ...known },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    const lines = createInterface({ input: child.stdout });
    const started = await Promise.race([firstLine(lines), once(child, "exit").then(([code]) => ({ event: `exit ${code}` }))]);
    if (started.event !== "listening") throw new Error(`the auth service did not start: ${JSON.stringify(started)}`);
    lines.on("line", (line) => console.error(line));
    service.url = started.url;
    service.database = started.database;
    admin = started.admin;
  }

  async function stop() {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    // It may be on its way out already: Ctrl-C reaches every process of a terminal.
    before = await asked().catch(() => before);
    child.kill("SIGTERM");
    const impatient = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(impatient);
  }

  /** How often it has been asked for keys, sessions and tokens; while it is stopped, until then. */
  async function asked() {
    if (child.exitCode !== null || child.signalCode !== null) return { ...before, stopped: true };
    const { keys, session, token } = await (await fetch(admin)).json();
    return { keys: before.keys + keys, session: before.session + session, token: before.token + token };
  }
}

async function firstLine(lines) {
  const [line] = await once(lines, "line");
  return JSON.parse(line);
}

/**
 * The gate on the host of that name, in front of `origin`, on `port`.
 *
 * @returns {Promise<{log: () => string, stop: () => Promise<void>}>} `log` is what the gate has said, for the reader of a failure
 */
export async function startGate(host, options) {
  return host === "worker" ? startWorkerd(options) : startNode(options);
}

/** The Rust Worker in workerd, with the demo's variables. */
async function startWorkerd({ publicOrigin, origin, api, authService, secret }) {
  const bindings = { ORIGIN_URL: origin, PUBLIC_ORIGIN: publicOrigin, DOORWARD: config, ...variables({ publicOrigin, api, authService, secret }) };
  const worker = await startWorker(await import("miniflare"), { port: Number(new URL(publicOrigin).port), bindings });
  return { name: "Rust Worker in workerd", ...worker };
}

/** `doorward/node` in this process. */
async function startNode({ publicOrigin, origin, api, authService, secret }) {
  const { createProxy } = await import("../../middleware/on/node.js");
  const env = variables({ publicOrigin, api, authService, secret });
  const log = [];
  const proxy = createProxy({ origin, config, env, publicOrigin, log: (line) => log.push(line) });
  const server = createServer(proxy);
  server.listen({ host: "127.0.0.1", port: Number(new URL(publicOrigin).port) });
  await once(server, "listening");
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { name: `doorward/node, Node ${process.versions.node}`, log: () => log.join("\n"), stop };
}
