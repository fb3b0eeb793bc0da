// Where one WebSocket frame ends and the next begins (RFC 6455 section 5.2). A proxy passes bytes and reads no messages; but a Close
// frame of its own, put into the middle of another frame, would be taken for that one's content.

/** The most bytes that a frame's head may have: 2, 8 for the length, 4 for the mask. */
const LONGEST_HEAD = 14;

/**
 * Follows the frames of one direction.
 *
 * @returns {{ take: (chunk: Uint8Array) => void, isBetween: () => boolean }} `take` each chunk in its order; whether all that was taken ends
 *   with a whole frame
 */
export function frames() {
  const head = new Uint8Array(LONGEST_HEAD);
  let has = 0;
  let left = 0;

  return {
    take(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (left > 0) {
          const taken = Math.min(left, chunk.length - at);
          left -= taken;
          at += taken;
          continue;
        }
        head[has++] = chunk[at++];
        if (has < lengthOfHead(head, has)) continue;
        left = lengthOfPayload(head);
        has = 0;
      }
    },
    isBetween: () => has === 0 && left === 0,
  };
}

function lengthOfHead(head, has) {
  if (has < 2) return 2;
  const length = head[1] & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (head[1] & 0x80 ? 4 : 0);
}

function lengthOfPayload(head) {
  const length = head[1] & 0x7f;
  if (length < 126) return length;
  const view = new DataView(head.buffer);
  return length === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
}

/**
 * A Close frame (section 5.5.1). What a client sends is masked (section 5.3), what a server sends is not.
 *
 * @param {number} code
 * @param {string} reason ASCII, at most 123 characters
 * @param {Uint8Array} [mask] four random bytes
 */
export function closeFrame(code, reason, mask) {
  const content = [code >> 8, code & 0xff, ...new TextEncoder().encode(reason)];
  if (!mask) return Uint8Array.of(0x88, content.length, ...content);
  return Uint8Array.of(0x88, 0x80 | content.length, ...mask, ...content.map((byte, at) => byte ^ mask[at % 4]));
}
