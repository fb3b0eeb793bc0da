// What the Worker counts, where the deployment wants to know: points of Analytics Engine, or lines of the log.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

/** The Worker with a dataset that shows its points. Workerd's own would keep them to itself. */
const shown = `
import worker from "./worker.js";
const points = [];
const DOORWARD_ANALYTICS = { writeDataPoint: (point) => points.push(point) };
export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/points") return Response.json(points);
    return worker.fetch(request, { ...env, DOORWARD_ANALYTICS }, context);
  },
};`;

const pointsOf = async (gate) => (await fetch(`${gate.origin}/points`)).json();

/** What is written some seconds after the first request. */
async function written(gate, name) {
  let points = [];
  const is = async () => {
    points = await pointsOf(gate);
    return points.some(({ indexes }) => indexes[0] === name);
  };
  await eventually(is, `there is a point ${name}`);
  return points;
}

test("what was decided is written as points, once, and together", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: variables(origin, auth), entry: shown });
  const cookie = sessionCookies();
  for (const headers of [{ cookie }, { cookie }, {}, { authorization: "Bearer a.b.c" }]) {
    await (await fetch(`${gate.origin}/api/me`, { headers, redirect: "manual" })).text();
  }
  assert.deepEqual(await pointsOf(gate), [], "not with each request");
  const points = await written(gate, "doorward_decisions_total");
  for (const { indexes, blobs, doubles } of points) {
    assert.equal(indexes.length, 1);
    assert.equal(blobs[0], indexes[0]);
    assert.ok(blobs.length <= 20 && doubles.length === 1 && Number.isFinite(doubles[0]), JSON.stringify(blobs));
  }
  const decisions = points.filter(({ indexes }) => indexes[0] === "doorward_decisions_total");
  const byReason = Object.fromEntries(decisions.map(({ blobs: [, outcome, reason], doubles }) => [`${outcome} ${reason}`, doubles[0]]));
  assert.deepEqual(byReason, { "forward ": 2, "refuse no_credential": 1, "refuse token_malformed": 1 });
  const valueOf = (name) => points.find(({ indexes }) => indexes[0] === name)?.doubles[0];
  assert.equal(valueOf("doorward_started"), 1);
  const build = points.find(({ indexes }) => indexes[0] === "doorward_build_info");
  assert.deepEqual(build.blobs.slice(0, 2), ["doorward_build_info", "worker"]);
  const told = JSON.stringify(points);
  assert.ok(!told.includes(cookie.split("=")[1].slice(0, 20)), "no text of a cookie");
  // The next request begins the next time of waiting, and only what is new is written.
  const before = points.length;
  await (await fetch(`${gate.origin}/api/me`, { headers: { cookie } })).text();
  await eventually(async () => (await pointsOf(gate)).length > before, "what is new is written");
  const again = (await pointsOf(gate)).slice(before).filter(({ indexes }) => indexes[0] === "doorward_decisions_total");
  assert.deepEqual(again.map(({ doubles }) => doubles[0]), [1]);
});

test("without a dataset the log has it, where DOORWARD_METRICS says so", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const gate = await startGate(t, { bindings: { ...variables(origin, auth), DOORWARD_METRICS: "log" } });
  await (await fetch(`${gate.origin}/api/me`, { redirect: "manual" })).text();
  const log = await gate.logged(/"event":"metrics"/);
  const line = log.split("\n").find((one) => one.includes('"event":"metrics"'));
  const { measured, gate: name } = JSON.parse(line.slice(line.indexOf("{")));
  assert.equal(name, "doorward");
  const decided = measured.find((one) => one.name === "doorward_decisions_total");
  assert.equal(decided.value, 1);
  assert.equal(decided.labels.reason, "no_credential");
});

test("a configuration with mistakes is written at once", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const DOORWARD = JSON.stringify({ rules: [{ path: "no slash", access: "sometimes" }] });
  const gate = await startGate(t, { bindings: { ...variables(origin, auth), DOORWARD }, entry: shown });
  assert.equal((await fetch(`${gate.origin}/api/me`)).status, 503);
  const errors = (await gate.logged("config_error")).split('"event":"config_error"').length - 1;
  const points = await pointsOf(gate);
  assert.deepEqual(points.map(({ indexes }) => indexes[0]), ["doorward_config_errors"]);
  assert.ok(points[0].doubles[0] >= errors && errors > 0, JSON.stringify(points));
});

test("where nobody wants to know, nothing is counted or written", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const bindings = { ...variables(origin, auth), DOORWARD_METRICS: "yes", DOORWARD_ANALYTICS: "a text" };
  const gate = await startGate(t, { bindings });
  await (await fetch(`${gate.origin}/api/me`, { redirect: "manual" })).text();
  await new Promise((resolve) => setTimeout(resolve, 6_500));
  assert.ok(!gate.log().includes('"event":"metrics"'), gate.log());
});
