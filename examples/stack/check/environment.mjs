// Every variable missing, empty, too weak or contradictory, at the auth service (when it is built and when it starts), the API and both
// gates: each must refuse to work, name the variable, and never show its value.

import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import * as miniflare from "miniflare";

import { freePort } from "../../shared/port.mjs";
import { outcome } from "../../shared/processes.mjs";
import { startWorker } from "../../shared/workerd.mjs";
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
};

/** What a gate reads, besides where its origin is. */
const FOR_GATE = ["BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "BETTER_AUTH_ISSUER", "BETTER_AUTH_JWKS_URL", "AUTH_SERVICE_URL", "DOORWARD_ASSERTION_KEY"];

const SECRET_ONES = ["DATABASE_URL", "BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "DOORWARD_ASSERTION_KEY"];

/** What the gate still lets pass. A line whose case it has learned to refuse is out of date and fails. */
const GATE_ACCEPTS = [
  // A warning, as in Better Auth itself.
  "BETTER_AUTH_SECRET weak: repeats itself",
  // A path in it is the auth service's base path, so this is none here.
  "BETTER_AUTH_URL contradictory: with the path",
  // Warnings: Better Auth can be configured so.
  "BETTER_AUTH_ISSUER no URL",
  "BETTER_AUTH_ISSUER contradictory: with a slash",
  "BETTER_AUTH_ISSUER contradictory: another environment",
  "BETTER_AUTH_JWKS_URL contradictory: another path",
];

/** Tokens say which issuer is meant; that it is another environment's shows in the API's log, as reason `issuer`. */
const API_ACCEPTS = ["BETTER_AUTH_ISSUER contradictory: another environment"];

/** @returns lines for the report, one for each service */
export async function environmentChecks({ python }) {
  const config = await gateConfig();
  const auth = (name) => (env) => refusal([process.execPath, join(folder("auth-service"), `dist/${name}.js`)], env);
  const api = (env) => refusal([python, "-m", "uvicorn", "notes_api.main:app", "--port", "0"], { ...env, PYTHONDONTWRITEBYTECODE: "1" }, folder("api"));
  const forAuth = pick(GOOD, FOR_AUTH);
  const forApi = pick(GOOD, ["BETTER_AUTH_ISSUER", "BETTER_AUTH_JWKS_URL", "DOORWARD_URL"]);
  const forGate = pick({ ...GOOD, AUTH_SERVICE_URL: "http://127.0.0.1:3001" }, FOR_GATE);
  const gateKnows = { accepts: GATE_ACCEPTS, names: (variable, said) => said.includes(variable) };
  return [
    await tried("auth service, at build", forAuth, auth("check"), { more: ["BETTER_AUTH_SECRETS"] }),
    await tried("auth service, at start", forAuth, auth("server"), { more: ["BETTER_AUTH_SECRETS"] }),
    await tried("API, at start", forApi, api, { accepts: API_ACCEPTS }),
    await tried("gate, doorward/next", forGate, (env) => refusalOfNext(config, env), gateKnows),
    await tried("gate, Worker", { ...forGate, ORIGIN_URL: "http://127.0.0.1:3000" }, (env) => refusalOfWorker(config, env), gateKnows),
  ];
}

/** Tries each wrong value of each variable, all else being good, and all variables missing at once. */
async function tried(what, good, start, { more = [], accepts = [], names = (variable, said) => said.includes(`"${variable}"`) }) {
  const begin = Date.now();
  const missing = Object.keys(good).map((variable) => [variable, "missing", undefined]);
  const empty = Object.keys(good).flatMap((variable) => [[variable, "empty", ""], [variable, "blank", " "]]);
  const wrong = [...Object.keys(good), ...more].flatMap((variable) => Object.entries(WRONG[variable] ?? {}).map(([how, value]) => [variable, how, value]));
  const cases = [...missing, ...empty, ...wrong];
  const problems = [];
  await inPairs(cases, async ([variable, how, value]) => {
    const said = await start({ ...good, [variable]: value });
    const known = accepts.includes(`${variable} ${how}`);
    if (known && said !== undefined) problems.push(`${variable} ${how}: is refused by now`);
    if (known) return;
    if (said === undefined) problems.push(`${variable} ${how}: accepted`);
    else if (!names(variable, said)) problems.push(`${variable} ${how}: not named in ${said}`);
    else if (SECRET_ONES.includes(variable) && value?.trim() && said.includes(value.trim())) problems.push(`${variable} ${how}: its value is in the log`);
  });
  const all = await start({});
  const absent = Object.keys(good);
  for (const variable of absent) if (!names(variable, all ?? "")) problems.push(`${variable}: not named with all of them missing`);
  const found = `${cases.length - accepts.length} of ${cases.length} wrong environments refused by name, and ${absent.length} missing ones all at once`;
  return { what, problems, found: accepts.length > 0 ? `${found}; ${accepts.length} not seen from there` : found, took: Date.now() - begin };
}

const pick = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]));

/** What a service says when it refuses to start; nothing if it starts. */
async function refusal(command, env, cwd) {
  const { code, output } = await outcome(command, { env: defined(env), cwd, enough: /environment is good|"event":"database / });
  return code === 2 ? output : undefined;
}

async function refusalOfNext(config, env) {
  // Not before it is needed: it is there only once it has been built.
  const { createGate } = await import("../../../middleware/on/default.js");
  const lines = [];
  const gate = createGate({ config, env: defined(env), log: (line) => lines.push(line) });
  const { response } = await gate.decide(new Request(`${URL_OF_SITE}/account`, { headers: { accept: "text/html" } }));
  return response?.status === 503 ? lines.join("\n") : undefined;
}

async function refusalOfWorker(config, env) {
  const port = await freePort();
  const worker = await startWorker(miniflare, { port, bindings: { DOORWARD: config, ...defined(env) } });
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/account`, { headers: { accept: "text/html" }, redirect: "manual" });
    return status === 503 ? worker.log() : undefined;
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
