// The packed npm package in the folder where it has been installed: what publint and "are the types wrong?" say of it, its command line,
// and the gate in front of a server of Node. Arguments: the packed file, the version. Prints one line.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

import { newSession } from "../fakes/better-auth.mjs";

const [tarball, version] = process.argv.slice(2);
const here = createRequire(import.meta.url);
const installed = path.resolve("node_modules/doorward");
const manifest = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8"));
assert.equal(manifest.version, version);
assert.equal(manifest.private, undefined, "npm does not publish a private package");
for (const name of ["LICENSE", "THIRD-PARTY.txt"]) assert.ok(readFileSync(path.join(installed, name), "utf8").length > 500, name);
const readme = readFileSync(path.join(installed, "README.md"), "utf8");
const relative = [...readme.matchAll(/\]\((?!#|https:)([^)]*)\)/g)].map(([, target]) => target);
assert.deepEqual(relative, [], "links that lead nowhere from npm's page");

run(path.join(path.dirname(here.resolve("publint")), "cli.js"), ["run", tarball, "--strict"]);
// No CommonJS: Node 20.19 and 22.12 `require` modules.
run(here.resolve("@arethetypeswrong/cli/package.json").replace("package.json", "dist/index.js"), [tarball, "--profile", "esm-only", "--exclude-entrypoints", "./doorward.schema.json"]);

const command = path.resolve("node_modules/.bin/doorward");
assert.match(execFileSync(command, ["--version"], { encoding: "utf8" }), new RegExp(version.replaceAll(".", "\\.")));
for (const page of manifest.man) assert.match(readFileSync(path.join(installed, page), "utf8"), /^\.TH DOORWARD/m);

const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const { protect, session } = await import(path.join(installed, "on/node.js"));
const env = { BETTER_AUTH_URL: "http://127.0.0.1:1", BETTER_AUTH_SECRET: secret };
const server = http.createServer(protect({ env, log() {} }, (req, res) => res.end(session(req)?.subject ?? "anonymous")));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const at = (target, headers) => fetch(`http://127.0.0.1:${server.address().port}${target}`, { headers, redirect: "manual" });
const { tokenCookie, dataCookie } = newSession({ secret, user: "ada" });

const refused = await at("/dashboard", { "x-doorward-subject": "root" });
assert.deepEqual([refused.status, (await refused.json()).reason], [401, "no_credential"]);
const known = await at("/dashboard", { cookie: `${tokenCookie}; ${dataCookie}` });
assert.deepEqual([known.status, await known.text()], [200, "ada"]);
const open = await at("/sign-in", { "x-doorward-subject": "root" });
assert.deepEqual([open.status, await open.text()], [200, "anonymous"]);
server.close();
console.log("publint and attw clean; 401 without a session, 200 with one");

function run(program, args) {
  try {
    execFileSync(process.execPath, [program, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch ({ stdout, stderr }) {
    throw new Error(`${path.basename(path.dirname(program))}: ${stdout}${stderr}`);
  }
}
