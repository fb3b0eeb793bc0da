// Headers as pairs of name and value, as Node reads them from a connection.

/** A request that was not read from a connection, as behind serverless-http, has no raw headers. */
export function headersOf({ rawHeaders, headers }) {
  if (rawHeaders?.length) return pairsOf(rawHeaders);
  return Object.entries(headers).flatMap(([name, values]) => [values ?? []].flat().map((value) => [name, String(value)]));
}

export function pairsOf(raw) {
  const pairs = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i], raw[i + 1]]);
  return pairs;
}

/** Header pairs after the decision's edits: removals first, then what is set takes the place of all others of its name. */
export function editedPairs(pairs, { removed, set }) {
  const gone = new Set([...removed, ...set.map(([name]) => name)].map((name) => name.toLowerCase()));
  return [...withOneCookie(pairs.filter(([name]) => !gone.has(name.toLowerCase()))), ...set];
}

/** Several lines of cookies are one (RFC 9113 section 8.2.3). An origin that joined them by commas would read other cookies than the gate. */
function withOneCookie(pairs) {
  const isCookie = ([name]) => name.toLowerCase() === "cookie";
  const cookies = pairs.filter(isCookie);
  if (cookies.length < 2) return pairs;
  return [...pairs.filter((pair) => !isCookie(pair)), ["Cookie", cookies.map(([, value]) => value).join("; ")]];
}
