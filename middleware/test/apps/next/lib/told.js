import { NotGated, session } from "doorward/next";

/** What `session()` says, and says again: who, nobody, or why nobody can tell. */
export async function told(request) {
  try {
    const [who, again] = [await session(request), await session(request)];
    return who === null && again === null ? "nobody" : `who-is-${who.subject}-by-${again.source}`;
  } catch (problem) {
    if (problem instanceof NotGated) return problem.reason;
    throw problem;
  }
}
