// Effects of doctor/src/effects.rs on Node: files, variables, keys, the terminal. Each gives an
// `EffectResult`, in words that are the same from each carrier.

import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import * as zlib from "node:zlib";

import { load } from "./computer.mjs";
import { exchange } from "./http.mjs";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => {}); // whoever reads has gone: `| head`
}

/** Performs an effect. `interrupt` is called where a person interrupts a question. */
export async function perform(effect, interrupt) {
  const performer = performers[effect.effect];
  return performer ? performer(effect, interrupt) : failed("this program cannot do that");
}

const performers = {
  http: exchange,
  read: ({ path: name, max_bytes }) =>
    orFailure(() => {
      const bytes = readUpTo(name, max_bytes + 1);
      if (bytes.length > max_bytes) return failed(`it is longer than ${max_bytes} bytes`);
      return { result: "bytes", bytes: bytes.toString("base64") };
    }),
  list: ({ dir }) =>
    orFailure(() => ({
      result: "names",
      names: fs.readdirSync(dir).map((name) => name + (isFolder(path.join(dir, name)) ? "/" : "")),
    })),
  env: ({ name }) => {
    const text = process.env[name];
    return text === undefined ? { result: "absent" } : { result: "text", text };
  },
  "env-names": () => ({ result: "names", names: Object.keys(process.env) }),
  "load-functions": async () => {
    await load();
    return { result: "done" };
  },
  page: () =>
    orFailure(() => {
      const part = (name) => fs.readFileSync(new URL(`../wasm/${name}`, import.meta.url));
      const modules = {
        "@@cli.wasm@@": () => zlib.brotliDecompressSync(part("cli.wasm.br")),
        "@@gate.wasm@@": () => part("doorward_bg.wasm"),
      };
      const marks = /@@(cli|gate)\.wasm@@/g;
      const text = part("page.html").toString().replace(marks, (mark) => modules[mark]().toString("base64"));
      return { result: "text", text };
    }),
  now: () => ({ result: "time", millis: Date.now() }),
  random: ({ count }) => ({ result: "bytes", bytes: crypto.randomBytes(count).toString("base64") }),
  "generate-key": ({ algorithm }) => {
    const pair = pairs[algorithm]?.();
    if (pair === undefined) return failed("this program makes no such keys");
    const { kty, crv, x, y, d } = pair.privateKey.export({ format: "jwk" });
    return { result: "text", text: JSON.stringify({ kty, crv, x, y, d }) };
  },
  "check-signature": ({ algorithm, key, message, signature }) => {
    const [input, mark] = [message, signature].map((text) => Buffer.from(text, "base64"));
    const holds = verify(algorithm, key, input, mark);
    return holds === undefined ? { result: "absent" } : { result: "checked", holds };
  },
  print: ({ stream, text }) =>
    new Promise((resolve) => {
      const to = stream === "out" ? process.stdout : process.stderr;
      to.write(text, () => resolve({ result: "done" }));
    }),
  prompt: ask,
  write: ({ path: name, text, private: isPrivate }) =>
    orFailure(() => {
      fs.mkdirSync(path.dirname(name), { recursive: true });
      fs.writeFileSync(name, text, isPrivate ? { mode: 0o600 } : {});
      return { result: "done" };
    }),
  sleep: ({ millis }) => new Promise((resolve) => setTimeout(resolve, millis, { result: "done" })),
};

const failed = (message) => ({ result: "failed", message });

const pairs = {
  EdDSA: () => crypto.generateKeyPairSync("ed25519"),
  ES256: () => crypto.generateKeyPairSync("ec", { namedCurve: "P-256" }),
};

const WORDS = {
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EISDIR: "it is a directory",
};

function orFailure(act) {
  try {
    return act();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(error.code)) return { result: "absent" };
    return failed(WORDS[error.code] ?? "it cannot be used");
  }
}

function isFolder(name) {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The beginning of a file; `-` is standard input. */
function readUpTo(name, count) {
  const descriptor = name === "-" ? 0 : fs.openSync(name);
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
    if (descriptor !== 0) fs.closeSync(descriptor);
  }
  return Buffer.concat(chunks);
}

const HASHES = { EdDSA: null, ES256: "sha256", ES384: "sha384", ES512: "sha512", RS256: "sha256" };
Object.assign(HASHES, { RS384: "sha384", RS512: "sha512" });
Object.assign(HASHES, { PS256: "sha256", PS384: "sha384", PS512: "sha512" });

const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = crypto.constants;
const PSS = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };

/** Whether a JWS signature holds; nothing where it cannot be told. */
function verify(algorithm, jwk, message, signature) {
  if (!Object.hasOwn(HASHES, algorithm)) return undefined;
  try {
    const key = crypto.createPublicKey({ key: JSON.parse(jwk), format: "jwk" });
    const padding = algorithm.startsWith("PS") ? PSS : {};
    const options = { key, dsaEncoding: "ieee-p1363", ...padding };
    return crypto.verify(HASHES[algorithm], message, options, signature);
  } catch {
    return undefined;
  }
}

/** Asks, where there is a terminal; what is secret is not shown. */
function ask({ text, secret }, interrupt) {
  if (!process.stdin.isTTY) return { result: "absent" };
  const streams = { input: process.stdin, output: process.stderr, terminal: true };
  const terminal = readline.createInterface(streams);
  return new Promise((resolve) => {
    terminal.on("SIGINT", () => {
      terminal.close();
      interrupt();
    });
    terminal.question(text, (typed) => {
      terminal.close();
      if (secret) process.stderr.write("\n");
      resolve({ result: "text", text: typed });
    });
    if (secret) terminal._writeToOutput = () => {};
  });
}
