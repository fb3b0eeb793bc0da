// What an origin hears of where it is asked, what the client hears of where the origin is, and how long a connection stays open.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";

import { createProxy, protect } from "doorward/node";
import { destination } from "../proxy.js";
import { AUTH, deferred, exchange, newIssuer, openConfig, serve, serveBytes } from "./support.js";

const quiet = { env: {}, log: () => {} };
const open = { ...quiet, config: openConfig };

async function proxied(t, origin, options = open) {
  const proxy = createProxy({ ...options, origin });
  return serve(t, proxy, { upgrade: proxy.upgrade });
}

function send(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false }, async (res) => {
      let text = "";
      let whole = true;
      try {
        for await (const chunk of res) text += chunk;
      } catch {
        whole = false;
      }
      resolve({ status: res.statusCode, headers: res.headers, body: text, whole });
    });
    req.on("error", reject);
    req.end(body);
  });
}

test("proxy: an origin without virtual hosts is asked by the public name, and by its own where the option says so", async (t) => {
  const origin = await serve(t, (req, res) => res.end(req.headers.host));
  const publicOrigin = "https://app.example";
  const heard = async (options) => (await send(`${(await proxied(t, origin.origin, { ...open, ...options })).origin}/`)).body;
  assert.equal(await heard({ publicOrigin }), "app.example");
  assert.equal(await heard({ publicOrigin: "https://app.example:8443" }), "app.example:8443");
  assert.equal(await heard({ publicOrigin, host: "public" }), "app.example");
  assert.equal(await heard({ publicOrigin, host: "origin" }), `127.0.0.1:${origin.port}`);
  for (const host of ["app.example", "", true, null, 1, ["public"]]) {
    assert.throws(() => createProxy({ ...open, origin: origin.origin, host }), /TypeError: doorward: `host` must be "public" or "origin"/, String(host));
  }
});

test("by which name an origin is asked", () => {
  const head = { publicOrigin: "https://app.example" };
  const asked = (url, host, upstream) => destination({ head, upstream }, url && new URL(url), host).host;
  for (const url of ["http://127.0.0.1:3000", "http://[::1]:3000", "http://[2001:db8::1]", "http://192.168.1.9:8080", "http://localhost:3000", "http://api:8000"]) {
    assert.equal(asked(url), "app.example", url);
    assert.equal(asked(undefined, undefined, url), "app.example", url);
    assert.equal(asked(url, "origin"), new URL(url).host, url);
  }
  for (const url of ["https://origin.example", "http://origin.internal:8080", "https://app-123.vercel.app"]) {
    assert.equal(asked(url), new URL(url).host, url);
    assert.equal(asked(url, "public"), "app.example", url);
    // The option is about the proxy's own origin.
    assert.equal(asked(undefined, "public", url), new URL(url).host, url);
  }
});

