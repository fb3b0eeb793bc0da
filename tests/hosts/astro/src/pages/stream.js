import { about } from "../about.js";

export async function GET(context) {
  const first = `data: ${await about("stream", context)}\n\n`;
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(first)) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
