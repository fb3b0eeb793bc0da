// Real apps for the tests: installs, builds and serves them, and sends them requests exactly as written.
//
// Three apps are no members of the npm workspace and have a lock file of their own, because they are installed as a user's app is: copied,
// `npm ci` from their own lock, then this package from a tarball.
//   next                     Next takes the folder of the outermost lock file for its root, and does not follow the workspace's links out of it
//   vercel                   `vercel build` traces what it uploads from the app's own node_modules; and 360 MB that nothing else needs
//   examples/stack/frontend  Next as well, and what a team would deploy by itself

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packageFolder = resolve(here, "../..");
/** Where the tests keep what they install and build. */
export const workFolder = join(resolve(packageFolder, "..", process.env.CARGO_TARGET_DIR ?? "target"), "apps");

/** One line per phase: a build takes long enough that somebody wonders. */
export function progress(line) {
  process.stderr.write(`# ${line}\n`);
}

/**
 * A copy of an app with its dependencies and this package installed as npm would install it from the registry: from a tarball,
 * because Turbopack does not follow symlinks out of its root. Dependencies stay from run to run.
 */
export async function install(name, source = join(here, name)) {
  const folder = join(workFolder, name);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) {
    if (!["node_modules", ".installed"].includes(entry)) rmSync(join(folder, entry), { recursive: true });
  }
  cpSync(source, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });

  const marker = join(folder, ".installed");
  const wanted = digest(readFileSync(join(folder, "package-lock.json")));
  if (!existsSync(marker) || readFileSync(marker, "utf8") !== wanted) {
    progress(`${name}: npm ci`);
    await run("npm", ["ci", "--no-progress"], { cwd: folder });
    writeFileSync(marker, wanted);
  }

  progress(`${name}: npm pack and install of doorward`);
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: packageFolder });
  const tarball = packed.trim().split("\n").at(-1);
  // npm takes a tarball of the same name for the same tarball.
  const unique = `doorward-${digest(readFileSync(join(folder, tarball))).slice(0, 16)}.tgz`;
  copyFileSync(join(folder, tarball), join(folder, unique));
  await run("npm", ["install", "--no-progress", `./${unique}`], { cwd: folder });
  return folder;
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
    child.on("close", (code) => {
      if (code === 0) done(out);
      else failed(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${all.slice(-4000)}`));
    });
  });
}

/** Starts a server that prints `ready` when it listens; gives its log and a way to stop it. */
export function serve(args, { cwd, env, ready, command = process.execPath }) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    const server = { log: "", stop: () => stop(child) };
    const deadline = setTimeout(
      () => stop(child).then(() => failed(new Error(`not ready after 60 s:\n${server.log}`))),
      60_000,
    );
    const listen = (chunk) => {
      server.log += chunk;
      if (ready.test(server.log)) (clearTimeout(deadline), done(server));
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("close", (code) => (clearTimeout(deadline), failed(new Error(`ended with ${code}:\n${server.log}`))));
  });
}

function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const force = setTimeout(() => child.kill("SIGKILL"), 5000);
    child.on("close", () => (clearTimeout(force), done()));
    child.kill("SIGTERM");
  });
}

function environment(more) {
  // What the tests' own runner and a developer's shell have set says nothing about the app.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_TEST|NODE_OPTIONS|VERCEL|BETTER_AUTH|AUTH_)/.test(name)),
  );
  return { ...inherited, CI: "1", NEXT_TELEMETRY_DISABLED: "1", VERCEL_TELEMETRY_DISABLED: "1", ...more };
}

/** Sends a request with the target and the header names exactly as written, which `fetch` does not. */
export function send(port, target, { method = "GET", headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const outgoing = httpRequest(
      { host: "localhost", port, path: target, method, headers, agent: false, timeout: 20_000 },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk) => (text += chunk));
        incoming.on("end", () => done({ status: incoming.statusCode, headers: incoming.headers, body: text }));
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer to ${method} ${target}`)));
    outgoing.on("error", failed);
    outgoing.end(body);
  });
}

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
