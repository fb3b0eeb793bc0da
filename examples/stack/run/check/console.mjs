// The prompt of the running stack: what each command does to a real process, and what is shown of its log.

import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../../../shared/port.mjs";
import { service } from "../../../shared/processes.mjs";
import { openConsole } from "../console.mjs";

const SERVER = 'require("http").createServer((_, r) => r.end("hi")).listen(process.argv[1], "127.0.0.1", () => console.log("up \\x1b[31mred\\x1b[0m\\x07"))';

/** Command, what is shown, whether the service runs after it. They go on from one another. */
const COMMANDS = [
  ["status", /^api +│ runs at http/, true],
  ["stop api", /^api +│ is stopped$/, false],
  ["status", /^api +│ is stopped$/, false],
  ["stop api", /^api +│ is stopped$/, false],
  ["start api", /^api +│ up red�\napi +│ runs at http/, true],
  ["  start   api ", /^api +│ runs already, at http/, true],
  ["restart api", /^api +│ up red�\napi +│ runs at http/, true],
  ["start nothing", /there is no service `nothing` It is one of api$/, true],
  ["stop", /stop what\? It is one of api$/, true],
  ["stop api now", /there is no command `stop api now`; `help` lists them$/, true],
  ["reboot api", /there is no command `reboot api`/, true],
  ["doctor", /^api +│ error\[a-cause\]: a sentence$/, true],
  ["help", /stop NAME[^]*start NAME[^]*restart NAME[^]*status[^]*NAME is one of {2}api$/, true],
  ["", /^$/, true],
];

/** @returns lines for the report */
export async function consoleChecks() {
  const begin = Date.now();
  const problems = [];
  const port = await freePort();
  const isUp = () => fetch(`http://127.0.0.1:${port}`).then(({ ok }) => ok, () => false);
  const output = new PassThrough({ encoding: "utf8" });
  const shown = () => (output.read() ?? "").trimEnd();
  const diagnose = async () => [{ name: "api", output: "error[a-cause]: a sentence\n" }];
  const console = openConsole({ output, input: new PassThrough(), quiet: false, diagnose });
  const started = () => service("api", {
    command: [process.execPath, "-e", SERVER, String(port)],
    ready: /up/,
    onLine: (line) => console.heard("api", line),
    onEnd: (how) => console.ended("api", how),
  });
  const api = started();
  console.add("api", api, `http://127.0.0.1:${port}`);
  try {
    await api.start();
    shown();
    for (const [command, expected, runs] of COMMANDS) {
      await console.carryOut(command);
      const text = shown();
      if (!expected.test(text)) problems.push(`${command}: shown was ${JSON.stringify(text)}`);
      if ((await isUp()) !== runs || api.isRunning() !== runs) problems.push(`${command}: it ${runs ? "does not run" : "runs"}`);
    }
    process.kill(api.pid(), "SIGKILL");
    for (const until = Date.now() + 5_000; api.isRunning() && Date.now() < until; ) await sleep(20);
    const last = shown();
    if (!/^api +│ ended with SIGKILL; `start api` starts it again$/.test(last)) problems.push(`a crash: shown was ${JSON.stringify(last)}`);
  } finally {
    await api.stop();
  }
  problems.push(...colourProblems());
  const found = `${COMMANDS.length} commands and a crash on a real process; colours on a terminal only; --quiet shows no log`;
  return [{ what: "logs and commands", problems, found, took: Date.now() - begin }];
}

function colourProblems() {
  const problems = [];
  const lineOf = ({ isTTY, quiet = false }) => {
    const output = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY });
    const console = openConsole({ output, input: new PassThrough(), quiet });
    for (const name of ["auth", "api"]) console.heard(name, "a line");
    return output.read() ?? "";
  };
  const { NO_COLOR } = process.env;
  delete process.env.NO_COLOR;
  const [auth, api] = lineOf({ isTTY: true }).split("\n").map((line) => /\x1b\[(\d+)m/.exec(line)?.[1]);
  if (!auth || !api || auth === api) problems.push(`two services have the colours ${auth} and ${api}`);
  if (lineOf({ isTTY: false }).includes("\x1b")) problems.push("colours where there is no terminal");
  if (lineOf({ isTTY: true, quiet: true }) !== "") problems.push("--quiet shows a log line");
  process.env.NO_COLOR = "1";
  if (lineOf({ isTTY: true }).includes("\x1b")) problems.push("colours in spite of NO_COLOR");
  if (NO_COLOR === undefined) delete process.env.NO_COLOR;
  else process.env.NO_COLOR = NO_COLOR;
  return problems;
}
