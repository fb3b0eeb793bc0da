// Calls to the Python API on behalf of the user of this request. The API knows no cookies: it gets a JWT of the auth service.

import { headers } from "next/headers";

import { settings } from "./settings";

export interface Note {
  text: string;
  written: string;
}

export interface Notes {
  user: { id: string; email: string; by: string };
  notes: Note[];
}

/** What the API answers, or a problem document in its place. */
export async function callApi(path: string, init: { method?: string; body?: string } = {}): Promise<Response> {
  try {
    const token = await tokenOfUser();
    if (token instanceof Response) return token;
    return await fetch(new URL(path, settings.api), {
      ...init,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(5_000),
    });
  } catch (error) {
    log("api unreachable", { path, problem: error instanceof Error ? `${error.message} ${error.cause ?? ""}` : String(error) });
    return problem(503, "the API cannot be reached at the moment");
  }
}

/** A JWT for whoever the request's session cookie belongs to. A gate that forwards one makes this call unnecessary. */
async function tokenOfUser(): Promise<string | Response> {
  const given = await headers();
  const forwarded = /^Bearer (\S+)$/i.exec(given.get("authorization") ?? "")?.[1];
  if (forwarded) return forwarded;
  const answer = await fetch(new URL("/api/auth/token", settings.authService), {
    headers: { cookie: given.get("cookie") ?? "" },
    cache: "no-store",
    signal: AbortSignal.timeout(5_000),
  });
  if (answer.ok) return ((await answer.json()) as { token: string }).token;
  log("no token for the API", { status: answer.status, body: (await answer.text()).slice(0, 500) });
  return problem(answer.status === 401 ? 401 : 503, "the auth service gave no token for the API");
}

function problem(status: number, title: string): Response {
  return Response.json({ type: "about:blank", status, title }, { status, headers: { "content-type": "application/problem+json" } });
}

function log(event: string, more: Record<string, unknown>): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), service: "frontend", level: "warning", event, ...more }));
}
