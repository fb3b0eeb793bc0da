// Starts what is asked: each router's server by itself, behind the gate, and behind each planted hole.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../../examples/shared/port.mjs";
import { progress, run, serve, workFolder } from "../../middleware/test/apps/lib.js";
import { routes, site } from "./site.js";

const here = import.meta.dirname;
const nextBin = join("node_modules", "next", "dist", "bin", "next");

/** In its own process: a router of `origins.js` with its gates. */
export async function npmRouter(name, secret) {
  const server = await serveGates({ router: name, ...site, secret });
  return { ports: server.ports, stop: server.stop };
}

/** Starlette by uvicorn, with one of its two HTTP parsers; the gates are proxies. */
export async function starlette(python, parser, secret) {
  const port = await freePort();
  const command = ["-B", "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", String(port), "--http", parser];
  const env = { SITE_ROUTES: JSON.stringify(routes) };
  const options = { cwd: here, env, ready: /Uvicorn running/, command: python };
  return behindProxies(await serve([...command, "--no-access-log"], options), port, { ...site, secret });
}

/** `next start`; the gates are proxies. */
export async function nextStart({ folder, env, framework, site }, secret) {
  const server = await serve([nextBin, "start", "-p", "0", "-H", "127.0.0.1"], { cwd: folder, env, ready: /Ready in/ });
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(server.log)[1]);
  return behindProxies(server, port, { ...site, framework, secret });
}

async function behindProxies(server, port, options) {
  const gates = await serveGates({ origin: `http://127.0.0.1:${port}`, ...options });
  return { ports: { none: port, ...gates.ports }, stop: () => Promise.all([server.stop(), gates.stop()]) };
}

async function serveGates(options) {
  const server = await serve([join(here, "serve.js"), JSON.stringify(options)], { cwd: here, ready: /ports .*\n/ });
  return { ...server, ports: JSON.parse(/ports (.*)\n/.exec(server.log)[1]) };
}

/** Builds the app of `middleware/test/apps/next` without a gate; gives the build's name, which its data requests have. */
export async function buildNext(folder, env) {
  for (const gate of ["proxy.ts", "middleware.ts"]) rmSync(join(folder, gate), { force: true });
  await run(process.execPath, [nextBin, "build"], { cwd: folder, env });
  return readFileSync(join(folder, env.APP_DIST, "BUILD_ID"), "utf8");
}

/** The interpreter of a virtual environment with just the packages of `requirements.txt`; it stays from run to run. */
export async function python() {
  const requirements = join(here, "requirements.txt");
  const folder = join(workFolder, "routers-python");
  const bin = join(folder, ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]));
  // Written last: an interrupted installation is not taken for a finished one.
  const installed = join(folder, "installed.txt");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted && existsSync(bin)) return bin;
  progress("Starlette: a virtual environment");
  await run("python3", ["-m", "venv", "--clear", folder], { cwd: here });
  await run(bin, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], { cwd: here });
  writeFileSync(installed, wanted);
  return bin;
}
