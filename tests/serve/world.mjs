// What stands around a proxy in these tests: an application that says what it was sent, an auth service, and clients that send exactly
// the bytes they are told to.

import { once } from "node:events";
import http from "node:http";
import net from "node:net";

/** An application. It keeps what it was sent, and says it. */
export async function startApp() {
  const seen = [];
  const server = http.createServer({ maxHeaderSize: 131_072 }, (req, res) => {
    let bytes = 0;
    req.on("data", (chunk) => (bytes += chunk.length));
    req.on("end", () => {
      const request = { method: req.method, url: req.url, headers: req.rawHeaders, bytes };
      seen.push(request);
      if (req.url === "/events") return stream(res);
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify(request));
    });
  });
  server.on("upgrade", (req, socket) => {
    const request = { method: req.method, url: req.url, headers: req.rawHeaders, bytes: 0, isUpgrade: true };
    seen.push(request);
    const text = Buffer.from(JSON.stringify({ subject: req.headers["x-doorward-subject"] ?? null }));
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n");
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    socket.on("error", () => {});
    socket.on("data", (chunk) => socket.write(chunk));
  });
  const port = await listening(server);
  return { seen, port, close: () => (server.closeAllConnections(), server.close()) };
}

function stream(res) {
  res.writeHead(200, { "content-type": "text/event-stream" });
  const timer = setInterval(() => res.write("data: x\n\n"), 50);
  res.on("close", () => clearInterval(timer));
}

export async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

/** A port that is free now. */
export async function freePort() {
  const server = net.createServer();
  const port = await listening(server);
  server.close();
  await once(server, "close");
  return port;
}

/**
 * Sends a request as it is written, and reads one response.
 *
 * @param {number} port
 * @param {{ method?: string, target?: string, headers?: [string, string][], body?: Buffer, rawBody?: Buffer, slowBody?: Buffer, host?: string,
 *   ms?: number, until?: (bytes: Buffer) => boolean }} request `rawBody` brings its own framing, `slowBody` comes a second later
 * @returns {Promise<{ status: number, headers: [string, string][], get: (name: string) => string | undefined, all: (name: string) => string[],
 *   body: string, rest: Buffer }>} status 0: the connection was closed without one
 */
export function send(port, { method = "GET", target = "/", headers = [], body, rawBody, slowBody, host = `127.0.0.1:${port}`, ms = 15_000, until } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    const chunks = [];
    let isDone = false;
    const done = () => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.destroy();
      resolve(parsed(Buffer.concat(chunks)));
    };
    const timer = setTimeout(done, ms);
    socket.on("error", done).on("close", done).on("end", done);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (until ? until(all) : isWhole(all, method)) done();
    });
    const length = body ? [["Content-Length", String(body.length)]] : [];
    const isKept = headers.some(([name]) => name.toLowerCase() === "connection");
    const lines = [["Host", host], ...headers, ...length, ...(isKept ? [] : [["Connection", "close"]])];
    socket.write(Buffer.from([`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n"), "latin1"));
    if (body ?? rawBody) socket.write(body ?? rawBody);
    if (slowBody) setTimeout(() => socket.write(slowBody), 1000);
  });
}

function isWhole(bytes, method) {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = bytes.subarray(0, end).toString("latin1").toLowerCase();
  if (method === "HEAD" || / (204|304) /.test(head.split("\r\n")[0])) return true;
  const length = /\r\ncontent-length: (\d+)/.exec(head);
  return length ? bytes.length - end - 4 >= Number(length[1]) : bytes.subarray(-5).toString() === "0\r\n\r\n";
}

function parsed(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.subarray(0, Math.max(end, 0)).toString("latin1").split("\r\n");
  const headers = lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);
  const all = (name) => headers.filter(([own]) => own === name).map(([, value]) => value);
  const rest = bytes.subarray(end + 4);
  const isChunked = all("transfer-encoding")[0] === "chunked";
  const body = (isChunked ? unchunked(rest) : rest).toString();
  return { status: Number(first.split(" ")[1] ?? 0), headers, all, get: (name) => all(name)[0], body, rest };
}

function unchunked(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = end < 0 ? 0 : Number.parseInt(bytes.subarray(at, end).toString(), 16);
    if (!size) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** Waits until somebody listens there. */
export async function isUp(port, ms = 15_000) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const socket = net.connect(port, "127.0.0.1");
    const isOpen = await new Promise((resolve) => socket.once("connect", () => resolve(true)).once("error", () => resolve(false)));
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`nothing listens on port ${port}`);
}
