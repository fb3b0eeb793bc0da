// The package as an application gets it: packed, installed, and loaded under each condition.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { packageFolder } from "../../examples/shared/packages.mjs";

const run = promisify(execFile);
const HERE = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(await readFile(path.join(HERE, "package.json"), "utf8"));

test("the package needs nothing at run time", () => {
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.peerDependencies, undefined);
});

test("the WebAssembly does not tell where it was built", async () => {
  const bytes = await readFile(path.join(HERE, "wasm/doorward_bg.wasm"), "latin1");
  for (const folder of [homedir(), path.resolve(HERE, "..")]) assert.ok(!bytes.includes(`${folder}/`), folder);
});

test("every export is in the README, and has types before anything else", async () => {
  const readme = await readFile(path.join(HERE, "README.md"), "utf8");
  for (const [name, conditions] of Object.entries(manifest.exports)) {
    if (name === "./package.json") continue;
    const specifier = name.replace(".", "doorward");
    assert.ok(readme.includes(`\`${specifier}\``), `${specifier} has no line in README.md`);
    if (typeof conditions === "string") continue; // a document, not code
    assert.equal(Object.keys(conditions)[0], "types");
    assert.equal(Object.keys(conditions).at(-1), "default");
  }
});

test("packed and installed, it loads in Node and its types are right", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "doorward-package-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: HERE });
  await writeFile(path.join(folder, "package.json"), '{"type":"module"}');
  await run("npm", ["install", "--no-audit", "--no-fund", "--offline", `./${stdout.trim()}`], { cwd: folder });
  for (const file of ["LICENSE", "THIRD-PARTY.txt"]) await readFile(path.join(folder, "node_modules/doorward", file));
  await writeFile(path.join(folder, "use.js"), USE);
  // Before it stands the start line of the log.
  assert.equal((await run("node", ["use.js"], { cwd: folder })).stdout.split("\n").slice(1).join("\n"), "forward function function function assertion_missing\n");

  await writeFile(path.join(folder, "use.ts"), TYPED_USE);
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"];
  const types = ["--typeRoots", path.dirname(packageFolder("@types/node", import.meta.url)), "--types", "node"];
  const tsc = path.join(packageFolder("typescript", import.meta.url), "bin/tsc");
  await run("node", [tsc, ...options, ...types, "use.ts"], { cwd: folder }).catch((error) => assert.fail(error.stdout));
});

const USE = `
import { createGate } from "doorward";
import { createProxy, middleware, protect } from "doorward/node";
import { AssertionRefused, createVerifier } from "doorward/origin";
import { express } from "doorward/origin/express";
import { hono } from "doorward/origin/hono";
const config = { issuers: [{ type: "better-auth", url: "https://auth.test" }], rules: [{ path: "/**", access: "public" }] };
const verdict = await createGate({ config, env: {} }).decide(new Request("https://app.test/"));
const verifier = createVerifier({ audience: "billing", host: "app.test", keys: { secret: "x".repeat(32) }, log() {} });
const refused = await verifier.verifyRequest(new Request("https://app.test/")).catch((problem) => problem);
for (const middleware of [express, hono]) middleware(verifier);
console.log(verdict.kind, typeof createProxy, typeof middleware, typeof protect, refused instanceof AssertionRefused && refused.reason);
`;

