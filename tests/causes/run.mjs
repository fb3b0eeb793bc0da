// Starts each deployment, asks `doorward doctor` about it, and counts.
//
//   node run.mjs [--all] [--only WORDS] [--carrier npx|packed] [--show] [--drop] [--record FILE]
//
// `--record` writes what the doctor prints of the last row as a picture (SVG), as it came.
//
// `packed` is what a user of npm has: the package is packed and installed in an empty folder, Rust is
// on no path, and `npx doorward` is called; without other words it takes the rows that say so.
// DOORWARD is the native program, DOORWARD_PYTHON and DOORWARD_BARE_PYTHON the interpreters with and
// without `cryptography`. The exit status is 0 if every row is as it should be.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { authority } from "./certificates.mjs";
import { differences } from "./judge.mjs";
import { header, Lab, SECRET, SITE } from "./lab.mjs";
import { leaksIn, planted } from "./leaks.mjs";
import { installed } from "./packed.mjs";
import { recording } from "./recording.mjs";
import { ROWS } from "./rows/index.mjs";

/** What a row may take; a host that does not answer at all may take longer, and npx starts slowly. */
const LIMIT_MS = 5000;
const LIMIT_REQUESTS = 20;

const { values: options } = parseArgs({
  options: {
    all: { type: "boolean" },
    only: { type: "string" },
    carrier: { type: "string", default: "native" },
    show: { type: "boolean" },
    drop: { type: "boolean" },
    record: { type: "string" },
  },
});
for (const name of Object.keys(process.env)) if (/^(BETTER_)?AUTH_|^NODE_ENV$/.test(name)) delete process.env[name];

// Better Auth shows what fails in it, which is what many rows are about.
const say = console.error.bind(console);
console.error = () => {};

const here = fileURLToPath(new URL(".", import.meta.url));
const isPacked = options.carrier === "packed";
const packed = isPacked ? await installed(join(here, "../../middleware")) : undefined;
const program = {
  native: [process.env.DOORWARD ?? join(here, "../../target/debug/doorward")],
  npx: [process.execPath, join(here, "../../middleware/bin/doorward.mjs")],
  packed: ["npx", "--no-install", "doorward"],
}[options.carrier];
if (!program) {
  say(`causes: error: there is no carrier ${options.carrier}`);
  process.exit(2);
}

/** One row for each rule: where there is one, a row that allows no other cause in its place. */
const ofRules = new Map();
for (const row of [...ROWS.filter(({ or }) => !or), ...ROWS]) {
  const rule = row.cause ?? row.hint;
  if (rule && !ofRules.has(rule)) ofRules.set(rule, row);
}
const isOfRules = options.drop && !options.all && !options.only;
const chosen = isOfRules
  ? [...ofRules.values()]
  : ROWS.filter((row) =>
      options.only
        ? options.only
            .split("|")
            .some((words) => [row.name, row.group, row.cause, row.hint].some((text) => text?.includes(words)))
        : options.all || (isPacked ? row.packed : row.quick),
    );
if (chosen.length === 0) {
  say("causes: error: no row has that name");
  process.exit(2);
}

const { certificate, certify } = await authority();
await seesLeaks();
const results = [];
for (const row of chosen) {
  const result = await play(row);
  results.push(result);
  const { problems, took, requests, found } = result;
  if (options.show || isPacked || problems.length > 0) {
    say(`${problems.length > 0 ? "✘" : "✔"} ${row.group}: ${row.name} (${took} ms, ${requests} requests): ${found}`);
    for (const problem of problems) say(`    ${problem}`);
  }
}
const unneeded = options.drop ? await dropped(results) : [];
summary(results);
await packed?.end();
process.exit(results.some(({ problems }) => problems.length > 0) || unneeded.length > 0 ? 1 : 0);

/** A search that finds nothing proves nothing: a program that prints what it must not is seen. */
async function seesLeaks() {
  const row = {
    name: "planted",
    cause: null,
    start: async (lab) => {
      const service = lab.service();
      const { jar } = await lab.signedUp(service);
      return lab.serve(service, { cookie: header(jar) });
    },
  };
  const prints = [
    "-e",
    "process.stdout.write(JSON.stringify({ causes: [], hints: [], seen: process.env.BETTER_AUTH_SECRET }))",
  ];
  const { problems } = await play(row, [process.execPath, ...prints, "--"]);
  const { count, missed } = await withLab(row, (lab) => planted(lab.hidden));
  const isSeen = problems.some((problem) => problem.startsWith("it printed"));
  console.log(`${"planted leaks that are found".padEnd(38)} ${count - missed + (isSeen ? 1 : 0)} of ${count + 1}`);
  if (!isSeen || !(count > 20) || missed > 0) {
    say("✘ the search for secrets misses what was planted");
    process.exit(1);
  }
}

