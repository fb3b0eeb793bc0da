import { serve } from "srvx";
import { staticMiddleware } from "srvx/static";
import app from "./dist/server/server.js";

serve({
  fetch: (request) => app.fetch(request),
  middleware: [staticMiddleware({ dir: "dist/client" })],
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
});
