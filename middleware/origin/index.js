// The verifier at the origin: is this request one that the gate let through, and who is asking?
//
// WebCrypto knows signatures. What is ours: one header, the key's algorithm, the claims, and the binding to the request in hand.

import { keysOf } from "./keys.js";
import { headersOf } from "./names.js";
import { AssertionRefused, reasons } from "./refusal.js";

export { AssertionRefused, reasons };

const TYPE = "doorward-assertion+jwt";
const MAX_LIFE = 60;
const MAX_TOKEN = 16 * 1024;

// Canonical base64url: no bits behind the last byte, so that one assertion has one spelling.
const PART = "((?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?)";
const COMPACT = new RegExp(`^${PART}\\.${PART}\\.${PART}$`);
const JTI = /^[A-Za-z0-9_-]{22}$/;
const TGT = /^[A-Za-z0-9_-]{43}$/;

const isText = (value) => typeof value === "string" && value !== "";
const isTime = (value) => Number.isSafeInteger(value) && value >= 0;

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
  ["sub", isText],
  ["idp", isText],
  ["src", isText],
  ["sess_exp", isTime],
  ["sid", (value) => value === undefined || isText(value)],
  ["email", (value) => value === undefined || isText(value)],
  ["claims", (value) => value === undefined || isObject(value)],
];

/** See `index.d.ts`. */
export function createVerifier(options) {
  const { audience, issuer = "doorward", host, keys, toleranceSeconds = 5, seen, target, fetch } = options;
  const { header = "x-doorward-assertion", now = Date.now, log = console.log } = options;
  const hosts = [host].flat();
  if (!hosts.length || !hosts.every((one) => typeof one === "string" && /^[^\s/@?#]+$/.test(one))) {
    throw new TypeError("host: expected public hosts like app.example.com, without a scheme or a path");
  }
  if (!isText(audience) || !isText(issuer)) throw new TypeError("audience and issuer: expected text");
  if (!(toleranceSeconds >= 0 && toleranceSeconds <= 60)) throw new TypeError("toleranceSeconds: expected 0 to 60");
  const name = header.toLowerCase();
  if (!/^[a-z0-9-]+-assertion$/.test(name)) throw new TypeError("header: expected a name that ends in -assertion");

  const known = new Set(hosts.map((one) => one.toLowerCase()));
  const keyStore = keysOf(keys, fetch);

  return { header: name, verifyRequest, readSession, has: (headers) => valuesOf(headers, name).length > 0 };

  async function verifyRequest(request) {
    const { method, raw, headers } = headOf(request, target);
    try {
      const claims = await authenticate(valuesOf(headers, name));
      if (claims.htm !== method) throw new AssertionRefused("assertion_method");
      if (!known.has(claims.host)) throw new AssertionRefused("assertion_host");
      if (!isSame(claims.tgt, await digestOf(raw))) throw new AssertionRefused("assertion_target");
      // Only `true` is new: a store that answers nothing has not remembered.
      if (seen && (await seen.add(claims.jti, claims.exp + toleranceSeconds)) !== true) {
        throw new AssertionRefused("assertion_replayed");
      }
      return sessionOf(claims);
    } catch (problem) {
      throw report(problem, method, raw);
    }
  }

  async function readSession(headers) {
    try {
      return sessionOf(await authenticate(valuesOf(headers, name)));
    } catch (problem) {
      throw report(problem, "", "");
    }
  }

  /** The claims of the one assertion, if it is the gate's, for this origin and of this moment. */
  async function authenticate(values) {
    if (values.length === 0) throw new AssertionRefused("assertion_missing");
    // Two headers of the same name are joined by a comma in Fetch and in most servers.
    if (values.length > 1 || values[0].includes(",")) throw new AssertionRefused("assertion_ambiguous");
    const moment = now() / 1000;
    const claims = await claimsOf(values[0], moment);
    const wrong = CLAIMS.find(([claim, holds]) => !holds(claims[claim]));
    if (wrong) throw new AssertionRefused("assertion_claims", `look at "${wrong[0]}"`);
    if (claims.iss !== issuer) throw new AssertionRefused("assertion_issuer");
    if (claims.aud !== audience) throw new AssertionRefused("assertion_audience");
    const life = claims.exp - claims.iat;
    if (!(life > 0 && life <= MAX_LIFE)) throw new AssertionRefused("assertion_life");
    if (!(moment < claims.exp + toleranceSeconds)) throw new AssertionRefused("assertion_expired");
    if (!(claims.iat <= moment + toleranceSeconds)) throw new AssertionRefused("assertion_not_yet_valid", "set the clocks");
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

/** See `index.d.ts`. */
export function seenInMemory(now = Date.now) {
  const expiries = new Map();
  let sweepAt = 0;
  return {
    add(jti, expires) {
      const moment = now() / 1000;
      if (moment >= sweepAt) {
        for (const [id, end] of expiries) if (end <= moment) expiries.delete(id);
        sweepAt = moment + 10;
      }
      if ((expiries.get(jti) ?? 0) > moment) return false;
      expiries.set(jti, expires);
      return true;
    },
  };
}

/** Method, target as received, and headers of a Fetch `Request` or of Node's `IncomingMessage`. */
function headOf(request, target) {
  const { method, headers } = request;
  const raw = target ? target(request) : typeof headers?.get === "function" ? pathOf(request.url) : (request.originalUrl ?? request.url);
  return { method: String(method), raw: String(raw), headers: headersOf(request) };
}

/** Path and query as they stand in a URL. `URL` would lose a lone `?`. */
function pathOf(url) {
  const begin = url.indexOf("/", url.indexOf("://") + 3);
  return begin < 0 ? "/" : url.slice(begin).split("#", 1)[0];
}

/** All values of that header: in `Headers` and their like, in a plain record, or in Node's flat list. */
function valuesOf(headers, name) {
  if (typeof headers?.get === "function") {
    const value = headers.get(name);
    return value === null || value === undefined ? [] : [value];
  }
  if (Array.isArray(headers)) return headers.filter((_, index) => index % 2 === 1 && headers[index - 1].toLowerCase() === name);
  const found = Object.entries(headers ?? {}).filter(([key]) => key.toLowerCase() === name);
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

/** Compares two texts of the same length in constant time. */
function isSame(one, other) {
  let difference = one.length ^ other.length;
  for (let index = 0; index < other.length; index += 1) difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return difference === 0;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sessionOf({ sub, sid, email, idp, src, sess_exp, claims = {}, jti }) {
  return { subject: sub, sessionId: sid, email, issuer: idp, source: src, expires: sess_exp, claims, assertionId: jti };
}
