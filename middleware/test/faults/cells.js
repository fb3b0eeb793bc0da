// The fault matrix: what `docs/faults.md` says, one cell for each combination of faults, and a service that is as broken as
// the cell says.

import { readFileSync } from "node:fs";
import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { newKey, signed, tokenIn } from "../../../tests/fakes/better-auth.mjs";
import { SECRET, sessionOf } from "./people.js";

export { SECRET };

export const SITE = "https://app.test";
/** What only the origin says, and only about somebody. */
export const PROTECTED = "the protected page of ada";

const DOCUMENT = readFileSync(new URL("../../../docs/faults.md", import.meta.url), "utf8");
const TOKEN = "__Secure-better-auth.session_token";
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

/** Everybody's credentials, and the keys that they are to be checked with. */
export function credentials(now = Date.now()) {
  const [apiKey, cacheKey] = [newKey("ES256", "api"), newKey("EdDSA", "cache")];
  const [otherApi, otherCache, unknown] = [newKey("ES256", "api"), newKey("EdDSA", "cache"), newKey("EdDSA", "gone")];
  const seconds = Math.floor(now / 1000);
  const claims = { iss: "https://auth.test", aud: "https://auth.test", sub: "ada", iat: seconds, exp: seconds + 600 };
  const cached = (token) => ({ ...sessionOf(token.replace("ended", "alive"), token), updatedAt: now, version: "1", ...claims, aud: "better-auth:session-cache", sid: token });
  const typ = { typ: "better-auth.session-cache+jwt" };
  const session = (token, secret = SECRET) => `${TOKEN}=${signed(secret, token)}`;
  const bearer = (jwt) => ({ authorization: `Bearer ${jwt}` });
  const cookie = (...pairs) => ({ cookie: pairs.join("; ") });
  const forged = "another secret of somebody else's!!";
  return {
    keys: [apiKey.jwk, cacheKey.jwk],
    headers: {
      session: cookie(session("alive-session-0123456789abcdef")),
      kept: cookie(session("alive-kept-0123456789abcdef0123")),
      ended: cookie(session("ended-session-0123456789abcdef")),
      "forged-session": cookie(session("alive-forged-0123456789abcdef01", forged)),
      jwt: bearer(apiKey.jwt(claims)),
      "forged-jwt": bearer(otherApi.jwt(claims)),
      "unknown-kid": bearer(unknown.jwt(claims)),
      data: cookie(session("alive-data-0123456789abcdef0123"), `${DATA}=${cacheKey.jwt(cached("alive-data-0123456789abcdef0123"), typ)}`),
      "forged-data": cookie(session("ended-data-0123456789abcdef0123"), `${DATA}=${otherCache.jwt(cached("ended-data-0123456789abcdef0123"), typ)}`),
      "forged-kept": cookie(session("alive-kept-0123456789abcdef0123", forged)),
      nothing: {},
      public: {},
    },
  };
}

/**
 * The auth service, in a thread of its own: it answers however busy the gates are. `arrived` says what has arrived so far, by cell and by what was
 * asked for.
 */
export async function startService(keys) {
  const thread = new Worker(new URL("service.js", import.meta.url), { workerData: { keys } });
  const [url] = await once(thread, "message");
  const arrived = async () => {
    thread.postMessage("arrived");
    return (await once(thread, "message"))[0];
  };
  return { url, arrived, stop: () => thread.terminate() };
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
    auth_requests_per_second: 200,
  };
}

/** What a fine cache has for a cell: what a gate that met no fault has put there. */
export async function copiesFor(createGate, config, { keys, headers }) {
  const kept = {};
  const puts = [];
  const cache = { get: async () => undefined, put: (key, text) => ((kept[key] = text), puts.push(key), Promise.resolve()) };
  const session = (cookies) => JSON.stringify(sessionOf(tokenIn(cookies, SECRET) ?? ""));
  const answer = (url, { headers }) => (url.includes("/jwks") ? JSON.stringify({ keys }) : session(Object.fromEntries(headers).cookie));
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

/** More than the gate reads of a copy, and longer than it waits for one. */
export const LIMITS = { spaces: 400_000, slowMs: 600 };
