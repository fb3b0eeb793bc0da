// One request and its response as it came. Not `fetch`: that hides `Host`, TLS and long headers.

import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import * as zlib from "node:zlib";

const agents = new Map();

/** What comes of the effect `http` of doctor/src/effects.rs. */
export function exchange(effect) {
  return send(effect).then(
    (response) => ({ result: "http", ...response }),
    (error) => ({ result: "http-failed", ...failureOf(error) }),
  );
}

async function send(effect) {
  const url = new URL(effect.url);
  const started_millis = Date.now();
  return new Promise((resolve, reject) => {
    const kind = url.protocol === "https:" ? https : http;
    const request = kind.request(url, optionsOf(effect, url), (response) => {
      const chunks = [];
      let left = effect.max_body_bytes;
      response.on("data", (chunk) => {
        chunks.push(chunk.subarray(0, left));
        left -= Math.min(left, chunk.length);
        if (left === 0) response.destroy();
      });
      response.on("error", () => {}); // a body that breaks off is a body that was short
      response.on("close", () => {
        clearTimeout(timer);
        const body = plain(response, Buffer.concat(chunks), effect).toString("base64");
        const headers = linesOf(response.rawHeaders);
        const ended_millis = Date.now();
        resolve({ status: response.statusCode, headers, body, started_millis, ended_millis });
      });
    });
    const late = Object.assign(new Error("timeout"), { code: "ETIMEDOUT" });
    const timer = setTimeout(() => request.destroy(late), effect.timeout_millis);
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(effect.body ?? (effect.method === "POST" ? "" : undefined));
  });
}

/** The body without gzip, which some proxies send unasked. */
function plain(response, body, { max_body_bytes: maxOutputLength }) {
  if (response.headers["content-encoding"]?.toLowerCase() !== "gzip") return body;
  try {
    return zlib.gunzipSync(body, { maxOutputLength, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  } catch {
    return body;
  }
}

/** Pairs of name and value, as they came. */
function linesOf(raw) {
  const lines = [];
  for (let i = 0; i < raw.length; i += 2) lines.push([raw[i].toLowerCase(), raw[i + 1]]);
  return lines;
}

function optionsOf(effect, url) {
  const headers = { host: url.host };
  for (const [name, value] of effect.headers) headers[name] = Buffer.from(value).toString("latin1");
  if (effect.method === "POST") headers["content-length"] = Buffer.byteLength(effect.body ?? "");
  const { method, max_header_bytes: maxHeaderSize } = effect;
  const options = { method, headers, maxHeaderSize, agent: agentFor(effect, url) };
  if (effect.connect !== undefined) {
    const at = effect.connect.lastIndexOf(":");
    // Of a URL and options the `hostname` counts, which the URL has set already.
    options.hostname = effect.connect.slice(0, at).replace(/^\[|\]$/g, "");
    options.port = effect.connect.slice(at + 1);
    if (url.protocol === "https:") options.servername = url.hostname;
  }
  return options;
}

function agentFor(effect, url) {
  const isHttps = url.protocol === "https:";
  const files = effect.ca_files ?? [];
  const options = isHttps ? { ca: [...tls.rootCertificates, ...files.flatMap(certificate)] } : {};
  const { Agent } = isHttps ? https : http;
  if (effect.fresh_connection) return new Agent({ ...options, keepAlive: false });
  const name = JSON.stringify([url.protocol, effect.connect, files]);
  if (!agents.has(name)) agents.set(name, new Agent({ ...options, keepAlive: true }));
  return agents.get(name);
}

function certificate(file) {
  try {
    return [fs.readFileSync(file)];
  } catch {
    return [];
  }
}

/** How far a request came, in words that are the same from each carrier. */
const FAILURES = {
  ENOTFOUND: ["dns", "not-found"],
  EAI_AGAIN: ["dns", "temporary"],
  ECONNREFUSED: ["connect", "refused"],
  EHOSTUNREACH: ["connect", "unreachable"],
  ENETUNREACH: ["network", "unreachable"],
  ENETDOWN: ["network", "unreachable"],
  ETIMEDOUT: ["timeout", ""],
  HPE_HEADER_OVERFLOW: ["headers", ""],
  CERT_HAS_EXPIRED: ["tls", "expired"],
  CERT_NOT_YET_VALID: ["tls", "not-yet-valid"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["tls", "name-mismatch"],
};

function failureOf(error) {
  const code = error.code ?? error.errors?.[0]?.code ?? "";
  const [phase, kind] = Object.hasOwn(FAILURES, code) ? FAILURES[code] : byPattern(code);
  return { phase, kind };
}

function byPattern(code) {
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/.test(code)) return ["tls", "untrusted"];
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return ["tls", "protocol"];
  return ["http", code.startsWith("HPE_") ? "malformed" : "closed"];
}
