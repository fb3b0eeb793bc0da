// The site as readers have it: built, served, and opened in a real browser at two widths, light and
// dark, by keyboard. No request leaves it, nothing is said on the console, and no page is wider than
// the screen.
//
// With SITE_SCREENSHOTS=<folder> some pages are kept as pictures.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { linkOf, pageOf, slugOf, SOURCES } from "./pages.mjs";
import { QUESTIONS } from "./questions.mjs";
import { sidebar } from "./sidebar.mjs";

const DOCS = fileURLToPath(new URL("..", import.meta.url));
const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const { SITE_SCREENSHOTS } = process.env;
const WIDTHS = [390, 1280];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

let folder, server, origin, browser;
const addresses = SOURCES.map((source) => `/${pageOf(source).replace(/(^|\/)index\.md$|\.md$/, "$1")}`);

/** The file that an address has, as hosts of static sites with clean addresses find it. */
function fileOf(address) {
  const place = path.join(folder, decodeURI(address));
  const tried = [place, `${place}.html`, path.join(place, "index.html")];
  return tried.find((file) => file.startsWith(folder) && fs.statSync(file, { throwIfNoEntry: false })?.isFile());
}

before(async () => {
  const executablePath = BROWSERS.find((file) => file && fs.existsSync(file));
  assert.ok(executablePath, "there is no Chromium: apt-get install --no-install-recommends chromium, or name one in CHROMIUM");
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "doorward-site-"));
  execFileSync("npx", ["vitepress", "build"], { cwd: DOCS, env: { ...process.env, DOORWARD_SITE: folder, PROJECT_URL: "" }, stdio: ["ignore", "ignore", "inherit"] });
  server = http.createServer((request, response) => {
    const file = fileOf(new URL(request.url, "http://localhost").pathname);
    response.writeHead(file ? 200 : 404, { "content-type": TYPES[path.extname(file ?? "")] ?? "text/plain; charset=utf-8" });
    response.end(file && fs.readFileSync(file));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${server.address().port}`;
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  server?.close();
  server?.closeAllConnections();
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

/** A page in a browser, and what it says and asks for. */
async function opened(width, colorScheme = "light") {
  const context = await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme });
  const page = await context.newPage();
  const complaints = [];
  const said = (what) => complaints.push(`${page.url()}: ${what}`);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && said(message.text()));
  page.on("pageerror", (error) => said(String(error)));
  page.on("request", (request) => request.url().startsWith(origin) || /^(data|blob):/.test(request.url()) || said(`asks ${request.url()}`));
  return { context, page, complaints };
}

const picture = async (page, name) => SITE_SCREENSHOTS && (await page.screenshot({ path: path.join(SITE_SCREENSHOTS, `${name}.png`) }));

test("every page is in the sidebar or for those who change Doorward", () => {
  const links = sidebar.flatMap(({ items }) => items.map(({ link }) => link));
  assert.deepEqual(links.filter((link) => !addresses.includes(link)), [], "leads to no page");
  const own = SOURCES.filter((source) => source.startsWith("docs/")).map((source) => `/${pageOf(source).replace(/\.md$/, "")}`);
  assert.deepEqual(own.filter((page) => !links.includes(page)), [], "is not in docs/.vitepress/sidebar.mjs");
});

test("every link and its section exist", () => {
  const html = new Map(addresses.map((address) => [address, fs.readFileSync(fileOf(address), "utf8")]));
  const ids = (text) => new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  const wrong = [];
  let count = 0;
  for (const [address, text] of html) {
    for (const [, href] of text.matchAll(/<a [^>]*?href="([^"]+)"/g)) {
      if (!/^[/#]/.test(href)) continue;
      count++;
      const [file, anchor] = href.replace(/&amp;/g, "&").split("#");
      const target = fileOf(file || address);
      if (!target) wrong.push(`${address}: ${href}`);
      else if (anchor && !ids(fs.readFileSync(target, "utf8")).has(decodeURIComponent(anchor))) wrong.push(`${address}: ${href} has no such section`);
    }
  }
  console.log(`${count} links in ${html.size} pages`);
  // A link that is lost leads nowhere either.
  const answers = html.get("/how-do-i").split('class="vp-doc')[1];
  for (const link of ["/configuration#rules-what-a-request-needs", "/npm#who-is-asking", "/reasons"]) assert.ok(answers.includes(`href="${link}"`), link);
  assert.ok(count > 1000);
  assert.deepEqual([...new Set(wrong)], []);
});

test("each page has its Markdown, and llms.txt names all of them", () => {
  const list = fs.readFileSync(path.join(folder, "llms.txt"), "utf8");
  const named = [...list.matchAll(/\]\((\/[^)]+\.md)\): (.+)/g)];
  assert.equal(named.length, SOURCES.length - 1, "all but the first page, which the list begins with");
  for (const [, address, sentence] of named) assert.match(sentence, /^\S.{15,}$/, address);
  let links = 0;
  for (const source of SOURCES) {
    const text = fs.readFileSync(path.join(folder, pageOf(source)), "utf8").replace(/```[\s\S]*?```/g, "");
    for (const [, target] of text.matchAll(/\]\((\/[^)\s#]+)/g)) {
      links++;
      assert.ok(fileOf(target), `${source}: ${target}`);
    }
  }
  console.log(`${named.length} pages in llms.txt, ${links} links in their Markdown`);
});

for (const width of WIDTHS) {
  test(`every page at ${width} pixels: no error, no other host, nothing wider than the screen`, async () => {
    const { context, page, complaints } = await opened(width);
    const wrong = [];
    for (const address of [...addresses, "/explainer.html"]) {
      await page.goto(origin + address);
      await page.waitForSelector("h1");
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) wrong.push(`${address} is ${over} pixels too wide`);
    }
    await context.close();
    console.log(`${addresses.length + 1} pages at ${width} pixels`);
    assert.deepEqual([complaints, wrong], [[], []]);
  });

  for (const scheme of ["light", "dark"]) {
    test(`${scheme} at ${width} pixels: text stands out from what is behind it`, async () => {
      const { context, page, complaints } = await opened(width, scheme);
      for (const address of ["/", "/start/nextjs", "/how-do-i", "/reasons", "/reference/configuration"]) {
        await page.goto(origin + address);
        await page.waitForSelector("h1");
        const found = await page.evaluate(contrasts);
        assert.deepEqual(found.filter(({ contrast }) => contrast < 4.5), [], address);
        await picture(page, `${scheme}-${width}${address.replaceAll("/", "-")}`);
      }
      await context.close();
      assert.deepEqual(complaints, []);
    });
  }
}

/** In the page: the contrast (WCAG 2.2) of its main kinds of text. */
function contrasts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)).reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((one, at) => one * a + below[at] * (1 - a));
  const behind = (element) => {
    const chain = [];
    for (let one = element; one; one = one.parentElement) chain.unshift(channels(getComputedStyle(one).backgroundColor));
    return chain.reduce((below, color) => over(color, below), [255, 255, 255]);
  };
  const main = document.querySelector(".vp-doc");
  return ["h1", "p", "p a", "p code", "th", "td", "pre code span span"].flatMap((kind) => {
    const element = main.querySelector(kind);
    if (!element) return [];
    const background = behind(element);
    const [a, b] = [light(over(channels(getComputedStyle(element).color), background)), light(background)];
    return [{ kind, contrast: Math.round(((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)) * 100) / 100 }];
  });
}

test("by keyboard alone: the way past the navigation, the search, and its first answer", async () => {
  const { context, page, complaints } = await opened(1280);
  await page.goto(`${origin}/`);
  await page.waitForSelector("h1");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Skip to content");
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement.id === "localsearch-input");
  await page.keyboard.type("make a page public");
  await page.waitForFunction(() => /Make a page public/.test(document.querySelector("#localsearch-list li")?.textContent));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/how-do-i#make-a-page-public$/);
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "the focus is seen");
  await context.close();
  assert.deepEqual(complaints, []);
});

// Seconds by the keystroke-level model (Card, Moran, Newell 1980): a decision 1.35, a movement of the
// pointer 1.1, a key or a click 0.28. What the answer takes to read is not in it.
const [DECIDES, POINTS, PRESSES] = [1.35, 1.1, 0.28];

/** The documents' links, each as `file#anchor`, by the document that has it. */
function linksOf(source) {
  const text = fs.readFileSync(path.join(DOCS, "..", source), "utf8").replace(/```[\s\S]*?```/g, "");
  const targets = [...text.matchAll(/\]\(([^)\s:]+)\)/g)].map(([, target]) => target.split("#"));
  return targets.map(([file, anchor]) => `${path.posix.normalize(path.posix.join(path.posix.dirname(source), file || path.posix.basename(source)))}${anchor ? `#${anchor}` : ""}`);
}

/** How many links lead from the README to one of these; nothing after three. */
function clicksTo(answers) {
  let reached = ["README.md"];
  for (let clicks = 1; clicks <= 3; clicks++) {
    const links = reached.flatMap((target) => (SOURCES.includes(target.split("#")[0]) ? linksOf(target.split("#")[0]) : []));
    if (links.some((link) => answers.includes(link))) return clicks;
    reached = [...new Set(links)];
  }
}

test("what users ask is at most two clicks from the README, and among the first three of a search", async () => {
  const { context, page, complaints } = await opened(1280);
  const wrong = [];
  console.log("question".padEnd(30), "README: clicks, seconds", "  search: place, clicks, seconds");
  for (const { question, typed, answers } of QUESTIONS) {
    const clicks = clicksTo(answers);
    await page.goto(`${origin}/`);
    await page.waitForSelector("h1");
    await page.keyboard.press("/");
    const begin = performance.now();
    await page.waitForFunction(() => document.activeElement.id === "localsearch-input");
    await page.keyboard.type(typed);
    const addresses = answers.map((answer) => linkOf("README.md", answer));
    const place = await page
      .waitForFunction((addresses) => {
        const found = [...document.querySelectorAll("#localsearch-list a")].map((one) => one.getAttribute("href").replace(".html", ""));
        const at = found.findIndex((href) => addresses.includes(href));
        return at >= 0 && at + 1;
      }, addresses, { timeout: 10_000 })
      .then((handle) => handle.jsonValue())
      .catch(() => undefined);
    const waited = (performance.now() - begin) / 1000;
    const searching = 2 * DECIDES + (1 + typed.length + (place ?? 1)) * PRESSES + waited;
    const following = (clicks ?? 0) * (DECIDES + POINTS + PRESSES);
    console.log(question.padEnd(30), String(clicks ?? "–").padStart(14), following.toFixed(1).padStart(8), String(place ?? "–").padStart(16), "1".padStart(7), searching.toFixed(1).padStart(8));
    if (!(clicks <= 2)) wrong.push(`${question}: ${clicks} clicks from the README`);
    if (!(place <= 3)) wrong.push(`${question}: \`${typed}\` finds it at place ${place}`);
  }
  await context.close();
  assert.deepEqual([wrong, complaints], [[], []]);
});

test("addresses of documents are those that their links are written for", () => {
  assert.equal(slugOf("`doorward check`: how it is run, 2nd part"), "doorward-check-how-it-is-run-2nd-part");
  assert.equal(linkOf("docs/README.md", "configuration.md#rules"), "/configuration#rules");
  assert.equal(linkOf("docs/deploy/vercel.md", "../../middleware/README.md"), "/npm");
  assert.equal(linkOf("docs/faults.md", "../README.md", ".md"), "/index.md");
  assert.equal(linkOf("docs/cli.md", "../schema"), undefined);
  assert.throws(() => linkOf("docs/cli.md", "nowhere.md"), /there is no nowhere/);
  assert.equal(linkOf("docs/alerts/README.md", "prometheus.yml"), "/files/docs/alerts/prometheus.yml");
});
