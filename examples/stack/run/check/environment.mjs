// Every variable missing, empty, too weak or contradictory, at the auth service (when it is built and when it starts), the API and both
// gates: each must refuse to work, or at the gates warn at least, name the variable, and never show its value.

import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as miniflare from "miniflare";

import { freePort } from "../../../shared/port.mjs";
import { outcome } from "../../../shared/processes.mjs";
import { inFull } from "../../../shared/program.mjs";
import { startWorker } from "../../../shared/workerd.mjs";
import { assertionKey, folder, gateConfig } from "../services.mjs";

const URL_OF_SITE = "https://app.example.com";
const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yCaUeTg";
const FOR_AUTH = ["DATABASE_URL", "BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "BETTER_AUTH_ISSUER", "BETTER_AUTH_JWKS_URL"];
const GOOD = {
  DATABASE_URL: "postgres://app:wD8-secret-word@db.example.com/app",
  BETTER_AUTH_SECRET: SECRET,
  BETTER_AUTH_URL: URL_OF_SITE,
  BETTER_AUTH_ISSUER: URL_OF_SITE,
  BETTER_AUTH_JWKS_URL: `${URL_OF_SITE}/api/auth/jwks`,
  DOORWARD_URL: URL_OF_SITE,
  DOORWARD_ASSERTION_KEY: assertionKey(),
};

/** `undefined` is missing. What is wrong with each value stands before it. */
const WRONG = {
  DATABASE_URL: {
    "another database's": "mysql://app:pw@db.example.com/app",
    "weak: no password": "postgres://app@db.example.com/app",
    "weak: no TLS": "postgres://app:pw@db.example.com/app?sslmode=disable",
  },
  BETTER_AUTH_SECRET: {
    "weak: short": "Qx7-short",
    "weak: published": "better-auth-secret-12345678901234567890",
    "weak: repeats itself": "abababababababababababababababab",
    "a line end at its end": `${SECRET}\n`,
  },
  BETTER_AUTH_AUDIENCE: { blank: " ", "a line end at its end": "notes\n" },
  BETTER_AUTH_SECRETS: { "contradictory: begins with another": "2:Zt5-another-secret-of-sufficient-length,1:old" },
  BETTER_AUTH_URL: {
    "no URL": "app.example.com",
    "weak: http": "http://app.example.com",
    "contradictory: with the path": `${URL_OF_SITE}/api/auth`,
  },
  BETTER_AUTH_ISSUER: {
    "no URL": "our-issuer",
    "contradictory: with a slash": `${URL_OF_SITE}/`,
    "contradictory: another environment": "https://preview.example.com",
  },
  BETTER_AUTH_JWKS_URL: {
    "no URL": "/api/auth/jwks",
    "weak: http": "http://app.example.com/api/auth/jwks",
    "contradictory: another path": `${URL_OF_SITE}/.well-known/jwks.json`,
    "contradictory: of this machine": "http://127.0.0.1:3001/api/auth/jwks",
  },
  DOORWARD_URL: {
    "no URL": "app.example.com",
    "weak: http": "http://app.example.com",
    "contradictory: with a path": `${URL_OF_SITE}/.well-known/doorward/jwks.json`,
  },
  DOORWARD_ASSERTION_KEY: {
    "no key": "Qx7-a-secret-of-sufficient-length-but-no-key",
    "weak: of another curve": JSON.stringify(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "jwk" })),
    "contradictory: the public one": JSON.stringify({ ...JSON.parse(assertionKey()), d: undefined }),
  },
  AUTH_SERVICE_URL: { "no URL": "auth", "weak: http": "http://auth.internal:3001" },
  ORIGIN_URL: { "no URL": "frontend", "contradictory: with a path": "http://127.0.0.1:3000/app" },
  PUBLIC_ORIGIN: { "no URL": "app.example.com", "contradictory: with a path": `${URL_OF_SITE}/app` },
  DOORWARD: { "no JSON": "{ issuers: [] }" },
  DATABASE_CONNECTIONS: { "no number": "many", "weak: none": "0" },
  COOKIE_CACHE_SECONDS: { "no number": "5 minutes", "weak: none": "0" },
  TOKEN_SECONDS: { "no number": "-1", "weak: none": "0" },
  RATE_LIMIT: { "no word for it": "false" },
  PORT: { "no number": "http" },
};

