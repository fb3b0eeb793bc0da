// The gate in workerd: Cloudflare Workers and wrangler.
import * as glue from "../wasm/workerd.js";
import { cookieLine } from "../cookie-line.js";
import { gatesOn } from "../gate.js";

const createGateOn = gatesOn(glue);

export function createGate(options, host) {
  const gate = createGateOn(options, host);
  return {
    ...gate,
    // Without the body: that stays the caller's.
    decide: (request, context) => gate.decide(withOneCookieLine(request, ({ url, method }, headers) => new Request(url, { method, headers })), context),
    handle: (request, next, context) =>
      gate.handle(withOneCookieLine(request, (request, headers) => new Request(request, { headers })), next, context),
  };
}

/** The request itself, nearly always, or another one with the line of cookies that its several lines are. */
function withOneCookieLine(request, remade) {
  const cookies = request.headers.get("cookie") ?? "";
  const line = cookieLine(cookies);
  if (line === cookies) return request;
  const headers = new Headers(request.headers);
  headers.set("cookie", line);
  return remade(request, headers);
}
