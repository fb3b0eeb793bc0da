// A real nginx or haproxy before the service, one fault each; certificates; clocks; pairs of faults.

import { jwt } from "better-auth/plugins/jwt";

import { header, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

const nginx =
  (conf, options = {}, more = {}) =>
  async (lab) => ({ ...(await lab.nginx(lab.service(options).handler, conf)), ...more });

const haproxy =
  (conf, options = {}, more = {}) =>
  async (lab) => ({ ...(await lab.haproxy(lab.service(options).handler, conf)), ...more });

const row = (program, name, cause, certainty, start, more) => ({
  name: `${program}: ${name}`,
  cause,
  certainty,
  start,
  needs: program,
  ...more,
});
const ofNginx = (...row_) => row("nginx", ...row_);
const ofHaproxy = (...row_) => row("haproxy", ...row_);

/** Somebody's cookies, pasted, of a service behind nginx. */
const signedInBehind =
  (conf, options = {}, { user, ...more } = {}) =>
  async (lab) => {
    const service = lab.service(options);
    const { jar } = await lab.signedUp(service, user);
    return { ...(await lab.nginx(service.handler, conf)), cookie: header(jar), ...more };
  };

/** A service with a field that makes sessions large. */
const LARGE = { user: { additionalFields: { about: { type: "string", required: false } } } };

/** A server with TLS and this certificate. */
const certified =
  (names, life, { site = SITE, ...more } = {}) =>
  async (lab) =>
    lab.serve(lab.service({}, { site }), {
      tls: await lab.certify(names, life),
      env: { BETTER_AUTH_URL: site },
      ...more,
    });

/** The API of Python behind nginx, which has the service beside it. */
const apiBehind =
  (conf, settings = {}) =>
  async (lab) => {
    const service = lab.service();
    const { jar } = await lab.signedUp(service);
    const token = await lab.token(service, jar);
    const inner = await lab.listen(service.handler, { inner: true });
    const port = await lab.python({
      ISSUER: SITE,
      AUDIENCE: SITE,
      ALGORITHMS: "EdDSA",
      JWKS_URL: `http://127.0.0.1:${inner}/api/auth/jwks`,
      DETAIL: "1",
      ...settings,
    });
    const api = lab.forward(port);
    const both = (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : api(req, res));
    const served = await lab.nginx(both, conf);
    return { ...served, flags: [...served.flags, "--api", `${SITE}/items`], token };
  };

/** The doctor's own clock is another. */
const CLOCK = (seconds) => ["faketime", "-f", `${seconds < 0 ? "" : "+"}${seconds}s`];

export default [
  ofNginx(
    "Host is not passed on, and there is no base URL",
    "url-missing",
    "strong",
    nginx({ isHostKept: false }, { baseURL: undefined }),
    { or: ["http-base-url-behind-tls", "preview-host-differs", "issuer-host"] },
  ),
  ofNginx(
    "Host is not passed on, and allowedHosts knows the public one",
    "allowed-hosts",
    "strong",
    nginx({ isHostKept: false }, { baseURL: { allowedHosts: ["app.example.com"] } }),
  ),
  ofNginx(
    "X-Forwarded-Proto says http behind another TLS",
    "http-base-url-behind-tls",
    "proof",
    nginx(
      { location: "proxy_set_header X-Forwarded-Proto http; proxy_set_header X-Forwarded-Host $host;" },
      { baseURL: { allowedHosts: ["app.example.com"], protocol: "auto" }, advanced: { trustedProxyHeaders: true } },
    ),
    { or: ["secure-prefix-differs"] },
  ),
  ofNginx(
    "the path of cookies is made narrow",
    "cookie-path-narrow",
    "proof",
    nginx({ location: "proxy_cookie_path / /app/;" }),
  ),
  ofNginx(
    "Secure is taken from cookies",
    "cookie-attributes-refused",
    "proof",
    nginx({ location: "proxy_cookie_flags ~ nosecure;" }),
  ),
  ofNginx(
    "one header of cookies alone may be 4 KB",
    "header-too-large",
    "proof",
    nginx({ server: "client_header_buffer_size 1k; large_client_header_buffers 4 4k;" }),
  ),
  ofNginx(
    "answers with long headers are 502, for a large session",
    "header-too-large",
    "strong",
    signedInBehind(
      { location: "proxy_buffer_size 4k; proxy_buffers 4 4k; proxy_busy_buffers_size 8k;" },
      { ...LARGE, session: { cookieCache: { enabled: true, maxAge: 300, strategy: "jwe" } } },
      { user: { about: "x".repeat(6000) } },
    ),
  ),
  ofNginx("the path's prefix is taken away", "base-path-differs", "strong", nginx({ at: "/api/", onto: "/" })),
  ofNginx("the path gets a prefix", "base-path-differs", "strong", nginx({ onto: "/backend/" })),
  ofNginx(
    "a cache of one second that ignores what it should keep out",
    "get-session-cached",
    "proof",
    nginx({
      http: "proxy_cache_path cache keys_zone=all:1m;",
      location:
        "proxy_cache all; proxy_cache_valid any 10s; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_cache_key $host$uri;",
    }),
  ),
  ofNginx(
    "answers are given a life in caches",
    "get-session-cached",
    "strong",
    nginx({ location: "proxy_hide_header Cache-Control; add_header Cache-Control 'public, max-age=600' always;" }),
  ),
  ofNginx(
    "error pages of its own, with 200",
    "html-instead-of-auth",
    "strong",
    nginx({
      server:
        "error_page 400 401 403 404 = @page; location @page { default_type text/html; return 200 '<!doctype html><title>Oh</title>'; }",
      location: "proxy_intercept_errors on;",
    }),
  ),
  ofNginx("POST is denied", "bot-challenge", "strong", nginx({ location: "limit_except GET { deny all; }" }), {
    or: ["deployment-protection"],
  }),
  ofNginx(
    "programs are denied by their user agent",
    "bot-challenge",
    "proof",
    nginx({ location: 'if ($http_user_agent ~* "(curl|python|wget|bot|doorward)") { return 403; }' }),
    { or: ["deployment-protection"] },
  ),
  ofNginx(
    "only addresses of the company",
    "deployment-protection",
    "strong",
    nginx({ location: "allow 10.0.0.0/8; deny all;" }),
    {
      or: ["bot-challenge"],
    },
  ),
  ofNginx(
    "auth_request asks something that always says no",
    "deployment-protection",
    "proof",
    nginx({ server: "location = /_auth { return 401; }", location: "auth_request /_auth;" }),
    { or: ["bot-challenge"] },
  ),
  ofNginx("Origin is taken away", "origin-not-trusted", "strong", nginx({ location: 'proxy_set_header Origin "";' }), {
    or: ["origin-header-stripped"],
  }),
  ofNginx(
    "of cookies only one of the application is passed on",
    "cookie-header-stripped",
    "proof",
    nginx({ location: 'proxy_set_header Cookie "lang=$cookie_lang";' }),
  ),
  ofNginx(
    "no header of the request is passed on",
    "cookie-header-stripped",
    "proof",
    nginx({ location: "proxy_pass_request_headers off;" }),
    { or: ["origin-not-trusted"] },
  ),
  ofNginx(
    "everything redirects to another port",
    "base-url-redirects",
    "proof",
    nginx({ server: "return 308 https://$host:8443$request_uri;" }),
  ),
  ofNginx(
    "a slash is put at the end of paths",
    "base-url-redirects",
    "proof",
    nginx({ server: "rewrite ^(.*[^/])$ https://$host$1/ permanent;" }),
  ),
  ofNginx(
    "the service is slower than nginx waits",
    "unreachable",
    "proof",
    async (lab) => {
      const service = lab.service();
      const slow = (req, res) => setTimeout(() => service.handler(req, res), 3000);
      return lab.nginx(slow, { location: "proxy_read_timeout 300ms;" });
    },
    { or: ["database-unreachable"] },
  ),
  ofNginx("the connection is closed without an answer", "unreachable", "proof", nginx({ location: "return 444;" })),
  ofNginx(
    "a limit of requests that says 503",
    "rate-limited",
    "strong",
    nginx({
      http: "limit_req_zone $binary_remote_addr zone=all:1m rate=1r/m;",
      server: "limit_req zone=all burst=4 nodelay;",
    }),
    { or: ["unreachable"] },
  ),
  ofNginx(
    "only /api/auth/sign-in and /callback are passed on",
    "base-path-differs",
    "strong",
    nginx({ at: "~ ^/api/auth/(sign-in|callback)", server: "location / { return 404; }" }),
    { or: ["html-instead-of-auth"] },
  ),
  ofNginx(
    "the key set's path is closed",
    "jwks-not-json",
    "proof",
    nginx({ server: "location = /api/auth/jwks { return 403; }" }),
    { or: ["bot-challenge", "deployment-protection"] },
  ),
  ofNginx(
    "the key set is of before: a cache of a day",
    "kid-not-in-jwks",
    "proof",
    async (lab) => {
      const service = lab.service();
      const { jar } = await lab.signedUp(service);
      const before = lab.service();
      await lab.token(before, (await lab.signedUp(before)).jar);
      const old = await before.auth.handler(new Request(`${SITE}/api/auth/jwks`));
      const body = await old.text();
      const served = await lab.nginx(service.handler, {
        server: `location = /api/auth/jwks { default_type application/json; add_header Age 86000; return 200 '${body}'; }`,
      });
      return { ...served, token: await lab.token(service, jar) };
    },
    { or: ["api-jwks-cached-stale"] },
  ),
  ofNginx(
    "Authorization is emptied on the way to the API",
    "authorization-stripped",
    "strong",
    apiBehind({ location: 'proxy_set_header Authorization "";' }),
  ),
  ofNginx(
    "Authorization is replaced by one of its own",
    "authorization-stripped",
    "strong",
    apiBehind({ location: 'proxy_set_header Authorization "Basic Z2F0ZTpnYXRl";' }),
  ),
  ofNginx(
    "the API expects a slash at the end of iss",
    "issuer-differs-at-api",
    "strong",
    apiBehind({}, { ISSUER: `${SITE}/` }),
    { or: ["issuer-trailing-slash"] },
  ),
  ofNginx("the API's clock is twenty minutes ahead", "clock-skew", "strong", apiBehind({}, { CLOCK: "1200" }), {
    or: ["api-leeway"],
  }),
  ofNginx("the API's clock is an hour behind", "clock-skew", "strong", apiBehind({}, { CLOCK: "-3600", DETAIL: "" }), {
    or: ["api-leeway", "api-refuses-good-token"],
  }),

  ofHaproxy(
    "Cookie is deleted",
    "cookie-header-stripped",
    "proof",
    haproxy({ backend: "http-request del-header cookie" }),
  ),
  ofHaproxy(
    "Set-Cookie is deleted, and one of its own is set",
    "set-cookie-stripped",
    "proof",
    haproxy({ backend: "http-response del-header set-cookie\n  cookie LB insert indirect", server: "cookie s@" }),
  ),
  ofHaproxy(
    "Domain is added to cookies",
    "cookie-domain-foreign",
    "proof",
    haproxy({ backend: "http-response replace-header Set-Cookie (.*) '\\1; Domain=internal.example.net'" }),
  ),
  ofHaproxy(
    "a small buffer",
    "header-too-large",
    "proof",
    haproxy({ global: "tune.bufsize 5000\n  tune.maxrewrite 1024" }),
  ),
  ofHaproxy(
    "https redirects to itself, since TLS ends before it",
    "base-url-redirects",
    "proof",
    haproxy({ frontend: "http-request redirect scheme https code 301 if !{ hdr(x-forwarded-proto) https }" }),
  ),
  ofHaproxy(
    "the prefix /api is taken from the path",
    "base-path-differs",
    "strong",
    haproxy({ backend: "http-request replace-path /api(/.*) \\1" }),
  ),
  ofHaproxy(
    "more than three requests in ten seconds are refused",
    "rate-limited",
    "proof",
    haproxy({
      frontend:
        "stick-table type ip size 1k expire 10s store http_req_rate(10s)\n  http-request track-sc0 src\n  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }",
    }),
  ),
  ofHaproxy(
    "a page of maintenance",
    "unreachable",
    "proof",
    haproxy({ frontend: "http-request return status 503 content-type text/html string '<h1>Back soon</h1>'" }),
    { or: ["html-instead-of-auth"] },
  ),
  ofHaproxy(
    "a page for every path but /ok",
    "html-instead-of-auth",
    "proof",
    haproxy({
      frontend:
        "http-request return status 200 content-type text/html string '<!doctype html><title>Notes</title>' if !{ path_end /ok }",
    }),
  ),
  // haproxy tries three times more, a second apart.
  ofHaproxy(
    "nobody is behind it",
    "unreachable",
    "proof",
    async (lab) => lab.haproxy([], { backend: "server gone 127.0.0.1:9" }),
    { limit: 12_000 },
  ),
  ofHaproxy("two instances, one with another secret", "secret-differs", "proof", async (lab) => {
    const one = lab.service();
    const other = lab.service({ secret: OTHER_SECRET }, { db: one.db });
    return lab.haproxy([one.handler, other.handler], { backend: "balance roundrobin" });
  }),
  ofHaproxy(
    "two instances, one with another base URL",
    "http-base-url-behind-tls",
    "proof",
    async (lab) => {
      const one = lab.service();
      const other = lab.service({ baseURL: "http://app.example.com" }, { db: one.db });
      return lab.haproxy([one.handler, other.handler], { backend: "balance roundrobin" });
    },
    { or: ["secure-prefix-differs"] },
  ),
  ofHaproxy("two instances with a memory each, somebody signed in", "session-not-in-store", "proof", async (lab) => {
    const one = lab.service({ session: {} });
    const other = lab.service({ session: {} });
    const { jar } = await lab.signedUp(one);
    const served = await lab.haproxy([one.handler, other.handler], { backend: "balance roundrobin" });
    return { ...served, cookie: header(jar) };
  }),
  ofHaproxy(
    "SameSite=None becomes Strict for another site",
    "samesite-lax-cross-site",
    "proof",
    async (lab) => {
      const site = "https://auth.example.org";
      const advanced = { defaultCookieAttributes: { sameSite: "none", secure: true } };
      const service = lab.service({ trustedOrigins: [SITE], advanced }, { site });
      const served = await lab.haproxy(service.handler, {
        backend: "http-response replace-header Set-Cookie (.*)SameSite=None(.*) \\1SameSite=Strict\\2",
      });
      return { ...served, url: site, flags: [...served.flags, "--app", SITE], env: { BETTER_AUTH_URL: site } };
    },
    { also: ["cors-missing"], or: ["cors-missing"] },
  ),

  row("certificate", "for www alone", "unreachable", "proof", certified(["www.example.com"])),
  row(
    "certificate",
    "a star, and the host is one level deeper",
    "unreachable",
    "proof",
    certified(["*.example.com"], {}, { site: "https://app.eu.example.com" }),
  ),
  row("certificate", "signed by itself", "unreachable", "proof", certified(["app.example.com"], { by: "itself" })),
  row(
    "certificate",
    "the one between is not sent",
    "unreachable",
    "proof",
    certified(["app.example.com"], { by: "between", isChainSent: false }),
  ),
  row(
    "certificate",
    "is valid from tomorrow on",
    "unreachable",
    "proof",
    certified(["app.example.com"], { from: 86_400_000 }),
  ),
  row(
    "certificate",
    "has run out an hour ago",
    "unreachable",
    "proof",
    certified(["app.example.com"], { from: -10 * 86_400_000, until: -3_600_000 }),
  ),

  {
    name: "clock: this machine's is an hour behind",
    cause: "clock-skew",
    certainty: "strong",
    needs: "faketime",
    start: (lab) => lab.serve(lab.service(), { flags: ["--deep"], by: CLOCK(-3600) }),
  },
  {
    name: "clock: this machine's is ten minutes ahead, a token is pasted",
    cause: "clock-skew",
    certainty: "strong",
    needs: "faketime",
    start: async (lab) => {
      const service = lab.service();
      const { jar } = await lab.signedUp(service);
      return lab.serve(service, { token: await lab.token(service, jar), by: CLOCK(600) });
    },
  },
  {
    name: "clock: the service's is an hour ahead, Better Auth 1.4",
    cause: "clock-skew",
    certainty: "strong",
    needs: "faketime",
    start: async (lab) => lab.at(SITE, await lab.skewed(3600, {}, { version: "1.4" })),
  },
  {
    name: "clock: the service's is a day behind, --deep",
    cause: "clock-skew",
    certainty: "strong",
    needs: "faketime",
    start: async (lab) => lab.at(SITE, await lab.skewed(-86_400), { flags: ["--deep"] }),
  },

  ofNginx(
    "pair: Cookie is emptied, and the base URL is http",
    "http-base-url-behind-tls",
    "proof",
    nginx({ location: 'proxy_set_header Cookie "";' }, { baseURL: "http://app.example.com" }),
    { or: ["cookie-header-stripped"], also: ["cookie-header-stripped", "http-base-url-behind-tls"] },
  ),
  ofNginx(
    "pair: the prefix is taken away, and the secret is another",
    "base-path-differs",
    "strong",
    nginx({ at: "/api/", onto: "/" }, { secret: OTHER_SECRET }),
    { also: ["secret-differs"] },
  ),
  ofNginx(
    "pair: a cache, and a line end in the secret",
    "get-session-cached",
    "proof",
    nginx(
      {
        http: "proxy_cache_path cache keys_zone=all:1m;",
        location:
          "proxy_cache all; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_cache_key $uri;",
      },
      { secret: `${SECRET}\n` },
    ),
    { also: ["secret-whitespace"] },
  ),
  ofNginx(
    "pair: a kilobyte of headers, and a line end in the secret",
    "secret-whitespace",
    "proof",
    nginx({ server: "client_header_buffer_size 512; large_client_header_buffers 2 1k;" }, { secret: `${SECRET}\n` }),
    { or: ["header-too-large"], also: ["header-too-large", "secret-whitespace"] },
  ),
  ofHaproxy(
    "pair: Set-Cookie is deleted, and aud is another",
    "set-cookie-stripped",
    "proof",
    haproxy(
      { backend: "http-response del-header set-cookie" },
      { plugins: [jwt({ jwt: { audience: "notes-api" } })] },
      {},
    ),
    { also: ["audience-differs"] },
  ),
  ofHaproxy(
    "pair: a cookie prefix of its own, and the origin is not trusted",
    "cookie-name-differs",
    "proof",
    async (lab) => {
      const service = lab.service({ advanced: { cookiePrefix: "acme" } });
      const served = await lab.haproxy(service.handler, {});
      return {
        ...served,
        flags: [...served.flags, "--app", "https://www.example.com"],
        config: { extends: "better-auth" },
      };
    },
    {
      or: ["origin-not-trusted", "host-only-cookie"],
      also: ["origin-not-trusted", "host-only-cookie", "cors-missing", "cookie-name-differs"],
    },
  ),
  ofHaproxy(
    "pair: a redirect, and a foreign Domain behind it",
    "base-url-redirects",
    "proof",
    haproxy(
      { frontend: "http-request redirect prefix https://www.example.com code 302" },
      { advanced: { crossSubDomainCookies: { enabled: true, domain: "other.example" } } },
    ),
    { or: ["www-apex"] },
  ),
  row("certificate", "pair: has run out, and the secret is another", "unreachable", "proof", async (lab) =>
    lab.serve(lab.service({ secret: OTHER_SECRET }), {
      tls: await lab.certify(["app.example.com"], { from: -10 * 86_400_000, until: -3_600_000 }),
    }),
  ),
];
