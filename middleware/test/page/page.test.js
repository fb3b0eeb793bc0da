// The page that explains, in a real browser: opened from a file, by keyboard alone. It must send
// nothing, keep nothing and say nothing on the console; its answers are those of the command line.
//
// With PAGE_SCREENSHOTS=<folder> each state is also kept as a picture, at two widths, light and dark.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const MIDDLEWARE = fileURLToPath(new URL("../..", import.meta.url));
const VECTORS = path.join(MIDDLEWARE, "../tests/vectors/decisions");
const PROGRAM = path.join(MIDDLEWARE, "bin/doorward.mjs");
const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const { PAGE_SCREENSHOTS } = process.env;

/** The moment of nearly all vectors. */
const NOW = new Date("2027-01-15T08:00:00Z");

let folder, browser, context, page, requests, complaints;

before(async () => {
  const executablePath = BROWSERS.find((file) => file && existsSync(file));
  assert.ok(executablePath, "there is no Chromium: apt-get install --no-install-recommends chromium, or name one in CHROMIUM");
  folder = await mkdtemp(path.join(tmpdir(), "doorward-page-"));
  const made = await run("node", [PROGRAM, "explain", "--page", path.join(folder, "explain.html")]);
  assert.equal(made.stdout, "");
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  [requests, complaints] = [[], []];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.clock.setFixedTime(NOW);
  await page.goto(pathToFileURL(path.join(folder, "explain.html")).href);
  await page.waitForFunction(() => document.querySelector("#kind").textContent === "Nothing is explained yet.");
});

/** Nothing was sent but the page itself, nothing was said, and nothing is kept. */
async function assertSilent() {
  assert.deepEqual(requests.slice(1), []);
  assert.deepEqual(complaints, []);
  const kept = await page.evaluate(() => [location.search, location.hash, document.cookie, localStorage.length, sessionStorage.length]);
  assert.deepEqual(kept, ["", "", "", 0, 0]);
}

/** A vector, with the configuration that it is decided by. */
async function vector(file, wanted) {
  const { policies, cases } = JSON.parse(await readFile(path.join(VECTORS, file), "utf8"));
  const found = cases.find(wanted);
  assert.ok(found, `${file} has no such case`);
  return { ...found, ...policies[found.policy] };
}

/** Goes on with Tab until this element has the focus. */
async function tabTo(id) {
  for (let step = 0; step < 80; step++) {
    if ((await page.evaluate(() => document.activeElement.id)) === id) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`#${id} is not reached by Tab`);
}

async function type(id, text) {
  await tabTo(id);
  await page.keyboard.insertText(text);
}

const said = (selector) => page.locator(selector).innerText();
const settled = (words) => page.waitForFunction((words) => document.querySelector("#verdict").innerText.includes(words), words);

const isToken = ({ expect, request, results, now_ms }) =>
  expect.reject?.reason === "token_expired" &&
  results.length === 0 &&
  now_ms === NOW.getTime() &&
  request.headers.some(([name]) => name === "authorization");

test("a token that has expired: where, why, since when, and what to do, by keyboard alone", async () => {
  const { config, request } = await vector("claims.json", isToken);
  const token = request.headers.find(([name]) => name === "authorization")[1];
  await type("paste", `Authorization: ${token}`);
  await type("config", JSON.stringify(config));
  await settled("The token has expired");
  assert.match(await said("#kind"), /an Authorization header/);
  assert.match(await said("#verdict"), /token_expired/);
  assert.match(await said("#verdict"), /whoever sends the request/);
  assert.equal(await page.locator("#verdict").getAttribute("role"), "status");
  const states = await page.locator("#way details").evaluateAll((all) => all.map((own) => [own.className, own.open]));
  assert.deepEqual(states.map(([state]) => state), [...Array(5).fill("passed"), "refused", ...Array(3).fill("not-reached")]);
  assert.deepEqual(states.map(([, open]) => open), states.map(([state]) => state === "refused"));
  // A step opens by keyboard.
  const summary = page.locator("#way summary").first();
  await tabToElement("#way summary");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#way details").first().getAttribute("open"), "");
  assert.match(await summary.innerText(), /request/);
  // The moment before the end: it passes.
  assert.match(await said("#times"), /passes/);
  await picture("expired");
  await tabToElement("#times button[aria-label*='moment']");
  await page.keyboard.press("Enter");
  await settled("The gate");
  assert.notEqual(await said("#moment"), "now");
  await assertSilent();
});

