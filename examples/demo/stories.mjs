// What people do on a site while their session lives. Each story throws if something is not as expected.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.mjs";
import { SESSION_DATA, SESSION_TOKEN } from "./steps.mjs";

// As short as a loaded machine allows: many of them have to pass.
export const COOKIE_CACHE_SECONDS = 4;
export const SESSION_CACHE_SECONDS = 1;
/** Without "remember me" Better Auth's cookie cache always lives for a minute. */
const FORGETFUL_CACHE_MS = 60_000;

/** Somebody who comes back to ten pages and the API, each time after the cookie cache has run out. */
export async function reads(person) {
  await person.signUp();
  for (let times = 0; times < 3; times += 1) {
    const before = person.renewals;
    await person.cacheHasRunOut();
    // All of it at once, as a page that opens does.
    await Promise.all(Array.from({ length: 10 }, (_, i) => [person.sees("page", `/dashboard/${i}`), person.sees("api", `/api/${i}`)]).flat());
    assert.ok(person.jar.get(SESSION_DATA), "no session_data in the jar afterwards");
    assert.ok(person.renewals > before, "nothing was renewed");
  }
}

/**
 * Somebody who looks at one page after the other: the cookie cache is renewed before it runs out. Where the machine has no time for that,
 * the renewal is given up and nobody is harmed: so one of three times is enough.
 */
export async function staysWithin(person) {
  await person.signUp();
  for (let times = 1; await meetsTheEnd(person); times += 1) {
    assert.ok(times < 3, "the cookie cache was not renewed before its end, three times");
    // A new session: this one is not renewed again for ten seconds.
    await person.signIn();
  }
  assert.ok(person.renewals >= 1, "renewals");
}

/** Whether the auth service had to be asked because the cookie cache had run out. */
async function meetsTheEnd(person) {
  const before = person.jar.get(SESSION_DATA);
  const until = Date.now() + (COOKIE_CACHE_SECONDS + 1) * 1000;
  let isMet = false;
  while (Date.now() < until) {
    if (sourceOf(await person.sees("page", "/dashboard")) !== "cookie-cache") isMet = true;
    await sleep(150);
  }
  assert.ok(person.jar.get(SESSION_DATA) && person.jar.get(SESSION_DATA) !== before, "session_data is the same in the jar");
  return isMet;
}

/** Somebody with two tabs, which share their cookies, who signs out in one of them. */
export async function leaves(person) {
  await person.signUp();
  await person.sees("page", "/dashboard");
  // A request of the other tab that carries what was in the jar before.
  const cookies = person.jar.all();
  assert.equal((await person.post("/api/auth/sign-out", {})).status, 200);
  person.isSignedIn = false;
  assert.equal((await person.page("/dashboard")).headers.location, "/sign-in?callbackURL=%2Fdashboard");
  assert.equal((await person.api("/api/me")).status, 401);
  await sleep((COOKIE_CACHE_SECONDS + SESSION_CACHE_SECONDS) * 1000 + 100);
  const late = await person.page("/dashboard", { cookies });
  assert.equal(late.status, 307);
  assert.match(late.headers["doorward-decision"], /session_ended/);
  assert.ok(late.setCookies.some((line) => line.startsWith(`${SESSION_TOKEN}=;`)), "the dead session_token is not cleared");

  await person.signIn();
  await person.sees("page", "/dashboard");
}

/** Somebody who does not want to be remembered: one cookie cache, and from its end on the auth service is asked. */
export async function isForgetful(person, { auth }, othersAreDone) {
  await person.signUp();
  await person.signOut();
  await person.signIn({ rememberMe: false });
  const since = Date.now();
  assert.equal(sourceOf(await person.sees("page", "/dashboard")), "cookie-cache");
  // The jar keeps it: without "remember me" it has no age.
  await sleep(since + FORGETFUL_CACHE_MS + 500 - Date.now());
  await othersAreDone;
  const before = (await auth.asked()).session;
  for (let i = 0; i < 10; i += 1) {
    assert.equal(sourceOf(await person.sees("page", `/dashboard/${i}`)), "auth-service");
    await person.sees("api", `/api/${i}`);
  }
  const asked = (await auth.asked()).session - before;
  assert.ok(asked >= 1 && asked <= 5, `the auth service was asked ${asked} times for 20 requests`);
}

