// The wrong set-up: the gate in a scope of its own, where it sees no other route.
import { gate, session } from "doorward/fastify";
import fastify from "fastify";

const app = fastify();
await app.register(async (inner) => inner.register(gate()));
app.get("/dashboard", async (request) => `content:dashboard who:${session(request)?.subject}`);
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
