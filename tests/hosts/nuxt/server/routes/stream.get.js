import { about } from "~~/lib/about.js";

export default defineEventHandler(async (event) => {
  setHeader(event, "content-type", "text/event-stream");
  const first = `data: ${await about("stream", event)}\n\n`;
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(first)) });
});
