// The bytes at the border, as binding/WIRE.md describes them: heads and replies are written, decisions are read.

/**
 * @typedef {[name: string, value: string]} Pair
 * @typedef {{ method: string, target: string, publicOrigin: string, clientAddress?: string, headers: Iterable<Pair> }} Head
 * @typedef {{ kind: "answered", status: number, headers: Pair[], body: Uint8Array } | { kind: "checked", holds: boolean }
 *   | { kind: "waited" } | { kind: "failed" } | { kind: "unsupported" }} Reply
 */

const REPLY_TAGS = { answered: 0, checked: 1, waited: 2, failed: 3, unsupported: 4 };

/** A buffer that one large request has made larger than this is not kept. */
const KEEP_BYTES = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

let buffer = new Uint8Array(8 * 1024);
let view = new DataView(buffer.buffer);
let end = 0;

/**
 * A request's head in bytes. They are valid until the next call of this module: `slice()` what has to last.
 *
 * @param {Head} head
 */
export function encodeHead({ method, target, publicOrigin, clientAddress = "", headers }) {
  const texts = [method, target, publicOrigin, clientAddress];
  let joined = PLACE + method + PLACE + target + PLACE + publicOrigin + PLACE + clientAddress + PLACE;
  for (const [name, value] of headers) {
    texts.push(name, value);
    joined += PLACE + name + PLACE + value;
  }
  begin();
  if (!writeAscii(joined, texts)) writeHead(texts);
  return written();
}

/** Texts that stand before the number of the headers in a head. */
const BEFORE_HEADERS = 4;

/** Where a number will be. */
const PLACE = "\0\0\0\0";

/**
 * Writes a head in one go, all texts with places between them, and then the numbers in those places. Nothing if it is not all
 * ASCII, as nearly every head is: then a text has not as many bytes as characters.
 */
function writeAscii(joined, texts) {
  reserve(joined.length);
  const { read, written: length } = encoder.encodeInto(joined, buffer);
  if (read !== joined.length || length !== joined.length) return false;
  let at = 0;
  for (let i = 0; i < texts.length; i++) {
    if (i === BEFORE_HEADERS) at = placed(at, headersIn(texts));
    at = placed(at, texts[i].length) + texts[i].length;
  }
  if (texts.length === BEFORE_HEADERS) at = placed(at, 0);
  if (at !== length) throw new TypeError("a head has something else than texts in it");
  end = length;
  return true;
}

/** Puts a number in its place and gives where it ends. */
function placed(at, number) {
  view.setUint32(at, number, true);
  return at + PLACE.length;
}

const headersIn = (texts) => (texts.length - BEFORE_HEADERS) / 2;

/** Writes a head text by text. */
function writeHead(texts) {
  end = 0;
  for (let i = 0; i < texts.length; i++) {
    if (i === BEFORE_HEADERS) writeU32(headersIn(texts));
    writeText(texts[i]);
  }
  if (texts.length === BEFORE_HEADERS) writeU32(0);
}

/**
 * What came of an errand, in bytes. They are valid until the next call of this module.
 *
 * @param {Reply} reply
 */
export function encodeReply(reply) {
  begin();
  writeU8(REPLY_TAGS[reply.kind]);
  if (reply.kind === "checked") {
    writeU8(reply.holds ? 1 : 0);
  } else if (reply.kind === "answered") {
    writeU32(reply.status);
    writePairs(reply.headers);
    writeBytes(reply.body);
  }
  return written();
}

/**
 * A decision from its bytes.
 *
 * @param {Uint8Array} bytes
 * @throws {RangeError | TypeError} they are not a decision
 */
export function decodeDecision(bytes) {
  const reader = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0, whole: wholeText(bytes) };
  const tag = readU8(reader);
  const log = readText(reader);
  const reason = readText(reader);
  const decision = readByTag(reader, tag, log || undefined, reason || undefined);
  if (reader.at !== bytes.length) throw new RangeError("a decision is longer than it should be");
  return decision;
}

/**
 * All of it as one text, if each byte is one character of that: pieces of it cost a fraction of decoding them one by one. No
 * character of UTF-8 is more UTF-16 than it has bytes, so equal lengths mean just that. What is no text, as the numbers in
 * between may be, has become U+FFFD. An ask has bytes in it that are not worth the attempt.
 */
