import { headers } from "next/headers";
import { session } from "doorward/next";

export async function about(place) {
  const who = await session(); // null for an anonymous request; throws where the gate did not run
  const header = (await headers()).get("x-doorward-subject") ?? "none";
  return `content:${place} who:${who?.subject ?? "nobody"} header:${header}`;
}
