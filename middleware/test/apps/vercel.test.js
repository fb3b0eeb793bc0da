// `doorward/vercel` in what `vercel build` makes of an app without a framework: what the output contains, and what it does.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { install, progress, run, workFolder } from "./lib.js";
import { authService, cookies, session } from "./session.js";

const site = "https://app.example";
const secret = randomBytes(32).toString("base64url");
const page = { accept: "text/html", "sec-fetch-mode": "navigate" };
const megabyte = 1024 * 1024;

let app;
let auth;

before(async () => {
  app = await install("vercel");
  auth = await authService(secret);
});
after(() => auth?.stop());

for (const { runtime, open } of [
  { runtime: "edge", open: openOnEdge },
  { runtime: "nodejs", open: openOnNode },
]) {
  describe(`Vercel Routing Middleware, ${runtime} runtime`, () => {
    const output = () => join(app, `.vercel/output-${runtime}`);
    const middleware = () => join(output(), "functions/middleware.func");
    let gate;

    before(async () => {
      progress(`vercel build: ${runtime}`);
      await build(runtime, output());
      gate = await open(middleware(), { BETTER_AUTH_URL: auth.url, BETTER_AUTH_SECRET: secret });
    });
    after(() => gate?.close());

    const get = (path, headers = {}) => gate.fetch(site + path, { headers });

    test("the output runs the gate before every path", () => {
      const { routes } = JSON.parse(readFileSync(join(output(), "config.json"), "utf8"));
      const route = routes.find((candidate) => candidate.middlewarePath === "middleware");
      assert.ok(route, JSON.stringify(routes));
      for (const path of ["/", "/dashboard", "/a/b.json", "/dashboard.html", "/_next/data/x/y.json"])
        assert.match(path, new RegExp(route.src));
      assert.equal(routes.indexOf(route), 0);
    });

    test("the function is for its runtime, and carries the module in that runtime's form", () => {
      const config = JSON.parse(readFileSync(join(middleware(), ".vc-config.json"), "utf8"));
      const files = contents(middleware());
      if (runtime === "edge") {
        assert.equal(config.runtime, "edge");
        assert.ok(
          files.some((file) => file.endsWith(".wasm")),
          files.join("\n"),
        );
        assert.ok(!files.some((file) => file.endsWith("wasm-inline.js")), "the edge forbids compiling from bytes");
      } else {
        assert.match(config.runtime, /^nodejs/);
        assert.ok(
          files.some((file) => file.endsWith("wasm-inline.js")),
          files.join("\n"),
        );
      }
      assert.ok(existsSync(join(middleware(), config.entrypoint ?? config.handler)));
    });

    test("the function stays under the smallest limit of the edge, 1 MB after gzip", () => {
      const files = contents(middleware());
      const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(middleware(), file))).length, 0);
      progress(`${runtime}: ${files.length} files, ${Math.round(size / 1024)} KiB after gzip`);
      assert.ok(size < megabyte, `${size} bytes`);
    });

    test("a public page goes on to the site", async () => {
      const response = await get("/", page);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("x-middleware-next"), "1");
      assert.equal(response.headers.get("location"), null);
    });

    test("a page without a session goes to sign-in, an API call gets 401", async () => {
      const redirect = await get("/dashboard", page);
      assert.ok([303, 307].includes(redirect.status), `status ${redirect.status}`);
      const location = new URL(redirect.headers.get("location"));
      assert.equal(location.origin + location.pathname, `${site}/sign-in`);
      assert.equal(location.searchParams.get("callbackURL"), "/dashboard");
      assert.equal(redirect.headers.get("x-middleware-next"), null);
      const refusal = await get("/dashboard", { accept: "application/json" });
      assert.equal(refusal.status, 401);
      assert.match(refusal.headers.get("content-type"), /^application\/problem\+json/);
      assert.equal(refusal.headers.get("x-middleware-next"), null);
    });

    test("a good session goes on, with headers that say who it is", async () => {
      const response = await get("/dashboard", {
        ...page,
        cookie: cookies(secret),
        "x-doorward-subject": "evil",
        x_doorward_subject: "evil",
      });
      assert.equal(response.headers.get("x-middleware-next"), "1", await response.text());
      const kept = response.headers.get("x-middleware-override-headers").split(",");
      assert.ok(kept.includes("x-doorward-subject") && kept.includes("cookie"));
      assert.ok(!kept.includes("x_doorward_subject"));
      assert.equal(response.headers.get("x-middleware-request-x-doorward-subject"), "user-7f3a");
      assert.deepEqual(
        [...response.headers.keys()].filter((name) => name.startsWith("x-doorward-")),
        [],
      );
    });

    test("identity headers of a client go nowhere on a public page either", async () => {
      const response = await get("/", {
        "x-doorward-subject": "evil",
        x_doorward_subject: "evil",
        "x-middleware-request-x": "evil",
        "x-kept": "kept",
      });
      assert.deepEqual(
        [...response.headers].filter(([, value]) => value.includes("evil")),
        [],
      );
      assert.equal(response.headers.get("x-middleware-request-x-kept"), "kept");
      assert.ok(!/doorward-subject|doorward_subject/.test(response.headers.get("x-middleware-override-headers")));
    });

    test("a session that the auth service confirms goes on, and its renewed cookie goes to the browser", async () => {
      const alive = session(secret);
      auth.remember(alive);
      const response = await get("/dashboard", { ...page, cookie: alive.tokenCookie });
      assert.equal(response.headers.get("x-middleware-next"), "1", await response.text());
      assert.ok(response.headers.getSetCookie().some((value) => value.startsWith(alive.dataCookie)));
    });

    test("a wrong configuration answers 503 to everything", async () => {
      const wrong = await open(middleware(), { BETTER_AUTH_URL: auth.url, BETTER_AUTH_SECRET: "short" });
      try {
        for (const path of ["/", "/dashboard", "/anything"]) {
          const response = await wrong.fetch(site + path, { headers: { ...page, cookie: cookies(secret) } });
          assert.equal(response.status, 503, path);
          assert.match(response.headers.get("cache-control"), /no-store/);
          assert.equal(response.headers.get("x-middleware-next"), null);
        }
      } finally {
        await wrong.close();
      }
    });
  });
}

