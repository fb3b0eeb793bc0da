// The origin: a few pages and an API without any knowledge of cookies or tokens. It trusts the headers that the gate sets and shows
// what it received. Under /api/auth it passes requests on to the auth service, as an application with a rewrite does.

import { createServer, request as send } from "node:http";
import { once } from "node:events";
import { pipeline } from "node:stream";

/** What only somebody who was let through may read. */
export const PROTECTED = "the treasure is buried under the old oak";

const IDENTITY = "x-doorward-";

/**
 * Starts the origin on a free port.
 *
 * @param {string} authService where the auth service is
 * @returns {Promise<{url: string, seen: object[], stop: () => void}>} `seen` grows by each request that arrives
 */
export async function startOrigin(authService) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const [path] = request.url.split("?");
    const received = { method: request.method, target: request.url, identity: identityOf(request.rawHeaders) };
    seen.push(received);
    if (path.startsWith("/api/auth/")) return passOn(request, response, authService);

    const body = await read(request);
    if (body) received.body = body;
    if (path === "/api" || path.startsWith("/api/")) return answerJson(response, { protected: PROTECTED, received });
    const page = path.startsWith("/dashboard") ? dashboard : (PAGES[path] ?? missing);
    answerHtml(response, page(received));
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, seen, stop };
}

/** Every header whose name an application could read as one of ours: CGI and WSGI turn `-` into `_`. */
function identityOf(rawHeaders) {
  const identity = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    if (name.replaceAll("_", "-").startsWith(IDENTITY)) identity[name] = rawHeaders[i + 1];
  }
  return identity;
}

function passOn(request, response, service) {
  const target = new URL(request.url, service);
  const upstream = send(target, { method: request.method, headers: { ...request.headers, host: target.host, via: "1.1 origin" } });
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    pipeline(answer, response, () => {});
  });
  upstream.on("error", () => {
    if (response.headersSent) return response.destroy();
    response.writeHead(502, { "content-type": "text/plain" }).end("the auth service does not answer\n");
  });
  pipeline(request, upstream, () => {});
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function answerJson(response, value) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function answerHtml(response, [status, title, body]) {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>body { font: 16px/1.5 system-ui; max-width: 44rem; margin: 3rem auto; padding: 0 1rem } pre { background: #eee; padding: 1rem; overflow: auto }
input, button { font: inherit; padding: .3rem .6rem; margin: 0 .4rem .4rem 0 }</style>
<h1>${title}</h1>
${body}
`);
}

const PAGES = {
  "/": (received) => [200, "A public page", `<p>Everybody may read this. <a href="/dashboard">The dashboard</a> needs a session.</p>${shown(received)}`],
  "/sign-in": () => [200, "Sign in", SIGN_IN],
};

const dashboard = (received) => [
  200,
  "Dashboard",
  `<p>${PROTECTED}</p>${shown(received)}<p><a href="/api/me">The same as JSON</a></p><button onclick="leave()">Sign out</button>
<script>async function leave() {
  await fetch("/api/auth/sign-out", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  location.reload();
}</script>`,
];

const missing = (received) => [404, "No such page", shown(received)];

const shown = (received) => `<p>What the origin received from the gate:</p><pre>${escaped(JSON.stringify(received, null, 2))}</pre>`;

const escaped = (text) => text.replace(/[&<>]/g, (character) => `&#${character.codePointAt(0)};`);

const SIGN_IN = `<form onsubmit="enter(event)">
<input name="email" type="email" value="ada@example.com" required><input name="password" type="password" value="correct horse" required minlength="8">
<br><button value="sign-up">Sign up</button><button value="sign-in">Sign in</button></form><p id="problem"></p>
<script>async function enter(event) {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(event.target));
  const answer = await fetch("/api/auth/" + event.submitter.value + "/email", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email, password, name: email }),
  });
  if (!answer.ok) return (document.getElementById("problem").textContent = (await answer.json()).message);
  const back = new URL(new URLSearchParams(location.search).get("callbackURL") ?? "/dashboard", location.origin);
  location.href = back.origin === location.origin ? back.href : "/dashboard";
}</script>`;
