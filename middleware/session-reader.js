// Who is asking, of whatever a framework hands to its code: its event or context, a Request, the headers, or Node's request.
//
// A request that this process has decided on is found itself (passed.js). Otherwise the mark in its headers says it, which only the gate
// can make. Nothing is read from what is shared between requests: a page that a framework renders for its cache has neither, and throws.

import { markReader } from "./mark.js";
import { isFunction, wrongOption } from "./options.js";
import { passed } from "./passed.js";
import { insteadOfRequest } from "./testing-hook.js";

const SOURCE = "an event or context of a framework, a Request, Headers, or a request of Node";

/** See `session-reader.d.ts`. */
export function sessionReader(options) {
  const read = markReader(options);
  return async function session(source) {
    const given = insteadOfRequest();
    if (given !== undefined) return given;
    // Hono and Fastify call the request that came `raw`, h3 has it in `node.req` or `req`, SvelteKit and Astro in `request`.
    const { node, req, request, raw } = source ?? {};
    const places = [source, node?.req, req, req?.raw, request, request?.raw, raw].filter((place) => typeof place === "object" && place !== null);
    for (const place of places) {
      const decision = passed.get(place) ?? passed.get(place.stream);
      if (decision) return decision.identity ?? null;
    }
    const headers = places.map(headersOf).find(Boolean);
    if (!headers) throw wrongOption("source", SOURCE);
    return read(headers);
  };
}

/** See `session-reader.d.ts`. */
export const session = /* @__PURE__ */ sessionReader();

/** The headers of one place, as `Headers`; nothing where it has none. Node's are made to such once a request: the reader remembers by them. */
const made = new WeakMap();

function headersOf(place) {
  const headers = isFunction(place.get) && isFunction(place.has) ? place : place.headers;
  if (isFunction(headers?.get)) return headers;
  if (typeof headers !== "object" || headers === null) return undefined;
  if (!made.has(headers)) {
    const pairs = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
    made.set(headers, new Headers(pairs.flatMap(([name, values]) => [values ?? []].flat().map((value) => [name, String(value)]))));
  }
  return made.get(headers);
}
