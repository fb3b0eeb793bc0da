// A program that starts services: however it ends, it stops them first.

import { parseArgs } from "node:util";

const MOST_CAUSES = 4;

/**
 * Does the work and ends this process. Exit 0: good; 1: something is not as expected.
 *
 * @param {string} name stands before all that it says on stderr
 * @param {(started: {stop: () => unknown}[]) => Promise<boolean>} work puts what it starts into the list; whether all is as expected
 */
export async function program(name, work) {
  const started = [];
  let isLeaving = false;
  const leave = async (code) => {
    isLeaving = true;
    await stopAll(started, name);
    process.exit(code);
  };
  process.once("SIGINT", () => leave(130));
  process.once("SIGTERM", () => leave(143));
  // A slip of this program must leave nothing behind either.
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.once(event, (error) => {
      console.error(`${name}: error: ${error?.stack ?? error}`);
      leave(1);
    });
  }
  let isGood = false;
  try {
    isGood = await work(started);
  } catch (error) {
    if (isLeaving) return;
    console.error(`${name}: error: ${inFull(error)}`);
    if (error.hint) console.error(`${name}: hint: ${error.hint}`);
  }
  // What does not let go must not keep the caller waiting.
  if (!isLeaving) await leave(isGood ? 0 : 1);
}

/** Stops everything, the last started first, and whatever goes wrong with one of them. */
export async function stopAll(started, name) {
  for (const { stop } of started.splice(0).reverse()) {
    try {
      await stop();
    } catch (error) {
      console.error(`${name}: error: ${error.message}`);
    }
  }
}

/** The command line's options, as `parseArgs` takes them. A wrong one, or what `problemOf` finds in them, ends this process with 2. */
export function readOptions(name, options, problemOf) {
  let problem;
  try {
    const { values } = parseArgs({ options });
    problem = problemOf(values);
    if (!problem) return values;
  } catch (error) {
    problem = error.message;
  }
  console.error(`${name}: error: ${problem}`);
  console.error(`${name}: hint: cargo xtask ${name} --help`);
  process.exit(2);
}

/** Until somebody ends this process. */
export const forever = () => new Promise(() => setInterval(() => {}, 1 << 30));

/** The message with those of its causes: what `fetch` throws says nothing without them. */
export function inFull(error) {
  const messages = [];
  for (let at = error; at && messages.length < MOST_CAUSES; at = at.cause) messages.push(at.message || at.code || String(at));
  return messages.join(": ");
}

/** How long ago that was, to read. */
export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
