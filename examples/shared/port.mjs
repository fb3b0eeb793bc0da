import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

// Below the ports that a system gives to whoever asks for any (32768 and up on Linux, 49152 and up elsewhere): a port found free among
// those can be another's connection a moment later, and the service that was to listen there, or to be away there, is neither. And above
// 10080, the highest that `fetch` and browsers refuse to ask (Fetch standard, "port blocking").
const LOWEST = 10_081;
const HIGHEST = 32_767;
const TRIES = 100;

const given = new Set();

/** A port of the loopback interface that nobody listens on, and that nobody is given by chance. */
export async function freePort() {
  for (let left = TRIES; left > 0; left--) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${LOWEST} to ${HIGHEST}, in ${TRIES} tries`);
}

async function isFree(port) {
  const server = createServer().listen({ host: "127.0.0.1", port });
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
