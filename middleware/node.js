// The gate in front of Node's HTTP: middleware, a guard around one handler, and a proxy.
//
// What the host vouches for comes from the connection, not from the request: the client's address is the socket's, the public
// origin is the option or the address that the server listens at. Only somebody who develops on this machine is asked what they
// typed into the browser.

import http from "node:http";
import https from "node:https";
import { pipeline } from "node:stream";

import { bareOrigin, publicOriginOf, unavailable, whyNobody } from "./gate.js";
import { isFunction, isObject, wrongOption } from "./options.js";
import { NotGated } from "./session.js";

const NO_GATE = "the gate did not run for this request: put `middleware` or `protect` in front of what asks";

/** What says where the body of the request to the origin ends and whom it is for: this host's own matter. */
const FRAMING = new Set(["host", "content-length"]);
/** Whether somebody develops here is of use to the gate as well. */
const NAMES = ["NODE_ENV"];

/**
 * Makes the exports of `doorward/node` on this `createGate`.
 *
 * @param {(options: object) => import("./gate.js").Gate} createGate
 */
export function nodeOn(createGate) {
  /** Requests that the gate has let on to the application, and its decision. */
  const passed = new WeakMap();

  return { middleware, protect, createProxy, session };

  function session(req) {
    if (typeof req !== "object" || req === null) throw wrongOption("req", "the request that the middleware has seen");
    const decision = passed.get(req);
    if (!decision) throw new NotGated("mark_missing", NO_GATE);
    return decision.identity ?? null;
  }

  function middleware(options = {}) {
    const { decide, hop } = judge(options, { seesResponse: true });
    return async function doorward(req, res, next) {
      const decision = await decide(req);
      if (decision.kind === "answer") return answer(res, decision);
      if (decision.upstream) return pass(req, res, decision, hop);
      // The application's head may go out at any moment from now on: whatever it has to wait for is waited for here.
      await decision.carried;
      const problem = editRequest(req, decision);
      if (problem) {
        decision.abandon?.();
        return next(problem);
      }
      passed.set(req, decision);
      addWhenSent(res, decision);
      next();
    };
  }

  function protect(options, handler) {
    if (!isFunction(handler)) throw wrongOption("handler", "a function of a request and its response");
    const doorward = middleware(options);
    return (req, res) => doorward(req, res, (problem) => (problem ? fail(res, problem) : handler(req, res)));
  }

  function createProxy(given) {
    if (!isObject(given)) throw wrongOption("origin", "given, like http://127.0.0.1:3000");
    const { origin, ...options } = given;
    const to = new URL(bareOrigin(origin, "origin", "http://127.0.0.1:3000"));
    const { decide, hop } = judge(options, { seesResponse: true }, { proxies: true });

    async function proxy(req, res) {
      const decision = await decide(req);
      if (decision.kind === "answer") return answer(res, decision);
      pass(req, res, decision, hop, to);
    }

    proxy.upgrade = async function upgrade(req, socket, head) {
      socket.on("error", () => socket.destroy());
      // Any other protocol would be a second conversation with the origin that the gate does not hear.
      if (req.headers.upgrade?.toLowerCase() !== "websocket") return answerSocket(socket, plain(501, "Not Implemented"));
      // RFC 6455 section 4.1. Not every origin looks, and the rules for a preflight or a HEAD are not those for a conversation.
      if (req.method !== "GET") return answerSocket(socket, plain(405, "a WebSocket begins with GET", [["allow", "GET"]]));
      const decision = await decide(req);
      if (decision.kind === "answer") return answerSocket(socket, decision);
      try {
        forwardUpgrade(req, socket, head, decision, hop, destination(decision, to));
      } catch (error) {
        answerSocket(socket, hop.refuse(decision.head, whyNobody(error)));
      }
    };

    return proxy;
  }

  /** Judges a request by what Node received. `hop` is what the core says of the way to the origin and back. */
  function judge(given, context, host) {
    const gate = createGate(given, { ...host, names: NAMES });
    const { publicOrigin, clientAddress } = given;
    const publicOriginAt = publicOriginOf(publicOrigin);
    const mode = (given.env ?? process.env).NODE_ENV;
    return { decide, hop: gate.hop };

    async function decide(req) {
      try {
        const head = headOf(req);
        const decision = await gate.decideHead(head, context);
        decision.head = head;
        return decision;
      } catch {
        return unavailable({ method: req.method, headers: { get: (name) => [req.headers[name]].flat()[0] } });
      }
    }

    function headOf(req) {
      return {
        method: req.method,
        target: req.originalUrl ?? req.url,
        publicOrigin: publicOriginAt(req) ?? typedOrigin(req, mode) ?? localOrigin(req.socket),
        clientAddress: (isFunction(clientAddress) ? clientAddress(req) : clientAddress) ?? req.socket.remoteAddress,
        headers: headersOf(req),
      };
    }
  }
}