const TYPED_USE = `
import http from "node:http";
import { createGate, type Gate, type Verdict } from "doorward";
import { NotGated, gate as nextGate, session as whoIsIt, sessionReader, type Session as Who } from "doorward/next";
import { createProxy, middleware, protect, session as whoIsBehind } from "doorward/node";
import { AssertionRefused, createVerifier, reasons, seenInMemory, type Session } from "doorward/origin";
import { express } from "doorward/origin/express";
import { hono } from "doorward/origin/hono";
import { gate as astro } from "doorward/astro";
import { gate as honoGate } from "doorward/hono";
import { session as whoIs } from "doorward/session";
import { gate as sveltekit } from "doorward/sveltekit";
import { requestOf, withSession } from "doorward/testing";

nextGate({ signIn: "/login", public: ["/", "/pricing", "/blog/**"], require: { "/admin/**": { roles: "admin" } } });
const page: string = withSession({ subject: "ada", claims: { role: "admin" } }, () => "page");
const handled: string | undefined = requestOf("ada", new Request("https://app.test/")).doorward?.subject;
const asked = new Request("https://app.test/");
void [await whoIs(asked), await whoIs({ request: asked }), await whoIs({ req: { raw: asked } }), page, handled];
http.createServer(protect({ marks: true }, (req, res) => res.end(req.doorward?.email)));
http.createServer(async (req) => [await whoIs(req), await whoIs({ node: { req } })]);
void sveltekit({ public: "/" })({ event: { request: asked, locals: {}, route: { id: "/" } }, resolve: (event) => new Response(event.route.id) });
void astro()({ request: asked, locals: {} }, async () => new Response());
void honoGate();

const gate: Gate = createGate({
  config: { rules: [] },
  env: process.env,
  publicOrigin: (request) => new URL(request.url).origin,
  perform: async (effect, usual) => (effect.kind === "fetch" && effect.url === "" ? { kind: "failed" } : usual(effect)),
});
const verdict: Verdict = await gate.decide(new Request("https://app.test/"), { waitUntil: (work) => void work });
if (verdict.kind === "forward") verdict.headers.get(verdict.identity?.subject ?? verdict.target);
else verdict.response.status.toFixed();
const response: Response = await gate.handle(new Request("https://app.test/"), (request) => fetch(request));
const proxy = createProxy({ origin: "http://127.0.0.1:3000", publicOrigin: (req) => \`https://\${req.headers.host}\` });
http.createServer(proxy).on("upgrade", proxy.upgrade);
http.createServer(protect({}, (req, res) => res.end(req.url)));
http.createServer((req, res) => middleware()(req, res, () => res.end()));
http.createServer(protect({}, (req, res) => res.end(whoIsBehind(req)?.email ?? "nobody")));
await nextGate({ config: {} })(new Request("https://app.test/"));
const who: Who | null = await whoIsIt(new Headers()).catch((problem: unknown) => {
  if (problem instanceof NotGated && problem.reason === "mark_missing") return null;
  throw problem;
});
void [(await sessionReader({ header: "x-acme-mark", host: ["app.test"] })())?.claims, who?.omitted?.length];
await gate.handle(new Request("https://app.test/"), () => response, { usesArgument: true });
void response;

const verifier = createVerifier({
  audience: "billing",
  host: ["app.test"],
  keys: { keys: [{ kty: "OKP", crv: "Ed25519", kid: "k", x: "" }] },
  seen: seenInMemory(),
  target: (request) => request.url ?? "/",
});
const { audience, host, keys }: { audience: string; host: string; keys: string } = { audience: "a", host: "b", keys: "https://app.test/jwks" };
createVerifier({ audience, host, keys, target: (request: http.IncomingMessage) => request.url ?? "/" });
createVerifier({ audience, host, keys, target: (request: Request) => request.url });
createVerifier<{ base: string }>({ audience, host, keys, target: (request) => ("base" in request ? request.base : "/") });
http.createServer((req, res) => express(verifier)(req, res, () => res.end((req as { doorward?: Session }).doorward?.subject)));
// As @types/express-serve-static-core declares it: its Request is this one and more.
declare global {
  namespace Express {
    interface Request {}
  }
}
const handler = (req: http.IncomingMessage & Express.Request) => req.doorward?.subject.length;
void handler;
http.createServer(async (req) => (await verifier.verifyRequest(req)).claims);
const session: Session = await verifier.readSession(new Headers());
await verifier.verifyRequest(new Request("https://app.test/")).catch((problem: unknown) => {
  if (problem instanceof AssertionRefused) return [problem.toResponse(), reasons[problem.reason][1].length, problem.status === 503];
});
const answered: Response | void = await hono(verifier)({ req: { raw: new Request("https://app.test/") }, set() {} }, async () => {});
void [session.email?.length, answered];
`;

for (const [condition, expected] of [
  ["workerd", ["./doorward_bg.wasm"]],
  ["edge-light", ["./doorward_bg.wasm?module"]],
  // It is text, which these unpack: Node, Deno and Bun have them.
  ["node", ["node:buffer", "node:zlib"]],
]) {
  test(`under the condition ${condition} a bundler finds the right WebAssembly, and no other builtin module`, async () => {
    const asked = [];
    const plugin = {
      name: "record",
      setup(build) {
        build.onResolve({ filter: /\.wasm|^node:/ }, ({ path }) => (asked.push(path), { path, external: true }));
      },
    };
    const stdin = { contents: 'export * from "doorward";', resolveDir: HERE };
    const options = { bundle: true, write: false, format: "esm", conditions: [condition], plugins: [plugin] };
    await build({ stdin, ...options });
    assert.deepEqual(asked, expected);
    const names = ["doorward/origin", "doorward/origin/express", "doorward/origin/hono"].map((name) => `export * from "${name}";`);
    await build({ stdin: { ...stdin, contents: names.join("\n") }, ...options });
    assert.deepEqual(asked.slice(expected.length), []); // the origin's side needs neither
  });
}
