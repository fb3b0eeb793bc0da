// The way of a user through the stack, and of what goes wrong on it. Each step throws if something is not as expected; what it returns is
// shown beside its name.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { askDoctors } from "../doctor.mjs";
import { exchangesTokens } from "./token-exchange.mjs";
import { assertion, targetOf } from "./tokens.mjs";
import { mixedRequests } from "./traffic.mjs";
import { cacheExpired } from "./waits.mjs";

const onPage = (path) => (url) => url.pathname === path;

export const steps = [
  {
    what: "a protected page, anonymous: early redirect with the way back",
    run: async ({ ada, stack, shot }) => {
      const mark = stack.frontend.log.length;
      const seen = await ada.recorder.during(() => ada.page.goto("/account"));
      const [first] = pagesOf(seen);
      assert.deepEqual([first.status, first.location], [307, "/sign-in?callbackURL=%2Faccount"]);
      assert.equal(new URL(ada.page.url()).pathname, "/sign-in");
      assert.deepEqual(stack.frontend.log.slice(mark).filter((line) => line.includes("without the gate")), []);
      await shot("sign in");
    },
  },
  {
    what: "sign-up by keyboard alone, and on to the page that was asked for",
    run: async ({ ada, shot }) => {
      const { page } = ada;
      await page.getByRole("link", { name: "Sign up" }).focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(onPage("/sign-up"));
      await page.getByRole("button", { name: "Sign up" }).and(page.locator(":enabled")).waitFor();
      await page.getByLabel("Name").focus();
      for (const text of [ada.name, ada.email, ada.password]) {
        await page.keyboard.type(text);
        await page.keyboard.press("Tab");
      }
      await shot("sign up");
      const seen = await ada.recorder.during(async () => {
        await page.keyboard.press("Enter");
        await page.waitForURL(onPage("/account"));
      });
      assert.deepEqual(bad(seen), []);
      await seesAccount(ada);
      assert.equal(await page.getByTestId("source").innerText(), "cookie-cache");
      await shot("account");
    },
  },
  {
    what: "a call of the page's script reaches the Python API",
    run: async ({ ada, shot }) => {
      await ada.page.getByRole("button", { name: "Ask the Python API" }).click();
      const answer = ada.page.getByTestId("api-answer");
      await answer.getByText(ada.email).waitFor();
      assert.match(await answer.innerText(), /^200 /);
      assert.match(await answer.innerText(), /"by": "assertion"/);
      await shot("api");
    },
  },
  {
    what: "client-side navigation to a page that the API fills",
    run: async ({ ada }) => {
      const seen = await ada.recorder.during(() => toNotes(ada));
      assert.ok(seen.some(({ kind, status, body }) => kind === "rsc" && status === 200 && body.includes(ada.email)), "an RSC answer with the user's data");
      assert.deepEqual(bad(seen), []);
    },
  },
  {
    what: "a server action writes a note",
    run: async ({ ada, shot }) => {
      const seen = await ada.recorder.during(() => addNote(ada, "bread, apples"));
      assert.ok(seen.some(({ kind, status, body }) => kind === "action" && status === 200 && body.includes("bread, apples")), "the action's answer");
      await shot("notes");
    },
  },
  {
    what: "reload",
    run: async ({ ada }) => {
      const seen = await ada.recorder.during(() => ada.page.reload());
      assert.deepEqual(bad(seen), []);
      await ada.page.getByText("bread, apples").waitFor();
    },
  },
  {
    what: "past the gate: who writes its headers is nobody, at the frontend and at the API",
    run: pastTheGate,
  },
  {
    what: "past the cookie cache: the session goes on and the cookie is renewed",
    run: async ({ ada }) => {
      // Where no prefetch renews it before the page is asked for.
      await ada.page.goto("about:blank");
      await forgotten(ada);
      const seen = await ada.recorder.during(() => ada.page.goto("/account"));
      assert.deepEqual(bad(seen), []);
      await seesAccount(ada);
      assert.equal(await ada.page.getByTestId("source").innerText(), "auth-service");
      assert.ok(seen.some(({ renewed }) => renewed), "a renewed session_data");
      assert.ok(await ada.cookie("session_data"), "session_data in the browser");
    },
  },
  {
    what: "a second tab is signed in",
    run: async ({ ada }) => {
      const second = await ada.context.newPage();
      await second.goto("/notes");
      await second.getByTestId("api-user").getByText(ada.email).waitFor();
      await second.close();
    },
  },
  {
    what: "200 mixed requests while the cookie cache keeps expiring",
    run: ({ ada }) => mixedRequests(ada, { least: 200, expiries: 6 }),
  },
  {
    what: "a tampered session_token: the page asks to sign in, the API says why",
    run: async ({ ada }) => {
      const good = await ada.context.cookies();
      const value = (await ada.cookie("session_token")).value;
      await ada.context.addCookies(good.map((cookie) => (cookie.value === value ? { ...cookie, value: flipped(value) } : cookie)));
      try {
        const response = await ada.context.request.get("/api/notes", { headers: { accept: "application/json" } });
        assert.deepEqual([response.status(), (await response.json()).reason], [401, "signature_invalid"]);
        const seen = await ada.recorder.during(() => ada.page.goto("/account"));
        assert.deepEqual([pagesOf(seen)[0].status, new URL(ada.page.url()).pathname], [307, "/sign-in"]);
      } finally {
        await ada.context.addCookies(good);
      }
      await ada.page.goto("/account");
      await seesAccount(ada);
    },
  },
  {
    what: "a tampered session_data: the auth service knows better",
    run: async ({ ada }) => {
      await ada.page.goto("/account");
      const { value } = await ada.cookie("session_data");
      const good = await ada.context.cookies();
      await ada.context.addCookies(good.map((cookie) => (cookie.value === value ? { ...cookie, value: otherUser(value) } : cookie)));
      const seen = await ada.recorder.during(() => ada.page.goto("/account"));
      assert.deepEqual(bad(seen), []);
      await seesAccount(ada);
      assert.ok(!pagesOf(seen)[0].body.includes("boss@"), "no forged identity");
    },
  },
  {
    what: "a session that has ended, on a client-side navigation: sign-in, and back to the page",
    run: async (world) => {
      const { ada, shot } = world;
      await ada.page.goto("/account");
      await endSession(world);
      const mark = await ada.recorder.mark();
      await ada.page.getByRole("link", { name: "Notes", exact: true }).last().click();
      await ada.page.waitForURL(onPage("/sign-in"));
      const seen = await ada.recorder.since(mark);
      assert.equal(new URL(ada.page.url()).searchParams.get("callbackURL"), "/notes");
      const refused = seen.filter(({ kind, path }) => ["rsc", "prefetch"].includes(kind) && path === "/notes");
      assert.ok(refused.length > 0 && refused.every(({ status, location }) => status === 401 && !location), "the router is refused without a redirect");
      assert.ok(refused.every(({ cacheControl }) => cacheControl.includes("no-store")), "and may not keep it");
      await shot("session ended");
      await signIn(ada);
      await ada.page.waitForURL(onPage("/notes"));
      await ada.page.getByText("bread, apples").waitFor();
    },
  },
  {
    what: "a server action after the session has ended: sign-in, and back to the page",
    run: async (world) => {
      const { ada } = world;
      await ada.page.goto("/notes");
      await endSession(world);
      const mark = await ada.recorder.mark();
      await ada.page.getByLabel("New note").fill("lost");
      await ada.page.getByRole("button", { name: "Add" }).click();
      await ada.page.waitForURL(onPage("/sign-in"));
      const [action] = (await ada.recorder.since(mark)).filter(({ kind }) => kind === "action");
      assert.equal(action.status, 303);
      assert.equal(new URL(ada.page.url()).searchParams.get("callbackURL"), "/notes");
      await signIn(ada);
      await ada.page.waitForURL(onPage("/notes"));
      await ada.page.getByText("bread, apples").waitFor();
      assert.equal(await ada.page.getByText("lost").count(), 0);
    },
  },
  {
    what: "prefetches while signed out are refused without a redirect that the router keeps",
    run: async ({ person }) => {
      const grace = await person("Grace");
      const seen = await grace.recorder.during(async () => {
        await grace.page.goto("/");
        // The router prefetches when it has nothing else to do.
        await sleep(500);
      });
      const prefetches = seen.filter(({ kind }) => kind === "prefetch").filter(({ path }) => path !== "/");
      const refused = prefetches.filter(({ path }) => ["/account", "/notes"].includes(path));
      assert.ok(refused.length >= 2, `only ${refused.length} prefetches of protected pages`);
      assert.ok(refused.every(({ status, location }) => status === 401 && location === undefined), JSON.stringify(refused));
      // The page stays; somebody signs in beside it; its links lead where they say.
      const tab = await grace.context.newPage();
      await tab.goto("/sign-up?callbackURL=%2Fnotes");
      await fillIn(tab, [["Name", grace.name], ["E-mail", grace.email], ["Password", grace.password]], "Sign up");
      await tab.waitForURL(onPage("/notes"));
      await grace.page.getByRole("link", { name: "your notes" }).click();
      await grace.page.waitForURL(onPage("/notes"));
      await grace.page.getByTestId("api-user").getByText(grace.email).waitFor();
      await grace.context.close();
      return `${refused.length} refused`;
    },
  },
  {
    what: "the doctors find nothing wrong",
    run: async ({ ada, stack, built }) => {
      const token = await jwtOf(ada, stack);
      const asked = await askDoctors(stack, built, { token, json: true });
      for (const { name, code, output } of asked) {
        const { verdict, causes } = JSON.parse(output);
        assert.deepEqual([name, code, verdict, causes], [name, 0, "healthy", []]);
        assert.ok(!output.includes(token) && !output.includes(ada.email), `${name}: the token or an address is in the output`);
      }
      assert.deepEqual(asked.map(({ name }) => name), ["doctor", "api"]);
      return asked.map(({ name, output }) => `${name}: ${JSON.parse(output).requests.length} sent`).join(", ");
    },
  },
  {
    what: "the auth service stops: who has a living cookie cache goes on",
    run: async ({ ada, stack, built, shot }) => {
      await ada.page.goto("/account");
      await renewed(ada);
      await stack.auth.stop();
      const seen = await ada.recorder.during(() => ada.page.goto("/account"));
      assert.equal(pagesOf(seen)[0].status, 200);
      await seesAccount(ada);
      await cacheExpired(ada);
      const doubt = await ada.recorder.during(() => ada.page.goto("/account"));
      assert.equal(pagesOf(doubt)[0].status, 503, "doubt is no sign-out");
      assert.match(pagesOf(doubt)[0].decision, /session_unavailable/);
      assert.ok(await ada.cookie("session_token"), "the cookie stays");
      await shot("auth service away");
      const named = (await askDoctors(stack, built, { json: true })).map(({ name, code, output }) => [name, code, JSON.parse(output).causes[0]?.id]);
      assert.deepEqual(named, [["doctor", 1, "unreachable"], ["api", 1, "api-cannot-fetch-jwks"]]);
      return named.map(([name, , cause]) => `${name}: ${cause}`).join(", ");
    },
  },
  {
    what: "the auth service is back: the same session, no sign-in",
    run: async ({ ada, stack, patience }) => {
      await stack.auth.start();
      const until = Date.now() + patience;
      let status;
      do {
        status = (await ada.page.goto("/account")).status();
      } while (status === 503 && Date.now() < until && (await sleep(250, true)));
      assert.equal(status, 200);
      await seesAccount(ada);
    },
  },
  {
    what: "sign-out in one tab: the other one is asked to sign in",
    run: async (world) => {
      const { ada, shot } = world;
      await ada.page.goto("/notes");
      await ada.page.getByText("bread, apples").waitFor();
      world.other = await ada.context.newPage();
      await world.other.goto("/account");
      await ada.page.getByRole("button", { name: "Sign out" }).click();
      await ada.page.waitForURL(onPage("/"));
      await ada.page.getByText("Anybody may read this page").waitFor();
      assert.equal((await ada.context.cookies()).filter(({ name }) => /session/.test(name)).length, 0);
      await shot("signed out");
      const seen = await ada.recorder.during(async () => {
        await world.other.getByRole("link", { name: "Notes", exact: true }).last().click();
        await world.other.waitForURL(onPage("/sign-in"));
      });
      const redirects = pagesOf(seen).filter(({ status }) => status === 307);
      assert.ok(redirects.length >= 1, "a redirect");
      return `${redirects.length} redirect`;
    },
  },
  {
    what: "the back button after sign-out shows nothing protected",
    run: async ({ ada }) => {
      await ada.page.goBack();
      await ada.page.waitForURL(onPage("/sign-in"));
      assert.equal(await ada.page.getByText("bread, apples").count(), 0);
    },
  },
  {
    what: "pages in the dark, and narrow",
    run: async ({ person, shot }) => {
      const night = await person("Night", { colorScheme: "dark", viewport: { width: 390, height: 700 } });
      await night.page.goto("/sign-up?callbackURL=%2Fnotes");
      await fillIn(night.page, [["Name", night.name], ["E-mail", night.email], ["Password", night.password]], "Sign up");
      await night.page.waitForURL(onPage("/notes"));
      await addNote(night, "a light bulb");
      await shot("dark notes", night.page);
      await night.page.goto("/account");
      const wide = await night.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      assert.equal(wide, false, "the page scrolls sideways");
      await shot("dark account", night.page);
      await night.context.close();
    },
  },
  {
    what: "an API that only knows JWTs, behind a token exchange",
    run: exchangesTokens,
  },
];

