// Options are checked by type where they are given. JavaScript would compare and add a text as if it were a number, take any text for
// `true`, and find out that something cannot be called when the first request is there.

export const isFunction = (value) => typeof value === "function";
export const isFlag = (value) => typeof value === "boolean";
export const isText = (value) => typeof value === "string" && value !== "";
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What a kind of option is, and how an error says so. */
export const FUNCTION = [isFunction, "a function"];
export const FLAG = [isFlag, "true or false"];
export const TEXT = [isText, "text"];

/**
 * Checks those options that are given: `undefined` is as good as none, nothing else is.
 *
 * @param {unknown} options
 * @param {Record<string, [holds: (value: unknown) => boolean, expected: string]>} kinds by name
 * @throws {TypeError} it names the option and what was expected, never the value
 */
export function checkOptions(options, kinds) {
  if (!isObject(options)) throw new TypeError("doorward: the options must be an object");
  for (const [name, [holds, expected]] of Object.entries(kinds)) {
    const value = options[name];
    if (value !== undefined && !holds(value)) throw wrongOption(name, expected);
  }
}

/** @returns {TypeError} */
export function wrongOption(name, expected) {
  return new TypeError(`doorward: \`${name}\` must be ${expected}`);
}

/** A sooner moment is not one of today: seconds where milliseconds belong, or a machine without a clock. Milliseconds since 1970. */
const EARLIEST = 1e11;
/** The last moment of `Date`. */
const LATEST = 8.64e15;

/**
 * The moment that a clock gives, in milliseconds since 1970. By one that is none, all that has ended would be good again.
 *
 * @param {() => number} now
 * @throws {TypeError} it is no moment of these years
 */
export function momentOf(now) {
  const moment = now();
  if (typeof moment === "number" && moment >= EARLIEST && moment <= LATEST) return moment;
  throw wrongOption("now", "a function that gives milliseconds since 1970, like Date.now");
}
