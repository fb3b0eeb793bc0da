import fastify from "fastify";
import sirv from "sirv";
import { folder, port, served, talk } from "./application.mjs";

const app = fastify();
const files = sirv(folder, { dev: true });
// As @fastify/static and @fastify/middie do: on the raw request, before any route.
app.addHook("onRequest", (request, reply, done) => files(request.raw, reply.raw, done));
app.addContentTypeParser("*", (request, payload, done) => done(null));
app.all("/*", (request, reply) => {
  reply.hijack();
  void served(request.raw, reply.raw);
});
talk(app.server);
await app.listen({ port, host: "127.0.0.1" });
