import { getRequest } from "@tanstack/react-start/server";
import { session } from "doorward/session";

export async function about(place, request = getRequest()) {
  const who = await session(request); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${request.headers.get("x-doorward-subject") ?? "none"}`;
}