/**
 * What somebody who develops on this machine has typed into the browser: `localhost` rather than the address behind it. Nobody else's
 * `Host` counts: it is the client's word.
 */
function typedOrigin(req, mode) {
  if (mode !== "development" || !isLoopback(req.socket.remoteAddress)) return undefined;
  const pairs = headersOf(req).map(([name, value]) => [name.toLowerCase(), value]);
  if (pairs.some(([name]) => /^(?:via|forwarded|x-forwarded-.*)$/.test(name))) return undefined;
  const [host, another] = pairs.filter(([name]) => name === "host").map(([, value]) => value);
  if (another !== undefined || !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(host ?? "")) return undefined;
  const url = `${req.socket.encrypted ? "https" : "http"}://${host}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

function isLoopback(address = "") {
  return address === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}

/** The address at which the connection came in. */
function localOrigin({ encrypted, localAddress, localPort }) {
  const scheme = encrypted ? "https" : "http";
  if (!localAddress) return `${scheme}://localhost`;
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, "");
  return new URL(`${scheme}://${address.includes(":") ? `[${address}]` : address}:${localPort}`).origin;
}

/** A request that was not read from a connection, as behind serverless-http, has no raw headers. */
function headersOf({ rawHeaders, headers }) {
  if (rawHeaders?.length) return pairsOf(rawHeaders);
  return Object.entries(headers).flatMap(([name, values]) => [values ?? []].flat().map((value) => [name, String(value)]));
}

function pairsOf(raw) {
  const pairs = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i], raw[i + 1]]);
  return pairs;
}

/** Header pairs after the decision's edits: removals first, then what is set takes the place of all others of its name. */
function editedPairs(pairs, { removed, set }) {
  const gone = new Set([...removed, ...set.map(([name]) => name)].map((name) => name.toLowerCase()));
  return [...withOneCookie(pairs.filter(([name]) => !gone.has(name.toLowerCase()))), ...set];
}

/** Several lines of cookies are one (RFC 9113 section 8.2.3). An origin that joined them by commas would read other cookies than the gate. */
function withOneCookie(pairs) {
  const isCookie = ([name]) => name.toLowerCase() === "cookie";
  const cookies = pairs.filter(isCookie);
  if (cookies.length < 2) return pairs;
  return [...pairs.filter((pair) => !isCookie(pair)), ["Cookie", cookies.map(([, value]) => value).join("; ")]];
}

/** Gives the application the request that the gate understood, or says why it cannot. */
function editRequest(req, decision) {
  try {
    editHeaders(req, decision);
  } catch {
    // Those of `node:http2` only look alike: they have no `headersDistinct`, and nobody can set their `rawHeaders`.
    return new Error("doorward: the headers of this request cannot be edited; only those of node:http and node:https can");
  }
  return retarget(req, decision.target);
}

function editHeaders(req, decision) {
  const { headers, headersDistinct } = req;
  for (const name of decision.removed) {
    delete headers[name.toLowerCase()];
    delete headersDistinct[name.toLowerCase()];
  }
  for (const [name, value] of decision.set) {
    headers[name.toLowerCase()] = value;
    headersDistinct[name.toLowerCase()] = [value];
  }
  req.rawHeaders = editedPairs(headersOf(req), decision).flat();
}

/** Mounted below a path, a framework has cut that path off `url` and keeps the whole in `originalUrl`. */
function retarget(req, target) {
  if (req.originalUrl === undefined) {
    req.url = target;
    return undefined;
  }
  const base = mountedAt(req);
  if (base === undefined) return judgedElsewhere();
  if (req.originalUrl === target) return undefined;
  const rest = target.slice(base.length);
  if (!target.startsWith(base) || !/^(?:$|[/?])/.test(rest)) return judgedElsewhere();
  req.url = rest.startsWith("/") ? rest : `/${rest}`;
  req.originalUrl = target;
  return undefined;
}

