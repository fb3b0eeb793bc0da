import http from "node:http";
import { session } from "doorward/node";
import sirv from "sirv";
import { WebSocketServer } from "ws";

const files = sirv("public");
const server = http.createServer((req, res) => files(req, res, () => page(req, res)));

async function page(req, res) {
  const { pathname } = new URL(req.url, "http://localhost");
  if (pathname === "/stream") {
    res.writeHead(200, { "content-type": "text/event-stream" });
    return res.write(`data: ${about("stream", req)}\n\n`);
  }
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  res.end(`${about(PLACES[pathname] ?? "other", req)} bytes:${bytes}`);
}

const PLACES = { "/": "home", "/dashboard": "dashboard", "/api/me": "me", "/api/note": "note" };

function about(place, req) {
  const who = session(req); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${req.headers["x-doorward-subject"] ?? "none"}`;
}

new WebSocketServer({ server }).on("connection", (socket, req) => socket.send(about("socket", req)));
server.listen(Number(process.env.PORT), "127.0.0.1");
