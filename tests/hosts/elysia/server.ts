import { session } from "doorward/session";
import { Elysia } from "elysia";
import { gate } from "./gate";

const app = new Elysia({ serve: { maxRequestBodySize: 20 * 1024 * 1024 } })
  // It is global: plugins, static files and WebSockets come behind it.
  .onRequest(
    gate({
      config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, debug_header: true },
      publicOrigin: process.env.PUBLIC_ORIGIN,
    }),
  )
  .get("/", (context) => about("home", context))
  .get("/dashboard", (context) => about("dashboard", context))
  .get("/api/me", (context) => about("me", context))
  .get("/private.txt", () => Bun.file("public/private.txt"))
  .post("/api/note", async (context) => `${await about("note", context)} bytes:${(await context.request.arrayBuffer()).byteLength}`, { parse: "none" })
  .ws("/socket", {
    open: async (socket) => void socket.send(await about("socket", socket.data)),
  });

async function about(place: string, { request }: { request: Request }) {
  const who = await session(request); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${request.headers.get("x-doorward-subject") ?? "none"}`;
}

app.listen({ port: Number(process.env.PORT), hostname: "127.0.0.1" });