/** `vercel build`, offline and without a login, for one runtime. */
describe("the auth service of examples/stack, as a Vercel function", () => {
  const site = "https://app.example";
  const environment = {
    DATABASE_URL: "postgres://user:password@127.0.0.1:9/database",
    BETTER_AUTH_SECRET: secret,
    BETTER_AUTH_URL: site,
    BETTER_AUTH_ISSUER: site,
    BETTER_AUTH_JWKS_URL: `${site}/api/auth/jwks`,
  };
  const folder = () => join(workFolder, "vercel-auth-service");
  const output = () => join(folder(), ".vercel/output");
  const built = (env) => run(process.execPath, [join(app, "node_modules/vercel/dist/vc.js"), "build", "--yes", "--output", output()], { cwd: folder(), env });

  before(async () => {
    progress("examples/stack/auth-service: npm install and vercel build");
    rmSync(folder(), { recursive: true, force: true });
    cpSync(new URL("../../../examples/stack/auth-service", import.meta.url), folder(), { recursive: true, filter: (path) => !/node_modules|dist$/.test(path) });
    await run("npm", ["install", "--no-package-lock", "--no-progress"], { cwd: folder() });
    mkdirSync(join(folder(), ".vercel"));
    writeFileSync(join(folder(), ".vercel/project.json"), JSON.stringify({ projectId: "x", orgId: "y", settings: { framework: null, installCommand: "" } }));
    await built(environment);
  });

  test("every path of the service leads to its one function, and nothing else does", () => {
    const { routes } = JSON.parse(readFileSync(join(output(), "config.json"), "utf8"));
    const own = routes.filter(({ dest }) => dest === "/api/auth");
    assert.equal(own.length, 1);
    for (const path of ["/api/auth/jwks", "/api/auth/sign-in/email", "/api/auth/callback/x"]) assert.match(path, new RegExp(own[0].src));
    for (const path of ["/", "/api/notes", "/api/authority"]) assert.doesNotMatch(path, new RegExp(own[0].src));
    assert.deepEqual(readdirSync(join(output(), "functions/api")), ["auth.func"]);
  });

  // No database here: every answer is 500, which the gate takes for "cannot know", and the instance lives on. With one, the stack runs the
  // same service.
  test("the function answers also while its database is away, and says what is wrong with its environment", async () => {
    const script = `
      const { default: service } = await import(${JSON.stringify(pathToFileURL(join(output(), "functions/api/auth.func/api/auth.js")).href)});
      const statuses = [];
      for (const path of ["ok", "get-session", "nowhere"]) statuses.push((await service.fetch(new Request("${site}/api/auth/" + path))).status);
      console.log(JSON.stringify(statuses));
      process.exit(0);`;
    const answered = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: folder(), env: environment });
    assert.match(answered, /\[500,500,500\]/);
    const wrong = run(process.execPath, ["--input-type=module", "-e", script], { cwd: folder(), env: { ...environment, BETTER_AUTH_ISSUER: `${site}/` } });
    await assert.rejects(wrong, /BETTER_AUTH_ISSUER/);
  });

  test("a deployment with a wrong environment is not built", async () => {
    await assert.rejects(built({ ...environment, BETTER_AUTH_SECRET: "short" }), /BETTER_AUTH_SECRET/);
  });
});