async function play(row, by = program) {
  return withLab(row, async (lab, call) => {
    call.program = by;
    for (const [name, value] of Object.entries(call.env)) if (/SECRET|PASSWORD/.test(name)) lab.hide(value);
    const before = lab.stored();
    lab.requests = 0;
    const started = performance.now();
    const json = await run([...call.arguments, "--json"], call);
    const took = Math.round(performance.now() - started);
    const report = parsed(json.stdout);
    // What a program of its own answers reaches no server of the lab.
    const requests = Math.max(lab.requests, report?.requests?.length ?? 0);
    if (options.record) {
      // On a terminal, which util-linux's `script` makes, there are colors.
      const line = [...call.by, ...by, ...call.arguments].map((word) => `'${word}'`).join(" ");
      const { chunks } = await run([], { ...call, by: [], program: ["script", "-qefc", line, "/dev/null"] });
      // `--connect` and `--ca-file` only say where the lab is.
      await writeFile(options.record, recording(`npx doorward doctor ${SITE}`, chunks));
    }
    const isSame = row.writes || lab.stored() === before;
    const [text, ticket] = await Promise.all(
      ["--verbose", "--report"].map((form) => run([...call.arguments, form], call)),
    );
    const emitted = [json, text, ticket].flatMap(({ stdout, stderr }) => [stdout, stderr]).join("\n");
    const problems = report
      ? differences(row, report, json.status)
      : [`no report: exit ${json.status}: ${(json.stderr || json.stdout).slice(0, 300)}`];
    if (took > (row.limit ?? LIMIT_MS) * (isPacked ? 3 : 1)) problems.push(`it took ${took} ms`);
    if (requests > LIMIT_REQUESTS) problems.push(`it sent ${requests} requests`);
    if (!isSame) problems.push("it has written into the store");
    const explained = call.pasted && (await explain(row, call, lab));
    if (explained) problems.push(...explained);
    const leaks = leaksIn(emitted, lab.hidden);
    if (leaks.length > 0) problems.push(`it printed ${leaks.join(", ")} of what must not be printed`);
    const found = [...(report?.causes ?? []), ...(report?.hints ?? [])]
      .map(({ id, certainty }) => `${id} ${certainty}`)
      .join(", ");
    return { row, report, problems, took, requests, found: found || "nothing", isExplained: Boolean(explained) };
  });
}

/**
 * `doorward explain` of what a row pastes: it names nothing that the row has not broken, and nothing
 * of what its own gate lets pass.
 */
async function explain(row, call, lab) {
  const { stdout, stderr } = await run(["explain", ...call.pasted, "--json"], call);
  const told = parsed(stdout);
  if (!told) return [`explain gives no answer: ${stderr.slice(0, 300)}`];
  const allowed = new Set([row.cause, row.hint, ...(row.or ?? []), ...(row.also ?? []), ...(row.explained ?? [])]);
  const problems = told.causes
    .filter(({ id }) => !allowed.has(id))
    .map(({ id, certainty }) => `explain says ${id} (${certainty}), which is wrong`);
  if (told.gate?.passes && told.causes.some(({ certainty }) => certainty === "strong"))
    problems.push("explain accuses something of what the gate lets pass");
  const leaks = leaksIn(stdout + stderr, lab.hidden);
  if (leaks.length > 0) problems.push(`explain printed ${leaks.join(", ")} of what must not be printed`);
  return problems;
}

/** Each rule that was first in a row is left out once: the row has to fail. */
async function dropped(results) {
  const rows = new Map();
  for (const { row, problems } of results) {
    const rule = row.cause ?? row.hint;
    if (rule && problems.length === 0 && !(rows.has(rule) && row.or)) rows.set(rule, row);
  }
  const unneeded = [];
  for (const [rule, row] of rows) {
    const { problems } = await withLab(row, async (_, call) => {
      const { stdout, status } = await run([...call.arguments, "--json"], {
        ...call,
        env: { ...call.env, DOORWARD_WITHOUT_RULE: rule },
      });
      return { problems: differences({ ...row, or: [] }, parsed(stdout), status) };
    });
    if (problems.length === 0) unneeded.push(rule);
  }
  console.log(`${"rules left out once, each row failed".padEnd(38)} ${rows.size - unneeded.length} of ${rows.size}`);
  for (const rule of unneeded) say(`✘ the row of ${rule} holds without its rule`);
  return unneeded;
}

