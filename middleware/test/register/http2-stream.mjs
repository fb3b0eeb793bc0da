import http2 from "node:http2";
import path from "node:path";
import { about, folder, port } from "./application.mjs";

const server = http2.createServer();
// As soon as there is a session, and not from the server: both ways are Node's.
server.on("session", (session) => session.on("stream", answered));
server.listen(port, "127.0.0.1");

async function answered(stream, headers) {
  stream.on("error", () => {});
  const target = headers[":path"];
  if (target === "/private.txt") return stream.respondWithFile(path.join(folder, "private.txt"));
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  if (stream.destroyed) return;
  if (target.startsWith("/stream")) {
    stream.respond({ ":status": 200, "content-type": "text/event-stream" });
    return stream.write("data: one\n\n");
  }
  stream.respond({ ":status": 200, "set-cookie": "own=1" });
  stream.end(JSON.stringify({ content: true, ...about(headers, stream.doorward), target, bytes }));
}
