// The auth service as a Vercel function: `api/auth.js` hands this on. The pool is made once for each instance, and Vercel is told of it: a
// frozen instance would keep its connections.

import { attachDatabasePool } from "@vercel/functions";

import { auth } from "./auth.js";
import { pool } from "./database.js";
import { say } from "./log.js";

attachDatabasePool(pool);

export default { fetch: answer };

/** Where the database is away, Better Auth throws. The gate takes a 500 for "cannot know", and signs nobody out. */
async function answer(request: Request): Promise<Response> {
  try {
    return await auth.handler(request);
  } catch (error) {
    say("request failed", { level: "error", problem: error instanceof Error ? error.message : String(error) });
    return Response.json({ code: "INTERNAL_SERVER_ERROR" }, { status: 500 });
  }
}
