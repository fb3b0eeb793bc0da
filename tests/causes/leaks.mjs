// Looks for values that nothing may print, in the forms in which they could be printed.

/** The forms of a value that are searched for. */
export function formsOf(value) {
  const decoded = tryDecode(value);
  const plain = [value, ...(decoded === value ? [] : [decoded])];
  return [
    ...plain,
    ...plain.map(encodeURIComponent),
    ...plain.map((text) => JSON.stringify(text).slice(1, -1)),
    ...plain.flatMap(base64Forms),
  ];
}

/** Its base64 in a longer text, wherever it begins there: only the letters that are its own. */
function base64Forms(value) {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const from = Math.ceil((before * 8) / 6);
    const until = Math.floor((bytes.length * 8) / 6);
    return ["base64", "base64url"].map((encoding) => bytes.toString(encoding).slice(from, until));
  });
}

/** The hidden values that are in the text, by their place in the set: never the values themselves. */
export function leaksIn(text, hidden) {
  return [...hidden]
    .map((value) => value.trim())
    .filter((value) => value.length >= 6)
    .flatMap((value, at) => (formsOf(value).some((form) => text.includes(form)) ? [`value ${at}`] : []));
}

/**
 * Whether a leak would be found: each form of each hidden value, planted in a text. How many there
 * were, and which were not found.
 */
export function planted(hidden) {
  const values = [...hidden].filter((value) => value.trim().length >= 6);
  const leaks = values.flatMap((value) => {
    const text = value.trim();
    const longer = ["", "a", "ab"].map((before) => Buffer.from(`${before}${text}`).toString("base64"));
    return [...formsOf(text), ...longer].map((form) => ({ value, form }));
  });
  const missed = leaks.filter(({ value, form }) => leaksIn(`seen ${form}, fix`, [value]).length === 0);
  const isQuiet = leaksIn("nothing is wrong as far as can be seen from here", hidden).length === 0;
  return { count: leaks.length, missed: missed.length + (isQuiet ? 0 : 1) };
}

function tryDecode(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
