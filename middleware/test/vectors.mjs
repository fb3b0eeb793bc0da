// node test/vectors.mjs [node] [edge-runtime] [workerd]
//
// Plays the decision vectors in these runtimes, or in all. Exit 0: every decision is as expected in each; 1: not so, or there
// was nothing to play; 2: used wrongly.

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
for (const name of wanted) {
  const { cases, failures } = await runtimes[name](files);
  console.log(`${name}: ${cases} cases, ${failures.length === 0 && cases > 0 ? "all as expected" : `${failures.length} differences`}`);
  for (const failure of failures) console.error(`  ${failure}`);
  if (cases === 0) console.error(`doorward: error: there are no vectors in ${folder}`);
  good &&= cases > 0 && failures.length === 0;
}
process.exitCode = good ? 0 : 1;
