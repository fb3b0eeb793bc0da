// The messages at the binding, as binding/WIRE.md describes them: heads and results are written, decisions are read.

import { sessionOf } from "./session.js";

/**
 * @typedef {[name: string, value: string]} Pair
 * @typedef {{ method: string, target: string, publicOrigin: string, clientAddress?: string, headers: Iterable<Pair> }} Head
 * @typedef {{ kind: "answered", status: number, headers: Pair[], body: Uint8Array } | { kind: "checked", holds: boolean } | { kind: "signed", signature: Uint8Array }
 *   | { kind: "waited" } | { kind: "tooLarge" } | { kind: "headTooLarge" } | { kind: "failed", code?: string } | { kind: "unsupported" } | { kind: "found", value: Uint8Array } | { kind: "absent" }} EffectResult
 * @typedef {{ text: string, lengths: number[], count: number }} Joined a head as one text, and the numbers of its message
 * @typedef {{ bytes: Uint8Array, view: DataView }} Memory
 * @typedef {{ memory: Memory, at: number, size: number, tails: Uint8Array[] }} Space a piece of memory to write heads into
 */

const RESULT_TAGS = { answered: 0, checked: 1, waited: 2, failed: 3, unsupported: 4, signed: 5, tooLarge: 6, copied: 7, found: 8, absent: 9, headTooLarge: 10 };

/** A fetch that failed, with the platform's code for it. */
const UNREACHABLE = 11;

/** A message begins with the number of its numbers and that of its bytes. */
const LENGTHS = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A piece of memory, ready to be read and written.
 *
 * @param {Uint8Array} bytes
 * @returns {Memory}
 */
export function memoryOf(bytes) {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** Copies are pieces of larger arrays: to make an array takes far longer than to fill it. No place is written twice. */
const PIECES = 64 * 1024;
let pieces = new Uint8Array(0);
let taken = 0;

/** A copy that stays when the memory is written anew. */
export function copyOf(bytes, start, end) {
  const length = end - start;
  if (length > PIECES / 8) return bytes.slice(start, end);
  if (taken + length > pieces.length) {
    pieces = new Uint8Array(PIECES);
    taken = 0;
  }
  const copy = pieces.subarray(taken, taken + length);
  copy.set(bytes.subarray(start, end));
  taken += length;
  return copy;
}

/** @returns {Space} so much of the memory, from there */
export function spaceIn(memory, at, size) {
  return { memory, at, size, tails: [] };
}

/** Where the number of headers stands in a head, between the lengths of its own texts and those of the headers'. */
const COUNT = 4;

const NO_TEXT = "a head has something else than texts in it";
const isText = (value) => typeof value === "string";

/** There is one at a time: a head is joined and then written. */
const joined = { text: "", lengths: [], count: 0 };

/**
 * A head as one text: turning that into bytes costs a fraction of doing so text by text. Valid until the next call.
 *
 * @param {Head} head
 * @returns {Joined}
 */
export function joinHead({ method, target, publicOrigin, clientAddress = "", headers }) {
  const { lengths } = joined;
  if (![method, target, publicOrigin, clientAddress].every(isText)) throw new TypeError(NO_TEXT);
  let text = method + target + publicOrigin + clientAddress;
  lengths[0] = method.length;
  lengths[1] = target.length;
  lengths[2] = publicOrigin.length;
  lengths[3] = clientAddress.length;
  let count = COUNT + 1;
  let total = text.length;
  const add = (value, name) => {
    text += name + value;
    total += lengths[count++] = name.length;
    total += lengths[count++] = value.length;
  };
  // A `Headers` gives its pairs sooner this way: workerd makes an object for each step of an iteration.
  if (typeof headers.get === "function") headers.forEach(add);
  else for (const [name, value] of headers) add(value, name);
  if (text.length !== total) throw new TypeError(NO_TEXT);
  lengths[COUNT] = (count - COUNT - 1) / 2;
  joined.text = text;
  joined.count = count;
  return joined;
}

/** How much room is enough for a head: three bytes for each unit of UTF-16. */
export function roomFor({ text, count }) {
  return LENGTHS + 4 * count + 3 * text.length;
}

/**
 * Writes a head that has been joined, and gives the length of the message.
 *
 * @param {Joined} head
 * @param {Space} space with room for it
 */
export function writeHead({ text, lengths, count }, space) {
  const { view } = space.memory;
  const tail = tailOf(space, count);
  let { read, written } = encoder.encodeInto(text, tail);
  // Nearly every head is ASCII, and then a text has as many bytes as it has characters.
  if (read !== text.length || written !== read) written = writeTexts(text, lengths, count, tail);
  let at = space.at;
  view.setUint32(at, count, true);
  view.setUint32(at + 4, written, true);
  at += LENGTHS;
  for (let i = 0; i < count; i++) {
    view.setUint32(at, lengths[i], true);
    at += 4;
  }
  return LENGTHS + 4 * count + written;
}

/** A view costs more than what it is needed for. Most heads have few different numbers of headers. */
const KEPT_TAILS = 128;

/** What lies behind so many numbers. */
function tailOf(space, count) {
  const kept = space.tails[count];
  if (kept) return kept;
  const tail = space.memory.bytes.subarray(space.at + LENGTHS + 4 * count, space.at + space.size);
  if (count < KEPT_TAILS) space.tails[count] = tail;
  return tail;
}

/** Writes the texts one by one, and puts in place of their lengths how many bytes they are. */
function writeTexts(text, lengths, count, tail) {
  let from = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (i === COUNT) continue;
    const piece = text.slice(from, from + lengths[i]);
    from += lengths[i];
    lengths[i] = encoder.encodeInto(piece, tail.subarray(at)).written;
    at += lengths[i];
  }
  return at;
}

