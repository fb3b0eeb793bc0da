// A second listener for whoever scrapes from this machine: at 127.0.0.1, GET /metrics, without a token.

import http from "node:http";

import { logLine } from "./log.js";
import { CONTENT_TYPE } from "./metrics.js";

/** A page in somebody's browser could have a name of its own lead here. */
const OWN_NAMES = /^(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/i;

/**
 * Listens until the program ends, and does not keep it running.
 *
 * @param {number} port 0: any
 * @param {() => string} text
 * @param {(line: string) => void} complain
 * @returns {http.Server}
 */
export function listen(port, text, complain) {
  const server = http.createServer((req, res) => {
    const [status, body] = answerTo(req, text);
    res.writeHead(status, { "content-type": status === 200 ? CONTENT_TYPE : "text/plain; charset=utf-8", "cache-control": "no-store" });
    res.end(body);
  });
  server.on("error", ({ code }) => {
    const hint = "give `metrics` another port; the gate itself goes on";
    complain(logLine("config_warning", { path: "metrics.port", problem: `nobody can scrape 127.0.0.1:${port} (${code})`, hint }));
  });
  return server.listen(port, "127.0.0.1").unref();
}

function answerTo({ method, url, headers }, text) {
  if (!OWN_NAMES.test(headers.host ?? "")) return [403, "only by a name of this machine\n"];
  if (url.split("?", 1)[0] !== "/metrics") return [404, "the metrics are at /metrics\n"];
  return method === "GET" || method === "HEAD" ? [200, text()] : [405, "only GET\n"];
}
