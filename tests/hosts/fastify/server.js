import files from "@fastify/static";
import websocket from "@fastify/websocket";
import { gate, session } from "doorward/fastify";
import fastify from "fastify";

const app = fastify({ bodyLimit: 20 * 1024 * 1024 });
await app.register(
  gate({
    config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, debug_header: true },
    publicOrigin: process.env.PUBLIC_ORIGIN,
  }),
);
await app.register(files, { root: `${import.meta.dirname ?? process.cwd()}/public` });
await app.register(websocket);
app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
app.get("/", async (request) => about("home", request));
app.get("/dashboard", async (request) => about("dashboard", request));
app.get("/api/me", async (request) => about("me", request));
app.post("/api/note", async (request) => `${about("note", request)} bytes:${request.body.length}`);
app.get("/socket", { websocket: true }, (socket, request) => socket.send(about("socket", request)));
app.get("/stream", (request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream" });
  reply.raw.write(`data: ${about("stream", request)}\n\n`);
});

function about(place, request) {
  const who = session(request); // the same as request.doorward, but throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${request.headers["x-doorward-subject"] ?? "none"}`;
}

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
