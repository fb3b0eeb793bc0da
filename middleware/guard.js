// What `doorward/register` does with each event of a server: decides, and lets it through or answers in its place.

import { closeFrame, frames } from "./frames.js";
import { editRequest, linesOf, noWebSocket } from "./node.js";
import { CLOSE_CODE, isBounded, isStream, watchOver } from "./open.js";
import { editedPairs, pairsOf } from "./pairs.js";
import { letOn, passed } from "./passed.js";
import { answer, answerSocket, destination, forwardUpgrade, plain } from "./proxy.js";

/** So long a WebSocket may take to come to the end of a frame before it is cut off in the middle of one. Milliseconds. */
const FRAME_END_MS = 1000;

const NOT_GATED = plain(500, "this request has not come through the gate");
const NO_UPSTREAM = plain(501, "a rule's upstream is not asked over HTTP/2");

/**
 * @param {ReturnType<typeof import("./node.js").nodeOn>} host
 * @param {import("./node.js").NodeOptions} options
 */
export function guardOf({ decideOn, middlewareOf }, options) {
  // Applications read who it is from the request, or, where a framework has made another of it, from its mark.
  const gate = decideOn(options, { seesResponse: true }, { marks: true });
  const middleware = middlewareOf(gate);
  const guarded = new WeakSet();

  return { start: gate.hop.start, ungatedPorts: gate.hop.ungatedPorts, request, upgrade, session, refuse };

  function request([req, res], through) {
    if (req.httpVersionMajor >= 2) return compat(req, res, through);
    const next = (problem) => {
      if (problem) return answer(res, plain(500, problem.message.replace("doorward: ", "")));
      // The client has gone away meanwhile: the application would wait for the end of a request that has had it.
      if (!res.destroyed) through(req, res);
    };
    middleware(req, res, next).catch(thrown);
  }

  /** A request that `node:http2` has made of a stream. The stream has been decided on. */
  function compat(req, res, through) {
    const decision = passed.get(req.stream);
    if (!decision) return respond(req.stream, req.method, NOT_GATED);
    if (!passed.has(req)) letOn(req, decision);
    through(req, res);
  }

  function upgrade([req, socket, head], through) {
    socket.on("error", () => socket.destroy());
    upgraded(req, socket, head, through).catch(thrown);
  }

  async function upgraded(req, socket, head, through) {
    const problem = noWebSocket(req);
    if (problem) return answerSocket(socket, problem);
    const decision = await gate.decide(req);
    if (decision.kind === "answer") return answerSocket(socket, decision);
    if (decision.upstream) return forwardUpgrade(req, socket, head, decision, gate.hop, destination(decision));
    // Nothing is renewed on a 101.
    decision.abandon?.();
    const wrong = editRequest(req, decision);
    if (wrong) return answerSocket(socket, plain(500, wrong.message.replace("doorward: ", "")));
    if (socket.destroyed) return;
    letOn(req, decision);
    if (isBounded(decision)) closeWith(decision, socket);
    through(req, socket, head);
  }

  function refuse(socket) {
    socket.on("error", () => socket.destroy());
    answerSocket(socket, plain(501, "Not Implemented"));
  }

  /** A session of HTTP/2 announces its streams to whoever listens to it, the server first. */
  function session(session) {
    if (guarded.has(session)) return;
    guarded.add(session);
    const { emit } = session;
    session.emit = function doorward(event, ...args) {
      if (event !== "stream") return emit.call(this, event, ...args);
      streamed(session, args, () => emit.call(this, event, ...args)).catch(thrown);
      return true;
    };
  }

  async function streamed(session, [stream, headers, , raw], through) {
    // An abort is the client's own matter, and would end the program where nobody listens.
    stream.on("error", () => {});
    const { ":method": method, ":path": target } = headers;
    if (method === "CONNECT" || target === undefined) return respond(stream, method, plain(501, "Not Implemented"));
    const pairs = pairsOf(raw);
    const isPseudo = ([name]) => name.startsWith(":");
    const sent = pairs.filter((pair) => !isPseudo(pair));
    const authority = headers[":authority"];
    const host = authority === undefined || headers.host !== undefined ? [] : [["host", authority]];
    const head = { method, url: target, headers, rawHeaders: [...host, ...sent].flat(), socket: session.socket };
    const decision = await gate.decide(head);
    if (decision.kind === "answer") return respond(stream, method, decision);
    if (decision.upstream) return decision.abandon?.(), respond(stream, method, NO_UPSTREAM);
    await decision.performed;
    if (stream.destroyed) return decision.abandon?.();
    for (const name of decision.removed) delete headers[name.toLowerCase()];
    for (const [name, value] of decision.set) headers[name.toLowerCase()] = value;
    headers[":path"] = decision.target;
    const pseudo = pairs.filter(isPseudo).map(([name, value]) => [name, name === ":path" ? decision.target : value]);
    raw.splice(0, raw.length, ...[...pseudo, ...editedPairs(sent, decision)].flat());
    letOn(stream, decision);
    addWhenResponded(stream, decision);
    through();
  }
}