function judgedElsewhere() {
  return new Error("doorward: the request was judged under another path than it is mounted at");
}

/**
 * `/api` of `/api/users`, whose `url` is `/users` then; that of `/api` itself is `/`. Nothing where `url` has been rewritten since the
 * client asked: the application would serve another path than the judged one.
 */
function mountedAt({ originalUrl, url, baseUrl }) {
  const tail = [url, url.replace(/^\//, "")].find((tail) => originalUrl.endsWith(tail));
  if (tail === undefined) return undefined;
  const base = originalUrl.slice(0, originalUrl.length - tail.length);
  // Express knows where it is mounted, Connect does not say.
  return base.includes("?") || base !== (baseUrl ?? base) ? undefined : base;
}

/** Adds headers at the last moment, so that the application can neither overwrite nor forget them. */
function addWhenSent(res, { responseHeaders, finishNow, abandon }) {
  if (responseHeaders.length === 0 && !finishNow) return;
  if (finishNow) endsWithout(res, abandon);
  const { writeHead } = res;
  res.writeHead = function (status, ...rest) {
    res.writeHead = writeHead;
    const headers = typeof rest.at(-1) === "object" ? rest.pop() : undefined;
    setAll(res, headers ?? {});
    for (const [name, value] of [...responseHeaders, ...(finishNow?.(linesOf(res.getHeader("set-cookie"))) ?? [])]) {
      if (name === "set-cookie") res.appendHeader(name, value);
      else res.setHeader(name, value);
    }
    return writeHead.call(res, status, ...rest);
  };
}

/** The values of a header that may be one text, a list, or missing. */
function linesOf(value) {
  return [value ?? []].flat().map(String);
}

/** What waits for a response that never comes is given up; after `finish` there is nothing left to give up. */
function endsWithout(stream, abandon) {
  if (!abandon) return;
  if (stream.destroyed) abandon();
  else stream.once("close", abandon);
}

/** `writeHead` takes headers as an object, as pairs, or as names and values in turn. */
function setAll(res, headers) {
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    return;
  }
  const pairs = Array.isArray(headers[0]) ? headers : pairsOf(headers);
  for (const [name] of pairs) res.removeHeader(name);
  for (const [name, value] of pairs) res.appendHeader(name, value);
}

function answer(res, { status, headers, body }) {
  for (const [name, value] of headers) res.appendHeader(name, value);
  // As bytes: Node would write the head in the encoding of a text, and headers are Latin-1.
  res.writeHead(status).end(Buffer.from(body));
}

function fail(res, { message }) {
  answer(res, plain(500, message.replace("doorward: ", "")));
}

function plain(status, title, more = []) {
  const body = JSON.stringify({ type: "about:blank", title, status });
  const headers = [
    ["content-type", "application/problem+json"],
    ["cache-control", "private, no-store"],
    ...more,
  ];
  return { status, headers, body };
}

/** Where a request goes: where its rule says, or to the proxy's origin. */
function destination({ upstream }, to) {
  return upstream ? new URL(upstream) : to;
}

function pass(req, res, decision, hop, to) {
  endsWithout(res, decision.abandon);
  try {
    forward(req, res, decision, hop, destination(decision, to));
  } catch (error) {
    answer(res, hop.refuse(decision.head, whyNobody(error)));
  }
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

function forwardUpgrade(req, socket, head, decision, hop, to) {
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

function answerSocket(socket, { status, headers, body }) {
  const length = String(Buffer.byteLength(body));
  const pairs = [...headers, ["Content-Length", length], ["Connection", "close"]];
  socket.end(Buffer.concat([headBytes(status, http.STATUS_CODES[status] ?? "", pairs), Buffer.from(body)]));
}

/** Header values are Latin-1 on the wire, as Node reads them. */
function headBytes(status, message, pairs) {
  const lines = [`HTTP/1.1 ${status} ${message}`, ...pairs.map(([name, value]) => `${name}: ${value}`), "", ""];
  return Buffer.from(lines.join("\r\n"), "latin1");
}
