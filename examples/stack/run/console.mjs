// The running stack on a terminal: what its services log, one colour each, and a prompt by which a service is stopped and started again.

import { createInterface } from "node:readline";

const COLOURS = [36, 35, 33, 34, 32, 31, 96, 95];
const HELP = `\
  stop NAME       ends a service, as if it had crashed
  start NAME      starts it again, on the same port with the same environment
  restart NAME    both
  status          which of them run, and where
  doctor          asks who is to blame
  help            this; Ctrl-C stops everything`;

/** A service as the prompt knows it. @typedef {{name: string, service: {start: () => Promise<void>, stop: () => Promise<void>, isRunning: () => boolean}, where: string}} Known */

/**
 * @param {object} options
 * @param {NodeJS.WritableStream & {isTTY?: boolean}} options.output gets everything
 * @param {NodeJS.ReadableStream & {isTTY?: boolean}} options.input has the commands; where it ends, the stack goes on
 * @param {boolean} options.quiet shows nothing of what services log
 * @param {() => Promise<{name: string, output: string}[]>} [options.diagnose] what the command `doctor` does
 */
export function openConsole({ output, input, quiet, diagnose = async () => [] }) {
  const hasColours = Boolean(output.isTTY) && !process.env.NO_COLOR;
  const hasPrompt = Boolean(output.isTTY && input.isTTY);
  /** @type {Known[]} */
  const known = [];
  const colours = new Map();
  let prompt;

  return { show, heard, ended, add, open, carryOut };

  /** One line, above the prompt where there is one. */
  function show(line) {
    output.write(hasPrompt && prompt ? `\r\x1b[K${line}\n` : `${line}\n`);
    if (hasPrompt) prompt?.prompt(true);
  }

  /** A service has logged a line. */
  function heard(name, line) {
    if (!quiet) show(`${painted(name)}${printable(line)}`);
  }

  /** A service has ended, and nobody has told it to. */
  function ended(name, how) {
    show(`${painted(name)}ended with ${how}; \`start ${name}\` starts it again`);
  }

  function add(name, service, where) {
    known.push({ name, service, where });
  }

  /** Reads commands until the input ends. */
  function open() {
    prompt = createInterface({ input, output: hasPrompt ? output : undefined, terminal: hasPrompt, prompt: "stack> " });
    // One after the other: a service may need the one before it.
    let before = Promise.resolve();
    prompt.on("line", (line) => (before = before.then(() => carryOut(line)).finally(() => hasPrompt && prompt.prompt())));
    // A terminal in this mode gives Ctrl-C to us.
    prompt.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    if (hasPrompt) prompt.prompt();
  }

  /** @param {string} line */
  async function carryOut(line) {
    const [verb, name, ...more] = line.trim().split(/\s+/);
    if (!verb) return;
    if (verb === "help") return show(`stack: commands\n${HELP}\n  NAME is one of  ${names()}`);
    if (verb === "status") return known.forEach(({ name, service, where }) => show(`${painted(name)}${service.isRunning() ? `runs at ${where}` : "is stopped"}`));
    if (verb === "doctor") return told(await diagnose());
    if (!["stop", "start", "restart"].includes(verb) || more.length > 0) return show(`stack: there is no command \`${printable(line.trim())}\`; \`help\` lists them`);
    const found = known.find((one) => one.name === name);
    if (!found) return show(`stack: ${name ? `there is no service \`${printable(name)}\`` : `${verb} what?`} It is one of ${names()}`);
    await change(verb, found);
  }

  async function change(verb, { name, service, where }) {
    if (verb === "start" && service.isRunning()) return show(`${painted(name)}runs already, at ${where}`);
    try {
      if (verb !== "start") await service.stop();
      if (verb !== "stop") await service.start();
      show(`${painted(name)}${verb === "stop" ? "is stopped" : `runs at ${where}`}`);
    } catch (error) {
      show(`${painted(name)}error: ${error.message}`);
      // Its last lines; without `--quiet` they have been shown.
      if (quiet && error.hint) error.hint.split("\n").forEach((line) => show(`${painted(name)}${printable(line)}`));
    }
  }

  function told(asked) {
    for (const { name, output: text } of asked) text.trimEnd().split("\n").forEach((line) => show(`${painted(name)}${printable(line)}`));
  }

  function names() {
    return known.map(({ name }) => name).join(", ");
  }

  function painted(name) {
    if (!colours.has(name)) colours.set(name, COLOURS[colours.size % COLOURS.length]);
    const label = `${name.padEnd(8)} │ `;
    return hasColours ? `\x1b[${colours.get(name)}m${label}\x1b[0m` : label;
  }
}

/** A log line cannot move the cursor or colour what comes after it. */
const printable = (text) => text.replace(/\x1b\[[0-9;]*m/g, "").replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "�");
