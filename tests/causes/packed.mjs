// The npm package as its users get it: packed, and installed in an empty folder.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Packs the package in `from` and installs it in a new folder: the folder, and a path without Rust. */
export async function installed(from) {
  const folder = await mkdtemp(join(tmpdir(), "doorward-packed-"));
  const { stdout } = await execute("npm", ["pack", "--json", "--pack-destination", folder], { cwd: from });
  const [{ filename, size, entryCount }] = JSON.parse(stdout);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  const quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"];
  await execute("npm", ["install", ...quiet, join(folder, filename)], { cwd: folder });
  console.log(`${filename}: ${size} bytes, ${entryCount} files, installed in an empty folder`);
  const hasRust = (path) => /[\\/](\.cargo|\.rustup|rust)[\\/]/.test(join(path, "/"));
  const others = process.env.PATH.split(delimiter).filter((path) => !hasRust(path));
  const path = [dirname(process.execPath), ...others].join(delimiter);
  const rust = await execute("cargo", ["--version"], { env: { PATH: path } }).catch(() => undefined);
  if (rust) throw new Error("cargo is on the path that should have no Rust");
  return { folder, path, end: () => rm(folder, { recursive: true }) };
}
