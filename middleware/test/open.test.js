// Connections that stay open: when they end, whatever the runtime's timers take.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { ending, isStream, watchOver } from "../open.js";

const flush = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

function withTimers(t) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  return async (ms) => (mock.timers.tick(ms), flush());
}

test("what streams is known by its type", () => {
  for (const type of ["text/event-stream", "Text/Event-Stream; charset=utf-8", "application/x-ndjson", "application/grpc-web+proto", "multipart/x-mixed-replace; boundary=x"]) {
    assert.ok(isStream(type), type);
  }
  for (const type of [undefined, null, "", "text/html", "text/event-streams", "application/json", "application/octet-stream", "x; text/event-stream"]) {
    assert.ok(!isStream(type), String(type));
  }
});

test("a connection ends once, when its time is over", async (t) => {
  const pass = withTimers(t);
  const ends = [];
  watchOver({ livesMs: 3000, recheckAfterMs: 1000, recheck: async () => undefined }, (reason) => ends.push(reason));
  await pass(1000);
  await pass(1000);
  assert.deepEqual(ends, []);
  await pass(1000);
  await pass(60_000);
  assert.deepEqual(ends, ["expired"]);
});

test("a time that no timer takes is waited for in pieces", async (t) => {
  const pass = withTimers(t);
  const ends = [];
  watchOver({ livesMs: 2 ** 31 + 5000 }, (reason) => ends.push(reason));
  await pass(1);
  await pass(2 ** 31 - 2);
  assert.deepEqual(ends, []);
  await pass(5002);
  assert.deepEqual(ends, ["expired"]);
});

test("it ends when a look says so; who fails, says nothing, or never answers ends nothing", async (t) => {
  const pass = withTimers(t);
  const ends = [];
  const looks = [async () => undefined, async () => Promise.reject(new Error()), () => new Promise(() => {}), async () => "session_revoked"];
  watchOver({ recheckAfterMs: 1000, recheck: () => looks.shift()() }, (reason) => ends.push(reason));
  await pass(1000);
  await pass(1000);
  await pass(1000);
  assert.equal(looks.length, 1);
  await pass(5000); // the one that never answers is given up
  await pass(1000);
  assert.deepEqual([ends, looks.length], [["session_revoked"], 0]);
  await pass(60_000);
  assert.equal(ends.length, 1);
});

test("what has ended by itself is not looked at", async (t) => {
  const pass = withTimers(t);
  let looks = 0;
  const stop = watchOver({ livesMs: 5000, recheckAfterMs: 1000, recheck: async () => void looks++ }, () => assert.fail("it is over"));
  await pass(1000);
  stop();
  await pass(10_000);
  assert.equal(looks, 1);
});

test("a body ends with its connection, and its source is told; one that ends before is passed on whole", async (t) => {
  const pass = withTimers(t);
  let cancelled = false;
  const endless = new ReadableStream({ start: (controller) => controller.enqueue("a"), cancel: () => void (cancelled = true) });
  const reader = ending(endless, { livesMs: 1000 }).getReader();
  assert.deepEqual(await reader.read(), { done: false, value: "a" });
  const rest = reader.read();
  await pass(1000);
  assert.deepEqual([await rest, cancelled], [{ done: true, value: undefined }, true]);

  assert.equal(await new Response(ending(new Response("whole").body, { livesMs: 1000 })).text(), "whole");
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error("gone")) });
  await assert.rejects(new Response(ending(broken, { livesMs: 1000 })).text(), /gone/);
});
