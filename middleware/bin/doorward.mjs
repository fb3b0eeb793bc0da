#!/usr/bin/env node
// The command line `doorward` on Node: performs what the commands ask for, and decides nothing. They are Rust
// (doctor/ in the repository), compiled to ../wasm/cli.wasm; the native program (cli/) performs the same effects.

import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as path from "node:path";
import * as readline from "node:readline";
import * as tls from "node:tls";
import { Doorward } from "../wasm/cli.js";

const agents = new Map();
let interrupt = () => process.exit(130);
process.on("SIGINT", () => interrupt());
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {}); // whoever reads has gone: `| head`

/** What is done for each effect; the members are those of `Effect` and `EffectResult` in doctor/src/effects.rs. */
const performers = {
  http: (effect) => exchange(effect).then(
    (response) => ({ result: "http", ...response }),
    (error) => ({ result: "http-failed", ...failureOf(error) }),
  ),
  read: ({ path: name, max_bytes }) => orFailure(() => {
    const bytes = readUpTo(name === "-" ? 0 : name, max_bytes + 1);
    return bytes.length > max_bytes ? failed(`it is longer than ${max_bytes} bytes`) : { result: "bytes", bytes: bytes.toString("base64") };
  }),
  list: ({ dir }) => orFailure(() => ({
    result: "names",
    names: fs.readdirSync(dir).map((name) => (fs.statSync(path.join(dir, name), { throwIfNoEntry: false })?.isDirectory() ? `${name}/` : name)),
  })),
  env: ({ name }) => textOr(process.env[name]),
  "env-names": () => ({ result: "names", names: Object.keys(process.env) }),
  now: () => ({ result: "time", millis: Date.now() }),
  random: ({ count }) => ({ result: "bytes", bytes: crypto.randomBytes(count).toString("base64") }),
  "generate-key": ({ algorithm }) => {
    const kinds = { EdDSA: ["ed25519", {}], ES256: ["ec", { namedCurve: "P-256" }] };
    if (!Object.hasOwn(kinds, algorithm)) return failed("this program makes no such keys");
    const { kty, crv, x, y, d } = crypto.generateKeyPairSync(...kinds[algorithm]).privateKey.export({ format: "jwk" });
    return { result: "text", text: JSON.stringify({ kty, crv, x, y, d }) };
  },
  "check-signature": ({ algorithm, key, message, signature }) => {
    const holds = verify(algorithm, JSON.parse(key), Buffer.from(message, "base64"), Buffer.from(signature, "base64"));
    return holds === undefined ? { result: "absent" } : { result: "checked", holds };
  },
  print: ({ stream, text }) => new Promise((resolve) => {
    const written = (stream === "out" ? process.stdout : process.stderr).write(text, () => resolve({ result: "done" }));
    return written;
  }),
  prompt: ({ text, secret }) => ask(text, secret),
  write: ({ path: name, text, private: isPrivate }) => orFailure(() => {
    fs.mkdirSync(path.dirname(name), { recursive: true });
    fs.writeFileSync(name, text, isPrivate ? { mode: 0o600 } : {});
    return { result: "done" };
  }),
  sleep: ({ millis }) => new Promise((resolve) => setTimeout(resolve, millis, { result: "done" })),
};

const failed = (message) => ({ result: "failed", message });
const textOr = (text) => (text === undefined ? { result: "absent" } : { result: "text", text });

/** In words that are the same from each carrier. */
function orFailure(act) {
  try {
    return act();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(error.code)) return { result: "absent" };
    const words = { EACCES: "permission is denied", EPERM: "permission is denied", EISDIR: "it is a directory" };
    return failed(words[error.code] ?? "it cannot be used");
  }
}

function readUpTo(file, count) {
  const descriptor = typeof file === "number" ? file : fs.openSync(file);
  const chunks = [];
  try {
    for (let left = count; left > 0; ) {
      const chunk = Buffer.alloc(Math.min(left, 64 * 1024));
      const length = fs.readSync(descriptor, chunk, 0, chunk.length, null);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      left -= length;
    }
  } catch (error) {
    if (error.code !== "EOF") throw error;
  } finally {
    if (descriptor !== file) fs.closeSync(descriptor);
  }
  return Buffer.concat(chunks);
}

/** One request and its response as it came. Not `fetch`: that hides `Host`, TLS and long headers. */
function exchange(effect) {
  const url = new URL(effect.url);
  const started_millis = Date.now();
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? https : http).request(url, optionsOf(effect, url), (response) => {
      const chunks = [];
      let left = effect.max_body_bytes;
      const done = () => {
        clearTimeout(timer);
        const headers = [];
        for (let i = 0; i < response.rawHeaders.length; i += 2) headers.push([response.rawHeaders[i].toLowerCase(), response.rawHeaders[i + 1]]);
        resolve({ status: response.statusCode, headers, body: Buffer.concat(chunks).toString("base64"), started_millis, ended_millis: Date.now() });
      };
      response.on("data", (chunk) => {
        chunks.push(chunk.subarray(0, left));
        left -= Math.min(left, chunk.length);
        if (left === 0) response.destroy();
      });
      response.on("close", done);
      response.on("error", done); // a body that breaks off is a body that was short
    });
    const timer = setTimeout(() => request.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })), effect.timeout_millis);
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(effect.body ?? (effect.method === "POST" ? "" : undefined));
  });
}

