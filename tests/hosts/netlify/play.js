// Netlify's runtime is not to be had offline: the function with a context of ten lines, before a site that says who is asking.
import handler from "./netlify/edge-functions/gate.js";

const PLACES = { "/": "home", "/dashboard": "dashboard", "/api/me": "me", "/api/note": "note", "/private.txt": "private-file" };

async function site(request) {
  const { pathname } = new URL(request.url);
  const header = request.headers.get("x-doorward-subject") ?? "none";
  const text = `content:${PLACES[pathname] ?? "other"} who:${header === "none" ? "nobody" : header} header:${header}`;
  if (pathname !== "/stream") return new Response(`${text} bytes:${(await request.arrayBuffer()).byteLength}`);
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(`data: ${text.replace("other", "stream")}\n\n`)) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1" }, (request, { remoteAddr }) =>
  handler(request, { next: site, waitUntil: () => {}, ip: remoteAddr.hostname }),
);
