// Who is to blame? Beside each part of a running stack its doctor is asked, as somebody would who had only that part.

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
  for (const { name, command, env, input } of doctors(stack, built, token)) {
    const { code, output } = await outcome([...command, ...(json ? ["--json"] : [])], { env, input, onlyAnswer: json });
    asked.push({ name, code, output });
  }
  return asked;
}

function doctors({ api }, { python }, token) {
  const beside = [python, "-m", "doorward_origin", "doctor", "--source", folder("api")];
  return [{ name: "api", command: token ? [...beside, "--token-file", "-"] : beside, env: api.env, input: token }];
}
