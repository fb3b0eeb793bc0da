// Names, attributes and contents of cookies.

import { header, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

const TOKEN = "__Secure-better-auth.session_token";
const DATA = "__Secure-better-auth.session_data";

const at = (site, options, more) => (lab) =>
  lab.serve(lab.service(options, { site }), { env: { BETTER_AUTH_URL: site }, ...more });

/** Somebody is signed in, and what their browser has is changed. */
const pasted =
  (change, options = {}, more = {}) =>
  async (lab) => {
    const service = lab.service(options, more.of);
    const { jar, email } = await lab.signedUp(service, more.user);
    const cookie = await change(jar, { lab, service, email });
    return lab.serve(more.service?.(lab) ?? service, {
      cookie: typeof cookie === "string" ? cookie : header(cookie ?? jar),
      flags: more.flags,
      env: more.env,
      config: more.config,
    });
  };

const without = (jar, ...names) => Object.fromEntries(Object.entries(jar).filter(([name]) => !names.includes(name)));
const CACHE = (strategy, more) => ({ session: { cookieCache: { enabled: true, maxAge: 300, strategy, ...more } } });

/** A field of the user that makes `session_data` a chain of chunks. */
const LARGE = { user: { additionalFields: { about: { type: "string", required: false } } } };

export default [
  {
    name: "TLS ends at a proxy, and the service's base URL is http",
    quick: true,
    packed: true,
    cause: "http-base-url-behind-tls",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ baseURL: "http://app.example.com" })),
  },
  {
    name: "the same at Better Auth 1.4",
    cause: "http-base-url-behind-tls",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ baseURL: "http://app.example.com" }, { version: "1.4" })),
  },
  {
    name: "a page on http of a service whose base URL is https",
    quick: true,
    cause: "secure-cookie-on-http",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service(), { site: "http://app.example.com" }),
  },
  {
    name: "the same on localhost",
    cause: "secure-cookie-on-http",
    certainty: "strong",
    start: (lab) => lab.serve(lab.service(), { site: "http://localhost", own: true }),
  },
  {
    name: "secure cookies are switched off under https",
    cause: "secure-prefix-differs",
    certainty: "proof",
    start: at(SITE, { advanced: { useSecureCookies: false } }),
  },
  {
    name: "secure cookies are switched on under http",
    cause: "secure-cookie-on-http",
    certainty: "strong",
    start: at("http://localhost", { advanced: { useSecureCookies: true } }, { own: true }),
  },
  // Variables alone are a gate's configuration, and it looks for the usual name.
  {
    name: "a cookie prefix of its own",
    cause: "cookie-name-differs",
    certainty: "proof",
    start: at(SITE, { advanced: { cookiePrefix: "acme" } }),
  },
  {
    name: "a cookie prefix of its own, and nobody here who expects another",
    hint: "cookie-name-differs",
    start: (lab) =>
      lab.serve(lab.service({ advanced: { cookiePrefix: "acme" } }), {
        env: { BETTER_AUTH_SECRET: undefined, BETTER_AUTH_URL: undefined },
      }),
  },
  {
    name: "a cookie prefix of its own, and a configuration that does not know it",
    quick: true,
    cause: "cookie-name-differs",
    certainty: "proof",
    start: at(SITE, { advanced: { cookiePrefix: "acme" } }, { config: { extends: "better-auth" } }),
  },
  {
    name: "a cookie prefix of its own, and a gate that does not know it",
    cause: "cookie-name-differs",
    certainty: "proof",
    start: async (lab) => {
      const service = lab.service({ advanced: { cookiePrefix: "acme" } });
      return lab.serve(service, { handler: await lab.gate(service), flags: ["--gate", "/app"] });
    },
  },
  {
    name: "a name of its own for the session's cookie",
    cause: "cookie-name-differs",
    certainty: "proof",
    start: at(
      SITE,
      { advanced: { cookies: { session_token: { name: "sid" } } } },
      { config: { extends: "better-auth" } },
    ),
  },
  {
    name: "the service has the usual names, the gate's configuration others",
    cause: "cookie-name-differs",
    certainty: "proof",
    start: at(SITE, {}, { config: { extends: "better-auth", issuers: { cookie_prefix: "acme" } } }),
  },
  {
    name: "Domain of another site",
    quick: true,
    cause: "cookie-domain-foreign",
    certainty: "proof",
    start: at(SITE, { advanced: { crossSubDomainCookies: { enabled: true, domain: ".other.example" } } }),
  },
  {
    name: "Domain of a sister host",
    cause: "cookie-domain-foreign",
    certainty: "proof",
    start: at(SITE, { advanced: { crossSubDomainCookies: { enabled: true, domain: "auth.example.com" } } }),
  },
  {
    name: "Domain is a public suffix",
    cause: "cookie-domain-public-suffix",
    certainty: "proof",
    start: at("https://notes.vercel.app", {
      advanced: { crossSubDomainCookies: { enabled: true, domain: ".vercel.app" } },
    }),
  },
  {
    name: "a rewrite to another host keeps that host's Domain",
    cause: "cookie-domain-foreign",
    certainty: "proof",
    or: ["rewrites-lose-domain"],
    start: async (lab) => {
      const service = lab.service(
        {
          trustedOrigins: [SITE],
          advanced: { crossSubDomainCookies: { enabled: true, domain: "backend.example.org" } },
        },
        { site: "https://backend.example.org" },
      );
      const rewrite = await lab.proxy(service.handler, {
        request: (headers) => void (headers.host = "backend.example.org"),
      });
      return lab.serve(service, { site: SITE, handler: rewrite, flags: ["--app", SITE] });
    },
  },
  {
    name: "sister hosts, and the cookie has no Domain",
    cause: "host-only-cookie",
    certainty: "strong",
    start: at("https://auth.example.com", { trustedOrigins: [SITE] }, { flags: ["--app", SITE] }),
  },
  {
    name: "the apex redirects to www",
    cause: "www-apex",
    certainty: "strong",
    or: ["base-url-redirects"],
    start: (lab) =>
      lab.at(
        "https://example.com",
        (req, res) => res.writeHead(308, { location: `https://www.example.com${req.url}` }).end(),
        {
          env: { BETTER_AUTH_URL: "https://example.com" },
        },
      ),
  },
  {
    name: "two session cookies of one name, the stale one first",
    quick: true,
    cause: "duplicate-cookies",
    certainty: "proof",
    start: pasted(async (jar, { lab, service, email }) => {
      const stale = await lab.signIn(service, email);
      await lab.ask(service, "/sign-out", { body: {}, jar: { ...stale } });
      return `${TOKEN}=${stale[TOKEN]}; ${header(jar)}`;
    }),
  },
  {
    name: "a chunk in the middle is missing",
    cause: "chunk-missing",
    certainty: "proof",
    start: pasted((jar) => without(jar, `${DATA}.1`), LARGE, { user: { about: "x".repeat(9000) } }),
  },
  {
    name: "the last chunk is missing",
    cause: "chunk-missing",
    certainty: "strong",
    start: pasted(
      (jar) =>
        without(
          jar,
          Object.keys(jar)
            .filter((name) => name.startsWith(`${DATA}.`))
            .at(-1),
        ),
      LARGE,
      {
        user: { about: "x".repeat(9000) },
      },
    ),
  },
  {
    name: "a proxy that takes 4 KB of headers",
    cause: "header-too-large",
    certainty: "proof",
    start: async (lab) => {
      const service = lab.service();
      const handler = (req, res) =>
        req.rawHeaders.join("").length > 4096
          ? res
              .writeHead(400, { server: "nginx", "content-type": "text/html" })
              .end("<center><h1>400 Bad Request</h1></center><center>Request Header Or Cookie Too Large</center>")
          : service.handler(req, res);
      return lab.serve(service, { handler });
    },
  },
  {
    name: "the cookie is percent-encoded twice",
    cause: "cookie-double-encoded",
    certainty: "proof",
    start: pasted((jar, { lab }) => ({ [TOKEN]: lab.hide(encodeURIComponent(jar[TOKEN])) })),
  },
  {
    name: "the session's token without its signature",
    cause: "cookie-cut",
    certainty: "proof",
    start: pasted((jar) => ({ [TOKEN]: jar[TOKEN].split(".")[0] })),
  },
  {
    name: "the signature is cut short",
    cause: "cookie-cut",
    certainty: "proof",
    start: pasted((jar) => ({ [TOKEN]: decodeURIComponent(jar[TOKEN]).slice(0, -10) })),
  },
  {
    name: "a header without any session cookie",
    cause: "no-session-cookie",
    certainty: "proof",
    start: pasted(() => "theme=dark; consent=1"),
  },
  {
    name: "a cookie under the name of another prefix",
    cause: "secure-prefix-differs",
    certainty: "proof",
    // Offline nothing says which of the two names is the service's.
    explained: ["no-session-cookie"],
    start: pasted((jar) => ({ "better-auth.session_token": jar[TOKEN] })),
  },
  {
    name: "the cookie is of a service with another secret",
    cause: "secret-differs",
    certainty: "proof",
    start: pasted(() => undefined, { secret: OTHER_SECRET }, { service: (lab) => lab.service() }),
  },
  {
    name: "without remember me, after the minute of session_data",
    // A gate asks the service for such sessions: nothing is broken.
    hint: "remember-me-false",
    start: pasted(async (_, { lab, service, email }) =>
      without(await lab.signIn(service, email, { rememberMe: false }), DATA),
    ),
  },
  {
    name: "session_data has run out and nobody renews it",
    cause: "cookie-cache-not-renewed",
    certainty: "strong",
    start: pasted((jar) => without(jar, DATA)),
  },
  {
    name: "the cookie cache is off where a configuration counts on it",
    cause: "cookie-cache-off",
    certainty: "strong",
    start: at(
      SITE,
      { session: {} },
      { flags: ["--deep"], config: { extends: "better-auth", issuers: { cookie_cache: "compact" } } },
    ),
  },
  {
    name: "cookies of before the strategy was changed, jwt to compact",
    cause: "strategy-changed",
    certainty: "strong",
    start: async (lab) => {
      const before = lab.service(CACHE("jwt"));
      const { jar } = await lab.signedUp(before);
      return lab.serve(lab.service(CACHE("compact"), { db: before.db }), { cookie: header(jar) });
    },
  },
  {
    name: "the gate expects compact, the service writes jwe",
    cause: "strategy-differs",
    certainty: "proof",
    start: at(SITE, CACHE("jwe"), {
      flags: ["--deep"],
      config: { extends: "better-auth", issuers: { cookie_cache: "compact" } },
    }),
  },
  {
    name: "the gate expects jwt, the service writes compact",
    cause: "strategy-differs",
    certainty: "proof",
    start: at(SITE, CACHE("compact"), {
      flags: ["--deep"],
      config: { extends: "better-auth", issuers: { cookie_cache: "jwt" } },
    }),
  },
  {
    name: "the service's cookie cache has another version",
    cause: "cache-version",
    certainty: "strong",
    start: pasted((jar) => jar, CACHE("compact", { version: "2" }), {
      config: { extends: "better-auth", issuers: { cookie_cache_version: "1" } },
    }),
  },

  {
    name: "a cookie prefix of its own at Better Auth 1.4, and a configuration that does not know it",
    cause: "cookie-name-differs",
    certainty: "proof",
    start: async (lab) =>
      lab.serve(lab.service({ advanced: { cookiePrefix: "notes" } }, { version: "1.4" }), {
        config: { extends: "better-auth" },
      }),
  },
  {
    name: "the configuration says that cookies are not secure",
    cause: "secure-prefix-differs",
    certainty: "proof",
    start: at(SITE, {}, { config: { extends: "better-auth", issuers: { secure_cookies: false } } }),
  },
  {
    name: "a cookie whose signature was made URL-safe",
    cause: "cookie-cut",
    certainty: "proof",
    or: ["secret-differs"],
    start: pasted((jar) => {
      const [token, signature] = decodeURIComponent(jar[TOKEN]).split(".");
      return { [TOKEN]: `${token}.${signature.replaceAll("+", "-").replaceAll("/", "_").replace("=", "")}` };
    }),
  },
  {
    name: "a Cookie header of nothing but session_data",
    cause: "no-session-cookie",
    certainty: "proof",
    start: pasted((jar) => without(jar, TOKEN)),
  },
];
