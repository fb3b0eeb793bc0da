// The gate's keys: given, or fetched and remembered. Unverified tokens cannot make us fetch, and keys that were good outlive an outage of
// their address.

import { isObject } from "../options.js";
import { AssertionRefused } from "./refusal.js";

/** Seconds for which fetched keys are taken as they are. */
const FRESH_FOR = 300;
/** Seconds for which they are used while the address does not answer. */
const MAX_AGE = 24 * 3600;
/** Seconds between two fetches because of unknown keys. */
const COOLDOWN = 10;
/** Seconds after a first failure; doubled with each further one. */
const BACKOFF = 1;
const BACKOFF_CEILING = 30;
const DEADLINE_MILLIS = 3000;
const MAX_BYTES = 64 * 1024;
/** The gate publishes two at most; what is far beyond is not looked at. */
const MAX_KEYS = 16;

/**
 * Algorithm by key type and curve: never by what a token says. `name` is the one that tokens have, `others` may stand in a key;
 * `importing` and `verifying` are WebCrypto's words for it.
 */
const ALGORITHMS = new Map([
  ["EC P-256", { name: "ES256", others: [], importing: { name: "ECDSA", namedCurve: "P-256" }, verifying: { name: "ECDSA", hash: "SHA-256" } }],
  ["OKP Ed25519", { name: "EdDSA", others: ["Ed25519"], importing: { name: "Ed25519" }, verifying: { name: "Ed25519" } }],
]);
const PUBLIC = [...ALGORITHMS.values()].map(({ name }) => name);
const SHARED = { name: "HS256", importing: { name: "HMAC", hash: "SHA-256" }, verifying: { name: "HMAC" } };

/**
 * Reads the option `keys`.
 *
 * @returns {{ algorithms: string[], find: (kid: string, now: number) => Promise<{ algorithm: object, key: CryptoKey }[]> }} `find`
 *   gives the keys to try, one or more, or throws `AssertionRefused`
 */
export function keysOf(keys, fetch) {
  if (typeof keys === "string" || keys instanceof URL) return fetchedKeys(addressOf(keys), fetch);
  if (isObject(keys) && Object.keys(keys).join() === "secret") return sharedSecret(keys.secret);
  const candidates = isObject(keys) && "secret" in keys ? [] : candidatesIn(keys);
  if (candidates.length === 0) {
    throw new TypeError("keys: expected the URL of a JWK set, a JWK set with an ES256 or EdDSA public key, or a secret");
  }
  return givenKeys(candidates);
}

/** A JWK set that stands in the configuration. */
function givenKeys(candidates) {
  let imported;
  return {
    algorithms: PUBLIC,
    async find(kid) {
      const key = (await (imported ??= importAll(candidates))).get(kid);
      if (!key) throw new AssertionRefused("assertion_key_unknown");
      return [key];
    },
  };
}

/** A secret that gate and origin share; two while it is changed. `kid` decides nothing: each is tried. */
function sharedSecret(secret) {
  const secrets = (Array.isArray(secret) ? secret : [secret]).map((one) =>
    typeof one === "string" ? new TextEncoder().encode(one) : one instanceof Uint8Array ? one.slice() : one,
  );
  if (secrets.length < 1 || secrets.length > 2 || !secrets.every((one) => one instanceof Uint8Array && one.length >= 32)) {
    throw new TypeError("keys: expected one secret or two, each of at least 32 bytes");
  }
  const importOne = async (one) => {
    return { algorithm: SHARED, key: await crypto.subtle.importKey("raw", one, SHARED.importing, false, ["verify"]) };
  };
  let imported;
  return {
    algorithms: [SHARED.name],
    async find(kid) {
      if (kid === "") throw new AssertionRefused("assertion_key_unknown");
      return (imported ??= Promise.all(secrets.map(importOne)));
    },
  };
}

