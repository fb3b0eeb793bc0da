// What each of the servers in this folder serves, without a word about sign-in: who is asking as its headers, its `req.doorward` and a mark
// say, a file, an upload, a stream and a WebSocket.

import { fileURLToPath } from "node:url";

import sirv from "sirv";
import { WebSocketServer } from "ws";

export const port = Number(process.env.PORT);
export const folder = fileURLToPath(new URL("public", import.meta.url));
const files = sirv(folder, { dev: true });

/** A listener of `node:http`: files first, as `vite preview` and the servers of frameworks do. */
export const listener = (req, res) => files(req, res, () => void served(req, res));

export async function served(req, res) {
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  if (req.url.startsWith("/stream")) {
    res.writeHead(200, { "content-type": "text/event-stream" });
    return res.write("data: one\n\n");
  }
  res.setHeader("set-cookie", "own=1");
  res.end(JSON.stringify({ content: true, ...about(req.headers, req.doorward), target: req.url, bytes }));
}

export function about(headers, identity) {
  const isMarked = headers["x-doorward-mark"] !== undefined;
  return { header: headers["x-doorward-subject"], identity: identity === undefined ? "none" : (identity?.subject ?? null), isMarked };
}

/** Answers WebSockets on that server: the first message says whom they are for. */
export function talk(server) {
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, req) => socket.send(JSON.stringify({ content: true, ...about(req.headers, req.doorward) })));
}

