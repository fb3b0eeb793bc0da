import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { test } from "node:test";

import express from "express";

import { NotGated, createProxy, middleware, protect, session } from "doorward/node";
import { NOW, NO_ORIGINS, WRITTEN, config, deferred, exchange, newIssuer, openConfig, serve, serveBytes, withoutRaw } from "./support.js";

const quiet = { env: {}, log: () => {} };
const open = { ...quiet, config: openConfig };
const closed = { ...quiet, config };

/** An origin that tells what it got. */
const mirror = (req, res) => {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    const { method, url, rawHeaders } = req;
    res.end(JSON.stringify({ method, url, rawHeaders, headers: req.headers, body: Buffer.concat(chunks).toString() }));
  });
};

async function proxied(t, origin, options = open) {
  const proxy = createProxy({ ...options, origin });
  return serve(t, proxy, { upgrade: proxy.upgrade });
}

/** Without a connection pool, so that nothing stays open after a test. */
function send(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false }, async (res) => {
      const chunks = [];
      try {
        for await (const chunk of res) chunks.push(chunk);
      } catch (error) {
        return reject(error);
      }
      resolve({ status: res.statusCode, headers: res.headers, rawHeaders: res.rawHeaders, body: Buffer.concat(chunks).toString() });
    });
    req.on("error", reject);
    req.end(body);
  });
}

test("proxy: a request goes on as it is, but for what the gate removes", async (t) => {
  const origin = await serve(t, mirror);
  const gate = await proxied(t, origin.origin);
  const headers = { "X-Doorward-Subject": "mallory", "X-A": "1", cookie: "a=b", "x-latin": "\u00fc" };
  const { status, body } = await send(`${gate.origin}/a%20b?c=d&e=%2F`, { method: "PUT", headers, body: Buffer.from("hällo") });
  const seen = JSON.parse(body);
  assert.equal(status, 200);
  assert.deepEqual([seen.method, seen.url, seen.body], ["PUT", "/a%20b?c=d&e=%2F", "hällo"]);
  assert.equal(seen.headers["x-doorward-subject"], undefined);
  assert.deepEqual([seen.headers["x-a"], seen.headers.cookie, seen.headers["x-latin"]], ["1", "a=b", "\u00fc"]);
  assert.equal(seen.headers.host, `127.0.0.1:${gate.port}`);
});

test("proxy: the origin learns who it is, from the gate alone", async (t) => {
  const { keySet, token } = await newIssuer();
  const origin = await serve(t, mirror);
  const gate = await proxied(t, origin.origin, { ...closed, fetch: async () => new Response(keySet), now: () => NOW });
  const bearer = `Bearer ${token}`;
  // A client that names our header in `Connection` asks a careless proxy to drop it.
  const answer = await exchange(
    gate.port,
    `GET /api HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer}\r\nX-Doorward-Subject: mallory\r\nx-doorward-subject: eve\r\n` +
      "Connection: close, x-doorward-subject, x-doorward-issuer, authorization\r\n\r\n",
  );
  const seen = JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
  assert.equal(seen.headers["x-doorward-subject"], "user-1");
  assert.equal(seen.headers["x-doorward-issuer"], "better-auth");
  const names = seen.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  assert.equal(names.filter((name) => name === "x-doorward-subject").length, 1);
  assert.ok(!names.includes("authorization"), "what a client takes back itself is gone");
});

