// Carrying errands: what the engine sends a host to do. Every way in which one can go wrong is a reply, never an exception,
// and nothing here knows what an errand is for.

/** @typedef {import("./wire.js").Reply} Reply */

const FAILED = { kind: "failed" };
const TOO_LARGE = { kind: "tooLarge" };
const UNSUPPORTED = { kind: "unsupported" };
const ABSENT = { kind: "absent" };

/** How long a look into the shared cache may take, in milliseconds; it is there to save time. */
const LOOK_UP_MS = 200;

const encoder = new TextEncoder();

/** How many imported keys are kept. An issuer has one to four. */
const KEPT_KEYS = 64;

const RSA = (hash) => ({ key: { name: "RSASSA-PKCS1-v1_5", hash }, check: { name: "RSASSA-PKCS1-v1_5" } });
const PSS = (hash, saltLength) => ({ key: { name: "RSA-PSS", hash }, check: { name: "RSA-PSS", saltLength } });
const ECDSA = (hash, namedCurve) => ({ key: { name: "ECDSA", namedCurve }, check: { name: "ECDSA", hash } });

/** RFC 7518 section 3.1 in the words of WebCrypto. EdDSA is not here: the engine checks it by itself, and faster. */
const ALGORITHMS = {
  __proto__: null,
  RS256: RSA("SHA-256"),
  RS384: RSA("SHA-384"),
  RS512: RSA("SHA-512"),
  PS256: PSS("SHA-256", 32),
  PS384: PSS("SHA-384", 48),
  PS512: PSS("SHA-512", 64),
  ES256: ECDSA("SHA-256", "P-256"),
  ES384: ECDSA("SHA-384", "P-384"),
  ES512: ECDSA("SHA-512", "P-521"),
};

/** Algorithms of the signatures that this host checks. */
export const CHECKS = Object.keys(ALGORITHMS);

/** Algorithms of the signatures that this host makes; the engine makes the others by itself. */
export const SIGNS = ["ES256"];

/**
 * What carries errands by means of the platform.
 *
 * @param {typeof globalThis.fetch} [fetch] instead of the platform's
 * @param {{ stores?: Record<string, (key: string) => unknown>, cache?: import("./gate.js").SharedCache }} [more] stores by name, and what
 *   instances share
 * @returns {(errand: object) => Promise<Reply>}
 */
export function carrier(fetch = (url, init) => globalThis.fetch(url, init), { stores = {}, cache } = {}) {
  const keys = new Map();
  return async (errand) => {
    try {
      if (errand.work === "check") return await carryCheck(errand, keys);
      if (errand.work === "fetch") return await carryFetch(errand, fetch, cache);
      if (errand.work === "sign") return await carrySign(errand, keys);
      if (errand.work === "read") return await carryRead(errand, stores);
      return await carryWait(errand);
    } catch (error) {
      return error?.name === "NotSupportedError" ? UNSUPPORTED : FAILED;
    }
  };
}

async function carryFetch(errand, fetch, cache) {
  const controller = new AbortController();
  const { promise: timeOut, cancel } = rejectAfter(errand.timeoutMs, controller);
  try {
    // The race makes the errand end even if `fetch` does not listen to its signal.
    return await Promise.race([copyOrAnswer(errand, fetch, cache, controller.signal), timeOut]);
  } catch (error) {
    controller.abort();
    return error instanceof TooLarge ? TOO_LARGE : FAILED;
  } finally {
    cancel();
  }
}

async function copyOrAnswer(errand, fetch, cache, signal) {
  const copy = cache && errand.copy ? await copyOf(errand, cache) : undefined;
  return copy ? { kind: "copied", text: copy } : answerOf(errand, fetch, signal);
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

/** What a store has under a key: text or bytes, and nothing else counts. */
async function carryRead({ store, key, timeoutMs, maxBytes }, stores) {
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

async function carryCheck(errand, keys) {
  const algorithm = ALGORITHMS[errand.algorithm];
  const subtle = globalThis.crypto?.subtle;
  if (!algorithm || !subtle) return UNSUPPORTED;
  const name = `${errand.algorithm} ${errand.thumbprint}`;
  const key = keys.get(name) ?? (await importedKey(name, errand.key, algorithm, "verify", subtle, keys));
  const holds = await subtle.verify(algorithm.check, key, errand.signature, errand.signingInput);
  return { kind: "checked", holds };
}

/** A signature of the gate's own, with the key from its environment. */
async function carrySign(errand, keys) {
  const algorithm = ALGORITHMS[errand.algorithm];
  const subtle = globalThis.crypto?.subtle;
  if (!algorithm || !subtle) return UNSUPPORTED;
  const name = `${errand.algorithm} signs as ${errand.kid}`;
  const key = await importedKey(name, errand.key, algorithm, "sign", subtle, keys);
  return { kind: "signed", signature: new Uint8Array(await subtle.sign(algorithm.check, key, errand.input)) };
}

/** Keeps keys, not promises of keys: workerd forbids one request to wait for what another has begun. */
async function importedKey(name, jwk, algorithm, use, subtle, keys) {
  const kept = keys.get(name);
  if (kept) return kept;
  const key = await subtle.importKey("jwk", JSON.parse(jwk), algorithm.key, false, [use]);
  keys.set(name, key);
  if (keys.size > KEPT_KEYS) keys.delete(keys.keys().next().value);
  return key;
}

async function carryWait(errand) {
  await new Promise((resolve) => setTimeout(resolve, errand.milliseconds));
  return { kind: "waited" };
}