/** Somebody who is there while the auth service stops and comes back. */
export async function outlivesAnOutage(person, { auth }) {
  await person.signUp();
  await person.sees("page", "/dashboard");
  const token = person.jar.get(SESSION_TOKEN);
  await auth.stop();
  await person.sees("page", "/dashboard");
  await person.cacheHasRunOut();
  person.hasOutage = true;
  for (const answer of [await person.page("/dashboard"), await person.api("/api/me")]) {
    assert.equal(answer.status, 503);
    assert.ok(answer.headers["retry-after"], "no Retry-After");
    assert.deepEqual(answer.setCookies, []);
  }
  await auth.start();
  const until = Date.now() + 10_000;
  while ((await person.page("/dashboard")).status === 503) {
    assert.ok(Date.now() < until, "503 for ten seconds after the auth service is back");
    await sleep(250);
  }
  assert.equal(person.jar.get(SESSION_TOKEN), token);
  for (let i = 0; i < 10; i += 1) await person.sees("page", `/dashboard/${i}`);
  assert.ok(person.renewals >= 1, "renewals");
}

/** A browser that counts what it gets from the application, while its user is signed in and while not. */
export class Person extends Browser {
  isSignedIn = false;
  /** Whether the auth service is away in this story for a while. */
  hasOutage = false;
  renewals = 0;
  counts = { signedIn: { requests: 0, 401: 0, redirects: 0, 503: 0 }, signedOut: { requests: 0, 401: 0, redirects: 0, 503: 0 } };

  constructor(origin, email) {
    super(origin);
    this.email = email;
    this.password = "correct horse battery";
  }

  async request(method, target, options) {
    const answer = await super.request(method, target, options);
    if (target.startsWith("/api/auth/")) return answer;
    const counts = this.isSignedIn ? this.counts.signedIn : this.counts.signedOut;
    counts.requests += 1;
    if (answer.status === 401 || answer.status === 503) counts[answer.status] += 1;
    if (answer.headers.location !== undefined) counts.redirects += 1;
    if (answer.setCookies.some((line) => line.startsWith(`${SESSION_DATA}=ey`))) this.renewals += 1;
    return answer;
  }

  async signUp() {
    const { email, password } = this;
    await this.enter("sign-up", { name: "Somebody", email, password });
  }

  async signIn(more) {
    const { email, password } = this;
    await this.enter("sign-in", { email, password, ...more });
  }

  async enter(how, account) {
    const answer = await this.post(`/api/auth/${how}/email`, account);
    assert.equal(answer.status, 200, `${how}: ${answer.text}`);
    assert.ok(this.jar.get(SESSION_TOKEN) && this.jar.get(SESSION_DATA), `${how}: not both session cookies in the jar`);
    this.isSignedIn = true;
  }

  async signOut() {
    this.isSignedIn = false;
    assert.equal((await this.post("/api/auth/sign-out", {})).status, 200);
  }

  /** Opens something that is protected, and expects to be known there. */
  async sees(how, target) {
    const answer = await this[how](target);
    assert.equal(answer.status, 200, `${target}: ${answer.status} ${answer.headers["doorward-decision"]}`);
    assert.ok(answer.text.includes(this.email), `${target}: not the user's own data`);
    return answer;
  }

  /** Until the browser has dropped `session_data`. */
  async cacheHasRunOut() {
    await sleep(this.jar.milliseconds(SESSION_DATA) + 100);
    assert.equal(this.jar.get(SESSION_DATA), undefined);
  }
}

/** By what the gate has told the application who it is. */
const sourceOf = ({ text }) => /"x-doorward-source": ?"([^"]+)"/.exec(text)?.[1];
