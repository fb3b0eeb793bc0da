import assert from "node:assert/strict";
import { test } from "node:test";

import { closeFrame, frames } from "../frames.js";

/** A frame with a payload of so many bytes, as a client (masked) or a server writes it. */
function frame(length, isMasked = false, opcode = 0x82) {
  const mask = isMasked ? 0x80 : 0;
  const size = length < 126 ? [mask | length] : length < 65_536 ? [mask | 126, length >> 8, length & 0xff] : [mask | 127, 0, 0, 0, 0, ...be32(length)];
  // The payload looks like frames of its own.
  return Uint8Array.of(opcode, ...size, ...(isMasked ? [1, 2, 3, 4] : []), ...Array.from({ length }, (_, at) => [0x88, 0x02][at % 2]));
}

const be32 = (number) => [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff];

test("frames are followed however their bytes come", () => {
  let looked = 0;
  for (const lengths of [[0], [1], [125], [126], [127], [65_535], [65_536], [0, 5, 126, 0], [70_000, 2, 200]]) {
    for (const isMasked of [false, true]) {
      const whole = lengths.map((length) => frame(length, isMasked));
      const ends = new Set();
      let sum = 0;
      for (const { length } of whole) ends.add((sum += length));
      const bytes = Buffer.concat(whole);
      for (const step of [1, 2, 3, 7, 64, 1000, bytes.length]) {
        const followed = frames();
        for (let at = 0; at < bytes.length; at += step) {
          followed.take(bytes.subarray(at, at + step));
          const taken = Math.min(at + step, bytes.length);
          if (followed.isBetween() !== ends.has(taken)) assert.fail(`${lengths}, ${step} at a time, after ${taken} bytes`);
          looked++;
        }
      }
    }
  }
  assert.ok(looked > 100_000, `${looked} moments`);
});

test("nothing taken is between two frames, and an empty chunk changes nothing", () => {
  const followed = frames();
  assert.equal(followed.isBetween(), true);
  followed.take(Uint8Array.of(0x81));
  followed.take(new Uint8Array());
  assert.equal(followed.isBetween(), false);
});

test("a Close frame says its code and reason", () => {
  assert.deepEqual([...closeFrame(4401, "expired")], [0x88, 9, 0x11, 0x31, ...Buffer.from("expired")]);
  const masked = closeFrame(4401, "expired", Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual([...masked.subarray(0, 6)], [0x88, 0x89, 1, 2, 3, 4]);
  assert.deepEqual([...masked.subarray(6)].map((byte, at) => byte ^ ((at % 4) + 1)), [0x11, 0x31, ...Buffer.from("expired")]);
});
