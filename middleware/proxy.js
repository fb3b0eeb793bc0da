// A request on its way to an origin, and the answer on its way back: over another connection, streaming both ways.

import { randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { pipeline, Readable } from "node:stream";
import { urlToHttpOptions } from "node:url";

import { closeFrame, frames } from "./frames.js";
import { unavailable, whyNobody } from "./gate.js";
import { CLOSE_CODE, isBounded, isStream, watchOver } from "./open.js";
import { inPublic } from "./own-address.js";
import { editedPairs, headersOf, pairsOf } from "./pairs.js";

/** What says where the body of the request to the origin ends and whom it is for: this host's own matter. */
const FRAMING = new Set(["host", "content-length"]);

/** Methods whose request may be sent a second time: they change nothing (RFC 9110 section 9.2.1). */
const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS"]);

const NOTHING = Buffer.alloc(0);

/** So long a WebSocket may take to come to the end of a frame before it is cut off in the middle of one. Milliseconds. */
const FRAME_END_MS = 1000;

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

/**
 * Where a request goes, and what it is told to be asked for: where its rule says, or to the proxy's origin.
 *
 * @param {object} decision
 * @param {URL} [to] the proxy's origin
 * @param {"public" | "origin"} [host] the option; it is about the proxy's origin alone
 */
export function destination({ upstream, head }, to, host) {
  const url = upstream ? new URL(upstream) : to;
  const keepsPublic = upstream || host === undefined ? !hasVirtualHosts(url) : host === "public";
  return { url, host: keepsPublic ? hostOf(head.publicOrigin) : url.host };
}

/** A server chooses one of its sites by a domain name: not by an address, nor by a name without dots (`localhost`, a container's). */
function hasVirtualHosts({ hostname }) {
  const isAddress = hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
  return !isAddress && hostname.includes(".");
}

/**
 * What fetches a path of the proxy's origin, like `fetch`, which could not say which host it asks for.
 *
 * @param {URL} to
 * @param {"public" | "origin"} [host]
 */
export function pagesOf(to, host) {
  return (target, { method, headers, signal }) =>
    new Promise((resolve, reject) => {
      const publicHost = headers.find(([name]) => name === "x-forwarded-host")?.[1];
      const { url, host: asked } = destination({ head: { publicOrigin: `://${publicHost}` } }, to, host);
      const request = send({ url }, { method }, { target }, [["Host", asked], ...headers], { signal });
      request.on("response", (response) => {
        try {
          resolve(new Response(Readable.toWeb(response), { status: response.statusCode, headers: pairsOf(response.rawHeaders) }));
        } catch (error) {
          response.destroy();
          reject(error);
        }
      });
      request.on("error", reject);
      request.end();
    });
}

const hostOf = (origin) => origin.slice(origin.indexOf("://") + 3);

export function pass(req, res, decision, hop, to) {
  endsWithout(res, decision.abandon);
  try {
    forward(req, res, decision, hop, to);
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

function send({ url }, req, decision, headers, options) {
  const { request } = url.protocol === "https:" ? https : http;
  let connection = connections.get(url);
  if (connection === undefined) connections.set(url, (connection = urlToHttpOptions(url)));
  return request({ ...connection, method: req.method, path: decision.target, headers: headers.flat(), ...options });
}

/** How a connection is made to an address, so that it is not read anew for each request. */
const connections = new WeakMap();

function forward(req, res, decision, hop, to) {
  // Its `close` is over: nothing would end what is begun for it now.
  if (res.destroyed) return;
  const headers = [...originHeaders(req, decision, to), ...framing(req)];
  let upstream;
  let heard = false;
  attempt();
  res.on("close", () => upstream.destroy());
  // Not `pipeline`: that would close the client's connection before the answer to it is out.
  req.pipe(upstream);

  function attempt(options) {
    upstream = send(to, req, decision, headers, options);
    upstream.on("response", (response) => {
      heard = true;
      passOn(response).catch(() => upstream.destroy(new Error("the origin's answer cannot be passed on")));
    });
    // Switching protocols is no answer to who has not asked for it.
    upstream.on("upgrade", (_, far) => {
      far.destroy();
      unanswered();
    });
    upstream.on("error", failed);
  }

  function failed(error) {
    // An origin may close a connection that is kept in the very moment in which it is used again: it has not read the request.
    if (heard || !mayRepeat(error)) return unanswered(error);
    req.unpipe(upstream);
    attempt({ agent: false });
    upstream.end();
  }

  /** Whether the request may be sent once more: an origin that has read it after all gets it twice. */
  function mayRepeat({ code }) {
    const wasKept = upstream.reusedSocket && ["ECONNRESET", "EPIPE"].includes(code);
    return wasKept && REPEATABLE.has(req.method) && !hasOwnBody(req) && !res.headersSent && !res.destroyed;
  }

  function unanswered(error) {
    // Once an answer is being passed on, its own end says how it went: an origin may answer before it has read the whole body.
    if (!res.headersSent && !res.destroyed) answer(res, hop.refuse(decision.head, whyNobody(error)));
  }

  async function passOn(response) {
    const pairs = publicPairs(endToEnd(pairsOf(response.rawHeaders), hop), to, decision);
    const headers = withOurs(pairs, decision.finish ? await finished(decision, response) : decision);
    res.writeHead(response.statusCode, response.statusMessage, headers.flat());
    if (hasBody(req, response)) setImmediate(sendHead, response, res);
    if (isBounded(decision) && isStream(response.headers["content-type"])) endWith(decision, response, res);
    else join(response, res);
  }
}

/** The head goes out with the first bytes of the body, or without them if they are not there yet. `flushHeaders` would write a text, see `answer`. */
function sendHead(response, res) {
  if (!response.readableDidRead && !res.writableEnded && !res.destroyed) res.write(NOTHING);
}

/** As `pipeline` does, without what that makes for a signal and a callback: what breaks off on one side breaks off on the other. */
function join(response, res) {
  response.on("error", () => res.destroy());
  response.on("close", () => response.complete || res.destroy());
  res.on("close", () => response.destroy());
  response.pipe(res);
}

/** An event stream ends as every stream does, when what it rests on is over: its reader comes back and is decided on anew. */
function endWith(limits, response, res) {
  const stop = watchOver(limits, () => {
    response.unpipe(res);
    res.end();
    response.destroy();
  });
  // What breaks off breaks off for the client as well.
  response.on("error", () => res.destroy());
  response.on("close", () => response.complete || res.writableEnded || res.destroy());
  res.on("close", stop);
  response.pipe(res);
}

/** What the origin says about its own address, as the client has to hear it. */
function publicPairs(pairs, { url, host }, { head: { publicOrigin } }) {
  const addresses = new Set([`${url.protocol}//${host}`, url.origin]);
  return [...addresses].reduce((pairs, address) => {
    const named = (name) => pairs.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value);
    const edits = inPublic({ get: (name) => named(name)[0], cookies: () => named("set-cookie") }, address, publicOrigin);
    const edited = new Set(edits.map(([name]) => name));
    const kept = pairs.filter(([name]) => !edited.has(name.toLowerCase()));
    return [...kept, ...edits.flatMap(([name, values]) => values.map((value) => [name, value]))];
  }, pairs);
}

/** Whether a body may follow the head (RFC 9112 section 6.3). */
function hasBody({ method }, { statusCode }) {
  return method !== "HEAD" && ![204, 304].includes(statusCode);
}

/** Whether the request brings a body. */
function hasOwnBody({ headers }) {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
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
  const replaced = new Set(responseHeaders.map(([name]) => name).filter((name) => name !== "set-cookie" && name !== "server-timing"));
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
      return withOurs(publicPairs(endToEnd(pairsOf(rawHeaders), hop), to, decision), decision);
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
    if (isBounded(decision)) closeWith(decision, far, farHead, socket, head);
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

/** A WebSocket is closed when what it rests on is over, each end of it between two frames of the other's. */
function closeWith(limits, far, farHead, socket, head) {
  const [fromOrigin, fromClient] = [frames(), frames()];
  fromOrigin.take(farHead);
  fromClient.take(head);
  let reason;
  far.on("data", (chunk) => {
    fromOrigin.take(chunk);
    closeBetween();
  });
  socket.on("data", (chunk) => {
    fromClient.take(chunk);
    closeBetween();
  });
  const stop = watchOver(limits, (why) => {
    reason = why;
    closeBetween();
    setTimeout(() => socket.destroy(), FRAME_END_MS).unref();
  });
  socket.on("close", stop);

  function closeBetween() {
    if (reason === undefined || !fromOrigin.isBetween() || !fromClient.isBetween()) return;
    far.unpipe(socket);
    socket.unpipe(far);
    socket.end(closeFrame(CLOSE_CODE, reason));
    far.end(closeFrame(CLOSE_CODE, reason, randomBytes(4)));
  }
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
