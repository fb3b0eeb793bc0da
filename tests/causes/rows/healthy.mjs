// Deployments in which nothing is wrong, some of them unusual.

import { admin } from "better-auth/plugins/admin";
import { anonymous } from "better-auth/plugins/anonymous";
import { bearer } from "better-auth/plugins/bearer";
import { customSession } from "better-auth/plugins/custom-session";
import { jwt } from "better-auth/plugins/jwt";
import { multiSession } from "better-auth/plugins/multi-session";
import { organization } from "better-auth/plugins/organization";
import { username } from "better-auth/plugins/username";
import { customSession as customSession14 } from "better-auth-1.4/plugins/custom-session";
import { jwt as jwt14 } from "better-auth-1.4/plugins/jwt";

import { header, PASSWORD, SECRET, SITE } from "../lab.mjs";

const healthy = (name, start) => ({ name, cause: null, start });
const quick = (name, start) => ({ ...healthy(name, start), quick: true });

/** `--deep`, and somebody's cookies. */
const signedIn =
  (options = {}, { of, user, flags = ["--deep"], ...more } = {}) =>
  async (lab) => {
    const service = lab.service(options, of);
    const { jar } = await lab.signedUp(service, user);
    return lab.serve(service, { flags, cookie: header(jar), env: { BETTER_AUTH_URL: service.site }, ...more });
  };

const CACHE = (strategy, more) => ({ session: { cookieCache: { enabled: true, maxAge: 300, strategy, ...more } } });
const kept = new Map();
const KV = {
  get: (key) => kept.get(key) ?? null,
  set: (key, value) => void kept.set(key, value),
  delete: (key) => void kept.delete(key),
};

/** The API of Python, with a token of the service. */
const withApi =
  (settings = {}, options = {}) =>
  async (lab) => {
    const service = lab.service(options);
    const { jar } = await lab.signedUp(service);
    const inner = await lab.listen(service.handler, { inner: true });
    const port = await lab.python({
      ISSUER: SITE,
      AUDIENCE: SITE,
      ALGORITHMS: "EdDSA,ES256,RS256",
      JWKS_URL: `http://127.0.0.1:${inner}/api/auth/jwks`,
      ...settings,
    });
    const api = lab.forward(port);
    return lab.serve(service, {
      handler: (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : api(req, res)),
      flags: ["--api", `${SITE}/items`, "--deep"],
      token: await lab.token(service, jar),
    });
  };

/** The gate in Node before an application, the service beside it. */
const gated =
  (gate = {}, options = {}, more = {}) =>
  async (lab) => {
    const service = lab.service(options);
    const { jar } = await lab.signedUp(service);
    return lab.serve(service, {
      handler: await lab.gate(service, gate),
      flags: ["--gate", "/app", "--deep"],
      cookie: header(jar),
      ...more,
    });
  };