function wholeText(bytes) {
  if (bytes[0] === 0) return undefined;
  const text = lenient.decode(bytes);
  return text.length === bytes.length ? text : undefined;
}

/** Each kind is one literal: copying members from one object into another costs several times the rest. */
function readByTag(reader, tag, log, reason) {
  if (tag === 0) return { kind: "ask", errand: { ...readErrand(reader), background: false }, log, reason };
  if (tag === 1) {
    return {
      kind: "forward",
      target: readText(reader),
      removed: readList(reader, readText),
      set: readPairs(reader),
      responseHeaders: readPairs(reader),
      after: readU8(reader) === 1 ? { ...readErrand(reader), background: true } : undefined,
      log,
      reason,
    };
  }
  if (tag === 2) {
    return { kind: "answer", status: readU32(reader), headers: readPairs(reader), body: readText(reader), log, reason };
  }
  throw new RangeError(`no decision has the tag ${tag}`);
}

function readErrand(reader) {
  const id = readU32(reader);
  const work = readU8(reader);
  if (work === 0) {
    return {
      id,
      work: "fetch",
      purpose: readText(reader),
      method: readText(reader),
      url: readText(reader),
      headers: readPairs(reader),
      timeoutMs: readU32(reader),
      maxBytes: readU32(reader),
      maxCopyAgeSeconds: readU32(reader),
    };
  }
  if (work === 1) {
    return {
      id,
      work: "check",
      algorithm: readText(reader),
      thumbprint: readText(reader),
      key: readText(reader),
      signingInput: readBytes(reader),
      signature: readBytes(reader),
    };
  }
  if (work === 2) return { id, work: "wait", milliseconds: readU32(reader) };
  throw new RangeError(`no errand is of the kind ${work}`);
}

function begin() {
  if (buffer.length > KEEP_BYTES) grow(8 * 1024);
  end = 0;
}

function written() {
  return buffer.subarray(0, end);
}

function reserve(length) {
  if (end + length > buffer.length) grow(Math.max(buffer.length * 2, end + length));
}

function grow(length) {
  const larger = new Uint8Array(length);
  larger.set(buffer.subarray(0, Math.min(end, length)));
  buffer = larger;
  view = new DataView(larger.buffer);
}

function writeU8(value) {
  reserve(1);
  buffer[end++] = value;
}

function writeU32(value) {
  reserve(4);
  view.setUint32(end, value, true);
  end += 4;
}

function writeBytes(bytes) {
  writeU32(bytes.length);
  reserve(bytes.length);
  buffer.set(bytes, end);
  end += bytes.length;
}

function writeText(text) {
  reserve(4 + text.length * 3);
  const start = end + 4;
  const length = encoder.encodeInto(text, buffer.subarray(start)).written;
  view.setUint32(end, length, true);
  end = start + length;
}

function writePairs(pairs) {
  reserve(4);
  const place = end;
  end += 4;
  let count = 0;
  for (const [name, value] of pairs) {
    writeText(name);
    writeText(value);
    count++;
  }
  view.setUint32(place, count, true);
}

function readU8(reader) {
  return reader.view.getUint8(reader.at++);
}

function readU32(reader) {
  const value = reader.view.getUint32(reader.at, true);
  reader.at += 4;
  return value;
}

/** Where the next bytes begin; the reader is behind them then. */
function pass(reader) {
  const length = readU32(reader);
  const start = reader.at;
  if (length > reader.bytes.length - start) throw new RangeError("a decision is shorter than it says");
  reader.at += length;
  return start;
}

function readBytes(reader) {
  const start = pass(reader);
  return reader.bytes.subarray(start, reader.at);
}

function readText(reader) {
  const start = pass(reader);
  if (start === reader.at) return "";
  const text = reader.whole?.slice(start, reader.at);
  return text === undefined || text.includes("\ufffd") ? decoder.decode(reader.bytes.subarray(start, reader.at)) : text;
}

function readList(reader, read) {
  const list = [];
  for (let count = readU32(reader); count > 0; count--) list.push(read(reader));
  return list;
}

function readPairs(reader) {
  return readList(reader, (from) => [readText(from), readText(from)]);
}
