// Everything that the gates of a test process emit, searched for what is somebody's: the values of
// cookies, tokens and secrets. `node --import ./test/collect/collector.js --test …` looks over every
// suite; a process in which something was found ends with 1.
//
// `hooks.js` puts a call into the two modules through which all hosts go: heads come by one, logs and
// answers leave by the other. A line is about a request of just before, so that the latest heads are
// enough to search for.

import { writeSync } from "node:fs";
import { register } from "node:module";
import { types } from "node:util";

import { Search } from "../../../tests/causes/leaks.mjs";

/** A process has thousands of values. */
const search = new Search(24);
const found = [];
let searched = 0;

globalThis.doorwardCollector = { head, options, said, answered };
register("./hooks.js", import.meta.url);

function head({ headers }) {
  const pairs = [...(headers ?? [])].filter(([, value]) => typeof value === "string");
  search.hideHead(pairs);
}

function options({ env } = {}) {
  // A test may watch which variables are read.
  if (!types.isProxy(env)) search.hideVariables(env ?? {});
}

function said(line) {
  look("the log", line);
}

function answered({ kind, headers, body }) {
  if (kind !== "answer") return;
  for (const [name, value] of headers) if (name !== "set-cookie") look(`the header ${name}`, value);
  look("the body", body);
}

function look(where, text) {
  if (typeof text !== "string" || text === "") return;
  searched += 1;
  const what = search.found(text);
  if (what) found.push(`${where} has ${what} in it`);
}

process.on("exit", () => {
  if (process.env.DOORWARD_COLLECTED) writeSync(2, `collector: ${searched} texts searched\n`);
  if (found.length === 0) return;
  // Never the text itself.
  writeSync(2, `collector: ${found.length} leaks in ${searched} texts, the first: ${found[0]}\n`);
  process.exitCode = 1;
});
