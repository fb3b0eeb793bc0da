// Sessions that persist, with real Better Auth: each combination of version, database and host is used as people use a site, and nobody
// who is signed in may be taken for somebody who is not.
//
//   node sessions.mjs [--better-auth 1.4|1.7] [--database pglite|postgres] [--host worker|node]
//
// `cargo xtask sessions` builds what it needs and calls it. Exit 0: all is as expected; 1: some is not; 2: used wrongly.

import { packageVersion } from "../shared/packages.mjs";
import { freePort } from "../shared/port.mjs";
import { cluster } from "../shared/postgres.mjs";
import { inFull, program, readOptions, seconds } from "../shared/program.mjs";
import { startAll } from "./services.mjs";
import { COOKIE_CACHE_SECONDS, Person, SESSION_CACHE_SECONDS, isForgetful, leaves, outlivesAnOutage, reads, staysWithin } from "./stories.mjs";

const VERSIONS = { 1.7: "better-auth", 1.4: "better-auth-1.4" };
const DATABASES = { pglite: "PGlite", postgres: "PostgreSQL" };
const HOSTS = { worker: "Worker", node: "Node" };
const COLUMNS = ["Better Auth", "database  ", "host  ", "signed in: requests", "401", "redirects", "renewals", "503 in an outage", "the gate asked", "signed out: 401", "redirects"];
const CHOICES = { "better-auth": VERSIONS, database: DATABASES, host: HOSTS };

const text = { type: "string" };
const chosen = readOptions("sessions", { "better-auth": text, database: text, host: text }, (values) => {
  const wrong = Object.entries(values).find(([name, value]) => !Object.hasOwn(CHOICES[name], value));
  return wrong && `there is no ${wrong[0]} "${wrong[1]}"`;
});

await program("sessions", async (started) => {
  const begin = Date.now();
  const of = (name) => (chosen[name] ? [chosen[name]] : Object.keys(CHOICES[name]));
  const combinations = of("better-auth").flatMap((version) => of("database").flatMap((database) => of("host").map((host) => ({ version, database, host }))));
  const worlds = await inPairs(combinations, (combination) => open(combination, started));
  console.error(`sessions: ${worlds.length} combinations up in ${seconds(begin)}`);
  // Whoever is not remembered has to wait for a minute anyway, and must not meet the others' outage.
  let othersAreDone;
  const patience = new Promise((resolve) => (othersAreDone = resolve));
  const forgetful = worlds.map((world) => told(isForgetful, world, patience));
  const stories = await inPairs(worlds, played);
  othersAreDone();
  console.log(`     ${row(COLUMNS)}`);
  const results = [];
  for (const [i, world] of worlds.entries()) results.push(await judged(world, [...stories[i], await forgetful[i]]));
  const good = results.filter(Boolean).length;
  console.log(`${good} of ${combinations.length} combinations as expected, in ${seconds(begin)}`);
  return combinations.length > 0 && good === combinations.length;
});

/** Starts a combination. */
async function open({ version, database, host }, started) {
  const betterAuth = VERSIONS[version];
  const installed = packageVersion(betterAuth, import.meta.url);
  if (!installed.startsWith(`${version}.`)) throw new Error(`Better Auth ${version} is ${installed}`);
  let DATABASE_URL = "";
  if (database === "postgres") {
    const server = cluster(await freePort());
    started.push(server);
    await server.start();
    DATABASE_URL = server.url;
  }
  const environment = { BETTER_AUTH: betterAuth, DATABASE_URL, COOKIE_CACHE_SECONDS: String(COOKIE_CACHE_SECONDS), CHEAP_PASSWORDS: "yes" };
  const name = [installed, DATABASES[database], HOSTS[host]];
  return { name, ...(await startAll({ host, environment, sessionCacheSeconds: SESSION_CACHE_SECONDS }, started)) };
}

/** What people have got in a combination: an outage comes when nobody else is there. */
async function played(world) {
  const others = await Promise.all([reads, staysWithin, leaves].map((story) => told(story, world)));
  return [...others, await told(outlivesAnOutage, world)];
}

/** Two at a time, as many as the smallest machine has cores. */
async function inPairs(items, work) {
  const done = [];
  for (let first = 0; first < items.length; first += 2) done.push(...(await Promise.all(items.slice(first, first + 2).map(work))));
  return done;
}

/** A person of that story, whose browser counts what it gets. */
async function told(story, world, ...more) {
  const person = new Person(world.publicOrigin, `${story.name.toLowerCase()}-${Date.now()}@example.com`);
  try {
    await story(person, world, ...more);
  } catch (error) {
    person.problem = `${story.name}: ${inFull(error)}`;
  }
  return person;
}

/** Says what people have got in a combination, and below it whatever was not as expected. */
async function judged({ name, gate, auth }, stories) {
  const sum = (when, what) => stories.reduce((all, { counts }) => all + counts[when][what], 0);
  const renewals = stories.reduce((all, person) => all + person.renewals, 0);
  const asked = (await auth.asked()).session;
  const problems = stories.map(({ problem }) => problem).filter(Boolean);
  const hold = (holds, sentence) => holds || problems.push(sentence);
  hold(sum("signedIn", "requests") >= 90, "fewer than 90 requests of people who are signed in");
  hold(sum("signedIn", 401) === 0, "401 for somebody who is signed in");
  hold(sum("signedIn", "redirects") === 0, "a redirect for somebody who is signed in");
  hold(stories.every(({ hasOutage, counts }) => hasOutage || counts.signedIn[503] === 0), "503 without an outage");
  hold(sum("signedIn", 503) >= 2, "nobody has noticed the outage");
  hold(renewals >= 5, "fewer than 5 renewals");
  hold(sum("signedOut", 401) >= 1 && sum("signedOut", "redirects") >= 2, "nobody has noticed the sign-out");
  const isGood = problems.length === 0;
  const counted = [sum("signedIn", "requests"), sum("signedIn", 401), sum("signedIn", "redirects"), renewals, sum("signedIn", 503), asked, sum("signedOut", 401), sum("signedOut", "redirects")];
  console.log(`${isGood ? "ok  " : "FAIL"} ${row([...name, ...counted])}`);
  if (!isGood) for (const line of [...problems, ...logged(gate), ...logged(auth)]) console.log(`     ${line}`);
  return isGood;
}

function row(cells) {
  return cells.map((cell, i) => String(cell).padEnd(COLUMNS[i].length)).join("  ");
}

function logged({ log }) {
  return log().trim().split("\n").slice(-6);
}
