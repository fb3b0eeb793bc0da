// A run of the command line as a picture (SVG): its lines appear as they did. No font, script or
// other file is loaded by it, and it is readable on light and dark ground. With
// `prefers-reduced-motion` all of it is there at once.

const WIDTH = 100;
const LINE = 19;
const LETTER = 8.4;
const COLORS = { 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#56d4dd", 90: "#8b949e" };

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** A line with its colors (SGR) as spans. */
function spans(line) {
  let [style, out] = ["", ""];
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1].split(";");
    if (codes) style = codes.flatMap((code) => (code === "1" ? ['font-weight="bold"'] : COLORS[code] ? [`fill="${COLORS[code]}"`] : [])).join(" ");
    else if (part !== "") out += style ? `<tspan ${style}>${escaped(part)}</tspan>` : escaped(part);
  }
  return out;
}

/** Lines that are longer than the picture go on in the next, indented as they are. */
function wrapped(text) {
  return text.split("\n").flatMap((line) => {
    const lines = [];
    const indent = " ".repeat(/^ *(\S+ {2,})?/.exec(line)[0].length);
    let rest = line;
    while (rest.replace(/\x1b\[[\d;]*m/g, "").length > WIDTH) {
      const at = rest.lastIndexOf(" ", WIDTH);
      lines.push(rest.slice(0, at));
      rest = indent + rest.slice(at + 1);
    }
    return [...lines, rest];
  });
}

/** The picture of a command, and of what it printed after so many milliseconds each. */
export function recording(command, chunks) {
  const lines = [{ text: `<tspan fill="#8b949e">$</tspan> ${escaped(command)}`, at: 0 }];
  for (const { text, at } of chunks) for (const line of wrapped(text.replace(/\r/g, "").replace(/\n$/, ""))) lines.push({ text: spans(line), at: 600 + at });
  const height = lines.length * LINE + 34;
  const width = Math.ceil(WIDTH * LETTER + 40);
  const times = [...new Set(lines.map(({ at }) => at))];
  const styles = times.map((at, number) => `.t${number}{animation-delay:${at}ms}`).join("");
  const rows = lines.map(({ text, at }, number) => `<text class="t${times.indexOf(at)}" x="20" y="${32 + number * LINE}">${text}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t">
<title id="t">${escaped(command)}: what it prints of a deployment whose secret ends with a line end</title>
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#e6edf3;white-space:pre;opacity:0;animation:a 1ms forwards}${styles}@keyframes a{to{opacity:1}}@media(prefers-reduced-motion:reduce){text{opacity:1;animation:none}}</style>
<rect width="${width}" height="${height}" rx="8" fill="#161b22"/>
${rows.join("\n")}
</svg>
`;
}
