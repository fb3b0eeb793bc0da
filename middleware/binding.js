// One gate of the WebAssembly and its memory. A head is written where it will be read and a decision is read where it was
// written: nothing is copied across, and no text crosses.

import { copyOf, decodeDecision, memoryOf, roomFor, spaceIn, writeHead } from "./wire.js";

/** The least room that is asked for, and as much as is kept after a large head. Bytes. */
const USUAL_ROOM = 16 * 1024;

/**
 * The calls of a gate, with heads and decisions instead of addresses.
 *
 * @param {object} glue what wasm-bindgen wrote
 * @param {object} gate its `Gate`
 */
export function bindingOf(glue, gate) {
  const wasm = glue.linearMemory();
  let memory = memoryOf(new Uint8Array(wasm.buffer));
  let space = spaceIn(memory, 0, 0);
  let length = 0;

  return {
    /** Address of the decision on a head that has been joined. */
    decide(joined, now) {
      makeRoom(roomFor(joined));
      length = writeHead(joined, space);
      return gate.decide(length, now);
    },

    /** Address of the answer to a head that has been joined, for what only the host has found out. */
    refuse(joined, code, now) {
      makeRoom(roomFor(joined));
      length = writeHead(joined, space);
      return gate.refuse(length, code, now);
    },

    /** Names of headers of an origin's response that end at a proxy. */
    responseRemovals(pairs) {
      const names = glue.responseRemovals(pairs.map(([name, value]) => `${name}\n${value.replaceAll("\n", " ")}`).join("\n"));
      return names === "" ? [] : names.split("\n");
    },

    /** Address of the standing of a connection that began with this head. */
    look: (head, now) => gate.look(head, now),

    /** Address of its standing after an effect. */
    rechecked: (head, id, result, now) => gate.rechecked(head, id, result, now),

    /** The head of the last `decide`, to keep. */
    head: () => copyOf(current().bytes, space.at, space.at + length),

    /** Address of the next decision. */
    resume: (head, id, result, now) => gate.resume(head, id, result, now),

    /** Address of what a response gets besides, after an effect that was performed alongside. */
    finish: (id, result, setCookies, now) => gate.finish(id, result, setCookies.join("\n"), now),

    /** The same where the response is not seen. */
    finishUnseen: (id, result, now) => gate.finishUnseen(id, result, now),

    /** The request of an effect alongside has ended without a response. */
    abandon: (id) => gate.abandon(id),

    /** Takes the result of an effect that was performed after the response. */
    receive: (id, result, now) => gate.receive(id, result, now),

    /** Address of what is to be put into the shared cache. */
    cacheWrites: () => gate.cacheWrites(),

    /** What has been counted, in the text format of Prometheus. */
    prometheus: (host, now) => gate.prometheus(host, now),

    /** Takes how long something took. */
    took: (isDecision, word, micros) => gate.took(isDecision, word, micros),

    /** What the names of the identity headers begin with. */
    prefix: () => gate.prefix(),

    /** The decision at an address, until the next call. */
    decision: (address) => decodeDecision(current(), address),
  };

  /** Memory that has grown has moved. */
  function current() {
    if (memory.bytes.length === 0) {
      memory = memoryOf(new Uint8Array(wasm.buffer));
      space = spaceIn(memory, space.at, space.size);
    }
    return memory;
  }

  function makeRoom(bytes) {
    current();
    if (bytes <= space.size && (space.size === USUAL_ROOM || bytes > USUAL_ROOM)) return;
    const size = Math.max(bytes, USUAL_ROOM);
    const at = gate.room(size);
    space = spaceIn(current(), at, size);
  }
}
