// The script: what is sent, and what has to come of it. One entry is one line of the table.
//
//   what     the line's first column
//   send     sends the request, after what it needs beforehand
//   expect   decision, reason, status; `sees` is what reaches the application: nothing, nobody, or an identity by its source;
//            `asks` is how often the gate asked the auth service for its keys and about a session meanwhile
//   check    further sentences that must hold; returns what is wrong, or nothing

import { forged, otherToken, otherUser, read, unsigned } from "./credentials.mjs";

export const SESSION_TOKEN = "better-auth.session_token";
export const SESSION_DATA = "better-auth.session_data";

/** For two seconds after a failure nobody asks about that session again. Milliseconds. */
const AFTER_A_FAILURE = 2_100;

const PASSWORD = "correct horse battery";

const NOTHING = { sees: "nothing" };
const NOBODY = { sees: "nobody" };
const ONE_SESSION = { session: { least: 1 } };
const BY_COOKIE_CACHE = { decision: "forward", status: 200, sees: "cookie-cache", asks: {} };
const BY_AUTH_SERVICE = { decision: "forward", status: 200, sees: "auth-service", asks: ONE_SESSION };
const BY_JWT = { decision: "forward", status: 200, sees: "jwt", asks: {} };
const SIGN_IN_FROM_DASHBOARD = { decision: "redirect", status: 307, location: "/sign-in?callbackURL=%2Fdashboard", ...NOTHING };

