import { once } from "node:events";
import { createServer } from "node:http";

/** A port that nobody listens on at the moment. */
export async function freePort() {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
