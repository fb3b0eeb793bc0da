// The same notes for scripts of the page: the request goes on to the API, which verifies the gate's assertion about it.

import { passOn } from "@/lib/api";

async function passedOn(request: Request): Promise<Response> {
  const answer = await passOn(request);
  const headers = { "content-type": answer.headers.get("content-type") ?? "application/json", "cache-control": "private, no-store" };
  return new Response(await answer.text(), { status: answer.status, headers });
}

export { passedOn as GET, passedOn as POST };
