// The first request of a workerd that has just been started: from the connection to the answer. Ours is the Rust Worker, the
// rival the Hono Worker with jose; both have the key set in their configuration, because fetching it costs both the same on a
// platform and costs a simulated cache on this machine. What a Worker costs before it listens is the row `start`.

import { Miniflare } from "miniflare";

import { mint } from "./fixtures.mjs";
import { connection, honoWorker, PASS_ON, plainWorker, rustWorker } from "./worker.mjs";

const ORIGIN = 'export default { fetch: () => new Response("ok") };';

/** Starts workerds until the time is over, at least three of each. Medians in milliseconds and the ratios of each round. */
export async function coldStart(milliseconds) {
  const { jwks, jwts } = await mint({ algorithms: ["eddsa"], count: 1, cookies: false });
  const [token] = jwts.eddsa;
  const workers = [
    await rustWorker("ours", { jwks }),
    await honoWorker("hono + jose", { JWKS: jwks }),
    plainWorker("no gate", PASS_ON),
  ];
  const rounds = [];
  const end = performance.now() + milliseconds;
  while (rounds.length < 3 || performance.now() < end) {
    const round = {};
    for (let i = 0; i < workers.length; i++) {
      const worker = workers[(i + rounds.length) % workers.length];
      round[worker.name] = await firstRequest(worker, token);
    }
    rounds.push(round);
  }
  return rounds;
}

async function firstRequest(worker, token) {
  const begin = performance.now();
  const miniflare = new Miniflare({ cf: false, workers: [{ ...worker, outboundService: "origin" }, plainWorker("origin", ORIGIN)] });
  try {
    await miniflare.ready;
    const { port } = await miniflare.unsafeGetDirectURL(worker.name);
    const ready = performance.now();
    const ask = await connection(Number(port));
    await ask(token);
    const answered = performance.now();
    ask.end();
    return { start: ready - begin, first: answered - ready };
  } finally {
    await miniflare.dispose();
  }
}
