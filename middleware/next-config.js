// Next's own configuration: a build fails where the gate could not start, or would not see what it has to protect. What is looked at and
// said is `doorward check` (bin/doorward.mjs), in a process of its own: nothing of it is in the application.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FLAG, TEXT, checkOptions, isFunction } from "./options.js";

/** Next's word for a production build (`next/constants`). */
const BUILD = "phase-production-build";
/** Next reads its configuration again in each of its workers, which have the variables of the first process. */
const IS_CHECKED = "DOORWARD_IS_CHECKED";
const COMMAND = fileURLToPath(new URL("bin/doorward.mjs", import.meta.url));

/** See `next-config.d.ts`. */
export function withDoorward(nextConfig = {}, options = {}) {
  checkOptions(options, { config: TEXT, strict: FLAG });
  return async (phase, context) => {
    if (phase === BUILD && process.env[IS_CHECKED] !== "1") {
      check(options);
      process.env[IS_CHECKED] = "1";
    }
    return isFunction(nextConfig) ? nextConfig(phase, context) : nextConfig;
  };
}

/** @throws {Error} its message is what the command says */
function check({ config, strict }) {
  const args = [COMMAND, "check", ...(config ? ["--config", config] : []), ...(strict ? ["--strict"] : [])];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status === 0) return;
  const said = [stdout, stderr].filter(Boolean).join("\n").trim();
  throw new Error(`doorward check fails, so the build does:\n\n${said || (error?.message ?? "the command did not run")}\n`);
}
