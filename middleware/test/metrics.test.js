import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { test } from "node:test";

import { metrics as api } from "@opentelemetry/api";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";

import { createGate } from "doorward";
import { middleware } from "doorward/node";
import { samplesOf } from "../metrics.js";
import { NOW, config, newIssuer, request, serve } from "./support.js";

const TOKEN = "metrics-token-of-at-least-32-bytes";
const env = { DOORWARD_METRICS_TOKEN: TOKEN };
const quiet = { env, log: () => {}, now: () => NOW };

/** A gate whose auth service has these keys, and nothing else. */
function gateWith(options, keySet = "{}") {
  const fetch = async (url) => (url.endsWith("/jwks") ? new Response(keySet) : new Response("", { status: 500 }));
  return createGate({ ...quiet, config, fetch, ...options });
}

const next = async () => new Response("passed");
const samples = (text) => [...samplesOf(text)];
const valueOf = (text, name, wanted = {}) =>
  samples(text)
    .filter((sample) => sample.name === name && Object.entries(wanted).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);

/** The origin of a server of this test. */
const serving = async (t, listener) => (await serve(t, listener)).origin;

function get(url, headers = {}, method = "GET") {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false }, async (res) => {
      let body = "";
      for await (const chunk of res) body += chunk;
      resolve({ status: res.statusCode, type: res.headers["content-type"], body });
    });
    req.on("error", reject).end();
  });
}

