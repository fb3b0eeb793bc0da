// Metrics: what the engine counts, as text for whoever scrapes it, and for OpenTelemetry. All names, labels and numbers are the
// engine's (docs/reference/metrics.md); here is only who gets them.

import { isFlag, isObject, isText } from "./options.js";

const encoder = new TextEncoder();

/** A shorter token could be guessed. Bytes. */
const LEAST_TOKEN = 32;
const TOKEN = "DOORWARD_METRICS_TOKEN";

/** The text format of Prometheus. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What the option `metrics` must be. `port` is for hosts that can listen. */
export const METRICS = [
  (value) => isFlag(value) || (isObject(value) && Object.entries(value).every(([name, one]) => isRight(name, one))),
  "true, or an object with `path` (like /metrics) or, in doorward/node, `port`",
];

function isRight(name, value) {
  if (value === undefined) return ["path", "port"].includes(name);
  if (name === "path") return isText(value) && /^\/[^?#\s]*$/.test(value);
  return name === "port" && Number.isInteger(value) && value >= 0 && value <= 65_535;
}

/** What runs the gate, as a label says it. */
export function runtimeName() {
  const agent = globalThis.navigator?.userAgent ?? "";
  if (typeof globalThis.EdgeRuntime === "string") return "edge-light";
  if (agent === "Cloudflare-Workers") return "workerd";
  if (globalThis.Deno) return "deno";
  return globalThis.Bun ? "bun" : "node";
}

/** What the text ends with: requests that were answered without an engine, which therefore has not counted them. */
export const lostText = (lost) => `# TYPE doorward_not_started_total counter\ndoorward_not_started_total ${lost}\n`;

/** The text where there is no engine to ask for it: the same as `doorward::prometheus_without_engine`, but for the version. */
export function textWithout(host, errors) {
  return [
    `# TYPE doorward_config_errors gauge\ndoorward_config_errors ${errors}\n`,
    "# TYPE doorward_started gauge\ndoorward_started 0\n",
    `# TYPE doorward_build_info gauge\ndoorward_build_info{host="${host}"} 1\n`,
  ].join("");
}

/**
 * The answer to a request for the metrics; nothing where it is for something else.
 *
 * @param {{ method: string, target: string, headers: Iterable<[string, string]> }} head
 * @param {string | undefined} path
 * @param {() => Record<string, unknown>} env
 * @param {() => string} text
 */
export function scraped(head, path, env, text) {
  if (path === undefined || head.target?.split("?", 1)[0] !== path) return undefined;
  if (head.method !== "GET" && head.method !== "HEAD") return said(405, "only GET\n", [["allow", "GET, HEAD"]]);
  const token = env()[TOKEN];
  if (!isText(token) || encoder.encode(token).length < LEAST_TOKEN) {
    return said(503, `${TOKEN} is missing, or has less than ${LEAST_TOKEN} bytes\n`);
  }
  const lines = [...head.headers].filter(([name]) => name.toLowerCase() === "authorization");
  const [scheme, given, ...more] = (lines.length === 1 ? lines[0][1] : "").split(" ");
  const isBearer = scheme.toLowerCase() === "bearer" && more.length === 0;
  if (!areSame(isBearer ? (given ?? "") : "", token)) {
    return said(401, `Authorization: Bearer with the value of ${TOKEN}\n`, [["www-authenticate", "Bearer"]]);
  }
  return said(200, text(), [], CONTENT_TYPE);
}

/** Compares in a time that depends on what was given, and not on where it differs. */
function areSame(given, token) {
  const [one, other] = [given, token].map((value) => encoder.encode(value));
  let differs = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) differs |= one[at] ^ other[at % other.length];
  return differs === 0;
}

function said(status, body, headers = [], type = "text/plain; charset=utf-8") {
  const all = [["content-type", type], ["cache-control", "no-store"], ...headers];
  return { kind: "answer", status, headers: all, body, reason: undefined, log: undefined };
}

/** Where every copy of `@opentelemetry/api` 1.x keeps what is registered (its `internal/global-utils`). */
const GLOBAL = Symbol.for("opentelemetry.js.api.1");

/** What is observed when somebody collects: Prometheus' names, which OpenTelemetry writes with dots. */
const COUNTERS = [
  "doorward_decisions_total",
  "doorward_credentials_total",
  "doorward_would_refuse_total",
  "doorward_loops_total",
  "doorward_paths_refused_total",
  "doorward_effects_total",
  "doorward_cache_lookups_total",
  "doorward_unknown_kid_total",
  "doorward_renewals_total",
  "doorward_series_dropped_total",
  "doorward_not_started_total",
];
const GAUGES = [
  "doorward_keys_age_seconds",
  "doorward_keys",
  "doorward_keys_ignored",
  "doorward_keys_failed_fetches",
  "doorward_deny_list_age_seconds",
  "doorward_deny_list_entries",
  "doorward_deny_list_failed_fetches",
  "doorward_clock_difference_seconds",
  "doorward_config_errors",
  "doorward_started",
  "doorward_build_info",
];
/** The bounds of the engine's own classes. Seconds. */
const BOUNDS = [0.000025, 0.0001, 0.00025, 0.001, 0.005, 0.025, 0.1, 0.25, 1, 3];

const dotted = (name) => name.replace(/_(total|seconds)$/, "").replaceAll("_", ".");
const unitOf = (name) => (name.endsWith("_seconds") ? { unit: "s" } : {});

/**
 * Follows the global meter provider of OpenTelemetry: nothing happens before there is one.
 *
 * @param {() => string} text
 * @returns {(name: "decision" | "effect", seconds: number, attributes: Record<string, string>) => void} takes a duration; 0 where the clock stands still
 */
export function observed(text) {
  let histograms;
  return (name, seconds, attributes) => {
    try {
      histograms ??= registered(text);
      if (seconds > 0) histograms?.[name].record(seconds, attributes);
    } catch {
      // Who collects decides nothing.
    }
  };
}

function registered(text) {
  const provider = globalThis[GLOBAL]?.metrics;
  if (!provider) return undefined;
  const meter = provider.getMeter("doorward");
  const histogram = (name) => meter.createHistogram(`doorward.${name}.duration`, { unit: "s", advice: { explicitBucketBoundaries: BOUNDS } });
  const instruments = new Map([
    ...COUNTERS.map((name) => [name, meter.createObservableCounter(dotted(name), unitOf(name))]),
    ...GAUGES.map((name) => [name, meter.createObservableGauge(dotted(name), unitOf(name))]),
  ]);
  const observe = (result) => {
    for (const { name, labels, value } of samplesOf(text())) {
      const instrument = instruments.get(name);
      if (instrument) result.observe(instrument, value, labels);
    }
  };
  meter.addBatchObservableCallback(observe, [...instruments.values()]);
  return { decision: histogram("decision"), effect: histogram("effect") };
}

/** The samples of the engine's text. */
export function* samplesOf(text) {
  for (const line of text.split("\n")) {
    const [, name, , pairs = "", value] = /^(\w+)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = {};
    for (const [, label, quoted] of pairs.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[label] = quoted.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
    }
    yield { name, labels, value: Number(value) };
  }
}
