// TypeScript and JavaScript in every document: one run of the compiler over all blocks, with the
// package's own types. doctor/tests/code_blocks/ reads the other languages.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import ts from "typescript";

const root = new URL("../..", import.meta.url).pathname;
const given = new URL("types/given.d.ts", import.meta.url).pathname;
const LANGUAGES = { ts: "ts", tsx: "tsx", js: "js", jsx: "jsx", mjs: "js" };

/** The blocks of these languages of a page, with the line where each begins. */
function blocksOf(name, text) {
  const blocks = [];
  let block;
  let comment = "";
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    if (block) {
      if (fence && fence[2].trim() === "") block = undefined;
      else block.lines.push(line.slice(block.indent));
    } else if (fence) {
      const language = fence[2].trim();
      // Blocks that nothing compiles are counted as well, so that their end is found. Files of apps are compiled where they run.
      block = { name, line: index + 1, indent: fence[1].length, language, lines: [], skipped: /not run: |<!-- tests\//.test(comment) };
      blocks.push(block);
      comment = "";
    } else if (/<!--/.test(line)) comment = line;
    else if (line.trim() !== "" && !comment.includes("<!--")) comment = "";
    else if (/-->/.test(line)) comment += line;
  }
  return blocks.filter(({ language, skipped }) => language in LANGUAGES && !skipped);
}

/** What the compiler says of blocks, as lines; and modules of others that are not installed. */
function compile(blocks) {
  const files = new Map();
  for (const [number, block] of blocks.entries()) {
    const file = new URL(`types/block-${number}.${LANGUAGES[block.language]}`, import.meta.url).pathname;
    // A block is a module, whether or not it imports something.
    files.set(file, { block, text: `${block.lines.join("\n")}\nexport {};\n` });
  }
  const options = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    skipLibCheck: true,
    jsx: ts.JsxEmit.Preserve,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noImplicitAny: false, // excerpts have parameters whose types their surroundings give
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const textOf = (file) => files.get(file)?.text;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => textOf(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => (files.has(file) ? ts.createSourceFile(file, textOf(file), rest[0], true) : getSourceFile(file, ...rest));
  const program = ts.createProgram([given, ...files.keys()], options, host);
  const missing = new Set();
  const problems = [];
  for (const { file, start, code, messageText } of ts.getPreEmitDiagnostics(program)) {
    const text = ts.flattenDiagnosticMessageText(messageText, " ");
    const { block } = files.get(file?.fileName) ?? {};
    if (!block) {
      problems.push(`${file?.fileName}: ${text}`);
      continue;
    }
    // A module of somebody else that only its own apps install; ours have to be there. The same
    // for a file of the reader's project.
    const module = /(?:Cannot find module|a declaration file for module) '([^']+)'/.exec(text)?.[1];
    if (module !== undefined && !/^doorward(\/|$)/.test(module)) missing.add(module);
    else problems.push(`${block.name}:${block.line + 1 + file.getLineAndCharacterOfPosition(start).line}: TS${code} ${text}`);
  }
  return { problems, missing };
}

test("every block of TypeScript and JavaScript in the documents compiles with the package's types", () => {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: root, encoding: "utf8" });
  const pages = listed.split("\n").filter((name) => name !== "" && fs.existsSync(path.join(root, name)));
  const blocks = pages.flatMap((name) => blocksOf(name, fs.readFileSync(path.join(root, name), "utf8")));
  const { problems, missing } = compile(blocks);
  for (const language of Object.keys(LANGUAGES)) {
    const count = blocks.filter((block) => block.language === language).length;
    if (count > 0) console.log(`${String(count).padStart(4)} ${language}`);
  }
  console.log(`${String(blocks.length).padStart(4)} blocks in ${pages.length} documents; not installed here, so of any type: ${[...missing].sort().join(" ") || "nothing"}`);
  assert.ok(blocks.length > 15, `only ${blocks.length} blocks were read`);
  assert.deepEqual(problems, []);
});

test("what is wrong in a block is found, at its line", () => {
  const cases = [
    ["ts", 'import { gate } from "doorward/next"; gate({ signIn: "/login" });', null],
    ["ts", 'import { gate } from "doorward/next"; gate({ sign_in: "/login" });', /sign_in/],
    ["ts", 'import { gates } from "doorward/next";', /no exported member/],
    ["ts", 'import { gate } from "doorward/nxt";', /doorward\/nxt/],
    ["js", "gate({", /expected/],
    ["js", "middleware({ metrics: { prt: 1 } });", /prt/],
    ["js", 'import x from "somebody-else"; x();', null],
  ];
  const page = cases.map(([language, code]) => `\`\`\`${language}\n${code}\n\`\`\`\n`).join("");
  const { problems, missing } = compile(blocksOf("p.md", page));
  for (const [number, [, code, expected]] of cases.entries()) {
    const said = problems.filter((problem) => problem.startsWith(`p.md:${3 * number + 2}:`) || problem.startsWith(`p.md:${3 * number + 3}:`));
    if (expected === null) assert.deepEqual(said, [], code);
    else assert.match(said.join(), expected, code);
  }
  assert.deepEqual([...missing], ["somebody-else"]);
  const skipped = blocksOf("p.md", "<!-- not run: an outline\n     of it -->\n\n```ts\ngate({\n```\n\n```ts\na\n```\n");
  assert.deepEqual(skipped.map(({ line }) => line), [8]);
});
