// The wrong set-up: nothing calls the gate.
import { session } from "doorward/session";

Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1" }, async (request) => new Response(`content:dashboard who:${(await session(request))?.subject}`));