/** What may be missing or empty: only its wrong values are tried. */
const MAY_BE_MISSING = {
  auth: ["BETTER_AUTH_SECRETS", "BETTER_AUTH_AUDIENCE", "DATABASE_CONNECTIONS", "COOKIE_CACHE_SECONDS", "TOKEN_SECONDS", "RATE_LIMIT", "PORT"],
  api: ["BETTER_AUTH_AUDIENCE"],
  worker: ["PUBLIC_ORIGIN", "DOORWARD"],
};

/** What a gate reads, besides where its origin is. */
const FOR_GATE = ["BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "BETTER_AUTH_ISSUER", "BETTER_AUTH_JWKS_URL", "AUTH_SERVICE_URL", "DOORWARD_ASSERTION_KEY"];

const SECRET_ONES = ["DATABASE_URL", "BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "DOORWARD_ASSERTION_KEY"];

/** What a gate only warns of, because Better Auth can be configured so. It must name the variable all the same. */
const GATE_WARNS = [
  "BETTER_AUTH_SECRET weak: repeats itself",
  "BETTER_AUTH_ISSUER no URL",
  "BETTER_AUTH_ISSUER contradictory: with a slash",
  "BETTER_AUTH_ISSUER contradictory: another environment",
  "BETTER_AUTH_JWKS_URL contradictory: another path",
];

/** What is not wrong at a gate. */
const GATE_ACCEPTS = [
  // A path in it is the auth service's base path.
  "BETTER_AUTH_URL contradictory: with the path",
  // There the auth service may be on the same machine, as `AUTH_SERVICE_URL` says here.
  "BETTER_AUTH_JWKS_URL contradictory: of this machine",
];

/** @returns lines for the report, one for each service */
export async function environmentChecks({ python }) {
  const config = await gateConfig();
  const auth = (name) => (env) => refusal([process.execPath, join(folder("auth-service"), `dist/${name}.js`)], env);
  const api = (env) => refusal([python, "-m", "uvicorn", "notes_api.main:app", "--port", "0"], { ...env, PYTHONDONTWRITEBYTECODE: "1" }, folder("api"));
  const forAuth = pick(GOOD, FOR_AUTH);
  const forApi = pick(GOOD, ["BETTER_AUTH_ISSUER", "BETTER_AUTH_JWKS_URL", "DOORWARD_URL"]);
  const forGate = pick({ ...GOOD, AUTH_SERVICE_URL: "http://127.0.0.1:3001" }, FOR_GATE);
  const gateKnows = { accepts: GATE_ACCEPTS, warns: GATE_WARNS, names: (variable, said) => new RegExp(`\\b${variable}\\b`).test(said) };
  return [
    await tried("auth service, at build", forAuth, auth("check"), { more: MAY_BE_MISSING.auth }),
    await tried("auth service, at start", forAuth, auth("server"), { more: MAY_BE_MISSING.auth }),
    await tried("API, at start", forApi, api, { more: MAY_BE_MISSING.api }),
    await tried("gate, doorward/next", forGate, (env) => answerOfNext(config, env), gateKnows),
    await tried("gate, Worker", { ...forGate, ORIGIN_URL: "http://127.0.0.1:3000" }, (env, isSaid) => answerOfWorker(config, env, isSaid), { ...gateKnows, more: MAY_BE_MISSING.worker }),
  ];
}

/** Tries each wrong value of each variable, all else being good, and all variables missing at once. */
async function tried(what, good, start, { more = [], accepts = [], warns = [], names = (variable, said) => said.includes(`"${variable}"`) }) {
  const begin = Date.now();
  const missing = Object.keys(good).map((variable) => [variable, "missing", undefined]);
  const empty = Object.keys(good).flatMap((variable) => [[variable, "empty", ""], [variable, "blank", " "]]);
  const wrong = [...Object.keys(good), ...more].flatMap((variable) => Object.entries(WRONG[variable] ?? {}).map(([how, value]) => [variable, how, value]));
  const cases = [...missing, ...empty, ...wrong];
  const problems = [];
  const again = [];
  await inPairs(cases, async ([variable, how, value]) => {
    const name = `${variable} ${how}`;
    const env = { ...good, [variable]: value };
    const isSaid = (said) => accepts.includes(name) || names(variable, said);
    const { refused, said } = await start(env, isSaid).catch((error) => {
      // What did not get as far as an answer says nothing yet about the environment. Shown, so that it is not lost.
      again.push(`${name}: ${inFull(error)}`);
      return start(env, isSaid);
    });
    const expected = !accepts.includes(name) && !warns.includes(name);
    if (refused !== expected) problems.push(`${name}: ${refused ? "refused" : "accepted"}`);
    if (!accepts.includes(name) && !names(variable, said)) problems.push(`${name}: not named in ${said}`);
    if (SECRET_ONES.includes(variable) && value?.trim() && said.includes(value.trim())) problems.push(`${name}: its value is in the log`);
  });
  const known = cases.map(([variable, how]) => `${variable} ${how}`);
  for (const name of [...accepts, ...warns]) if (!known.includes(name)) problems.push(`${name}: there is no such case`);
  // What is good is neither refused nor talked about: else nothing above says anything.
  const fine = await start(good);
  if (fine.refused) problems.push(`a good environment: refused with ${fine.said}`);
  for (const variable of Object.keys(good)) if (/warning/.test(fine.said) && names(variable, fine.said)) problems.push(`${variable}: warned of, and good`);
  const absent = Object.keys(good);
  const { said } = await start({}, (said) => absent.every((variable) => names(variable, said)));
  for (const variable of absent) if (!names(variable, said)) problems.push(`${variable}: not named with all of them missing`);
  const refused = cases.length - accepts.length - warns.length;
  const rest = [warns.length > 0 && `${warns.length} warned of by name`, accepts.length > 0 && `${accepts.length} not wrong there`, ...again.map((why) => `tried again, ${why}`)].filter(Boolean);
  const found = `${refused} of ${cases.length} wrong environments refused by name, and ${absent.length} missing ones all at once`;
  return { what, problems, found: [found, ...rest].join("; "), took: Date.now() - begin };
}

const pick = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]));