export const steps = [
  {
    what: "page, anonymous",
    send: ({ visitor }) => visitor.page("/dashboard"),
    expect: { ...SIGN_IN_FROM_DASHBOARD, reason: "no_credential", asks: {} },
  },
  {
    what: "API, anonymous",
    send: ({ visitor }) => visitor.api("/api/me"),
    expect: { decision: "reject", reason: "no_credential", status: 401, ...NOTHING, asks: {} },
  },
  {
    what: "public page with forged identity headers",
    send: ({ visitor }) => visitor.page("/", { headers: SPOOFED }),
    expect: { decision: "forward", status: 200, ...NOBODY, asks: {} },
  },
  {
    what: "a path that no rule covers",
    send: ({ visitor }) => visitor.page("/admin"),
    expect: { decision: "reject", reason: "route_denied", status: 403, ...NOTHING, asks: {} },
  },
  {
    what: "a path with two readings: /dashboard/..%2fadmin",
    send: ({ visitor }) => visitor.page("/dashboard/..%2fadmin"),
    expect: { decision: "reject", reason: "path_refused", status: 400, ...NOTHING, asks: {} },
  },
  {
    what: "sign-up at the auth service",
    send: ({ ada, email }) => ada.post("/api/auth/sign-up/email", { name: "Ada Lovelace", email, password: PASSWORD }),
    expect: { decision: "forward", status: 200, ...NOBODY, asks: {} },
    check: ({ ada }) => ada.jar.get(SESSION_TOKEN) && ada.jar.get(SESSION_DATA) ? undefined : "both session cookies in the jar",
  },
  {
    what: "page with a session",
    send: async (world) => (await fresh(world)).page("/dashboard"),
    expect: BY_COOKIE_CACHE,
  },
  {
    what: "API with the session cookie",
    send: async (world) => (await fresh(world)).api("/api/me"),
    expect: BY_COOKIE_CACHE,
  },
  {
    what: "POST with the session cookie, same origin",
    send: async (world) => (await fresh(world)).post("/api/notes", { text: "hello" }),
    expect: BY_COOKIE_CACHE,
    check: ({ received }) => (received?.body === '{"text":"hello"}' ? undefined : "the body at the origin, unchanged"),
  },
  {
    what: "POST with the session cookie, from another site",
    send: async (world) => (await fresh(world)).post("/api/notes", { text: "hello" }, { headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } }),
    expect: { decision: "reject", reason: "cross_site_request", status: 403, ...NOTHING, asks: {} },
  },
  {
    what: "page with a session and forged identity headers",
    send: async (world) => (await fresh(world)).page("/dashboard", { headers: SPOOFED }),
    expect: BY_COOKIE_CACHE,
  },
  {
    what: "API with a JWT of the auth service",
    send: async (world) => bearer(world, (world.token = await mint(world))),
    expect: { ...BY_JWT, asks: { keys: { least: 1 } } },
  },
  {
    what: "API with another JWT, keys known",
    send: async (world) => bearer(world, await mint(world)),
    expect: BY_JWT,
  },
  {
    what: "API that knows no cookies, with the session cookie",
    send: async (world) => (await fresh(world)).api("/notes/mine"),
    expect: { ...BY_COOKIE_CACHE, asks: { token: { least: 1 } } },
    check: isOwn,
  },
  {
    what: "the same once more, with the token in hand",
    send: async (world) => (await fresh(world)).api("/notes/mine", { headers: { authorization: "Basic Ym9zczpib3Nz" } }),
    expect: BY_COOKIE_CACHE,
    check: isOwn,
  },
  {
    what: "the same by POST, from another site",
    send: async (world) => (await fresh(world)).post("/notes/mine", {}, { headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } }),
    expect: { decision: "reject", reason: "cross_site_request", status: 403, ...NOTHING, asks: {} },
  },
  {
    what: "the same with a JWT of one's own",
    send: async (world) => world.visitor.api("/notes/mine", { cookies: {}, headers: { authorization: `Bearer ${await mint(world)}` } }),
    expect: BY_JWT,
    check: isOwn,
  },
  {
    what: "page in another browser whose session was revoked: cookie cache alive",
    send: async (world) => {
      const { ada, elsewhere, email } = world;
      await elsewhere.post("/api/auth/sign-in/email", { email, password: PASSWORD });
      const { status } = await ada.post("/api/auth/revoke-other-sessions", {});
      if (status !== 200) throw new Error(`the auth service did not revoke: ${status}`);
      return elsewhere.page("/dashboard");
    },
    expect: BY_COOKIE_CACHE,
  },
  {
    what: "a token for it, by the cookie cache: Better Auth itself",
    send: ({ elsewhere }) => elsewhere.api("/api/auth/token"),
    expect: { decision: "forward", status: 200, ...NOBODY, asks: {} },
    check: ({ answer }) => (JSON.parse(answer.text).token ? undefined : "a token, or this proves nothing"),
  },
  {
    what: "API that knows no cookies, for it: nothing is minted",
    send: ({ elsewhere }) => elsewhere.api("/notes/mine"),
    expect: { decision: "reject", reason: "session_ended", status: 401, ...NOTHING, asks: { token: { least: 1 }, session: { least: 1 } } },
    check: ({ answer, elsewhere }) => (answer.sent[SESSION_DATA] && !elsewhere.jar.get(SESSION_TOKEN) ? undefined : "the cookie cache sent, and the dead session_token cleared"),
  },
  {
    what: "JWT with alg none",
    send: async (world) => bearer(world, unsigned(await mint(world))),
    expect: { decision: "reject", reason: "alg_not_allowed", status: 401, ...NOTHING, asks: {} },
  },
  {
    what: "JWT signed by another key under a known kid",
    send: async (world) => bearer(world, forged(await mint(world), {})),
    expect: { decision: "reject", reason: "signature_invalid", status: 401, ...NOTHING, asks: {} },
  },
  {
    what: "ten JWTs with ten unknown kids",
    send: async (world) => {
      const token = await mint(world);
      let answer;
      for (let n = 1; n <= 10; n += 1) {
        answer = await bearer(world, forged(token, { kid: `unknown-${n}` }));
        if (world.reasonOf(answer) !== "key_not_found") break;
      }
      return answer;
    },
    expect: { decision: "reject", reason: "key_not_found", status: 401, ...NOTHING, asks: { keys: { most: 1 } } },
  },
  {
    what: "tampered session_token",
    send: async (world) => {
      const { jar } = await fresh(world);
      return world.ada.page("/dashboard", { cookies: { ...jar.all(), [SESSION_TOKEN]: otherToken(jar.get(SESSION_TOKEN)) } });
    },
    expect: { ...SIGN_IN_FROM_DASHBOARD, reason: "signature_invalid", asks: {} },
  },
  {
    what: "tampered session_data: the auth service knows better",
    send: async (world) => {
      const { jar } = await fresh(world);
      return world.ada.page("/dashboard", { cookies: { ...jar.all(), [SESSION_DATA]: otherUser(jar.get(SESSION_DATA)) } });
    },
    expect: BY_AUTH_SERVICE,
  },
  {
    what: "signed state cookie renamed to session_token",
    send: async (world) => {
      await world.visitor.post("/api/auth/sign-in/social", { provider: "github", callbackURL: "/" });
      return world.visitor.page("/dashboard", { cookies: { [SESSION_TOKEN]: world.visitor.jar.get("better-auth.state") } });
    },
    expect: { ...SIGN_IN_FROM_DASHBOARD, reason: "session_ended", asks: ONE_SESSION },
  },
  {
    what: "cookie cache expired, dropped by the browser",
    send: async (world) => {
      world.stale = { ...(await fresh(world)).jar.all() };
      world.staleToken = await mint(world);
      await world.until(Math.max(world.ada.jar.milliseconds(SESSION_DATA), read(world.staleToken).payload.exp * 1000 - Date.now()) + 100);
      return world.ada.page("/dashboard");
    },
    expect: BY_AUTH_SERVICE,
    check: ({ ada }) => (ada.jar.get(SESSION_DATA) ? undefined : "a renewed session_data in the jar"),
  },
  {
    what: "page after that, renewed",
    send: ({ ada }) => ada.page("/dashboard"),
    expect: BY_COOKIE_CACHE,
  },
  {
    what: "cookie cache expired, still sent",
    send: ({ ada, stale }) => ada.page("/dashboard", { cookies: stale }),
    expect: BY_AUTH_SERVICE,
    check: ({ answer }) => (answer.setCookies.some((line) => line.startsWith(`${SESSION_DATA}=ey`)) ? undefined : "a renewed session_data in Set-Cookie"),
  },
  {
    what: "JWT expired",
    send: (world) => bearer(world, world.staleToken),
    expect: { decision: "reject", reason: "token_expired", status: 401, ...NOTHING, asks: {} },
  },
  {
    what: "auth service stopped: cookie cache alive",
    send: async (world) => {
      await renewed(world);
      world.token = await mint(world);
      await world.auth.stop();
      return world.ada.page("/dashboard");
    },
    expect: BY_COOKIE_CACHE,
  },
  {
    what: "auth service stopped: JWT, keys known",
    send: (world) => bearer(world, world.token),
    expect: BY_JWT,
  },
  {
    what: "auth service stopped: API that knows no cookies",
    send: ({ ada }) => ada.api("/notes/mine"),
    expect: { decision: "reject", reason: "token_exchange_unavailable", status: 503, ...NOTHING },
  },
  {
    what: "auth service stopped: cookie cache expired, API",
    send: ({ ada, stale }) => ada.api("/api/me", { cookies: stale }),
    expect: { decision: "reject", reason: "session_unavailable", status: 503, ...NOTHING },
    check: ({ answer }) => (answer.headers["retry-after"] ? undefined : "Retry-After"),
  },
  {
    what: "auth service stopped: cookie cache expired, page",
    send: ({ ada, stale }) => ada.page("/dashboard", { cookies: stale }),
    expect: { decision: "reject", reason: "session_unavailable", status: 503, ...NOTHING },
    check: ({ answer }) => (answer.setCookies.length === 0 ? undefined : "no cookie touched"),
  },
  {
    what: "auth service back: cookie cache expired",
    send: async ({ auth, ada, stale, until }) => {
      await auth.start();
      await until(AFTER_A_FAILURE);
      return ada.page("/dashboard", { cookies: stale });
    },
    expect: BY_AUTH_SERVICE,
  },
  {
    what: "sign-out at the auth service",
    send: async (world) => {
      world.left = { ...(await renewed(world)).jar.all() };
      return world.ada.post("/api/auth/sign-out", {});
    },
    expect: { decision: "forward", status: 200, ...NOBODY, asks: {} },
    check: ({ ada }) => (ada.jar.get(SESSION_TOKEN) || ada.jar.get(SESSION_DATA) ? "no session cookie left in the jar" : undefined),
  },
  {
    what: "page after sign-out",
    send: ({ ada }) => ada.page("/dashboard"),
    expect: { ...SIGN_IN_FROM_DASHBOARD, reason: "no_credential", asks: {} },
  },
  {
    what: "old cookies replayed while the cookie cache lives",
    // Better Auth itself lets them in until the cache expires. The gate has seen the sign-out go by, and asks.
    send: ({ ada, left }) => ada.page("/dashboard", { cookies: left }),
    expect: { ...SIGN_IN_FROM_DASHBOARD, reason: "session_ended", asks: ONE_SESSION },
  },
  {
    what: "old cookies replayed, cookie cache expired",
    send: ({ ada, stale }) => ada.page("/dashboard", { cookies: stale }),
    expect: { ...SIGN_IN_FROM_DASHBOARD, reason: "session_ended", asks: ONE_SESSION },
    check: ({ answer }) => (answer.setCookies.some((line) => line.startsWith(`${SESSION_TOKEN}=;`)) ? undefined : "the dead session_token cleared"),
  },
];

