// Between the browser and the service: names, TLS, proxies, walls, caches, limits.

import { answering, SECRET, SITE } from "../lab.mjs";

/** A healthy service behind a proxy with one fault. */
const behind =
  (fault, more = {}, options = {}) =>
  async (lab) => {
    const service = lab.service(options);
    return lab.serve(service, { handler: await lab.proxy(service.handler, fault), ...more });
  };

/** One answer to everything. */
const always =
  (status, headers, body = "", more = {}) =>
  (lab) =>
    lab.at(SITE, (req, res) => answering(status, headers, body)({}, req, res), more);

const HTML = { "content-type": "text/html; charset=utf-8" };
const PAGE = '<!doctype html><html><head><title>Notes</title></head><body><div id="root"></div></body></html>';
const path = (req) => req.url.split("?")[0];

/** A cache that does not look at cookies: the first answer to a path is everybody's. */
function cache(headers) {
  const kept = new Map();
  return async (lab, service) => {
    const inner = await lab.listen(service.handler, { inner: true });
    return async (req, res) => {
      const key = req.url.split("?")[0];
      const isKept = req.method === "GET" && kept.has(key);
      if (!isKept) {
        const chunks = [];
        for await (const chunk of req) chunks.push(chunk);
        const { host: _, connection: __, "content-length": ___, ...rest } = req.headers;
        const response = await fetch(`http://127.0.0.1:${inner}${req.url}`, {
          method: req.method,
          headers: rest,
          ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
        });
        const answer = {
          status: response.status,
          type: response.headers.get("content-type"),
          lines: response.headers.getSetCookie(),
          body: await response.text(),
        };
        if (req.method === "GET") kept.set(key, answer);
        res.writeHead(answer.status, {
          "content-type": answer.type ?? "application/json",
          ...(answer.lines.length > 0 && { "set-cookie": answer.lines }),
        });
        return res.end(answer.body);
      }
      const answer = kept.get(key);
      res.writeHead(answer.status, { "content-type": answer.type ?? "application/json", ...headers });
      return res.end(answer.body);
    };
  };
}

const cached = (headers) => async (lab) => {
  const service = lab.service();
  return lab.serve(service, { handler: await cache(headers)(lab, service) });
};

