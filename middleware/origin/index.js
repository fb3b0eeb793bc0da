// The verifier at the origin: is this request one that the gate let through, and who is asking?
//
// WebCrypto knows signatures. What is ours: one header, the key's algorithm, the claims, and the binding to the request in hand.

import { FUNCTION, TEXT, checkOptions, isFunction, isObject, isText, wrongOption } from "../options.js";
import { sessionOf } from "../session.js";
import { keysOf } from "./keys.js";
import { headersOf } from "./names.js";
import { AssertionRefused, reasons } from "./refusal.js";

export { AssertionRefused, reasons };

const TYPE = "doorward-assertion+jwt";
const MAX_LIFE = 60;
const MAX_TOLERANCE = 60;
const MAX_TOKEN = 16 * 1024;

// Canonical base64url: no bits behind the last byte, so that one assertion has one spelling.
const PART = "((?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?)";
const COMPACT = new RegExp(`^${PART}\\.${PART}\\.${PART}$`);
const JTI = /^[A-Za-z0-9_-]{22}$/;
const TGT = /^[A-Za-z0-9_-]{43}$/;

const isTime = (value) => Number.isSafeInteger(value) && value >= 0;

const OTHER_TARGET = "The gate forwarded another path or query: where a proxy or a mount point has changed it, set the option target";

/** What each claim must be; the last three may be missing. */
const CLAIMS = [
  ["iss", isText],
  ["aud", isText],
  ["iat", isTime],
  ["exp", isTime],
  ["jti", (value) => isText(value) && JTI.test(value)],
  ["htm", isText],
  ["host", isText],
  ["tgt", (value) => isText(value) && TGT.test(value)],
  // Sessions that `doorward doctor --deep` makes belong to no user; no gate admits one.
  ["sub", (value) => isText(value) && !value.startsWith("doorward-probe-")],
  ["idp", isText],
  ["src", isText],
  ["sess_exp", isTime],
  ["sid", (value) => value === undefined || isText(value)],
  ["email", (value) => value === undefined || isText(value)],
  ["claims", (value) => value === undefined || isObject(value)],
];

