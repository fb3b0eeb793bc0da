// A service as a process: it can be stopped and started again, and its log is kept.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const START_MS = 60_000;
/** So long a line may be on its way. */
const LOG_MS = 10_000;

/**
 * @param {string} name
 * @param {object} how
 * @param {string[]} how.command program and arguments
 * @param {RegExp} how.ready a line of its output that says that it listens
 * @param {Record<string, string>} [how.env] its whole environment, besides what every program needs: what a developer's shell has set says
 *   nothing about it
 * @param {NodeJS.Signals} [how.signal] asks it to end
 * @param {object} [how.spawn] further options
 * @param {(line: string) => void} [how.onLine] hears each line that it logs, besides the log that is kept
 * @param {(how: string) => void} [how.onEnd] hears with what it has ended once it was up, if nobody has stopped it
 */
export function service(name, { command: [program, ...args], ready, env = {}, signal = "SIGTERM", spawn: more = {}, onLine, onEnd }) {
  let child;
  let isUp = false;
  const log = [];
  return { name, env, log, logged, start, stop, isRunning, pid: () => child?.pid };

  function isRunning() {
    return Boolean(child) && child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** The lines from there on, once they have this: what a process has answered is read before what it has logged. */
  async function logged(mark, has) {
    for (const until = Date.now() + LOG_MS; !has(log.slice(mark)) && Date.now() < until; ) await sleep(20);
    return log.slice(mark);
  }

  async function start() {
    await stop();
    child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...more, env: { ...everyProgram(), ...env } });
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`it ended with ${code}`)));
    const late = new AbortController();
    const tooLate = sleep(START_MS, undefined, { signal: late.signal }).then(() => Promise.reject(new Error("it took too long")));
    try {
      await Promise.race([listening(child), failed, ended, tooLate]);
      isUp = true;
      child.once("exit", (code, by) => isUp && onEnd?.(code ?? by));
    } catch (error) {
      await stop();
      throw Object.assign(new Error(`${name} did not start: ${error.message}`), { hint: log.slice(-12).join("\n") });
    } finally {
      late.abort();
      [failed, ended, tooLate].forEach((promise) => promise.catch(() => {}));
    }
  }

  function listening({ stdout, stderr }) {
    return new Promise((resolve) => {
      for (const stream of [stdout, stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          log.push(line);
          onLine?.(line);
          if (ready.test(line)) resolve();
        });
      }
    });
  }

  async function stop() {
    isUp = false;
    if (!isRunning()) return;
    const gone = once(child, "exit");
    child.kill(signal);
    const impatient = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(impatient);
  }
}

/** Runs a program to its end; what a failed one printed is in the error. */
export async function run(command, options) {
  const { code, output } = await outcome(command, options);
  if (code !== 0) throw Object.assign(new Error(`${command.join(" ")} ended with ${code}`), { hint: output.trim().slice(-3_000) });
}

/**
 * Runs a program to its end, whatever that is, or until it prints `enough`. `input` is what it reads; with `onlyAnswer` its stderr is not
 * part of the output.
 */
export async function outcome([program, ...args], { env, enough, input, onlyAnswer = false, ...options } = {}) {
  const child = spawn(program, args, { ...options, env: { ...everyProgram(), ...env }, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  // It may end without having read all.
  child.stdin?.on("error", () => {}).end(input);
  let output = "";
  child.stderr.resume();
  for (const stream of onlyAnswer ? [child.stdout] : [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      if (enough?.test(output)) child.kill("SIGKILL");
    });
  }
  const [code] = await once(child, "close");
  return { code, output };
}

function everyProgram() {
  const names = ["PATH", "HOME", "TMPDIR", "LANG", "SystemRoot", "CARGO_TARGET_DIR", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "PIP_INDEX_URL"];
  const known = names.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(known), NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
}