async function tabToElement(selector) {
  for (let step = 0; step < 80; step++) {
    const isThere = (selector) => document.activeElement === document.querySelector(selector);
    if (await page.evaluate(isThere, selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${selector} is not reached by Tab`);
}

test("cookies: the table, the sizes, and a secret that is cleared when the page is hidden", async () => {
  const secret = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
  const cookie = "__Secure-better-auth.session_token=abc; __Secure-better-auth.session_token=abd; big=" + "x".repeat(5000);
  await type("paste", `curl 'https://app.example.com/dashboard?code=c0de-of-theirs' -H 'Cookie: ${cookie}'`);
  await type("url", "https://app.example.com");
  await type("secret", secret);
  await settled("refuses");
  assert.match(await said("#kind"), /a curl command/);
  assert.match(await said("#cookies"), /2 of one name, and they differ: the first counts/);
  assert.match(await said("#limits"), /✘ over 4096 bytes/);
  assert.match(await said("#limits"), /✔ within 8192 bytes/);
  await picture("cookies");
  // What can be given to others has no value in it.
  await tabTo("copy-ticket");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#copied").textContent !== "");
  const shown = await page.evaluate(() => document.body.innerText);
  for (const kept of [secret, "c0de-of-theirs", "xxxxx"]) assert.ok(!shown.includes(kept), kept);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  assert.equal(await page.inputValue("#secret"), "");
  assert.match(await said("#secret-note"), /cleared/);
  await assertSilent();
});

test("an issuer with a slash too many: the letter is marked", async () => {
  const claims = { iss: "https://app.example.com/", aud: "https://app.example.com", sub: "u", iat: 1_800_000_000, exp: 4_000_000_000 };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = [part({ alg: "EdDSA", kid: "k1" }), part(claims), Buffer.alloc(64).toString("base64url")].join(".");
  await type("paste", token);
  await type("url", "https://app.example.com");
  await settled("issuer");
  assert.match(await said("#differences"), /iss differs at character 24/);
  assert.equal(await page.locator("#differences mark").first().innerText(), "/");
  await picture("issuer");
  // Four keys on the slider: some other moment, and back.
  await tabTo("clock");
  for (let step = 0; step < 4; step++) await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelector("#moment").textContent !== "now");
  await tabTo("now");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#moment").textContent === "now");
  await assertSilent();
});

test("the page says what the command line says", async () => {
  const cases = await Promise.all([
    vector("session-cookies.json", ({ expect, results }) => expect.forward && results.length === 0),
    vector("session-cookies.json", ({ expect, results }) => expect.reject?.reason === "signature_invalid" && results.length === 0),
    vector("algorithms.json", ({ expect, results }) => expect.forward && results.length === 0),
    vector("token-form.json", ({ expect }) => expect.reject?.reason === "token_malformed"),
    vector("paths.json", ({ expect }) => expect.reject?.reason === "path_refused"),
    vector("cross-site.json", ({ expect }) => expect.reject?.reason === "cross_site_request"),
  ]);
  let count = 0;
  for (const { name, request, config, env = {} } of cases) {
    const headers = request.headers.map(([name, value]) => ({ name, value }));
    const har = JSON.stringify({ method: request.method, url: request.public_origin + request.target, headers });
    const own = await mkdtemp(path.join(folder, "case-"));
    await writeFile(path.join(own, "request.har"), har);
    await writeFile(path.join(own, "doorward.json"), JSON.stringify(config));
    const variables = { PATH: process.env.PATH, BETTER_AUTH_URL: env.BETTER_AUTH_URL ?? "", BETTER_AUTH_SECRET: env.BETTER_AUTH_SECRET ?? "" };
    const { stdout } = await run("node", [PROGRAM, "explain", "request.har", "--json", "--at", NOW.toISOString()], { cwd: own, env: variables }).catch((failed) => failed);
    const expected = JSON.parse(stdout);
    for (const [id, text] of [["paste", har], ["config", JSON.stringify(config)], ["url", variables.BETTER_AUTH_URL], ["secret", variables.BETTER_AUTH_SECRET]]) {
      await page.fill(`#${id}`, text);
    }
    const words = expected.gate.passes ? "lets it pass" : (expected.verdict.reason?.sentence ?? expected.verdict.words);
    await settled(words).catch(async () => assert.fail(`${name}: expected ${words}, found ${await said("#verdict")}`));
    assert.equal(await page.locator("#way .refused").count(), expected.way.filter(({ state }) => state === "refused").length, name);
    await assertSaves(name, request, variables.BETTER_AUTH_SECRET);
    count++;
  }
  console.log(`${count} requests`);
  assert.ok(count === 6);
  await assertSilent();
});

/** "Save as vector" gives a test that holds (`doorward test`), and has nothing of a cookie, a token or the secret in it. */
async function assertSaves(name, { headers }, secret) {
  const begun = page.waitForEvent("download");
  await page.locator("#save-vector").focus();
  await page.keyboard.press("Enter");
  const download = await begun;
  assert.equal(download.suggestedFilename(), "doorward.test.json");
  const file = await download.path();
  const own = await mkdtemp(path.join(folder, "saved-"));
  const text = await readFile(file, "utf8");
  await writeFile(path.join(own, "doorward.test.json"), text);
  const { stdout } = await run("node", [PROGRAM, "test", "--json"], { cwd: own, env: { PATH: process.env.PATH } }).catch((failed) => failed);
  const outcomes = JSON.parse(stdout).cases.map(({ passed }) => passed);
  assert.deepEqual(outcomes, [true], `${name}: ${stdout}`);
  const values = headers.filter(([own]) => /^(cookie|authorization)$/i.test(own)).flatMap(([, value]) => value.split(/[^A-Za-z0-9_-]+/));
  for (const value of [secret, ...values].filter((value) => value.length >= 20 && !/^eyJhbGci|better-auth/.test(value))) assert.ok(!text.includes(value), `${name}: ${value}`);
}

async function picture(name) {
  if (!PAGE_SCREENSHOTS) return;
  for (const [width, height] of [[1280, 900], [390, 844]]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: path.join(PAGE_SCREENSHOTS, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}