export default [
  {
    name: "nobody listens at the port",
    quick: true,
    cause: "unreachable",
    certainty: "proof",
    start: async (lab) => {
      const served = await lab.serve(lab.service());
      await lab.close();
      return served;
    },
  },
  {
    name: "a name that does not resolve",
    cause: "unreachable",
    certainty: "proof",
    start: () => ({
      url: "https://auth.doorward-causes.invalid",
      env: { BETTER_AUTH_URL: "https://auth.doorward-causes.invalid" },
    }),
  },
  {
    name: "the certificate has run out",
    cause: "unreachable",
    certainty: "proof",
    start: async (lab) => {
      const tls = await lab.certify(["app.example.com"], { from: -86_400_000 * 40, until: -86_400_000 });
      return lab.serve(lab.service(), { tls });
    },
  },
  {
    name: "the certificate is for another name",
    cause: "unreachable",
    certainty: "proof",
    start: async (lab) => lab.serve(lab.service(), { tls: await lab.certify(["www.other.example"]) }),
  },
  {
    name: "the certificate is of an authority that nobody knows",
    cause: "unreachable",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service(), { flags: ["no authority"] }),
  },
  {
    name: "plain HTTP at the port of https",
    cause: "unreachable",
    certainty: "proof",
    start: async (lab) => {
      const port = await lab.listen(lab.service().handler);
      return { url: SITE, flags: ["--connect", `127.0.0.1:${port}`] };
    },
  },
  {
    name: "a service that accepts and never answers",
    cause: "unreachable",
    certainty: "proof",
    start: (lab) => lab.at(SITE, () => {}, { flags: ["--timeout", "1"] }),
  },
  {
    name: "a proxy whose upstream is away",
    cause: "unreachable",
    certainty: "proof",
    start: always(502, { ...HTML, server: "nginx/1.22.1" }, "<html><head><title>502 Bad Gateway</title></head></html>"),
  },
  {
    name: "everything redirects to another host",
    cause: "base-url-redirects",
    certainty: "proof",
    start: (lab) =>
      lab.at(SITE, (req, res) => res.writeHead(308, { location: `https://notes.example.org${req.url}` }).end()),
  },
  {
    name: "http redirects to https",
    cause: "base-url-redirects",
    certainty: "proof",
    start: (lab) =>
      lab.at("http://app.example.com", (req, res) =>
        res.writeHead(301, { location: `https://app.example.com${req.url}` }).end(),
      ),
  },
  {
    name: "a slash is put at the end of every path",
    cause: "base-url-redirects",
    certainty: "proof",
    start: behind({
      request: (_, req, res) => {
        if (path(req).endsWith("/")) return undefined;
        res.writeHead(308, { location: `${path(req)}/` }).end();
        return "answered";
      },
    }),
  },
  {
    name: "a locale is put before every path",
    cause: "base-url-redirects",
    certainty: "proof",
    start: always(307, { location: "/en/api/auth/ok" }),
  },
  {
    name: "the handler is mounted at /auth",
    quick: true,
    cause: "base-path-differs",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ basePath: "/auth" })),
  },
  {
    name: "the configuration says /auth, the handler is at /api/auth",
    cause: "base-path-differs",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service(), { env: { BETTER_AUTH_URL: `${SITE}/auth` } }),
  },
  {
    name: "a single-page application answers to every path",
    quick: true,
    cause: "html-instead-of-auth",
    certainty: "proof",
    start: always(200, HTML, PAGE),
  },
  {
    name: "a single-page application answers to GET, and a static host refuses POST",
    cause: "html-instead-of-auth",
    certainty: "proof",
    start: (lab) =>
      lab.at(SITE, (req, res) =>
        req.method === "GET" ? res.writeHead(200, HTML).end(PAGE) : res.writeHead(405, HTML).end("Method Not Allowed"),
      ),
  },
  {
    name: "Vercel's deployment protection",
    cause: "deployment-protection",
    certainty: "proof",
    start: always(
      401,
      { ...HTML, server: "Vercel", "set-cookie": "_vercel_sso_nonce=5Xq0; Path=/; Secure; HttpOnly; SameSite=Lax" },
      "<!doctype html><title>Authentication Required</title>",
    ),
  },
  {
    name: "Cloudflare Access",
    cause: "deployment-protection",
    certainty: "proof",
    start: always(302, {
      location: "https://notes.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=1",
      "www-authenticate": "Cloudflare-Access",
    }),
  },
  {
    name: "basic authentication before the service",
    cause: "deployment-protection",
    certainty: "proof",
    start: always(401, { "www-authenticate": 'Basic realm="staging"' }, "401 Authorization Required"),
  },
  {
    name: "a bot wall that challenges programs",
    cause: "bot-challenge",
    certainty: "proof",
    start: always(
      403,
      { ...HTML, server: "cloudflare", "cf-mitigated": "challenge", "cf-ray": "8f1a-FRA" },
      "<title>Just a moment...</title>",
    ),
  },
  {
    name: "a firewall that refuses Python's user agent",
    cause: "bot-challenge",
    certainty: "proof",
    start: behind(
      { request: answering(403, HTML, "<h1>Forbidden</h1>", (req) => /python/i.test(req.headers["user-agent"] ?? "")) },
      { flags: ["--api", "https://app.example.com/api/items"] },
    ),
  },
  {
    name: "a proxy that removes Cookie",
    quick: true,
    packed: true,
    cause: "cookie-header-stripped",
    certainty: "proof",
    start: behind({ request: (headers) => void delete headers.cookie }),
  },
  {
    name: "a proxy that removes Set-Cookie",
    cause: "set-cookie-stripped",
    certainty: "proof",
    start: behind({ response: ({ headers }) => void delete headers["set-cookie"] }),
  },
  {
    name: "a proxy that removes Set-Cookie, and a balancer that sets its own",
    cause: "set-cookie-stripped",
    certainty: "proof",
    start: behind({ response: ({ headers }) => void (headers["set-cookie"] = ["AWSALB=abc; Path=/"]) }),
  },
  {
    name: "a proxy that joins the lines of Set-Cookie",
    quick: true,
    cause: "set-cookie-joined",
    certainty: "proof",
    start: behind({
      response: ({ headers }) => {
        if (headers["set-cookie"]) headers["set-cookie"] = [headers["set-cookie"].join(", ")];
      },
    }),
  },
  {
    name: "the application's origin is not trusted",
    quick: true,
    cause: "origin-not-trusted",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service(), { flags: ["--app", "https://app-git-x.example.com"] }),
  },
  {
    name: "the service's own address is not an origin that it trusts",
    cause: "origin-not-trusted",
    certainty: "proof",
    or: ["preview-host-differs"],
    start: (lab) =>
      lab.serve(lab.service({}, { site: SITE }), {
        site: "https://preview.example.com",
        env: { BETTER_AUTH_URL: "https://preview.example.com" },
      }),
  },
  {
    name: "a preview's host is not the one of the base URL",
    cause: "preview-host-differs",
    certainty: "strong",
    or: ["origin-not-trusted", "issuer-host"],
    start: (lab) =>
      lab.serve(lab.service({}, { site: "https://notes.vercel.app" }), {
        site: "https://notes-git-x-team.vercel.app",
        env: { BETTER_AUTH_URL: "https://notes-git-x-team.vercel.app" },
        flags: ["--deep"],
      }),
  },
  {
    name: "allowedHosts lacks this host",
    cause: "allowed-hosts",
    certainty: "strong",
    start: (lab) => lab.serve(lab.service({ baseURL: { allowedHosts: ["notes.example.com"] } })),
  },
  {
    name: "a cache before /get-session that says so",
    cause: "get-session-cached",
    certainty: "proof",
    start: cached({ "cf-cache-status": "HIT", age: "31" }),
  },
  {
    name: "a cache before /get-session that says nothing",
    quick: true,
    cause: "get-session-cached",
    certainty: "proof",
    start: cached({}),
  },
  {
    name: "everybody's bucket of the rate limit is empty",
    cause: "rate-limited",
    certainty: "proof",
    start: async (lab) => {
      const service = lab.service({ rateLimit: { enabled: true, window: 60, max: 3, customRules: {} } });
      for (let at = 0; at < 5; at++) for (const path of ["/get-session", "/ok", "/jwks"]) await lab.ask(service, path);
      return lab.serve(service);
    },
  },
  {
    name: "a proxy that limits requests",
    cause: "rate-limited",
    certainty: "proof",
    start: always(429, { ...HTML, server: "nginx", "retry-after": "10" }, "<h1>429 Too Many Requests</h1>"),
  },
  {
    name: "the proxy limits after the fourth request",
    cause: "rate-limited",
    certainty: "proof",
    start: (lab) => {
      let asked = 0;
      const limit = answering(
        429,
        { ...HTML, "retry-after": "10" },
        "<h1>429 Too Many Requests</h1>",
        () => ++asked > 4,
      );
      return behind({ request: limit })(lab);
    },
  },
  {
    name: "the auth service is at half its size: 500 to everything",
    cause: "unreachable",
    certainty: "proof",
    or: ["allowed-hosts", "database-unreachable"],
    start: always(500, {}, ""),
  },

  {
    name: "a proxy that removes both Cookie and Set-Cookie",
    cause: "set-cookie-stripped",
    certainty: "proof",
    start: behind({
      request: (headers) => void delete headers.cookie,
      response: ({ headers }) => void delete headers["set-cookie"],
    }),
  },
  {
    name: "a bot wall that challenges only POST",
    cause: "bot-challenge",
    certainty: "proof",
    start: behind({
      request: answering(
        403,
        { ...HTML, server: "cloudflare", "cf-mitigated": "challenge" },
        "<title>Just a moment...</title>",
        (req) => req.method === "POST",
      ),
    }),
  },
  {
    name: "a firewall that refuses POST without a body",
    cause: "bot-challenge",
    certainty: "strong",
    or: ["deployment-protection", "unreachable"],
    start: behind({
      request: answering(
        403,
        { ...HTML, server: "awselb/2.0" },
        "<html><head><title>403 Forbidden</title></head></html>",
        (req) => req.method === "POST",
      ),
    }),
  },
  {
    name: "a maintenance page with 503",
    cause: "unreachable",
    certainty: "proof",
    or: ["html-instead-of-auth"],
    start: always(503, { ...HTML, "retry-after": "600" }, "<h1>We'll be back</h1>"),
  },
  {
    name: "a redirect to the sign-in page of the application",
    cause: "base-url-redirects",
    certainty: "proof",
    or: ["deployment-protection"],
    start: always(302, { location: "/login?next=%2Fapi%2Fauth%2Fok" }),
  },
  {
    name: "JSON of another API at /api/auth",
    cause: "html-instead-of-auth",
    certainty: "proof",
    or: ["base-path-differs"],
    start: always(200, { "content-type": "application/json" }, '{"status":"ok","service":"catalogue"}'),
  },
  {
    name: "404 to everything",
    cause: "base-path-differs",
    certainty: "strong",
    or: ["html-instead-of-auth"],
    start: always(404, HTML, "<h1>Not Found</h1>"),
  },
];
