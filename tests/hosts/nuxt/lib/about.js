import { session } from "doorward/session";

export async function about(place, event) {
  const who = await session(event); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${event.node.req.headers["x-doorward-subject"] ?? "none"}`;
}