test("proxy: what an origin says of its own address is the public one for the client", async (t) => {
  const answers = new Map();
  const origin = await serve(t, (req, res) => res.writeHead(307, answers.get(req.url)(req)).end());
  const publicOrigin = "https://app.example";
  const hosts = await Promise.all([undefined, "public", "origin"].map((host) => proxied(t, origin.origin, { ...open, publicOrigin, host })));
  const own = `127.0.0.1:${origin.port}`;
  const cases = [
    // As Starlette's slash redirect, Flask's and Django's are written: by `Host`, in the scheme that the server hears.
    ["location", ({ headers }) => `http://${headers.host}/items/?a=b`, "https://app.example/items/?a=b"],
    ["location", () => `http://${own}/items/`, "https://app.example/items/"],
    ["location", () => `https://${own}/items/#x`, "https://app.example/items/#x"],
    ["location", () => `//${own}/items/`, "https://app.example/items/"],
    ["location", () => "http://app.example/items/", "https://app.example/items/", true],
    ["location", () => "/items/", "/items/"],
    ["location", () => "https://elsewhere.example/items/", "https://elsewhere.example/items/"],
    ["location", () => `https://elsewhere.example/?to=http://${own}/`, `https://elsewhere.example/?to=http://${own}/`],
    ["location", () => `http://${own}.evil.example/`, `http://${own}.evil.example/`],
    ["content-location", () => `http://${own}/items/1`, "https://app.example/items/1"],
    ["refresh", () => `3; url=http://${own}/items/`, "3; url=https://app.example/items/"],
    ["set-cookie", () => ["a=1; Path=/; Domain=127.0.0.1", "b=2; Domain=app.example"], ["a=1; Path=/", "b=2; Domain=app.example"]],
  ];
  for (const [number, [name, written, expected, isPublicOnly]] of cases.entries()) {
    answers.set(`/${number}`, (req) => ({ [name]: written(req) }));
    for (const [at, gate] of hosts.entries()) {
      if (isPublicOnly && at === 2) continue; // to an origin that was asked by its own name this is another site
      const { headers } = await send(`${gate.origin}/${number}`);
      assert.deepEqual(headers[name], expected, `${number}: ${name}, host ${at}`);
    }
  }
});

test("proxy: a page of the origin is shown in place of the gate's own", async (t) => {
  const html = { "content-type": "text/html; charset=utf-8" };
  const heard = [];
  const answers = {
    "/errors/signed-out": (res) => res.writeHead(200, { ...html, "set-cookie": "visited=1", etag: "1", "content-language": "de" }).end("<p>Bitte anmelden</p>"),
    "/errors/protected": (res) => res.writeHead(307, { location: "/sign-in" }).end(),
    "/errors/large": (res) => res.writeHead(200, html).end("a".repeat(600 * 1024)),
    "/errors/endless": (res) => res.writeHead(200, html) && res.write("a"),
    "/errors/broken": (res) => res.destroy(),
    "/errors/empty": (res) => res.writeHead(204).end(),
    "/errors/data": (res) => res.writeHead(200, { "content-type": "application/json" }).end("{}"),
  };
  const origin = await serve(t, (req, res) => {
    heard.push({ url: req.url, method: req.method, headers: req.headers });
    answers[req.url.split("?")[0]](res);
  });
  const visitor = { accept: "text/html", "accept-language": "de", cookie: "a=b", authorization: "Basic YTpi", "x-doorward-subject": "root", "x-forwarded-for": "192.0.2.1" };
  const url = "/app?b=c";
  const asked = async (page, method = "GET") => {
    const said = [];
    const config = {
      issuers: openConfig.issuers,
      rules: [{ path: "/errors/**", access: "public" }, { path: "/**", access: "required" }],
      pages: { 401: page },
    };
    const { origin: gate } = await proxied(t, origin.origin, { env: {}, log: (line) => said.push(line), config, publicOrigin: "https://app.example" });
    const answer = await send(gate + url, { method, headers: visitor });
    return { ...answer, log: JSON.parse(said.at(-1)) };
  };

  for (const method of ["GET", "HEAD", "POST"]) {
    const { status, headers, body, log } = await asked("/errors/signed-out", method);
    assert.deepEqual([status, log.reason, log.page_failure], [401, "no_credential", undefined], method);
    assert.equal(body, method === "HEAD" ? "" : "<p>Bitte anmelden</p>");
    assert.deepEqual([headers["content-type"], headers["content-language"]], [html["content-type"], "de"]);
    assert.deepEqual([headers["cache-control"], headers["www-authenticate"]], ["private, no-store", "Bearer"]);
    assert.deepEqual([headers["set-cookie"], headers.etag, headers.location], [undefined, undefined, undefined]);
    const { url, method: by, headers: sent } = heard.at(-1);
    assert.deepEqual([by, url], ["GET", `/errors/signed-out?reason=no_credential${method === "POST" ? "" : "&from=%2Fapp%3Fb%3Dc"}`]);
    assert.deepEqual(Object.keys(sent).sort(), ["accept", "accept-encoding", "accept-language", "connection", "host", "x-forwarded-host", "x-forwarded-proto"]);
    assert.deepEqual([sent.host, sent["accept-language"]], ["app.example", "de"]);
  }

  const failures = {
    "/errors/protected": "redirect", "/errors/large": "too_large", "/errors/endless": "unreachable", "/errors/broken": "unreachable",
    "/errors/empty": "unreachable", "/errors/data": "not_html",
  };
  for (const [page, failure] of Object.entries(failures)) {
    const { status, body, log } = await asked(page);
    assert.deepEqual([status, log.reason, log.page_failure], [401, "no_credential", failure], page);
    assert.match(body, /Code: no_credential/, page);
  }
});

