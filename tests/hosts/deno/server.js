import { createGate } from "doorward";
import { session } from "doorward/session";
import config from "./doorward.json" with { type: "json" };

const gate = createGate({ config, env: Deno.env.toObject(), publicOrigin: Deno.env.get("PUBLIC_ORIGIN") });

Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1" }, (request, { remoteAddr }) =>
  gate.handle(request, page, { usesArgument: true, clientAddress: remoteAddr.hostname }),
);

const PLACES = { "/": "home", "/dashboard": "dashboard", "/api/me": "me", "/api/note": "note" };

async function page(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/private.txt") return new Response((await Deno.open("public/private.txt")).readable);
  if (pathname === "/stream") return stream(await about("stream", request));
  const bytes = (await request.arrayBuffer()).byteLength;
  return new Response(`${await about(PLACES[pathname] ?? "other", request)} bytes:${bytes}`);
}

async function about(place, request) {
  const who = await session(request); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${request.headers.get("x-doorward-subject") ?? "none"}`;
}

function stream(text) {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(`data: ${text}\n\n`)) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
