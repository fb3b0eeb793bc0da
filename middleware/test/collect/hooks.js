// Puts the collector's calls into the modules of the package, as they are loaded.

const COLLECTOR = "globalThis.doorwardCollector";

/** A line of the module, and what stands behind it for the collector. */
const CALLS = {
  "/middleware/wire.js": [
    [
      'export function joinHead({ method, target, publicOrigin, clientAddress = "", headers }) {\n',
      `${COLLECTOR}?.head({ headers });\n`,
    ],
    [
      "  const decision = readByTag(reader, tag, log || undefined, reason || undefined);\n",
      `${COLLECTOR}?.answered(decision);\n`,
    ],
  ],
  "/middleware/gate.js": [
    ["    checkOptions(options, OPTIONS);\n", `${COLLECTOR}?.options(options);\n`],
    ["function unfailing(log) {\n  return (line) => {\n", `${COLLECTOR}?.said(line);\n`],
  ],
};

export async function load(url, context, next) {
  const loaded = await next(url, context);
  const calls = Object.entries(CALLS).find(([file]) => new URL(url).pathname.endsWith(file))?.[1];
  if (!calls) return loaded;
  let source = String(loaded.source);
  for (const [line, call] of calls) {
    if (!source.includes(line)) throw new Error(`${url} has no line ${JSON.stringify(line)} for the collector`);
    source = source.replace(line, line + call);
  }
  return { ...loaded, source };
}