/** An origin that lets each connection answer so many requests, and hangs up on the next one without a word. */
async function forgetful(t, answersEach) {
  const seen = [];
  const { origin } = await serveBytes(t, (socket) => {
    let answered = 0;
    socket.on("data", (bytes) => {
      seen.push(bytes.toString().split("\r\n")[0]);
      if (answered++ >= answersEach(seen.length)) return socket.resetAndDestroy?.() ?? socket.destroy();
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok");
    });
  });
  return { origin, seen };
}

test("proxy: a kept connection that dies under a request is tried once more, if that request may come twice", async (t) => {
  for (const [method, body, expected] of [["GET", undefined, 200], ["HEAD", undefined, 200], ["OPTIONS", undefined, 200], ["POST", "x", 502], ["PUT", "x", 502], ["DELETE", undefined, 502], ["GET", "x", 502]]) {
    const { origin, seen } = await forgetful(t, () => 1);
    const gate = await proxied(t, origin);
    assert.equal((await send(`${gate.origin}/first`)).status, 200);
    const headers = body ? { "content-length": String(body.length) } : {};
    const { status } = await send(`${gate.origin}/second`, { method, headers, body });
    assert.equal(status, expected, `${method} ${body ?? ""}`);
    const tries = seen.filter((line) => line.includes("/second")).length;
    assert.equal(tries, expected === 200 ? 2 : 1, `${method}: ${seen}`);
  }
});

test("proxy: a new connection that dies is not tried again, and neither is the second try", async (t) => {
  const dead = await forgetful(t, () => 0);
  const gate = await proxied(t, dead.origin);
  assert.equal((await send(`${gate.origin}/a`)).status, 502);
  assert.equal(dead.seen.length, 1);
  const dying = await forgetful(t, (count) => (count === 1 ? 1 : 0));
  const other = await proxied(t, dying.origin);
  assert.equal((await send(`${other.origin}/a`)).status, 200);
  assert.equal((await send(`${other.origin}/b`)).status, 502);
  assert.equal(dying.seen.length, 3);
});

// ---- what stays open --------------------------------------------------------------------------------------------------

const seconds = () => Date.now() / 1000;

/** A gate whose user has a token that ends in so many seconds. */
async function withToken(lives) {
  const exp = Math.floor(seconds()) + lives;
  const { keySet, token } = await newIssuer({ iat: exp - 60, exp });
  const issuer = { type: "better-auth", url: AUTH, jwks_url: null, jwks: JSON.parse(keySet), clock_tolerance_seconds: 0 };
  const rules = [{ path: "/short/**", access: "public", max_connection_seconds: 1 }, { path: "/open/**", access: "public" }, { path: "/**", access: "required" }];
  return { exp, options: { ...quiet, config: { issuers: [issuer], rules } }, headers: { authorization: `Bearer ${token}` } };
}

const events = (req, res) => {
  res.writeHead(200, { "content-type": req.url.includes("plain") ? "text/plain" : "text/event-stream" });
  const timer = setInterval(() => res.write("data: 1\n\n"), 50);
  res.on("close", () => clearInterval(timer));
  if (req.url.includes("plain")) setTimeout(() => res.end("end"), 5_000);
};

