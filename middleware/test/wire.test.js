import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeDecision, encodeHead, encodeReply } from "../wire.js";

const u32 = (value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const text = (value) => {
  const bytes = Buffer.from(value);
  return [...u32(bytes.length), ...bytes];
};
const pairs = (list) => [...u32(list.length), ...list.flat().flatMap(text)];
const bytes = (...parts) => new Uint8Array(parts.flat());

const head = (headers) => ({ method: "GET", target: "/a?b", publicOrigin: "https://a.test", clientAddress: "::1", headers });
const headBytes = (headers) => bytes(text("GET"), text("/a?b"), text("https://a.test"), text("::1"), pairs(headers));

test("a head is written as WIRE.md says, from pairs or from Headers", () => {
  const list = [["accept", "*/*"], ["cookie", "a=b"]];
  assert.deepEqual(encodeHead(head(list)).slice(), headBytes(list));
  assert.deepEqual(encodeHead(head(new Headers(list))).slice(), headBytes(list));
});

test("an unknown client address is written as an empty text", () => {
  const written = encodeHead({ ...head([]), clientAddress: undefined }).slice();
  assert.deepEqual(written, bytes(text("GET"), text("/a?b"), text("https://a.test"), text(""), pairs([])));
});

test("texts outside of ASCII, and long ones, are written in UTF-8", () => {
  for (const value of ["ü", "a\u00ff", "€".repeat(100), "x".repeat(64), "x".repeat(65), "x".repeat(63) + "é", "😀", ""]) {
    assert.deepEqual(encodeHead(head([["x", value]])).slice(), headBytes([["x", value]]));
  }
});

test("a half of a surrogate pair becomes a replacement character, which no name or token contains", () => {
  assert.deepEqual(encodeHead(head([["x", "a\ud800"]])).slice(), headBytes([["x", "a\ufffd"]]));
});

test("a head may be larger than the buffer, and the next one may be small again", () => {
  for (const length of [10, 8_000, 100_000, 1_000_000, 10]) {
    const list = [["x", "y".repeat(length)], ["z", "1"]];
    assert.deepEqual(encodeHead(head(list)).slice(), headBytes(list));
  }
});

test("replies are written as WIRE.md says", () => {
  const body = new Uint8Array([0, 255, 7]);
  const headers = [["set-cookie", "a=1"], ["set-cookie", "b=2"]];
  const cases = [
    [{ kind: "answered", status: 404, headers, body }, bytes(0, u32(404), pairs(headers), u32(3), ...body)],
    [{ kind: "checked", holds: true }, bytes(1, 1)],
    [{ kind: "checked", holds: false }, bytes(1, 0)],
    [{ kind: "waited" }, bytes(2)],
    [{ kind: "failed" }, bytes(3)],
    [{ kind: "unsupported" }, bytes(4)],
  ];
  for (const [reply, expected] of cases) assert.deepEqual(encodeReply(reply).slice(), expected);
});

const FETCH = [
  ...u32(7), 0, ...text("keys"), ...text("GET"), ...text("https://a.test/jwks"), ...pairs([["accept", "*/*"]]),
  ...u32(2000), ...u32(65536), ...u32(300),
];
const fetchErrand = {
  id: 7,
  work: "fetch",
  purpose: "keys",
  method: "GET",
  url: "https://a.test/jwks",
  headers: [["accept", "*/*"]],
  timeoutMs: 2000,
  maxBytes: 65536,
  maxCopyAgeSeconds: 300,
};
const CHECK = [...u32(4_000_000_000), 1, ...text("RS256"), ...text("print"), ...text("{}"), ...u32(2), 1, 2, ...u32(1), 3];
const decisions = [
  [
    bytes(0, text(""), text(""), FETCH),
    { kind: "ask", errand: { ...fetchErrand, background: false }, log: undefined, reason: undefined },
  ],
  [
    bytes(0, text(""), text(""), CHECK),
    {
      kind: "ask",
      errand: {
        id: 4_000_000_000,
        work: "check",
        algorithm: "RS256",
        thumbprint: "print",
        key: "{}",
        signingInput: new Uint8Array([1, 2]),
        signature: new Uint8Array([3]),
        background: false,
      },
      log: undefined,
      reason: undefined,
    },
  ],
  [
    bytes(0, text(""), text(""), u32(1), 2, u32(160)),
    { kind: "ask", errand: { id: 1, work: "wait", milliseconds: 160, background: false }, log: undefined, reason: undefined },
  ],
  [
    bytes(1, text("line"), text(""), text("/a"), u32(1), text("X-A"), pairs([["b", "ü"]]), pairs([]), 1, FETCH),
    {
      kind: "forward",
      target: "/a",
      removed: ["X-A"],
      set: [["b", "ü"]],
      responseHeaders: [],
      after: { ...fetchErrand, background: true },
      log: "line",
      reason: undefined,
    },
  ],
  [
    bytes(2, text(""), text("no_credential"), u32(401), pairs([["a", "b"]]), text("\ufeffbody")),
    { kind: "answer", status: 401, headers: [["a", "b"]], body: "\ufeffbody", log: undefined, reason: "no_credential" },
  ],
];

test("decisions are read as WIRE.md says, wherever in a buffer they lie", () => {
  for (const [written, expected] of decisions) {
    assert.deepEqual(decodeDecision(written), expected);
    const inside = new Uint8Array([9, 9, 9, ...written, 9]).subarray(3, 3 + written.length);
    assert.deepEqual(decodeDecision(inside), expected);
  }
});

test("a decision that is cut short, goes on, or is of no known kind is none", () => {
  for (const [written] of decisions) {
    for (let length = 0; length < written.length; length++) {
      assert.throws(() => decodeDecision(written.slice(0, length)), RangeError);
    }
    assert.throws(() => decodeDecision(new Uint8Array([...written, 0])), RangeError);
  }
  assert.throws(() => decodeDecision(bytes(3, text(""), text(""))), RangeError);
  assert.throws(() => decodeDecision(bytes(0, text(""), text(""), u32(1), 3)), RangeError);
  assert.throws(() => decodeDecision(bytes(2, text(""), [1, 0, 0, 0, 0xff], u32(401), pairs([]), text(""))), TypeError);
});
