import { session } from "doorward/session";

export async function about(place, { request }) {
  const who = await session(request); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${request.headers.get("x-doorward-subject") ?? "none"}`;
}
