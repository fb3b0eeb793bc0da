// Healthy deployments of kinds that are rare in tests and common in the world.

import { gzipSync } from "node:zlib";

import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import { openAPI } from "better-auth/plugins";

import { answering, header, OTHER_SECRET, SITE } from "../lab.mjs";

const healthy = (name, start, more) => ({ name, cause: null, start, ...more });
const ofNginx = (name, start) => healthy(`nginx: ${name}`, start, { needs: "nginx" });
const ofHaproxy = (name, start) => healthy(`haproxy: ${name}`, start, { needs: "haproxy" });

/** Somebody's cookies and `--deep`, of a service behind what `front` makes of it. */
const behind =
  (front, options = {}, { user, site, version, flags = ["--deep"], ...more } = {}) =>
  async (lab) => {
    const service = lab.service(options, { site, version });
    const { jar } = await lab.signedUp(service, user);
    const served = await front(lab, service.handler);
    return {
      ...served,
      url: site ?? served.url,
      flags: [...served.flags, ...flags],
      cookie: header(jar),
      env: { BETTER_AUTH_URL: service.site },
      ...more,
    };
  };
const byNginx = (conf, ...more) => behind((lab, handler) => lab.nginx(handler, conf), ...more);
const byHaproxy = (conf, ...more) => behind((lab, handler) => lab.haproxy(handler, conf), ...more);
const served = (fault = {}, ...more) =>
  behind(async (lab, handler) => lab.at(SITE, await lab.proxy(handler, fault)), ...more);

const LARGE = { user: { additionalFields: { about: { type: "string", required: false } } } };

/** Keys of others in the set, which are no fault. */
const more = (keys) => ({
  body: (text, req) =>
    req.url.startsWith("/api/auth/jwks") ? JSON.stringify({ keys: [...keys, ...JSON.parse(text).keys] }) : text,
});