const SPOOFED = { "x-doorward-subject": "boss", X_Doorward_Subject: "boss", "X-DOORWARD_email": "boss@example.com", "x-doorward-source": "jwt" };

/** Ada, with a cookie cache that lives long enough for one step. */
async function fresh(world) {
  return world.ada.jar.milliseconds(SESSION_DATA) > 1_500 ? world.ada : renewed(world);
}

/** Ada, with a cookie cache made just now. */
async function renewed({ ada }) {
  const answer = await ada.api("/api/auth/get-session?disableCookieCache=true");
  if (answer.status !== 200) throw new Error(`the auth service did not renew the session: ${answer.status} ${answer.text}`);
  return ada;
}

/** A JWT made just now. */
async function mint({ ada }) {
  const answer = await ada.api("/api/auth/token");
  if (answer.status !== 200) throw new Error(`the auth service gave no token: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text).token;
}

/** What the API that knows no cookies has to answer with, and not to have got. */
function isOwn({ answer, email, received }) {
  const { notes } = JSON.parse(answer.text);
  return notes?.[0] === `a note of ${email}` && received.cookie === undefined ? undefined : "the user's own notes, and no cookie at the API";
}

/** Calls the API with a token and without cookies, as a program does. */
function bearer(world, token) {
  return world.visitor.api("/api/me", { cookies: {}, headers: { authorization: `Bearer ${token}` } });
}
