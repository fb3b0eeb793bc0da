// Which document is which page of the site, and where its links lead there.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Documents whose place in the repository is no good name for a page. */
const NAMES = {
  "README.md": "index.md",
  "docs/README.md": "how-do-i.md",
  "middleware/README.md": "npm.md",
  "host/README.md": "rust.md",
  "origin/python/README.md": "python.md",
  "examples/demo/README.md": "demo.md",
  "examples/stack/README.md": "stack.md",
  ".github/pull_request_template.md": null,
};

/** The page that a document becomes: `docs/` is the root, a README stands for its folder. */
export function pageOf(source) {
  if (source in NAMES) return NAMES[source];
  const name = source.replace(/^docs\//, "").replace(/\/README\.md$/, ".md");
  return /^[A-Z_]+\.md$/.test(name) ? name.toLowerCase() : name;
}

/** Every document that git has. */
export const SOURCES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((name) => name !== "" && pageOf(name) !== null && fs.existsSync(path.join(ROOT, name)));

/** The document of a page. */
export const sourceOf = (page) => SOURCES.find((source) => pageOf(source) === page) ?? page;

/** The anchor of a heading, as GitHub makes it: the documents' links are written for that. */
export const slugOf = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

/** Files beside the documents that links have led to: they are copied into the site. */
export const copied = new Set();

/** Where the repository is, if that is known. */
const { PROJECT_URL } = process.env;

/**
 * Where a link of a document leads on the site; the same where it leads elsewhere already. A
 * folder has no page: nothing.
 */
export function linkOf(source, href, extension = "") {
  if (/^([a-z][a-z+.-]*:|\/|#)/i.test(href) || href === "") return href;
  const [file, anchor] = href.split("#");
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(source), decodeURI(file))).replace(/\/$/, "");
  const of = (place) => (anchor === undefined ? place : `${place}#${anchor}`);
  if (SOURCES.includes(target)) return of(`/${pageOf(target).replace(/(^|\/)index\.md$|\.md$/, (all, before) => (before === undefined ? extension : `${before}${extension && "index.md"}`))}`);
  const readme = `${target}/README.md`;
  if (SOURCES.includes(readme)) return linkOf("README.md", of(readme), extension);
  if (fs.statSync(path.join(ROOT, target), { throwIfNoEntry: false })?.isFile()) {
    copied.add(target);
    return `/files/${target}`;
  }
  if (!fs.existsSync(path.join(ROOT, target))) throw new Error(`${source}: there is no ${href}`);
  return PROJECT_URL ? of(`${PROJECT_URL.replace(/\/$/, "")}/tree/main/${target}`) : undefined;
}

/** The title of a document, and the first sentence below it. */
export function introductionOf(document) {
  const text = document.replace(/```[\s\S]*?```|<[^>]*>/g, "");
  const title = /^# (.+)$/m.exec(text)?.[1] ?? "";
  const below = text.slice(text.indexOf(title) + title.length).split(/\n\s*\n/);
  const paragraph = below.map((one) => one.trim().replace(/\s+/g, " ")).find((one) => /^[A-Z*`[]/.test(one)) ?? "";
  const plain = paragraph.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*`]/g, "");
  const sentences = plain.match(/.+?[.](?= |$)/g) ?? [plain];
  // Pages begin with whom they are for; what they say comes next.
  const said = /^For (every|who|people|op)/.test(plain) && sentences.length > 1 ? sentences[1] : sentences[0];
  return { title: title.replace(/`/g, ""), sentence: said.trim().replace(/:$/, ".") };
}
