// What is public to the gate and protected to a router? Nothing: each real router is sent thousands of spellings, raw.
//
// By itself it has to run protected handlers for many of them; through the gate, for nobody without a session. Protected content
// is recognised by what it says, not by a status. The same targets have to find the holes that are planted in the gate's place.
//
// DOORWARD_ROUTER_TARGETS   how many for each router; 8,000 where it is not set, nightly 20,000
// DOORWARD_ROUTER_SEED      other targets
// DOORWARD_ROUTER           part of a router's name, to ask that one only

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { packageVersion } from "../../examples/shared/packages.mjs";
import { install, progress } from "../../middleware/test/apps/lib.js";
import { cookies } from "../../middleware/test/apps/session.js";
import { makers } from "./gates.js";
import { ask } from "./raw.js";
import { buildNext, nextStart, npmRouter, python, starlette } from "./servers.js";
import { KEPT, OPEN, nextSite, site } from "./site.js";
import { honestTargets, targetsOf } from "./targets.js";

const seed = Number(process.env.DOORWARD_ROUTER_SEED ?? 20260504);
const count = Number(process.env.DOORWARD_ROUTER_TARGETS ?? 8_000);
const isChosen = (name) => name.includes(process.env.DOORWARD_ROUTER ?? "");
const holes = Object.keys(makers).filter((name) => name !== "doorward");
const secret = randomBytes(32).toString("base64url");

const npmRouters = {
  "find-my-way": "find-my-way",
  "find-my-way, lenient": "find-my-way",
  hono: "hono",
  "hono, not strict": "hono",
  "path-to-regexp": "path-to-regexp",
  express: "express",
  rou3: "rou3",
  h3: "h3",
};
const nextVariants = {
  next: { env: { APP_DIST: ".next-open" }, framework: { name: "next" } },
  "next, base path, locales": {
    env: { APP_DIST: ".next-open-locales", APP_BASE: "/shop", APP_LOCALES: "en,de" },
    framework: { name: "next", base_path: "/shop", locales: ["en", "de"] },
  },
};

const table = [];
let app;

before(() => progress(`seed ${seed}, ${count} targets for each router`));
after(() => {
  for (const line of lines(table)) progress(line);
});

for (const [name, packageName] of Object.entries(npmRouters)) {
  test(name, { skip: !isChosen(name) }, async () => {
    const version = packageVersion(packageName, import.meta.url);
    await judge({ name, version, site, marks: { kept: KEPT, open: OPEN }, servers: await npmRouter(name, secret) });
  });
}

for (const parser of ["httptools", "h11"]) {
  const name = `starlette, ${parser}`;
  test(name, { skip: !isChosen(name) }, async () => {
    const version = /^starlette==(\S*)/m.exec(readFileSync(join(import.meta.dirname, "requirements.txt"), "utf8"))[1];
    const servers = await starlette(await python(), parser, secret);
    await judge({ name, version, site, marks: { kept: KEPT, open: OPEN }, servers });
  });
}

for (const [name, variant] of Object.entries(nextVariants)) {
  test(name, { skip: !isChosen(name) }, async () => {
    app ??= await install("next");
    progress(`${name}: next build`);
    const buildId = await buildNext(app, variant.env);
    const version = packageVersion("next", join(app, "package.json"));
    const marks = { kept: /kept-by-[a-z]+/, open: /front page|sign-in page|a photo|"url":/ };
    const site = { ...under(variant.framework.base_path ?? "", nextSite), buildId };
    const servers = await nextStart({ folder: app, ...variant, site }, secret);
    await judge({ name, version, site, marks, servers });
  });
}

/** The site's addresses below a base path. */
function under(base, { open, kept, images, ...more }) {
  const below = (path) => (base && path === "/" ? base : base + path);
  return { ...more, base, open: open.map(below), kept: kept.map(below), images: [...images, ...images.map(below)] };
}

async function judge({ name, version, site, marks, servers: { ports, stop } }) {
  try {
    const begun = Date.now();
    const targets = targetsOf(site, { count, seed });
    const isKept = ({ status, type, body }) =>
      body.search(marks.kept) !== -1 || (status === 200 && type.startsWith("image/"));
    const isOpen = ({ body }) => body.search(marks.open) !== -1;
    const without = await ask(ports.none, targets);
    const through = await ask(ports.doorward, targets);
    const reached = targets.filter((_, place) => isKept(without[place]));
    const leaks = targets.filter((_, place) => isKept(through[place]));
    const found = {};
    // A hole changes nothing in a target: only what reaches a protected handler by itself can find it.
    for (const hole of holes) found[hole] = (await ask(ports[hole], reached)).filter(isKept).length;
    const honest = honestTargets(site, { count: 300, seed });
    const pass = async (asked, is, headers) => {
      const all = await ask(
        ports.doorward,
        asked.map(({ target }) => ({ target, headers })),
      );
      return all.flatMap((answer, place) => (is(answer) ? [] : [`${asked[place].target}: ${answer.status}`]));
    };
    const lost = [
      ...(await pass(honest.open, isOpen, [])),
      ...(await pass(honest.kept, isKept, [`Cookie: ${cookies(secret)}`])),
    ];
    const reasons = (reason) => through.filter(({ body }) => body.includes(`"${reason}"`)).length;

    const row = {
      router: name,
      version,
      targets: targets.length,
      reached: reached.length,
      "spelled otherwise": reached.filter(({ family }) => family !== "as it is").length,
      "through the gate": leaks.length,
      path_refused: reasons("path_refused"),
      no_credential: reasons("no_credential"),
      "bare 400": through.filter(({ status, body }) => status === 400 && body === "").length, // Node's parser
      public: through.filter(isOpen).length,
    };
    row.other = row.targets - leaks.length - row.path_refused - row.no_credential - row["bare 400"] - row.public;
    for (const hole of holes) row[`hole: ${hole}`] = found[hole];
    row["honest passed"] = `${600 - lost.length}/600`;
    row.seconds = Math.round((Date.now() - begun) / 1000);
    table.push(row);

    assert.deepEqual(leaks.map(shown), [], "protected handlers were reached through the gate");
    assert.ok(reached.length >= count / 4, `only ${reached.length} of ${count} reach a protected handler without a gate`);
    for (const hole of holes) assert.ok(found[hole] > 0, `the hole "${hole}" is not found`);
    assert.deepEqual(lost, [], "honest requests were not answered");
  } finally {
    await stop();
  }
}

function shown({ target, headers, family }) {
  return `${JSON.stringify(target.toString("latin1"))} ${headers.join(" ")} (${family})`;
}

/** Rows of one object each, as lines of text in columns. */
function lines(rows) {
  if (rows.length === 0) return [];
  const all = [Object.keys(rows[0]), ...rows.map(Object.values)].map((cells) => cells.map(String));
  const widths = all[0].map((_, column) => Math.max(...all.map((cells) => cells[column].length)));
  return all.map((cells) =>
    cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "),
  );
}
