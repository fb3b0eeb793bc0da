import assert from "node:assert/strict";
import { test } from "node:test";

import { copyOf, decodeDecision, encodeResult, joinHead, memoryOf } from "../wire.js";
import { encodeHead } from "./support.js";

const utf8 = (text) => [...Buffer.from(text)];
const u32 = (value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
/** Parts of a message: numbers as they are, texts and bytes with their length. */
const message = (...parts) => {
  const pieces = parts.flat(2).map((part) => (typeof part === "string" ? utf8(part) : part));
  const numbers = pieces.map((piece) => piece.length ?? piece);
  const rest = pieces.flatMap((piece) => (typeof piece === "number" ? [] : [...piece]));
  return new Uint8Array([...u32(numbers.length), ...u32(rest.length), ...numbers.flatMap(u32), ...rest]);
};
const pairs = (list) => [list.length, ...list];
const decode = (bytes, at) => decodeDecision(memoryOf(bytes), at);

const head = (headers) => ({ method: "GET", target: "/a?b", publicOrigin: "https://a.test", clientAddress: "::1", headers });
const headMessage = (headers) => message("GET", "/a?b", "https://a.test", "::1", pairs(headers));

test("a head is written as WIRE.md says, from pairs or from Headers", () => {
  const list = [["accept", "*/*"], ["cookie", "a=b"]];
  assert.deepEqual(encodeHead(head(list)), headMessage(list));
  assert.deepEqual(encodeHead(head(new Headers(list))), headMessage(list));
});

test("an unknown client address is written as an empty text", () => {
  const written = encodeHead({ ...head([]), clientAddress: undefined });
  assert.deepEqual(written, message("GET", "/a?b", "https://a.test", "", pairs([])));
});

test("texts outside of ASCII, and long ones, are written in UTF-8", () => {
  for (const value of ["ü", "a\u00ff", "€".repeat(100), "x".repeat(64), "x".repeat(65), "x".repeat(63) + "é", "😀", ""]) {
    assert.deepEqual(encodeHead(head([["x", value]])), headMessage([["x", value]]));
  }
});

test("a half of a surrogate pair becomes a replacement character, which no name or token contains", () => {
  assert.deepEqual(encodeHead(head([["x", "a\ud800"]])), headMessage([["x", "a\ufffd"]]));
});

test("halves of a surrogate pair in two texts do not become one character", () => {
  assert.deepEqual(encodeHead(head([["x\ud83d", "\ude00y"]])), headMessage([["x\ufffd", "\ufffdy"]]));
});

test("a head of something else than texts is not written", () => {
  for (const value of [5, ["a", "b"], ["ab"], {}, true, null, undefined, Symbol("x")]) {
    assert.throws(() => joinHead(head([["x", value], ["y", "ü"]])), TypeError);
  }
});

test("results are written as WIRE.md says", () => {
  const body = new Uint8Array([0, 255, 7]);
  const headers = [["set-cookie", "a=1"], ["set-cookie", "b=2"]];
  const cases = [
    [{ kind: "answered", status: 404, headers, body }, message(0, 404, pairs(headers), [body])],
    [{ kind: "answered", status: 200, headers: [], body: new Uint8Array(0) }, message(0, 200, 0, [new Uint8Array(0)])],
    [{ kind: "checked", holds: true }, message(1, 1)],
    [{ kind: "tooLarge" }, message(6)],
    [{ kind: "headTooLarge" }, message(10)],
    [{ kind: "copied", text: new Uint8Array([1, 2]) }, message(7, new Uint8Array([1, 2]))],
    [{ kind: "found", value: body }, message(8, body)],
    [{ kind: "absent" }, message(9)],
    [{ kind: "checked", holds: false }, message(1, 0)],
    [{ kind: "waited" }, message(2)],
    [{ kind: "failed" }, message(3)],
    [{ kind: "unsupported" }, message(4)],
  ];
  for (const [result, expected] of cases) assert.deepEqual(encodeResult(result), expected);
});

const FETCH = [7, 0, "keys", "GET", "https://a.test/jwks", ...pairs([["accept", "*/*"]]), 2000, 65536, "doorward-keys-x"];
const fetchEffect = {
  id: 7,
  kind: "fetch",
  purpose: "keys",
  method: "GET",
  url: "https://a.test/jwks",
  headers: [["accept", "*/*"]],
  timeoutMs: 2000,
  maxBytes: 65536,
  copy: "doorward-keys-x",
};
const CHECK = [4_000_000_000, 1, 32, "RSA-PSS", "", "SHA-256", "print", "{}", new Uint8Array([1, 2]), new Uint8Array([3])];
const decisions = [
  [
    message(0, "", "", FETCH),
    { kind: "perform", effect: { ...fetchEffect, background: false }, log: undefined, reason: undefined },
  ],
  [
    message(0, "", "", CHECK),
    {
      kind: "perform",
      effect: {
        id: 4_000_000_000,
        kind: "check",
        scheme: { kind: "RSA-PSS", curve: undefined, hash: "SHA-256", saltBytes: 32 },
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
    message(0, "", "", 1, 4, "S", "key", 500, 65536),
    {
      kind: "perform",
      effect: { id: 1, kind: "read", store: "S", key: "key", timeoutMs: 500, maxBytes: 65536, background: false },
      log: undefined,
      reason: undefined,
    },
  ],
  [
    message(0, "", "", 1, 2, 160),
    { kind: "perform", effect: { id: 1, kind: "wait", milliseconds: 160, background: false }, log: undefined, reason: undefined },
  ],
  [
    message(1, "line", "", "/a", "https://api.test", '{"sub":"ada","sess_exp":9}', 1, "X-A", pairs([["b", "ü"]]), 0, 1, FETCH, 1, FETCH, 1, 2, "TE", "X-A", pairs([["c", "d"]]), 61_000, 10_000),
    {
      kind: "forward",
      target: "/a",
      upstream: "https://api.test",
      identity: { subject: "ada", sessionId: undefined, email: undefined, issuer: undefined, source: undefined, expires: 9, claims: {} },
      removed: ["X-A"],
      set: [["b", "ü"]],
      responseHeaders: [],
      after: { ...fetchEffect, background: true },
      alongside: { ...fetchEffect, background: false },
      onward: { removed: ["TE", "X-A"], set: [["c", "d"]] },
      livesMs: 61_000,
      recheckAfterMs: 10_000,
      log: "line",
      reason: undefined,
    },
  ],
  [
    message(1, "", "", "/a", "", "", 0, 0, 0, 0, 0, 0, 0xffffffff, 0),
    {
      kind: "forward", target: "/a", upstream: undefined, identity: undefined, removed: [], set: [], responseHeaders: [], after: undefined, alongside: undefined, onward: undefined,
      livesMs: undefined, recheckAfterMs: undefined,
      log: undefined, reason: undefined,
    },
  ],
  [message(5, "", ""), { kind: "standing", reason: undefined }],
  [message(5, "", "session_ended"), { kind: "standing", reason: "session_ended" }],
  [
    message(2, "", "no_credential", 401, pairs([["a", "b"]]), "\ufeffbody"),
    { kind: "answer", status: 401, headers: [["a", "b"]], body: "\ufeffbody", log: undefined, reason: "no_credential" },
  ],
  [message(3, "line", "", pairs([["set-cookie", "a=b"]]), 1), { kind: "finish", headers: [["set-cookie", "a=b"]], withdraws: true, log: "line" }],
  [message(4, "", "", 1, "a", "ü\n", 60), { kind: "cacheWrites", cacheWrites: [{ key: "a", text: "ü\n", seconds: 60 }] }],
];

test("decisions are read as WIRE.md says, wherever in memory they lie", () => {
  for (const [written, expected] of decisions) {
    assert.deepEqual(decode(written), expected);
    const around = new Uint8Array([9, 9, 9, ...written, 9]);
    assert.deepEqual(decode(around, 3), expected);
    assert.deepEqual(decode(around.subarray(2), 1), expected);
  }
});

test("what a decision hands out lasts when the memory is written again", () => {
  for (const [written, expected] of decisions) {
    const memory = written.slice();
    const decision = decode(memory);
    memory.fill(0xaa);
    assert.deepEqual(decision, expected);
  }
});

test("a decision that is cut short, or whose numbers lie, is none", () => {
  for (const [written] of decisions) {
    for (let length = 0; length < written.length; length++) {
      assert.throws(() => decode(written.slice(0, length)), RangeError);
    }
    for (const place of [0, 4]) {
      for (const by of [-1, 1, 4, 0x7fffffff]) {
        const lying = written.slice();
        const view = new DataView(lying.buffer);
        view.setUint32(place, view.getUint32(place, true) + by, true);
        assert.throws(() => decode(new Uint8Array([...lying, 0, 0, 0, 0, 0, 0, 0, 0])));
      }
    }
  }
  assert.throws(() => decode(message(6, "", "")), RangeError);
  assert.throws(() => decode(message(0, "", "", 1, 3)), RangeError);
  assert.throws(() => decode(message(2, "", "a", 401, 0, "", 0)), RangeError);
  assert.throws(() => decode(message(2, "", new Uint8Array([0xff]), 401, 0, "")), TypeError);
});

test("a copy stays as it is, whatever is copied or written later", () => {
  const memory = new Uint8Array(20_000);
  const copies = [];
  for (let i = 0; i < 600; i++) {
    const length = (i * 37) % 9_000;
    memory.fill(i);
    copies.push([i & 255, length, copyOf(memory, i, i + length)]);
  }
  memory.fill(7);
  for (const [byte, length, copy] of copies) {
    assert.equal(copy.length, length);
    assert.ok(copy.every((own) => own === byte));
  }
});
