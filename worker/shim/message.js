// HTTP messages at the border of the gate, each in one call: many small calls would cost more than all that they say.
//
// They are texts of lines. No method, URL, header name or header value has a line feed in it (RFC 9110 section 5.5); the
// number that goes with each text shows one that has it all the same, and then the message is refused.

import { cookieLine } from "./cookie-line.js";
import { recheck, origin_unreachable, response_removals } from "./gate.js";
import { CLOSE_CODE, ending, isStream, watchOver } from "./open.js";
import { inPublic } from "./own-address.js";

const encoder = new TextEncoder();

/** Lines of cookies of requests that came with several, until they go on. */
const cookieLines = new WeakMap();

/** There is one at a time. Headers come behind the number of them, the method and the URL. */
const lines = [];
const HEADERS = 3;
const addHeader = (value, name) => lines.push(name, value);

/**
 * Writes the head of a request: the number of its headers, its method, its URL, and name and value of each header.
 *
 * @param {Request} request
 * @param {Uint8Array} room
 * @returns {number} how many bytes it has; where that is more than there is room, how much room is certainly enough
 */
export function writeHead(request, room) {
  lines.length = HEADERS;
  // An iterator would cross to the platform and back for each header.
  request.headers.forEach(addHeader);
  const cookies = lines.indexOf("cookie", HEADERS) + 1;
  if (cookies > 0 && (cookies - HEADERS) % 2 === 1) readCookies(request, cookies);
  lines[0] = (lines.length - HEADERS) / 2;
  lines[1] = request.method;
  lines[2] = request.url;
  lines.push("");
  // A text that is put together piece by piece is put together once more to be encoded.
  const text = lines.join("\n");
  const { read, written } = encoder.encodeInto(text, room);
  return read === text.length ? written : text.length * 3;
}

/** Several lines of cookies are one, for the gate and for the origin. */
function readCookies(request, at) {
  const line = cookieLine(lines[at]);
  if (line === lines[at]) return;
  lines[at] = line;
  cookieLines.set(request, line);
}

/**
 * Sends a request on and hands the answer back; bodies are streams that pass through. Its headers are the platform's own
 * copy, so values that are no text keep their bytes. It follows no redirects, as none that came in does.
 *
 * @param {Request} request as it came in
 * @param {string} text the URL, the public origin, another host whose address is asked instead of the URL's (or nothing), names of
 *   headers to remove, headers to set, headers to add to the answer
 * @param {number} removed
 * @param {number} set
 * @param {number} added
 */
export function send(request, text, removed, set, added) {
  const lines = linesOf(text, 3 + removed + 2 * set + 2 * added);
  const [url, publicOrigin, resolveOverride] = lines;
  const sent = new Request(url, request);
  const { headers } = sent;
  const cookies = cookieLines.get(request);
  if (cookies !== undefined) headers.set("cookie", cookies);
  let at = 3;
  for (; removed > 0; removed--) headers.delete(lines[at++]);
  for (; set > 0; set--) headers.set(lines[at++], lines[at++]);
  const answered = resolveOverride === "" ? fetch(sent) : fetch(sent, { cf: { resolveOverride } });
  return answered.then(
    (response) => withHeaders(forClient(response, url, publicOrigin), lines.slice(at)),
    () => origin_unreachable(request),
  );
}

/** Without what concerns the origin's connection, and with what it says of its own address as the client has to read it. */
function forClient(response, url, publicOrigin) {
  // A WebSocket's connection is the platform's.
  if (response.webSocket) return response;
  const { headers } = response;
  const pairs = [];
  headers.forEach((value, name) => pairs.push(name, value));
  const removals = removalsOf(pairs);
  const edits = inPublic({ get: (name) => headers.get(name), cookies: () => headers.getSetCookie() }, url.slice(0, url.indexOf("/", 8)), publicOrigin);
  if (removals === "" && edits.length === 0) return response;
  const edited = new Response(response.body, response);
  for (const name of removals === "" ? [] : removals.split("\n")) edited.headers.delete(name);
  for (const [name, values] of edits) {
    edited.headers.delete(name);
    for (const value of values) edited.headers.append(name, value);
  }
  return edited;
}

