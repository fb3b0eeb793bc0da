// For programs that read Markdown: each page as it was written at its own address with `.md`, and
// `llms.txt`, the list of all (llmstxt.org).

import fs from "node:fs";
import path from "node:path";
import { copied, introductionOf, linkOf, pageOf, ROOT, SOURCES } from "./pages.mjs";

/** A document with the links of the site, outside of its blocks of code. */
function linked(source, text) {
  let code = false;
  const line = (line) => {
    if (/^\s*(\d+\. )?```/.test(line)) code = !code;
    return code ? line : line.replace(/\]\(([^)\s]+)\)/g, (all, href) => `](${linkOf(source, href, ".md") ?? href})`);
  };
  return text.split("\n").map(line).join("\n");
}

/** Writes them into the built site, in the order and under the headings of its sidebar. */
export function writeTwins(folder, sections) {
  const written = new Map();
  for (const source of SOURCES) {
    const text = fs.readFileSync(path.join(ROOT, source), "utf8");
    const file = path.join(folder, pageOf(source));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, linked(source, text));
    written.set(`/${pageOf(source).replace(/(^|(?<=\/))index\.md$|\.md$/, "")}`, { address: `/${pageOf(source)}`, ...introductionOf(text) });
  }
  for (const file of copied) {
    const target = path.join(folder, "files", file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), target);
  }
  const home = written.get("/");
  const lines = [`# ${home.title}`, "", `> ${home.sentence}`];
  const listed = new Set(["/"]);
  const entry = (link) => {
    listed.add(link);
    const { address, title, sentence } = written.get(link);
    return `- [${title}](${address}): ${sentence}`;
  };
  for (const { text, items } of sections) lines.push("", `## ${text}`, "", ...items.filter(({ link }) => written.has(link) && link !== "/").map(({ link }) => entry(link)));
  const rest = [...written.keys()].filter((link) => !listed.has(link));
  if (rest.length > 0) lines.push("", "## Optional", "", ...rest.map(entry));
  fs.writeFileSync(path.join(folder, "llms.txt"), `${lines.join("\n")}\n`);
}