test("what passes and what is refused is counted, with what was asked for", async () => {
  const { keySet, token } = await newIssuer();
  const gate = gateWith({ metrics: true }, keySet);
  const good = { authorization: `Bearer ${token}` };
  for (const headers of [good, good, {}, { authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` }]) {
    await gate.handle(request("/app", headers), next);
  }
  const text = gate.metrics();
  const counted = [
    ["doorward_decisions_total", { outcome: "forward", rule: "/**", mode: "enforce" }, 2],
    ["doorward_decisions_total", { outcome: "refuse", reason: "no_credential", kind: "fetch" }, 1],
    ["doorward_decisions_total", { outcome: "refuse", reason: "signature_invalid" }, 1],
    ["doorward_credentials_total", { credential: "jwt", verdict: "good" }, 2],
    ["doorward_credentials_total", { credential: "jwt", verdict: "signature_invalid" }, 1],
    ["doorward_effects_total", { purpose: "keys", outcome: "ok" }, 1],
    ["doorward_cache_lookups_total", { cache: "verified", result: "hit" }, 1],
    ["doorward_cache_lookups_total", { cache: "verified", result: "miss" }, 2],
    ["doorward_keys", {}, 1],
    ["doorward_started", {}, 1],
    ["doorward_config_errors", {}, 0],
    ["doorward_build_info", { host: "node", version: "0.1.0" }, 1],
    ["doorward_effect_duration_seconds_count", { purpose: "keys" }, 1],
    ["doorward_decision_duration_seconds_count", { via: "lookup" }, 1],
    ["doorward_not_started_total", {}, 0],
  ];
  for (const [name, labels, expected] of counted) assert.equal(valueOf(text, name, labels), expected, `${name} ${JSON.stringify(labels)}\n${text}`);
  const decided = valueOf(text, "doorward_decision_duration_seconds_count");
  assert.equal(decided, 4, text);
  assert.ok(!text.includes(token) && !text.includes("user-1"), "no text of a token");
});

test("without the option nothing is counted", async () => {
  const gate = gateWith({});
  await gate.handle(request("/app"), next);
  assert.equal(valueOf(gate.metrics(), "doorward_decisions_total"), 0);
});

test("the path gives the text to whoever has the token, and to no other", async (t) => {
  const application = (req, res) => res.end("the application");
  const doorward = middleware({ ...quiet, config, metrics: { path: "/metrics" } });
  const origin = await serving(t, (req, res) => doorward(req, res, () => application(req, res)));
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  const rows = [
    ["/metrics", bearer(TOKEN), 200],
    ["/metrics?x=1", { authorization: `bearer ${TOKEN}` }, 200],
    ["/metrics", {}, 401],
    ["/metrics", bearer(""), 401],
    ["/metrics", bearer(TOKEN.slice(1)), 401],
    ["/metrics", bearer(`${TOKEN}x`), 401],
    ["/metrics", bearer(TOKEN + TOKEN), 401],
    ["/metrics", bearer(`${TOKEN.slice(0, -1)}x`), 401],
    ["/metrics", { authorization: `Basic ${TOKEN}` }, 401],
    ["/metrics", { authorization: [`Bearer ${TOKEN}`, "Bearer x"] }, 401],
    // Any other spelling is a request like all others.
    ["/metrics/", bearer(TOKEN), 401],
    ["/Metrics", bearer(TOKEN), 401],
  ];
  for (const [path, headers, status] of rows) {
    const answer = await get(`${origin}${path}`, headers);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
    assert.equal(answer.body.includes("doorward_build_info"), status === 200, path);
    assert.ok(!answer.body.includes(TOKEN));
  }
  const answer = await get(`${origin}/metrics`, bearer(TOKEN));
  assert.equal(answer.type, "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(valueOf(answer.body, "doorward_decisions_total"), 2, "the scrapes themselves are no requests");
  assert.equal((await get(`${origin}/metrics`, bearer(TOKEN), "POST")).status, 405);
  console.log(`${rows.length} rows`);
});

test("without a token of 32 bytes nobody gets the text by the path", async () => {
  for (const token of [undefined, "", "x".repeat(31), 1]) {
    const gate = gateWith({ env: { DOORWARD_METRICS_TOKEN: token }, metrics: { path: "/metrics" } });
    const response = await gate.handle(request("/metrics", { authorization: `Bearer ${token ?? ""}` }), next);
    assert.equal(response.status, 503, String(token));
    assert.match(await response.text(), /DOORWARD_METRICS_TOKEN is missing/);
  }
});

test("a gate that has not started says so, by the path and by the port", async (t) => {
  const log = [];
  const port = await freePort();
  const broken = { ...config, rules: [{ path: "no slash", access: "sometimes" }] };
  const doorward = middleware({ ...quiet, log: (line) => log.push(line), config: broken, metrics: { path: "/metrics", port } });
  const origin = await serving(t, (req, res) => doorward(req, res, () => res.end("passed")));
  const errors = () => log.filter((line) => line.includes("config_error")).length;
  const byPort = await get(`http://127.0.0.1:${port}/metrics`);
  const byPath = await get(`${origin}/metrics`, { authorization: `Bearer ${TOKEN}` });
  for (const { status, body } of [byPort, byPath]) {
    assert.equal(status, 200);
    assert.equal(valueOf(body, "doorward_started"), 0);
    assert.equal(valueOf(body, "doorward_config_errors"), errors());
    assert.equal(valueOf(body, "doorward_build_info", { host: "node" }), 1);
  }
  assert.ok(errors() > 1, log.join("\n"));
  assert.equal((await get(`${origin}/app`)).status, 503);
  assert.equal(valueOf((await get(`http://127.0.0.1:${port}/metrics`)).body, "doorward_not_started_total"), 1);
  for (const [path, headers, status] of [["/", {}, 404], ["/metrics", { host: "evil.example" }, 403]]) {
    assert.equal((await get(`http://127.0.0.1:${port}${path}`, headers)).status, status, path);
  }
});

test("a port that is taken is said, and the gate goes on", async (t) => {
  const log = [];
  const taken = await serving(t, (req, res) => res.end());
  const doorward = middleware({ ...quiet, log: (line) => log.push(line), config, metrics: { port: Number(new URL(taken).port) } });
  const origin = await serving(t, (req, res) => doorward(req, res, () => res.end("passed")));
  assert.equal((await get(`${origin}/open/a`)).body, "passed");
  assert.match(log.find((line) => line.includes("metrics.port")) ?? "", /EADDRINUSE/);
});

test("what is no option is a TypeError", () => {
  for (const metrics of [1, "yes", [], { path: "metrics" }, { path: "/a?b" }, { port: -1 }, { port: "1" }, { other: 1 }]) {
    assert.throws(() => middleware({ ...quiet, config, metrics }), TypeError, JSON.stringify(metrics));
  }
  assert.throws(() => gateWith({ metrics: { port: 1 } }), /metrics.port/);
});

test("the global meter provider of OpenTelemetry is told the same", async () => {
  const { keySet, token } = await newIssuer();
  const gate = gateWith({ metrics: true }, keySet);
  // One that is registered after the gate was made is found as well.
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  assert.ok(api.setGlobalMeterProvider(new MeterProvider({ readers: [reader] })));
  try {
    await gate.handle(request("/app", { authorization: `Bearer ${token}` }), next);
    await gate.handle(request("/app"), next);
    await reader.forceFlush();
    const told = exporter.getMetrics().at(-1).scopeMetrics.find(({ scope }) => scope.name === "doorward").metrics;
    const points = (name) => told.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    const byOutcome = Object.fromEntries(points("doorward.decisions").map(({ attributes, value }) => [attributes.outcome, value]));
    assert.deepEqual(byOutcome, { forward: 1, refuse: 1 });
    assert.equal(points("doorward.started")[0].value, 1);
    assert.equal(points("doorward.keys.age")[0].value, 0);
    assert.equal(points("doorward.decision.duration").reduce((sum, { value }) => sum + value.count, 0), 2);
    assert.equal(points("doorward.effect.duration")[0].attributes.purpose, "keys");
    assert.equal(told.find(({ descriptor }) => descriptor.name === "doorward.keys.age").descriptor.unit, "s");
  } finally {
    api.disable();
    await reader.shutdown();
  }
});

test("every name that the page has is observed, and no other", async () => {
  const page = await readFile(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");
  const named = new Set([...page.matchAll(/^\| `(doorward_\w+)`/gm)].map(([, name]) => name));
  const source = await readFile(new URL("../metrics.js", import.meta.url), "utf8");
  const observed = new Set([...source.matchAll(/^ {2}"(doorward_\w+)",$/gm)].map(([, name]) => name));
  const histograms = ["doorward_decision_duration_seconds", "doorward_effect_duration_seconds"];
  assert.ok(observed.size > 20);
  assert.deepEqual([...observed, ...histograms].sort(), [...named].sort());
});

test("labels come out of the text as they went in", () => {
  const text = 'a_total{rule="/a \\"b\\"\\\\\\n{,}",issuer="x"} 2\nb 3\n# TYPE c counter\n';
  assert.deepEqual(samples(text), [
    { name: "a_total", labels: { rule: '/a "b"\\\n{,}', issuer: "x" }, value: 2 },
    { name: "b", labels: {}, value: 3 },
  ]);
});

async function freePort() {
  const server = http.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
