import { createFileRoute } from "@tanstack/react-router";
import { about } from "../../about.js";

export const Route = createFileRoute("/api/me")({
  server: { handlers: { GET: async ({ request }) => new Response(await about("me", request)) } },
});
