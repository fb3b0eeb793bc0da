import type { IncomingMessage } from "node:http";
import { session } from "doorward/session";

export async function about(place: string, req: IncomingMessage): Promise<string> {
  const who = await session(req); // null for an anonymous request; throws where the gate did not run
  return `content:${place} who:${who?.subject ?? "nobody"} header:${req.headers["x-doorward-subject"] ?? "none"}`;
}