test("proxy: a refused request never reaches the origin", async (t) => {
  const origin = await serve(t, () => assert.fail("reached"));
  const gate = await proxied(t, origin.origin, closed);
  const api = await send(`${gate.origin}/api`);
  assert.deepEqual([api.status, api.headers["content-type"]], [401, "application/problem+json"]);
  const page = await send(`${gate.origin}/app`, { headers: { accept: "text/html" } });
  assert.deepEqual([page.status, page.headers.location], [307, "/sign-in?callbackURL=%2Fapp"]);
  const absolute = await exchange(gate.port, "GET http://elsewhere.test/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.match(absolute, /^HTTP\/1\.1 400 /);
});

test("proxy: redirects, statuses and repeated headers of the origin come back as they are", async (t) => {
  const headers = ["Location", "/else", "Set-Cookie", "a=1", "Set-Cookie", "b=2", "Keep-Alive", "timeout=7", "X-Drop", "1", "Connection", "x-drop"];
  const origin = await serve(t, (req, res) => res.writeHead(302, "Gone Fishing", headers).end("moved"));
  const gate = await proxied(t, origin.origin);
  const { status, headers: got, body } = await send(gate.origin);
  assert.deepEqual([status, got.location, got["set-cookie"], body], [302, "/else", ["a=1", "b=2"], "moved"]);
  assert.equal(got["x-drop"], undefined);
  assert.notEqual(got["keep-alive"], "timeout=7");
});

test("proxy: headers of the origin keep their bytes", async (t) => {
  const lines = ["Location: /caf\u00c3\u00a9", "Set-Cookie: name=\u00e9", 'Content-Disposition: attachment; filename="\u00c3\u00a9.pdf"'];
  const head = `HTTP/1.1 302 Found\r\n${lines.join("\r\n")}\r\n`;
  const origin = await serveBytes(t, (socket) => socket.once("data", () => socket.end(`${head}Content-Length: 2\r\n\r\nok`, "latin1")));
  const gate = await proxied(t, origin.origin);
  const answer = await exchange(gate.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  for (const line of lines) assert.ok(answer.includes(`\r\n${line}\r\n`), line);
});

test("proxy: an answer's head comes before its body, and where none may follow it ends there", { timeout: 10_000 }, async (t) => {
  const begun = deferred();
  const answers = {
    "/sized": ["GET", (res) => res.writeHead(200, { "content-length": 2 }).end("ok"), /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 2\r\n[^]*\r\n\r\nok$/],
    "/head": ["HEAD", (res) => res.writeHead(200, { "content-length": 2 }).end(), /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 2\r\n[^]*\r\n\r\n$/],
    "/chunked": ["HEAD", (res) => res.writeHead(200, { "transfer-encoding": "chunked" }).end(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/],
    "/204": ["GET", (res) => res.writeHead(204).end(), /^HTTP\/1\.1 204 No Content\r\n[^]*\r\n\r\n$/],
    "/304": ["GET", (res) => res.writeHead(304, { etag: '"a"' }).end(), /^HTTP\/1\.1 304 Not Modified\r\netag: "a"\r\n[^]*\r\n\r\n$/],
    "/slow": ["GET", (res) => (res.flushHeaders(), begun.promise.then(() => res.end("late"))), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n4\r\nlate\r\n0\r\n\r\n$/],
  };
  const origin = await serve(t, (req, res) => answers[req.url][1](res));
  const proxy = createProxy({ ...open, origin: origin.origin });
  const gate = await serve(t, proxy, {}, { rejectNonStandardBodyWrites: true });
  for (const [path, [method, , expected]] of Object.entries(answers)) {
    const headIsHere = (text) => (text.includes("\r\n\r\n") && begun.resolve(), false);
    const answer = await exchange(gate.port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, path === "/slow" ? headIsHere : undefined);
    assert.match(answer, expected, path);
  }
});

test("proxy: the gate's headers stand in place of the origin's, and cookies beside them", async (t) => {
  const origin = await serve(t, (req, res) => res.setHeader("set-cookie", "a=1").setHeader("Doorward-Decision", "made up").end());
  const gate = await proxied(t, origin.origin, { ...quiet, config: { ...openConfig, debug_header: true } });
  const { headers } = await send(gate.origin);
  assert.match(headers["doorward-decision"], /^forward/);
  assert.deepEqual(headers["set-cookie"], ["a=1"]);
});

test("proxy: bodies stream both ways", async (t) => {
  const heard = deferred();
  const origin = await serve(t, (req, res) => {
    res.write("first");
    req.once("data", (chunk) => heard.resolve(chunk.toString()));
    req.on("end", () => res.end("last"));
  });
  const gate = await proxied(t, origin.origin);
  const req = http.request(gate.origin, { method: "POST", agent: false });
  req.write("question");
  const [res] = await once(req, "response");
  const [first] = await once(res, "data");
  assert.equal(first.toString(), "first");
  assert.equal(await heard.promise, "question");
  req.end();
  const [last] = await once(res, "data");
  assert.equal(last.toString(), "last");
});

test("proxy: what concerns one connection ends here, both ways (RFC 9110 section 7.6.1)", async (t) => {
  const odd = { "Proxy-Authenticate": "Basic", "Proxy-Status": "a", "X-Drop": "1", Connection: "close, X-Drop", "X-Kept": "1" };
  const origin = await serve(t, (req, res) => res.writeHead(200, odd).end(JSON.stringify(req.headers)));
  const gate = await serve(t, createProxy({ ...open, origin: origin.origin }));
  const ends = { TE: "trailers", Trailer: "x-sum", "Keep-Alive": "1", "Proxy-Authorization": "Basic x", Proxy: "http://evil.test", "X-Named": "1", "HTTP2-Settings": "AAMAAABk" };
  const about = { "True-Client-IP": "6.6.6.6", X_Real_IP: "6.6.6.6", "X-Original-Host": "evil.test", "X-Forwarded-User": "root", Forwarded: "for=6.6.6.6" };
  const lines = Object.entries({ Host: "x", ...ends, ...about, "X-Kept": "1", Connection: "close, x-named, Host" });
  const raw = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const answer = await exchange(gate.port, `GET / HTTP/1.1\r\n${raw}\r\n`);
  const [head, body] = answer.split("\r\n\r\n");
  const seen = JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1));
  assert.deepEqual(Object.keys(seen).sort(), ["connection", "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-kept"]);
  assert.equal(seen["x-forwarded-for"], "127.0.0.1");
  for (const name of ["proxy-authenticate", "x-drop"]) assert.ok(!head.toLowerCase().includes(`\r\n${name}:`), name);
  for (const name of ["proxy-status", "x-kept"]) assert.ok(head.toLowerCase().includes(`\r\n${name}:`), name);
});

test("proxy: where a body ends is for Node's parser to say, not for a client's `Connection`", async (t) => {
  const inside = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const urls = [];
  const origin = await serve(t, (req, res) => {
    urls.push(req.url);
    mirror(req, res);
  });
  const gate = await proxied(t, origin.origin);
  const sized = `GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${inside.length}\r\nConnection: content-length, close\r\n\r\n${inside}`;
  const chunk = `${inside.length.toString(16)}\r\n${inside}\r\n0\r\n\r\n`;
  const chunked = `DELETE /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: transfer-encoding, close\r\n\r\n${chunk}`;
  for (const bytes of [sized, chunked]) {
    const answer = await exchange(gate.port, bytes);
    assert.equal(JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)).body, inside);
  }
  assert.deepEqual(urls, ["/a", "/b"]);
  for (const method of ["POST", "GET"]) {
    const { headers } = JSON.parse((await send(gate.origin, { method })).body);
    assert.equal(headers["transfer-encoding"], undefined);
    assert.equal(headers["content-length"], method === "POST" ? "0" : undefined);
  }
});

