// The wrong set-up: what comes next ignores its argument, and goes on with the request that the client wrote.
import { createGate } from "doorward";
import config from "./doorward.json" with { type: "json" };

const gate = createGate({ config, env: Deno.env.toObject(), publicOrigin: Deno.env.get("PUBLIC_ORIGIN") });

Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1" }, (request) =>
  gate.handle(request, () => new Response(`content:dashboard who:${request.headers.get("x-doorward-subject")}`)),
);
