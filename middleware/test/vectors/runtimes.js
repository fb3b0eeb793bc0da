// The runtimes in which the vectors are played. Each gets the package by its name and its own export condition, as an
// application would, and gives back what `judge` found.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EdgeVM } from "@edge-runtime/vm";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

import { judge } from "./judge.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const WASM = new URL("../../wasm/doorward_bg.wasm", import.meta.url);

export const runtimes = { node: inNode, "edge-runtime": inEdgeRuntime, workerd: inWorkerd };

async function inNode(files) {
  const { createGate } = await import("doorward");
  return judge(createGate, files);
}

async function inEdgeRuntime(files) {
  const code = await bundle(
    "edge-light",
    `globalThis.play = async (files) => JSON.stringify(await judge(createGate, JSON.parse(files)));`,
    {
      name: "wasm-module",
      setup(build) {
        build.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm-module" }));
        build.onLoad({ filter: /.*/, namespace: "wasm-module" }, () => ({ contents: "export default globalThis.wasmModule" }));
      },
    },
  );
  const wasmModule = await WebAssembly.compile(await readFile(WASM));
  const vm = new EdgeVM({ extend: (context) => Object.assign(context, { wasmModule }) });
  vm.evaluate(code);
  return JSON.parse(await vm.context.play(JSON.stringify(files)));
}

async function inWorkerd(files) {
  const contents = await bundle(
    "workerd",
    `export default { fetch: async (request) => Response.json(await judge(createGate, await request.json())) };`,
    {
      name: "wasm-module",
      setup(build) {
        build.onResolve({ filter: /\.wasm$/ }, () => ({ path: "./doorward_bg.wasm", external: true }));
      },
    },
  );
  const miniflare = new Miniflare({
    compatibilityDate: "2026-04-20",
    cf: false,
    modules: [
      { type: "ESModule", path: "worker.mjs", contents },
      { type: "CompiledWasm", path: "doorward_bg.wasm", contents: await readFile(WASM) },
    ],
  });
  try {
    const response = await miniflare.dispatchFetch("http://gate.test/", { method: "POST", body: JSON.stringify(files) });
    return await response.json();
  } finally {
    await miniflare.dispose();
  }
}

/** The package under an export condition, with `judge` and one more line, as one file. */
async function bundle(condition, line, plugin) {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createGate } from "doorward";\nimport { judge } from "./judge.js";\n${line}`,
      resolveDir: HERE,
    },
    bundle: true,
    write: false,
    format: condition === "workerd" ? "esm" : "iife",
    conditions: [condition],
    plugins: [plugin],
    logLevel: "silent",
  });
  return outputFiles[0].text;
}