/**
 * With `proxy.ts` the gate is the frontend's own and nobody gets past it. Behind the Worker somebody does, and has Ada's cookies too: what
 * this app fetches for them must not be seen either.
 */
async function pastTheGate({ ada, stack }) {
  await ada.page.goto("/account");
  const subject = await ada.page.getByTestId("subject").innerText();
  await toNotes(ada);
  const text = "written once";
  const [action] = await Promise.all([ada.page.waitForRequest((request) => "next-action" in request.headers()), addNote(ada, text)]);
  const cookie = (await ada.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const { keys } = await (await fetch(`${stack.url}/.well-known/doorward/jwks.json`)).json();

  const spoofed = {
    "x-doorward-subject": subject,
    "x-doorward-email": encodeURIComponent(ada.email),
    "x-doorward-source": "cookie-cache",
    "x-doorward-issuer": "auth",
    "x-doorward-expires": "4102444800",
  };
  const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const forged = (aud, method, path) => {
    const claims = { aud, htm: method, host: new URL(stack.url).host, tgt: targetOf(path), sub: subject, email: ada.email };
    return { ...spoofed, "x-doorward-assertion": assertion(claims, otherKey, { kid: keys[0].kid }) };
  };
  const { frontend, api } = stack.urls;
  const actionHeaders = Object.fromEntries(["next-action", "content-type"].map((name) => [name, action.headers()[name]]));
  const ways = [
    [frontend, "jotter", "GET", "/"],
    [frontend, "jotter", "GET", "/account"],
    [frontend, "jotter", "GET", "/notes"],
    [frontend, "jotter", "GET", "/account", { rsc: "1" }],
    [frontend, "jotter", "GET", "/notes", { rsc: "1" }],
    [frontend, "jotter", "POST", "/notes", { ...actionHeaders, origin: frontend }, action.postDataBuffer()],
    [frontend, "notes-api", "GET", "/api/notes"],
    [frontend, "notes-api", "POST", "/api/notes", {}, JSON.stringify({ text })],
    [api, "notes-api", "GET", "/api/notes"],
    [api, "notes-api", "POST", "/api/notes", { "content-type": "application/json" }, JSON.stringify({ text })],
  ];
  let tried = 0;
  for (const [site, aud, method, path, headers, body] of ways) {
    const identities = [spoofed, forged(aud, method, path)];
    // The gate itself knows Ada by her cookies.
    if (site !== stack.url) identities.push({ ...spoofed, cookie }, { ...forged(aud, method, path), cookie });
    for (const identity of identities) {
      const answer = await fetch(site + path, { method, headers: { ...headers, ...identity }, body, redirect: "manual" });
      const seen = await answer.text();
      const what = `${method} ${site}${path} with ${Object.keys(identity)}: ${answer.status}`;
      for (const own of [ada.email, subject, text, "bread, apples"]) assert.ok(!seen.includes(own), `${what} has ${own}`);
      if (path === "/api/notes") assert.ok([401, 403].includes(answer.status), what);
      tried += 1;
    }
  }
  await ada.page.goto("/notes");
  assert.equal(await ada.page.getByText(text, { exact: true }).count(), 1, "nothing was written past the gate");
  return `${tried} requests`;
}

async function seesAccount({ page, email }) {
  await page.getByTestId("email").getByText(email).waitFor();
  assert.match(await page.getByTestId("subject").innerText(), /^\w{20,}$/);
}

async function toNotes({ page, email }) {
  await page.getByRole("link", { name: "Notes", exact: true }).last().click();
  await page.waitForURL(onPage("/notes"));
  await page.getByTestId("api-user").getByText(email).waitFor();
}

async function addNote({ page }, text) {
  await page.getByLabel("New note").fill(text);
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByTestId("notes").getByText(text, { exact: true }).waitFor();
}

async function signIn({ page, email, password }) {
  await fillIn(page, [["E-mail", email], ["Password", password]], "Sign in");
}

async function fillIn(page, fields, button) {
  for (const [label, value] of fields) await page.getByLabel(label).fill(value);
  await page.getByRole("button", { name: button }).click();
}

/** Until the gate's own memory knows nothing of the session either: what it still knows, it does not ask for again. */
async function forgotten(person) {
  await cacheExpired(person);
  await sleep(1_100);
}

/** A cookie cache that has just been made. */
async function renewed({ context }) {
  assert.equal((await context.request.get("/api/auth/get-session?disableCookieCache=true")).status(), 200);
}

/** Ends the session from another device, and waits until the cookie cache here and the gate's memory know nothing of it either. */
async function endSession({ ada, person }) {
  const elsewhere = await person("Elsewhere");
  const origin = new URL(ada.page.url()).origin;
  const post = (path, data) => elsewhere.context.request.post(`/api/auth/${path}`, { data, headers: { origin } });
  assert.equal((await post("sign-in/email", { email: ada.email, password: ada.password })).status(), 200);
  assert.equal((await post("revoke-other-sessions", {})).status(), 200);
  await elsewhere.context.close();
  await forgotten(ada);
}

/** A JWT of the auth service, as a page gets one for the API. */
async function jwtOf({ cookie }, { urls }) {
  const { name, value } = await cookie("session_token");
  const answer = await fetch(`${urls.auth}/api/auth/token`, { headers: { cookie: `${name}=${value}` } });
  assert.equal(answer.status, 200);
  return (await answer.json()).token;
}

const pagesOf = (seen) => seen.filter(({ kind }) => kind === "page");

/** Answers that nobody who is signed in should get. */
const bad = (seen) =>
  seen.filter(({ kind, status }) => kind !== "static" && (status < 200 || status >= 300)).map(({ method, path, status }) => `${method} ${path} ${status}`);

function flipped(value) {
  return (value.startsWith("A") ? "B" : "A") + value.slice(1);
}

function otherUser(value) {
  const text = Buffer.from(value, "base64url").toString().replace(/"email":"[^"]*"/, '"email":"boss@example.com"');
  return Buffer.from(text).toString("base64url");
}
