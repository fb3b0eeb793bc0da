// The gate, the application's page, and browsers.

import { answering, OTHER_SECRET, SITE } from "../lab.mjs";

/** A service and the gate before an application, at one address. */
const gated =
  (gate, options = {}, more = {}) =>
  async (lab) => {
    const service = lab.service(options, more.of);
    return lab.serve(service, { handler: await lab.gate(service, gate), flags: ["--gate", "/app"], ...more });
  };

const withApp = (site, app, options, more) => (lab) =>
  lab.serve(lab.service(options, { site }), { flags: ["--app", app], env: { BETTER_AUTH_URL: site }, ...more });

/** A service of another site than the application, with a cookie for it, and with these headers of CORS. */
async function crossSite(lab, allowed) {
  const site = "https://auth.example.org";
  const advanced = { defaultCookieAttributes: { sameSite: "none", secure: true } };
  const service = lab.service({ trustedOrigins: [SITE], advanced }, { site });
  const preflight = answering(
    204,
    { ...allowed, "access-control-allow-headers": "content-type" },
    undefined,
    (req) => req.method === "OPTIONS",
  );
  const cors = { request: preflight, response: ({ headers }) => void Object.assign(headers, allowed) };
  const handler = allowed ? await lab.proxy(service.handler, cors) : service.handler;
  return lab.serve(service, { handler, flags: ["--app", SITE], env: { BETTER_AUTH_URL: site } });
}

const page = (headers) => (_, req, res) =>
  res
    .writeHead(200, { "content-type": "text/html", ...headers })
    .end("<!doctype html><title>Notes</title><h1>Ada's notes</h1>");

/** A page at /app without any gate, and the service. */
const ungated = (app) => async (lab) => {
  const service = lab.service();
  return lab.serve(service, {
    handler: (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : app({}, req, res)),
    flags: ["--gate", "/app"],
  });
};

/** A rule that asks for something that there is not. */
const WRONG = { extends: "better-auth", require: { "/app/**": { rolls: "admin" } } };

export default [
  {
    name: "the gate has another secret",
    quick: true,
    packed: true,
    cause: "gate-secret-differs",
    certainty: "proof",
    start: gated({ env: { BETTER_AUTH_SECRET: OTHER_SECRET } }),
  },
  {
    name: "the gate's configuration is wrong, and is at hand",
    cause: "gate-configuration-wrong",
    certainty: "strong",
    start: gated({ config: WRONG }, {}, { config: WRONG }),
  },
  {
    name: "the gate cannot reach the service",
    cause: "gate-doubt",
    certainty: "proof",
    start: gated({
      fetch: async () => {
        throw new TypeError("fetch failed");
      },
    }),
  },
  {
    name: "the gate is redirected when it asks the service",
    cause: "gate-doubt",
    certainty: "proof",
    start: gated({ fetch: async () => Response.redirect("https://login.example.net/", 302) }),
  },
  {
    name: "no rule of the gate covers the path",
    cause: "gate-route-denied",
    certainty: "proof",
    start: gated({
      config: {
        issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" } }],
        rules: [{ path: "/account/**", access: "required" }],
      },
    }),
  },
  {
    name: "the gate never runs for a page",
    cause: "proxy-file-not-run",
    certainty: "strong",
    or: ["matcher-excludes"],
    start: ungated(page({ "cache-control": "private, no-store" })),
  },
  {
    name: "a protected page was rendered at build time",
    cause: "page-cached-static",
    certainty: "proof",
    start: ungated(page({ "x-nextjs-prerender": "1", "x-nextjs-cache": "HIT", "cache-control": "s-maxage=31536000" })),
  },
  {
    name: "a CDN keeps a protected page",
    cause: "page-cached-static",
    certainty: "proof",
    start: ungated(page({ "x-vercel-cache": "HIT", age: "77", "cache-control": "public, max-age=0" })),
  },
  {
    name: "the middleware of an edge runtime fails",
    cause: "edge-runtime-node-import",
    certainty: "strong",
    start: ungated(
      answering(
        500,
        { server: "Vercel", "x-vercel-error": "MIDDLEWARE_INVOCATION_FAILED", "content-type": "text/plain" },
        "A server error has occurred\n\nMIDDLEWARE_INVOCATION_FAILED\n",
      ),
    ),
  },
  {
    name: "the redirect to sign-in can be cached for prefetches",
    cause: "prefetch-redirect-cached",
    certainty: "strong",
    start: ungated(answering(307, { location: "/sign-in", "cache-control": "public, max-age=300" })),
  },
  {
    name: "the application is another site, the cookie is SameSite=Lax",
    cause: "samesite-lax-cross-site",
    certainty: "proof",
    start: withApp("https://auth.example.org", SITE, { trustedOrigins: [SITE] }),
  },
  {
    name: "the application is another site, the cookie is SameSite=None",
    cause: "third-party-cookie",
    certainty: "strong",
    start: (lab) => crossSite(lab, { "access-control-allow-origin": SITE, "access-control-allow-credentials": "true" }),
  },
  {
    name: "the application is another site, the cookie is SameSite=None, and there is no CORS",
    cause: "third-party-cookie",
    certainty: "strong",
    also: ["cors-missing"],
    start: (lab) => crossSite(lab),
  },
  {
    name: "two applications below vercel.app are two sites",
    cause: "samesite-lax-cross-site",
    certainty: "proof",
    start: withApp("https://auth.vercel.app", "https://notes.vercel.app", {
      trustedOrigins: ["https://notes.vercel.app"],
    }),
  },
  {
    name: "the page is on localhost, the service on 127.0.0.1",
    cause: "localhost-vs-127",
    certainty: "proof",
    start: (lab) =>
      lab.serve(lab.service({ baseURL: "http://127.0.0.1:3000", trustedOrigins: ["http://localhost:3000"] }), {
        site: "http://127.0.0.1",
        own: true,
        flags: ["--app", "http://localhost:3000"],
      }),
  },
  {
    name: "the service answers preflights of another origin with 404",
    cause: "cors-missing",
    certainty: "proof",
    also: ["host-only-cookie"],
    or: ["host-only-cookie"],
    start: withApp("https://auth.example.com", SITE, {
      trustedOrigins: [SITE],
      advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } },
    }),
  },
  {
    name: "CORS answers every origin with a star, with credentials",
    cause: "cors-missing",
    certainty: "proof",
    start: async (lab) => {
      const site = "https://auth.example.com";
      const service = lab.service(
        { trustedOrigins: [SITE], advanced: { crossSubDomainCookies: { enabled: true, domain: "example.com" } } },
        { site },
      );
      const star = { "access-control-allow-origin": "*", "access-control-allow-headers": "content-type" };
      const preflight = answering(204, star, undefined, (req) => req.method === "OPTIONS");
      const handler = await lab.proxy(service.handler, {
        request: preflight,
        response: ({ headers }) => void Object.assign(headers, star),
      });
      return lab.serve(service, { handler, flags: ["--app", SITE], env: { BETTER_AUTH_URL: site } });
    },
  },
];
