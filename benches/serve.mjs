// `doorward serve` under load, in turn with a bare proxy of hyper and with nginx: requests a second, the slowest per cent, memory.
//
// node serve.mjs [--quick]: DOORWARD_PROGRAM and BARE_PROXY name programs; wrk and nginx are Debian's. All are in front of an nginx that
// answers by itself, and serve users with a cookie cache. Ratios are of runs that follow each other; the machine's load is printed. Exit 0 if
// the limit holds.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";

import { newSession } from "../tests/fakes/better-auth.mjs";
import { freePort, isUp } from "../tests/serve/world.mjs";

/** Of the requests a second of a bare proxy, at least so many. */
const LIMIT = 0.6;
const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const isQuick = process.argv.includes("--quick");
const [ROUNDS, SECONDS, CONNECTIONS] = isQuick ? [3, 2, 32] : [7, 4, 32];

const folder = mkdtempSync(path.join(tmpdir(), "doorward-bench-"));
const started = [];

function start(program, args, env = {}) {
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "inherit"], detached: true });
  started.push(child);
  return child;
}

function nginx(port, location) {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name}${port};`).join(" ");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const name = path.join(folder, `nginx-${port}.conf`);
  writeFileSync(
    name,
    `${user} pid ${folder}/pid${port}; error_log ${folder}/error.log crit; worker_processes 2; daemon off; events { worker_connections 1024; }\n` +
      `http { access_log off; keepalive_requests 1000000; ${temporary} upstream app { server 127.0.0.1:${ports.app}; keepalive 64; }\n` +
      `server { listen 127.0.0.1:${port}; location / { ${location} } } }`,
  );
  return start("/usr/sbin/nginx", ["-e", `${folder}/error.log`, "-p", folder, "-c", name]);
}

const ports = { app: await freePort(), doorward: await freePort(), bare: await freePort(), nginx: await freePort() };
const session = newSession({ secret: SECRET, cachedUntil: Date.now() + 3_600_000 });
writeFileSync(
  path.join(folder, "doorward.json"),
  JSON.stringify({
    issuers: [{ type: "better-auth", url: "http://127.0.0.1:9", secret: { env: "BETTER_AUTH_SECRET" } }],
    rules: [{ path: "/**", access: "required" }],
  }),
);

try {
  nginx(ports.app, 'default_type application/json; return 200 "{\\"hello\\":\\"world\\"}";');
  const doorward = start(process.env.DOORWARD_PROGRAM, ["serve", "--upstream", `http://127.0.0.1:${ports.app}`, "--listen", `127.0.0.1:${ports.doorward}`], { BETTER_AUTH_SECRET: SECRET, DOORWARD: "" });
  const bare = start(process.env.BARE_PROXY, [`127.0.0.1:${ports.bare}`, `127.0.0.1:${ports.app}`]);
  const master = nginx(ports.nginx, 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";');
  for (const port of Object.values(ports)) await isUp(port);
  const subjects = { bare: [ports.bare, bare], doorward: [ports.doorward, doorward], nginx: [ports.nginx, master] };
  const results = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  console.log(`load at the beginning: ${loadavg().map((one) => one.toFixed(2)).join(" ")}`);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, [port]] of Object.entries(subjects)) {
      const one = load(port, round < 0 ? 1 : SECONDS);
      if (round >= 0) results[name].push(one);
    }
  }
  console.log(`load at the end: ${loadavg().map((one) => one.toFixed(2)).join(" ")}\n`);
  console.log("proxy         req/s   p50 ms   p99 ms   memory MB   of the bare proxy's req/s: median (least, most)");
  for (const [name, [, child]] of Object.entries(subjects)) {
    const ratios = results[name].map(({ rate }, at) => rate / results.bare[at].rate).sort((a, b) => a - b);
    const of = (member) => median(results[name].map((one) => one[member]));
    console.log(
      `${name.padEnd(10)} ${of("rate").toFixed(0).padStart(8)} ${of("p50").toFixed(2).padStart(8)} ${of("p99").toFixed(2).padStart(8)} ${memory(child.pid).toFixed(1).padStart(11)}   ` +
        `${median(ratios).toFixed(2)} (${ratios[0].toFixed(2)}, ${ratios.at(-1).toFixed(2)})`,
    );
    if (name === "doorward" && median(ratios) < LIMIT) {
      console.log(`doorward has less than ${LIMIT} of the bare proxy's requests a second`);
      process.exitCode = 1;
    }
  }
} finally {
  for (const { pid } of started) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {}
  }
  rmSync(folder, { recursive: true, force: true });
}

function load(port, seconds) {
  const cookie = `Cookie: ${session.tokenCookie}; ${session.dataCookie}`;
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--latency", "-H", cookie, `http://127.0.0.1:${port}/dash`];
  const { stdout, status } = spawnSync("wrk", args, { encoding: "utf8" });
  if (status !== 0 || /Non-2xx/.test(stdout)) throw new Error(`wrk: ${stdout}`);
  const millis = (text) => Number.parseFloat(text) * (text.endsWith("us") ? 0.001 : text.endsWith("ms") ? 1 : 1000);
  const at = (part) => millis(new RegExp(`${part}%\\s+(\\S+)`).exec(stdout)[1]);
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), p50: at(50), p99: at(99) };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Resident memory of a program and its children, in MB. */
function memory(pid) {
  const children = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
  const kilobytes = (one) => (existsSync(`/proc/${one}/status`) ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, "utf8"))[1]) : 0);
  return [pid, ...children].reduce((sum, one) => sum + kilobytes(one), 0) / 1024;
}
