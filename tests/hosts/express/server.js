import { middleware, session } from "doorward/node";
import express from "express";

const app = express();
// First, before static files and body parsers.
app.use(
  middleware({
    config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, debug_header: true },
    publicOrigin: process.env.PUBLIC_ORIGIN,
  }),
);
app.use(express.static("public"));
app.get("/", (req, res) => res.send(about("home", req)));
app.get("/dashboard", (req, res) => res.send(about("dashboard", req)));
app.get("/api/me", (req, res) => res.send(about("me", req)));
app.post("/api/note", express.raw({ type: () => true, limit: "20mb" }), (req, res) => res.send(`${about("note", req)} bytes:${req.body.length}`));
app.get("/stream", (req, res) => res.type("text/event-stream").write(`data: ${about("stream", req)}\n\n`));

function about(place, req) {
  const who = session(req); // the same as req.doorward, but throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${req.get("x-doorward-subject") ?? "none"}`;
}

app.listen(Number(process.env.PORT), "127.0.0.1");
