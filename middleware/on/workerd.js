// The gate in workerd: Cloudflare Workers and wrangler.
import * as glue from "../wasm/workerd.js";
import { cookieLine } from "../cookie-line.js";
import { gatesOn } from "../gate.js";

export const createGate = gatesOn(glue, undefined, { headersOf });

/** The request's own headers, nearly always, or such with the line of cookies that its several lines are. */
function headersOf({ headers }) {
  const cookies = headers.get("cookie") ?? "";
  const line = cookieLine(cookies);
  if (line === cookies) return headers;
  const read = new Headers(headers);
  read.set("cookie", line);
  return read;
}
