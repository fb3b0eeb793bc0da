import { session } from "doorward/session";

export async function about(place, context) {
  const who = await session(context); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${context.request.headers.get("x-doorward-subject") ?? "none"}`;
}
