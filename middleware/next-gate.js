// Next.js: the gate as `proxy.ts` (Node) or `middleware.ts` (edge). Nothing is imported from Next.
//
// `request.url` is what Next routes by: with base path and locale, without the forms in which Next transports a page (`.rsc`,
// `_next/data`, `_rsc`). `nextUrl.pathname` lacks the base path and the locale, which the browser and the rules do see.

import { createGate } from "doorward";
import { logLine } from "./log.js";
import { complain, routing } from "./routing.js";

/** Pages are rendered in another process than the gate's, or may be. Without a configuration it is known what is behind. */
const HOST = { marks: true, application: { framework: "next" } };

const middlewareOf = /* @__PURE__ */ routing((options) => createGate(options, HOST));

/** See `next.d.ts`. */
export function gate(options = {}) {
  const middleware = middlewareOf(options);
  let isSaid = false;
  return (request, event) => {
    if (!isSaid && isCut(request)) {
      isSaid = true;
      complain(options?.log, logLine("config_warning", CUT));
    }
    return middleware(request, event);
  };
}

/** What Next hands on of a body behind any proxy, unless it is told otherwise. Bytes. */
const NEXT_TAKES = 10 * 1024 * 1024;
const CUT = {
  problem: "behind proxy.ts Next truncates a request body of more than 10 MB without an error",
  hint: "raise experimental.proxyClientMaxBodySize in next.config, or leave the path of an upload out of the matcher",
};

function isCut({ headers }) {
  return Number(headers.get("content-length") ?? 0) > NEXT_TAKES;
}
