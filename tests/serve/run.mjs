// node run.mjs [--all | proxy …] [--plant]
//
// Starts `doorward serve` (the program in DOORWARD_PROGRAM) as a reverse proxy and as forward-auth behind real proxies, each from the configuration
// that it prints, and looks at what clients and the application get. With --plant each configuration is made unsafe first, in each way that
// proxies.mjs has, and the run has to see it. Last line: `N of M as expected`. Exit 0 where all are.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { cookieLine, newKey, newSession, signed, tokenIn } from "../fakes/better-auth.mjs";
import { startAuthService } from "../fakes/auth-service.mjs";
import { checks } from "./checks.mjs";
import { proxies, startProxy } from "./proxies.mjs";
import { serverChecks } from "./server.mjs";
import { freePort, isUp, send, startApp } from "./world.mjs";

const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const program = process.env.DOORWARD_PROGRAM;
const words = process.argv.slice(2);
const isPlanting = words.includes("--plant");
const named = words.filter((word) => !word.startsWith("--"));
const wanted = named.length > 0 ? named : words.includes("--all") ? ["proxy", ...Object.keys(proxies)] : ["proxy", "nginx"];

if (!program || !existsSync(program)) {
  console.error("doorward: error: DOORWARD_PROGRAM names no program; `cargo xtask serve` sets it");
  process.exit(2);
}

const key = newKey("EdDSA", "k1");
const now = Math.floor(Date.now() / 1000);
const jwt = (claims) => key.jwt({ iss: "https://issuer.test", aud: "app", iat: now - 10, exp: now + 3600, sub: "u1", ...claims });
const tokens = { user: jwt({ role: "user" }), admin: jwt({ role: "admin" }), expired: jwt({ exp: now - 600 }), away: signed(SECRET, "away-" + "x".repeat(27)) };

/** A session with a valid cookie cache, and one whose cache has ended: the auth service is asked about it. */
function sessions() {
  const live = newSession({ secret: SECRET });
  const stale = newSession({ secret: SECRET, now: Date.now() - 600_000, cachedUntil: Date.now() - 300_000 });
  return { live, stale, cookies: `${live.tokenCookie}; ${live.dataCookie}`, staleCookies: `${stale.tokenCookie}; ${stale.dataCookie}` };
}

async function world() {
  const app = await startApp();
  const { live, stale, cookies, staleCookies } = sessions();
  const auth = await startAuthService({ secret: SECRET });
  auth.answers["/api/auth/get-session"] = (request, response) => {
    const token = tokenIn(request.headers.cookie, SECRET);
    if (token?.startsWith("away-")) return void response.writeHead(500).end();
    const known = [live, stale].some((one) => one.token === token);
    const fresh = newSession({ secret: SECRET, token });
    const renewed = [cookieLine(fresh.tokenCookie, 604_800), cookieLine(fresh.dataCookie, 300)];
    response.writeHead(200, { "content-type": "application/json", "set-cookie": known ? renewed : [] });
    response.end(JSON.stringify(known ? fresh.pair : null));
  };
  const folder = mkdtempSync(path.join(tmpdir(), "doorward-serve-"));
  const config = {
    issuers: [
      { type: "better-auth", url: auth.url, secret: { env: "BETTER_AUTH_SECRET" } },
      { type: "jwt", issuer: "https://issuer.test", audience: "app", jwks: { keys: [key.jwk] } },
    ],
    rules: [
      { path: ["/", "/public/**", "/login"], access: "public" },
      { path: "/admin/**", access: "required", claims: { role: "admin" } },
      { path: "/**", access: "required" },
    ],
    claim_headers: { role: "role", org: "org" },
    sign_in: { path: "/login" },
  };
  writeFileSync(path.join(folder, "doorward.json"), JSON.stringify(config));
  return { app, auth, folder, session: { cookies, stale: staleCookies } };
}

