import { gate } from "doorward/hono";
import { session } from "doorward/session";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

const app = new Hono();
// First, before every route. It reads variables and secrets from the Worker's env.
app.use(gate({ config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, debug_header: true } }));
app.get("/", async (c) => c.text(await about("home", c)));
app.get("/dashboard", async (c) => c.text(await about("dashboard", c)));
app.get("/api/me", async (c) => c.text(await about("me", c)));
app.post("/api/note", async (c) => c.text(`${await about("note", c)} bytes:${(await c.req.arrayBuffer()).byteLength}`));
app.get("/stream", async (c) => {
  const data = await about("stream", c);
  return streamSSE(c, async (stream) => {
    await stream.writeSSE({ data });
    await stream.sleep(60_000);
  });
});
app.get("/socket", async (c) => {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.send(await about("socket", c));
  return new Response(null, { status: 101, webSocket: client });
});
app.all("*", (c) => c.env.ASSETS.fetch(c.req.raw));

async function about(place, c) {
  const who = await session(c); // the same as c.get("doorward"), but throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${c.req.header("x-doorward-subject") ?? "none"}`;
}

export default app;
