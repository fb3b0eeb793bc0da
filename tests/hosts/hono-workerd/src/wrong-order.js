// The wrong set-up: the gate behind the routes.
import { gate } from "doorward/hono";
import { session } from "doorward/session";
import { Hono } from "hono";

const app = new Hono();
app.get("/dashboard", async (c) => c.text(`content:dashboard who:${(await session(c))?.subject}`));
app.use(gate());
export default app;
