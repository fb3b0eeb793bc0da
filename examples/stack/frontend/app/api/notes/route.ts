// The same notes for scripts of the page.

import { callApi } from "@/lib/api";

export async function GET(): Promise<Response> {
  return passedBack(await callApi("/api/notes"));
}

export async function POST(request: Request): Promise<Response> {
  return passedBack(await callApi("/api/notes", { method: "POST", body: await request.text() }));
}

async function passedBack(answer: Response): Promise<Response> {
  const headers = { "content-type": answer.headers.get("content-type") ?? "application/json", "cache-control": "private, no-store" };
  return new Response(await answer.text(), { status: answer.status, headers });
}
