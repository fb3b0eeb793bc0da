// Where npm has put a package: in a workspace it may lie in any `node_modules` from its user upwards.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * The folder of an installed package, as a module finds it.
 *
 * @param {string} name
 * @param {string} user the module that imports it: its `import.meta.url`, or a path
 */
export function packageFolder(name, user) {
  const folders = createRequire(user).resolve.paths(name).map((folder) => join(folder, name));
  const found = folders.find((folder) => existsSync(join(folder, "package.json")));
  if (!found) throw Object.assign(new Error(`the package ${name} is not installed`), { hint: "npm ci" });
  return found;
}

/** Its version. */
export function packageVersion(name, user) {
  return JSON.parse(readFileSync(join(packageFolder(name, user), "package.json"), "utf8")).version;
}