function optionsOf(effect, url) {
  const headers = { host: url.host };
  for (const [name, value] of effect.headers) headers[name] = Buffer.from(value).toString("latin1");
  if (effect.method === "POST") headers["content-length"] = Buffer.byteLength(effect.body ?? "");
  const options = { method: effect.method, headers, maxHeaderSize: effect.max_header_bytes, agent: agentFor(effect, url) };
  if (effect.connect !== undefined) {
    const at = effect.connect.lastIndexOf(":");
    options.host = effect.connect.slice(0, at).replace(/^\[|\]$/g, "");
    options.port = effect.connect.slice(at + 1);
    if (url.protocol === "https:") options.servername = url.hostname;
  }
  return options;
}

function agentFor(effect, url) {
  const kind = url.protocol === "https:" ? https : http;
  const ca = (effect.ca_files ?? []).flatMap((file) => orFailure(() => [fs.readFileSync(file)]));
  const options = url.protocol === "https:" ? { ca: [...tls.rootCertificates, ...ca.filter(Buffer.isBuffer)] } : {};
  if (effect.fresh_connection) return new kind.Agent({ ...options, keepAlive: false });
  const name = JSON.stringify([url.protocol, effect.connect, effect.ca_files]);
  if (!agents.has(name)) agents.set(name, new kind.Agent({ ...options, keepAlive: true }));
  return agents.get(name);
}

/** How far a request came, in words that are the same from each carrier. */
function failureOf(error) {
  const code = error.code ?? error.errors?.[0]?.code ?? "";
  const known = {
    ENOTFOUND: ["dns", "not-found"], EAI_AGAIN: ["dns", "temporary"], ECONNREFUSED: ["connect", "refused"],
    EHOSTUNREACH: ["connect", "unreachable"], ENETUNREACH: ["network", "unreachable"], ENETDOWN: ["network", "unreachable"],
    ETIMEDOUT: ["timeout", ""], HPE_HEADER_OVERFLOW: ["headers", ""], CERT_HAS_EXPIRED: ["tls", "expired"],
    CERT_NOT_YET_VALID: ["tls", "not-yet-valid"], ERR_TLS_CERT_ALTNAME_INVALID: ["tls", "name-mismatch"],
  };
  if (Object.hasOwn(known, code)) return { phase: known[code][0], kind: known[code][1] };
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/.test(code)) return { phase: "tls", kind: "untrusted" };
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return { phase: "tls", kind: "protocol" };
  return { phase: "http", kind: code.startsWith("HPE_") ? "malformed" : "closed" };
}

function verify(algorithm, key, message, signature) {
  const hash = { EdDSA: null, ES256: "sha256", ES384: "sha384", ES512: "sha512", RS256: "sha256", RS384: "sha384", RS512: "sha512", PS256: "sha256", PS384: "sha384", PS512: "sha512" };
  if (!Object.hasOwn(hash, algorithm)) return undefined;
  const padding = algorithm.startsWith("PS") ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST } : {};
  try {
    const options = { key: crypto.createPublicKey({ key, format: "jwk" }), dsaEncoding: "ieee-p1363", ...padding };
    return crypto.verify(hash[algorithm], message, options, signature);
  } catch {
    return undefined;
  }
}

/** Asks, where there is a terminal; what is secret is not shown. */
function ask(text, secret) {
  if (!process.stdin.isTTY) return { result: "absent" };
  const terminal = readline.createInterface({ input: process.stdin, output: process.stderr, terminal: true });
  return new Promise((resolve) => {
    terminal.question(text, (typed) => {
      terminal.close();
      if (secret) process.stderr.write("\n");
      resolve({ result: "text", text: typed });
    });
    if (secret) terminal._writeToOutput = () => {};
    terminal.on("SIGINT", () => (terminal.close(), interrupt()));
  });
}

const program = new Doorward(JSON.stringify({
  args: process.argv.slice(2),
  out_is_terminal: Boolean(process.stdout.isTTY),
  err_is_terminal: Boolean(process.stderr.isTTY),
}));
let step = JSON.parse(program.start());
while (step.exit === undefined) {
  const interrupted = new Promise((resolve) => (interrupt = () => resolve({ result: "interrupted" })));
  const result = await Promise.race([performers[step.effect](step), interrupted]);
  step = JSON.parse(program.resume(JSON.stringify(result)));
}
process.exit(step.exit);
