// What is uploaded: small enough, and nothing of the machine that built it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { build, root } from "./harness.js";

test("the WebAssembly is within its budget and names no folder of its builder", async () => {
  const wasm = await readFile(path.join(build, "gate_bg.wasm"));
  assert.ok(gzipSync(wasm, { level: 9 }).length <= 368 * 1024);
  for (const folder of [`${homedir()}/`, root]) assert.equal(wasm.includes(folder), false, folder);
});

test("what was planted for the tests is not in it", async () => {
  const wasm = await readFile(path.join(build, "gate_bg.wasm"));
  assert.equal(wasm.includes("x-plant-trap"), false);
});
