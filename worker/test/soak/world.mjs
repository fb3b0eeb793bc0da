// A small world that is known from outside the gate: who is signed in, which credentials are good until when, an auth service
// and an origin that live by it, and faults that come and go.

import { createHmac, generateKeyPairSync, randomBytes, sign as signBytes } from "node:crypto";

import { listen, secret, sessionCookies } from "../harness.js";

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

/** What becomes of a request to the auth service, instead of its answer. */
const FAULTS = {
  down: (request) => request.socket.destroy(),
  page: (request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome</h1>"),
  error: (request, response) => response.writeHead(500, { "content-type": "application/json" }).end('{"message":"no"}'),
  limit: (request, response) => response.writeHead(429, { "x-retry-after": "10" }).end('{"message":"Too many requests."}'),
  huge: (request, response) => response.writeHead(200, { "content-type": "application/json" }).end(`{"a":"${"x".repeat(600_000)}"}`),
  redirect: (request, response) => response.writeHead(302, { location: "/sign-in" }).end(),
  denied: (request, response) => response.writeHead(401, { "content-type": "application/json" }).end("{}"),
  // The last, as everybody waits for it.
  slow: (request, response, answer) => setTimeout(answer, 2600),
};

/** The lines with which Better Auth deletes its cookies. */
const DEAD = ["session_token", "session_data", "dont_remember"].map((name) => `better-auth.${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`);

const dataLine = (data) => `better-auth.session_data=${data}; Max-Age=${CACHE_SECONDS}; Path=/; HttpOnly; SameSite=Lax`;

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
  asked = { session: 0, keys: 0 };
  fired = Object.fromEntries(Object.keys(FAULTS).map((name) => [name, 0]));
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
    return into < FAULTS_BEGIN ? undefined : Object.keys(FAULTS)[Math.floor((into - FAULTS_BEGIN) / FAULT_SECONDS)];
  }

  /** Whether a request between these moments may have met a fault or what it left behind. */
  isDoubtful(sent, answered) {
    const ends = FAULTS_BEGIN + Object.keys(FAULTS).length * FAULT_SECONDS + AFTERMATH_SECONDS;
    const [from, until] = [this.seconds(sent), this.seconds(answered)];
    const cycle = Math.floor(from / CYCLE_SECONDS) * CYCLE_SECONDS;
    return from < cycle + ends && until > cycle + FAULTS_BEGIN;
  }

  /** A new session of this user, with the cookies of a browser that signed in so many milliseconds ago. */
  signIn(user, ago = 0) {
    const token = randomBytes(24).toString("base64url").replace(/[-_]/g, "x");
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

  #cookies(session, now = Date.now()) {
    session.cachedUntil = Math.max(session.cachedUntil, now + CACHE_SECONDS * 1000);
    const names = { user: session.user, session: `session of ${session.user}`, organisation: organisation(session.version) };
    const cookies = sessionCookies({ now, seconds: CACHE_SECONDS, token: session.token, ...names });
    return Object.fromEntries(cookies.split("; ").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  }

  /** A JWT of this user. `claims` and `header` replace its own. */
  jwt(user, { claims = {}, header = {}, kid } = {}) {
    const key = kid ? this.#key(kid) : this.#signingKey();
    const now = Math.floor(Date.now() / 1000);
    const payload = { sub: user, iss: this.url, aud: this.url, iat: now, exp: now + JWT_SECONDS, ...claims };
    const input = [{ alg: "EdDSA", kid: key.kid, ...header }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return { token: `${input}.${signBytes(null, Buffer.from(input), key.privateKey).toString("base64url")}`, until: payload.exp * 1000 };
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
    const key = { kid, ...generateKeyPairSync("ed25519") };
    this.#keys.push(key);
    return key;
  }

  #published() {
    const cycle = Math.floor(this.seconds() / CYCLE_SECONDS);
    return Array.from({ length: cycle + 2 }, (_, number) => {
      const { kid, publicKey } = this.#key(`key-${number}`);
      return { ...publicKey.export({ format: "jwk" }), alg: "EdDSA", use: "sig", kid };
    });
  }

  /** The auth service, while there is no fault. */
  async startAuth(test) {
    const service = await listen(test, (request, response) => {
      const isKeys = request.url === "/api/auth/jwks";
      const isToken = request.url === "/api/auth/token";
      this.asked[isKeys ? "keys" : "session"] += 1;
      const answer = () => {
        if (isKeys) return json(response, { keys: this.#published() });
        return isToken ? this.#token(request, response) : this.#getSession(request, response);
      };
      const fault = this.fault();
      if (!fault) return answer();
      this.fired[fault] += 1;
      FAULTS[fault](request, response, answer);
    });
    this.url = service.url;
    return service;
  }

  #getSession(request, response) {
    const session = this.#sessionOf(request);
    if (!session) return json(response, null, DEAD);
    const data = this.#cookies(session)["better-auth.session_data"];
    const { session: row, user } = JSON.parse(Buffer.from(data, "base64url").toString()).session;
    return json(response, { session: row, user }, [dataLine(data)]);
  }

  #token(request, response) {
    const session = this.#sessionOf(request);
    if (!session) return response.writeHead(401, { "content-type": "application/json" }).end("{}");
    return json(response, { token: this.jwt(session.user).token });
  }

  #sessionOf(request) {
    const [, value = ""] = /session_token=([^;]+)/.exec(request.headers.cookie ?? "") ?? [];
    const [token, mac] = decodeURIComponent(value).split(".");
    const isSigned = createHmac("sha256", secret).update(token).digest("base64") === mac;
    return isSigned ? this.sessions.get(token) : undefined;
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
    const session = this.#sessionOf(request);
    if (!session) return json(response, {}, DEAD);
    if (request.url.endsWith("/sign-out")) {
      this.signOut(session);
      return json(response, { success: true }, DEAD);
    }
    this.switch(session);
    return json(response, { version: session.version }, [dataLine(this.#cookies(session)["better-auth.session_data"])]);
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
