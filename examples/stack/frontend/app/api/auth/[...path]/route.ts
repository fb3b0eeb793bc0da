// The auth service under this site's own origin, so that its cookies are this site's: requests go on as they are, answers come back as they are.

import { settings } from "@/lib/settings";

const NOT_PASSED_ON = ["host", "connection", "content-length", "transfer-encoding", "expect"];

async function passOn(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  NOT_PASSED_ON.forEach((name) => headers.delete(name));
  // `fetch` unpacks a body and leaves the header that says it is packed.
  headers.set("accept-encoding", "identity");
  const body = ["GET", "HEAD"].includes(request.method) ? undefined : await request.arrayBuffer();
  try {
    return await fetch(new URL(pathname + search, settings.authService), {
      method: request.method,
      headers,
      body,
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
  } catch {
    return Response.json({ message: "The auth service cannot be reached at the moment." }, { status: 502 });
  }
}

export { passOn as DELETE, passOn as GET, passOn as PATCH, passOn as POST, passOn as PUT };