/** A JWK set at an address. */
function fetchedKeys(url, fetch = globalThis.fetch) {
  let keys = new Map();
  let fetchedAt = -Infinity;
  let notBefore = -Infinity;
  let failures = 0;
  let pending;

  const usable = (kid, now) => (now < fetchedAt + MAX_AGE ? keys.get(kid) : undefined);
  // A pause longer than the longest is a clock that was set back.
  const isPause = (now) => now < notBefore && notBefore - now <= BACKOFF_CEILING;

  return {
    algorithms: PUBLIC,
    async find(kid, now) {
      // Keys from the future are of unknown age: they are no longer fresh, and used no longer than others.
      if (now < fetchedAt) fetchedAt = now - FRESH_FOR;
      const found = usable(kid, now);
      if (found && (now < fetchedAt + FRESH_FOR || isPause(now))) return [found];
      // Whoever has a key need not wait for another request's fetch.
      if (found && pending) return [found];
      if (!isPause(now)) await (sharing() ? (pending ?? refresh(now)) : refreshAlone(now));
      const key = usable(kid, now);
      if (key) return [key];
      throw new AssertionRefused(failures ? "keys_unavailable" : "assertion_key_unknown");
    },
  };

  async function refresh(now) {
    const own = (pending = load(now));
    await own.finally(() => pending === own && (pending = undefined));
  }

  /**
   * Where no other request may wait for this fetch, the others begin none beside it while there are keys: it counts as done. It is not `pending`, as it
   * ends with its request, which may be before it is done.
   */
  async function refreshAlone(now) {
    if (keys.size && now < fetchedAt + MAX_AGE) notBefore = now + COOLDOWN;
    await load(now);
  }

  async function load(now) {
    const fresh = await fetchJson(url, fetch).then(candidatesIn).then(importAll).catch(() => new Map());
    if (fresh.size) {
      [keys, fetchedAt, notBefore, failures] = [fresh, now, now + COOLDOWN, 0];
    } else {
      notBefore = now + Math.min(BACKOFF * 2 ** failures, BACKOFF_CEILING);
      failures = Math.min(failures + 1, 16);
    }
  }
}

/** Whether one request may wait for what another has begun. Workers forbid it. */
function sharing() {
  return globalThis.navigator?.userAgent !== "Cloudflare-Workers";
}

/** The keys of a JWK set that can have signed an assertion. */
function candidatesIn(jwks) {
  if (!isObject(jwks) || !Array.isArray(jwks.keys)) return [];
  return jwks.keys.slice(0, MAX_KEYS).filter((jwk) => {
    if (!isObject(jwk) || typeof jwk.kid !== "string" || "d" in jwk) return false;
    const algorithm = ALGORITHMS.get(`${jwk.kty} ${jwk.crv}`);
    if (!algorithm || (jwk.use ?? "sig") !== "sig") return false;
    return [algorithm.name, ...algorithm.others].includes(jwk.alg ?? algorithm.name);
  });
}

/** One odd key does not cost the others. */
async function importAll(jwks) {
  const found = new Map();
  for (const { kty, crv, x, y, kid } of jwks) {
    if (found.has(kid)) continue;
    const algorithm = ALGORITHMS.get(`${kty} ${crv}`);
    const jwk = { kty, crv, x, ...(y === undefined ? {} : { y }) };
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm.importing, false, ["verify"]).catch(() => undefined);
    if (key) found.set(kid, { algorithm, key });
  }
  return found;
}

async function fetchJson(url, fetch) {
  const response = await fetch(url, {
    headers: { accept: "application/jwk-set+json, application/json" },
    redirect: "manual", // a redirect would let the address name another
    ...noStore(),
    signal: AbortSignal.timeout(DEADLINE_MILLIS),
  });
  if (response.status !== 200 || !response.body) throw new Error("the status is not 200");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, size] = ["", 0];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return JSON.parse(text + decoder.decode());
    size += value.length;
    if (size > MAX_BYTES) {
      reader.cancel().catch(() => {});
      throw new Error("the key set is too large");
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Frameworks put caches behind `fetch`, and a withdrawn key must not come out of one. Older workerd throws at the option. */
function noStore() {
  return "cache" in Request.prototype ? { cache: "no-store" } : {};
}

function addressOf(keys) {
  const url = URL.canParse(keys) ? new URL(keys) : undefined;
  const isLoopback = url && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return url.href;
  throw new TypeError("keys: expected an https URL; http is allowed for loopback only");
}
