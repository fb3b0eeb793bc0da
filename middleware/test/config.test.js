// The schema and the types of the configuration, which are made from the core's table: what the core takes they take, and what it
// refuses they refuse, as far as one member tells it (tests/config).

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { promisify } from "node:util";

import Ajv2020 from "ajv/dist/2020.js";

const read = async (path) => JSON.parse(await readFile(new URL(`../../${path}`, import.meta.url), "utf8"));
const validatorOf = async () => new Ajv2020.default({ strict: false, allErrors: true }).compile(await read("schema/doorward.schema.json"));

test("the schema takes every right configuration", async () => {
  const validates = await validatorOf();
  const right = await read("tests/config/right.json");
  for (const { name, config } of right) assert.ok(validates(config), `${name}: ${JSON.stringify(validates.errors)}`);
  // What the vectors play is right as well.
  const { readdir } = await import("node:fs/promises");
  let played = 0;
  for (const file of await readdir(new URL("../../tests/vectors/decisions/", import.meta.url))) {
    const { policies } = await read(`tests/vectors/decisions/${file}`);
    for (const [name, { config }] of Object.entries(policies)) {
      assert.ok(validates(config), `${file}: ${name}: ${JSON.stringify(validates.errors?.slice(0, 3))}`);
      played += 1;
    }
  }
  console.log(`${right.length} right configurations, ${played} of the vectors`);
});

test("the schema refuses every wrong configuration, but for those that are marked", async () => {
  const validates = await validatorOf();
  const wrong = await read("tests/config/wrong.json");
  const unseen = wrong.filter(({ config }) => validates(config)).map(({ name }) => name);
  const marked = wrong.filter(({ unseen }) => unseen).map(({ name }) => name);
  assert.deepEqual(unseen, marked);
  console.log(`${wrong.length} wrong configurations, ${marked.length} of which no schema sees`);
});

test("the types refuse what is misspelt", async () => {
  const require = createRequire(import.meta.url);
  const types = new URL("../node_modules/@types", import.meta.url).pathname;
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--types", "node"];
  const file = new URL("types/config.ts", import.meta.url).pathname;
  await promisify(execFile)(process.execPath, [require.resolve("typescript/bin/tsc"), ...options, file]).catch((error) => assert.fail(error.stdout + types));
});
