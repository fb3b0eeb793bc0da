import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import path from "node:path";
import { about, folder, port, talk } from "./application.mjs";

const app = new Hono();
app.use(serveStatic({ root: path.relative(process.cwd(), folder) }));
app.all("/stream", () => new Response(new ReadableStream({ start: (controller) => controller.enqueue("data: one\n\n") }), { headers: { "content-type": "text/event-stream" } }));
app.all("/*", async (c) => {
  const bytes = (await c.req.arrayBuffer()).byteLength;
  const { pathname, search } = new URL(c.req.url);
  c.header("set-cookie", "own=1");
  return c.json({ content: true, ...about(c.req.header(), c.env.incoming.doorward), target: pathname + search, bytes });
});
talk(serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }));