/** What the application throws is its own matter, as it would be without a gate. */
function thrown(error) {
  setImmediate(() => {
    throw error;
  });
}

function respond(stream, method, { status, headers, body }) {
  if (stream.destroyed || stream.headersSent) return;
  const isEmpty = method === "HEAD" || body === "";
  stream.respond({ ":status": status, ...grouped(headers) }, { endStream: isEmpty });
  if (!isEmpty) stream.end(body);
}

/** Header pairs as `node:http2` takes them. */
function grouped(pairs) {
  const headers = {};
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : [headers[key], value].flat();
  }
  return headers;
}

/** Adds headers at the last moment, so that the application can neither overwrite nor forget them. */
function addWhenResponded(stream, decision) {
  const { responseHeaders, finishNow, abandon } = decision;
  if (finishNow && abandon) stream.once("close", abandon);
  for (const name of ["respond", "respondWithFD", "respondWithFile"]) {
    const usual = stream[name];
    const at = name === "respond" ? 0 : 1;
    stream[name] = function (...args) {
      args[at] = withOurs(args[at]);
      return usual.apply(this, args);
    };
  }

  function withOurs(given = {}) {
    const headers = Array.isArray(given) ? grouped(pairsOf(given)) : { ...given };
    for (const [name, value] of [...responseHeaders, ...(finishNow?.(linesOf(headers["set-cookie"])) ?? [])]) {
      const isAdded = name === "set-cookie" || name === "server-timing";
      headers[name] = isAdded ? [headers[name] ?? [], value].flat() : value;
    }
    if (isBounded(decision) && isStream(linesOf(headers["content-type"])[0])) {
      const stop = watchOver(decision, () => stream.close());
      stream.once("close", stop);
    }
    return headers;
  }
}

/** A WebSocket of the application is closed when what it rests on is over, between two frames of the application's. */
function closeWith(limits, socket) {
  const fromApplication = frames();
  const { write } = socket;
  let head = Buffer.alloc(0);
  let isTalking = false;
  let isOver = false;
  let reason;
  socket.write = function (chunk, ...rest) {
    if (isOver) return rest.at(-1) instanceof Function && process.nextTick(rest.at(-1)), true;
    const written = write.call(this, chunk, ...rest);
    follow(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, typeof rest[0] === "string" ? rest[0] : undefined));
    closeBetween();
    return written;
  };
  const stop = watchOver(limits, (why) => {
    reason = why;
    closeBetween();
    setTimeout(() => socket.destroy(), FRAME_END_MS).unref();
  });
  socket.on("close", stop);

  /** The frames begin behind the head of the 101. */
  function follow(bytes) {
    if (isTalking) return fromApplication.take(bytes);
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    isTalking = true;
    fromApplication.take(head.subarray(end + 4));
  }

  function closeBetween() {
    if (reason === undefined || isOver || !isTalking || !fromApplication.isBetween()) return;
    isOver = true;
    write.call(socket, closeFrame(CLOSE_CODE, reason));
    socket.end();
  }
}
