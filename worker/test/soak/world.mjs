// A small world that is known from outside the gate: who is signed in, which credentials are good until when, an auth service
// and an origin that live by it, and faults that come and go.

import { startAuthService } from "../../../tests/fakes/auth-service.mjs";
import { DELETIONS, cookieLine, newKey, newSession, randomToken, tokenIn } from "../../../tests/fakes/better-auth.mjs";
import { listen, secret } from "../harness.js";

/** How long the auth service's cookie cache lives, in seconds: short, so that it ends and is renewed all the time. */
const CACHE_SECONDS = 3;
/** How long a JWT lives, in seconds. */
const JWT_SECONDS = 8;

/** A cycle of the faults in seconds: quiet, one fault after the other, quiet again. */
export const CYCLE_SECONDS = 20;
const FAULTS_BEGIN = 4;
const FAULT_SECONDS = 1;
/** Tokens are signed by a cycle's new key from here on; it is published when the cycle begins. */
const NEW_KEY_AFTER = 17.5;
/** So long after a fault a request may still be in doubt: a fetch may take two seconds, and a failure is remembered for two. */
const AFTERMATH_SECONDS = 5.2;

/** What goes wrong at the auth service, one after the other. The last is slow, as everybody waits for it. */
const FAULTS = ["down", "page", "error", "limit", "huge, chunked", "redirect", "denied", "slow"];

const organisation = (version) => `org-${version}`;

/** The version that an organisation's name tells, or that a line of `Set-Cookie` with a cookie cache does. */
export const versionOf = (name) => Number(/^org-(\d+)$/.exec(name ?? "")?.[1] ?? NaN);
export function versionSet(line) {
  const [, data] = /session_data=([^;]+)/.exec(line) ?? [];
  return data ? versionOf(JSON.parse(Buffer.from(data, "base64url").toString()).session.session.activeOrganizationId) : NaN;
}

/** What the origin takes for what is slow. */
const SLOW_MILLIS = 10_000;

export const privateText = (user) => `private data of ${user}`;

/** The world, `seconds` after it began. */
export class World {
  sessions = new Map();
  asked = {};
  fired = Object.fromEntries(FAULTS.map((name) => [name, 0]));
  origin = { requests: 0 };
  #began;
  #held = new Map();
  #keys = [];

  begin() {
    this.#began = Date.now();
  }

  seconds(moment = Date.now()) {
    return (moment - this.#began) / 1000;
  }

  /** Which fault there is at a moment. */
  fault(moment = Date.now()) {
    const into = this.seconds(moment) % CYCLE_SECONDS;
    return into < FAULTS_BEGIN ? undefined : FAULTS[Math.floor((into - FAULTS_BEGIN) / FAULT_SECONDS)];
  }

  /** Whether a request between these moments may have met a fault or what it left behind. */
  isDoubtful(sent, answered) {
    const ends = FAULTS_BEGIN + FAULTS.length * FAULT_SECONDS + AFTERMATH_SECONDS;
    const [from, until] = [this.seconds(sent), this.seconds(answered)];
    const cycle = Math.floor(from / CYCLE_SECONDS) * CYCLE_SECONDS;
    return from < cycle + ends && until > cycle + FAULTS_BEGIN;
  }

  /** A new session of this user, with the cookies of a browser that signed in so many milliseconds ago. */
  signIn(user, ago = 0) {
    const token = randomToken();
    const session = { user, token, endedAt: Infinity, cachedUntil: 0, version: 0 };
    this.sessions.set(token, session);
    return { session, cookies: this.#cookies(session, Date.now() - ago) };
  }

  /** The organisation of a session is another from now on. */
  switch(session) {
    session.version += 1;
  }

  /** From now on it is nobody's. */
  signOut(session) {
    session.endedAt = Date.now();
    this.sessions.delete(session.token);
  }

  #cookies(session, now) {
    const { tokenCookie, dataCookie } = this.#written(session, now);
    return Object.fromEntries([tokenCookie, dataCookie].map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  }

  /** The session as the auth service writes it now, and until when it may be believed. */
  #written(session, now = Date.now()) {
    const cachedUntil = now + CACHE_SECONDS * 1000;
    session.cachedUntil = Math.max(session.cachedUntil, cachedUntil);
    const names = { user: session.user, id: `session of ${session.user}`, organisation: organisation(session.version) };
    return newSession({ secret, token: session.token, now, cachedUntil, ...names });
  }

  /** A JWT of this user. `claims` and `header` replace its own. */
  jwt(user, { claims = {}, header = {}, kid } = {}) {
    const key = kid ? this.#key(kid) : this.#signingKey();
    const now = Math.floor(Date.now() / 1000);
    const payload = { sub: user, iss: this.url, aud: this.url, iat: now, exp: now + JWT_SECONDS, ...claims };
    return { token: key.jwt(payload, header), until: payload.exp * 1000 };
  }

  /** The key of a cycle: published when it begins, and for ever. */
  #signingKey() {
    const now = this.seconds();
    const cycle = Math.floor(now / CYCLE_SECONDS);
    return this.#key(`key-${now % CYCLE_SECONDS < NEW_KEY_AFTER ? cycle : cycle + 1}`);
  }

