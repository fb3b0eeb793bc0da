import { createFileRoute } from "@tanstack/react-router";
import { about } from "../about.js";

export const Route = createFileRoute("/stream")({ server: { handlers: { GET: stream } } });

async function stream({ request }) {
  const first = `data: ${await about("stream", request)}\n\n`;
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(first)) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
