// Performing effects: what the engine sends a host to do. Every way in which one can go wrong is a result, never an exception,
// and nothing here knows what an effect is for.

import { signaturesBy } from "./signatures.js";

/** @typedef {import("./wire.js").EffectResult} EffectResult */

const FAILED = { kind: "failed" };
const TOO_LARGE = { kind: "tooLarge" };
const HEAD_TOO_LARGE = { kind: "headTooLarge" };
const UNSUPPORTED = { kind: "unsupported" };
const ABSENT = { kind: "absent" };

/**
 * What Node's `fetch` takes as the head of an answer, instead of 16 KiB: a session of 9 KiB of cookies, set anew beside the token of the jwt plugin,
 * is more than that.
 */
const MAX_HEAD_BYTES = 128 * 1024;

/** How long a look into the shared cache may take, in milliseconds; it is there to save time. */
const LOOK_UP_MS = 200;

const encoder = new TextEncoder();

/**
 * What performs effects by means of the platform.
 *
 * @param {typeof globalThis.fetch} [fetch] instead of the platform's
 * @param {{ stores?: Record<string, (key: string) => unknown>, cache?: import("./gate.js").SharedCache, signatures?: ReturnType<typeof signaturesBy>, fetchPage?: typeof globalThis.fetch }} [more]
 *   stores by name, what instances share, who checks and makes signatures, what fetches a path of the host's own origin
 * @returns {(effect: object) => Promise<EffectResult>}
 */
export function performer(fetch = platformFetch, { stores = {}, cache, signatures = signaturesBy(), fetchPage } = {}) {
  return async (effect) => {
    try {
      if (effect.kind === "check") return await performCheck(effect, signatures);
      if (effect.kind === "fetch") return await performFetch(effect, effect.url.startsWith("/") ? fetchPage : fetch, cache);
      if (effect.kind === "sign") return await performSign(effect, signatures);
      if (effect.kind === "read") return await performRead(effect, stores);
      return await performWait(effect);
    } catch (error) {
      return error?.name === "NotSupportedError" ? UNSUPPORTED : FAILED;
    }
  };
}

/** The platform's `fetch`, with room for large heads where that can be said: elsewhere `dispatcher` has no effect. */
function platformFetch(url, init) {
  const dispatcher = roomy();
  return globalThis.fetch(url, dispatcher ? { ...init, dispatcher } : init);
}

/** Agents by those that they stand for. */
const agents = new WeakMap();

/**
 * Node's own agent once more, with room for large heads. It is found where every copy of undici finds it. One that the application or the environment
 * has put there, like one for a proxy, stays as it is: it knows ways that another would not go.
 */
function roomy() {
  try {
    // Node loads what puts it there with the first use of any of these.
    const own = typeof Request === "function" && globalThis[Symbol.for("undici.globalDispatcher.1")];
    if (own?.constructor?.name !== "Agent") return undefined;
    if (!agents.has(own)) agents.set(own, roomyLike(own));
    return agents.get(own);
  } catch {
    return undefined;
  }
}

function roomyLike(own) {
  const symbol = Object.getOwnPropertySymbols(own).find(({ description }) => description === "options");
  const given = Object.entries(own[symbol] ?? {}).filter(([name, value]) => name !== "maxOrigins" && value !== undefined);
  return given.length === 0 ? new own.constructor({ maxHeaderSize: MAX_HEAD_BYTES }) : undefined;
}

/** Whether an answer failed by its head: by the words of undici and of Node's parser. */
function isHeadTooLarge(error) {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (["UND_ERR_HEADERS_OVERFLOW", "HPE_HEADER_OVERFLOW"].includes(cause.code)) return true;
  }
  return false;
}

/** The platform's code for why a fetch failed, for the log: the innermost that is one. */
function codeOf(error) {
  // Names of the language's own errors say nothing.
  let code = /^(Type|Range|Syntax)?Error$/.test(error?.name) ? undefined : error?.name;
  for (let cause = error; cause instanceof Error; cause = cause.cause ?? cause.errors?.[0]) {
    if (typeof cause.code === "string") code = cause.code;
  }
  return typeof code === "string" ? code : undefined;
}