const isHost = (value) => typeof value === "string" && /^[^\s/@?#]+$/.test(value);

/** What each option must be where it is given; `keys` says so by itself. */
const OPTIONS = {
  audience: TEXT,
  issuer: TEXT,
  host: [(value) => [value].flat().length > 0 && [value].flat().every(isHost), "a public host like app.example.com, or a list of them"],
  header: [(value) => isText(value) && /^[a-z0-9-]+-assertion$/i.test(value), "a name that ends in -assertion"],
  clockToleranceSeconds: [(value) => typeof value === "number" && value >= 0 && value <= MAX_TOLERANCE, "a number from 0 to 60"],
  seen: [(value) => isFunction(value?.add), "a store: an object with `add`"],
  target: FUNCTION,
  now: FUNCTION,
  log: FUNCTION,
  fetch: FUNCTION,
};

/** See `index.d.ts`. */
export function createVerifier(options) {
  checkOptions(options, OPTIONS);
  const { audience, issuer = "doorward", host, keys, clockToleranceSeconds = 5, seen, target, fetch } = options;
  const { header = "x-doorward-assertion", now = Date.now, log = console.log } = options;
  if (audience === undefined) throw wrongOption("audience", "given");
  if (host === undefined) throw wrongOption("host", "given");
  const hosts = [host].flat();
  const name = header.toLowerCase();

  const known = new Set(hosts.map((one) => one.toLowerCase()));
  const keyStore = keysOf(keys, fetch);

  return { header: name, verifyRequest, readSession, has: (headers) => valuesOf(headers, name).length > 0 };

  async function verifyRequest(request) {
    const { method, raw, headers } = headOf(request, target);
    try {
      const claims = await authenticate(valuesOf(headers, name));
      if (claims.htm !== method) throw new AssertionRefused("assertion_method");
      if (!known.has(claims.host)) throw new AssertionRefused("assertion_host");
      if (!(await isAbout(claims.tgt, raw))) throw new AssertionRefused("assertion_target", OTHER_TARGET);
      // Only `true` is new: a store that answers nothing has not remembered.
      if (seen && (await seen.add(claims.jti, Math.ceil(claims.exp + clockToleranceSeconds))) !== true) {
        throw new AssertionRefused("assertion_replayed");
      }
      return foundIn(claims);
    } catch (problem) {
      throw report(problem, method, raw);
    }
  }

  async function readSession(headers) {
    try {
      return foundIn(await authenticate(valuesOf(headers, name)));
    } catch (problem) {
      throw report(problem, "", "");
    }
  }

  /** The claims of the one assertion, if it is the gate's, for this origin and of this moment. */
  async function authenticate(values) {
    if (values.length === 0) throw new AssertionRefused("assertion_missing");
    // Two headers of the same name are joined by a comma in Fetch and in most servers.
    if (values.length > 1 || values[0].includes(",")) throw new AssertionRefused("assertion_ambiguous");
    const moment = secondsBy(now);
    const claims = await claimsOf(values[0], moment);
    const wrong = CLAIMS.find(([claim, holds]) => !holds(claims[claim]));
    if (wrong) throw new AssertionRefused("assertion_claims", `Look at "${wrong[0]}"`);
    if (claims.iss !== issuer) throw new AssertionRefused("assertion_issuer");
    if (claims.aud !== audience) throw new AssertionRefused("assertion_audience");
    const life = claims.exp - claims.iat;
    if (!(life > 0 && life <= MAX_LIFE)) throw new AssertionRefused("assertion_lifetime");
    if (!(moment < claims.exp + clockToleranceSeconds)) throw new AssertionRefused("assertion_expired");
    if (!(claims.iat <= moment + clockToleranceSeconds)) throw new AssertionRefused("assertion_not_yet_valid", "Set the clocks");
    return claims;
  }

  async function claimsOf(token, moment) {
    const form = token.length <= MAX_TOKEN ? COMPACT.exec(token) : null;
    if (!form) throw new AssertionRefused("assertion_malformed");
    const protectedHeader = objectIn(bytesOf(form[1]));
    if ("crit" in protectedHeader || "b64" in protectedHeader) throw new AssertionRefused("assertion_malformed");
    const { typ, alg, kid } = protectedHeader;
    if (typ !== TYPE) throw new AssertionRefused("assertion_type");
    if (!keyStore.algorithms.includes(alg)) throw new AssertionRefused("assertion_algorithm");
    if (typeof kid !== "string") throw new AssertionRefused("assertion_key_unknown");
    const signature = bytesOf(form[3]);
    const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf(".")));
    for (const { algorithm, key } of await keyStore.find(kid, moment)) {
      if (alg !== algorithm.name) throw new AssertionRefused("assertion_algorithm");
      // Some platforms throw at a signature of the wrong length.
      const holds = await crypto.subtle.verify(algorithm.verifying, key, signature, signed).catch(() => false);
      if (holds === true) return objectIn(bytesOf(form[2]));
    }
    throw new AssertionRefused("assertion_signature");
  }

  /** Writes one line about a refusal: reason, method and path, nothing that is secret. */
  function report(problem, method, raw) {
    if (problem instanceof AssertionRefused) {
      const { reason, status, hint } = problem;
      log(JSON.stringify({ verifier: "doorward", reason, status, method, path: raw.split("?", 1)[0].slice(0, 256), hint }));
    }
    return problem;
  }
}

function foundIn(claims) {
  return { ...sessionOf(claims), assertionId: claims.jti };
}

/** Seconds by a clock. One that gives no number would make every comparison false. */
function secondsBy(now) {
  const moment = now();
  if (Number.isFinite(moment)) return moment / 1000;
  throw wrongOption("now", "a function that gives milliseconds since 1970, like Date.now");
}

/** Seconds for which an assertion is remembered beyond its end: a clock may be set back by as much after that. */
const MARGIN = 60;
/** At about 150 bytes each. At the usual life of 30 seconds these are 5,000 a second. */
const MAX_SEEN = 500_000;
const SWEEP_SECONDS = 10;

