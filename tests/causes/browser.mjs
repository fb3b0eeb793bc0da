// What a real browser makes of a deployment: whether it keeps the cookie of a sign-up, and whether
// the page learns of the session. A row asserts it before the doctor is asked.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { PASSWORD } from "./lab.mjs";

const PROGRAMS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * A page of `app` signs up at the service of `site` and asks for its session; every host is this
 * machine's `port`. `dropped` are the reasons of the browser for each session cookie that it did not
 * keep, `session` is what the page learns: `session`, `null`, or `unreadable` where it may not read
 * the answer. `isSent` tells whether a request to `app` itself carries the cookie. Whether
 * cookies of third parties are blocked is a user's setting.
 */
export async function signUp(lab, { app, site, port, blocksThirdParties = false }) {
  const executablePath = PROGRAMS.find((file) => file && existsSync(file));
  if (!executablePath) throw new Error("there is no Chromium: name one in CHROMIUM");
  const rules = `--host-resolver-rules=MAP * 127.0.0.1:${port}`;
  const folder = await mkdtemp(join(tmpdir(), "doorward-browser-"));
  await mkdir(join(folder, "Default"));
  // 1 blocks the cookies of third parties, 0 none.
  const profile = { cookie_controls_mode: blocksThirdParties ? 1 : 0 };
  await writeFile(join(folder, "Default", "Preferences"), JSON.stringify({ profile }));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    args: ["--no-sandbox", "--ignore-certificate-errors", rules],
    ignoreHTTPSErrors: true,
  });
  try {
    const page = await context.newPage();
    const watch = await context.newCDPSession(page);
    const dropped = new Set();
    watch.on("Network.responseReceivedExtraInfo", ({ blockedCookies }) => {
      for (const { blockedReasons, cookieLine } of blockedCookies)
        if (/session_token=[^;]/.test(cookieLine))
          for (const reason of blockedReasons) dropped.add(reason.replace(/^Schemeful/, ""));
    });
    await watch.send("Network.enable");
    await page.goto(`${app}/`);
    const email = lab.hide(`grace.${port}.hopper@people.example`);
    const body = JSON.stringify({ email, password: lab.hide(PASSWORD), name: "Grace" });
    const session = await page.evaluate(
      async ({ base, body }) => {
        const send = (path, init) => fetch(base + path, { credentials: "include", ...init });
        try {
          await send("/sign-up/email", { method: "POST", headers: { "content-type": "application/json" }, body });
          return (await (await send("/get-session")).json()) ? "session" : "null";
        } catch {
          return "unreadable";
        }
      },
      { base: `${site}/api/auth`, body },
    );
    const sent = new Promise((resolve) =>
      watch.on("Network.requestWillBeSentExtraInfo", ({ headers }) =>
        resolve(/session_token=/.test(headers.Cookie ?? headers.cookie ?? "")),
      ),
    );
    await page.goto(`${app}/again`);
    for (const { value } of await context.cookies()) lab.hide(value);
    return { dropped: [...dropped].join(" "), session, isSent: await sent };
  } finally {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  }
}
