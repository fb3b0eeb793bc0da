// Carrying errands: what the engine sends a host to do. Every way in which one can go wrong is a reply, never an exception,
// and nothing here knows what an errand is for.

import { signaturesBy } from "./signatures.js";

export { CHECKS, SIGNS } from "./signatures.js";

/** @typedef {import("./wire.js").Reply} Reply */

const FAILED = { kind: "failed" };
const TOO_LARGE = { kind: "tooLarge" };
const UNSUPPORTED = { kind: "unsupported" };

/**
 * What carries errands by means of the platform.
 *
 * @param {typeof globalThis.fetch} [fetch] instead of the platform's
 * @param {ReturnType<typeof signaturesBy>} [signatures]
 * @returns {(errand: object) => Promise<Reply>}
 */
export function carrier(fetch = (url, init) => globalThis.fetch(url, init), signatures = signaturesBy()) {
  return async (errand) => {
    try {
      if (errand.work === "check") return await carryCheck(errand, signatures);
      if (errand.work === "fetch") return await carryFetch(errand, fetch);
      if (errand.work === "sign") return await carrySign(errand, signatures);
      return await carryWait(errand);
    } catch (error) {
      return error?.name === "NotSupportedError" ? UNSUPPORTED : FAILED;
    }
  };
}

async function carryFetch(errand, fetch) {
  const controller = new AbortController();
  const { promise: timeOut, cancel } = rejectAfter(errand.timeoutMs, controller);
  try {
    // The race makes the errand end even if `fetch` does not listen to its signal.
    return await Promise.race([answerOf(errand, fetch, controller.signal), timeOut]);
  } catch (error) {
    controller.abort();
    return error instanceof TooLarge ? TOO_LARGE : FAILED;
  } finally {
    cancel();
  }
}

async function answerOf(errand, fetch, signal) {
  const response = await fetch(errand.url, {
    method: errand.method,
    headers: errand.headers,
    redirect: "manual",
    signal,
    ...noStore(),
  });
  // Browsers hide what they were redirected to: status 0, nothing to read.
  if (response.status === 0 || response.type === "opaqueredirect") return FAILED;
  const body = await readAtMost(errand.maxBytes, response.body);
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
      reject(new Error("time-out"));
    }, milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

async function carryCheck(errand, signatures) {
  const holds = await signatures.check(errand);
  return holds === undefined ? UNSUPPORTED : { kind: "checked", holds };
}

/** A signature of the gate's own, with the key from its environment. */
async function carrySign(errand, signatures) {
  const signature = await signatures.sign(errand);
  return signature === undefined ? UNSUPPORTED : { kind: "signed", signature };
}

async function carryWait(errand) {
  await new Promise((resolve) => setTimeout(resolve, errand.milliseconds));
  return { kind: "waited" };
}
