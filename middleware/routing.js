// The gate as routing middleware: what Next.js and Vercel have in common.
//
// Their middleware answers with a Response. Headers of that Response say what becomes of the request:
//
//   x-middleware-next: 1                    it goes on
//   x-middleware-rewrite: <url>             it goes on under another path, or to another origin
//   x-middleware-override-headers: a,b      these headers it keeps, all others are removed; an empty list changes nothing
//   x-middleware-request-<name>: <value>    the value of each of them
//
// Any other header of a request that goes on is for the browser. `next start` puts those on the request as well, after the
// overrides, so they win: a response header must never have a name that the application trusts.

import { logLine } from "./log.js";
import { notStartedResponse } from "./not-started.js";

/**
 * Makes `gate(options)` for a platform that speaks this protocol.
 *
 * @param {(options: object) => { decide: (request: Request, context: object) => Promise<object> }} createGate
 */
export function routing(createGate) {
  return function makeMiddleware(options = {}) {
    let gate;

    return async function middleware(request, context) {
      try {
        gate ??= createGate(options);
        const decision = await gate.decide(request, {
          waitUntil: waitUntilOf(context),
          // What the options say, the gate knows by itself.
          clientAddress: options.clientAddress === undefined ? clientAddressOf(request, options) : undefined,
          publicOrigin: options.publicOrigin === undefined ? publicOriginOf(request, options) : undefined,
          isOwnMachine: isOwnMachine(request, options),
        });
        return decision.kind === "forward"
          ? forward(request, decision)
          : answer(request, decision.response);
      } catch (error) {
        // Next and Vercel answer an exception with a page of their own, which does not say that no cache may store it.
        const problem = `the gate has failed, so this request gets 503: ${error?.message ?? "exception"}`;
        complain(options.log, logLine("crash", { problem }));
        return notStartedResponse(request);
      }
    };
  };
}

/**
 * Names of what is said to browsers and caches: what the gate adds to a response that is not its own. Any other might be an identity
 * to the application, whatever the configuration calls those.
 */
const FOR_BROWSERS =
  /^(set-cookie|server-timing|vary|age|expires|pragma|link|retry-after|www-authenticate|clear-site-data|doorward-[a-z-]+|([a-z]+-)*control|access-control-[a-z-]+)$/;

function forward(request, decision) {
  const headers = new Headers();
  for (const [name, value] of decision.responseHeaders) {
    if (!FOR_BROWSERS.test(name.toLowerCase())) throw new Error(`the response header ${name} might look like an identity`);
    headers.append(name, value);
  }

  const kept = [];
  for (const [name, value] of decision.headers) {
    // Clients can send the protocol's own names; the application must not take them for ours.
    if (fold(name).startsWith("x-middleware-")) continue;
    kept.push(name);
    headers.set(`x-middleware-request-${name}`, value);
  }
  // A name without a value is removed from the request; it keeps the list from being empty.
  headers.set("x-middleware-override-headers", (kept.length > 0 ? kept : ["x-middleware-subrequest"]).join(","));

  const here = new URL(request.url);
  if (!decision.target.startsWith("/")) throw new Error("a target is a path");
  const decided = new URL((decision.upstream ?? here.origin) + decision.target);
  if (decided.origin === here.origin && decided.pathname === here.pathname && decided.search === here.search) {
    headers.set("x-middleware-next", "1");
  } else {
    // The gate decided about another spelling than the one that the router would read, which then gets that one; or the rule has
    // an upstream. `next start` may show the rewrite to the browser: the client's own path, or the address of the upstream.
    headers.set("x-middleware-rewrite", decided.href);
  }
  return new Response(null, { headers });
}

/** Next reads `Location` as an absolute URL, and makes it relative again when it stays on this host. */
function answer(request, response) {
  const location = response.headers.get("location");
  if (location === null) return response;
  const headers = new Headers(response.headers);
  headers.set("location", new URL(location, request.url).href);
  return new Response(response.body, { status: response.status, headers });
}

/** A log that fails, or is none, decides nothing. */
export function complain(log = console.error, line) {
  try {
    log(line);
  } catch {
    // Where it could be said is what has failed.
  }
}

/** Next and Vercel pass it as a method of the second argument; Vercel's functions have it in the request's context as well. */
function waitUntilOf(context) {
  const source =
    typeof context?.waitUntil === "function" ? context : globalThis[Symbol.for("@vercel/request-context")]?.get?.();
  return typeof source?.waitUntil === "function" ? (promise) => source.waitUntil(promise) : undefined;
}

/** Only Vercel's own network writes these headers, and only there is a client unable to. */
function clientAddressOf(request, options) {
  if (environmentOf(options).VERCEL !== "1") return undefined;
  for (const name of ["x-vercel-forwarded-for", "x-real-ip"]) {
    const address = request.headers.get(name)?.trim();
    if (address !== undefined && /^[0-9A-Fa-f.:]+$/.test(address)) return address;
  }
  return undefined;
}

/**
 * Scheme and host under which the browser sees the site. On Vercel a request's host counts if Vercel names it as one of this
 * deployment's; otherwise production has its domain and a preview its own address. Elsewhere it is the request's URL, which
 * `next start` makes from its own host name and port: behind a proxy the option `publicOrigin` is needed.
 */
function publicOriginOf(request, options) {
  const { origin, host } = new URL(request.url);
  const { VERCEL, VERCEL_ENV, VERCEL_PROJECT_PRODUCTION_URL, VERCEL_BRANCH_URL, VERCEL_URL } = environmentOf(options);
  if (VERCEL !== "1") return origin;
  const named = VERCEL_ENV === "production" ? [VERCEL_PROJECT_PRODUCTION_URL, VERCEL_URL] : [VERCEL_BRANCH_URL, VERCEL_URL];
  const site = named.includes(host) ? host : named.find(Boolean);
  return site === undefined ? origin : `https://${site}`;
}

/**
 * Whether somebody develops here and asks from this machine: `next dev` writes the client's address and the host into `X-Forwarded-…` of
 * each request. Nothing rests on it but whether the mistakes of a configuration are shown.
 */
function isOwnMachine({ headers }, options) {
  if (environmentOf(options).NODE_ENV !== "development" || headers.has("via") || headers.has("forwarded")) return false;
  const isOwnName = (host) => /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(host);
  const isOwnAddress = (address) => /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address);
  const forwardedFor = headers.get("x-forwarded-for") ?? "127.0.0.1";
  return isOwnName(headers.get("host") ?? "") && isOwnName(headers.get("x-forwarded-host") ?? "localhost") && isOwnAddress(forwardedFor);
}

const environmentOf = (options) => options.env ?? globalThis.process?.env ?? {};

/** Servers that hand headers on as variables cannot tell these spellings apart. */
const fold = (name) => name.toLowerCase().replaceAll("_", "-");
