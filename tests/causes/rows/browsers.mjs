// Deployments that a real browser shows to be broken: Chromium drops the cookie, or does not let the
// page read the answer, and the doctor has to name why. `seen` is what the browser does.

import { signUp } from "../browser.mjs";
import { answering, SITE } from "../lab.mjs";

const OTHER_SITE = "https://auth.example.org";
const BESIDE = "https://auth.example.com";

const LETS = { "access-control-allow-origin": SITE, "access-control-allow-credentials": "true" };

/** A proxy of the lab that changes the attributes of every cookie. */
const attributes = (change) => ({
  response: ({ headers }) => {
    if (headers["set-cookie"]) headers["set-cookie"] = headers["set-cookie"].map(change);
  },
});

/** A proxy that adds headers of CORS to each answer and answers preflights. */
const cors = (allowed) => ({
  request: answering(
    204,
    { ...allowed, "access-control-allow-headers": "content-type" },
    undefined,
    (req) => req.method === "OPTIONS",
  ),
  response: ({ headers }) => void Object.assign(headers, allowed),
});

/** The service at its site and a page everywhere else, with a proxy before both. */
const row = (
  name,
  cause,
  certainty,
  seen,
  { options = {}, site = SITE, app = SITE, proxy, blocksThirdParties, ...more } = {},
) => ({
  name,
  cause,
  certainty,
  ...more,
  start: async (lab) => {
    const service = lab.service({ ...(app !== site && { trustedOrigins: [app] }), ...options }, { site });
    const page = answering(200, { "content-type": "text/html" }, "<!doctype html><title>Notes</title>");
    const both = (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : page({}, req, res));
    const set = await lab.serve(service, {
      handler: proxy ? await lab.proxy(both, proxy) : both,
      flags: app === site ? [] : ["--app", app],
      env: { BETTER_AUTH_URL: site },
    });
    const found = await signUp(lab, { app, site, port: set.port, blocksThirdParties });
    const differs = Object.entries(seen).filter(([what, expected]) => found[what] !== expected);
    if (differs.length > 0)
      throw new Error(`the browser shows ${JSON.stringify(found)}, expected ${JSON.stringify(seen)}`);
    return set;
  },
});

export default [
  row("healthy: the cookie is kept, and the page has its session", null, null, {
    dropped: "",
    session: "session",
    isSent: true,
  }),
  row(
    "SameSite=Lax, and the page is of another site",
    "samesite-lax-cross-site",
    "proof",
    { dropped: "SameSiteLax", session: "null" },
    {
      site: OTHER_SITE,
      proxy: cors(LETS),
    },
  ),
  row(
    "SameSite=Strict, and the page is of another site",
    "samesite-lax-cross-site",
    "proof",
    { dropped: "SameSiteStrict", session: "null" },
    {
      site: OTHER_SITE,
      proxy: cors(LETS),
      options: { advanced: { defaultCookieAttributes: { sameSite: "strict" } } },
    },
  ),
  row(
    "SameSite=None of another site, in a browser that blocks those",
    "third-party-cookie",
    "strong",
    { dropped: "UserPreferences", session: "null" },
    {
      site: OTHER_SITE,
      proxy: cors(LETS),
      options: { advanced: { defaultCookieAttributes: { sameSite: "none", secure: true } } },
      blocksThirdParties: true,
    },
  ),
  row(
    "Domain is another site's",
    "cookie-domain-foreign",
    "proof",
    { dropped: "InvalidDomain", session: "null" },
    {
      options: { advanced: { crossSubDomainCookies: { enabled: true, domain: ".other.example" } } },
    },
  ),
  row(
    "Domain is a public suffix",
    "cookie-domain-public-suffix",
    "proof",
    { dropped: "InvalidDomain", session: "null" },
    {
      site: "https://notes.vercel.app",
      app: "https://notes.vercel.app",
      options: { advanced: { crossSubDomainCookies: { enabled: true, domain: ".vercel.app" } } },
    },
  ),
  row(
    "a proxy cuts Secure out of a cookie with __Secure-",
    "cookie-attributes-refused",
    "proof",
    { dropped: "InvalidPrefix", session: "null" },
    {
      proxy: attributes((line) => line.replace("; Secure", "")),
    },
  ),
  row(
    "SameSite=None without Secure",
    "cookie-attributes-refused",
    "proof",
    { dropped: "SameSiteNoneInsecure", session: "null" },
    {
      // The name that https has is missing as well.
      also: ["secure-prefix-differs"],
      options: { advanced: { useSecureCookies: false } },
      proxy: attributes((line) => line.replace("SameSite=Lax", "SameSite=None")),
    },
  ),
  row(
    "Secure, and the page is http",
    "secure-cookie-on-http",
    "proof",
    { dropped: "InvalidPrefix", session: "null" },
    {
      site: "http://app.example.com",
      app: "http://app.example.com",
      options: { advanced: { useSecureCookies: true } },
    },
  ),
  row(
    "Path is another than that of the service",
    "cookie-path-narrow",
    "proof",
    { dropped: "", session: "null" },
    {
      proxy: attributes((line) => line.replace("Path=/", "Path=/account")),
    },
  ),
  row(
    "CORS allows every origin with a star",
    "cors-missing",
    "proof",
    { session: "unreadable" },
    {
      site: BESIDE,
      proxy: cors({ "access-control-allow-origin": "*" }),
      options: { advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } } },
    },
  ),
  row(
    "CORS without credentials",
    "cors-missing",
    "proof",
    { session: "unreadable" },
    {
      site: BESIDE,
      proxy: cors({ "access-control-allow-origin": SITE }),
      options: { advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } } },
    },
  ),
  row(
    "no Domain, and the application is another host of the site",
    "host-only-cookie",
    "strong",
    { dropped: "", session: "session", isSent: false },
    {
      site: BESIDE,
      proxy: cors(LETS),
    },
  ),
  row(
    "healthy: Domain is that of both hosts, with CORS",
    null,
    null,
    { dropped: "", session: "session", isSent: true },
    {
      site: BESIDE,
      proxy: cors(LETS),
      options: { advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } } },
    },
  ),
];