test("an event stream ends a second after its token: behind a proxy and in the application itself", { timeout: 60_000 }, async (t) => {
  const { exp, options, headers } = await withToken(3);
  const origin = await serve(t, events);
  const gates = [await proxied(t, origin.origin, options), await serve(t, protect(options, events))];
  await Promise.all(
    gates.map(async (gate, at) => {
      const [{ status, body, whole }, plain] = await Promise.all([send(`${gate.origin}/events`, { headers }), send(`${gate.origin}/plain`, { headers })]);
      assert.equal(status, 200);
      assert.ok(body.length > 100, "it streamed");
      // The application sees its reader go away; a proxy ends the stream in order.
      assert.equal(whole, at === 0);
      assert.deepEqual([plain.whole, plain.body.endsWith("end")], [true, true], "a document is a document");
    }),
  );
  const late = seconds() - exp;
  assert.ok(late < 20, `${late} s after its token`);
});

/** A handshake's answer, and the bytes behind it until the end. */
async function socketAt(gate, target, headers) {
  const lines = Object.entries({ host: `127.0.0.1:${gate.port}`, origin: gate.origin, connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", ...headers });
  const text = await exchange(gate.port, `GET ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`);
  const cut = text.indexOf("\r\n\r\n") + 4;
  return { head: text.slice(0, cut), bytes: Buffer.from(text.slice(cut), "latin1") };
}

test("proxy: a WebSocket is closed a second after its token, between two frames, at both ends", { timeout: 60_000 }, async (t) => {
  const { exp, options, headers } = await withToken(3);
  const heard = deferred();
  const origin = await serve(t, () => {}, {
    upgrade: (req, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      // Half of a frame now, and the other half again and again.
      const timer = setInterval(() => socket.write(Buffer.from([0x82, 4, 0x88, 0x02])) && setTimeout(() => socket.writable && socket.write(Buffer.from([0x03, 0xe8])), 20), 60);
      const read = [];
      socket.on("data", (chunk) => read.push(chunk));
      socket.on("close", () => (clearInterval(timer), heard.resolve(Buffer.concat(read))));
      socket.on("error", () => {});
    },
  });
  const gate = await proxied(t, origin.origin, options);
  const { head, bytes } = await socketAt(gate, "/socket", headers);
  assert.match(head, /^HTTP\/1\.1 101 /);
  const late = seconds() - exp;
  assert.ok(late >= 0.9 && late < 20, `${late} s after its token`);
  const close = Buffer.from([0x88, 9, 0x11, 0x31, ...Buffer.from("expired")]);
  assert.deepEqual(bytes.subarray(-close.length), close);
  assert.equal((bytes.length - close.length) % 6, 0, "whole frames before it");
  const masked = await heard.promise;
  assert.deepEqual([masked[0], masked[1]], [0x88, 0x89]);
  const content = masked.subarray(6).map((byte, at) => byte ^ masked[2 + (at % 4)]);
  assert.deepEqual([...content], [0x11, 0x31, ...Buffer.from("expired")]);
});

test("proxy: a rule says how long a connection may last, also for nobody", { timeout: 60_000 }, async (t) => {
  const { options } = await withToken(3);
  const origin = await serve(t, events, {
    upgrade: (_, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("error", () => {});
    },
  });
  const gate = await proxied(t, origin.origin, options);
  const began = seconds();
  const [stream, socket] = await Promise.all([send(`${gate.origin}/short/events`), socketAt(gate, "/short/socket", {})]);
  assert.equal(stream.whole, true);
  assert.deepEqual([...socket.bytes.subarray(0, 4)], [0x88, 9, 0x11, 0x31]);
  const took = seconds() - began;
  assert.ok(took >= 0.9 && took < 20, `${took} s`);
});