async function performFetch(effect, fetch, cache) {
  const controller = new AbortController();
  const { promise: timeOut, cancel } = rejectAfter(effect.timeoutMs, controller);
  try {
    // The race makes the effect end even if `fetch` does not listen to its signal.
    return await Promise.race([copyOrAnswer(effect, fetch, cache, controller.signal), timeOut]);
  } catch (error) {
    controller.abort();
    if (error instanceof TooLarge) return TOO_LARGE;
    return isHeadTooLarge(error) ? HEAD_TOO_LARGE : { kind: "failed", code: codeOf(error) };
  } finally {
    cancel();
  }
}

async function copyOrAnswer(effect, fetch, cache, signal) {
  const copy = cache && effect.copy ? await copyOf(effect, cache) : undefined;
  return copy ? { kind: "copied", text: copy } : answerOf(effect, fetch, signal);
}

/** What the shared cache has under this name. Whatever else it does is as good as having nothing. */
async function copyOf({ copy, maxBytes }, cache) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, LOOK_UP_MS)));
  try {
    const text = await Promise.race([cache.get(copy), late]);
    if (typeof text !== "string" || text.length > maxBytes) return undefined;
    const bytes = encoder.encode(text);
    return bytes.length > maxBytes ? undefined : bytes;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function answerOf(effect, fetch, signal) {
  const response = await fetch(effect.url, {
    method: effect.method,
    headers: effect.headers,
    redirect: "manual",
    signal,
    ...noStore(),
  });
  // Browsers hide what they were redirected to: status 0, nothing to read.
  if (response.status === 0 || response.type === "opaqueredirect") return FAILED;
  const body = await readAtMost(effect.maxBytes, response.body);
  return { kind: "answered", status: response.status, headers: headerPairs(response.headers), body };
}

/** Frameworks put caches behind `fetch`, and one person's session must not come out of one. Older workerd throws at the option. */
function noStore() {
  return "cache" in Request.prototype ? { cache: "no-store" } : {};
}

/** Header pairs with one pair for each `Set-Cookie`, which cannot be joined by commas (RFC 6265 section 3). */
function headerPairs(headers) {
  const pairs = [];
  for (const [name, value] of headers) {
    if (name !== "set-cookie") pairs.push([name, value]);
  }
  for (const value of headers.getSetCookie()) pairs.push(["set-cookie", value]);
  return pairs;
}

class TooLarge extends Error {}

async function readAtMost(maxBytes, stream) {
  if (stream === null) return new Uint8Array(0);
  const chunks = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      reader.cancel().catch(() => {});
      throw new TooLarge("the answer is too large");
    }
    chunks.push(value);
  }
}

function joined(chunks, length) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function rejectAfter(milliseconds, controller) {
  let timer;
  const promise = new Promise((_, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(Object.assign(new Error("time-out"), { code: "TIMEOUT" }));
    }, milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

/** What a store has under a key: text or bytes, and nothing else counts. */
async function performRead({ store, key, timeoutMs, maxBytes }, stores) {
  if (!Object.hasOwn(stores, store)) return UNSUPPORTED;
  const { promise: timeOut, cancel } = rejectAfter(timeoutMs, new AbortController());
  try {
    const value = await Promise.race([stores[store](key), timeOut]);
    if (value === null || value === undefined) return ABSENT;
    if (typeof value === "string" && value.length > maxBytes) return TOO_LARGE;
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    if (!(bytes instanceof Uint8Array)) return FAILED;
    return bytes.length > maxBytes ? TOO_LARGE : { kind: "found", value: bytes };
  } finally {
    cancel();
  }
}

async function performCheck(effect, signatures) {
  const holds = await signatures.check(effect);
  return holds === undefined ? UNSUPPORTED : { kind: "checked", holds };
}

/** A signature of the gate's own, with the key from its environment. */
async function performSign(effect, signatures) {
  const signature = await signatures.sign(effect);
  return signature === undefined ? UNSUPPORTED : { kind: "signed", signature };
}

async function performWait(effect) {
  await new Promise((resolve) => setTimeout(resolve, effect.milliseconds));
  return { kind: "waited" };
}
