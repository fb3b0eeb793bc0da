// The wrong set-up: nothing calls the gate.
import { session } from "doorward/session";
import { Elysia } from "elysia";

new Elysia()
  .get("/dashboard", async ({ request }) => `content:dashboard who:${(await session(request))?.subject}`)
  .listen({ port: Number(process.env.PORT), hostname: "127.0.0.1" });
