// The decision vectors, played by this host's own code; the comparator is the one of all hosts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { falsified, judge, line, vectorFiles } from "../../tests/vectors/compare.mjs";
import { build, root } from "./harness.js";
import { inWorker } from "./vectors/play.js";

const folder = path.resolve(process.env.DOORWARD_VECTORS || path.join(root, "tests/vectors/decisions"));

test("the decision vectors hold in the Worker, and no false one would", async (t) => {
  const files = await vectorFiles(folder);
  const lines = await inWorker(files);
  const { cases, failures } = await judge(files, lines);
  t.diagnostic(`worker: ${cases} cases`);
  assert.ok(cases > 0, `there are no vectors in ${folder}`);
  assert.deepEqual(failures.map(line), []);
  const { told, missed } = await falsified(files, lines);
  t.diagnostic(`falsified: ${Object.entries(told).map(([member, times]) => `${member} ${times}`).join(", ")}`);
  assert.deepEqual(missed.map(line), []);
});

test("what brings clock and results is not in the Worker that is deployed", async () => {
  const [glue, wasm] = await Promise.all(["gate.js", "gate_bg.wasm"].map((name) => readFile(path.join(build, name))));
  assert.doesNotMatch(glue.toString(), /script\.js|restart/);
  assert.deepEqual(WebAssembly.Module.exports(await WebAssembly.compile(wasm)).filter(({ name }) => name === "restart"), []);
  assert.deepEqual(WebAssembly.Module.imports(await WebAssembly.compile(wasm)).filter(({ module }) => module.includes("script")), []);
  for (const word of ["headers_too_large", "response_headers"]) assert.equal(wasm.includes(word), false, word);
});
