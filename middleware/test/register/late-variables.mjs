// As frameworks do that read their `.env` files when they listen already.
import http from "node:http";
import { listener, port } from "./application.mjs";

const server = http.createServer(listener);
server.listen(port, "127.0.0.1", () => (process.env.BETTER_AUTH_URL = process.env.LATE_URL));
