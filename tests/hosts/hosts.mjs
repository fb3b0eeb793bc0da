// The hosts, as data: how each is built and served, which Node it asks for, what it has not and why, what is different there, and its
// wrong set-ups.
//
//   node        the oldest Node that its packages run on (20)
//   versions    packages whose versions the table shows
//   lacks       what the app has not, by the word of requests.mjs or the name of a request, and why
//   differs     by the name of a request, what has to come in place of what requests.mjs says
//   requests    further requests, as in requests.mjs
//   wrong       set-ups that a user makes by mistake, and how that is said
//   isRust      it is an example of the crate `doorward-tower`, which `cargo xtask hosts` builds
//   adds        what the gate adds to what is deployed: a folder or file of the app, its package by default
//   quick       it is part of `cargo xtask test`
//   dev         how its development server is started

import { join } from "node:path";

import { WORK } from "./app.mjs";
import { API, PAGE, content, file, refused, spelling } from "./requests.mjs";

const NO_PRERENDERING = "it has no prerendered pages";
const REGISTER = ["--import", "doorward/register"];
/** The application asks who it is, and no gate has seen the request. */
const THROWS = { status: 500 };
/** A development server of Cloudflare's, with the variables of the deployment. */
const wrangler = (...args) => ["node", "node_modules/.bin/wrangler", "dev", ...args, "--port", "$PORT", "--ip", "127.0.0.1", "--var", "BETTER_AUTH_URL:$BETTER_AUTH_URL", "--var", "BETTER_AUTH_SECRET:$BETTER_AUTH_SECRET"];
const MISSING = "the gate is not registered";

/** What Next serves under other names than a page's own. */
const NEXT_FORMS = [
  { name: "payload of a page, anonymous", target: "/dashboard", headers: { ...API, rsc: "1" }, expected: refused("no_credential") },
  { name: "payload by its path, anonymous", target: "/dashboard.rsc", headers: API, expected: refused("no_credential") },
  { name: "an image made of a file, anonymous", target: "/_next/image?url=%2Fprivate.png&w=64&q=75", headers: API, expected: refused("no_credential") },
  { name: "server action of nobody knows what, anonymous", method: "POST", target: "/dashboard", headers: { "next-action": "0".repeat(42), "content-type": "text/plain" }, body: "[]", expected: { reason: "no_credential", status: 303 } },
];
/** Next redirects them to the path that they stand for, before its proxy runs. */
const NEXT_DIFFERS = { "spelling //dashboard": { ...spelling, before: 308 }, "spelling /sign-in\\..\\dashboard": { ...spelling, before: 308 } };
const NEXT_LACKS = { socket: "it has no WebSockets of its own", stream: "proxy and middleware have finished before a response begins: docs/revocation.md" };

function nextApp(flags = [], before = []) {
  return {
    build: [...before, ["node", "node_modules/.bin/next", "build", ...flags]],
    serve: ["node", "node_modules/.bin/next", "start", "-p", "$PORT", "-H", "127.0.0.1"],
    lacks: NEXT_LACKS,
    differs: NEXT_DIFFERS,
    requests: NEXT_FORMS,
  };
}

