// The runtimes in which the cases are played: this Node, and workerd.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

export const HERE = fileURLToPath(new URL(".", import.meta.url));
const WASM = new URL("../middleware/wasm/doorward_bg.wasm", import.meta.url);

export const COMPATIBILITY_DATE = "2026-04-20";

/** @typedef {{ calibrate(milliseconds: number): Promise<void>, round(number: number): Promise<object>, stop(): Promise<void> }} Player */

/** @returns {Promise<Player>} */
export async function inNode(fixtures, options) {
  const [glue, { playerOn }] = await Promise.all([import("../middleware/wasm/default.js"), import("./player.js")]);
  return { ...playerOn(glue, fixtures, options), stop: async () => {} };
}

const WORKER = `
import * as glue from "../middleware/wasm/workerd.js";
import { playerOn } from "./player.js";

let player;

export default {
  async fetch(request) {
    const [call, argument] = await request.json();
    if (call === "load") player = playerOn(glue, ...argument);
    else return Response.json((await player[call](argument)) ?? null);
    return Response.json(null);
  },
};
`;

/** @returns {Promise<Player>} */
export async function inWorkerd(fixtures, options) {
  const contents = await bundled(WORKER);
  const worker = new Miniflare({
    compatibilityDate: COMPATIBILITY_DATE,
    cf: false,
    modules: [
      { type: "ESModule", path: "worker.mjs", contents },
      { type: "CompiledWasm", path: "doorward_bg.wasm", contents: await readFile(WASM) },
    ],
  });
  const call = async (...message) => {
    const response = await worker.dispatchFetch("http://bench.test/", { method: "POST", body: JSON.stringify(message) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  await call("load", [fixtures, options]);
  return { calibrate: (ms) => call("calibrate", ms), round: (number) => call("round", number), stop: () => worker.dispose() };
}

/** One module for workerd; `*.wasm` stays an import. */
export async function bundled(contents, options = {}) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: HERE },
    bundle: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*"],
    plugins: [{ name: "wasm", setup: (set) => set.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${path.split("/").at(-1)}`, external: true })) }],
    logLevel: "silent",
    ...options,
  });
  return outputFiles[0].text;
}
