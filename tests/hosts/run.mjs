// The gate in every host: installed, built and served as its users do, and the same requests to each.
//
//   node run.mjs [--only WORDS] [--quick] [--keep] [--dev]
//
// `cargo xtask hosts` builds what is packed first. Exit 0: every request is right, in every host and with every wrong set-up; 1: not.

import { join } from "node:path";

import { WORK, bytesOf, clean, install, nodeOf, packed, progress, run, serve, versionOf } from "./app.mjs";
import { openSocket, send } from "./client.mjs";
import { HOSTS } from "./hosts.mjs";
import { SECRET, people } from "./people.mjs";
import { FORGERIES, REQUESTS, problemOf } from "./requests.mjs";

const options = optionsOf(process.argv.slice(2));
const chosen = HOSTS.filter((host) => (options.quick ? host.quick : true) && (!options.only || host.name.includes(options.only)));
if (chosen.length === 0) throw new Error(`no host is named like ${options.only}`);

const who = await people();
const tarball = await packed();
const rows = [];
for (const host of chosen) {
  const began = Date.now();
  const row = await tried(host).catch((error) => ({ name: host.name, failed: error.message }));
  row.seconds = Math.round((Date.now() - began) / 1000);
  rows.push(row);
  for (const line of linesOf(row)) console.log(line);
  const isNeeded = chosen.slice(chosen.indexOf(host) + 1).some((later) => appOf(later) === appOf(host));
  if (!options.keep && !isNeeded && !host.isRust) clean(appOf(host));
}
who.stop();
const isGood = print(rows);
process.exit(isGood ? 0 : 1);

function appOf({ app, name }) {
  return app ?? name;
}

function optionsOf(words) {
  const found = { only: undefined, quick: false, keep: false, dev: false };
  for (let at = 0; at < words.length; at++) {
    const name = words[at].replace(/^--/, "");
    if (!(name in found)) throw new Error(`there is no option ${words[at]}`);
    found[name] = name === "only" ? words[++at] : true;
  }
  return found;
}

/** Installs, builds and asks one host; then its wrong set-ups. */
async function tried(host) {
  const node = await nodeOf(host.node ?? 20);
  progress(`${host.name}: install`);
  const folder = host.isRust ? WORK : await install({ name: appOf(host), node, tarball });
  const context = { cwd: folder, node, env: { BETTER_AUTH_URL: who.url, BETTER_AUTH_SECRET: SECRET, ...host.env } };
  for (const [program, ...args] of host.build ?? []) {
    progress(`${host.name}: ${args.join(" ") || program}`);
    await run(program === "node" ? node : program, args, { cwd: folder, env: { PATH: `${join(folder, "node_modules/.bin")}:${join(node, "..")}:${process.env.PATH}`, ...host.buildEnv } });
  }
  const version = host.isRust ? "crate" : (host.versions ?? []).map((name) => versionOf(folder, name)).join(" / ");
  const size = bytesOf(join(folder, host.adds ?? "node_modules/doorward"));
  const dev = options.dev && host.dev;
  const result = await asked(host, { ...context, env: { ...context.env, ...(dev && { NODE_ENV: "development" }) } }, dev ? host.dev : host.serve);
  const wrongs = [];
  for (const setUp of dev ? [] : host.wrong ?? []) wrongs.push(await wrongSetUp(host, setUp, context));
  return { name: host.name, version, size, ...result, wrongs };
}

/** Serves it, and sends every request that applies. */
async function asked(host, context, command) {
  progress(`${host.name}: ${command.join(" ")}`);
  const server = await serve(command, context);
  const result = { right: 0, asked: 0, problems: [], firstMs: 0 };
  try {
    for (const request of requestsOf(host)) {
      const began = performance.now();
      const got = await answerTo(server.port, request, host);
      result.firstMs ||= performance.now() - began;
      result.asked += 1;
      const problem = problemOf(request, got, who.id) ?? endProblem(request, performance.now() - began);
      if (problem) result.problems.push({ name: request.name, ...problem });
      else result.right += 1;
    }
    for (const [what, pattern] of host.says ?? []) {
      if (!pattern.test(server.log)) result.problems.push({ name: what, kind: "wrong", problem: `the log does not say ${pattern}` });
    }
  } finally {
    await server.stop();
  }
  if (result.problems.length > 0 && process.env.SHOW_LOG) console.log(server.log.slice(-6000));
  return result;
}

