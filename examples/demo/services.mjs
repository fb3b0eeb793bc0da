// What the demo starts: the auth service as a process that can be stopped and started again, and the gate on either host.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { config, variables } from "./config.mjs";

const fromHere = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A port that nobody listens on at the moment. */
export async function freePort() {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The auth service. `start` after `stop` finds the same port, the same keys and the same sessions. */
export function authService(environment) {
  let child;
  let admin;
  let before = { keys: 0, session: 0 };
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

  /** How often it has been asked for keys and sessions; while it is stopped, until then. */
  async function asked() {
    if (child.exitCode !== null || child.signalCode !== null) return { ...before, stopped: true };
    const { keys, session } = await (await fetch(admin)).json();
    return { keys: before.keys + keys, session: before.session + session };
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
  return host === "worker" ? startWorker(options) : startNode(options);
}

/** The Rust Worker in workerd, set up as `wrangler.toml` says, with the demo's variables. */
async function startWorker({ publicOrigin, origin, authService, secret }) {
  const { Miniflare, NoOpLog } = await import("miniflare");
  const manifest = await readFile(fromHere("../../wrangler.toml"), "utf8");
  const setting = (name) => new RegExp(`^${name} = "(.+)"`, "m").exec(manifest)?.[1];
  const script = fromHere(`../../${setting("main")}`);
  if (!existsSync(script)) throw Object.assign(new Error("the Worker is not built"), { hint: "cargo xtask build" });

  let log = "";
  const forSignals = listeners();
  const workerd = new Miniflare({
    host: "127.0.0.1",
    port: Number(new URL(publicOrigin).port),
    modules: true,
    modulesRules: [{ type: "ESModule", include: ["**/*.js"] }, { type: "CompiledWasm", include: ["**/*.wasm"] }],
    scriptPath: script,
    modulesRoot: dirname(script),
    compatibilityDate: setting("compatibility_date"),
    bindings: { ORIGIN_URL: origin, PUBLIC_ORIGIN: publicOrigin, DOORWARD: config, ...variables({ publicOrigin, authService, secret }) },
    cf: false,
    log: new NoOpLog(),
    handleRuntimeStdio: (out, error) => [out, error].forEach((stream) => stream.on("data", (chunk) => (log += chunk))),
  });
  // Miniflare's own would end this process at once, while the rest is still being stopped.
  for (const [signal, listener] of listeners()) {
    if (!forSignals.some(([, known]) => known === listener)) process.off(signal, listener);
  }
  try {
    await workerd.ready;
  } catch (error) {
    await workerd.dispose();
    throw Object.assign(error, { hint: log.trim() });
  }
  return { name: "Rust Worker in workerd", log: () => log, stop: () => workerd.dispose() };
}

const listeners = () => ["SIGINT", "SIGTERM"].flatMap((signal) => process.listeners(signal).map((listener) => [signal, listener]));

/** `doorward/node` in this process. */
async function startNode({ publicOrigin, origin, authService, secret }) {
  const { createProxy } = await import("../../middleware/on/node.js");
  const env = variables({ publicOrigin, authService, secret });
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
