// Express, Connect and plain Node: the session as `req.doorward`. Nothing is imported from a framework.

import { FLAG, checkOptions, isFunction, wrongOption } from "../options.js";
import { foundBy, remember } from "./found.js";
import { AssertionRefused } from "./index.js";
import { headersOf, isIdentity, prefixOf } from "./names.js";

/** See `express.d.ts`. */
export function express(verifier, options = {}) {
  if (!isFunction(verifier?.verifyRequest)) throw wrongOption("verifier", "what createVerifier gives");
  // A text like "false" would let everybody pass.
  checkOptions(options, { optional: FLAG });
  const { optional = false } = options;
  const prefix = prefixOf(verifier.header);
  return async function doorward(req, res, next) {
    try {
      const isNobody = () => optional && !verifier.has(headersOf(req));
      req.doorward = foundBy(verifier, req) ?? (isNobody() ? undefined : await verifier.verifyRequest(req));
      remember(verifier, req, req.doorward);
    } catch (problem) {
      if (!(problem instanceof AssertionRefused)) return next(problem);
      res.writeHead(problem.status, problem.headers());
      return res.end(req.method === "HEAD" ? undefined : problem.body());
    }
    removeIdentity(req, prefix);
    next();
  };
}

/** Nothing behind may read who it is from a header, whoever sent it. */
function removeIdentity(req, prefix) {
  const { headers, headersDistinct, rawHeaders = [] } = req;
  for (const names of [headers, headersDistinct]) {
    for (const name of Object.keys(names ?? {})) if (isIdentity(name, prefix)) delete names[name];
  }
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (isIdentity(rawHeaders[index], prefix)) rawHeaders.splice(index, 2);
  }
}