/** Starts a row, and ends it whatever happens. */
async function withLab(row, use) {
  const lab = new Lab({ certify });
  const folder = await mkdtemp(join(packed?.folder ?? tmpdir(), "doorward-causes-"));
  try {
    lab.hide(SECRET);
    const setUp = await row.start(lab);
    return await use(lab, await callOf(setUp, folder, certificate));
  } catch (error) {
    return { row, problems: [`the row itself failed: ${error.stack}`], took: 0, requests: 0, found: "nothing" };
  } finally {
    await lab.end();
    await rm(folder, { recursive: true });
  }
}

/** The command line, the environment and the files of a row. */
async function callOf({ url, flags = [], env = {}, cookie, token, config, files = {}, by = [] }, folder, certificate) {
  const all = { ...files, "authority.pem": certificate };
  if (cookie !== undefined) all["cookie.txt"] = `${cookie}\n`;
  if (token !== undefined) all["token.txt"] = `${token}\n`;
  if (config) all["doorward.json"] = JSON.stringify(config);
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);
  const isTrusted = !flags.includes("no authority");
  return {
    arguments: [
      "doctor",
      url,
      ...flags.filter((flag) => flag !== "no authority"),
      ...(isTrusted ? ["--ca-file", "authority.pem"] : []),
      ...(cookie !== undefined ? ["--cookie-file", "cookie.txt"] : []),
      ...(token !== undefined ? ["--token-file", "token.txt"] : []),
    ],
    pasted:
      cookie !== undefined || token !== undefined
        ? [
            ...(cookie !== undefined ? ["--cookie-file", "cookie.txt"] : []),
            ...(token !== undefined ? ["--token-file", "token.txt"] : []),
          ]
        : undefined,
    folder,
    by,
    env: Object.fromEntries(
      Object.entries({ BETTER_AUTH_URL: SITE, BETTER_AUTH_SECRET: SECRET, ...env }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  };
}

function run(words, { folder, env, by, program: own = program }) {
  return new Promise((resolve, reject) => {
    const [command, ...first] = [...by, ...own];
    const child = spawn(command, [...first, ...words], {
      cwd: folder,
      env: { PATH: packed?.path ?? process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { stdout: "", stderr: "", chunks: [] };
    const started = performance.now();
    for (const stream of ["stdout", "stderr"])
      child[stream].setEncoding("utf8").on("data", (text) => {
        said[stream] += text;
        said.chunks.push({ text, at: Math.round(performance.now() - started) });
      });
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status: status ?? signal, ...said }));
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function summary(results) {
  const broken = results.filter(({ row }) => row.cause);
  const healthy = results.filter(({ row }) => row.cause === null);
  const hints = results.filter(({ row }) => row.hint);
  const named = broken.filter(({ row, report }) => [row.cause, ...(row.or ?? [])].includes(report?.causes?.[0]?.id));
  const alarms = [...healthy, ...hints].filter(({ report }) => report?.causes?.length !== 0);
  const proofs = results.filter(({ row, report }) =>
    report?.causes?.some(
      ({ id, certainty }) => certainty === "proof" && ![row.cause, ...(row.or ?? []), ...(row.also ?? [])].includes(id),
    ),
  );
  const hinted = hints.filter(({ problems }) => problems.length === 0);
  const causes = new Set([...named.map(({ report }) => report.causes[0].id), ...hinted.map(({ row }) => row.hint)]);
  const most = (what) => Math.max(...results.map((result) => result[what]));
  const table = [
    ["rows", results.length],
    ["causes shown", causes.size],
    ["broken, the right cause named first", `${named.length} of ${broken.length}`],
    ["hints given", `${hinted.length} of ${hints.length}`],
    [
      "healthy without a finding",
      `${healthy.length - healthy.filter((result) => alarms.includes(result)).length} of ${healthy.length}`,
    ],
    ["false alarms", alarms.length],
    ["wrong causes called proof", proofs.length],
    ["pasted texts explained", results.filter(({ isExplained }) => isExplained).length],
    ["requests of a run, at most", most("requests")],
    ["milliseconds of a run, at most", most("took")],
  ];
  for (const [what, figure] of table) console.log(`${what.padEnd(38)} ${figure}`);
  const wrong = results.filter(({ problems }) => problems.length > 0).length;
  console.log(`${results.length - wrong} of ${results.length} rows as expected`);
}
