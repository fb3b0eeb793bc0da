// The gate in front of Node's HTTP: middleware, a guard around one handler, and a proxy.
//
// What the host vouches for comes from the connection, not from the request: the client's address is the socket's, the public
// origin is the option or the address that the server listens at. Only in development on this machine is it
// what was typed into the browser.

import { bareOrigin, publicOriginOf, unavailable, whyNobody } from "./gate.js";
import { listen } from "./metrics-listener.js";
import { isBounded, isStream, watchOver } from "./open.js";
import { checkOptions, isFunction, isObject, wrongOption } from "./options.js";
import { editedPairs, headersOf, pairsOf } from "./pairs.js";
import { letOn, passed } from "./passed.js";
import { answer, answerSocket, destination, endsWithout, forwardUpgrade, pagesOf, pass, plain } from "./proxy.js";
import { NotGated } from "./session.js";
import { insteadOfRequest } from "./testing-hook.js";

const NO_GATE = "the gate did not run for this request: put `middleware` or `protect` in front of the code that calls session()";

/** Whether somebody develops here is of use to the gate as well. */
const NAMES = ["NODE_ENV"];

/** Which name an origin is told to be asked for. */
const HOSTS = { host: [(host) => ["public", "origin"].includes(host), '"public" or "origin"'] };

/**
 * Makes the exports of `doorward/node` on this `createGate`.
 *
 * @param {(options: object) => import("./gate.js").Gate} createGate
 */
export function nodeOn(createGate) {
  return { middleware, middlewareOf, protect, createProxy, session, decideOn };

  function session(req) {
    const given = insteadOfRequest();
    if (given !== undefined) return given;
    if (typeof req !== "object" || req === null) throw wrongOption("req", "the request that the middleware has seen");
    const decision = passed.get(req) ?? passed.get(req.stream);
    if (!decision) throw new NotGated("mark_missing", NO_GATE);
    return decision.identity ?? null;
  }

  function middleware(options = {}) {
    return middlewareOf(decideOn(options, { seesResponse: true }));
  }

  function middlewareOf({ decide, hop }) {
    return async function doorward(req, res, next) {
      const decision = await decide(req);
      if (decision.kind === "answer") return answer(res, decision);
      if (decision.upstream) return pass(req, res, decision, hop, destination(decision));
      // The application's head may go out at any moment from now on: whatever it has to wait for is waited for here.
      await decision.performed;
      const problem = editRequest(req, decision);
      if (problem) {
        decision.abandon?.();
        return next(problem);
      }
      letOn(req, decision);
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
    const { origin, host, ...options } = given;
    checkOptions({ host }, HOSTS);
    const to = new URL(bareOrigin(origin, "origin", "http://127.0.0.1:3000"));
    const { decide, hop } = decideOn(options, { seesResponse: true }, { proxies: true, fetchPage: pagesOf(to, host) });

    async function proxy(req, res) {
      const decision = await decide(req);
      if (decision.kind === "answer") return answer(res, decision);
      pass(req, res, decision, hop, destination(decision, to, host));
    }

    proxy.upgrade = async function upgrade(req, socket, head) {
      socket.on("error", () => socket.destroy());
      const problem = noWebSocket(req);
      if (problem) return answerSocket(socket, problem);
      const decision = await decide(req);
      if (decision.kind === "answer") return answerSocket(socket, decision);
      try {
        forwardUpgrade(req, socket, head, decision, hop, destination(decision, to, host));
      } catch (error) {
        answerSocket(socket, hop.refuse(decision.head, whyNobody(error)));
      }
    };

    return proxy;
  }

  /** Decides on a request by what Node received. `hop` is what the core says of the way to the origin and back. */
  function decideOn(options, context, host) {
    const gate = createGate(options, { ...host, listens: true, names: NAMES });
    const { metrics, log = console.error } = options;
    if (metrics?.port !== undefined) listen(metrics.port, gate.metrics, log);
    const { publicOrigin, clientAddress } = options;
    const publicOriginAt = publicOriginOf(publicOrigin);
    const mode = (options.env ?? process.env).NODE_ENV;
    const ownContext = { ...context, isOwnMachine: true };
    return { decide, hop: gate.hop };

    async function decide(req) {
      try {
        const head = headOf(req);
        const decision = await gate.decideHead(head, typedOrigin(req, mode) === undefined ? context : ownContext);
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

/** Why a request to switch protocols cannot be one for a WebSocket; nothing where it is. */
export function noWebSocket({ method, headers }) {
  // Any other protocol would be a second conversation with the origin that the gate does not hear.
  if (headers.upgrade?.toLowerCase() !== "websocket") return plain(501, "Not Implemented");
  // RFC 6455 section 4.1. Not every origin looks, and the rules for a preflight or a HEAD are not those for a conversation.
  if (method !== "GET") return plain(405, "a WebSocket begins with GET", [["allow", "GET"]]);
  return undefined;
}

/**
 * What a developer on this machine has typed into the browser: `localhost` rather than the address behind it. No other `Host`
 * counts: the client chooses it.
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

/** Gives the application the request that the gate understood, or says why it cannot. */
export function editRequest(req, decision) {
  try {
    editHeaders(req, decision);
  } catch {
    // Those of `node:http2` only look alike: they have no `headersDistinct`, and their `rawHeaders` cannot be set.
    return new Error("doorward: the headers of this request cannot be changed; use requests of node:http or node:https");
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
  return new Error("doorward: the path of the request changed after the gate had decided about it; mount the gate where its path is the original one");
}

/**
 * `/api` of `/api/users`, whose `url` is `/users` then; that of `/api` itself is `/`. Nothing where `url` has been rewritten since the
 * client asked: the application would serve another path than the one decided about.
 */
function mountedAt({ originalUrl, url, baseUrl }) {
  const tail = [url, url.replace(/^\//, "")].find((tail) => originalUrl.endsWith(tail));
  if (tail === undefined) return undefined;
  const base = originalUrl.slice(0, originalUrl.length - tail.length);
  // Express knows where it is mounted, Connect does not say.
  return base.includes("?") || base !== (baseUrl ?? base) ? undefined : base;
}

/** Adds headers at the last moment, so that the application can neither overwrite nor forget them. */
function addWhenSent(res, decision) {
  const { responseHeaders, finishNow, abandon } = decision;
  if (responseHeaders.length === 0 && !finishNow && !isBounded(decision)) return;
  if (finishNow) endsWithout(res, abandon);
  const { writeHead } = res;
  res.writeHead = function (status, ...rest) {
    res.writeHead = writeHead;
    const headers = typeof rest.at(-1) === "object" ? rest.pop() : undefined;
    setAll(res, headers ?? {});
    for (const [name, value] of [...responseHeaders, ...(finishNow?.(linesOf(res.getHeader("set-cookie"))) ?? [])]) {
      if (name === "set-cookie" || name === "server-timing") res.appendHeader(name, value);
      else res.setHeader(name, value);
    }
    if (isBounded(decision) && isStream(linesOf(res.getHeader("content-type"))[0])) endWith(decision, res);
    return writeHead.call(res, status, ...rest);
  };
}

/**
 * An event stream of the application ends when what it rests on is over: as if its reader had gone away, which every application that
 * streams has to bear.
 */
function endWith(limits, res) {
  const stop = watchOver(limits, () => res.destroy());
  res.once("close", stop);
}

/** The values of a header that may be one text, a list, or missing. */
export function linesOf(value) {
  return [value ?? []].flat().map(String);
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

function fail(res, { message }) {
  answer(res, plain(500, message.replace("doorward: ", "")));
}
