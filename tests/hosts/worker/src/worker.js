import { createGate } from "doorward";
import { session } from "doorward/session";
import config from "../doorward.json";

let gate;

export default {
  fetch(request, env, context) {
    gate ??= createGate({ config, env }); // variables and secrets come with the request
    return gate.handle(request, (onward) => page(onward, env), {
      usesArgument: true, // `page` answers the request that it is given
      waitUntil: (work) => context.waitUntil(work),
      clientAddress: request.headers.get("cf-connecting-ip") ?? undefined,
    });
  },
};

const PLACES = { "/": "home", "/dashboard": "dashboard", "/api/me": "me", "/api/note": "note" };

async function page(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === "/stream") return stream(await about("stream", request));
  if (pathname === "/socket") return socket(await about("socket", request));
  if (!(pathname in PLACES)) return env.ASSETS.fetch(request);
  const bytes = (await request.arrayBuffer()).byteLength;
  return new Response(`${await about(PLACES[pathname], request)} bytes:${bytes}`);
}

async function about(place, request) {
  const who = await session(request); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${request.headers.get("x-doorward-subject") ?? "none"}`;
}

function stream(text) {
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode(`data: ${text}\n\n`));
      await new Promise((done) => setTimeout(done, 60_000));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function socket(text) {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.send(text);
  return new Response(null, { status: 101, webSocket: client });
}
