// Who is to blame? The doctors of a running stack are asked, as somebody would: `doorward doctor` from outside with what the gate knows,
// `python -m doorward_origin doctor` beside the API with what that knows.

import { join } from "node:path";

import { outcome } from "../../shared/processes.mjs";
import { folder } from "./services.mjs";

/**
 * @param {object} stack a running one
 * @param {{python: string}} built
 * @param {{token?: string, json?: boolean}} [how] a JWT that the API refuses; as JSON instead of text
 * @returns {Promise<{name: string, code: number, output: string}[]>} what each says
 */
export async function askDoctors(stack, built, { token, json = false } = {}) {
  const asked = [];
  for (const { name, command, ...options } of [outside(stack), beside(stack, built)]) {
    const full = [...command, ...(token ? ["--token-file", "-"] : []), ...(json ? ["--json"] : [])];
    asked.push({ name, ...(await outcome(full, { ...options, input: token, onlyAnswer: json })) });
  }
  return asked;
}

/** @returns {{name: string, command: string[], env: object, cwd?: string}} */
function outside({ url, identity, urls }) {
  const command = [process.env.DOORWARD_CLI, "doctor", url, "--gate", "/account", "--config", join(folder("frontend"), "doorward.json")];
  // Where there is no `.env` file of another project.
  return { name: "doctor", command, env: { ...identity, AUTH_SERVICE_URL: urls.auth }, cwd: folder("run") };
}

function beside({ api }, { python }) {
  return { name: "api", command: [python, "-m", "doorward_origin", "doctor", "--source", folder("api")], env: api.env };
}
