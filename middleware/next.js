// Next.js: the gate as `proxy.ts` (Node) or `middleware.ts` (edge). Nothing is imported from Next.
//
// `request.url` is what Next routes by: with base path and locale, without the forms in which Next transports a page (`.rsc`,
// `_next/data`, `_rsc`). `nextUrl.pathname` lacks the base path and the locale, which the browser and the rules do see.

import { createGate } from "doorward";
import { routing } from "./routing.js";

/** See `next.d.ts`. */
export const gate = routing(createGate);
