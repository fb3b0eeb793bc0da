// What the server shows besides decisions, as a proxy of its own: streams and WebSockets that end, reload, limits, TLS, metrics, its end.

import http2 from "node:http2";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { freePort, isUp, send } from "./world.mjs";

const TLS = ["cert", "key"].map((name) => fileURLToPath(new URL(`./tls-${name}.pem`, import.meta.url)));
const HANDSHAKE = [["Connection", "Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"], ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="]];
const bearer = (token) => [["Authorization", `Bearer ${token}`]];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns {AsyncGenerator<[string, string | undefined]>} */
export async function* serverChecks({ app, folder, start, jwt, now }) {
  const origin = ["--upstream", `http://127.0.0.1:${app.port}`];
  const [port, metrics, secure] = [await freePort(), await freePort(), await freePort()];
  const public_ = ["--public-origin", `http://127.0.0.1:${port}`];
  const options = [...origin, ...public_, "--listen", `127.0.0.1:${port}`, "--metrics", `127.0.0.1:${metrics}`, "--health", "/healthz", "--max-body", "100000", "--drain", "5"];
  const gate = start(folder, options);
  await isUp(port);
  const is = (what, right, otherwise) => [what, right ? undefined : String(otherwise)];
  try {
    yield* limits({ port, metrics, app, is, token: jwt({}) });
    yield* connections({ port, is, jwt, now });
    yield* reloads({ port, folder, gate, is, token: jwt({}) });
    yield* stops({ port, gate, is, token: jwt({}) });
  } finally {
    await gate.stop();
  }
  yield* overTls({ port: secure, folder, start, origin, is, token: jwt({}) });
  yield* doesNotStart({ folder, start, origin, is });
}

async function* limits({ port, metrics, app, is, token }) {
  const health = await send(port, { target: "/healthz" });
  yield is("health", health.status === 200 && health.body === "ok\n", `${health.status} ${health.body}`);
  let before = app.seen.length;
  const large = await send(port, { method: "POST", target: "/dash", headers: bearer(token), body: Buffer.alloc(100_001) });
  yield is("a body above the limit, by its length", large.status === 413 && app.seen.length === before, large.status);
  const chunk = "x".repeat(60_000);
  const body = Buffer.from([1, 2].map(() => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("") + "0\r\n\r\n");
  const chunked = await send(port, { method: "POST", target: "/dash", headers: [...bearer(token), ["Transfer-Encoding", "chunked"], ["Connection", "close"]], rawBody: body });
  yield is("a body above the limit, in chunks", chunked.status === 413 && app.seen.length === before, `${chunked.status}, ${app.seen.length - before}`);
  const head = await send(port, { target: "/public/x", headers: [["X-Large", "x".repeat(120_000)]] });
  yield is("a head above the limit", [431, 0].includes(head.status) && app.seen.length === before, head.status);
  before = app.seen.length;
  const smuggled = await send(port, { method: "POST", target: "/public/x", headers: [["Content-Length", "5"], ["Transfer-Encoding", "chunked"], ["Connection", "close"]], rawBody: Buffer.from("0\r\n\r\nGET /dash HTTP/1.1\r\nHost: x\r\n\r\n") });
  yield is("two framings of one body", !app.seen.slice(before).some(({ url }) => url === "/dash"), smuggled.status);
  const scraped = await send(metrics, { target: "/metrics", host: `127.0.0.1:${metrics}` });
  yield is("metrics", scraped.status === 200 && scraped.body.includes('doorward_decisions_total{outcome="forward"'), scraped.body.slice(0, 200));
  const foreign = await send(metrics, { target: "/metrics", host: "evil.test" });
  yield is("metrics by a foreign name", foreign.status === 403, foreign.status);
}

async function* connections({ port, is, jwt, now }) {
  const soon = () => jwt({ exp: Math.floor(Date.now() / 1000) + 2 });
  let began = Date.now();
  const socket = await send(port, { target: "/dash", headers: [...HANDSHAKE, ...bearer(soon())], until: () => false, ms: 12_000 });
  const close = socket.rest.subarray(socket.rest.lastIndexOf(0x88));
  const lived = (Date.now() - began) / 1000;
  yield is("a WebSocket ends with its token, by a Close frame", socket.status === 101 && close.readUInt16BE(2) === 4401 && lived < 11, `${socket.status} ${close.toString("hex")} ${lived}`);
  began = Date.now();
  const stream = await send(port, { target: "/events", headers: [...bearer(soon())], until: (all) => all.subarray(-5).toString() === "0\r\n\r\n", ms: 12_000 });
  const streamed = (Date.now() - began) / 1000;
  yield is("an event stream ends with its token", stream.status === 200 && stream.body.startsWith("data: x") && streamed < 11, `${stream.status} ${streamed}`);
}

async function* reloads({ port, folder, gate, is, token }) {
  const file = path.join(folder, "doorward.json");
  const text = readFileSync(file, "utf8");
  const config = JSON.parse(text);
  const status = async () => (await send(port, { target: "/pricing" })).status;
  yield is("before a reload", (await status()) === 401, await status());
  writeFileSync(file, text.slice(0, -5));
  await wait(3500);
  const kept = gate.said().includes("config_kept") && gate.said().includes("config_error");
  yield is("a wrong configuration is refused, and said", kept && (await status()) === 401, `${await status()} ${gate.said().slice(-500)}`);
  const open = send(port, { target: "/later", headers: [...HANDSHAKE, ...bearer(token)], until: () => false, ms: 8000 });
  config.rules[0].path.push("/pricing");
  config.rules.splice(2, 0, { path: "/later", access: "required", claims: { role: "nobody" } });
  writeFileSync(file, JSON.stringify(config));
  await wait(3500);
  yield is("a right one counts", (await status()) === 200, await status());
  const closed = await open;
  const frame = closed.rest.subarray(closed.rest.lastIndexOf(0x88));
  yield is("open connections are decided on anew", closed.status === 101 && frame.length > 4 && frame.readUInt16BE(2) === 4401, `${closed.status} ${frame.toString("hex")}`);
  writeFileSync(file, text);
  gate.signal("SIGHUP");
  await wait(1000);
  yield is("SIGHUP", (await status()) === 401, await status());
}

async function* stops({ port, gate, is, token }) {
  const began = Date.now();
  const socket = send(port, { target: "/dash", headers: [...HANDSHAKE, ...bearer(token)], until: () => false, ms: 8000 });
  const slow = send(port, { method: "POST", target: "/dash", headers: [...bearer(token), ["Content-Length", "4"], ["Connection", "close"]], slowBody: Buffer.from("body"), ms: 8000 });
  await wait(300);
  gate.signal("SIGTERM");
  const [closed, answered] = [await socket, await slow];
  await gate.ended;
  const took = (Date.now() - began) / 1000;
  const frame = closed.rest.subarray(closed.rest.lastIndexOf(0x88));
  yield is("what has begun is finished at the end", answered.status === 200, answered.status);
  yield is("a WebSocket hears that the server goes", closed.status === 101 && frame.length > 4 && frame.readUInt16BE(2) === 1001, `${closed.status} ${frame.toString("hex")}`);
  yield is("the end is in time", took < 5, took);
}

async function* overTls({ port, folder, start, origin, is, token }) {
  const address = `https://127.0.0.1:${port}`;
  const gate = start(folder, [...origin, "--listen", `127.0.0.1:${port}`, "--public-origin", address, "--tls-cert", TLS[0], "--tls-key", TLS[1]]);
  await isUp(port);
  try {
    const session = http2.connect(address, { ca: readFileSync(TLS[0]) });
    const ask = (headers) =>
      new Promise((resolve, reject) => {
        const request = session.request({ ":path": "/dash", ...headers });
        let [status, body] = [0, ""];
        request.on("response", (head) => (status = head[":status"])).on("error", reject);
        request.on("data", (chunk) => (body += chunk)).on("end", () => resolve({ status, body }));
        request.end();
      });
    const user = await ask({ authorization: `Bearer ${token}`, "x-doorward-subject": "forged" });
    const headers = JSON.parse(user.body || "{}").headers ?? [];
    yield is("HTTP/2 with a token", user.status === 200 && headers.includes("u1") && !headers.includes("forged") && headers.includes("https"), user.body);
    const anonymous = await ask({});
    yield is("HTTP/2 of the anonymous", anonymous.status === 401, anonymous.status);
    const two = await ask({ authorization: `Bearer ${token}`, ":authority": `127.0.0.1:${port}`, host: "evil.test" });
    yield is("HTTP/2 with two names of the host", two.status === 400, two.status);
    session.close();
  } finally {
    await gate.stop();
  }
}

async function* doesNotStart({ folder, start, origin, is }) {
  const cases = [
    ["forward-auth without a public origin", ["--verify", "nginx"]],
    ["forward-auth for everybody without a secret", ["--verify", "nginx", "--public-origin", "https://a.test", "--listen", "0.0.0.0:0"]],
    ["metrics for everybody without a token", [...origin, "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"]],
    ["a configuration that is not there", [...origin, "--listen", "127.0.0.1:0", "--config", "nowhere.json"]],
  ];
  for (const [what, args] of cases) {
    const gate = start(folder, args);
    const code = await Promise.race([gate.ended, wait(4000)]);
    await gate.stop();
    yield is(`does not start: ${what}`, code === 1 && gate.said().includes("doorward: error:"), `${code} ${gate.said()}`);
  }
}
