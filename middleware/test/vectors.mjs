// node test/vectors.mjs [node] [edge-runtime] [workerd] [worker]
//
// Plays the decision vectors in these runtimes, or in all: the npm package in three, and the Cloudflare Worker's own code (needs
// `npm ci -w worker/test`). Exit 0: every decision is as expected in each; 1: not so, or there was nothing to play; 2: used wrongly.

import { report } from "../../tests/vectors/compare.mjs";
import { folder, vectorFiles } from "./vectors/files.js";
import { runtimes } from "./vectors/runtimes.js";

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(runtimes);
const unknown = wanted.find((name) => !Object.hasOwn(runtimes, name));
if (unknown) {
  console.error(`doorward: error: there is no runtime ${unknown}`);
  console.error(`doorward: hint: one or more of ${Object.keys(runtimes).join(", ")}`);
  process.exit(2);
}

const files = await vectorFiles();
let good = true;
for (const name of wanted) good = (await report(name, folder, files, await runtimes[name](files))) && good;
process.exitCode = good ? 0 : 1;
