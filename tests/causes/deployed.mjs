// Gates as they are deployed: a built Next app that is served by `next start`, and the Worker in
// workerd. Each is built once for all rows; a row starts it with variables of its own.

import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Miniflare } from "miniflare";

import { install, run, serve } from "../../middleware/test/apps/lib.js";
import { SECRET } from "./lab.mjs";

const NEXT = join("node_modules", "next", "dist", "bin", "next");
const WORKER = fileURLToPath(new URL("../../worker/build", import.meta.url));

let installed;
const built = new Map();

/** The app of `middleware/test/apps/next` with this gate (a file of its `gates/`), built. */
function nextApp(gate) {
  if (!built.has(gate)) {
    // One after the other: the gate's file is in the app's root.
    const before = [...built.values()].at(-1)?.catch(() => {});
    built.set(
      gate,
      (async () => {
        await before;
        const cwd = await (installed ??= install("next"));
        await rm(join(cwd, "proxy.ts"), { force: true });
        if (gate) await copyFile(join(cwd, "gates", gate), join(cwd, "proxy.ts"));
        const env = { APP_DIST: `.next-${gate ?? "none"}` };
        await run(process.execPath, [NEXT, "build"], { cwd, env });
        return { cwd, env };
      })(),
    );
  }
  return built.get(gate);
}

/** `next start` of that app with these variables: what sends a request on to it. */
export async function next(lab, gate, variables) {
  const { cwd, env } = await nextApp(gate);
  const server = await serve([NEXT, "start", "-p", "0", "-H", "127.0.0.1"], {
    cwd,
    env: { ...env, ...defined(variables) },
    ready: /Ready in/,
  });
  lab.atEnd(() => server.stop());
  return lab.forward(Number(/127\.0\.0\.1:(\d+)/.exec(server.log)[1]));
}

/** The Worker before an origin, with these bindings: what sends a request on to it. */
export async function worker(lab, origin, bindings) {
  const gate = new Miniflare({
    modules: true,
    scriptPath: join(WORKER, "worker.js"),
    modulesRoot: WORKER,
    modulesRules: [
      { type: "ESModule", include: ["**/*.js"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
    cf: false,
    compatibilityDate: "2026-04-20",
    bindings: { ORIGIN_URL: origin, ...defined(bindings) },
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr]) stream.resume();
    },
  });
  lab.atEnd(() => gate.dispose());
  return lab.forward(Number((await gate.ready).port));
}

const defined = (variables) => Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));

/** The variables of a gate that are as they should be. */
export const right = (site) => ({ BETTER_AUTH_URL: site, BETTER_AUTH_SECRET: SECRET });
