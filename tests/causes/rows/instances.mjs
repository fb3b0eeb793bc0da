// Instances behind one proxy that differ, and further proxies: written after the rules that they are
// played against.

import { jwt } from "better-auth/plugins/jwt";
import { header, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

const nginx =
  (conf, options = {}, more = {}) =>
  async (lab) => ({ ...(await lab.nginx(lab.service(options).handler, conf)), ...more });
const haproxy =
  (conf, options = {}, more = {}) =>
  async (lab) => ({ ...(await lab.haproxy(lab.service(options).handler, conf)), ...more });
const two =
  (options, more = {}) =>
  async (lab) => {
    const one = lab.service();
    const other = lab.service(options, { db: one.db, ...more });
    return lab.haproxy([one.handler, other.handler], { backend: "balance random" });
  };
const row = (name, cause, certainty, start, more) => ({ name, cause, certainty, start, ...more });
const api =
  (conf, settings = {}, how = {}) =>
  async (lab) => {
    const service = lab.service();
    const { jar } = await lab.signedUp(service);
    const token = await lab.token(service, jar);
    const inner = await lab.listen(service.handler, { inner: true });
    const port = await lab.python(
      {
        ISSUER: SITE,
        AUDIENCE: SITE,
        ALGORITHMS: "EdDSA",
        JWKS_URL: `http://127.0.0.1:${inner}/api/auth/jwks`,
        ...settings,
      },
      how,
    );
    const onward = lab.forward(port);
    const both = (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : onward(req, res));
    const served = await lab.haproxy(both, conf);
    return { ...served, flags: [...served.flags, "--api", `${SITE}/items`], token };
  };
export default [
  row(
    "haproxy: Path becomes /auth",
    "cookie-path-narrow",
    "proof",
    haproxy({ backend: "http-response replace-header Set-Cookie (.*)Path=/;(.*) \\1Path=/auth;\\2" }),
  ),
  row(
    "haproxy: Secure is cut out",
    "cookie-attributes-refused",
    "proof",
    haproxy({ backend: "http-response replace-header Set-Cookie '(.*); Secure(.*)' '\\1\\2'" }),
  ),
  row(
    "haproxy: Domain=co.uk",
    "cookie-domain-public-suffix",
    "proof",
    haproxy({ backend: "http-response replace-header Set-Cookie (.*) '\\1; Domain=co.uk'" }),
  ),
  row("two with a memory each", "session-not-in-store", "proof", async (lab) => {
    const one = lab.service();
    const other = lab.service();
    await lab.token(one, (await lab.signedUp(one)).jar);
    await lab.token(other, (await lab.signedUp(other)).jar);
    return lab.haproxy([one.handler, other.handler], { backend: "balance roundrobin" });
  }),
  row("two versions, one database", null, null, two({}, { version: "1.4" })),
  row("two, one with another prefix", "cookie-name-differs", "proof", two({ advanced: { cookiePrefix: "acme" } })),
  row("two, one with the old secret", "secret-differs", "proof", two({ secret: OTHER_SECRET })),
  row(
    "one of two is away",
    "unreachable",
    "strong",
    async (lab) =>
      lab.haproxy(lab.service().handler, { backend: "balance roundrobin\n  retries 0\n  server gone 127.0.0.1:9" }),
    { or: ["rate-limited"] },
  ),
  row("base URL of development", "url-missing", "strong", nginx({}, { baseURL: "http://localhost:3000" }), {
    or: ["http-base-url-behind-tls"],
  }),
  row("Origin becomes null", "origin-not-trusted", "strong", nginx({ location: "proxy_set_header Origin null;" })),
  row(
    "errors become the home page",
    "html-instead-of-auth",
    "strong",
    nginx({
      server:
        "error_page 401 403 404 =200 /home; location = /home { default_type text/html; return 200 '<html>home</html>'; }",
      location: "proxy_intercept_errors on;",
    }),
  ),
  row(
    "Cookie is another's",
    "cookie-header-stripped",
    "proof",
    nginx({ location: "proxy_set_header Cookie 'theme=dark';" }),
  ),
  row(
    "haproxy: Authorization goes elsewhere",
    "authorization-stripped",
    "strong",
    api(
      { backend: "http-request set-header X-Auth %[req.hdr(authorization)]\n  http-request del-header authorization" },
      { DETAIL: "1" },
    ),
  ),
  row("haproxy: bare PyJWT that says nothing", "api-refuses-good-token", "strong", api({}, {}, { bare: true })),
  row("1.6, ten minutes ahead", "clock-skew", "strong", async (lab) =>
    lab.at(SITE, await lab.skewed(600, {}, { version: "1.6" })),
  ),
  row(
    "key set behind basic auth",
    "deployment-protection",
    "strong",
    nginx({ server: `location = /api/auth/jwks { auth_basic x; auth_basic_user_file /dev/null; }` }),
    { or: ["jwks-not-json"] },
  ),
  row(
    "pair: cache, and the secret in quotes",
    "get-session-cached",
    "proof",
    nginx(
      {
        http: "proxy_cache_path cache keys_zone=all:1m;",
        location:
          "proxy_cache all; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_cache_key $uri;",
      },
      { secret: `"${SECRET}"` },
    ),
    { also: ["secret-quoted"] },
  ),
  row(
    "pair: narrow Path, and aud is another",
    "cookie-path-narrow",
    "proof",
    async (lab) => {
      const served = await lab.nginx(lab.service({ plugins: [jwt({ jwt: { audience: "n" } })] }).handler, {
        location: "proxy_cookie_path / /app;",
      });
      return { ...served, flags: [...served.flags, "--deep"] };
    },
    { also: ["audience-differs"] },
  ),
  row(
    "healthy: Path=/ and cookies of nginx",
    null,
    null,
    nginx({ server: "add_header Set-Cookie 'lb=1; Path=/' always;" }),
  ),
  row("healthy: slow instances by turns", null, null, async (lab) => {
    const one = lab.service();
    const other = lab.service({}, { db: one.db });
    const slow = (req, res) => setTimeout(() => other.handler(req, res), 200);
    return lab.haproxy([one.handler, slow], { backend: "balance roundrobin" });
  }),
];
