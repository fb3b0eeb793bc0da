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

/** What is shorter stands in words as well. */
const LEAST = 20;

/** A value with something to it: not one letter again and again. */
const isTelling = (text) => text.length >= LEAST && new Set(text).size > 6;

/**
 * Searches what a host emits for what came in: values of cookies and tokens of the latest requests,
 * so many as it remembers, and secrets.
 */
export class Search {
  #remembered;
  #secrets = new Map();
  #latest = new Map();

  constructor(remembered = Infinity) {
    this.#remembered = remembered;
  }

  /** Variables of a gate, by name. */
  hideVariables(variables) {
    for (const [name, value] of Object.entries(variables))
      if (/SECRET|TOKEN|PASSWORD|KEY/.test(name) && typeof value === "string" && isTelling(value))
        this.#secrets.set(value, formsOf(value));
  }

  /** The head of a request: pairs of name and value. */
  hideHead(pairs) {
    for (const [name, value] of pairs) {
      const own = name.toLowerCase();
      if (own === "cookie")
        for (const pair of String(value).split(/; */)) this.#hide(pair.slice(pair.indexOf("=") + 1));
      if (own === "authorization") this.#hide(String(value).replace(/^\S+ +/, ""));
    }
  }

  #hide(value) {
    // Of a token each part may be told by itself, but for the first of a JWT, which says how it is signed.
    for (const part of [value, ...value.split(".")]) {
      const isHead = part !== value && part.startsWith("eyJ");
      if (!isTelling(part) || isHead || this.#latest.has(part)) continue;
      this.#latest.set(part, formsOf(part));
      if (this.#latest.size > this.#remembered) this.#latest.delete(this.#latest.keys().next().value);
    }
  }

  /** What the text has of it, in words; nothing if it has nothing. */
  found(text) {
    const has = (forms) => forms.some((form) => text.includes(form));
    if ([...this.#secrets.values()].some(has)) return "a secret";
    return [...this.#latest.values()].some(has) ? "a cookie or a token" : undefined;
  }
}

function tryDecode(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
