// The JSON Schemas in schema/: what every command of the command line prints with --json, and every line of a gate's log, is what its
// schema says; and each schema refuses something.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import Ajv2020 from "ajv/dist/2020.js";

import { createGate } from "../on/default.js";

const PROGRAM = fileURLToPath(new URL("../bin/doorward.mjs", import.meta.url));
const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

async function validatorOf(name) {
  const schema = JSON.parse(await readFile(new URL(`../../schema/${name}.schema.json`, import.meta.url), "utf8"));
  return new Ajv2020.default({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
}

/** A project of Next that has been built, with a mistake, a test and a log. */
const FILES = {
  "package.json": '{ "dependencies": { "next": "16.4.5", "better-auth": "1.7.25" } }',
  "doorward.json": '{ "extends": "better-auth", "public": ["/pricing"] }',
  ".env.production": `BETTER_AUTH_URL=https://app.example.com\nNEXT_PUBLIC_BETTER_AUTH_URL=https://www.example.com\nBETTER_AUTH_SECRET="${SECRET}"\n`,
  "proxy.ts": 'import { gate } from "doorward/next";\nexport const proxy = gate();\nexport const config = { matcher: ["/app/:path*"] };\n',
  "app/page.tsx": "export default function Page() { return null; }\n",
  ".next/routes-manifest.json":
    '{ "version": 3, "basePath": "", "staticRoutes": [{ "page": "/" }, { "page": "/pricing" }], "dynamicRoutes": [] }',
  ".next/app-path-routes-manifest.json": '{ "/page": "/", "/pricing/page": "/pricing" }',
  ".next/prerender-manifest.json": '{ "version": 4, "routes": { "/": { "initialRevalidateSeconds": false } }, "dynamicRoutes": {} }',
  "doorward.test.json": JSON.stringify({
    cases: [
      { name: "nobody", request: { target: "/account", headers: { accept: "application/json" } }, expect: { reject: "no_credential" } },
      { name: "wrong", request: { target: "/pricing" }, expect: { reject: "no_credential" } },
    ],
  }),
  "gate.log": `${JSON.stringify({ gate: "doorward", event: "refusal", time: "2026-11-30T10:00:00.000Z", decision: "reject", reason: "signature_invalid", status: 401, method: "GET", secret: { variable: "BETTER_AUTH_SECRET", length: "32–64", service_has: "with-line-end" } })}\n`,
};

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = { iss: "https://other.example.com", aud: "https://app.example.com", sub: "u", iat: 1_700_000_000, exp: 1_700_000_900 };
const TOKEN = `${part({ alg: "EdDSA", kid: "k1", typ: "JWT" })}.${part(claims)}.${"A".repeat(86)}`;
const COOKIE = `__Secure-better-auth.session_token=${"a".repeat(32)}.${"b".repeat(43)}%3D; theme=dark; theme=light; large=${"x".repeat(5000)}`;
const JWKS = { keys: [{ kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", alg: "EdDSA", kid: "k1" }] };

/** What somebody pastes, in each form that there is. */
const PASTES = {
  "cookie.txt": `Cookie: ${COOKIE}`,
  "other-name.txt": "Cookie: acme.session_token=a.b",
  "authorization.txt": `Authorization: Bearer ${TOKEN}`,
  "token.txt": TOKEN,
  "opaque.txt": "a-session-token-without-anything",
  "curl.txt": `curl 'https://app.example.com/account' -H 'accept: application/json' -H 'cookie: ${COOKIE}'`,
  "head.txt": `GET /pricing HTTP/1.1\nHost: app.example.com\nCookie: ${COOKIE}\n`,
  "har.json": JSON.stringify({ request: { method: "GET", url: "https://app.example.com/account", headers: [{ name: "Cookie", value: COOKIE }] } }),
  "jar.txt": `#HttpOnly_app.example.com\tFALSE\t/\tTRUE\t0\t__Secure-better-auth.session_token\t${"a".repeat(32)}.${"b".repeat(43)}%3D\n`,
  "jwks.json": JSON.stringify(JWKS),
  "broken.json": '{ "extends": "better-auth", "publik": ["/"] }',
};

async function project(use) {
  const folder = await mkdtemp(join(tmpdir(), "doorward-json-"));
  try {
    for (const [name, content] of Object.entries({ ...FILES, ...PASTES })) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const printed = (folder, words) =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH };
    execFile(process.execPath, [PROGRAM, ...words, "--json"], { cwd: folder, env, maxBuffer: 1 << 24 }, (_, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        reject(new Error(`${words.join(" ")}: ${stderr || stdout}`));
      }
    });
  });

/** Whether the schema refuses the value without each member that it requires. */
function refusesLess(validates, value, name) {
  const one = Array.isArray(value) ? value[0] : value;
  for (const member of Object.keys(one)) {
    const { [member]: _, ...rest } = one;
    assert.equal(validates(Array.isArray(value) ? [rest] : rest), false, `${name} without ${member}`);
  }
}

test("what each command prints with --json is what its schema says", async () => {
  const nobody = createServer((_, response) => response.writeHead(404).end());
  await new Promise((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${nobody.address().port}`;
  const commands = {
    "doctor-1": [
      ["doctor", url],
      ["doctor", url, "--only", "reach"],
    ],
    "doctor-diff-1": [
      ["doctor", "diff", url, url],
      ["doctor", "diff", url, `${url}/auth`],
    ],
    "check-1": [["check"], ["check", "--strict"]],
    "routes-1": [["routes"]],
    "explain-log-1": [
      ["explain-log", "gate.log"],
      ["explain-log", "gate.log", "--since", "2026-11-30T09:00:00Z"],
    ],
    "explain-1": [
      ...Object.keys(PASTES)
        .filter((name) => !["jwks.json", "broken.json"].includes(name))
        .map((name) => ["explain", name]),
      ["explain", "--cookie-file", "jar.txt", "--env-file", ".env.production"],
      ["explain", "token.txt", "--jwks", "jwks.json", "--url", "https://app.example.com"],
      ["explain", "token.txt", "--at", "2023-11-14T22:20:00Z", "--why-not", "issuer-host"],
      ["explain", "cookie.txt", "--config", "broken.json"],
      ["explain", "cookie.txt", "--path", "/pricing"],
    ],
    "test-1": [["test"]],
    "init-1": [["init"]],
    "causes-1": [["causes"]],
    "reasons-1": [["reasons"]],
  };
  let count = 0;
  try {
    await project(async (folder) => {
      for (const [name, lines] of Object.entries(commands)) {
        const validates = await validatorOf(name);
        for (const words of lines) {
          const value = await printed(folder, words);
          assert.ok(validates(value), `${words.join(" ")}: ${JSON.stringify(validates.errors?.slice(0, 3))}`);
          if (words === lines[0]) refusesLess(validates, value, name);
          count += 1;
        }
      }
    });
  } finally {
    nobody.close();
  }
  console.log(`${count} outputs`);
  assert.equal(count, 27);
});

test("every line of a gate's log is what the schema says", async () => {
  const validates = await validatorOf("log-1");
  const lines = [];
  const log = (line) => lines.push(JSON.parse(line));
  const env = { BETTER_AUTH_URL: "https://app.example.com", BETTER_AUTH_SECRET: SECRET };
  const requests = [
    {},
    { cookie: "better-auth.session_token=abc.def" },
    { cookie: `__Secure-better-auth.session_token=${"a".repeat(32)}.${"b".repeat(43)}%3D` },
    { authorization: "Bearer eyJhbGciOiJFZERTQSJ9.e30.AA" },
    { authorization: "Basic YTpi", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
  ];
  const fetch = async () => {
    throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } });
  };
  for (const config of [
    { extends: "better-auth", log: { pass_every: 1 }, public: ["/open"] },
    { extends: "better-auth", publik: ["/"] },
  ]) {
    const gate = createGate({ config, env, log, fetch });
    for (const path of ["/account", "/open"])
      for (const headers of requests)
        await gate.decide(new Request(`https://app.example.com${path}`, { headers: { accept: "application/json", ...headers } }));
  }
  for (const line of lines) assert.ok(validates(line), `${JSON.stringify(line)}: ${JSON.stringify(validates.errors?.slice(0, 3))}`);
  const events = [...new Set(lines.map(({ event }) => event))].sort();
  console.log(`${lines.length} lines: ${events.join(", ")}`);
  for (const event of ["config_error", "pass", "refusal", "start"]) assert.ok(events.includes(event), event);
  const refusal = lines.find(({ event }) => event === "refusal");
  for (const member of ["event", "gate", "decision", "reason", "status", "method"]) {
    const { [member]: _, ...rest } = refusal;
    assert.equal(validates(rest), false, `without ${member}`);
  }
});
