// The gate against another version of Better Auth than the lock file's: every host with every kind of
// cookie cache, and the secondary storage. Writes a table in Markdown.
//
//   node against.mjs [version]     a version or a tag of the npm registry; `latest` by default
//
// Needs what `cargo xtask build` and `npm ci` leave; `npm ci` brings the lock file's version back.
// Exit 0: everything is as expected; 1: something is not; 2: used wrongly.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const [wanted = "latest", ...more] = process.argv.slice(2);
if (more.length > 0 || !/^[\w.-]+$/.test(wanted)) {
  console.error("against: error: one version or tag of Better Auth is all that can be said");
  console.error("against: hint: node against.mjs latest");
  process.exit(2);
}

const locked = installed();
const install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", `better-auth@${wanted}`];
execFileSync("npm", install, { cwd: HERE, stdio: ["ignore", 2, 2] });

const checks = [["secondary storage", ["--test", "secondary-storage.test.mjs"]]];
for (const host of ["worker", "node"]) {
  for (const strategy of ["compact", "jwt", "jwe"]) {
    checks.push([`demo, ${host}, ${strategy}`, ["script.mjs", "--host", host, "--strategy", strategy]]);
  }
}

console.log(`## Better Auth ${installed()} (${wanted})\n\nThe lock file has ${locked}.\n`);
console.log("| check | result | seconds |\n|---|---|--:|");
let failed = 0;
for (const [name, command] of checks) {
  const begin = Date.now();
  const { status } = spawnSync(process.execPath, command, { cwd: HERE, stdio: ["ignore", 2, 2] });
  if (status !== 0) failed += 1;
  console.log(`| ${name} | ${status === 0 ? "passed" : "**failed**"} | ${((Date.now() - begin) / 1000).toFixed(1)} |`);
}
console.log(`\n${checks.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** The version that the demo's services import: npm puts it here or at the root of the workspace. */
function installed() {
  const manifests = [HERE, ROOT].map((folder) => path.join(folder, "node_modules/better-auth/package.json"));
  return JSON.parse(readFileSync(manifests.find((manifest) => existsSync(manifest)), "utf8")).version;
}
