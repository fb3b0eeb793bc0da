// The environment, checked once: whoever imports this runs with a good one or not at all.

import { type Environment, readEnvironment } from "./environment.js";
import { say } from "./log.js";

export const settings: Environment = checked();

function checked(): Environment {
  const read = readEnvironment(process.env);
  if ("environment" in read) return read.environment;
  for (const problem of read.problems) say("environment", { level: "error", ...problem });
  process.exit(2);
}
