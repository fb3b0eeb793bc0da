// A request on its way to an origin, and the answer on its way back: over another connection, streaming both ways.

import http from "node:http";
import https from "node:https";
import { pipeline } from "node:stream";

import { unavailable, whyNobody } from "./gate.js";
import { editedPairs, headersOf, pairsOf } from "./pairs.js";

/** What says where the body of the request to the origin ends and whom it is for: this host's own matter. */
const FRAMING = new Set(["host", "content-length"]);

export function answer(res, { status, headers, body }) {
  for (const [name, value] of headers) res.appendHeader(name, value);
  // As bytes: Node would write the head in the encoding of a text, and headers are Latin-1.
  res.writeHead(status).end(Buffer.from(body));
}

export function plain(status, title, more = []) {
  const body = JSON.stringify({ type: "about:blank", title, status });
  const headers = [
    ["content-type", "application/problem+json"],
    ["cache-control", "private, no-store"],
    ...more,
  ];
  return { status, headers, body };
}

/** Where a request goes: where its rule says, or to the proxy's origin. */
export function destination({ upstream }, to) {
  return upstream ? new URL(upstream) : to;
}

export function pass(req, res, decision, hop, to) {
  endsWithout(res, decision.abandon);
  try {
    forward(req, res, decision, hop, destination(decision, to));
  } catch (error) {
    answer(res, hop.refuse(decision.head, whyNobody(error)));
  }
}

/** What waits for a response that never comes is given up; after `finish` there is nothing left to give up. */
export function endsWithout(stream, abandon) {
  if (!abandon) return;
  if (stream.destroyed) abandon();
  else stream.once("close", abandon);
}

function send(to, req, decision, headers) {
  const { request } = to.protocol === "https:" ? https : http;
  return request(to, { method: req.method, path: decision.target, headers: headers.flat() });
}

function forward(req, res, decision, hop, to) {
  // Its `close` is over: nothing would end what is begun for it now.
  if (res.destroyed) return;
  const nobody = (error) => {
    // Once an answer is being passed on, its own end says how it went: an origin may answer before it has read the whole body.
    if (!res.headersSent && !res.destroyed) answer(res, hop.refuse(decision.head, whyNobody(error)));
  };
  const headers = [...originHeaders(req, decision, to), ...framing(req)];
  const upstream = send(to, req, decision, headers);
  upstream.on("response", async (response) => {
    try {
      const pairs = endToEnd(pairsOf(response.rawHeaders), hop);
      const headers = withOurs(pairs, decision.finish ? await finished(decision, response) : decision);
      res.writeHead(response.statusCode, response.statusMessage, headers.flat());
      if (hasBody(req, response)) res.write(Buffer.alloc(0)); // At once. `flushHeaders` would write a text, see `answer`.
      pipeline(response, res, () => {});
    } catch {
      upstream.destroy(new Error("the origin's answer cannot be passed on"));
    }
  });
  // Switching protocols is no answer to who has not asked for it.
  upstream.on("upgrade", (_, far) => {
    far.destroy();
    nobody();
  });
  upstream.on("error", nobody);
  res.on("close", () => upstream.destroy());
  // Not `pipeline`: that would close the client's connection before the answer to it is out.
  req.pipe(upstream);
}

/** Whether a body may follow the head (RFC 9112 section 6.3). */
function hasBody({ method }, { statusCode }) {
  return method !== "HEAD" && ![204, 304].includes(statusCode);
}

/** The client's headers for the origin, after the decision's edits for another connection. */
function originHeaders(req, { onward: { removed, set } }, to) {
  const passed = headersOf(req).filter(([name]) => !FRAMING.has(name.toLowerCase()));
  // Whoever carries a WebSocket says so itself; a plain request asks for none.
  return [["Host", to.host], ...editedPairs(passed, { removed, set: set.filter(([name]) => name !== "upgrade") })];
}

