// The results of a decision vector, for hosts that are written in JavaScript; `README.md` says which one an effect takes.

/**
 * Takes the first result that is left for an effect; the script's clock goes on by what it takes.
 *
 * @param {{ now: number, results: [number, object][] }} script results with their numbers
 * @param {{ purpose: string, url?: string, key?: string, headers?: [string, string][], copy?: string | null }} effect
 * @returns {object | undefined}
 */
export function taken(script, { purpose, url, key, headers = [], copy }) {
  const sent = headers.filter(([name]) => name === "cookie").flatMap(([, line]) => line.split("; "));
  const names = JSON.stringify(sent.map((pair) => pair.split("=")[0]));
  const place = script.results.findIndex(
    ([, result]) =>
      result.of === purpose &&
      (purpose === "read" ? (result.key ?? key) === key : (result.url ?? url) === url) &&
      (!result.cookies || JSON.stringify(result.cookies) === names) &&
      // A copy where none will do would not have been looked for.
      (result.copied === undefined || typeof copy === "string"),
  );
  if (place === -1) return undefined;
  const [[, result]] = script.results.splice(place, 1);
  script.now += result.takes_ms ?? 0;
  return result;
}
