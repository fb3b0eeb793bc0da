import assert from "node:assert/strict";
import { test } from "node:test";

import { folder, vectorFiles } from "./vectors/files.js";
import { runtimes } from "./vectors/runtimes.js";

for (const [name, play] of Object.entries(runtimes)) {
  test(`the decision vectors hold in ${name}`, async (t) => {
    const { cases, failures } = await play(await vectorFiles());
    t.diagnostic(`${name}: ${cases} cases`);
    assert.ok(cases > 0, `there are no vectors in ${folder}`);
    assert.deepEqual(failures, []);
  });
}