/** See `index.d.ts`. */
export function seenInMemory(now = Date.now) {
  if (!isFunction(now)) throw wrongOption("now", "a function");
  const known = new Map();
  let sweepAt = 0;

  return {
    add(jti, expires) {
      if (!isText(jti) || !Number.isFinite(expires)) throw new TypeError("doorward: a store takes a `jti` and the seconds of its end");
      const moment = secondsBy(now);
      // Set forward and back, the clock of the day would make it forget what is good again; this one only goes on.
      const steady = performance.now() / 1000;
      if (steady >= sweepAt || known.size >= MAX_SEEN) sweep(moment, steady);
      if (known.has(jti)) return false;
      // Rather than forget one that is good still. Only whom the gate lets through can fill it.
      if (known.size >= MAX_SEEN) throw new RangeError("doorward: the store of used assertions is full");
      known.set(jti, { expires, until: steady + Math.max(expires - moment, 0) + MARGIN });
      return true;
    },
  };

  /** Forgets what has ended by both clocks. */
  function sweep(moment, steady) {
    for (const [jti, { expires, until }] of known) if (until <= steady && expires + MARGIN <= moment) known.delete(jti);
    sweepAt = steady + SWEEP_SECONDS;
  }
}

/** Method, target as received, and headers of a Fetch `Request` or of Node's `IncomingMessage`. */
function headOf(request, target) {
  const { method, headers } = request ?? {};
  if (typeof method !== "string" || !isList(headers)) {
    throw new TypeError("doorward: `request` must be a Request or Node's IncomingMessage; in Hono that is c.req.raw");
  }
  const raw = target ? target(request) : typeof headers?.get === "function" ? pathOf(request.url) : (request.originalUrl ?? request.url);
  return { method: String(method), raw: String(raw), headers: headersOf(request) };
}

/** Path and query as they stand in a URL. `URL` would lose a lone `?`. */
function pathOf(url) {
  const begin = url.indexOf("/", url.indexOf("://") + 3);
  return begin < 0 ? "/" : url.slice(begin).split("#", 1)[0];
}

/** Whether something can hold headers. */
function isList(headers) {
  return typeof headers === "object" && headers !== null;
}

/**
 * All values of that header: in `Headers` and their like, in a plain record, or in Node's flat list.
 *
 * @throws {TypeError} for what has no headers in it by mistake, which would be taken for an anonymous request
 */
function valuesOf(headers, name) {
  if (typeof headers?.get === "function") {
    const value = headers.get(name);
    return value === null || value === undefined ? [] : [value];
  }
  if (isFunction(headers?.then)) throw new TypeError("doorward: `headers` is a promise; await it");
  if (!isList(headers) || isList(headers.headers)) {
    throw new TypeError("doorward: `headers` must be Headers, a record, or Node's rawHeaders; of a request, give its `headers`");
  }
  if (Array.isArray(headers)) {
    if (!headers.every((text) => typeof text === "string")) throw new TypeError("doorward: `headers` must be names and values in turn");
    return headers.filter((_, index) => index % 2 === 1 && headers[index - 1].toLowerCase() === name);
  }
  const found = Object.entries(headers).filter(([key]) => key.toLowerCase() === name);
  return found.flatMap(([, value]) => value ?? []).map(String);
}

function bytesOf(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

function objectIn(bytes) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch {
    // Falls through: what is no JSON is no object either.
  }
  throw new AssertionRefused("assertion_malformed");
}

async function digestOf(text) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").slice(0, 43);
}

/** Whether an assertion is about this target, or about it without what Next.js adds. */
async function isAbout(tgt, raw) {
  const plain = withoutRsc(raw);
  return isSame(tgt, await digestOf(raw)) || (plain !== raw && isSame(tgt, await digestOf(plain)));
}

/**
 * The client of Next.js puts `_rsc` into the query to tell caches apart. Next hides it from `proxy.ts`, where the gate is, and not from a route
 * handler, where the verifier is. It names nothing.
 */
function withoutRsc(raw) {
  const [path, ...query] = raw.split("?");
  const pairs = query.join("?").split("&");
  const kept = pairs.filter((pair) => pair !== "_rsc" && !pair.startsWith("_rsc="));
  if (kept.length === pairs.length) return raw;
  return kept.length > 0 ? `${path}?${kept.join("&")}` : path;
}

/** Compares two texts of the same length in constant time. */
function isSame(one, other) {
  let difference = one.length ^ other.length;
  for (let index = 0; index < other.length; index += 1) difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return difference === 0;
}
