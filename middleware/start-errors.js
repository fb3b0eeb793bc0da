// Why the gate has not started, in the answer itself: for those who develop on this machine, and for nobody else.

/**
 * The answer with the mistakes of the configuration.
 *
 * @param {{ headers: [name: string, value: string][], body: string }} answer
 * @param {string[][]} errors place, problem and hint of each
 */
export function withErrors(answer, errors) {
  const type = answer.headers.find(([name]) => name === "content-type")?.[1] ?? "";
  return { ...answer, body: answer.body && bodyWith(type, answer.body, errors) };
}

function bodyWith(type, body, errors) {
  if (type.startsWith("text/html")) return body.replace(/<h1>.*?<\/h1><p>.*?<\/p>/s, () => listed(errors));
  if (type.startsWith("application/problem+json")) {
    const members = errors.map(([path, problem, hint]) => ({ path, problem, hint }));
    return JSON.stringify({ ...JSON.parse(body), errors: members });
  }
  return [body, ...errors.map(([path, problem, hint]) => `${path}: ${problem}; ${hint}`)].join("\n");
}

function listed(errors) {
  const items = errors.map(([path, problem, hint]) => `<li><code>${escaped(path)}</code>: ${escaped(problem)}<br>${escaped(hint)}</li>`);
  const heading = "<h1>The gate has not started</h1><p>Its configuration has mistakes, so every request gets 503. Correct them and start the program again:</p>";
  return `${heading}<ul>${items.join("")}</ul><p>You see this because NODE_ENV is <code>development</code>; visitors never do.</p>`;
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
