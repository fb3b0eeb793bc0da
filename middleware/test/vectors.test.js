import assert from "node:assert/strict";
import { test } from "node:test";

import { falsified, judge, line } from "../../tests/vectors/compare.mjs";
import { folder, vectorFiles } from "./vectors/files.js";
import { runtimes } from "./vectors/runtimes.js";

const files = await vectorFiles();

// The Worker's own code is played by worker/test/vectors.test.js.
for (const name of ["node", "edge-runtime", "workerd"]) {
  test(`the decision vectors hold in ${name}, and no false one would`, async (t) => {
    const lines = await runtimes[name](files);
    const { cases, failures } = await judge(files, lines);
    t.diagnostic(`${name}: ${cases} cases`);
    assert.ok(cases > 0, `there are no vectors in ${folder}`);
    assert.deepEqual(failures.map(line), []);
    const { told, missed } = await falsified(files, lines);
    t.diagnostic(`falsified: ${Object.entries(told).map(([member, times]) => `${member} ${times}`).join(", ")}`);
    assert.deepEqual(missed.map(line), []);
  });
}
