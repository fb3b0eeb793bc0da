// What several tests need: the real WebAssembly, an issuer with a key of its own, servers that do as they are told.

import { once } from "node:events";
import http from "node:http";
import net from "node:net";

import * as glue from "../wasm/default.js";
import { joinHead, memoryOf, roomFor, spaceIn, writeHead } from "../wire.js";

export { glue };

export const NOW = 1_700_000_000_000;
export const AUTH = "https://auth.test";
export const SITE = "https://app.test";

/** A public origin as somebody may write it, and as browsers do. */
export const WRITTEN = [
  ["https://app.test", "https://app.test"],
  ["https://app.test/", "https://app.test"],
  ["https://app.test:443", "https://app.test"],
  ["HTTPS://App.Test:8443/", "https://app.test:8443"],
  ["https://b\u00fccher.test", "https://xn--bcher-kva.test"],
];

/** What is none, however it was meant. */
export const NO_ORIGINS = ["app.test", "", "app.test:8443", "ftp://app.test", "https://app.test/app", "https://app.test/?q", "https://app.test/#a", "https://u@app.test", "https://"];

/** Everything needs a session, but for the sign-in page. */
export const config = {
  issuers: [{ type: "better-auth", url: AUTH }],
  rules: [
    { path: ["/sign-in", "/open/**"], access: "public" },
    { path: "/**", access: "required" },
  ],
  sign_in: { path: "/sign-in" },
};

/** Lets everybody through: for what happens to a request that is. */
export const openConfig = { ...config, rules: [{ path: "/**", access: "public" }] };

const SIGNING = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
};
const base64url = (value) => Buffer.from(value).toString("base64url");

/** An issuer: the body of its key set, and JWTs that hold. */
export async function newIssuer(claims = {}, alg = "ES256") {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(SIGNING[alg], true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const header = { alg, kid: "k1", typ: "JWT" };
  const payload = { iss: AUTH, aud: AUTH, sub: "user-1", iat: NOW / 1000, exp: NOW / 1000 + 86_400, ...claims };
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  const signature = await crypto.subtle.sign(SIGNING[alg], privateKey, Buffer.from(input));
  return {
    keySet: JSON.stringify({ keys: [{ kty, crv, x, y, alg, kid: "k1" }] }),
    token: `${input}.${base64url(signature)}`,
  };
}

/** A head as a message. */
export function encodeHead(head) {
  const joined = joinHead(head);
  const bytes = new Uint8Array(roomFor(joined));
  return bytes.slice(0, writeHead(joined, spaceIn(memoryOf(bytes), 0, bytes.length)));
}

export function request(path, headers = {}, init = {}) {
  return new Request(SITE + path, { headers, ...init });
}

/** A promise, and what settles it. */
export function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

/** An HTTP server on a free port that goes away with the test. */
export async function serve(t, listener, events = {}, options = {}) {
  const server = http.createServer(options, listener);
  for (const [event, handler] of Object.entries(events)) server.on(event, handler);
  return listen(t, server);
}

/** The request as serverless-http would make it: its `headers` are set, and it never had a raw head. */
export function withoutRaw({ socket, method, url, headers }, more = {}) {
  const request = new http.IncomingMessage(socket);
  request.push(null);
  return Object.assign(request, { method, url, headers: { ...headers, ...more }, complete: true });
}

/** A TCP server that says what it is told to. */
export async function serveBytes(t, onConnection) {
  return listen(t, net.createServer(onConnection));
}

async function listen(t, server) {
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address();
  return { port, origin: `http://127.0.0.1:${port}`, server };
}

/** Sends these bytes and gives all that comes back until `enough` or the end. */
export function exchange(port, bytes, enough = () => false) {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
      if (enough(text)) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (error) => (text ? resolve(text) : reject(error)));
  });
}
