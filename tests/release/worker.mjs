// The template of the Worker in its folder, in workerd: with the files that wrangler uploads and the variables of its `wrangler.toml`, in
// front of an origin of this program. Prints one line.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";

import { Miniflare } from "miniflare";
import { newSession } from "../fakes/better-auth.mjs";

const settings = readFileSync("wrangler.toml", "utf8");
const setting = (name) => new RegExp(`^${name} = "(.*)"$`, "m").exec(settings)?.[1] ?? assert.fail(`wrangler.toml has no ${name}`);
const main = path.resolve(setting("main"));
const folder = path.dirname(main);
for (const name of ["LICENSE", "THIRD-PARTY.txt"]) assert.ok(readFileSync(name, "utf8").length > 500, name);

const origin = http.createServer((req, res) => res.end(req.headers["x-doorward-subject"] ?? "anonymous"));
await new Promise((done) => origin.listen(0, "127.0.0.1", done));
const at = `http://127.0.0.1:${origin.address().port}`;
const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

const worker = new Miniflare({
  modules: true,
  scriptPath: main,
  modulesRoot: folder,
  modulesRules: [
    { type: "ESModule", include: ["**/*.js"] },
    { type: "CompiledWasm", include: ["**/*.wasm"] },
  ],
  cf: false,
  compatibilityDate: setting("compatibility_date"),
  bindings: { ORIGIN_URL: at, BETTER_AUTH_URL: at, BETTER_AUTH_SECRET: secret },
  handleRuntimeStdio() {},
});
const url = await worker.ready;
const ask = (target, headers) => fetch(new URL(target, url), { headers, redirect: "manual" });
const { tokenCookie, dataCookie } = newSession({ secret, user: "ada" });

const refused = await ask("/dashboard", { "x-doorward-subject": "root" });
assert.deepEqual([refused.status, (await refused.json()).reason], [401, "no_credential"]);
const known = await ask("/dashboard", { cookie: `${tokenCookie}; ${dataCookie}` });
assert.deepEqual([known.status, await known.text()], [200, "ada"]);
const open = await ask("/sign-in", { "x-doorward-subject": "root" });
assert.deepEqual([open.status, await open.text()], [200, "anonymous"]);

await worker.dispose();
origin.close();
console.log("deployed on paper; in workerd 401 without a session, 200 with one");