export default [
  quick("as a new user has it", (lab) => lab.serve(lab.service())),
  healthy("compact cookie cache, signed in", signedIn(CACHE("compact"))),
  healthy("jwt cookie cache, signed in", signedIn(CACHE("jwt"))),
  quick("jwe cookie cache, signed in", signedIn(CACHE("jwe"))),
  healthy("no cookie cache, signed in", signedIn({ session: {} })),
  healthy("no jwt plugin", signedIn({ plugins: [] })),
  healthy(
    "a cookie prefix that the configuration knows",
    signedIn(
      { advanced: { cookiePrefix: "acme" } },
      { config: { extends: "better-auth", issuers: { cookie_prefix: "acme" } } },
    ),
  ),
  healthy(
    "a session cookie's name that the configuration knows",
    signedIn(
      { advanced: { cookies: { session_token: { name: "sid" } } } },
      { config: { extends: "better-auth", issuers: { session_token_cookie: "__Secure-sid" } } },
    ),
  ),
  healthy(
    "cookies for all hosts of the site, the application at a sister host",
    signedIn(
      {
        trustedOrigins: ["https://www.example.com"],
        advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } },
      },
      { flags: ["--deep", "--app", SITE] },
    ),
  ),
  healthy("stateless: no database on purpose", signedIn({ database: undefined })),
  healthy("sessions in a key-value store", signedIn({ secondaryStorage: KV, session: {} })),
  healthy("the bearer plugin", signedIn({ plugins: [jwt(), bearer()] })),
  healthy("keys of ES256", signedIn({ plugins: [jwt({ jwks: { keyPairConfig: { alg: "ES256" } } })] })),
  healthy(
    "keys of RS256",
    signedIn({ plugins: [jwt({ jwks: { keyPairConfig: { alg: "RS256", modulusLength: 2048 } } })] }),
  ),
  healthy(
    "a large session in chunks",
    signedIn(
      {
        user: { additionalFields: { about: { type: "string", required: false } } },
        plugins: [jwt({ disableSettingJwtHeader: true })],
      },
      { user: { about: "x".repeat(5000) } },
    ),
  ),
  healthy("without remember me", async (lab) => {
    const service = lab.service();
    const { email } = await lab.signedUp(service);
    return lab.serve(service, {
      flags: ["--deep"],
      cookie: header(await lab.signIn(service, email, { rememberMe: false })),
    });
  }),
  healthy("several sessions in one browser", signedIn({ plugins: [jwt(), multiSession()] })),
  healthy("organizations", signedIn({ plugins: [jwt(), organization()] })),
  healthy("checks of the origin are switched off on purpose", signedIn({ advanced: { disableCSRFCheck: true } })),
  healthy("Better Auth 1.4", (lab) => lab.serve(lab.service({}, { version: "1.4" }), { flags: ["--deep"] })),
  healthy(
    "Better Auth 1.4, ES256, no cookie cache, signed in",
    signedIn(
      { session: {}, plugins: [jwt14({ jwks: { keyPairConfig: { alg: "ES256" } } })] },
      { of: { version: "1.4" } },
    ),
  ),
  quick("behind the gate in Node", gated()),
  healthy("behind the gate, with the jwe cookie cache", gated({}, CACHE("jwe"))),
  healthy("a rate limit that is far", signedIn({ rateLimit: { enabled: true, window: 10, max: 100 } })),
  healthy(
    "another base path that BETTER_AUTH_URL names",
    signedIn({ basePath: "/auth" }, { env: { BETTER_AUTH_URL: `${SITE}/auth` } }),
  ),
  healthy("another base path that the URL names", async (lab) => {
    const served = await lab.serve(lab.service({ basePath: "/v1/auth" }));
    return { ...served, url: `${SITE}/v1/auth` };
  }),
  healthy("two services on one host", async (lab) => {
    const [service, other] = [
      lab.service(),
      lab.service({ basePath: "/admin/auth", advanced: { cookiePrefix: "admin" } }),
    ];
    const { jar } = await lab.signedUp(service);
    const others = await lab.signedUp(other);
    return lab.serve(service, {
      handler: (req, res) => (req.url.startsWith("/admin") ? other : service).handler(req, res),
      cookie: header({ ...others.jar, ...jar }),
      flags: ["--deep"],
    });
  }),
  healthy("http on localhost", async (lab) => {
    const port = await lab.listen((...request) => service.handler(...request));
    const site = `http://localhost:${port}`;
    const service = lab.service({}, { site });
    const { jar } = await lab.signedUp(service);
    return { url: site, flags: ["--deep"], cookie: header(jar), env: { BETTER_AUTH_URL: site } };
  }),
  healthy("http on 127.0.0.1, the application beside it on another port", async (lab) => {
    const port = await lab.listen((...request) => service.handler(...request));
    const site = `http://127.0.0.1:${port}`;
    const service = lab.service({ trustedOrigins: ["http://127.0.0.1:3000"] }, { site });
    return { url: site, env: { BETTER_AUTH_URL: site } };
  }),
  healthy("a slow database", async (lab) => {
    const service = lab.service();
    return lab.serve(service, {
      handler: (req, res) => setTimeout(() => service.handler(req, res), req.url.endsWith("/ok") ? 0 : 250),
    });
  }),
  healthy("/ok is disabled", async (lab) => {
    const service = lab.service({ disabledPaths: ["/ok"] });
    return lab.serve(service, { flags: ["--deep"] });
  }),
  healthy("many cookies of others", async (lab) => {
    const service = lab.service();
    const { jar } = await lab.signedUp(service);
    const others = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`_ga_${at}`, `GS1.1.${at}.${"7".repeat(40)}`]),
    );
    return lab.serve(service, { cookie: header({ ...others, ...jar }) });
  }),
  healthy("a balancer that sets its own cookie on each answer", async (lab) => {
    const service = lab.service();
    const response = ({ headers }) =>
      void (headers["set-cookie"] = [
        ...(headers["set-cookie"] ?? []),
        "AWSALB=Q2x1c3Rlcg; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT",
      ]);
    return lab.serve(service, { handler: await lab.proxy(service.handler, { response }), flags: ["--deep"] });
  }),
  healthy("secrets in rotation, this side with both", async (lab) => {
    const secrets = [
      { version: 2, value: SECRET },
      { version: 1, value: "Zr5uW1xE8oN4cV7bK2qM9gT6jP3dH0sY-fLiA" },
    ];
    const service = lab.service({ secret: undefined, secrets });
    const { jar } = await lab.signedUp(service);
    return lab.serve(service, {
      cookie: header(jar),
      flags: ["--deep"],
      env: {
        BETTER_AUTH_SECRET: undefined,
        BETTER_AUTH_SECRETS: secrets.map(({ version, value }) => `${version}:${value}`).join(","),
      },
    });
  }),
  healthy("no secret at hand", (lab) =>
    lab.serve(lab.service(), { env: { BETTER_AUTH_SECRET: undefined, BETTER_AUTH_URL: undefined } }),
  ),
  healthy(
    "a version of the cookie cache that the configuration knows",
    signedIn(CACHE("compact", { version: "7" }), {
      config: { extends: "better-auth", issuers: { cookie_cache_version: "7" } },
    }),
  ),
  healthy("a version of the cookie cache that nobody here knows", signedIn(CACHE("compact", { version: "7" }))),
  healthy(
    "an issuer and an audience that the environment knows",
    signedIn(
      { plugins: [jwt({ jwt: { issuer: "https://id.example.com/", audience: "notes-api" } })] },
      {
        env: {
          BETTER_AUTH_URL: SITE,
          BETTER_AUTH_ISSUER: "https://id.example.com/",
          BETTER_AUTH_AUDIENCE: "notes-api",
        },
      },
    ),
  ),
  healthy("an API of Python that takes the token", withApi()),
  healthy(
    "an API of Python that takes a token of ES256",
    withApi({}, { plugins: [jwt({ jwks: { keyPairConfig: { alg: "ES256" } } })] }),
  ),
  healthy("an API that answers 200 to everybody", async (lab) => {
    const service = lab.service();
    const handler = (req, res) =>
      req.url.startsWith("/api/auth")
        ? service.handler(req, res)
        : res.writeHead(200, { "content-type": "application/json" }).end('{"notes":[]}');
    return lab.serve(service, { handler, flags: ["--api", `${SITE}/items`, "--deep"] });
  }),
  healthy("a sign-in that works", async (lab) => {
    const service = lab.service();
    const { email } = await lab.signedUp(service);
    return lab.serve(service, { flags: ["--sign-in", email], env: { DOORWARD_PASSWORD: PASSWORD } });
  }),
  healthy("sister hosts, with Domain and CORS", async (lab) => {
    const site = "https://auth.example.com";
    const service = lab.service(
      { trustedOrigins: [SITE], advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } } },
      { site },
    );
    const allowed = {
      "access-control-allow-origin": SITE,
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "content-type",
      vary: "origin",
    };
    const preflight = (_, req, res) =>
      req.method === "OPTIONS"
        ? (res.writeHead(204, { ...allowed, "access-control-allow-methods": "GET, POST" }).end(), "answered")
        : undefined;
    const handler = await lab.proxy(service.handler, {
      request: preflight,
      response: ({ headers }) => void Object.assign(headers, allowed),
    });
    return lab.serve(service, { handler, flags: ["--app", SITE], env: { BETTER_AUTH_URL: site } });
  }),

  healthy("two instances with one database", async (lab) => {
    const service = lab.service({ session: {} });
    const second = lab.service({ session: {} }, { db: service.db });
    const { jar } = await lab.signedUp(service);
    await lab.token(service, jar);
    let asked = 0;
    return lab.serve(service, {
      handler: (req, res) => [service, second][asked++ % 2].handler(req, res),
      cookie: header(jar),
      flags: ["--deep"],
    });
  }),
  healthy("a CDN in front that keeps nothing", async (lab) => {
    const service = lab.service();
    const response = ({ headers }) =>
      void Object.assign(headers, {
        server: "cloudflare",
        "cf-ray": "8f1a-FRA",
        "cf-cache-status": "DYNAMIC",
        "x-vercel-cache": "MISS",
        age: "0",
      });
    return lab.serve(service, { handler: await lab.proxy(service.handler, { response }), flags: ["--deep"] });
  }),
  {
    name: "nginx with compression",
    cause: null,
    needs: "nginx",
    start: (lab) =>
      lab.nginx(lab.service().handler, {
        http: "gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;",
      }),
  },
  healthy("origins that are trusted by a pattern", (lab) =>
    lab.serve(
      lab.service({
        trustedOrigins: ["https://*.example.com"],
        advanced: { crossSubDomainCookies: { enabled: true, domain: ".example.com" } },
      }),
      { flags: ["--deep"] },
    ),
  ),
  healthy(
    "a session that differs by customSession",
    signedIn({ plugins: [jwt(), customSession(async ({ user, session }) => ({ user, session, roles: ["reader"] }))] }),
  ),
  healthy(
    "Better Auth 1.4 with customSession, no cookie cache",
    signedIn(
      { session: {}, plugins: [customSession14(async ({ user, session }) => ({ user, session, roles: [] }))] },
      { of: { version: "1.4" } },
    ),
  ),
  healthy(
    "keys with a rotation and a grace period",
    signedIn({ plugins: [jwt({ jwks: { rotationInterval: 86_400, gracePeriod: 86_400 } })] }),
  ),
  healthy("SameSite=Strict", signedIn({ advanced: { defaultCookieAttributes: { sameSite: "strict" } } })),
  healthy(
    "the username, admin and anonymous plugins",
    signedIn({ plugins: [jwt(), username(), admin(), anonymous()] }),
  ),
  healthy(
    "short sessions of an hour on purpose",
    signedIn({ session: { expiresIn: 3600, updateAge: 600, cookieCache: { enabled: true, maxAge: 60 } } }),
  ),
  healthy(
    "a gate with a public application and its own rules",
    gated({ config: { extends: "better-auth", require: { "/app/**": { roles: "admin" } } } }),
  ),
  healthy("the URL with a path of the application", async (lab) => ({
    ...(await lab.serve(lab.service())),
    url: `${SITE}/`,
  })),
  healthy("a file of variables in quotes, as dotenv reads it", (lab) =>
    lab.serve(lab.service(), {
      env: { BETTER_AUTH_SECRET: undefined, BETTER_AUTH_URL: undefined },
      files: { ".env": `BETTER_AUTH_SECRET="${SECRET}"\nBETTER_AUTH_URL='${SITE}'\n` },
    }),
  ),
  healthy("IPv6 of this machine", async (lab) => {
    const port = await lab.listen((...request) => service.handler(...request), { host: "::1" });
    const site = `http://[::1]:${port}`;
    const service = lab.service({}, { site });
    return { url: site, flags: ["--deep"], env: { BETTER_AUTH_URL: site } };
  }),
];
