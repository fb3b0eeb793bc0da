// The load run: a thousand sessions at full speed against the Worker in workerd, while the auth service behind it fails in
// every way that there is. `cargo xtask soak` calls it.

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";

import { WebSocket } from "ws";

import { startGate, variables } from "../harness.js";
import { forgery, jwtCredential, objection, SESSION_CACHE_SECONDS, sessionCredential } from "./oracle.mjs";
import { storiesOf } from "./stories.mjs";
import { World } from "./world.mjs";

const SESSIONS = 1000;
/** Requests under way at once. */
const AT_ONCE = 64;
/** Milliseconds from the end of a story to the next; of each kind there is one at a time. */
const STORY_PAUSE = 300;
/** How many dead sessions are kept, to be replayed. */
const GRAVES = 3000;
/**
 * So much may be alive in the Worker's JavaScript when all is over, in MB. What workerd takes from the system says little: it grows
 * as much with a Worker that only forwards, and collects what is dead when it likes.
 */
const MOST_ALIVE_MB = 24;

const seconds = Number(process.argv[2]);
const seed = Number(process.argv[3]);
const random = randomFrom(seed);
const cleanups = [];
const test = { after: (work) => cleanups.unshift(work) };

const world = new World();
world.begin();
const [origin, auth] = [await world.startOrigin(test), await world.startAuth(test)];
const bindings = variables(origin, auth);
bindings.DOORWARD.auth_requests_per_second = 10_000;
bindings.DOORWARD.issuers[0].session_cache_seconds = SESSION_CACHE_SECONDS;
bindings.DOORWARD.claim_headers = { org: "session.activeOrganizationId" };
const gate = await startGate(test, { bindings, options: { inspectorPort: 0 } });
const workerd = pidOfWorkerd();
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });

const people = Array.from({ length: SESSIONS }, (_, number) => newcomer(`user-${number}`));
const graves = [];
const counts = { requests: 0, certain: 0, passed: 0, refused: 0, doubt: 0, "cookies renewed": 0, "signed out": 0, "passed after sign-out": 0 };
const kinds = {};
const stories = storiesOf({ world, exchange, origin: gate.origin, object: (what, sent, answered) => objectTo("story", what, sent, answered) });
const played = Object.fromEntries(Object.keys(stories).map((name) => [name, 0]));
const wrong = new Map();
const errors = new Map();
const memory = [];

world.begin();
const until = Date.now() + seconds * 1000;
const watch = setInterval(observe, 500);
await Promise.all([...Array.from({ length: AT_ONCE }, visitor), ...Object.keys(stories).map(storyteller)]);
clearInterval(watch);
observe();
const alive = await whatLives();
const noise = gate.log().split("\n").filter((line) => /uncaught|panicked|exception|unreachable|out of memory/i.test(line));
for (const cleanup of cleanups) await cleanup();
report();

/** Sends one request after the other. */
async function visitor() {
  while (Date.now() < until) {
    const { name, target, method = "GET", headers, credential, jar } = nextRequest();
    const sent = Date.now();
    try {
      const answer = await exchange(target, method, headers);
      take({ name, credential, jar }, { ...answer, sent, answered: Date.now() });
    } catch (error) {
      bump(errors, `${error.code ?? error.message} (${name})`);
    }
  }
}

/** Plays one story after the other. */
async function storyteller(name) {
  while (Date.now() < until) {
    try {
      await stories[name](random());
      played[name] += 1;
    } catch (error) {
      bump(errors, `${error.code ?? error.message} (${name})`);
    }
    await new Promise((resolve) => setTimeout(resolve, STORY_PAUSE));
  }
}

function take({ name, credential, jar }, answer) {
  counts.requests += 1;
  kinds[name] = (kinds[name] ?? 0) + 1;
  counts.certain += world.isDoubtful(answer.sent, answer.answered) ? 0 : 1;
  counts[answer.status === 200 ? "passed" : answer.status === 503 ? "doubt" : "refused"] += 1;
  if (answer.status >= 500 && answer.status !== 503) bump(errors, `status ${answer.status} (${name})`);
  if (name === "replay" && answer.status === 200) counts["passed after sign-out"] += 1;
  const objected = objection(world, credential, answer);
  if (objected) objectTo(name, objected, answer.sent, answer.answered);
  for (const line of jar ? answer.cookies : []) {
    const [, cookie, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === "") delete jar[cookie];
    else jar[cookie] = value;
    counts["cookies renewed"] += cookie.endsWith("session_data") && value !== "" ? 1 : 0;
  }
}

