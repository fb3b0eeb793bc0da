// What a browser asked of the site and what it got, by kind of request: the browser's HTTP proxy, which passes everything on as it is. It
// sees each body and each cookie, also those that a page does not read to the end.

import { once } from "node:events";
import { createServer, request as send } from "node:http";
import { connect } from "node:net";
import { brotliDecompressSync, constants, gunzipSync } from "node:zlib";

const DATA = "session_data";
// Bodies may be cut off: what is there counts.
const DECODED = {
  gzip: (bytes) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }),
  br: (bytes) => brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH }),
};

/** @param {string} site only requests to it are recorded, and no others are passed on */
export async function startRecorder(site) {
  const entries = [];
  let pending = 0;

  const server = createServer((request, response) => {
    if (!request.url.startsWith(`${site}/`)) return response.writeHead(502).end();
    const { hostname, port } = new URL(request.url);
    const path = request.url.slice(site.length);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== "proxy-connection"));
    const upstream = send({ hostname, port, path, method: request.method, headers });
    pending += 1;
    let answer;
    const chunks = [];
    upstream.on("response", (incoming) => {
      answer = incoming;
      response.writeHead(incoming.statusCode, incoming.rawHeaders);
      response.flushHeaders();
      incoming.on("data", (chunk) => (chunks.push(chunk), response.write(chunk)));
      incoming.on("end", () => response.end());
      incoming.on("error", () => response.destroy());
    });
    upstream.on("error", () => response.destroy());
    // What the browser gives up is given up here too.
    response.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      pending -= 1;
      if (answer) entries.push(entryOf(path, request, answer, Buffer.concat(chunks)));
      else response.destroy();
    });
    request.pipe(upstream);
  });
  // Playwright's own requests come that way. They are not the browser's, so they are passed on unseen.
  server.on("connect", (request, socket) => {
    if (`http://${request.url}` !== site) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    const [host, port] = request.url.split(":");
    const far = connect({ host, port }, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    far.on("error", () => socket.destroy());
    socket.on("error", () => far.destroy());
    far.pipe(socket).pipe(far);
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");

  const settled = async () => {
    // Nothing on its way, and nothing new for a moment.
    for (let quiet = 0; quiet < 3; quiet = pending === 0 ? quiet + 1 : 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return {
    proxy: `http://127.0.0.1:${server.address().port}`,
    mark: async () => (await settled(), entries.length),
    since: async (mark) => (await settled(), entries.slice(mark)),
    /** Everything that is seen while `work` is done. */
    during: async (work) => {
      await settled();
      const mark = entries.length;
      await work();
      await settled();
      return entries.slice(mark);
    },
    close: () => (server.closeAllConnections(), server.close()),
  };
}

function entryOf(target, request, answer, bytes) {
  const path = target.split("?")[0];
  const { headers } = answer;
  const cookies = headers["set-cookie"] ?? [];
  return {
    kind: kindOf(path, request.headers),
    method: request.method,
    path,
    status: answer.statusCode,
    location: headers.location ?? headers["x-action-redirect"],
    decision: headers["doorward-decision"] ?? "",
    cacheControl: headers["cache-control"] ?? "",
    cached: (request.headers.cookie ?? "").includes(`${DATA}=`),
    renewed: cookies.some((line) => line.includes(`${DATA}=`) && !line.includes(`${DATA}=;`)),
    body: (DECODED[headers["content-encoding"]] ?? ((same) => same))(bytes).toString(),
  };
}

function kindOf(path, sent) {
  if (path.startsWith("/_next/static/") || path === "/icon.svg" || path === "/favicon.ico") return "static";
  if (path.startsWith("/api/auth/")) return "auth";
  if (sent["next-action"]) return "action";
  if (sent["next-router-prefetch"] || sent["next-router-segment-prefetch"]) return "prefetch";
  if (sent.rsc) return "rsc";
  return sent["sec-fetch-dest"] === "document" ? "page" : "api";
}
