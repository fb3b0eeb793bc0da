// Writes `decisions/*.json`: one file per topic of `topics/`. Expectations are written by hand in the topics; nothing here
// or there runs Doorward. The same topics always give the same bytes; the files are committed, and this is run to add cases.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";

const FOLDER = new URL("decisions/", import.meta.url);
const TOPICS = new URL("topics/", import.meta.url);

mkdirSync(FOLDER, { recursive: true });
let total = 0;
for (const file of readdirSync(TOPICS).sort()) {
  const { policies, cases } = await import(new URL(file, TOPICS));
  check(file, policies, cases);
  total += cases.length;
  const name = file.replace(/\.mjs$/, ".json");
  const head = JSON.stringify({ policies }, null, 2).slice(0, -2);
  // One case per line: a change shows as the lines of the cases that it changes.
  const lines = cases.map((vector) => `    ${JSON.stringify(vector)}`).join(",\n");
  writeFileSync(new URL(name, FOLDER), `${head},\n  "cases": [\n${lines}\n  ]\n}\n`);
  console.log(`${name}: ${cases.length} cases`);
}
console.log(`${total} cases`);

/** A case that cannot be run, or that runs as another, is a mistake of the topic. */
function check(file, policies, cases) {
  const seen = new Map();
  for (const { name, policy, after, now_ms, expect } of cases) {
    const wrong = (problem) => {
      throw new Error(`${file}: ${name}: ${problem}`);
    };
    if (seen.has(name)) wrong("there are two of this name");
    if (!policies[policy]) wrong(`there is no policy ${policy}`);
    if (after && seen.get(after)?.policy !== policy) wrong(`there is no earlier case ${after} with its policy`);
    if (after && seen.get(after).now_ms > now_ms) wrong("time runs backwards");
    if (["forward", "redirect", "reject", "respond"].filter((outcome) => expect[outcome]).length !== 1) wrong("it expects not one outcome");
    if (!expect.effects) wrong("it does not say its effects");
    seen.set(name, { policy, now_ms });
  }
  for (const name of Object.keys(policies)) {
    if (!cases.some(({ policy }) => policy === name)) throw new Error(`${file}: no case uses the policy ${name}`);
  }
}
