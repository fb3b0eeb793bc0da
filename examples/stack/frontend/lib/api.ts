// The Python API on behalf of the user of this request. It knows no cookies. A request that is passed on as it came has the gate's
// assertion with it; a call of this app's own is another request than the one that the gate has signed, and gets a JWT of the auth service.

import { headers } from "next/headers";

import { settings } from "./settings";
import { who } from "./who";

export interface Note {
  text: string;
  written: string;
}

export interface Notes {
  user: { id: string; email: string; by: string };
  notes: Note[];
}

/** What the API answers to this very request: path and query are the same there, because the assertion is for no others. */
export async function passOn(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const assertion = request.headers.get("x-doorward-assertion");
  const body = ["GET", "HEAD"].includes(request.method) ? undefined : await request.text();
  return ask(pathname + search, { method: request.method, body }, assertion === null ? {} : { "x-doorward-assertion": assertion });
}

/** What the API answers to a call for the user of this request, or a problem document in its place. */
export async function callApi(path: string, init: { method?: string; body?: string } = {}): Promise<Response> {
  // A cookie that got here past the gate is not accepted.
  if (!(await who())) return problem(401, "nobody is signed in");
  const token = await tokenOfUser();
  return token instanceof Response ? token : ask(path, init, { authorization: `Bearer ${token}` });
}

async function ask(target: string, init: { method?: string; body?: string }, credential: Record<string, string>): Promise<Response> {
  const headers = { ...credential, "content-type": "application/json" };
  try {
    return await fetch(new URL(target, settings.api), { ...init, headers, cache: "no-store", signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    log("api unreachable", { target, problem: error instanceof Error ? `${error.message} ${error.cause ?? ""}` : String(error) });
    return problem(503, "the API cannot be reached at the moment");
  }
}

/** A JWT for whoever the request's session cookie belongs to. A gate that forwards one makes this call unnecessary. */
async function tokenOfUser(): Promise<string | Response> {
  const given = await headers();
  const forwarded = /^Bearer (\S+)$/i.exec(given.get("authorization") ?? "")?.[1];
  if (forwarded) return forwarded;
  try {
    const answer = await fetch(new URL("/api/auth/token", settings.authService), {
      headers: { cookie: given.get("cookie") ?? "" },
      cache: "no-store",
      signal: AbortSignal.timeout(5_000),
    });
    if (answer.ok) return ((await answer.json()) as { token: string }).token;
    log("no token for the API", { status: answer.status, body: (await answer.text()).slice(0, 500) });
    return problem(answer.status === 401 ? 401 : 503, "the auth service gave no token for the API");
  } catch (error) {
    log("auth service unreachable", { problem: String(error) });
    return problem(503, "the auth service cannot be reached at the moment");
  }
}

function problem(status: number, title: string): Response {
  return Response.json({ type: "about:blank", status, title }, { status, headers: { "content-type": "application/problem+json" } });
}

function log(event: string, more: Record<string, unknown>): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), service: "frontend", level: "warning", event, ...more }));
}
