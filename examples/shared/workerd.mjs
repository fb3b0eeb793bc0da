// The Rust Worker in workerd, set up as `wrangler.toml` says.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const fromHere = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Starts it on that port with these variables.
 *
 * @param {object} miniflare the package, as its user has installed it
 * @param {object} how
 * @param {(line: string) => void} [how.onLine] hears each line that the gate logs
 * @returns {Promise<{log: () => string, stop: () => Promise<void>}>} `log` is what the gate has said
 */
export async function startWorker({ Miniflare, NoOpLog }, { port, bindings, onLine }) {
  const manifest = await readFile(fromHere("../../wrangler.toml"), "utf8");
  const setting = (name) => new RegExp(`^${name} = "(.+)"`, "m").exec(manifest)?.[1];
  const script = fromHere(`../../${setting("main")}`);
  if (!existsSync(script)) throw Object.assign(new Error("the Worker is not built"), { hint: "cargo xtask build" });

  let log = "";
  const forSignals = listeners();
  const workerd = new Miniflare({
    host: "127.0.0.1",
    port,
    modules: true,
    modulesRules: [{ type: "ESModule", include: ["**/*.js"] }, { type: "CompiledWasm", include: ["**/*.wasm"] }],
    scriptPath: script,
    modulesRoot: dirname(script),
    compatibilityDate: setting("compatibility_date"),
    bindings,
    cf: false,
    log: new NoOpLog(),
    handleRuntimeStdio: (...streams) => {
      for (const stream of streams) {
        stream.on("data", (chunk) => (log += chunk));
        if (onLine) createInterface({ input: stream }).on("line", onLine);
      }
    },
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
  return { log: () => log, stop: () => workerd.dispose() };
}

const listeners = () => ["SIGINT", "SIGTERM"].flatMap((signal) => process.listeners(signal).map((listener) => [signal, listener]));
