// Where the vectors are: `tests/vectors/decisions/` at the root of the repository, or the folder that DOORWARD_VECTORS names.

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const USUAL = fileURLToPath(new URL("../../../tests/vectors/decisions/", import.meta.url));

export const folder = path.resolve(process.env.DOORWARD_VECTORS || USUAL);

/** @returns {Promise<{ name: string, text: string }[]>} none where there is no such folder */
export async function vectorFiles() {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return Promise.all(files.map(async (name) => ({ name, text: await readFile(path.join(folder, name), "utf8") })));
}