test("proxy: `Expect` is answered here and not passed on", async (t) => {
  const origin = await serve(t, mirror);
  const gate = await proxied(t, origin.origin);
  const { body } = await send(gate.origin, { method: "POST", headers: { expect: "100-continue" }, body: "x" });
  assert.deepEqual([JSON.parse(body).body, JSON.parse(body).headers.expect], ["x", undefined]);
});

test("an origin that is away has one answer: of the proxy, of a rule's upstream, for a WebSocket, a page and a HEAD", async (t) => {
  const lines = [];
  const log = (line) => line.includes('"event":"refusal"') && lines.push(JSON.parse(line));
  const gone = "http://127.0.0.1:1";
  const away = await serve(t, createProxy({ ...open, log, origin: gone }));
  const elsewhere = { ...open, log, config: { ...open.config, rules: [{ path: "/**", access: "public", upstream: gone }] } };
  const handler = () => assert.fail("the application was reached");
  const answers = [
    await send(away.origin),
    await send((await serve(t, createProxy({ ...elsewhere, origin: away.origin }))).origin),
    await send((await serve(t, protect(elsewhere, handler))).origin),
  ];
  for (const { status, headers, body } of answers) {
    const { reason, type, status: said } = JSON.parse(body);
    assert.deepEqual([status, said, reason, type], [502, 502, "origin_unreachable", "urn:doorward:reason:origin_unreachable"]);
    assert.equal(headers["retry-after"], "5");
    assert.equal(headers["cache-control"], "private, no-store");
    assert.match(headers.vary, /Sec-Fetch-Mode/);
  }
  assert.deepEqual(lines.map(({ reason, status, path }) => [reason, status, path]), answers.map(() => ["origin_unreachable", 502, "/"]));
  const page = await send(away.origin, { headers: { accept: "text/html" } });
  assert.deepEqual([page.status, page.headers["content-type"]], [502, "text/html; charset=utf-8"]);
  const action = await send(away.origin, { method: "POST", headers: { "next-action": "7f" }, body: "x" });
  assert.deepEqual([action.status, action.headers["content-type"]], [502, "text/plain"]);
  assert.deepEqual([(await send(away.origin, { method: "HEAD" })).status, (await send(away.origin, { method: "HEAD" })).body], [502, ""]);
  const proxy = createProxy({ ...open, log, origin: gone });
  const sockets = await serve(t, proxy, { upgrade: proxy.upgrade });
  const answer = await exchange(sockets.port, handshake("/chat"));
  assert.match(answer, /^HTTP\/1\.1 502 /);
  assert.match(answer, /retry-after: 5\r\n/i);
  assert.match(answer, /"reason":"origin_unreachable"/);
});

test("proxy: an origin that is away or talks nonsense is a 502", async (t) => {
  const away = await proxied(t, "http://127.0.0.1:1");
  assert.equal((await send(away.origin, { method: "POST", body: "x" })).status, 502);
  const garbage = await serveBytes(t, (socket) => socket.end("SSH-2.0\r\n\r\n"));
  assert.equal((await send((await proxied(t, garbage.origin)).origin)).status, 502);
  const odd = await serveBytes(t, (socket) => socket.once("data", () => socket.end("HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n")));
  assert.equal((await send((await proxied(t, odd.origin)).origin)).status, 502);
});

test("proxy: an origin that switches protocols unasked has not answered", { timeout: 10_000 }, async (t) => {
  const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  const origin = await serveBytes(t, (socket) => socket.once("data", () => socket.write(switching)));
  const { status, body } = await send((await proxied(t, origin.origin)).origin);
  assert.deepEqual([status, JSON.parse(body).reason], [502, "origin_unreachable"]);
});

