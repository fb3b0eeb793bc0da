// The auth service of the fault matrix: as broken as the first part of the path says, which is the name of a cell. In a thread of its own
// it is a server; elsewhere it says who is signed in.

import http from "node:http";
import { isMainThread, parentPort, workerData } from "node:worker_threads";

export const TOKEN = "__Secure-better-auth.session_token";
/** More than the gate reads of anything. */
export const SPACES = 400_000;
const SLOW_MS = 4000;

/** What the auth service says to these cookies; `about` another token, for what is signed and untrue. */
export function sessionOf(cookies, about) {
  const token = new RegExp(`${TOKEN}=([^.;]+)`).exec(cookies)?.[1] ?? "";
  if (!token.startsWith("alive-")) return null;
  const iso = (millis) => new Date(millis).toISOString();
  const now = Date.now();
  const session = { id: "s", token: about ?? token, userId: "ada", createdAt: iso(now), updatedAt: iso(now), expiresAt: iso(now + 604_800_000) };
  return { session, user: { id: "ada", email: "ada@example.com", emailVerified: true, name: "Ada" } };
}

if (!isMainThread && parentPort && workerData?.keySet) {
  const arrived = {};
  const server = http.createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    const [, cell, ...rest] = request.url.split("?")[0].split("/");
    if (cell === "arrived") return void response.end(JSON.stringify(arrived));
    const asksKeys = rest.at(-1) === "jwks";
    const isFollowed = rest[0] === "elsewhere";
    const what = `${cell} ${isFollowed ? "elsewhere" : asksKeys ? "jwks" : "auth"}`;
    arrived[what] = (arrived[what] ?? 0) + 1;
    const [auth, jwks] = cell.split("-");
    const fault = isFollowed ? "fine" : asksKeys ? jwks : auth;
    const good = asksKeys ? workerData.keySet : JSON.stringify(sessionOf(request.headers.cookie ?? ""));
    if (fault === "slow") return void setTimeout(() => response.end(good), SLOW_MS);
    if (fault === "garbage") return void response.end('<!doctype html><title>{"keys":[');
    if (fault === "huge") return void response.end(good + " ".repeat(SPACES));
    if (fault === "redirecting") return void response.writeHead(302, { location: `/${cell}/elsewhere/${rest.join("/")}` }).end();
    response.end(good);
  });
  server.on("connection", (socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(`http://127.0.0.1:${server.address().port}`));
}