  #key(kid) {
    const known = this.#keys.find((key) => key.kid === kid);
    if (known) return known;
    const key = newKey("EdDSA", kid);
    this.#keys.push(key);
    return key;
  }

  #published() {
    const cycle = Math.floor(this.seconds() / CYCLE_SECONDS);
    return Array.from({ length: cycle + 2 }, (_, number) => this.#key(`key-${number}`).jwk);
  }

  /** The auth service. */
  async startAuth(test) {
    const service = await startAuthService({
      secret,
      keys: () => this.#published(),
      session: (token) => this.#getSession(token),
      token: (token) => this.sessions.has(token) ? this.jwt(this.sessions.get(token).user).token : undefined,
      fault: () => {
        const fault = this.fault();
        if (fault) this.fired[fault] += 1;
        return fault;
      },
    });
    test.after(service.stop);
    this.asked = service.asked;
    this.url = service.url;
    return service;
  }

  #getSession(token) {
    const session = this.sessions.get(token);
    if (!session) return { pair: null, cookies: DELETIONS };
    const { pair, dataCookie } = this.#written(session);
    return { pair, cookies: [cookieLine(dataCookie, CACHE_SECONDS)] };
  }

  /** The origin: what it has is for the person that the gate names, and for nobody else. It says which organisation it was told. */
  startOrigin(test) {
    return listen(test, async (request, response) => {
      this.origin.requests += 1;
      request.resume();
      if (request.url.startsWith("/api/auth/")) return this.#change(request, response);
      await this.#held.get(request.url)?.released;
      if (request.url.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, SLOW_MILLIS));
      response.setHeader("x-told-organisation", request.headers["x-doorward-org"] ?? "");
      json(response, { text: privateText(request.headers["x-doorward-subject"] ?? "nobody") });
    });
  }

  /** What the auth service does for a browser: it is reached through the gate, like the application. */
  #change(request, response) {
    const session = this.sessions.get(tokenIn(request.headers.cookie, secret));
    if (!session) return json(response, {}, DELETIONS);
    if (request.url.endsWith("/sign-out")) {
      this.signOut(session);
      return json(response, { success: true }, DELETIONS);
    }
    this.switch(session);
    return json(response, { version: session.version }, [cookieLine(this.#written(session).dataCookie, CACHE_SECONDS)]);
  }

  /** The origin's answer at this target waits until what is given is called. */
  hold(target) {
    let release;
    this.#held.set(target, { released: new Promise((resolve) => (release = resolve)) });
    return () => {
      this.#held.delete(target);
      release();
    };
  }
}

function json(response, body, cookies = []) {
  response.writeHead(200, { "content-type": "application/json", ...(cookies.length > 0 && { "set-cookie": cookies }) });
  response.end(JSON.stringify(body));
}