export const HOSTS = [
  {
    name: "node-http",
    quick: true,
    serve: ["node", ...REGISTER, "server.js"],
    lacks: { prerendered: NO_PRERENDERING },
    says: [["the start line says what is guarded", /"event":"listening".*"guards":\["request","checkContinue","checkExpectation","upgrade"\]/]],
    wrong: [{ name: MISSING, serve: ["node", "server.js"], expects: { status: 499, says: /the gate did not run for this request/ } }],
  },
  {
    name: "express",
    versions: ["express"],
    serve: ["node", "server.js"],
    lacks: { prerendered: NO_PRERENDERING, socket: "middleware sees no upgrades: doorward/register does" },
    wrong: [{ name: "the gate behind the routes", serve: ["node", "wrong-order.js"], expects: THROWS }],
  },
  {
    name: "fastify",
    quick: true,
    versions: ["fastify"],
    serve: ["node", "server.js"],
    lacks: { prerendered: NO_PRERENDERING },
    wrong: [{ name: "the gate in a scope of its own", serve: ["node", "wrong-scope.js"], expects: THROWS }],
  },
  {
    name: "hono-node",
    quick: true,
    versions: ["hono", "@hono/node-server"],
    serve: ["node", "server.js"],
    lacks: { prerendered: NO_PRERENDERING, socket: "middleware sees no upgrades: doorward/register does" },
    wrong: [{ name: "the gate behind the routes", serve: ["node", "wrong-order.js"], expects: THROWS }],
  },
  {
    name: "sveltekit",
    node: 22,
    versions: ["@sveltejs/kit", "@sveltejs/adapter-node"],
    build: [["node", "node_modules/vite/bin/vite.js", "build"]],
    serve: ["node", ...REGISTER, "build"],
    // What the app believes to be its own address; without it its own CSRF check refuses forms over http.
    env: { PROTOCOL_HEADER: "x-forwarded-proto", BODY_SIZE_LIMIT: "20M" },
    lacks: { socket: "it has no WebSockets of its own" },
    requests: [
      { name: "data of a page, anonymous", target: "/dashboard/__data.json", headers: API, expected: refused("no_credential") },
      { name: "data of a page, of a session", target: "/dashboard/__data.json", headers: API, whose: "session", expected: content("dashboard") },
      { name: "data of the public page, anonymous", target: "/__data.json", headers: API, expected: content("home", "anonymous") },
      { name: "prerendered page by its file, anonymous", target: "/prerendered.html", headers: API, expected: refused("no_credential") },
      { name: "remote function, anonymous", target: "/_app/remote/1abc/secret", headers: API, expected: refused("no_credential") },
    ],
    wrong: [{ name: MISSING, serve: ["node", "build"], expects: THROWS }],
    dev: ["node", ...REGISTER, "node_modules/vite/bin/vite.js", "dev", "--port", "$PORT", "--host", "127.0.0.1"],
  },
  {
    name: "astro",
    node: 22,
    versions: ["astro", "@astrojs/node"],
    build: [["node", "node_modules/.bin/astro", "build"]],
    serve: ["node", ...REGISTER, "dist/server/entry.mjs"],
    lacks: { socket: "it has no WebSockets of its own" },
    requests: [
      { name: "action, anonymous", method: "POST", target: "/_actions/secret", headers: { ...API, "content-type": "application/x-www-form-urlencoded" }, body: "a=b", expected: refused("no_credential") },
      { name: "action by the query of a public page, anonymous", method: "POST", target: "/?_action=secret", headers: { ...API, "content-type": "application/x-www-form-urlencoded" }, body: "a=b", expected: refused("no_credential") },
      { name: "prerendered page by its file, anonymous", target: "/prerendered/index.html", headers: API, expected: refused("no_credential") },
    ],
    wrong: [{ name: MISSING, serve: ["node", "dist/server/entry.mjs"], expects: THROWS }],
    dev: ["node", ...REGISTER, "node_modules/.bin/astro", "dev", "--port", "$PORT", "--host", "127.0.0.1"],
  },
  ...[7, 8].map((major) => ({
    name: `react-router-${major}`,
    node: major === 7 ? 20 : 22,
    versions: ["react-router", "react"],
    build: [["node", "node_modules/.bin/react-router", "build"]],
    serve: ["node", ...REGISTER, "node_modules/.bin/react-router-serve", "build/server/index.js"],
    lacks: { socket: "it has no WebSockets of its own", "prerendered page of a session": "it is redirected to the folder of its file, see below" },
    requests: [
      { name: "prerendered page of a session, in its folder", target: "/prerendered/", headers: PAGE, whose: "session", expected: file("prerendered") },
      { name: "data of a page, anonymous", target: "/dashboard.data", headers: API, expected: refused("no_credential") },
      { name: "data of a page, of a session", target: "/dashboard.data", headers: API, whose: "session", expected: content("dashboard") },
      { name: "data of the public page, anonymous", target: major === 7 ? "/_root.data" : "/_.data", headers: API, expected: content("home", "anonymous") },
      { name: "data of a prerendered page, anonymous", target: "/prerendered.data", headers: API, expected: refused("no_credential") },
      { name: "file of a prerendered page, anonymous", target: "/prerendered/index.html", headers: API, expected: refused("no_credential") },
    ],
    wrong: [{ name: MISSING, serve: ["node", "node_modules/.bin/react-router-serve", "build/server/index.js"], expects: THROWS }],
    dev: ["node", ...REGISTER, "node_modules/.bin/react-router", "dev", "--port", "$PORT", "--host", "127.0.0.1"],
  })),
  {
    name: "nuxt",
    node: 24,
    versions: ["nuxt"],
    build: [["node", "node_modules/.bin/nuxt", "build"]],
    serve: ["node", ...REGISTER, ".output/server/index.mjs"],
    requests: [
      { name: "cached page, anonymous", target: "/cached", headers: API, expected: refused("no_credential") },
      { name: "data of a prerendered page, anonymous", target: "/prerendered/_payload.json", headers: API, expected: refused("no_credential") },
      { name: "the framework's page of an error, anonymous", target: "/__nuxt_error", headers: API, expected: refused("no_credential") },
    ],
    wrong: [
      { name: MISSING, serve: ["node", ".output/server/index.mjs"], expects: THROWS },
      { name: "session() in a page that is cached for everybody", target: "/cached", expects: THROWS },
    ],
    dev: ["node", ...REGISTER, "node_modules/.bin/nuxt", "dev", "--no-fork", "--port", "$PORT", "--host", "127.0.0.1"],
  },
  {
    name: "tanstack-start",
    node: 22,
    versions: ["@tanstack/react-start", "srvx"],
    build: [["node", "node_modules/.bin/vite", "build"]],
    serve: ["node", ...REGISTER, "server.js"],
    lacks: { socket: "it has no WebSockets of its own", prerendered: NO_PRERENDERING },
    requests: [{ name: "server function, anonymous", target: "/_serverFn/0123456789abcdef", headers: API, expected: refused("no_credential") }],
    wrong: [{ name: MISSING, serve: ["node", "server.js"], expects: THROWS }],
    dev: ["node", ...REGISTER, "node_modules/.bin/vite", "dev", "--port", "$PORT", "--host", "127.0.0.1"],
  },
  {
    name: "nest",
    versions: ["@nestjs/core", "@nestjs/platform-ws"],
    build: [["node", "node_modules/.bin/tsc"]],
    serve: ["node", ...REGISTER, "dist/main.js"],
    differs: { "POST from this site": content("note", "session", { status: 201, bytes: 5 }), "POST of a JWT": content("note", "session", { status: 201, bytes: 5 }), "11 MB of a session": content("note", "session", { status: 201, bytes: 11 * 1024 * 1024 }) },
    lacks: { prerendered: NO_PRERENDERING },
    wrong: [{ name: MISSING, serve: ["node", "dist/main.js"], expects: THROWS }],
  },
  {
    name: "worker",
    node: 22,
    versions: ["wrangler"],
    serve: wrangler(),
    lacks: { prerendered: NO_PRERENDERING },
    wrong: [{ name: "nothing calls the gate", serve: wrangler("src/without-gate.js"), expects: THROWS }],
  },
  {
    name: "hono-workerd",
    node: 22,
    versions: ["hono", "wrangler"],
    serve: wrangler(),
    lacks: { prerendered: NO_PRERENDERING },
    wrong: [{ name: "the gate behind the routes", serve: wrangler("src/wrong-order.js"), expects: THROWS }],
  },
  {
    name: "deno",
    versions: ["deno"],
    serve: ["node_modules/.bin/deno", "run", "--quiet", "--allow-net", "--allow-env", "--allow-read", "server.js"],
    lacks: { prerendered: NO_PRERENDERING, socket: "Deno upgrades the request that came, which the application does not get" },
    wrong: [{ name: "nothing calls the gate", serve: ["node_modules/.bin/deno", "run", "--quiet", "--allow-net", "--allow-env", "--allow-read", "without-gate.js"], expects: THROWS }],
  },
  {
    name: "elysia",
    versions: ["elysia", "bun"],
    serve: ["node_modules/.bin/bun", "server.ts"],
    lacks: { prerendered: NO_PRERENDERING, "spelling /%64ashboard of a session": "it routes by the path as the client wrote it: 404", stream: "onRequest does not see the body of a response: the application ends its streams" },
    wrong: [{ name: "nothing calls the gate", serve: ["node_modules/.bin/bun", "without-gate.ts"], expects: THROWS }],
  },
  {
    name: "netlify",
    node: 22,
    versions: ["@netlify/edge-bundler", "deno"],
    build: [["node", "bundle.mjs"]],
    serve: ["node_modules/.bin/deno", "run", "--quiet", "--allow-net", "--allow-env", "--allow-read", "play.js"],
    adds: "dist",
    lacks: { prerendered: NO_PRERENDERING, socket: "edge functions have none" },
    wrong: [
      {
        name: "`next` ignores its argument",
        serve: ["node_modules/.bin/deno", "run", "--quiet", "--allow-net", "--allow-env", "--allow-read", "wrong-next.js"],
        // Whoever brings an identity header of their own gets no further.
        expects: { status: 400, says: /head_malformed/ },
      },
    ],
  },
  ...[["turbopack", []], ["webpack", ["--webpack"]]].map(([bundler, flags]) => ({
    name: `next-16-${bundler}`,
    app: "next-16",
    versions: ["next"],
    ...nextApp(flags),
    wrong: [{ name: "a matcher that is too narrow", build: [["cp", "narrow.js", "proxy.js"], ["node", "node_modules/.bin/next", "build", ...flags]], expects: { build: /error\[matcher-excludes\]: \/dashboard/ } }],
    ...(bundler === "turbopack" && { dev: ["node", "node_modules/.bin/next", "dev", "-p", "$PORT", "-H", "127.0.0.1"] }),
  })),
  {
    name: "next-16-middleware",
    app: "next-16",
    versions: ["next"],
    ...nextApp([], [["cp", "edge.js", "middleware.js"], ["rm", "proxy.js"]]),
  },
  {
    name: "next-15",
    versions: ["next"],
    ...nextApp(),
  },
  {
    name: "opennext",
    node: 22,
    versions: ["@opennextjs/cloudflare", "next"],
    build: [["node", "node_modules/.bin/opennextjs-cloudflare", "build"]],
    serve: wrangler(),
    lacks: NEXT_LACKS,
    differs: NEXT_DIFFERS,
    requests: NEXT_FORMS,
    wrong: [{ name: "OpenNext's own worker, without the gate", serve: wrangler(".open-next/worker.js"), target: "/api/me", expects: THROWS }],
  },
  {
    name: "axum",
    isRust: true,
    serve: [join(WORK, "../debug/examples/axum")],
    lacks: { prerendered: NO_PRERENDERING, socket: "the application has none" },
    wrong: [{ name: "a route outside of the layer", env: { WITHOUT_GATE: "1" }, expects: { status: 500, says: /the gate did not run for this request/ } }],
  },
];
