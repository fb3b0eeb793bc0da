// The replies of a decision vector, for hosts that are written in JavaScript; `README.md` says which one an effect takes.

/**
 * Takes the first reply that is left for an effect; the script's clock goes on by what it takes.
 *
 * @param {{ now: number, replies: [number, object][] }} script replies with their numbers
 * @param {{ purpose: string, url?: string, key?: string, headers?: [string, string][], copy?: string | null }} effect
 * @returns {object | undefined}
 */
export function taken(script, { purpose, url, key, headers = [], copy }) {
  const sent = headers.filter(([name]) => name === "cookie").flatMap(([, line]) => line.split("; "));
  const names = JSON.stringify(sent.map((pair) => pair.split("=")[0]));
  const place = script.replies.findIndex(
    ([, reply]) =>
      reply.to === purpose &&
      (purpose === "read" ? (reply.key ?? key) === key : (reply.url ?? url) === url) &&
      (!reply.cookies || JSON.stringify(reply.cookies) === names) &&
      // A copy where none will do would not have been looked for.
      (reply.copied === undefined || typeof copy === "string"),
  );
  if (place === -1) return undefined;
  const [[, reply]] = script.replies.splice(place, 1);
  script.now += reply.takes_ms ?? 0;
  return reply;
}
