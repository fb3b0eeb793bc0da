// The binding itself: what a host that keeps to WIRE.md never sends.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bindingOf } from "../binding.js";
import { decodeDecision, encodeResult, joinHead, memoryOf } from "../wire.js";
import { NOW, config, encodeHead, glue, newIssuer } from "./support.js";

glue.__wbg_reset_state();
// EdDSA is checked inside: this binding is crossed for the keys only.
const { token, keySet } = await newIssuer({}, "EdDSA");
const memory = () => memoryOf(new Uint8Array(glue.linearMemory().buffer));
const read = (address) => decodeDecision(memory(), address);
/** A gate that takes any bytes for a head and gives decisions. */
const newGate = () => {
  const gate = new glue.Draft(JSON.stringify(config)).compile();
  return {
    decide(bytes, now) {
      const at = gate.room(bytes.length);
      memory().bytes.set(bytes, at);
      return read(gate.decide(bytes.length, now));
    },
    decideOn: (length, now) => read(gate.decide(length, now)),
    resume: (bytes, id, result, now) => read(gate.resume(bytes, id, result, now)),
    receive: (id, result, now) => gate.receive(id, result, now),
  };
};
const plainHead = {
  method: "GET",
  target: "/api",
  publicOrigin: "https://app.test",
  headers: [["authorization", `Bearer ${token}`]],
};
const head = encodeHead(plainHead);
const keys = () => encodeResult({ kind: "answered", status: 200, headers: [], body: new TextEncoder().encode(keySet) });
const ask = (gate) => {
  const { kind, effect } = gate.decide(head, NOW);
  assert.equal(kind, "perform");
  return effect;
};
const refused = (decision) => {
  const { kind, status, reason, body, headers } = decision;
  assert.equal(kind, "answer");
  assert.equal(JSON.parse(body).reason, reason);
  assert.ok(headers.some(([name, value]) => name === "cache-control" && value === "private, no-store"));
  return `${status} ${reason}`;
};

test("an effect is taken back once, under its own number", () => {
  const gate = newGate();
  const { id } = ask(gate);
  assert.equal(refused(gate.resume(head, (id + 1) >>> 0, keys(), NOW)), "503 not_started");
  assert.equal(gate.resume(head, id, keys(), NOW).kind, "forward");
  assert.equal(refused(gate.resume(head, id, keys(), NOW)), "503 not_started");
});

/** How often bytes became a text or a text became bytes in a call. */
function conversions(t, call) {
  const decode = t.mock.method(TextDecoder.prototype, "decode");
  const encode = t.mock.method(TextEncoder.prototype, "encode");
  const encodeInto = t.mock.method(TextEncoder.prototype, "encodeInto");
  call();
  const counts = [decode, encode, encodeInto].map(({ mock }) => mock.callCount());
  t.mock.restoreAll();
  return counts;
}

test("a decision on a credential that has been verified makes no text: its head is written once and its answer is bytes", (t) => {
  const binding = bindingOf(glue, new glue.Draft(JSON.stringify(config)).compile());
  const joined = joinHead(plainHead);
  const { effect } = binding.decision(binding.decide(joined, NOW));
  assert.equal(binding.decision(binding.resume(head, effect.id, keys(), NOW)).kind, "forward");
  let address;
  for (let times = 0; times < 3; times++) {
    assert.deepEqual(conversions(t, () => (address = binding.decide(joined, NOW))), [0, 0, 1]);
  }
  let decision;
  assert.deepEqual(conversions(t, () => (decision = binding.decision(address))), [1, 0, 0]);
  assert.equal(decision.kind, "forward");
});

test("an effect of another gate is unknown", () => {
  const [one, other] = [newGate(), newGate()];
  const { id } = ask(one);
  assert.equal(refused(other.resume(head, id, keys(), NOW)), "503 not_started");
});

test("an effect is still known when its time-out is reported a little late", () => {
  const gate = newGate();
  const { id } = ask(gate);
  assert.equal(refused(gate.resume(head, id, encodeResult({ kind: "failed" }), NOW + 4_000)), "503 keys_unavailable");
});

test("effects that nobody comes back for are forgotten", () => {
  const gate = newGate();
  const { id } = ask(gate);
  for (let i = 0; i < 5_000; i++) gate.decide(head, NOW + 60_000 * (i + 1));
  assert.equal(refused(gate.resume(head, id, keys(), NOW)), "503 not_started");
  assert.equal(gate.decide(head, NOW + 60_000 * 5_002).kind, "perform");
});

test("too many effects at once are refused, and those on their way are kept", () => {
  const gate = newGate();
  const { id } = ask(gate);
  const kinds = Array.from({ length: 2_100 }, () => gate.decide(head, NOW).kind);
  assert.equal(kinds.indexOf("answer"), 2_047);
  assert.equal(kinds.at(-1), "answer");
  assert.equal(gate.resume(head, id, keys(), NOW).kind, "forward");
});

test("bytes that are no head are refused", () => {
  const gate = newGate();
  for (let length = 0; length < head.length; length++) {
    assert.equal(refused(gate.decide(head.slice(0, length), NOW)), "400 head_malformed");
  }
  assert.equal(refused(gate.decide(new Uint8Array([...head, 0]), NOW)), "400 head_malformed");
  const { id } = ask(gate);
  assert.equal(refused(gate.resume(new Uint8Array(0), id, keys(), NOW)), "400 head_malformed");
});

test("a length beyond the room that there is makes no head", () => {
  const gate = newGate();
  assert.equal(refused(gate.decideOn(head.length, NOW)), "400 head_malformed");
  gate.decide(head, NOW);
  for (const length of [0, head.length - 1, head.length + 1, 2 ** 32 - 1]) {
    assert.equal(refused(gate.decideOn(length, NOW)), "400 head_malformed");
  }
});

test("bytes that are no result are an effect that failed", () => {
  const result = keys();
  for (const bytes of [new Uint8Array(0), new Uint8Array([9]), result.slice(0, -1), new Uint8Array([...result, 0])]) {
    const gate = newGate();
    assert.equal(refused(gate.resume(head, ask(gate).id, bytes, NOW)), "503 keys_unavailable");
  }
});

test("no bytes make it trap", (t) => {
  let gate = newGate();
  let state = 1;
  const random = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const broken = (bytes) => {
    const copy = bytes.slice(0, random(10) ? bytes.length : random(bytes.length + 1));
    for (let i = random(8); i > 0; i--) copy[random(copy.length)] = random(256);
    return copy;
  };
  const rounds = 20_000;
  for (let i = 0; i < rounds; i++) {
    const now = [NOW, NOW + i, Number.NaN, Infinity, -Infinity, -1, 2 ** 63][random(7)];
    const decision = gate.decide(broken(head), now);
    if (decision.kind === "perform") gate.resume(broken(head), decision.effect.id, broken(keys()), now);
    gate.receive(random(2 ** 32), broken(keys()), now);
    if (random(100) === 0) gate = newGate();
  }
  t.diagnostic(`${rounds} rounds`);
});