function objectTo(name, objected, sent, answered) {
  if (bump(wrong, `${name}: ${objected}`) > 1) return;
  console.error(`  ${name}: ${objected} (at ${world.seconds(sent).toFixed(1)} s, after ${answered - sent} ms)`);
}

/** What comes next: mostly people, some of them badly equipped, and now and then somebody who is none of them. */
function nextRequest() {
  const person = people[Math.floor(random() * people.length)];
  const dice = random();
  if (dice < 0.5) return bySession("session", person.session, person.jar, { jar: person.jar });
  if (dice < 0.56) return bySession("session without cache", person.session, pick(person.jar, "session_token"), { jar: person.jar });
  if (dice < 0.6) {
    const other = people[Math.floor(random() * people.length)];
    return bySession("another's cache", person.session, { ...pick(person.jar, "session_token"), ...pick(other.jar, "session_data") });
  }
  if (dice < 0.63) {
    const { session, jar } = person;
    world.signOut(session);
    counts["signed out"] += 1;
    if (graves.push({ session, jar }) > GRAVES) graves.shift();
    Object.assign(person, newcomer(person.name));
  }
  if (dice < 0.74 && graves.length > 0) {
    const grave = graves[Math.floor(random() ** 3 * graves.length)];
    return bySession("replay", grave.session, grave.jar);
  }
  if (dice < 0.88) return byToken(person);
  return forged(person);
}

function bySession(name, session, cookies, more = {}) {
  const isDocument = random() < 0.3;
  const isUnsafe = !isDocument && random() < 0.1;
  const headers = {
    cookie: Object.entries(cookies).map(([cookie, value]) => `${cookie}=${value}`).join("; "),
    ...(isDocument && { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }),
    ...(isUnsafe && { origin: gate.origin }),
  };
  const hasCache = "better-auth.session_data" in cookies && name !== "another's cache";
  const credential = sessionCredential(session, { isDocument, hasCache });
  // A jar from which the gate has deleted the cookies is nobody's.
  if (!("better-auth.session_token" in cookies)) return { name: "nothing", target: "/api/me", headers: {}, credential: forgery(["no_credential"]) };
  return { name, target: isDocument ? "/app" : "/api/me", method: isUnsafe ? "POST" : "GET", headers, credential, ...more };
}

function byToken(person) {
  if (!person.jwt || person.jwt.until - Date.now() < 1500) person.jwt = world.jwt(person.name);
  return bearer("token", person.jwt.token, jwtCredential(person.name, person.jwt.until));
}

function bearer(name, token, credential) {
  return { name, target: "/api/me", headers: { authorization: `Bearer ${token}` }, credential };
}

/** What nobody may be let through with. */
function forged({ name: user, jar }) {
  const cookie = (value) => ({ cookie: `better-auth.session_token=${value}; better-auth.session_data=${jar["better-auth.session_data"] ?? ""}` });
  const past = Math.floor(Date.now() / 1000) - 60;
  const none = `${"n".repeat(32)}.${"A".repeat(43)}=`;
  const header = Buffer.from('{"alg":"none"}').toString("base64url");
  const token = () => world.jwt(user).token;
  const broken = () => token().replace(/.{8}$/, "AAAAAAAA");
  const ways = {
    "changed signature": () => ({ headers: cookie(encodeURIComponent(decodeURIComponent(jar["better-auth.session_token"] ?? none).replace(/.{8}=$/, "AAAAAAAA="))), reasons: ["signature_invalid"] }),
    "unsigned token": () => ({ headers: cookie("a".repeat(32)), reasons: ["credential_malformed"] }),
    "spoofed headers": () => ({ headers: { "x-doorward-subject": user, x_doorward_subject: user }, reasons: ["no_credential"] }),
    "expired jwt": () => ({ token: world.jwt(user, { claims: { exp: past } }).token, reasons: ["token_expired"] }),
    "jwt for another": () => ({ token: world.jwt(user, { claims: { aud: "https://other.example" } }).token, reasons: ["audience_mismatch"] }),
    "jwt of another": () => ({ token: world.jwt(user, { claims: { iss: "https://other.example" } }).token, reasons: ["issuer_unknown"] }),
    "jwt without algorithm": () => ({ token: `${header}.${token().split(".")[1]}.`, reasons: ["alg_not_allowed", "token_malformed"] }),
    "jwt with another signature": () => ({ token: broken(), reasons: ["signature_invalid"] }),
    "jwt by an unknown key": () => ({ token: world.jwt(user, { kid: "stolen" }).token, header: { kid: `k${random()}` }, reasons: ["key_not_found"] }),
  };
  const names = Object.keys(ways);
  const name = names[Math.floor(random() * names.length)];
  const { headers, token: jwt, reasons } = ways[name]();
  const credential = forgery(reasons, jwt !== undefined);
  return jwt ? bearer(name, jwt, credential) : { name, target: "/api/me", headers, credential };
}