/** Says where the body ends, exactly as Node's parser understood it: the origin must not see another request in it. */
function framing(req) {
  if (req.headers["transfer-encoding"] !== undefined) return [["Transfer-Encoding", "chunked"]];
  const length = req.headers["content-length"];
  if (length !== undefined) return [["Content-Length", length]];
  return ["POST", "PUT", "PATCH"].includes(req.method) ? [["Content-Length", "0"]] : [];
}

/** The origin's response headers that are for the client too. */
function endToEnd(pairs, hop) {
  const gone = new Set(hop.responseRemovals(pairs));
  return pairs.filter(([name]) => !gone.has(name));
}

/** The decision with what it has to wait for. */
async function finished({ responseHeaders, finish }, response) {
  return { responseHeaders: [...responseHeaders, ...(await finish(response.headers["set-cookie"] ?? []))] };
}

/** The origin's response headers with the decision's: a cookie comes in addition, everything else in its place. */
function withOurs(pairs, { responseHeaders }) {
  const replaced = new Set(responseHeaders.map(([name]) => name).filter((name) => name !== "set-cookie"));
  return [...pairs.filter(([name]) => !replaced.has(name.toLowerCase())), ...responseHeaders];
}

export function forwardUpgrade(req, socket, head, decision, hop, to) {
  endsWithout(socket, decision.abandon);
  if (socket.destroyed) return;
  const headers = [...originHeaders(req, decision, to), ["Connection", "Upgrade"], ["Upgrade", "websocket"]];
  const upstream = send(to, req, decision, headers);
  let answered = false;
  /** The origin's headers with ours; nothing, and no connection any more, where the gate has fallen meanwhile. */
  const passedOn = ({ rawHeaders }) => {
    answered = true;
    try {
      return withOurs(endToEnd(pairsOf(rawHeaders), hop), decision);
    } catch {
      upstream.destroy();
      answerSocket(socket, unavailable(decision.head));
    }
  };
  upstream.on("upgrade", (response, far, farHead) => {
    const passed = passedOn(response);
    if (!passed) return far.destroy();
    // Nothing is renewed on a 101.
    decision.abandon?.();
    const pairs = [...passed, ["Connection", "Upgrade"], ["Upgrade", "websocket"]];
    socket.write(headBytes(101, response.statusMessage, pairs));
    socket.write(farHead);
    far.write(head);
    far.on("error", () => far.destroy());
    far.on("close", () => socket.destroy());
    // `pipe` passes on an end, but a client that breaks off has none.
    socket.on("close", () => far.destroy());
    far.pipe(socket).pipe(far);
  });
  // The origin wants no WebSocket: its answer is an answer like any other, and the connection is over after it.
  upstream.on("response", async (response) => {
    const more = (await decision.finish?.(response.headers["set-cookie"] ?? [])) ?? [];
    const passed = passedOn(response);
    if (!passed) return response.destroy();
    const pairs = [...passed, ...more, ["Connection", "close"]];
    socket.write(headBytes(response.statusCode, response.statusMessage, pairs));
    pipeline(response, socket, () => {});
  });
  upstream.on("error", (error) => {
    if (answered) socket.destroy();
    else if (!socket.destroyed) answerSocket(socket, hop.refuse(decision.head, whyNobody(error)));
  });
  socket.on("close", () => upstream.destroy());
  upstream.end();
}

export function answerSocket(socket, { status, headers, body }) {
  const length = String(Buffer.byteLength(body));
  const pairs = [...headers, ["Content-Length", length], ["Connection", "close"]];
  socket.end(Buffer.concat([headBytes(status, http.STATUS_CODES[status] ?? "", pairs), Buffer.from(body)]));
}

/** Header values are Latin-1 on the wire, as Node reads them. */
function headBytes(status, message, pairs) {
  const lines = [`HTTP/1.1 ${status} ${message}`, ...pairs.map(([name, value]) => `${name}: ${value}`), "", ""];
  return Buffer.from(lines.join("\r\n"), "latin1");
}
