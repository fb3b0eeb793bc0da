// What each artefact weighs, as it is and after `gzip -9`: ours as it is built, the rivals bundled and minified.

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

import { bundled, HERE } from "./runtimes.mjs";
import { HONO } from "./worker.mjs";

const root = path.join(HERE, "..");

const RIVALS = {
  "jose": 'export { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from "jose";',
  "jose + better-auth/cookies": 'export { createRemoteJWKSet, jwtVerify } from "jose"; export { getCookieCache } from "better-auth/cookies";',
  "getSessionCookie alone": 'export { getSessionCookie } from "better-auth/cookies";',
  "hono/jwk": 'export { Hono } from "hono"; export { jwk } from "hono/jwk";',
  "hono + jose Worker": HONO,
};

/** Bytes by artefact: `{ raw, gzip }`. */
export async function sizes() {
  const wasm = await readFile(path.join(root, "middleware/wasm/doorward_bg.wasm"));
  const worker = await readFile(path.join(root, "worker/build/gate_bg.wasm"));
  const code = await bundled('export { createGate } from "../middleware/on/workerd.js";', { minify: true });
  const weighed = {
    "middleware: WebAssembly": weigh(wasm),
    "middleware: code around it": weigh(code),
    "Worker: WebAssembly": weigh(worker),
    "Worker: code around it": weigh((await scripts(path.join(root, "worker/build"))).join("\n")),
  };
  for (const [name, program] of Object.entries(RIVALS)) weighed[name] = weigh(await bundled(program, { minify: true }));
  return weighed;
}

async function scripts(folder) {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".js"));
  return Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
}

function weigh(content) {
  const bytes = Buffer.from(content);
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}
