// The collector (collect/collector.js) looks over every suite of this package. A collector that finds nothing proves nothing: on each
// host a request that has its own session token in its path is refused, so that the token is in the log, and is found.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const COLLECTOR = fileURLToPath(new URL("collect/collector.js", import.meta.url));

const START = `
  const token = "q7Rk2ZbW9sVx4LmTn8YcPd3HfJg5KvQa";
  const cookie = "better-auth.session_token=" + token + ".c2lnbmF0dXJlLXRoYXQtaG9sZHMtbm90aGluZw%3D%3D";
  const options = { env: { BETTER_AUTH_URL: "http://localhost:3000", BETTER_AUTH_SECRET: "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg" }, log() {} };
  const target = process.argv[1] === "leak" ? "/app/" + token : "/app/x";
  const request = () => new Request("http://localhost:3000" + target, { headers: { cookie } });
  const listening = async (server) => {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    await fetch("http://127.0.0.1:" + server.address().port + target, { headers: { cookie } });
    server.close();
  };
`;

/** What sends that request through each host. */
const HOSTS = {
  "doorward": `const { createGate } = await import("doorward"); await createGate(options).decide(request());`,
  "doorward/node, as a middleware": `
    const { middleware } = await import("doorward/node"); const gate = middleware(options);
    await listening((await import("node:http")).createServer((req, res) => gate(req, res, () => res.end())));`,
  "doorward/node, as a proxy": `
    const { createProxy } = await import("doorward/node");
    await listening((await import("node:http")).createServer(createProxy({ ...options, origin: "http://127.0.0.1:9", publicOrigin: "http://localhost:3000" })));`,
  "doorward/hono": `
    const { Hono } = await import("hono"); const { gate } = await import("doorward/hono");
    const app = new Hono(); app.use(gate(options)); await app.fetch(request());`,
  "doorward/next": `const { gate } = await import("doorward/next"); await gate(options)(request());`,
  "doorward/astro": `
    const { gate } = await import("doorward/astro");
    await gate(options)({ request: request(), url: new URL(request().url), locals: {}, clientAddress: "127.0.0.1" }, () => new Response());`,
  "doorward/sveltekit": `
    const { gate } = await import("doorward/sveltekit");
    await gate(options)({ event: { request: request(), url: new URL(request().url), locals: {}, getClientAddress: () => "127.0.0.1" }, resolve: () => new Response() });`,
};

const played = (host, what) =>
  spawnSync(process.execPath, ["--import", COLLECTOR, "--input-type=module", "-e", START + HOSTS[host], what], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    encoding: "utf8",
    env: { PATH: process.env.PATH, DOORWARD_COLLECTED: "1" },
  });

for (const host of Object.keys(HOSTS)) {
  test(`a token that ${host} logs is found`, () => {
    const quiet = played(host, "nothing");
    assert.equal(quiet.status, 0, quiet.stderr);
    assert.match(quiet.stderr, /collector: [1-9]\d* texts searched/);
    const planted = played(host, "leak");
    assert.equal(planted.status, 1, planted.stderr);
    assert.match(planted.stderr, /collector: \d+ leaks in \d+ texts, the first: the (log|header|body)/);
    assert.ok(!planted.stderr.includes("q7Rk2ZbW9sVx4LmTn8YcPd3HfJg5KvQa"), "the collector tells it, too");
  });
}
