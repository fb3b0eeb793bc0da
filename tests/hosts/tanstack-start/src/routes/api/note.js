import { createFileRoute } from "@tanstack/react-router";
import { about } from "../../about.js";

export const Route = createFileRoute("/api/note")({
  server: { handlers: { POST: async ({ request }) => new Response(`${await about("note", request)} bytes:${(await request.arrayBuffer()).byteLength}`) } },
});
