// Hono: the session as `c.get("doorward")`. Nothing is imported from Hono.

import { FLAG, checkOptions, isFunction, wrongOption } from "../options.js";
import { foundBy, remember } from "./found.js";
import { AssertionRefused } from "./index.js";
import { isIdentity, prefixOf } from "./names.js";

/** See `hono.d.ts`. */
export function hono(verifier, options = {}) {
  if (!isFunction(verifier?.verifyRequest)) throw wrongOption("verifier", "what createVerifier gives");
  // A text like "false" would let everybody pass.
  checkOptions(options, { optional: FLAG });
  const { optional = false } = options;
  const prefix = prefixOf(verifier.header);
  return async function doorward(c, next) {
    const request = c.req.raw;
    try {
      const isNobody = () => optional && !verifier.has(request.headers);
      const session = foundBy(verifier, c) ?? (isNobody() ? undefined : await verifier.verifyRequest(request));
      remember(verifier, c, session);
      c.set("doorward", session);
    } catch (problem) {
      if (problem instanceof AssertionRefused) return problem.toResponse();
      throw problem;
    }
    // Nothing behind may read who it is from a header, whoever sent it.
    const headers = new Headers(request.headers);
    for (const name of [...headers.keys()]) if (isIdentity(name, prefix)) headers.delete(name);
    c.req.raw = withHeaders(request, headers);
    await next();
  };
}

/** A body that has been read before is Hono's to give: a Request cannot be made with it again. */
function withHeaders(request, headers) {
  if (!request.bodyUsed) return new Request(request, { headers });
  const { url, method, signal } = request;
  return new Request(url, { method, headers, signal });
}
