import { about } from "../about.server.js";

export async function loader(args) {
  const first = `data: ${await about("stream", args)}\n\n`;
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(first)) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