/** Names of the headers that end here. */
function removalsOf(pairs) {
  try {
    return response_removals(pairs.join("\n"));
  } catch {
    // The instance has fallen since the request was sent on. Its response is the client's all the same: what concerns the origin's
    // connection the platform keeps to itself.
    return "";
  }
}

/**
 * A response whose connection ends with what it rests on, if it stays open. Anything else is handed back as it is, and so passes by.
 *
 * @param {Request} request as it came in
 * @param {Promise<Response>} promise
 * @param {number | undefined} livesMs
 * @param {number | undefined} recheckAfterMs
 */
export function endingWith(request, promise, livesMs, recheckAfterMs) {
  const limits = { livesMs, recheckAfterMs, recheck: async () => recheck(request) };
  return promise.then((response) => {
    if (response.webSocket) return relayed(response, limits);
    if (response.body && isStream(response.headers.get("content-type"))) return new Response(ending(response.body, limits), response);
    return response;
  });
}

/** A WebSocket with the gate between its two ends, so that there is somebody to close it. */
function relayed(response, limits) {
  const far = response.webSocket;
  const [client, near] = Object.values(new WebSocketPair());
  for (const end of [far, near]) {
    end.binaryType = "arraybuffer";
    end.accept();
  }
  const stop = watchOver(limits, (reason) => {
    close(near, CLOSE_CODE, reason);
    close(far, CLOSE_CODE, reason);
  });
  for (const [from, to] of [[far, near], [near, far]]) {
    from.addEventListener("message", ({ data }) => attempted(() => to.send(data)));
    from.addEventListener("close", ({ code, reason }) => {
      stop();
      close(to, code, reason);
      close(from, code, reason);
    });
    from.addEventListener("error", () => {
      stop();
      close(to, 1011, "");
    });
  }
  return new Response(null, { status: 101, webSocket: client, headers: response.headers });
}

/** Codes that only say how a connection broke off cannot be sent (RFC 6455 section 7.4.1). */
function close(socket, code, reason) {
  const isSayable = code === 1000 || (code >= 1001 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  attempted(() => (isSayable ? socket.close(code, reason) : socket.close()));
}

/** The other end may have gone a moment ago. */
function attempted(work) {
  try {
    work();
  } catch {
    // Then there is no instance to report it to.
  }
}

/**
 * A response with further headers: a cookie comes in addition, everything else in its place.
 *
 * @param {Response} response
 * @param {string} text headers
 * @param {number} count
 */
export function addHeaders(response, text, count) {
  return withHeaders(response, linesOf(text, 2 * count));
}

function withHeaders(response, lines) {
  if (lines.length === 0) return response;
  const edited = new Response(response.body, response);
  for (let at = 0; at < lines.length; at += 2) {
    const [name, value] = lines.slice(at, at + 2);
    if (name === "set-cookie" || name === "server-timing") edited.headers.append(name, value);
    else edited.headers.set(name, value);
  }
  return edited;
}

/**
 * An answer that does not come from the origin.
 *
 * @param {number} status
 * @param {string} text headers
 * @param {number} count
 * @param {string | undefined} body
 */
export function answer(status, text, count, body) {
  const lines = linesOf(text, 2 * count);
  const headers = new Headers();
  for (let at = 0; at < lines.length; at += 2) headers.append(lines[at], lines[at + 1]);
  return new Response(body, { status, headers });
}

function linesOf(text, count) {
  const lines = text.split("\n");
  // Each line has its end, so there is a last one with nothing in it.
  if (lines.length !== count + 1 || lines.pop() !== "") throw new TypeError("doorward: a line has a line feed in it");
  return lines;
}
