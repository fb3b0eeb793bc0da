// A throw-away PostgreSQL cluster: made in a temporary folder, gone with it.

import { existsSync } from "node:fs";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { outcome, run, service } from "./processes.mjs";

export function cluster(port) {
  let folder;
  let server;
  return { name: "PostgreSQL, a throw-away cluster", url: `postgres://doorward@127.0.0.1:${port}/postgres`, start, stop, isRunning: () => server?.isRunning() ?? false };

  async function start() {
    const bin = await programs();
    const owner = await whoMayRun();
    folder = await mkdtemp(join(tmpdir(), "doorward-postgres-"));
    if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid);
    const data = join(folder, "data");
    await run([join(bin, "initdb"), "-A", "trust", "-U", "doorward", "-N", "-D", data], { ...owner, cwd: folder });
    server = service("PostgreSQL", {
      command: [join(bin, "postgres"), "-D", data, "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
      ready: /ready to accept connections/,
      // The "fast" way to end: it does not wait for clients.
      signal: "SIGINT",
      spawn: { ...owner, cwd: folder },
    });
    await server.start();
  }

  async function stop() {
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Debian keeps the server's programs off the PATH, one folder for each version. */
async function programs() {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? await readdir(root) : [];
  const newest = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, "bin"));
  const found = [...newest, ...process.env.PATH.split(":")].find((folder) => existsSync(join(folder, "initdb")));
  if (!found) throw Object.assign(new Error("PostgreSQL is not installed"), { hint: "apt-get install --no-install-recommends postgresql" });
  return found;
}

/** PostgreSQL refuses to run as root. */
async function whoMayRun() {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(["-u", "-g"].map(async (flag) => Number((await outcome(["id", flag, "postgres"])).output)));
  return { uid, gid };
}
