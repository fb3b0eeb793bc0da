// The fault matrix: what `docs/faults.md` says, one cell for each combination of faults, and a service that is as broken as
// the cell says.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { SPACES, TOKEN, sessionOf } from "./service.js";

export const SITE = "https://app.test";
export const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
/** What only the origin says, and only about somebody. */
export const PROTECTED = "the protected page of ada";

const DOCUMENT = readFileSync(new URL("../../../docs/faults.md", import.meta.url), "utf8");
const DATA = "__Secure-better-auth.session_data";

/** The rows of the table under a heading: cells without the marks of code. */
function table(heading) {
  const section = DOCUMENT.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|")).slice(2);
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
}

export const FAULTS = table("The faults").map(([name, , , failure]) => ({ name, lookup_failure: failure || undefined }));
export const REQUESTS = table("The requests").map(([request, needs, then, otherwise]) => ({
  name: request.split(":")[0],
  needs: needs.split(" or "),
  then,
  otherwise,
}));

/** All combinations, each with a name that is part of its URLs. */
export const CELLS = FAULTS.flatMap((auth) =>
  FAULTS.flatMap((jwks) =>
    FAULTS.map((cache) => ({ auth: auth.name, jwks: jwks.name, cache: cache.name, name: `${auth.name}-${jwks.name}-${cache.name}` })),
  ),
);

/** What the document says of a request in a cell. */
export function expected({ needs, then, otherwise }, cell) {
  return needs.some((need) => need === "nothing" || cell[need] === "fine") ? then : otherwise;
}

const base64url = (value) => Buffer.from(value).toString("base64url");

async function signer(algorithm, kid, parameters) {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const jwt = async (claims, header = {}) => {
    const input = `${base64url(JSON.stringify({ alg: algorithm, kid, typ: "JWT", ...header }))}.${base64url(JSON.stringify(claims))}`;
    return `${input}.${base64url(await crypto.subtle.sign(parameters, privateKey, Buffer.from(input)))}`;
  };
  return { jwk: { kty, crv, x, y, alg: algorithm, kid }, jwt };
}

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const EdDSA = { name: "Ed25519" };

/** Everybody's credentials, and the key set that they are to be checked with. */
export async function credentials(now = Date.now()) {
  const [apiKey, cacheKey] = [await signer("ES256", "api", ES256), await signer("EdDSA", "cache", EdDSA)];
  const [otherApi, otherCache, unknown] = [await signer("ES256", "api", ES256), await signer("EdDSA", "cache", EdDSA), await signer("EdDSA", "gone", EdDSA)];
  const seconds = Math.floor(now / 1000);
  const claims = { iss: "https://auth.test", aud: "https://auth.test", sub: "ada", iat: seconds, exp: seconds + 600 };
  const cached = (token) => ({ ...sessionOf(signed(token.replace("ended", "alive")), token), updatedAt: now, version: "1", ...claims, aud: "better-auth:session-cache", sid: token });
  const typ = { typ: "better-auth.session-cache+jwt" };
  const mac = (key, token) => createHmac("sha256", key).update(token).digest("base64");
  const signed = (token, key = SECRET) => `${TOKEN}=${encodeURIComponent(`${token}.${mac(key, token)}`)}`;
  const bearer = (jwt) => ({ authorization: `Bearer ${jwt}` });
  const cookie = (...pairs) => ({ cookie: pairs.join("; ") });
  const forged = "another secret of somebody else's!!";
  return {
    keySet: JSON.stringify({ keys: [apiKey.jwk, cacheKey.jwk] }),
    headers: {
      session: cookie(signed("alive-session-0123456789abcdef")),
      kept: cookie(signed("alive-kept-0123456789abcdef0123")),
      ended: cookie(signed("ended-session-0123456789abcdef")),
      "forged-session": cookie(signed("alive-forged-0123456789abcdef01", forged)),
      jwt: bearer(await apiKey.jwt(claims)),
      "forged-jwt": bearer(await otherApi.jwt(claims)),
      "unknown-kid": bearer(await unknown.jwt(claims)),
      data: cookie(signed("alive-data-0123456789abcdef0123"), `${DATA}=${await cacheKey.jwt(cached("alive-data-0123456789abcdef0123"), typ)}`),
      "forged-data": cookie(signed("ended-data-0123456789abcdef0123"), `${DATA}=${await otherCache.jwt(cached("ended-data-0123456789abcdef0123"), typ)}`),
      "forged-kept": cookie(signed("alive-kept-0123456789abcdef0123", forged)),
      nothing: {},
      public: {},
    },
  };
}

/**
 * The auth service, in a thread of its own: it answers however busy the gates are. `arrived` says what has arrived so far, by cell and by what was
 * asked for.
 */
export async function startService(keySet) {
  const thread = new Worker(new URL("service.js", import.meta.url), { workerData: { keySet } });
  const [url] = await once(thread, "message");
  return { url, arrived: async () => (await fetch(`${url}/arrived`)).json(), stop: () => thread.terminate() };
}

/** The configuration of a cell's gate. */
export function configOf(cell, service, closed) {
  const at = (fault) => (fault === "down" ? closed : service);
  return {
    issuers: [{
      type: "better-auth", url: "https://auth.test", base_path: `/${cell.name}/api/auth`, fetch_url: at(cell.auth),
      jwks_url: `${at(cell.jwks)}/${cell.name}/jwks`, secret: { env: "BETTER_AUTH_SECRET" }, share_sessions: true, session_cache_seconds: 30,
    }],
    rules: [{ path: "/public", access: "public" }, { path: "/**", access: "required" }],
    asks_per_second: 200,
  };
}

/** What a fine cache has for a cell: what a gate that met no fault has put there. */
export async function copiesFor(createGate, config, { keySet, headers }) {
  const kept = {};
  const puts = [];
  const cache = { get: async () => undefined, put: (key, text) => ((kept[key] = text), puts.push(key), Promise.resolve()) };
  const answer = (url, { headers }) => (url.includes("/jwks") ? keySet : JSON.stringify(sessionOf(Object.fromEntries(headers).cookie ?? "")));
  const fetch = async (url, init) => new Response(answer(url, init));
  const gate = createGate({ config, env: { BETTER_AUTH_SECRET: SECRET }, cache, fetch, log: () => {} });
  for (const name of ["jwt", "kept"]) await gate.decide(new Request(`${SITE}/x`, { headers: headers[name] }));
  if (puts.length !== 2) throw new Error(`a gate without faults keeps ${puts.length} copies`);
  return kept;
}

/** A cache that is broken in this way. Its source is also what runs inside of workerd. */
export function brokenCache(fault, kept, counted, { spaces, slowMs }) {
  return async (key) => {
    counted.cache += 1;
    if (fault === "down") throw new Error("the cache is down");
    if (fault === "garbage") return "\u0000\u0001garbage\n\n{";
    const [found, other] = [kept[key], Object.keys(kept).find((name) => name !== key)];
    if (fault === "redirecting") return kept[other];
    if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, slowMs));
    return fault === "huge" && found ? found + " ".repeat(spaces) : found;
  };
}

export const LIMITS = { spaces: SPACES, slowMs: 600 };
