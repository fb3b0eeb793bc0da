// The whole run: cases in workerd and in Node, whole Workers, cold starts, sizes. The table goes to stdout, the talk to stderr,
// and everything to a JSON file.
//
// usage: node bench.mjs [--quick] [--out FILE]

import { mkdir, readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { packageFolder, packageVersion } from "../examples/shared/packages.mjs";
import { coldStart } from "./cold.mjs";
import { mint } from "./fixtures.mjs";
import { median, missed, problemOf, rivalOf, short, summary } from "./judge.mjs";
import { LIMITS } from "./limits.mjs";
import { HERE, inNode, inWorkerd } from "./runtimes.mjs";
import { sizes } from "./sizes.mjs";
import { wholeWorker } from "./worker.mjs";

process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

/** How long each part may take, and how long a batch is, in milliseconds. A round that has begun is finished. */
const PACE = {
  full: { workerd: 130_000, node: 100_000, worker: 60_000, cold: 45_000, batch: { workerd: 25, node: 15 } },
  quick: { workerd: 15_000, node: 10_000, worker: 7_000, cold: 4_000, batch: { workerd: 20, node: 6 } },
};

const RUNTIMES = { workerd: inWorkerd, node: inNode };

const { quick, out } = options(process.argv.slice(2));
const pace = quick ? PACE.quick : PACE.full;
process.exitCode = await run();

async function run() {
  const begin = performance.now();
  const versions = await versionsOf();
  const bench = { versions, quick, ratios: {}, rows: {}, worker: {}, cold: {}, sizes: {}, missed: [] };

  say("makes keys, tokens and cookies");
  const fixtures = await mint();
  for (const [runtime, start] of Object.entries(RUNTIMES)) {
    const rounds = await play(runtime, start, fixtures);
    const { rows, ratios } = summary(runtime, rounds);
    Object.assign(bench.rows, rows);
    Object.assign(bench.ratios, ratios);
    say(`${runtime}: ${rounds.length} rounds`);
  }

  say("whole Workers");
  bench.worker = await wholeWorker(pace.worker);
  Object.assign(bench.ratios, addedRatios(bench.worker));

  say("cold starts");
  const rounds = await coldStart(pace.cold);
  for (const who of Object.keys(rounds[0])) {
    const of = (part) => median(rounds.map((round) => round[who][part]));
    bench.cold[who] = { start: of("start"), first: of("first"), count: rounds.length };
  }
  bench.ratios["workerd.cold"] = median(rounds.map((round) => round.ours.first / round["hono + jose"].first));

  bench.sizes = await sizes();
  const bytes = {
    "size.middleware_gzip": bench.sizes["middleware: WebAssembly"].gzip,
    "size.worker_gzip": bench.sizes["Worker: WebAssembly"].gzip,
  };
  bench.ratios["size.middleware_gzip"] = bytes["size.middleware_gzip"] / bench.sizes["jose + better-auth/cookies"].gzip;
  bench.ratios["size.worker_gzip"] = bytes["size.worker_gzip"] / bench.sizes["hono + jose Worker"].gzip;

  bench.missed = missed(bench.ratios, bytes);
  bench.seconds = Math.round((performance.now() - begin) / 1000);
  print(bench, bytes);
  await mkdir(path.dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify({ ...bench, limits: LIMITS }, null, 2)}\n`);
  say(`${bench.seconds} s; everything is in ${out}`);
  return bench.missed.length > 0 ? 1 : 0;
}

async function play(runtime, start, fixtures) {
  say(`${runtime}: warms up`);
  const end = performance.now() + pace[runtime];
  const player = await start(fixtures, { comparedOnly: quick });
  try {
    await player.calibrate(pace.batch[runtime]);
    const rounds = [];
    while (rounds.length < 3 || performance.now() < end) rounds.push(await player.round(rounds.length));
    return rounds;
  } finally {
    await player.stop();
  }
}

function addedRatios(worker) {
  const added = (who, quantile) => worker[who][quantile] - worker["no gate"][quantile];
  const ratio = (quantile) => {
    const theirs = added("hono + jose", quantile);
    return theirs > 0 ? added("ours", quantile) / theirs : Number.NaN;
  };
  return { "workerd.worker.added_p50": ratio("p50"), "workerd.worker.added_p99": ratio("p99") };
}

// ---- what is printed

function print({ versions, ratios, rows, worker, cold, sizes: weighed, missed: problems }, bytes) {
  heading("What must hold (speed-ups are rival / ours, everything else ours / rival; microseconds per call)");
  line("", "ours", "rival", "ratio", "limit");
  for (const key of Object.keys(LIMITS)) {
    const row = rows[key];
    const problem = problemOf(key, ratios, bytes);
    const ratio = Number.isFinite(ratios[key]) ? short(ratios[key]) : "-";
    line(key, row ? short(row.ours) : "", row ? `${short(row[rivalOf(row)])} ${rivalOf(row)}` : "", ratio, limitOf(key), problem ? "MISSED" : "");
  }

  heading("Also measured, microseconds per call");
  for (const [key, row] of Object.entries(rows)) {
    const others = Object.entries(row).filter(([who]) => !(key in LIMITS) || !["ours", rivalOf(row)].includes(who));
    if (others.length > 0) console.log(`${key.padEnd(30)} ${others.map(([who, time]) => `${who} ${short(time)}`).join(" · ")}`);
  }

  heading("A request through a whole Worker, microseconds");
  line("", "p50", "p99", "p99 of all", "added p50", "added p99");
  for (const [who, { p50, p99, p99_of_all }] of Object.entries(worker)) {
    const added = who === "direct" ? ["", ""] : [p50 - worker["no gate"].p50, p99 - worker["no gate"].p99].map(short);
    line(who, short(p50), short(p99), short(p99_of_all), ...added);
  }

  heading("A workerd that has just been started, milliseconds");
  line("", "to listen", "1st request");
  for (const [who, { start, first }] of Object.entries(cold)) line(who, short(start), short(first));

  heading("Sizes, bytes");
  line("", "raw", "gzip -9");
  for (const [what, { raw, gzip }] of Object.entries(weighed)) line(what, raw, gzip);

  heading(Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(" · "));
  console.log(problems.length === 0 ? "every limit holds" : `${problems.length} limits are missed:`);
  for (const problem of problems) console.log(`  ${problem}`);
}

function limitOf(key) {
  const { at_least, at_most, at_most_bytes } = LIMITS[key];
  if (at_least !== undefined) return `>= ${at_least}`;
  if (at_most !== undefined) return `<= ${at_most}`;
  return at_most_bytes === undefined ? "-" : `<= ${at_most_bytes} B`;
}

function heading(text) {
  console.log(`\n${text}\n`);
}

function line(name, ...cells) {
  console.log([name.padEnd(30), ...cells.map((cell) => String(cell).padEnd(22))].join(" ").trimEnd());
}

function say(text) {
  console.error(`doorward: bench: ${text}`);
}

async function versionsOf() {
  const { devDependencies } = JSON.parse(await readFile(path.join(HERE, "package.json"), "utf8"));
  const workerd = packageVersion("workerd", path.join(packageFolder("miniflare", import.meta.url), "package.json"));
  const { esbuild: _, ...rivals } = devDependencies;
  const { version } = JSON.parse(await readFile(path.join(HERE, "..", "middleware", "package.json"), "utf8"));
  return { doorward: version, ...rivals, workerd, node: process.versions.node, machine: `${os.cpus().length} x ${os.cpus()[0].model}` };
}

function options(words) {
  const rest = [...words];
  const chosen = { quick: false, out: path.join(HERE, "..", "target", "bench.json") };
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === "--quick") chosen.quick = true;
    else if (word === "--out" && rest.length > 0) chosen.out = path.resolve(rest.shift());
    else {
      console.error(`doorward: error: there is no option \`${word}\``);
      process.exit(2);
    }
  }
  return chosen;
}
