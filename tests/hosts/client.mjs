// Requests exactly as they are written, which `fetch` does not send.

import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";

const TIMEOUT_MS = 60_000;

/** What comes to a request: its status, headers and text; status 499 where the connection ended without a response. */
export function send(port, target, { method = "GET", headers = {}, body } = {}) {
  return new Promise((done) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const options = { host: "127.0.0.1", port, path: target, method, headers: { ...headers, ...length }, agent: false, timeout: TIMEOUT_MS };
    let answered = false;
    const outgoing = httpRequest(options, async (incoming) => {
      answered = true;
      let text = "";
      try {
        for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
      } catch {
        // A stream that is cut off.
      }
      done({ status: incoming.statusCode, headers: incoming.headers, text });
    });
    outgoing.on("timeout", () => outgoing.destroy());
    // Who is refused does not read what is sent, and the connection may end before the response is read.
    outgoing.on("error", () => answered || done({ status: 499, headers: {}, text: "" }));
    outgoing.end(body);
  });
}

/** Opens a WebSocket: the status, and its first message after a 101. */
export function openSocket(port, target, { headers = {} } = {}) {
  return new Promise((done) => {
    const handshake = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64") };
    const outgoing = httpRequest({ host: "127.0.0.1", port, path: target, headers: { ...headers, ...handshake }, agent: false, timeout: TIMEOUT_MS });
    outgoing.on("upgrade", (incoming, socket, head) => {
      let bytes = head;
      const take = (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        const text = firstMessage(bytes);
        if (text === undefined) return;
        socket.destroy();
        done({ status: 101, headers: incoming.headers, text });
      };
      socket.on("data", take);
      socket.on("error", () => {});
      socket.on("close", () => done({ status: 101, headers: incoming.headers, text: "" }));
      take(Buffer.alloc(0));
    });
    outgoing.on("response", async (incoming) => {
      let text = "";
      for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
      done({ status: incoming.statusCode, headers: incoming.headers, text });
    });
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.on("error", () => done({ status: 499, headers: {}, text: "" }));
    outgoing.end();
  });
}

/** The text of the first frame, unmasked as a server writes it (RFC 6455 section 5.2); nothing where it is not whole yet. */
function firstMessage(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const start = short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  return bytes.length < start + length ? undefined : bytes.subarray(start, start + length).toString();
}

/** Whether somebody listens there. */
export function isListening(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => (socket.destroy(), done(true)));
    socket.on("error", () => done(false));
  });
}