/** The requests of a host: those of all that it has, and its own. */
function requestsOf(host) {
  const lacks = host.lacks ?? {};
  return [...REQUESTS.filter(({ needs, name }) => !(needs in lacks) && !(name in lacks)), ...(host.requests ?? [])].map((request) => ({
    ...request,
    expected: host.differs?.[request.name] ?? request.expected,
  }));
}

async function answerTo(port, { target, method, headers, whose = "anonymous", body, socket, ownOrigin }, host) {
  const credential = typeof who[whose] === "function" ? await who[whose]() : who[whose];
  const origin = ownOrigin ? { origin: `http://127.0.0.1:${port}` } : {};
  const all = { ...(host.forges ?? FORGERIES), ...headers, ...credential, ...origin };
  return socket ? openSocket(port, target, { headers: all }) : send(port, target, { method, headers: all, body });
}

/** A stream has to end by itself, soon after its credential. */
function endProblem({ expected }, tookMs) {
  if (!expected.ends || tookMs < 30_000) return undefined;
  return { kind: "leak", problem: `it went on for ${Math.round(tookMs / 1000)} s` };
}

/** A wrong set-up has to be said: the app fails, the program ends, or a line says it. */
async function wrongSetUp(host, { name, serve: command = host.serve, env, target = "/dashboard", whose = "session", expects, build }, context) {
  progress(`${host.name}: wrong set-up: ${name}`);
  for (const [program, ...args] of build ?? []) {
    const problem = await run(program === "node" ? context.node : program, args, { cwd: context.cwd, env: context.env }).then(() => undefined, ({ message }) => message);
    if (problem !== undefined) return { name, isSaid: expects.build?.test(problem) ?? false, found: `the build fails: ${problem}` };
  }
  if (expects.build) return { name, isSaid: false, found: "the build passes" };
  const server = await serve(command, { ...context, env: { ...context.env, ...env }, mayEnd: true });
  try {
    if (server.exit !== undefined) return { name, isSaid: expects.ends?.test(server.log) ?? false, found: `ended with ${server.exit}: ${server.log.slice(-300)}` };
    const got = await answerTo(server.port, { target, headers: { accept: "text/html", ...expects.headers }, whose }, host);
    const isSaid = got.status === expects.status && !/content:[\w-]+ who:[\w-]/.test(got.text) && (expects.says?.test(server.log + got.text) ?? true);
    return { name, isSaid, found: `${got.status} ${got.headers["doorward-decision"] ?? "(not from the gate)"} ${got.text.slice(0, 200)}\n${isSaid ? "" : server.log.slice(-1500)}` };
  } finally {
    await server.stop();
  }
}

function linesOf({ name, failed, problems = [], wrongs = [] }) {
  if (failed) return [`${name}: FAILED: ${failed}`];
  const unsaid = wrongs.filter(({ isSaid }) => !isSaid).map(({ name: what, found }) => `${name}: the wrong set-up "${what}" is not said: ${found}`);
  return [...problems.map(({ name: what, kind, problem }) => `${name}: ${kind.toUpperCase()}: ${what}: ${problem}`), ...unsaid];
}

/** The table; whether all is as it has to be. */
function print(all) {
  const count = (row, kind) => row.problems?.filter((one) => one.kind === kind).length ?? "";
  const cells = all.map((row) => {
    if (row.failed) return [row.name, "FAILED", "", "", "", "", "", "", String(row.seconds)];
    const said = row.wrongs.filter(({ isSaid }) => isSaid).length;
    return [row.name, row.version, `${row.right} of ${row.asked}`, count(row, "leak"), count(row, "forged"), `${said} of ${row.wrongs.length}`, `${Math.round(row.size / 1024)} KB`, `${Math.round(row.firstMs)} ms`, String(row.seconds)].map(String);
  });
  const table = [["host", "version", "requests right", "leaks", "forged", "wrong set-ups said", "size added", "first request", "seconds"], ...cells];
  const widths = table[0].map((_, at) => Math.max(...table.map((row) => String(row[at]).length)));
  console.log();
  for (const row of table) console.log(row.map((cell, at) => String(cell).padEnd(widths[at])).join("  ").trimEnd());
  const isRight = (row) => !row.failed && row.problems.length === 0 && row.wrongs.every(({ isSaid }) => isSaid);
  const right = all.filter(isRight).length;
  console.log(`\n${right} of ${all.length} hosts right`);
  return all.length > 0 && right === all.length;
}