test("proxy: an answer that breaks off breaks off for the client as well", async (t) => {
  const origin = await serveBytes(t, (socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")),
  );
  const gate = await proxied(t, origin.origin);
  await assert.rejects(send(gate.origin));
});

test("proxy: an origin may refuse a body before it has read it", async (t) => {
  const origin = await serve(t, (req, res) => res.writeHead(413, { connection: "close" }).end("too much"));
  const gate = await proxied(t, origin.origin);
  const req = http.request(gate.origin, { method: "POST", agent: false });
  req.on("error", () => {});
  req.write("x".repeat(100_000));
  const [res] = await once(req, "response");
  assert.equal(res.statusCode, 413);
  assert.equal((await once(res, "data"))[0].toString(), "too much");
  req.destroy();
});

test("proxy: a client that goes away takes the origin's work with it", async (t) => {
  const left = deferred();
  const arrived = deferred();
  const origin = await serve(t, (req, res) => {
    res.on("close", left.resolve);
    arrived.resolve();
  });
  const gate = await proxied(t, origin.origin);
  const req = http.request(gate.origin, { agent: false });
  req.on("error", () => {});
  req.end();
  await arrived.promise;
  req.destroy();
  await left.promise;
});

test("a client that is gone when the gate has decided costs the origin nothing", { timeout: 10_000 }, async (t) => {
  const { keySet, token } = await newIssuer();
  const bearer = `Authorization: Bearer ${token}\r\n`;
  const half = `POST /notes/a HTTP/1.1\r\nHost: x\r\n${bearer}Content-Length: 9\r\n\r\nhalf`;
  const rules = (upstream) => [{ path: "/notes/**", access: "required", upstream }];
  const doors = [
    ["a proxy", half, (origin, options) => createProxy({ ...options, origin, config })],
    ["an upstream", half, (origin, options) => protect({ ...options, config: { ...config, rules: rules(origin) } }, () => {})],
    ["a WebSocket", handshake("/notes/a", "websocket", bearer), (origin, options) => createProxy({ ...options, origin, config })],
  ];
  for (const [door, bytes, make] of doors) {
    const [asked, answered] = [deferred(), deferred()];
    const fetch = async () => (asked.resolve(), await answered.promise, new Response(keySet));
    let connections = 0;
    const origin = await serve(t, mirror, { connection: () => connections++, upgrade: echo([]) });
    const listener = make(origin.origin, { ...quiet, fetch, now: () => NOW });
    const gate = await serve(t, listener, { upgrade: listener.upgrade ?? (() => {}) });
    const client = net.connect(gate.port, "127.0.0.1", () => client.write(bytes)).on("error", () => {});
    const [socket] = await once(gate.server, "connection");
    await asked.promise;
    socket.destroy();
    await once(socket, "close");
    answered.resolve();
    const { status } = await send(`${gate.origin}/notes/b`, { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual([status, connections], [200, 1], door);
  }
});

test("proxy: `origin` is a scheme, a host and a port", () => {
  for (const origin of ["ftp://a.test", "http://a.test/path", "http://a.test/?q", "http://u:p@a.test", "a.test", undefined]) {
    assert.throws(() => createProxy({ origin }), TypeError);
  }
});

const handshake = (path, upgrade = "websocket", more = "") =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

/** An origin that switches protocols and then says everything twice. */
const echo = (seen) => (req, socket) => {
  seen.push({ url: req.url, headers: req.headers });
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\n");
  socket.on("data", (data) => socket.write(`${data}${data}`));
  socket.on("end", () => socket.end());
};

test("proxy: a WebSocket passes, with the gate's headers on the way in", async (t) => {
  const seen = [];
  const origin = await serve(t, mirror, { upgrade: echo(seen) });
  const gate = await proxied(t, origin.origin);
  const bytes = handshake("/chat?x", "WebSocket", "X-Doorward-Subject: mallory\r\n") + "early";
  const socket = net.connect(gate.port, "127.0.0.1");
  let text = "";
  const until = (part) =>
    new Promise((resolve) => {
      const look = () => text.includes(part) && resolve();
      socket.on("data", look);
      look();
    });
  socket.setEncoding("latin1").on("data", (chunk) => (text += chunk));
  socket.write(bytes);
  await until("earlyearly");
  assert.match(text, /^HTTP\/1\.1 101 /);
  assert.match(text, /\r\nSec-WebSocket-Accept: yes\r\n/);
  socket.write("late");
  await until("latelate");
  socket.end();
  await once(socket, "close");
  assert.equal(seen[0].url, "/chat?x");
  assert.equal(seen[0].headers["x-doorward-subject"], undefined);
  assert.equal(seen[0].headers["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
});

test("proxy: a WebSocket that its client breaks off is over for the origin as well", { timeout: 10_000 }, async (t) => {
  for (const breakOff of ["resetAndDestroy", "destroy"]) {
    const over = deferred();
    const upgrade = (req, socket) => (echo([])(req, socket), socket.on("close", over.resolve));
    const gate = await proxied(t, (await serve(t, mirror, { upgrade })).origin);
    const client = net.connect(gate.port, "127.0.0.1", () => client.write(handshake("/chat")));
    await once(client, "data");
    client[breakOff]();
    await over.promise;
  }
});

test("proxy: a WebSocket that may not pass is answered, and the origin hears nothing", async (t) => {
  const seen = [];
  const origin = await serve(t, mirror, { upgrade: echo(seen) });
  const gate = await proxied(t, origin.origin, closed);
  const answer = await exchange(gate.port, handshake("/chat"));
  assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/);
  assert.match(answer, /"reason":"no_credential"/);
  assert.deepEqual(seen, []);
});

test("proxy: no other protocol is switched to", async (t) => {
  const seen = [];
  const origin = await serve(t, mirror, { upgrade: echo(seen) });
  const gate = await proxied(t, origin.origin);
  for (const protocol of ["h2c", "websocket, h2c", "TLS/1.0"]) {
    assert.match(await exchange(gate.port, handshake("/", protocol)), /^HTTP\/1\.1 501 /);
  }
  assert.deepEqual(seen, []);
});

test("proxy: a WebSocket begins with GET (RFC 6455 section 4.1)", { timeout: 10_000 }, async (t) => {
  const seen = [];
  const origin = await serve(t, mirror, { upgrade: echo(seen) });
  const gate = await proxied(t, origin.origin);
  const preflight = "Origin: http://x.test\r\nAccess-Control-Request-Method: GET\r\n";
  for (const method of ["OPTIONS", "POST", "HEAD"]) {
    const answer = await exchange(gate.port, handshake("/chat", "websocket", preflight).replace("GET", method));
    assert.match(answer, /^HTTP\/1\.1 405 Method Not Allowed\r\n/, method);
    assert.match(answer, /\r\nallow: GET\r\n/);
    assert.match(answer, /\r\nConnection: close\r\n/);
  }
  assert.deepEqual(seen, []);
});

test("proxy: an origin that wants no WebSocket says so, and what follows is not heard", async (t) => {
  const urls = [];
  const origin = await serve(t, (req, res) => {
    urls.push(req.url);
    res.writeHead(426, { "x-why": "no" }).end("not here");
  });
  const gate = await proxied(t, origin.origin);
  const answer = await exchange(gate.port, handshake("/chat") + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 426 /);
  assert.match(answer, /x-why: no/);
  assert.match(answer, /not here$/);
  assert.deepEqual(urls, ["/chat"]);
  const away = await proxied(t, "http://127.0.0.1:1");
  assert.match(await exchange(away.port, handshake("/chat")), /^HTTP\/1\.1 502 /);
});

test("proxy: without an `upgrade` listener a handshake is a plain request", async (t) => {
  const origin = await serve(t, mirror);
  const gate = await serve(t, createProxy({ ...open, origin: origin.origin }));
  const answer = await exchange(gate.port, handshake("/chat"), (text) => text.includes("}}") || text.includes('"body":""}'));
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.ok(!/"upgrade"/i.test(answer));
});

test("the public origin and the client's address come from the connection", async (t) => {
  const asked = [];
  const fetch = async (url, { headers }) => (asked.push(Object.fromEntries(headers)), new Response("null"));
  const handler = (req, res) => res.end();
  const session = { cookie: `__Secure-better-auth.session_token=${"a".repeat(32)}.${"A".repeat(43)}%3D` };
  const headers = { ...session, host: "mallory.test", "x-forwarded-for": "198.51.100.66", "x-forwarded-host": "mallory.test" };
  const here = await serve(t, protect({ ...closed, fetch }, handler));
  await send(here.origin, { headers });
  const told = await serve(t, protect({ ...closed, fetch, publicOrigin: "https://app.test", clientAddress: () => "192.0.2.1" }, handler));
  await send(told.origin, { headers });
  const vouched = asked.map((sent) => [sent["x-forwarded-host"], sent["x-forwarded-proto"], sent["x-forwarded-for"]]);
  assert.deepEqual(vouched, [[`127.0.0.1:${here.port}`, "http", "127.0.0.1"], ["app.test", "https", "192.0.2.1"]]);
});

test("proxy: where a request comes from is for the gate to say", async (t) => {
  const about = {
    "X-Forwarded-For": "198.51.100.66",
    X_Forwarded_For: "198.51.100.66",
    "x.forwarded.for": "198.51.100.66",
    "X-Forwarded-Host": "mallory.test",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "1",
    "X-Forwarded-User": "mallory",
    "X-Real-IP": "198.51.100.66",
    X_Real_Ip: "198.51.100.66",
    Forwarded: "for=198.51.100.66",
    "X-Forward": "kept",
    "X-Real-IPs": "kept",
  };
  const seen = [];
  const upgrade = (req, socket) => (seen.push(req.rawHeaders), socket.end());
  const origin = await serve(t, (req, res) => (seen.push(req.rawHeaders), res.end()), { upgrade });
  const vouching = { publicOrigin: "https://app.test:8443", clientAddress: (req) => req.headers["x-real-ip"] };
  const unknown = { clientAddress: "" };
  const expected = [
    [{}, (gate) => ["127.0.0.1", `127.0.0.1:${gate.port}`, "http"]],
    [vouching, () => ["198.51.100.66", "app.test:8443", "https"]],
    [unknown, (gate) => [undefined, `127.0.0.1:${gate.port}`, "http"]],
  ];
  for (const [options, vouched] of expected) {
    const proxy = await proxied(t, origin.origin, { ...open, ...options });
    const upstream = await serve(t, protect({ ...withUpstream(origin.origin), ...options }, () => assert.fail("reached")));
    await send(proxy.origin, { headers: { ...about, connection: "x-forwarded-for, x-forwarded-host, close" } });
    await send(`${upstream.origin}/notes/a`, { headers: about });
    await exchange(proxy.port, handshake("/chat", "websocket", Object.entries(about).map((pair) => `${pair.join(": ")}\r\n`).join("")));
    for (const gate of [proxy, upstream, proxy]) {
      const raw = seen.shift();
      const pairs = raw.flatMap((name, index) => (index % 2 ? [] : [[name.toLowerCase().replace(/[^a-z0-9]/g, "-"), raw[index + 1]]]));
      const told = pairs.filter(([name]) => /^(x-)?forwarded|^x-real/.test(name)).sort();
      const [address, host, proto] = vouched(gate);
      const forAddress = address === undefined ? [] : [["x-forwarded-for", address]];
      assert.deepEqual(told, [...forAddress, ["x-forwarded-host", host], ["x-forwarded-proto", proto], ["x-real-ips", "kept"]]);
      assert.ok(raw.includes("X-Forward"));
    }
  }
});

test("a public origin is written as browsers write it, and nothing else is one", async (t) => {
  const origin = await serve(t, mirror);
  const toldBy = async (publicOrigin) => {
    const { status, body } = await send((await proxied(t, origin.origin, { ...open, publicOrigin })).origin);
    if (status !== 200) return status;
    const { headers } = JSON.parse(body);
    return `${headers["x-forwarded-proto"]}://${headers["x-forwarded-host"]}`;
  };
  for (const [written, expected] of WRITTEN) {
    assert.deepEqual([await toldBy(written), await toldBy(() => written)], [expected, expected]);
  }
  for (const publicOrigin of NO_ORIGINS) {
    for (const make of [middleware, createProxy]) assert.throws(() => make({ ...open, origin: origin.origin, publicOrigin }), TypeError, publicOrigin);
    assert.equal(await toldBy(() => publicOrigin), 503, publicOrigin);
  }
});

test("middleware: what a client says about itself is the application's to believe or not", async (t) => {
  const { origin } = await serve(t, protect({ ...open, publicOrigin: "https://app.test" }, mirror));
  const headers = { "x-forwarded-for": "198.51.100.66", "x-forwarded-host": "proxy.test" };
  const got = JSON.parse((await send(origin, { headers })).body).headers;
  assert.deepEqual([got["x-forwarded-for"], got["x-forwarded-host"], got["x-forwarded-proto"]], ["198.51.100.66", "proxy.test", undefined]);
});

test("protect: a handler sees only what passes, with its headers edited", async (t) => {
  const guarded = await serve(t, protect(open, mirror));
  const { body } = await send(guarded.origin, { headers: { "x-doorward-subject": "mallory", "x-a": "1" } });
  const { headers, rawHeaders } = JSON.parse(body);
  assert.deepEqual([headers["x-doorward-subject"], headers["x-a"]], [undefined, "1"]);
  assert.ok(!rawHeaders.some((text) => /x-doorward/i.test(text)));
  const shut = await serve(t, protect(closed, () => assert.fail("reached")));
  assert.equal((await send(shut.origin)).status, 401);
});

test("middleware: headers that the application has looked at before are edited as well", async (t) => {
  const { keySet, token } = await newIssuer();
  const doorward = middleware({ ...closed, fetch: async () => new Response(keySet), now: () => NOW });
  const server = await serve(t, (req, res) => {
    assert.equal(req.headers["x-doorward-subject"], "mallory");
    assert.deepEqual(req.headersDistinct["x-doorward-subject"], ["mallory"]);
    doorward(req, res, () => {
      const { headers, headersDistinct } = req;
      const raw = req.rawHeaders.filter((_, index) => /^x-doorward-subject$/i.test(req.rawHeaders[index - 1]));
      res.end(JSON.stringify([headers["x-doorward-subject"], headersDistinct["x-doorward-subject"], raw]));
    });
  });
  const headers = { "x-doorward-subject": "mallory", authorization: `Bearer ${token}` };
  assert.deepEqual(JSON.parse((await send(server.origin, { headers })).body), ["user-1", ["user-1"], ["user-1"]]);
});

test("where a request has no raw head, its headers are judged and edited all the same", async (t) => {
  const { keySet, token } = await newIssuer();
  const options = { ...closed, fetch: async () => new Response(keySet), now: () => NOW };
  const origin = await serve(t, mirror);
  const listeners = { protect: protect(options, mirror), proxy: createProxy({ ...options, origin: origin.origin }) };
  const spoofs = { "x-doorward-subject": "mallory", "x_doorward_email": "mallory", "x-a": "1" };
  for (const [name, listener] of Object.entries(listeners)) {
    const server = await serve(t, (req, res) => listener(withoutRaw(req, { "x-doorward-role": ["mallory", "eve"] }), res));
    const { status, body } = await send(`${server.origin}/api`, { headers: { ...spoofs, authorization: `Bearer ${token}` } });
    assert.equal(status, 200, name);
    assert.doesNotMatch(body, /mallory|eve/, name);
    const { headers, rawHeaders } = JSON.parse(body);
    assert.deepEqual([headers["x-doorward-subject"], headers["x-a"]], ["user-1", "1"], name);
    assert.equal(rawHeaders.filter((text) => text.toLowerCase() === "x-doorward-subject").length, 1, name);
    assert.equal((await send(`${server.origin}/api`, { headers: spoofs })).status, 401, name);
  }
});

test("a request that cannot be edited goes no further, and nothing else falls with it", { timeout: 10_000 }, async (t) => {
  const doorward = middleware(open);
  const listeners = [protect(open, () => assert.fail("reached")), (req, res) => doorward(req, res, (problem) => res.writeHead(problem ? 500 : 200).end())];
  for (const listener of listeners) {
    const server = http2.createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
    t.after(() => (client.destroy(), server.close()));
    for (const headers of [{}, { "x-doorward-subject": "mallory" }]) {
      const [answer] = await once(client.request({ ":path": "/", ...headers }), "response");
      assert.equal(answer[":status"], 500);
    }
  }
});

test("middleware: mounted below a path it judges the whole path", async (t) => {
  const doorward = middleware({ ...quiet, config: { ...config, rules: [{ path: ["/api", "/api/open/**"], access: "public" }] } });
  const server = await serve(t, (req, res) => {
    req.originalUrl = req.url;
    req.url = req.url.replace("/api", "").replace(/^(?!\/)/, "/");
    doorward(req, res, (problem) => res.end(problem ? "problem" : `${req.url} ${req.originalUrl}`));
  });
  assert.equal((await send(`${server.origin}/api/open/x?y`)).body, "/open/x?y /api/open/x?y");
  assert.equal((await send(`${server.origin}/api?y`)).body, "/?y /api?y");
  assert.equal((await send(`${server.origin}/api`)).body, "/ /api");
  assert.equal((await send(`${server.origin}/api/other`)).status, 403);
});

test("middleware: what has been rewritten since the client asked is not served", async (t) => {
  const doorward = middleware({ ...quiet, config: { ...config, rules: [{ path: ["/admin", "/api/admin"], access: "required" }, { path: "/**", access: "public" }] } });
  const rewrite = (req, res, next) => {
    if (req.query.to) req.url = req.query.to;
    if (req.url.startsWith("/v1/")) req.url = req.url.slice(3);
    next();
  };
  const told = (problem, req, res, next) => res.status(500).send(problem.message);
  const app = express().use(rewrite, doorward);
  app.use(["/admin", "/api"], (req, res) => res.send("served"));
  const api = express.Router().use(doorward, (req, res) => res.send(`${req.baseUrl} ${req.url}`));
  const mounted = express().use("/api", api);
  for (const one of [app, mounted]) one.use((req, res) => res.send("open"), told);
  const { origin } = await serve(t, app);
  for (const path of ["/x?to=/admin", "/v1/admin", "/x?to=/admin?x", "/admin?to=/api"]) {
    const { status, body } = await send(origin + path);
    assert.notEqual(body, "served", path);
    if (status !== 401) assert.deepEqual([status, body], [500, "doorward: the path of the request changed after the gate had decided about it; mount the gate where its path is the original one"], path);
  }
  assert.deepEqual((await send(`${origin}/x?to=`)).body, "open");
  const there = await serve(t, mounted);
  for (const [path, expected] of [["/api", "/api /"], ["/api/", "/api /"], ["/api?y", "/api /?y"], ["/API/a?b", "/API /a?b"], ["/api/a/api/a", "/api /a/api/a"]]) {
    assert.equal((await send(there.origin + path)).body, expected, path);
  }
  assert.equal((await send(`${there.origin}/api/admin`)).status, 401);
  // Connect does not say where it is mounted, and adds a slash to what is left.
  for (const [originalUrl, url, problem] of [["/api.x", "/.x"], ["/api/a", "/a"], ["/x?/admin", "/admin", /path of the request changed/], ["/x", "/admin", /path of the request changed/], ["/x", "*", /path of the request changed/]]) {
    const req = Object.assign(new http.IncomingMessage(new net.Socket()), { method: "GET", originalUrl, url });
    await doorward(req, {}, (given) => (problem ? assert.match(given?.message ?? "", problem, originalUrl) : assert.ifError(given)));
  }
});

test("middleware: the gate's headers survive whatever way the application writes its own", async (t) => {
  const doorward = middleware({ ...quiet, config: { ...openConfig, debug_header: true } });
  const ways = {
    "/end": (res) => res.end("x"),
    "/write": (res) => (res.write("x"), res.end()),
    "/flush": (res) => (res.flushHeaders(), res.end("x")),
    "/set": (res) => (res.setHeader("Set-Cookie", ["a=1", "b=2"]), res.end("x")),
    "/object": (res) => res.writeHead(201, { "Set-Cookie": ["a=1", "b=2"] }).end("x"),
    "/message": (res) => res.writeHead(201, "Fine", { "Set-Cookie": ["a=1", "b=2"] }).end("x"),
    "/flat": (res) => res.writeHead(201, ["Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end("x"),
    "/pairs": (res) => res.writeHead(201, [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]).end("x"),
  };
  const server = await serve(t, (req, res) => doorward(req, res, () => ways[req.url](res)));
  for (const way of Object.keys(ways)) {
    const { headers, body } = await send(server.origin + way);
    assert.match(headers["doorward-decision"] ?? "", /^forward/, way);
    assert.equal(body, "x");
    if (!["/end", "/write", "/flush"].includes(way)) assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"], way);
  }
});

/** Rules that send everything below `/notes` to another origin. */
const withUpstream = (upstream) => ({ ...quiet, config: { ...config, rules: [{ path: "/notes/**", access: "public", upstream }, { path: "/**", access: "public" }] } });

test("proxy: a rule's upstream gets its requests, the origin the others", async (t) => {
  const [origin, api] = [await serve(t, mirror), await serve(t, (req, res) => mirror(req, res.setHeader("x-name", "api")))];
  const gate = await proxied(t, origin.origin, withUpstream(api.origin));
  const cookie = "__Secure-better-auth.session_token=x.y; theme=dark";
  const away = await send(`${gate.origin}/notes/a?b=%2F`, { method: "POST", headers: { cookie }, body: "a note" });
  const there = JSON.parse(away.body);
  assert.deepEqual([away.headers["x-name"], there.url, there.body, there.headers.cookie], ["api", "/notes/a?b=%2F", "a note", "theme=dark"]);
  const near = await send(`${gate.origin}/else`, { headers: { cookie } });
  assert.deepEqual([near.headers["x-name"], JSON.parse(near.body).headers.cookie], [undefined, cookie]);
});

test("middleware: a rule's upstream gets its requests, the application the others", async (t) => {
  const api = await serve(t, mirror);
  const app = protect(withUpstream(api.origin), (req, res) => res.end("the application"));
  const gate = await serve(t, app);
  const there = JSON.parse((await send(`${gate.origin}/notes/a`, { method: "PUT", body: "a note" })).body);
  assert.deepEqual([there.method, there.url, there.body], ["PUT", "/notes/a", "a note"]);
  assert.equal((await send(`${gate.origin}/else`)).body, "the application");
});

test("an option of each entry that is not of its type is refused at once", () => {
  const make = { middleware, createProxy: (options) => createProxy({ origin: "http://127.0.0.1:1", ...options }), protect: (options) => protect(options, () => {}) };
  for (const [name, entry] of Object.entries(make)) {
    for (const wrong of [{ now: "5" }, { log: 5 }, { fetch: {} }, { clientAddress: 5 }, { publicOrigin: 5 }, { stores: [] }, { cache: "redis" }, { env: "A=B" }]) {
      assert.throws(() => entry({ ...open, ...wrong }), TypeError, `${name} ${JSON.stringify(wrong)}`);
    }
  }
  for (const origin of [undefined, null, 5, "", "app.test", ["http://127.0.0.1:1"], {}]) assert.throws(() => createProxy({ ...open, origin }), TypeError, String(origin));
  for (const handler of [undefined, null, 5, {}]) assert.throws(() => protect(open, handler), TypeError);
  for (const options of [null, 5, "text"]) {
    for (const entry of [middleware, createProxy, (given) => protect(given, () => {})]) assert.throws(() => entry(options), TypeError);
  }
});

test("`session` says who the gate has found in this very request, null for nobody, and throws where it did not run", async (t) => {
  const { keySet, token } = await newIssuer({ email: "ada@example.com" });
  const options = { ...closed, config: { ...config, rules: [{ path: "/open", access: "optional" }, { path: "/**", access: "required" }] }, fetch: async () => new Response(keySet), now: () => NOW };
  const tell = (req, res) => {
    try {
      res.end(JSON.stringify(session(req)));
    } catch (problem) {
      res.writeHead(500).end(problem instanceof NotGated ? problem.reason : problem.stack);
    }
  };
  const app = express();
  app.get("/past", tell);
  app.use(middleware(options));
  app.use(tell);
  const mounted = express();
  mounted.use("/api", middleware(options), tell);
  const servers = { Express: app, "Express, mounted": mounted, "plain Node": protect(options, tell) };
  const forged = "x-doorward-subject: mallory\r\n";
  for (const [name, listener] of Object.entries(servers)) {
    const { port } = await serve(t, listener);
    const ask = async (path, headers = "") => {
      const text = await exchange(port, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`);
      return text.slice(text.indexOf("\r\n\r\n") + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, "");
    };
    const found = JSON.parse(await ask("/api/x", `${forged}authorization: Bearer ${token}\r\n`));
    assert.deepEqual([found.subject, found.email, found.source], ["user-1", "ada@example.com", "jwt"], name);
    if (name !== "Express, mounted") assert.equal(await ask("/open", forged), "null", name);
    if (name === "Express") assert.equal(await ask("/past", `${forged}x-doorward-mark: x\r\nauthorization: Bearer ${token}\r\n`), "mark_missing");
  }
  for (const wrong of [undefined, null, "x"]) assert.throws(() => session(wrong), TypeError);
  assert.throws(() => session({ headers: { "x-doorward-subject": "mallory" } }), NotGated);
});
