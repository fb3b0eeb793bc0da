// Runtimes other than Node, with a program in them that imports the package by its name, as an application would.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EdgeVM } from "@edge-runtime/vm";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const WASM = new URL("../wasm/doorward_bg.wasm", import.meta.url);

/**
 * Vercel's edge runtime with this program in it. What the program puts on `globalThis` is on the result.
 *
 * @param {string} program
 * @param {URL} [wasm] another than the package's
 */
export async function edgeRuntime(program, wasm = WASM) {
  const code = await bundle(program, "edge-light", "iife", (build) => {
    build.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm" }));
    build.onLoad({ filter: /.*/, namespace: "wasm" }, () => ({ contents: "export default globalThis.wasmModule" }));
  });
  const wasmModule = await WebAssembly.compile(await readFile(wasm));
  const vm = new EdgeVM({ extend: (context) => Object.assign(context, { wasmModule }) });
  vm.evaluate(code);
  return vm.context;
}

/**
 * workerd with this program as its module worker. `dispose()` it.
 *
 * @param {string} program
 * @param {URL} [wasm] another than the package's
 */
export async function workerd(program, wasm = WASM) {
  const contents = await bundle(program, "workerd", "esm", (build) => {
    build.onResolve({ filter: /\.wasm$/ }, () => ({ path: "./doorward_bg.wasm", external: true }));
  });
  return new Miniflare({
    compatibilityDate: "2026-04-20",
    cf: false,
    modules: [
      { type: "ESModule", path: "worker.mjs", contents },
      { type: "CompiledWasm", path: "doorward_bg.wasm", contents: await readFile(wasm) },
    ],
  });
}

async function bundle(program, condition, format, setup) {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: HERE },
    bundle: true,
    write: false,
    format,
    conditions: [condition],
    plugins: [{ name: "wasm", setup }],
    logLevel: "silent",
  });
  return outputFiles[0].text;
}
