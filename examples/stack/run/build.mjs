// What the services need before they can start: the auth service as JavaScript, the frontend as Next builds it, the API's Python packages.
// Each is made again only when what it is made of has changed.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { install } from "../../../middleware/test/apps/lib.js";
import { packageFolder } from "../../shared/packages.mjs";
import { run } from "../../shared/processes.mjs";
import { distFolder, folder } from "./services.mjs";

/** Where everything lands that is made here. */
export const target = join(resolve(folder("../.."), process.env.CARGO_TARGET_DIR ?? "target"), "stack");

/** @param {import("./services.mjs").Front[]} fronts */
export async function buildAll(fronts, say) {
  await mkdir(target, { recursive: true });
  await buildAuthService(say);
  const python = await installApi(say);
  const frontend = await buildFrontend(fronts, say);
  return { python, frontend };
}

async function buildAuthService(say) {
  const source = folder("auth-service");
  const made = await digestOf(join(source, "src"), folder("../../package-lock.json"), join(source, "tsconfig.json"));
  await once(join(source, "dist"), made, async () => {
    say("auth service: tsc");
    await rm(join(source, "dist"), { recursive: true, force: true });
    const typescript = packageFolder("typescript", join(source, "package.json"));
    await run([process.execPath, join(typescript, "bin/tsc")], { cwd: source });
  });
}

async function installApi(say) {
  const venv = join(target, "python");
  const python = join(venv, "bin/python");
  const requirements = join(folder("api"), "requirements.txt");
  const verifier = folder("../../origin/python");
  await once(venv, await digestOf(requirements, join(verifier, "src"), join(verifier, "pyproject.toml")), async () => {
    say("API: pip install");
    await rm(venv, { recursive: true, force: true });
    await run(["python3", "-m", "venv", venv]);
    await run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], { cwd: folder("api") });
  });
  say("API: doorward_origin check");
  // Of packages and source. Its variables are not there yet; the API looks at them when it starts.
  await run([python, "-m", "doorward_origin", "check", "--no-environment", "--strict"], { cwd: folder("api"), env: { PYTHONDONTWRITEBYTECODE: "1" } });
  return python;
}

/** Next built once for each front: with `proxy.ts`, and without it for the Worker, which stands in front by itself. */
async function buildFrontend(fronts, say) {
  const source = folder("frontend");
  const made = await digestOf(source, ...["wasm", "on", "origin"].map((part) => folder(`../../middleware/${part}`)), ...(await modules(folder("../../middleware"))));
  const known = join(target, "frontend.json");
  const before = existsSync(known) ? JSON.parse(await readFile(known, "utf8")) : {};
  if (before.made === made && fronts.every((front) => existsSync(join(before.app, distFolder(front), "BUILD_ID")))) return before.app;

  const app = await install("stack-frontend", source);
  for (const front of ["next", "worker"].filter((front) => fronts.includes(front))) {
    say(`frontend: next build, ${front === "next" ? "with proxy.ts" : "without it, for the Worker"}`);
    const [gate, aside] = [join(app, "proxy.ts"), join(app, "proxy.ts.aside")];
    if (front === "worker") await rename(gate, aside);
    await run([process.execPath, "node_modules/next/dist/bin/next", "build"], { cwd: app, env: { DIST_FOLDER: distFolder(front) } });
    if (front === "worker") await rename(aside, gate);
  }
  await writeFile(known, JSON.stringify({ made, app }));
  return app;
}

/** Does the work unless it has been done for just this before. */
async function once(result, made, work) {
  const marker = join(result, ".made-of");
  if (existsSync(marker) && (await readFile(marker, "utf8")) === made) return;
  await work();
  await writeFile(marker, made);
}

const modules = async (source) =>
  (await readdir(source)).filter((name) => /\.(js|d\.ts|json)$/.test(name)).map((name) => join(source, name));

async function digestOf(...paths) {
  const hash = createHash("sha256");
  for (const path of paths) await digestInto(hash, path);
  return hash.digest("hex");
}

async function digestInto(hash, path) {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return hash.update(path).update(await readFile(path));
  for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!["node_modules", "dist", "next-env.d.ts", "__pycache__"].includes(name) && !name.startsWith(".next")) await digestInto(hash, join(path, name));
  }
  return hash;
}