function doorward(folder, args) {
  const env = { ...process.env, BETTER_AUTH_SECRET: SECRET };
  const child = spawn(program, ["serve", ...args], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-8000)));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return { stop: () => (child.kill("SIGTERM"), ended), signal: (name) => child.kill(name), said: () => said, ended };
}

function printed(folder, name, args) {
  const env = { ...process.env, BETTER_AUTH_SECRET: SECRET };
  const { status, stdout, stderr } = spawnSync(program, ["serve", "--print-config", name, ...args], { cwd: folder, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`--print-config ${name}: ${stderr}`);
  return stdout;
}

/** Plays all checks behind a proxy, or in front of the application; gives those that went wrong. */
async function play(name, plant) {
  const { app, auth, folder, session } = await world();
  const port = await freePort();
  const started = [];
  try {
    const origin = `http://127.0.0.1:${app.port}`;
    const publicOrigin = ["--public-origin", `http://127.0.0.1:${port}`];
    if (name === "proxy") {
      const gate = doorward(folder, ["--upstream", origin, "--listen", `127.0.0.1:${port}`, ...publicOrigin]);
      started.push(gate);
      await isUp(port).catch((error) => Promise.reject(new Error(`${error.message}\n${gate.said()}`)));
    } else {
      const listen = ["--listen", `127.0.0.1:${await freePort()}`];
      const gate = doorward(folder, ["--verify", name, ...listen, ...publicOrigin]);
      started.push(gate);
      await isUp(Number(listen[1].split(":")[1])).catch((error) => Promise.reject(new Error(`${error.message}\n${gate.said()}`)));
      const text = printed(folder, name, ["--upstream", origin, ...listen, ...publicOrigin]);
      const planted = plant ? plant(text) : text;
      if (plant && planted === text) throw new Error("nothing was planted");
      started.push(await startProxy(name, planted, port));
    }
    const wrong = [];
    let count = 0;
    const isEnvoy = name === "envoy";
    const limits = { respells: isEnvoy || name === "proxy", rejectsEncoded: isEnvoy ? /%2F/i : undefined, hidesUnavailable: isEnvoy };
    for await (const [what, problem] of checks({ port, app, tokens, session, ...limits })) {
      count++;
      if (problem !== undefined) wrong.push(`${what}: ${problem}`);
    }
    if (name === "proxy") {
      for await (const [what, problem] of serverChecks({ app, folder, start: doorward, jwt, now })) {
        count++;
        if (problem !== undefined) wrong.push(`${what}: ${problem}`);
      }
    } else {
      await started[0].stop();
      const before = app.seen.length;
      const { status } = await send(port, { target: "/public/x" });
      count++;
      if (status < 500 || app.seen.length > before) wrong.push(`the gate is gone: ${status}, ${app.seen.length - before} reached the application`);
    }
    return { count, wrong };
  } finally {
    for (const one of started.reverse()) await one.stop();
    app.close();
    await auth.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

let [right, all] = [0, 0];
for (const name of wanted) {
  if (name !== "proxy" && !existsSync(proxies[name]?.program ?? "")) {
    console.log(`${name}: THERE IS NO ${name}: NOTHING IS PROVEN`);
    process.exitCode = 1;
    continue;
  }
  const plants = isPlanting ? Object.entries(proxies[name]?.plants ?? {}) : [["", undefined]];
  for (const [plant, make] of plants) {
    const began = Date.now();
    const { count, wrong } = await play(name, make);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    if (isPlanting) {
      all++;
      right += wrong.length > 0 ? 1 : 0;
      console.log(`${name}, ${plant}: ${wrong.length > 0 ? `found, ${wrong.length} of ${count}, as ${wrong[0]}` : "NOT FOUND"}  ${seconds} s`);
    } else {
      all += count;
      right += count - wrong.length;
      for (const line of wrong) console.log(`${name}: ${line}`);
      console.log(`${name.padEnd(8)} ${count - wrong.length} of ${count}  ${seconds} s`);
    }
  }
}
console.log(`${right} of ${all} as expected`);
if (all === 0 || right < all) process.exitCode = 1;