function newcomer(name) {
  const { session, cookies } = world.signIn(name);
  return { name, session, jar: cookies, jwt: undefined };
}

function exchange(target, method, headers) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: gate.port, path: target, method, headers, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const cookies = response.headers["set-cookie"] ?? [];
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString(), cookies });
      });
    });
    request.setTimeout(10_000, () => request.destroy(new Error("no answer in ten seconds")));
    request.on("error", reject);
    request.end();
  });
}

function observe() {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${workerd}/status`, "utf8"));
  memory.push({ at: world.seconds(), mb: Math.round(Number(kilobytes) / 1024) });
  if (memory.length % 10 === 0) {
    const [{ at, mb }, fault] = [memory.at(-1), world.fault() ?? "no fault"];
    console.error(`${at.toFixed(0).padStart(5)} s  ${counts.requests} requests, ${sum(wrong)} wrong, ${sum(errors)} errors, workerd ${mb} MB, ${fault}`);
  }
}

function report() {
  const most = Math.max(...memory.map(({ mb }) => mb));
  console.log(`${SESSIONS} sessions, ${seconds} s, seed ${seed}: ${counts.requests} requests, ${Math.round(counts.requests / seconds)} a second`);
  console.log(list("outcomes", counts));
  console.log(list("kinds", kinds));
  console.log(list("stories", played));
  console.log(list("the auth service was asked", world.asked));
  console.log(list("faults that fired", world.fired));
  console.log(`alive in the Worker at the end: ${alive} MB; workerd took ${most} MB from the system at most`);
  console.log(`wrong decisions: ${sum(wrong)}, unhandled errors: ${sum(errors) + noise.length}`);
  const bad = [
    ...[...wrong, ...errors].sort(([, a], [, b]) => b - a).slice(0, 20).map(([what, times]) => `${times} × ${what}`),
    ...noise.slice(0, 5),
    ...missing({ ...counts, ...kinds, ...played, keys: world.asked.keys, session: world.asked.session, ...world.fired }),
    ...(alive <= MOST_ALIVE_MB ? [] : [`more than ${MOST_ALIVE_MB} MB are alive`]),
  ];
  for (const line of bad) console.log(`  ${line}`);
  process.exit(bad.length > 0 ? 1 : 0);
}

/** What is still in use when the garbage is gone, in MB. What has to be finalized first takes several rounds to go. */
async function whatLives() {
  const socket = new WebSocket(`${await gate.inspector()}core:user:`);
  await once(socket, "open");
  // It answers while a request is under way.
  const stir = setInterval(() => exchange("/api/me", "GET", {}).catch(() => {}), 20);
  let least = Infinity;
  for (let round = 0; round < 10; round++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await told(socket, 2 * round, "HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await told(socket, 2 * round + 1, "Runtime.getHeapUsage");
    least = Math.min(least, usedSize + embedderHeapUsedSize + backingStorageSize);
  }
  clearInterval(stir);
  socket.close();
  return Math.round(least / 1e5) / 10;
}

function told(socket, id, method) {
  return new Promise((resolve, reject) => {
    const listen = (message) => {
      const answer = JSON.parse(message);
      if (answer.id !== id) return;
      socket.off("message", listen);
      resolve(answer.result);
    };
    socket.on("message", listen);
    socket.send(JSON.stringify({ id, method }));
  });
}

/** What never happened was not tested. */
function missing(happened) {
  return Object.entries(happened).filter(([name, times]) => times === 0 && name !== "nothing").map(([name]) => `never happened: ${name}`);
}

function list(title, numbers) {
  return `${title}: ${Object.entries(numbers).map(([name, number]) => `${name} ${number}`).join(", ")}`;
}

function pidOfWorkerd() {
  const isOurs = (pid) => {
    const [, name, parent] = /\((.+)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return name === "workerd" && Number(parent) === process.pid;
  };
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.find((pid) => { try { return isOurs(pid); } catch { return false; } });
}

function pick(jar, name) {
  const cookie = `better-auth.${name}`;
  return cookie in jar ? { [cookie]: jar[cookie] } : {};
}

function bump(map, key) {
  const times = (map.get(key) ?? 0) + 1;
  map.set(key, times);
  return times;
}

function sum(map) {
  return [...map.values()].reduce((total, times) => total + times, 0);
}

/** mulberry32: the same requests for the same seed, as far as time lets it. */
function randomFrom(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
