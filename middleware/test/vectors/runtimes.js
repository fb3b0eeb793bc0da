// The runtimes in which the vectors are played. Each gives back what came of each case.
//
// They are played twice: on the package as it ships, whose outcomes these are, and on the one for conformance suites, which alone
// can say what it finds `session_data` to be (`explain`). `cargo xtask build tests` makes that one.

import { existsSync } from "node:fs";

import { edgeRuntime, workerd } from "../runtimes.js";
import { play } from "./play.js";

const SUITES = new URL("../suites/wasm/doorward_bg.wasm", import.meta.url);

export const runtimes = { node: explained(inNode), "edge-runtime": explained(inEdgeRuntime), workerd: explained(inWorkerd), worker };

function explained(playIn) {
  return async (files) => {
    if (!existsSync(SUITES)) throw new Error(`${SUITES.pathname} is not there: \`cargo xtask build tests\` makes it`);
    const [lines, withDoor] = [await playIn(files, "../wasm"), await playIn(files, "./suites/wasm")];
    return lines.map((line, at) => ({ ...line, outcome: { ...line.outcome, session_data: withDoor[at].outcome.session_data } }));
  };
}

/** Cloudflare's Worker itself, with its own tools. */
async function worker(files) {
  const { inWorker } = await import("../../../worker/test/vectors/play.js");
  return inWorker(files);
}

async function inNode(files, folder) {
  const [glue, { gatesOn }] = await Promise.all([import(`../${folder}/default.js`), import("../../gate.js")]);
  return play(glue, gatesOn, files);
}

const imports = (folder, variant) =>
  `import * as glue from "${folder}/${variant}.js";\nimport { gatesOn } from "../gate.js";\nimport { play } from "./vectors/play.js";\n`;

const wasm = (folder) => (folder === "./suites/wasm" ? SUITES : undefined);

async function inEdgeRuntime(files, folder) {
  const program = "globalThis.play = async (files) => JSON.stringify(await play(glue, gatesOn, JSON.parse(files)));";
  const context = await edgeRuntime(imports(folder, "edge-light") + program, wasm(folder));
  return JSON.parse(await context.play(JSON.stringify(files)));
}

async function inWorkerd(files, folder) {
  const program = "export default { fetch: async (request) => Response.json(await play(glue, gatesOn, await request.json())) };";
  const runtime = await workerd(imports(folder, "workerd") + program, wasm(folder));
  try {
    const response = await runtime.dispatchFetch("http://gate.test/", { method: "POST", body: JSON.stringify(files) });
    return await response.json();
  } finally {
    await runtime.dispose();
  }
}
