// The runtimes in which the vectors are played. Each gives back what `judge` found.

import { edgeRuntime, workerd } from "../runtimes.js";
import { judge } from "./judge.js";

const IMPORTS = 'import { createGate } from "doorward";\nimport { judge } from "./vectors/judge.js";\n';

export const runtimes = { node: inNode, "edge-runtime": inEdgeRuntime, workerd: inWorkerd };

async function inNode(files) {
  const { createGate } = await import("doorward");
  return judge(createGate, files);
}

async function inEdgeRuntime(files) {
  const play = "globalThis.play = async (files) => JSON.stringify(await judge(createGate, JSON.parse(files)));";
  const context = await edgeRuntime(IMPORTS + play);
  return JSON.parse(await context.play(JSON.stringify(files)));
}

async function inWorkerd(files) {
  const play = "export default { fetch: async (request) => Response.json(await judge(createGate, await request.json())) };";
  const worker = await workerd(IMPORTS + play);
  try {
    const response = await worker.dispatchFetch("http://gate.test/", { method: "POST", body: JSON.stringify(files) });
    return await response.json();
  } finally {
    await worker.dispose();
  }
}
