// What is uploaded: nothing of the machine that built it. `cargo xtask build` says whether it is small enough.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { build, root } from "./harness.js";

test("the WebAssembly names no folder of its builder", async () => {
  const wasm = await readFile(path.join(build, "gate_bg.wasm"));
  for (const folder of [`${homedir()}/`, root]) assert.equal(wasm.includes(folder), false, folder);
});

test("what was planted for the tests is not in it", async () => {
  const wasm = await readFile(path.join(build, "gate_bg.wasm"));
  assert.equal(wasm.includes("x-plant-trap"), false);
});