export default [
  ofNginx("Host is not passed on, the base URL is fixed", byNginx({ isHostKept: false })),
  ofNginx("HTTP/2", byNginx({ listen: "http2" })),
  ofNginx(
    "room for a large session",
    byNginx(
      {
        server: "large_client_header_buffers 4 32k;",
        location: "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;",
      },
      { ...LARGE, plugins: [jwt({ disableSettingJwtHeader: true })] },
      { user: { about: "x".repeat(5000) } },
    ),
  ),
  ofNginx(
    "a cache for the key set alone",
    byNginx({
      http: "proxy_cache_path cache keys_zone=all:1m; map $uri $kept { default 1; /api/auth/jwks 0; }",
      location:
        "proxy_cache all; proxy_cache_valid 200 5m; proxy_ignore_headers Cache-Control; proxy_cache_bypass $kept; proxy_no_cache $kept;",
    }),
  ),
  ofNginx(
    "a cache that keeps what the service lets it keep",
    byNginx({
      http: "proxy_cache_path cache keys_zone=all:1m;",
      location: "proxy_cache all; proxy_cache_key $uri; add_header X-Cache-Status $upstream_cache_status;",
    }),
  ),
  ofNginx(
    "headers of security on everything",
    byNginx({
      server:
        "add_header Strict-Transport-Security 'max-age=63072000; includeSubDomains; preload' always; add_header Content-Security-Policy \"default-src 'none'\" always; add_header X-Frame-Options DENY always;",
    }),
  ),
  ofNginx(
    "no header with an underscore, connections kept",
    byNginx({
      server: "underscores_in_headers off; ignore_invalid_headers on; keepalive_timeout 1;",
      location: "proxy_http_version 1.1; proxy_set_header Connection '';",
    }),
  ),
  ofNginx(
    "a limit of requests that is far",
    byNginx({
      http: "limit_req_zone $binary_remote_addr zone=all:1m rate=50r/s;",
      server: "limit_req zone=all burst=50 nodelay;",
    }),
  ),
  ofNginx("below a prefix that BETTER_AUTH_URL names", async (lab) => {
    const base = `${SITE}/accounts/api/auth`;
    const served = await lab.nginx(lab.service({ baseURL: base }).handler, { at: "/accounts/" });
    return { ...served, url: base, env: { BETTER_AUTH_URL: base } };
  }),
  ofNginx("www is the site, and the apex redirects to it", async (lab) => {
    const site = "https://www.example.com";
    const service = lab.service({}, { site });
    const served = await lab.nginx(service.handler, {
      server: 'if ($host = "example.com") { return 301 https://www.example.com$request_uri; }',
    });
    return { ...served, url: site, env: { BETTER_AUTH_URL: site } };
  }),
  ofNginx(
    "everything but the service's path redirects to sign-in",
    byNginx({
      at: "/api/auth/",
      server: "location / { return 302 /sign-in; }",
    }),
  ),
  ofHaproxy(
    "HTTP/2 and compression",
    byHaproxy({
      listen: "alpn h2,http/1.1",
      backend: "compression algo gzip\n  compression type application/json text/html",
    }),
  ),
  ofHaproxy("two instances with one database, a cookie of its own for the server", async (lab) => {
    const one = lab.service();
    const two = lab.service({}, { db: one.db });
    const { jar } = await lab.signedUp(one);
    await lab.token(one, jar);
    const served = await lab.haproxy([one.handler, two.handler], {
      backend: "balance roundrobin\n  cookie SERVERID insert indirect nocache httponly secure",
      server: "cookie s@",
    });
    return { ...served, flags: [...served.flags, "--deep"], cookie: header(jar) };
  }),
  ofHaproxy("the host inside is another", byHaproxy({ backend: "http-request set-header Host auth.internal:3000" })),
  ofHaproxy(
    "headers of requests are added",
    byHaproxy({
      frontend:
        "option forwardfor\n  http-request set-header X-Forwarded-Proto https\n  http-request set-header X-Request-Id %[uuid]\n  http-response set-header Via '1.1 edge'",
    }),
  ),
  ofHaproxy("two services at two paths, with the same names of cookies but another prefix", async (lab) => {
    const service = lab.service();
    const other = lab.service({ basePath: "/staff/auth", secret: OTHER_SECRET, advanced: { cookiePrefix: "staff" } });
    const { jar } = await lab.signedUp(service);
    const others = await lab.signedUp(other);
    const both = (req, res) => (req.url.startsWith("/staff") ? other : service).handler(req, res);
    const served = await lab.haproxy(both, {});
    return { ...served, flags: [...served.flags, "--deep"], cookie: header({ ...jar, ...others.jar }) };
  }),

  healthy("certificate: one between, and it is sent", async (lab) =>
    lab.serve(lab.service(), { tls: await lab.certify(["app.example.com"], { by: "between" }) }),
  ),
  healthy("certificate: for an address", async (lab) => {
    const port = await lab.listen((...request) => service.handler(...request), {
      tls: await lab.certify(["127.0.0.1"]),
    });
    const site = `https://127.0.0.1:${port}`;
    const service = lab.service({}, { site });
    return { url: site, flags: ["--deep"], env: { BETTER_AUTH_URL: site } };
  }),
  healthy("certificate: runs out tomorrow", async (lab) =>
    lab.serve(lab.service(), { tls: await lab.certify(["app.example.com"], { until: 86_400_000 }) }),
  ),
  healthy("IPv6 with TLS, by --connect", async (lab) => {
    const service = lab.service();
    const port = await lab.listen(service.handler, { tls: true, host: "::1" });
    return { url: SITE, flags: ["--connect", `[::1]:${port}`, "--deep"] };
  }),
  healthy("a port in the URL", async (lab) => {
    const site = `${SITE}:8443`;
    const service = lab.service({}, { site });
    const { jar } = await lab.signedUp(service);
    const port = await lab.listen(service.handler, { tls: true });
    return {
      url: site,
      flags: ["--connect", `127.0.0.1:${port}`, "--deep"],
      cookie: header(jar),
      env: { BETTER_AUTH_URL: site },
    };
  }),
  healthy("the URL ends with a slash behind the base path", async (lab) => ({
    ...(await lab.serve(lab.service())),
    url: `${SITE}/api/auth/`,
  })),
  healthy("BETTER_AUTH_URL ends with a slash on both sides", async (lab) => {
    const service = lab.service({ baseURL: `${SITE}/` });
    return lab.serve(service, { flags: ["--deep"], env: { BETTER_AUTH_URL: `${SITE}/` } });
  }),
  healthy("BETTER_AUTH_URL has the base path on both sides", async (lab) => {
    const service = lab.service({ baseURL: `${SITE}/api/auth` });
    return lab.serve(service, { flags: ["--deep"], env: { BETTER_AUTH_URL: `${SITE}/api/auth` } });
  }),
  healthy(
    "keys of others in the set",
    served(
      more([
        { kty: "RSA", kid: "enc-1", use: "enc", alg: "RSA-OAEP", n: "sXchvKz6qkzq", e: "AQAB" },
        { kty: "AKP", kid: "pq-1", alg: "ML-DSA-65", pub: "AAAA" },
        { kty: "EC", crv: "P-521", kid: "ec-1", x: "AA", y: "AA", "x5t#S256": "abc" },
        { kty: "oct", kid: "never" },
      ]),
    ),
  ),
  healthy(
    "headers of CloudFront",
    served({
      response: ({ headers }) =>
        void Object.assign(headers, {
          via: "1.1 2f4b.cloudfront.net (CloudFront)",
          "x-cache": "Miss from cloudfront",
          "x-amz-cf-pop": "FRA56-P4",
          "x-amz-cf-id": "bm90aGluZw==",
        }),
    }),
  ),
  healthy(
    "headers of Vercel, and a region that takes a while",
    served({
      response: ({ headers }) =>
        void Object.assign(headers, { server: "Vercel", "x-vercel-cache": "MISS", "x-vercel-id": "fra1::iad1::abcde" }),
    }),
  ),
  healthy(
    "a wall's cookie, which challenges nobody",
    served({
      response: ({ headers }) =>
        void (headers["set-cookie"] = [
          "__cf_bm=dGVzdA; Path=/; HttpOnly; Secure; SameSite=None",
          ...(headers["set-cookie"] ?? []),
          "XSRF-TOKEN=abcdef; Path=/",
        ]),
    }),
  ),
  healthy("the service's inner address for keys, on this machine", async (lab) => {
    const port = await lab.listen((...request) => service.handler(...request));
    const site = `http://localhost:${port}`;
    const service = lab.service({}, { site });
    const inner = await lab.listen(service.handler, { inner: true });
    const jwks = `http://127.0.0.1:${inner}/api/auth/jwks`;
    const env = { BETTER_AUTH_URL: site, BETTER_AUTH_ISSUER: site, BETTER_AUTH_JWKS_URL: jwks };
    return { url: site, flags: ["--deep"], env };
  }),
  healthy("answers without Date", served({ response: ({ headers }) => void delete headers.date })),
  healthy("answers in gzip, whoever asks", async (lab) => {
    const service = lab.service();
    const port = await lab.listen(service.handler, { inner: true });
    return lab.at(SITE, async (req, res) => {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const { host: _, connection: __, "content-length": ___, ...rest } = req.headers;
      const answer = await fetch(`http://127.0.0.1:${port}${req.url}`, {
        method: req.method,
        headers: rest,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      const lines = answer.headers.getSetCookie();
      res.writeHead(answer.status, {
        "content-type": answer.headers.get("content-type") ?? "application/json",
        "content-encoding": "gzip",
        ...(lines.length > 0 && { "set-cookie": lines }),
      });
      res.end(gzipSync(await answer.text()));
    });
  }),
  healthy("a database that takes 350 ms", async (lab) => {
    const service = lab.service();
    const isSlow = (req) => /get-session|jwks|sign-out/.test(req.url);
    return lab.serve(service, {
      handler: (req, res) => setTimeout(() => service.handler(req, res), isSlow(req) ? 350 : 0),
    });
  }),
  healthy("no more renewal of sessions", served({}, { session: { disableSessionRefresh: true } })),
  healthy(
    "a cookie cache that renews itself, of a minute",
    served(
      {},
      {
        database: undefined,
        session: { cookieCache: { enabled: true, maxAge: 60, strategy: "jwe", refreshCache: true } },
      },
    ),
  ),
  healthy(
    "partitioned cookies for another site",
    served(
      {},
      {
        advanced: { defaultCookieAttributes: { sameSite: "none", secure: true, partitioned: true } },
      },
    ),
  ),
  healthy("no cookies that are secure, on http in a company's network", async (lab) => {
    const site = "http://intranet.example.com";
    const service = lab.service({}, { site });
    return lab.serve(service, { env: { BETTER_AUTH_URL: site } });
  }),
  healthy("the key set at another path, which the environment names", async (lab) => {
    const service = lab.service({ plugins: [jwt({ jwks: { jwksPath: "/.well-known/jwks.json" } })] });
    return lab.serve(service, {
      flags: ["--deep"],
      env: { BETTER_AUTH_JWKS_URL: `${SITE}/api/auth/.well-known/jwks.json` },
    });
  }),
  healthy("the key set at another path, which nobody names", async (lab) =>
    lab.serve(lab.service({ plugins: [jwt({ jwks: { jwksPath: "/.well-known/jwks.json" } })] })),
  ),
  healthy("sign-out and /ok are disabled", async (lab) =>
    lab.serve(lab.service({ disabledPaths: ["/ok", "/sign-out"] })),
  ),
  healthy(
    "OPTIONS and HEAD are refused",
    served({
      request: answering(405, { allow: "GET, POST" }, "", (req) => ["OPTIONS", "HEAD"].includes(req.method)),
    }),
  ),
  healthy(
    "trusted origins by a function",
    served({}, { trustedOrigins: async () => [SITE, "https://www.example.com"] }),
  ),
  healthy(
    "the bearer plugin with signatures, and openAPI",
    served(
      {},
      {
        plugins: [jwt(), bearer({ requireSignature: true }), openAPI()],
      },
    ),
  ),
  healthy("a secret of 64 hexadecimal digits", async (lab) => {
    const secret = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    return lab.serve(lab.service({ secret }), { flags: ["--deep"], env: { BETTER_AUTH_SECRET: secret } });
  }),
  healthy("a secret with what shells and .env files read", async (lab) => {
    const secret = "pa$$word #1 = 'quoted' \\n {and} long enough+/=";
    return lab.serve(lab.service({ secret }), { flags: ["--deep"], env: { BETTER_AUTH_SECRET: secret } });
  }),
  healthy(
    "a gate that redirects people to sign-in, behind nginx",
    async (lab) => {
      const service = lab.service();
      const { jar } = await lab.signedUp(service);
      const gate = await lab.gate(service, {
        config: { extends: "better-auth", public: ["/pricing"], require: { "/admin/**": { roles: "admin" } } },
      });
      const served = await lab.nginx(gate, { location: "proxy_set_header X-Forwarded-Proto https;" });
      return { ...served, flags: [...served.flags, "--gate", "/account"], cookie: header(jar) };
    },
    { needs: "nginx" },
  ),
];
