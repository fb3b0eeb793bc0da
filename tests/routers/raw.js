// Sends requests byte by byte as they are written, many on one connection, and gives each its answer.
//
// An answer belongs to the request of its place in the line only while the server reads them all as requests. Whatever makes it
// close the connection puts that in doubt, so what is not answered by then is asked again, alone.

import { connect } from "node:net";

const CONNECTIONS = 4;
const AT_ONCE = 24;
const PATIENCE_MS = 10_000;
const NOTHING = { status: 0, type: "", body: "" };

/**
 * @param {number} port of the loopback interface
 * @param {{ target: Buffer, headers: string[] }[]} requests GETs
 * @returns {Promise<{ status: number, type: string, body: string }[]>} in the order of the requests; status 0 where nothing came
 */
export async function ask(port, requests) {
  const answers = new Array(requests.length);
  const waiting = requests.map((request, place) => ({ place, bytes: bytesOf(request), alone: !isPlain(request.target) }));
  waiting.reverse();
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  return answers;

  async function work() {
    let connection;
    while (waiting.length > 0) {
      const batch = nextBatch(waiting);
      const isFresh = !connection?.isOpen();
      if (isFresh) connection = await open(port);
      const { got, closed } = await connection.ask(batch.map(({ bytes }) => bytes));
      if (closed) connection.end();
      const settled = closed && batch.length > 1 ? got.slice(0, -1) : got;
      settled.forEach((answer, index) => (answers[batch[index].place] = answer));
      const rest = batch.slice(settled.length);
      if (rest.length === 0) continue;
      // Alone and on a connection of its own it has had its chance.
      if (batch.length === 1 && isFresh) answers[batch[0].place] = NOTHING;
      else waiting.push(...rest.reverse().map((request) => ({ ...request, alone: true })));
    }
    connection?.end();
  }
}

function nextBatch(waiting) {
  const batch = [waiting.pop()];
  while (!batch[0].alone && batch.length < AT_ONCE && waiting.length > 0 && !waiting.at(-1).alone) batch.push(waiting.pop());
  return batch;
}

function bytesOf({ target, headers }) {
  const own = headers.some((line) => /^host:/i.test(line)) ? headers : ["Host: localhost", ...headers];
  const head = [...own, "Accept: application/json", "", ""].join("\r\n");
  return Buffer.concat([Buffer.from("GET "), target, Buffer.from(` HTTP/1.1\r\n${head}`, "latin1")]);
}

/** Whether every server takes it for the target of one request. */
function isPlain(target) {
  return target[0] === 0x2f && target.every((byte) => byte > 0x20 && byte < 0x7f);
}

/** A connection on which one batch at a time is asked. */
async function open(port) {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await new Promise((done, failed) => socket.once("connect", done).once("error", failed));
  let isOpen = true;
  let changed = () => {};
  let input = Buffer.alloc(0);
  socket.on("data", (chunk) => ((input = input.length > 0 ? Buffer.concat([input, chunk]) : chunk), changed()));
  socket.on("error", () => {});
  socket.on("close", () => ((isOpen = false), changed()));
  return { ask: askBatch, isOpen: () => isOpen, end: () => socket.destroy() };

  function askBatch(messages) {
    const got = [];
    socket.write(Buffer.concat(messages));
    return new Promise((done) => {
      const patience = setTimeout(() => finish(true), PATIENCE_MS);
      const finish = (closed) => (clearTimeout(patience), (changed = () => {}), done({ got, closed }));
      changed = () => {
        for (let read; got.length < messages.length && (read = readAnswer(input, !isOpen));) {
          input = input.subarray(read.length);
          got.push(read.answer);
          if (read.closes) return finish(true);
        }
        if (got.length === messages.length || !isOpen) finish(!isOpen);
      };
      changed();
    });
  }
}

/** The first answer in the bytes, where it is whole. */
function readAnswer(input, isOver) {
  const end = input.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = input.latin1Slice(0, end);
  const status = Number(head.slice(9, 12));
  const field = (name) => new RegExp(`\\r\\n${name}: *([^\\r]*)`, "i").exec(head)?.[1];
  const from = end + 4;
  const length = field("content-length");
  const closes = field("connection")?.toLowerCase() === "close";
  const answer = (body, length) => ({ answer: { status, type: field("content-type") ?? "", body }, length, closes });
  if (status === 204 || status === 304) return answer("", from);
  if (field("transfer-encoding")) return chunked(input, from, answer);
  if (length !== undefined) {
    const to = from + Number(length);
    return input.length >= to ? answer(input.latin1Slice(from, to), to) : undefined;
  }
  return isOver ? answer(input.latin1Slice(from), input.length) : undefined;
}

function chunked(input, from, answer) {
  let body = "";
  for (let at = from; ;) {
    const line = input.indexOf("\r\n", at);
    if (line === -1) return undefined;
    const size = Number.parseInt(input.latin1Slice(at, line), 16);
    const to = line + 2 + size;
    if (input.length < to + 2) return undefined;
    if (size === 0) return answer(body, to + 2);
    body += input.latin1Slice(line + 2, to);
    at = to + 2;
  }
}
