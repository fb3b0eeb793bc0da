// The stores that come with the package, against a real Redis, by the clients that people use:
// redis-server is Debian's package of that name, which `cargo xtask test js` installs. Without it the
// tests are skipped, and never in CI. Upstash's REST interface is put before the same Redis.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { createGate } from "doorward";
import { redis } from "doorward/stores/redis";
import { upstash } from "doorward/stores/upstash";
import { vercel } from "doorward/stores/vercel";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { NOW, config, newIssuer, request } from "./support.js";

const has = spawnSync("redis-server", ["--version"]).status === 0;
const skip = has || process.env.CI ? false : "there is no redis-server: apt-get install --no-install-recommends redis-server";
const TOKEN = "a token of the test";

let folder, server, client, other, rest;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(path.join(tmpdir(), "doorward-redis-"));
  const socket = path.join(folder, "socket");
  server = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const text of server.stdout) if (/Ready to accept connections|connections at/.test(text)) break;
  client = createClient({ socket: { path: socket } });
  other = new Redis(socket);
  await client.connect();
  rest = http.createServer(answer).listen(0, "127.0.0.1");
  await once(rest, "listening");
});

after(async () => {
  other?.disconnect();
  client?.destroy();
  rest?.close();
  server?.kill();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Upstash's REST interface: a command as a JSON list, its result as `result`. */
async function answer(incoming, response) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const isAllowed = incoming.headers.authorization === `Bearer ${TOKEN}`;
  response.writeHead(isAllowed ? 200 : 401, { "content-type": "application/json" });
  if (!isAllowed) return response.end('{"error":"Unauthorized"}');
  const [command, ...words] = JSON.parse(Buffer.concat(chunks));
  const result = await client.sendCommand([command, ...words]).then(
    (result) => ({ result }),
    (error) => ({ error: error.message }),
  );
  response.end(JSON.stringify(result));
}

const address = () => `http://127.0.0.1:${rest.address().port}`;

const KINDS = {
  "node-redis": () => redis(client, { prefix: "a:" }),
  ioredis: () => redis(other, { prefix: "b:" }),
  upstash: () => upstash({ url: address(), token: TOKEN, prefix: "c:" }),
};

for (const [name, open] of Object.entries(KINDS)) {
  describe(name, { skip }, () => {
    test("what is put there is found, for as long as it is good, under its prefix", async () => {
      const { read, cache } = open();
      assert.equal(await read("nothing"), null);
      await cache.put("key", 'text: {"a":1} ü', { ttlSeconds: 90 });
      assert.equal(await cache.get("key"), 'text: {"a":1} ü');
      assert.equal(await read("key"), 'text: {"a":1} ü');
      // A value that is JSON stays the text that it is.
      await cache.put("json", '{"a":1}', { ttlSeconds: 90 });
      assert.equal(await read("json"), '{"a":1}');
      const prefix = name === "node-redis" ? "a:" : name === "ioredis" ? "b:" : "c:";
      const left = await client.ttl(`${prefix}key`);
      assert.ok(left > 80 && left <= 90, `${left}`);
      assert.equal(await client.exists("key"), 0);
    });

    test("a second gate finds the key set of the first, and verifies with it", async () => {
      const { keySet, token } = await newIssuer();
      const { cache } = open();
      const gateOf = (fetch) => createGate({ env: {}, log: () => {}, now: () => NOW, config, fetch, cache });
      const headers = { authorization: `Bearer ${token}` };
      const waiting = [];
      const first = await gateOf(async () => new Response(keySet)).decide(request("/api", headers), { waitUntil: (work) => waiting.push(work) });
      assert.equal(first.kind, "forward");
      await Promise.all(waiting);
      const alone = gateOf(async () => Promise.reject(new TypeError("no network")));
      assert.equal((await alone.decide(request("/api", headers))).kind, "forward");
      const without = createGate({ env: {}, log: () => {}, now: () => NOW, config, fetch: async () => Promise.reject(new TypeError("no network")) });
      assert.equal((await without.decide(request("/api", headers))).reason, "keys_unavailable");
    });

    test("a deny-list is read from it", async () => {
      const { keySet, token } = await newIssuer();
      const store = open();
      await store.cache.put("list", JSON.stringify({ not_before: { "user-1": Math.floor(NOW / 1000) + 60 } }), { ttlSeconds: 60 });
      const document = { ...config, deny_list: { store: "LISTS", key: "list" } };
      const gate = createGate({ env: {}, log: () => {}, now: () => NOW, config: document, fetch: async () => new Response(keySet), stores: { LISTS: store.read } });
      const verdict = await gate.decide(request("/api", { authorization: `Bearer ${token}` }));
      assert.equal(verdict.reason, "session_revoked");
    });
  });
}

test("Upstash: another token, another type of value and a server that is away are failures", { skip }, async () => {
  await client.lPush("c:words", "1");
  const { read } = upstash({ url: address(), token: TOKEN, prefix: "c:" });
  await assert.rejects(read("words"), /refuses the command/);
  await assert.rejects(upstash({ url: address(), token: "another" }).read("a"), /answers 401/);
  await assert.rejects(upstash({ url: "http://127.0.0.1:9/", token: TOKEN }).read("a"), TypeError);
});

test("a store without what it needs is a mistake at once", () => {
  assert.throws(() => redis({ get() {} }), /client/);
  assert.throws(() => upstash({ url: "http://redis.example", token: TOKEN }), /https/);
  assert.throws(() => upstash({ url: "https://redis.example", token: " " }), /token/);
});

test("Vercel's Runtime Cache: texts with their lifetime, and nothing else", async () => {
  const kept = new Map();
  const runtime = { get: async (key) => kept.get(key)?.value ?? null, set: async (key, value, options) => void kept.set(key, { value, options }) };
  for (const { cache } of [vercel(runtime), vercel(() => runtime)]) {
    await cache.put("key", "text", { ttlSeconds: 60 });
    assert.deepEqual(kept.get("key"), { value: "text", options: { ttl: 60 } });
    assert.equal(await cache.get("key"), "text");
    await runtime.set("other", { a: 1 });
    assert.equal(await cache.get("other"), null);
  }
});
