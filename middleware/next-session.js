// Next.js: who is asking, in server components, route handlers and server actions.

import { markReader } from "./mark.js";
import { insteadOfRequest } from "./testing-hook.js";

/** See `next.d.ts`. */
export function sessionReader(options) {
  const read = markReader(options);
  return async (request) => {
    const given = insteadOfRequest();
    return given === undefined ? read(request ?? (await headersOfNext())) : given;
  };
}

/** See `next.d.ts`. */
export const session = /* @__PURE__ */ sessionReader();

/** Imported when it is asked: `doorward/next` itself needs nothing of Next, and neither does `proxy.ts`. */
async function headersOfNext() {
  const { headers } = await import("next/headers.js");
  return headers();
}
