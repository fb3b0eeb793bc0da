// An app as its user has it: copied, installed from its own lock file, then the npm package from the tarball, built and served.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "../../examples/shared/port.mjs";
import { isListening } from "./client.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
/** Where all of it is installed. */
export const WORK = join(resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target"), "hosts");

const STARTS_IN_MS = 90_000;
const QUIET = ["--no-fund", "--no-audit", "--loglevel=error", "--no-progress"];
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/** One line per phase: a build takes long enough that somebody wonders. */
export const progress = (line) => process.stderr.write(`# ${line}\n`);

/** The npm package as it would be published: its tarball. */
export async function packed() {
  mkdirSync(WORK, { recursive: true });
  const folder = mkdtempSync(join(WORK, "pack-"));
  const out = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: join(ROOT, "middleware") });
  const tarball = join(folder, out.trim().split("\n").at(-1));
  // npm takes a tarball of the same name for the same tarball.
  const unique = join(WORK, `doorward-${digest(readFileSync(tarball))}.tgz`);
  cpSync(tarball, unique);
  rmSync(folder, { recursive: true });
  return unique;
}

/** A Node of that version or newer: this one, or the one that npm has. */
export async function nodeOf(wanted) {
  if (Number(process.versions.node.split(".")[0]) >= wanted) return process.execPath;
  const folder = join(WORK, `node-${wanted}`);
  const program = join(folder, "node_modules/node/bin/node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    progress(`npm install node@${wanted}`);
    await run("npm", ["install", ...QUIET, `node@${wanted}`], { cwd: folder });
  }
  return program;
}

/** Copies an app and installs it. What npm has installed stays from run to run. */
export async function install({ name, node, tarball }) {
  const folder = join(WORK, "apps", name);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) {
    if (!["node_modules", ".installed"].includes(entry)) rmSync(join(folder, entry), { recursive: true });
  }
  const isSource = (path) => !/[\\/](node_modules|build|dist|\.next|\.output|\.react-router|\.svelte-kit|\.astro|\.nuxt|\.tanstack)([\\/]|$)/.test(path.slice(HERE.length));
  cpSync(join(HERE, name), folder, { recursive: true, filter: isSource });
  const marker = join(folder, ".installed");
  const wanted = digest(readFileSync(join(folder, "package-lock.json"))) + tarball;
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return folder;
  const env = pathWith(node);
  rmSync(marker, { force: true });
  await run("npm", ["ci", ...QUIET], { cwd: folder, env });
  await run("npm", ["install", ...QUIET, "--no-save", tarball], { cwd: folder, env });
  writeFileSync(marker, wanted);
  return folder;
}

/** Removes what npm has installed for an app. */
export function clean(name) {
  rmSync(join(WORK, "apps", name), { recursive: true, force: true, maxRetries: 3 });
}

/** Runs a command to its end and gives what it wrote; what a failed one wrote is in the error. */
export function run(command, args, { cwd, env = {} }) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let all = "";
    child.stdout.on("data", (chunk) => ((out += chunk), (all += chunk)));
    child.stderr.on("data", (chunk) => (all += chunk));
    child.on("error", failed);
    child.on("close", (code) => (code === 0 ? done(out) : failed(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${all.slice(0, 1500)}\n${all.slice(1500).slice(-2500)}`))));
  });
}

/**
 * Serves an app: `[program, ...args]`, where `node` is the Node that the app asks for. A group of its own: many tools leave children behind.
 * `mayEnd`: it is waited for whether it listens or ends.
 */
export async function serve([program, ...args], { cwd, node, env: more, mayEnd = false }) {
  const port = await freePort();
  const env = { ...pathWith(node), PORT: String(port), HOST: "127.0.0.1", PUBLIC_ORIGIN: `http://127.0.0.1:${port}`, ...more };
  const given = args.map((arg) => arg.replace(/\$([A-Z_]+)/g, (_, name) => env[name]));
  const child = spawn(program === "node" ? node : program, given, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"], detached: true });
  const server = { port, log: "", exit: undefined, stop };
  child.stdout.on("data", (chunk) => (server.log += chunk));
  child.stderr.on("data", (chunk) => (server.log += chunk));
  child.on("error", (error) => (server.log += error.message));
  const gone = new Promise((done) => child.on("close", (code, signal) => done((server.exit = code ?? signal))));
  for (const until = Date.now() + STARTS_IN_MS; !(await isListening(port)); ) {
    if (server.exit !== undefined && mayEnd) return server;
    if (server.exit !== undefined || Date.now() > until) {
      await stop();
      throw new Error(`it does not listen (${server.exit ?? "too late"}):\n${server.log.slice(-4000)}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return server;

  async function stop() {
    if (server.exit !== undefined || child.pid === undefined) return;
    end(child.pid, "SIGTERM");
    const force = setTimeout(() => end(child.pid, "SIGKILL"), 3000);
    await gone;
    clearTimeout(force);
    // Those that its first process has left.
    end(child.pid, "SIGKILL");
  }
}

function end(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // It is gone.
  }
}

/** Bytes of all files below a folder, or of a file. */
export function bytesOf(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, entry) => sum + bytesOf(join(path, entry)), 0);
}

/** The version of a package that an app has installed. */
export function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version;
}

const pathWith = (node) => ({ PATH: [dirname(node), process.env.PATH].join(delimiter) });

function environment(more) {
  // What the tests' own runner and a developer's shell have set says nothing about the app.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(NODE_(OPTIONS|ENV|TEST|V8)|VERCEL|NEXT_|BETTER_AUTH|AUTH_|DOORWARD|PORT$|PUBLIC_ORIGIN)/.test(name));
  const quiet = { CI: "1", NEXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", DO_NOT_TRACK: "1" };
  return { ...Object.fromEntries(inherited), ...quiet, ...more };
}
