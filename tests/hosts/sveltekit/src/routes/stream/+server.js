import { about } from "#lib/about.js";

export async function GET(event) {
  const first = `data: ${await about("stream", event)}\n\n`;
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(first)) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
