// Whole Workers in workerd, in front of an origin that says `ok`: what a gate adds to a request.
//
// Four ways to the origin: straight to it; through a Worker that only passes requests on; through the Rust Worker
// (worker/build); through a Hono Worker that verifies with jose and a remote key set that it has fetched before. Both gates tell
// the origin the user and the address. All in one workerd, each with a socket of its own, asked one request at a time, each round
// in another order, by 1,000 users with a JWT each (EdDSA) whom every gate has seen before. `added` is the quantile with a gate
// less the quantile of the Worker without one: the way through a Worker costs what it costs. p99 is taken of blocks of 100
// requests, and the tenth of the blocks in which the machine was quietest says it: of all requests together, the slowest
// hundredth is slow because another program ran. That one is shown too.

import { readdir, readFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { Miniflare } from "miniflare";

import { AUTH, mint } from "./fixtures.mjs";
import { quantile } from "./judge.mjs";
import { bundled, COMPATIBILITY_DATE, HERE } from "./runtimes.mjs";

const USERS = 1_000;
const BLOCK = 100;
const QUIETEST = 0.1;
const ORIGIN = "https://origin.test";
const BUILD = path.join(HERE, "..", "worker", "build");

/** What people write today. */
export const HONO = `
import { Hono } from "hono";
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from "jose";

const app = new Hono();
let set;

app.use("*", async (c, next) => {
  const { JWKS_URL, JWKS, AUTH } = c.env;
  set ??= JWKS ? createLocalJWKSet(JWKS) : createRemoteJWKSet(new URL(JWKS_URL));
  const [scheme, token] = (c.req.header("authorization") ?? "").split(" ");
  if (scheme !== "Bearer") return c.text("Unauthorized", 401);
  try {
    const { payload } = await jwtVerify(token, set, { issuer: AUTH, audience: AUTH });
    c.set("user", payload);
  } catch {
    return c.text("Unauthorized", 401);
  }
  await next();
});

app.all("*", (c) => {
  const { pathname, search } = new URL(c.req.url);
  const request = new Request(c.env.ORIGIN_URL + pathname + search, c.req.raw);
  request.headers.set("x-user", c.get("user").sub);
  request.headers.set("x-email", c.get("user").email);
  return fetch(request, { redirect: "manual" });
});

export default app;
`;

/** A Worker that only passes requests on. */
export const PASS_ON = `
export default {
  fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(env.ORIGIN_URL + pathname + search, request), { redirect: "manual" });
  },
};
`;

const outside = (jwks) => `
const jwks = ${JSON.stringify(JSON.stringify(jwks))};
export default {
  fetch(request) {
    if (!request.url.endsWith("/jwks")) return new Response("ok");
    return new Response(jwks, { headers: { "content-type": "application/json", "cache-control": "max-age=3600" } });
  },
};
`;

const socket = [{ host: "127.0.0.1", port: 0 }];
const common = { compatibilityDate: COMPATIBILITY_DATE, unsafeDirectSockets: socket };

/** The built Worker; `issuer` says where its keys are. */
export async function rustWorker(name, issuer) {
  const entries = await readdir(BUILD, { recursive: true });
  const files = entries.filter((file) => /\.(js|wasm)$/.test(file)).sort((a, b) => (b === "worker.js") - (a === "worker.js"));
  return {
    ...common,
    name,
    modules: await Promise.all(files.map(async (file) => ({
      type: file.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
      path: file,
      contents: await readFile(path.join(BUILD, file)),
    }))),
    bindings: {
      ORIGIN_URL: ORIGIN,
      DOORWARD: {
        issuers: [{ type: "jwt", issuer: AUTH, audience: AUTH, ...issuer }],
        // As much as the rival tells the origin: each header costs every Worker some microseconds.
        rules: [{ path: "/**", access: "required", identity_headers: ["subject", "email"] }],
      },
    },
  };
}

/** The same with Hono and jose. */
export async function honoWorker(name, bindings) {
  const contents = await bundled(HONO, { minify: true });
  return { ...common, name, modules: [{ type: "ESModule", path: "worker.mjs", contents }], bindings: { ORIGIN_URL: ORIGIN, AUTH, ...bindings } };
}

export const plainWorker = (name, contents) => ({
  ...common,
  name,
  modules: [{ type: "ESModule", path: "worker.mjs", contents }],
  bindings: { ORIGIN_URL: ORIGIN },
});

/** Asks for so many milliseconds, and at least once for every user. Quantiles in microseconds, by way. */
export async function wholeWorker(milliseconds) {
  const { jwks, jwts } = await mint({ algorithms: ["eddsa"], count: USERS - 1, cookies: false });
  const url = `${AUTH}/jwks`;
  const gates = [
    await rustWorker("ours", { jwks_url: url }),
    await honoWorker("hono + jose", { JWKS_URL: url }),
    plainWorker("no gate", PASS_ON),
  ];
  const miniflare = new Miniflare({
    cf: false,
    workers: [plainWorker("direct", outside(jwks)), ...gates.map((gate) => ({ ...gate, outboundService: "direct" }))],
  });
  try {
    await miniflare.ready;
    const ways = [];
    for (const name of ["direct", ...gates.map((gate) => gate.name)]) {
      const { port } = await miniflare.unsafeGetDirectURL(name);
      ways.push({ name, samples: [], ask: await connection(Number(port)) });
    }
    await play(ways, jwts.eddsa, milliseconds);
    for (const way of ways) way.ask.end();
    return Object.fromEntries(ways.map(({ name, samples }) => [name, quantiles(samples)]));
  } finally {
    await miniflare.dispose();
  }
}

async function play(ways, tokens, milliseconds) {
  // The first round is there to be seen before; it is not counted.
  for (const token of tokens) for (const way of ways) await way.ask(token);
  const end = performance.now() + milliseconds;
  for (let i = 0; i < tokens.length || performance.now() < end; i++) {
    // What workerd has left to do after a response, it does while the next request waits: nobody always comes behind the same one.
    for (const way of shuffled(ways)) {
      const begin = performance.now();
      await way.ask(tokens[i % tokens.length]);
      way.samples.push((performance.now() - begin) * 1000);
    }
  }
}

function shuffled(list) {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function quantiles(samples) {
  const blocks = Array.from({ length: Math.floor(samples.length / BLOCK) }, (_, i) => samples.slice(i * BLOCK, (i + 1) * BLOCK));
  return {
    p50: quantile(samples, 0.5),
    p99: quantile(blocks.map((block) => quantile(block, 0.99)), QUIETEST),
    p99_of_all: quantile(samples, 0.99),
    count: samples.length,
  };
}

/** One connection, one request at a time, with as little around it as can be. */
export function connection(port) {
  return new Promise((resolve, reject) => {
    let text = "";
    let settle;
    const client = net.connect(port, "127.0.0.1", () => resolve(ask));
    client.setNoDelay(true).setEncoding("latin1");
    client.on("error", (error) => (settle ? settle(error) : reject(error)));
    client.on("data", (chunk) => {
      text += chunk;
      if (!isWhole(text)) return;
      const problem = text.startsWith("HTTP/1.1 200 ") ? undefined : new Error(`the answer is ${text.slice(0, 400)}`);
      text = "";
      settle(problem);
    });

    function ask(token) {
      return new Promise((yes, no) => {
        settle = (problem) => (problem ? no(problem) : yes());
        client.write(
          `GET /api/items?page=2 HTTP/1.1\r\nHost: app.test\r\nAccept: application/json\r\nAccept-Language: en-GB,en;q=0.9\r\n` +
            `User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0\r\nAuthorization: Bearer ${token}\r\n\r\n`,
        );
      });
    }
    ask.end = () => client.destroy();
  });
}

function isWhole(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  return length === undefined ? text.endsWith("0\r\n\r\n") : text.length >= end + 4 + Number(length);
}
