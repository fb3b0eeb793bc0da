// Plays decision vectors by the Worker's own code in real workerd: the build with the feature `conformance`, which
// `cargo xtask build tests` makes.

import path from "node:path";
import { Miniflare } from "miniflare";

import { compatibilityDate, variant } from "../harness.js";

/**
 * @param {{ name: string, text: string }[]} files
 * @returns {Promise<{ file: string, number: number, outcome: object }[]>} what came of each case
 */
export async function inWorker(files) {
  const folder = variant("conformance");
  const worker = new Miniflare({
    modules: true,
    scriptPath: path.join(folder, "entry.js"),
    modulesRoot: folder,
    modulesRules: [
      { type: "ESModule", include: ["**/*.js"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
    cf: false,
    compatibilityDate,
  });
  try {
    const response = await worker.dispatchFetch("http://gate.test/", { method: "POST", body: JSON.stringify(files) });
    return await response.json();
  } finally {
    await worker.dispose();
  }
}
