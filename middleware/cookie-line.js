// Cookies in workerd, for the npm package and for the Worker (`cargo xtask build` copies this file there).

/** What begins a line that has been joined to another by a comma: a name and `=` (RFC 6265 section 4.1.1). */
const BEGINNING = /, (?=[!#$%&'*+.^_`|~\w-]+=)/g;

/**
 * The line of cookies that several lines are.
 *
 * workerd joins lines of `Cookie` by commas, as it does with those of other headers; RFC 9113 section 8.2.3 joins them by `; `, and so do
 * other runtimes. A comma may stand in a cookie's value as well, whatever RFC 6265 says, and somebody may have planted it there:
 * `theme=dark, __Secure-x=1` must not be a way past the prefix. So nothing is split where a name would then be there twice: of what
 * the browser has, nothing is hidden by what is read out of a value. What is read is also what goes on to the origin.
 *
 * @param {string} line
 */
export function cookieLine(line) {
  if (!line.includes(", ")) return line;
  const joined = line.replace(BEGINNING, "; ");
  const names = joined.split(";").map((pair) => pair.split("=", 1)[0].trim());
  return new Set(names).size === names.length ? joined : line;
}
