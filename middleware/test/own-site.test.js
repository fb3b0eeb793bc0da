// A page's own POST, as a browser sends it to servers that do not know under which name it sees them.

import assert from "node:assert/strict";
import { test } from "node:test";

import express from "express";

import { createGate } from "doorward";
import { createProxy, middleware, protect } from "doorward/node";
import { AUTH, NOW, exchange, newIssuer, serve } from "./support.js";

const { keySet, token } = await newIssuer();
const issuer = { type: "jwt", issuer: AUTH, audience: AUTH, jwks_url: `${AUTH}/jwks`, token_locations: ["cookie:token"] };
const config = { issuers: [issuer], rules: [{ path: "/**", access: "required" }] };

/** Options, and what has been logged. */
function gated(more = {}) {
  const lines = [];
  const fetch = async () => new Response(keySet, { headers: { "content-type": "application/json" } });
  return { lines, options: { config, env: {}, fetch, now: () => NOW, log: (line) => lines.push(line), ...more } };
}

/** The status of a POST to this port, with just these headers. */
async function post(port, headers, cookies = [`token=${token}`]) {
  const lines = [["Connection", "close"], ["Content-Length", "0"], ...cookies.map((cookie) => ["Cookie", cookie]), ...Object.entries(headers)];
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const answer = await exchange(port, `POST /app HTTP/1.1\r\n${head}\r\n`);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

const localhost = (port, more = {}) => ({ Host: `localhost:${port}`, Origin: `http://localhost:${port}`, ...more });
const browser = { "Sec-Fetch-Site": "same-origin" };

/** Each way to stand in front of an application, and the port that it has. */
const hosts = {
  express: (t, options) => serve(t, express().use(middleware(options)).use((req, res) => res.end(req.get("cookie")))),
  protect: (t, options) => serve(t, protect(options, (req, res) => res.end(req.headers.cookie))),
  createProxy: async (t, options) => serve(t, createProxy({ ...options, origin: (await serve(t, (req, res) => res.end())).origin })),
};

for (const [name, host] of Object.entries(hosts)) {
  test(`${name}: a page at localhost may send what it likes to a server that knows itself as 127.0.0.1`, async (t) => {
    const { options, lines } = gated();
    const { port } = await host(t, options);
    assert.equal(await post(port, localhost(port, browser)), 200);
    assert.deepEqual(lines.map((line) => JSON.parse(line).event), ["start"]);
    // A page behind a proxy with TLS, and one of another site.
    assert.equal(await post(port, { Host: `127.0.0.1:${port}`, Origin: "https://app.example", ...browser }), 200);
    assert.equal(await post(port, localhost(port, { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" })), 403);
    const { reason, origin, public_origin, sec_fetch_site } = JSON.parse(lines.at(-1));
    const expected = ["cross_site_request", "https://evil.example", `http://127.0.0.1:${port}`, "cross-site"];
    assert.deepEqual([reason, origin, public_origin, sec_fetch_site], expected);
  });

  test(`${name}: in development what was typed into the browser is the public origin`, async (t) => {
    const { options } = gated({ env: { NODE_ENV: "development" } });
    const { port } = await host(t, options);
    assert.equal(await post(port, localhost(port)), 200);
    assert.equal(await post(port, { ...localhost(port), Host: `LOCALHOST:${port}` }), 200);
    // The names of this machine are one site.
    assert.equal(await post(port, { ...localhost(port), Host: `127.0.0.1:${port}` }), 200);
    assert.equal(await post(port, { ...localhost(port), Host: `[::1]:${port}` }), 200);
    assert.equal(await post(port, localhost(port, { Origin: `http://localhost:${port + 1}` })), 403);
    assert.equal(await post(port, localhost(port, { Origin: `https://localhost:${port}` })), 403);
    assert.equal(await post(port, { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }), 403);
    assert.equal(await post(port, localhost(port, { "X-Forwarded-Host": "x" })), 403);
    assert.equal(await post(port, localhost(port, { "X-Forwarded-For": "127.0.0.1" })), 403);
    assert.equal(await post(port, localhost(port, { Forwarded: "for=x" })), 403);
    assert.equal(await post(port, localhost(port, { Via: "1.1 x" })), 403);
  });

  test(`${name}: elsewhere a Host is the client's word`, async (t) => {
    for (const NODE_ENV of [undefined, "production", "Development", "test"]) {
      const { options } = gated({ env: { ...(NODE_ENV && { NODE_ENV }) } });
      const { port } = await host(t, options);
      assert.equal(await post(port, localhost(port)), 403);
      assert.equal(await post(port, { Host: `localhost:${port}`, Origin: `http://127.0.0.1:${port}` }), 200);
    }
  });
}

test("a public origin that is given counts in development too", async (t) => {
  const { options } = gated({ env: { NODE_ENV: "development" }, publicOrigin: "https://app.example" });
  const { port } = await hosts.protect(t, options);
  assert.equal(await post(port, localhost(port)), 403);
  assert.equal(await post(port, localhost(port, { Origin: "https://app.example" })), 200);
});

test("cookies in several lines reach an application as one", async (t) => {
  const { options } = gated();
  const seen = [];
  const { port } = await serve(t, protect(options, (req, res) => (seen.push(req.headers.cookie, req.rawHeaders), res.end())));
  assert.equal(await post(port, localhost(port, browser), ["a=1", `token=${token}`, "b=2"]), 200);
  const [joined, raw] = seen;
  assert.equal(joined, `a=1; token=${token}; b=2`);
  assert.equal(raw.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "cookie").length, 1);
});

test("a method in small letters is nobody's, whoever carries it", async (t) => {
  const { options } = gated();
  const { port } = await hosts.protect(t, options);
  assert.match(await exchange(port, `patch /app HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 400 /);
  const gate = createGate(options);
  // Fetch writes six methods in capitals, and leaves this one.
  const request = new Request("https://app.example/app", { method: "patch", headers: { cookie: `token=${token}`, origin: "https://app.example" } });
  const { kind, response } = await gate.decide(request);
  assert.deepEqual([kind, response.status, (await response.json()).reason], ["answer", 400, "method_refused"]);
});
