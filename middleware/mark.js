// The mark: what the gate says to the application of its own host, across processes. `src/forward/mark.rs` writes it; here it is read, once
// a request. The HMAC is WebCrypto's. What is ours: the two secrets, the claims, and the binding to the request in hand.

import { FUNCTION, TEXT, checkOptions, isFunction, isObject, isText, wrongOption } from "./options.js";
import { NotGated, sessionOf } from "./session.js";

/** Base64url of `{"alg":"HS256","typ":"doorward-mark+jwt"}`: the gate writes no other head, so no other token is read. */
const HEAD = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImRvb3J3YXJkLW1hcmsrand0In0";
const USE = "doorward mark 1";
const MAX_LIFE = 30;
const TOLERANCE = 5;
const MAX_MARK = 16 * 1024;
const MIN_SECRET = 32;
const PAYLOAD = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$/;
const SIGNATURE = /^[A-Za-z0-9_-]{43}$/;

const encoder = new TextEncoder();
const isTime = (value) => Number.isSafeInteger(value) && value >= 0;

const OPTIONS = {
  header: [(value) => isText(value) && /^x-[a-z0-9-]+-mark$/i.test(value), "the name of the mark, like x-doorward-mark"],
  secret: TEXT,
  host: [(value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)), "a public host, or a list of them"],
  env: [isObject, "an object with the environment variables"],
  now: FUNCTION,
};

/**
 * Makes what reads marks. See `next.d.ts` for the options.
 *
 * @returns {(source: Headers | Request) => Promise<import("./session.js").Session | null>}
 */
export function markReader(options = {}) {
  checkOptions(options, OPTIONS);
  const { header = "x-doorward-mark", secret, host, env = globalThis.process?.env ?? {}, now = Date.now } = options;
  if (secret !== undefined && encoder.encode(secret).length < MIN_SECRET) throw wrongOption("secret", "at least 32 bytes");
  const name = header.toLowerCase();
  const hosts = host === undefined ? undefined : [host].flat().map((one) => one.toLowerCase());
  const answers = new WeakMap();
  let keys;

  return function read(source) {
    if (!isObject(source) || (!isFunction(source.get) && !isFunction(source.headers?.get))) {
      throw new TypeError("doorward: a mark is read from a Request or its Headers; a promise of them has to be awaited");
    }
    if (!answers.has(source)) answers.set(source, answer(source));
    return answers.get(source);
  };

  async function answer(source) {
    const headers = isFunction(source.headers?.get) ? source.headers : source;
    const mark = headers.get(name);
    if (mark === null || mark === undefined) throw new NotGated("mark_missing");
    const claims = await claimsOf(mark);
    const moment = now() / 1000;
    const { iat, exp, who } = claims;
    if (!isTime(iat) || !isTime(exp) || !(exp > iat && exp - iat <= MAX_LIFE) || !Array.isArray(claims.crd)) throw new NotGated("mark_malformed");
    if (!(moment < exp + TOLERANCE)) throw new NotGated("mark_expired");
    if (!(iat <= moment + TOLERANCE)) throw new NotGated("mark_not_yet_valid");
    if (!isHere(claims, headers)) throw new NotGated("mark_host");
    for (const [place, credential, digest] of claims.crd) {
      const value = place === "cookie" ? cookieOf(headers, credential) : headers.get(credential);
      if (typeof value !== "string" || (await digestOf(value)) !== digest) throw new NotGated("mark_credential");
    }
    if (headers !== source) {
      if (source.method !== claims.htm) throw new NotGated("mark_method");
      const path = await digestOf(new URL(source.url).pathname);
      if (path !== claims.path && path !== claims.inner) throw new NotGated("mark_path");
    }
    if (who === undefined) return null;
    if (!isObject(who) || !isText(who.sub)) throw new NotGated("mark_malformed");
    return who.omitted ? { ...sessionOf(who), omitted: who.omitted } : sessionOf(who);
  }

  async function claimsOf(mark) {
    const [head, payload, signature, ...more] = mark.length <= MAX_MARK ? mark.split(".") : [];
    const isMark = head === HEAD && PAYLOAD.test(payload) && SIGNATURE.test(signature) && more.length === 0;
    if (!isMark) throw new NotGated("mark_malformed");
    const signed = encoder.encode(`${head}.${payload}`);
    for (const key of await (keys ??= keysOf(secrets()))) {
      if (!(await crypto.subtle.verify("HMAC", key, bytesOf(signature), signed).catch(() => false))) continue;
      const claims = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(payload)));
      if (isObject(claims)) return claims;
    }
    throw new NotGated("mark_signature");
  }

  /** The secret of the marks itself; otherwise those from which the gate may have derived it. */
  function secrets() {
    const given = secret ?? presentIn(env.DOORWARD_MARK_SECRET);
    if (given !== undefined) {
      if (encoder.encode(given).length < MIN_SECRET) throw new NotGated("mark_secret", "DOORWARD_MARK_SECRET has fewer than 32 bytes");
      return [given];
    }
    // Better Auth's form `2:new,1:old`.
    const versions = (presentIn(env.BETTER_AUTH_SECRETS) ?? "").split(",").map((entry) => entry.slice(entry.indexOf(":") + 1).trim());
    const found = [...versions, env.BETTER_AUTH_SECRET, env.AUTH_SECRET].filter((one) => presentIn(one) !== undefined);
    if (found.length === 0) throw new NotGated("mark_secret");
    return found;
  }

  /** The public host has to be one of ours. Where none are given, that of this request has to be the one that the gate has seen. */
  function isHere({ host: marked, via }, headers) {
    if (hosts) return hosts.includes(marked);
    const here = ["host", "x-forwarded-host"].flatMap((one) => headers.get(one)?.toLowerCase().split(",") ?? []).map((one) => one.trim());
    return here.some((one) => one !== "" && (one === marked || one === via));
  }
}

/** A blank variable is a missing one. */
function presentIn(value) {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

async function keysOf(secrets) {
  return Promise.all(
    secrets.map(async (secret) => {
      const from = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, ["deriveKey"]);
      const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encoder.encode(USE) };
      return crypto.subtle.deriveKey(how, from, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["verify"]);
    }),
  );
}

/** The first cookie of this name, as it was sent. */
function cookieOf(headers, name) {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at >= 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

function bytesOf(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

async function digestOf(text) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").slice(0, 43);
}
