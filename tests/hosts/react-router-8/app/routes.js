import { index, route } from "@react-router/dev/routes";

export default [
  index("routes/home.jsx"),
  route("dashboard", "routes/dashboard.jsx"),
  route("prerendered", "routes/prerendered.jsx"),
  route("api/me", "routes/me.js"),
  route("api/note", "routes/note.js"),
  route("stream", "routes/stream.js"),
];