/**
 * What came of an effect.
 *
 * @param {EffectResult} result
 */
export function encodeResult(result) {
  if (result.kind === "checked") return result.holds ? HOLDS : HOLDS_NOT;
  const numbers = [RESULT_TAGS[result.kind]];
  const pieces = [];
  const put = (bytes) => {
    numbers.push(bytes.length);
    pieces.push(bytes);
  };
  if (result.kind === "signed") {
    put(result.signature);
  } else if (result.kind === "found") {
    put(result.value);
  } else if (result.kind === "failed" && typeof result.code === "string") {
    numbers[0] = UNREACHABLE;
    put(encoder.encode(result.code));
  } else if (result.kind === "copied") {
    put(result.text);
  } else if (result.kind === "answered") {
    numbers.push(result.status, result.headers.length);
    for (const text of result.headers.flat()) put(encoder.encode(text));
    put(result.body);
  }
  return message(numbers, pieces);
}

/** Verdicts on signatures: each new token needs one. */
const HOLDS = message([RESULT_TAGS.checked, 1], []);
const HOLDS_NOT = message([RESULT_TAGS.checked, 0], []);

function message(numbers, pieces) {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { bytes, view } = memoryOf(new Uint8Array(LENGTHS + 4 * numbers.length + length));
  [numbers.length, length, ...numbers].forEach((number, place) => view.setUint32(4 * place, number, true));
  let at = bytes.length - length;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * The decision that lies there.
 *
 * @param {Memory} memory
 * @param {number} [at]
 * @throws {RangeError | TypeError} it is not one
 */
export function decodeDecision({ bytes, view }, at = 0) {
  const numbers = at + LENGTHS;
  const rest = numbers + 4 * view.getUint32(at, true);
  const end = rest + view.getUint32(at + 4, true);
  if (end > bytes.length) throw new RangeError("a decision is shorter than it says");
  const reader = { bytes, view, at: numbers, numbersEnd: rest, rest, start: rest, end, whole: undefined };
  const tag = readNumber(reader);
  if (tag !== PERFORM) reader.whole = wholeText(reader);
  const log = readText(reader);
  const reason = readText(reader);
  const decision = readByTag(reader, tag, log || undefined, reason || undefined);
  if (reader.at !== reader.numbersEnd || reader.rest !== end) throw new RangeError("a decision is longer than it should be");
  return decision;
}

const PERFORM = 0;
const FORWARD = 1;
const ANSWER = 2;
const FINISH = 3;
const CACHE_WRITES = 4;
const STANDING = 5;

/** A connection without an end. */
const FOR_EVER = 0xffffffff;

/**
 * All texts as one, if it is ASCII, and so has as many characters as bytes: pieces of it cost a fraction of decoding them one
 * by one. An ask has bytes in it that are no text.
 */
function wholeText({ bytes, start, end }) {
  const text = decoder.decode(bytes.subarray(start, end));
  return text.length === end - start ? text : undefined;
}

/** Each kind is one literal: copying members from one object into another costs several times the rest. */
function readByTag(reader, tag, log, reason) {
  if (tag === PERFORM) return { kind: "perform", effect: readEffect(reader, false), log, reason };
  if (tag === FORWARD) {
    const target = readText(reader);
    const upstream = readText(reader) || undefined;
    const statement = readText(reader);
    let identity;
    return {
      kind: "forward",
      target,
      upstream,
      /** Not every host reads it. */
      get identity() {
        return (identity ??= statement === "" ? undefined : sessionOf(JSON.parse(statement)));
      },
      removed: readList(reader, readText),
      set: readPairs(reader),
      responseHeaders: readPairs(reader),
      after: readNumber(reader) === 1 ? readEffect(reader, true) : undefined,
      alongside: readNumber(reader) === 1 ? readEffect(reader, false) : undefined,
      onward: readNumber(reader) === 1 ? { removed: readList(reader, readText), set: readPairs(reader) } : undefined,
      livesMs: readUnless(reader, FOR_EVER),
      recheckAfterMs: readUnless(reader, 0),
      log,
      reason,
    };
  }
  if (tag === ANSWER) {
    return { kind: "answer", status: readNumber(reader), headers: readPairs(reader), body: readText(reader), log, reason };
  }
  if (tag === FINISH) return { kind: "finish", headers: readPairs(reader), withdraws: readNumber(reader) === 1, log };
  if (tag === STANDING) return { kind: "standing", reason };
  if (tag === CACHE_WRITES) return { kind: "cacheWrites", cacheWrites: readList(reader, readCacheWrite) };
  throw new RangeError(`no decision has the tag ${tag}`);
}

function readUnless(reader, nothing) {
  const value = readNumber(reader);
  return value === nothing ? undefined : value;
}

function readCacheWrite(reader) {
  return { key: readText(reader), text: readText(reader), seconds: readNumber(reader) };
}

function readEffect(reader, background) {
  const id = readNumber(reader);
  const kind = readNumber(reader);
  if (kind === 0) {
    return {
      id,
      kind: "fetch",
      background,
      purpose: readText(reader),
      method: readText(reader),
      url: readText(reader),
      headers: readPairs(reader),
      timeoutMs: readNumber(reader),
      maxBytes: readNumber(reader),
      copy: readText(reader) || undefined,
    };
  }
  if (kind === 1) return readCheck(reader, id, background);
  if (kind === 2) return { id, kind: "wait", background, milliseconds: readNumber(reader) };
  if (kind === 3) return readSign(reader, id, background);
  if (kind === 4) {
    return {
      id,
      kind: "read",
      background,
      store: readText(reader),
      key: readText(reader),
      timeoutMs: readNumber(reader),
      maxBytes: readNumber(reader),
    };
  }
  throw new RangeError(`no effect is of the kind ${kind}`);
}

function readNumber(reader) {
  if (reader.at >= reader.numbersEnd) throw new RangeError("a decision has fewer numbers than it should");
  const value = reader.view.getUint32(reader.at, true);
  reader.at += 4;
  return value;
}

/** Where the next bytes begin; the reader is behind them then. */
function pass(reader) {
  const start = reader.rest;
  const length = readNumber(reader);
  if (length > reader.end - start) throw new RangeError("a decision is shorter than it says");
  reader.rest += length;
  return start;
}

/** A copy: the next decision is written over this one. */
function readBytes(reader) {
  const start = pass(reader);
  return copyOf(reader.bytes, start, reader.rest);
}

function readText(reader) {
  const start = pass(reader);
  if (start === reader.rest) return "";
  if (reader.whole !== undefined) return reader.whole.slice(start - reader.start, reader.rest - reader.start);
  return decoder.decode(reader.bytes.subarray(start, reader.rest));
}

/** A signature to make. */
function readSign(reader, id, background) {
  const saltBytes = readNumber(reader);
  const [kind, curve, hash, kid, key] = readAscii(reader, 5);
  return { id, kind: "sign", background, scheme: schemeOf(kind, curve, hash, saltBytes), kid, key, input: readBytes(reader) };
}

/** A signature to check. Each new token brings one, so its bytes are copied at once. */
function readCheck(reader, id, background) {
  const saltBytes = readNumber(reader);
  const [kind, curve, hash, thumbprint] = readAscii(reader, 4);
  const start = pass(reader);
  const key = reader.rest - start;
  pass(reader);
  const input = reader.rest - start;
  pass(reader);
  const bytes = copyOf(reader.bytes, start, reader.rest);
  return {
    id,
    kind: "check",
    background,
    scheme: schemeOf(kind, curve, hash, saltBytes),
    thumbprint,
    /** Read by who has not kept the key under its thumbprint: not to be taken out of here together with the others. */
    get key() {
      return decoder.decode(bytes.subarray(0, key));
    },
    signingInput: bytes.subarray(key, input),
    signature: bytes.subarray(input),
  };
}

/** How a signature is made: of these, what its kind leaves open. */
function schemeOf(kind, curve, hash, saltBytes) {
  return { kind, curve: curve || undefined, hash: hash || undefined, saltBytes: saltBytes || undefined };
}

/** Texts of ASCII: to decode them at once costs a fraction of decoding each. */
function readAscii(reader, count) {
  const start = reader.rest;
  const ends = [];
  while (ends.length < count) {
    pass(reader);
    ends.push(reader.rest - start);
  }
  const text = decoder.decode(reader.bytes.subarray(start, reader.rest));
  return ends.map((end, at) => text.slice(ends[at - 1] ?? 0, end));
}

function readList(reader, read) {
  const list = [];
  for (let count = readNumber(reader); count > 0; count--) list.push(read(reader));
  return list;
}

function readPairs(reader) {
  return readList(reader, (from) => [readText(from), readText(from)]);
}
