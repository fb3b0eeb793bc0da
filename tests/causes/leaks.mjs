// Looks for values that nothing may print, in the forms in which they could be printed.

/** The forms of a value that are searched for. */
export function formsOf(value) {
  const bytes = Buffer.from(value);
  const decoded = tryDecode(value);
  const plain = [value, ...(decoded === value ? [] : [decoded])];
  return [
    ...plain,
    ...plain.map(encodeURIComponent),
    ...plain.map((text) => JSON.stringify(text).slice(1, -1)),
    ...[bytes.toString("base64"), bytes.toString("base64url")].map((text) => text.replace(/=+$/, "")),
  ];
}

/** The hidden values that are in the text, by their place in the set: never the values themselves. */
export function leaksIn(text, hidden) {
  return [...hidden]
    .map((value) => value.trim())
    .filter((value) => value.length >= 6)
    .flatMap((value, at) => (formsOf(value).some((form) => text.includes(form)) ? [`value ${at}`] : []));
}

function tryDecode(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
