import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { gate } from "doorward/hono";
import { session } from "doorward/session";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

const app = new Hono();
// First, before static files and routes.
app.use(
  gate({
    config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, debug_header: true },
    publicOrigin: process.env.PUBLIC_ORIGIN,
  }),
);
app.use("/private.txt", serveStatic({ root: "./public" }));
app.get("/", async (c) => c.text(await about("home", c)));
app.get("/dashboard", async (c) => c.text(await about("dashboard", c)));
app.get("/api/me", async (c) => c.text(await about("me", c)));
app.post("/api/note", async (c) => c.text(`${await about("note", c)} bytes:${(await c.req.arrayBuffer()).byteLength}`));
app.get("/stream", async (c) => {
  const data = await about("stream", c);
  return streamSSE(c, async (stream) => {
    await stream.writeSSE({ data });
    await stream.sleep(600_000);
  });
});

async function about(place, c) {
  const who = await session(c); // the same as c.get("doorward"), but throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${c.req.header("x-doorward-subject") ?? "none"}`;
}

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