/** Whether a service refuses to start, and what it says. */
async function refusal(command, env, cwd) {
  const { code, output } = await outcome(command, { env: defined(env), cwd, enough: /environment is good|"event":"database |Uvicorn running/ });
  return { refused: code === 2, said: output };
}

async function answerOfNext(config, env) {
  // Not before it is needed: it is there only once it has been built.
  const { createGate } = await import("../../../../middleware/on/default.js");
  const lines = [];
  const gate = createGate({ config, env: defined(env), log: (line) => lines.push(line) });
  const { response } = await gate.decide(new Request(`${URL_OF_SITE}/account`, { headers: { accept: "text/html" } }));
  return { refused: response?.status === 503, said: lines.join("\n") };
}

async function answerOfWorker(config, env, isSaid = () => true) {
  const port = await freePort();
  const worker = await startWorker(miniflare, { port, bindings: { DOORWARD: config, ...defined(env) } });
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/account`, { headers: { accept: "text/html" }, redirect: "manual" });
    // What it says comes through a pipe, later than what it answers.
    for (const until = Date.now() + 5_000; !isSaid(worker.log()) && Date.now() < until; ) await sleep(20);
    return { refused: status === 503, said: worker.log() };
  } finally {
    await worker.stop();
  }
}

const defined = (env) => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));

/** Two at a time: as many as the smallest machine has cores. */
async function inPairs(items, work) {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item; item = rest.shift()) await work(item);
  };
  await Promise.all([worker(), worker()]);
}