async function build(runtime, output) {
  const source = readFileSync(join(app, "middleware.js"), "utf8").replace(/runtime: "\w+"/, `runtime: "${runtime}"`);
  assert.match(source, new RegExp(`runtime: "${runtime}"`));
  writeFileSync(join(app, "middleware.js"), source);
  mkdirSync(join(app, ".vercel"), { recursive: true });
  const settings = { framework: null, outputDirectory: "public", installCommand: "" };
  writeFileSync(join(app, ".vercel/project.json"), JSON.stringify({ projectId: "x", orgId: "y", settings }));
  rmSync(output, { recursive: true, force: true });
  await run(process.execPath, ["node_modules/vercel/dist/vc.js", "build", "--yes", "--output", output], { cwd: app });
}

const contents = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));

/** The built function in Vercel's edge runtime: bundled as the platform would, the module handed in already compiled. */
async function openOnEdge(folder, env) {
  const require = createRequire(join(app, "package.json"));
  const { build: bundle } = require("esbuild");
  const { EdgeRuntime } = require("edge-runtime");
  const modules = {};
  const wasm = {
    name: "wasm",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path.replace("?module", "")),
        namespace: "wasm",
      }));
      onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path }) => {
        const name = `wasm_${Object.keys(modules).length}`;
        modules[name] = await WebAssembly.compile(readFileSync(path));
        return { contents: `export default ${name};` };
      });
    },
  };
  const entry = `
    import middleware from "./middleware.js";
    addEventListener("fetch", (event) => event.respondWith(middleware(event.request, { waitUntil: (promise) => event.waitUntil(promise) })));`;
  const { outputFiles } = await bundle({
    stdin: { contents: entry, resolveDir: folder },
    bundle: true,
    write: false,
    format: "iife",
    conditions: ["edge-light"],
    plugins: [wasm],
    logLevel: "error",
  });
  const runtime = new EdgeRuntime({
    initialCode: outputFiles[0].text,
    extend: (context) => Object.assign(context, modules, { process: { env } }),
  });
  return { fetch: (url, init) => runtime.dispatchFetch(url, init), close: () => {} };
}

/** The built function in Node, as Vercel's launcher calls it: the default export with a Request. */
async function openOnNode(folder, env) {
  const before = { ...process.env };
  Object.assign(process.env, env);
  const { handler } = JSON.parse(readFileSync(join(folder, ".vc-config.json"), "utf8"));
  const { default: middleware } = await import(`${pathToFileURL(join(folder, handler))}?${Math.random()}`);
  return {
    fetch: (url, init) => middleware(new Request(url, init), { waitUntil: () => {} }),
    close: () => (process.env = before),
  };
}
