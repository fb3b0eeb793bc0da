// Where the vectors are: `tests/vectors/decisions/` at the root of the repository, or the folder that DOORWARD_VECTORS names.

import path from "node:path";
import { fileURLToPath } from "node:url";

import * as compare from "../../../tests/vectors/compare.mjs";

const USUAL = fileURLToPath(new URL("../../../tests/vectors/decisions/", import.meta.url));

export const folder = path.resolve(process.env.DOORWARD_VECTORS || USUAL);

/** @returns {Promise<{ name: string, text: string }[]>} none where there is no such folder */
export const vectorFiles = () => compare.vectorFiles(folder);
