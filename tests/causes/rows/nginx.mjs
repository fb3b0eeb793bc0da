// A real nginx before the service, with mistakes that are in many configurations.

const behind =
  (conf, options = {}, more = {}) =>
  async (lab) => ({ ...(await lab.nginx(lab.service(options).handler, conf)), ...more });

const row = (name, cause, certainty, start, more) => ({ name, cause, certainty, start, needs: "nginx", ...more });

export default [
  row("Cookie is emptied", "cookie-header-stripped", "proof", behind({ location: 'proxy_set_header Cookie "";' })),
  row("Set-Cookie is hidden", "set-cookie-stripped", "proof", behind({ location: "proxy_hide_header Set-Cookie;" })),
  row(
    "a cache that ignores what the service says of caches",
    "get-session-cached",
    "proof",
    behind({
      http: "proxy_cache_path cache keys_zone=all:1m;",
      location:
        'proxy_cache all; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_cache_key "$request_uri";',
    }),
  ),
  row(
    "a cache by path alone, that shows itself",
    "get-session-cached",
    "proof",
    behind({
      http: "proxy_cache_path cache keys_zone=all:1m;",
      location:
        'proxy_cache all; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_cache_key "$uri"; add_header X-Cache-Status $upstream_cache_status;',
    }),
  ),
  row(
    "one kilobyte of headers",
    "header-too-large",
    "proof",
    behind({ server: "client_header_buffer_size 512; large_client_header_buffers 2 1k;" }),
  ),
  row(
    "a limit of requests",
    "rate-limited",
    "proof",
    behind({
      http: "limit_req_zone $binary_remote_addr zone=all:1m rate=1r/s;",
      server: "limit_req zone=all burst=2 nodelay; limit_req_status 429;",
    }),
  ),
  row(
    "everything redirects to www",
    "base-url-redirects",
    "proof",
    behind({ server: "return 301 https://www.example.com$request_uri;" }),
    { or: ["www-apex"] },
  ),
  row(
    "a single-page application answers to what is not there",
    "html-instead-of-auth",
    "proof",
    behind({ location: 'return 200 "<!doctype html><title>Notes</title>"; default_type text/html;' }),
  ),
  row(
    "basic authentication",
    "deployment-protection",
    "proof",
    behind({ location: 'auth_basic "staging"; auth_basic_user_file /dev/null;' }),
  ),
  row(
    "Domain is rewritten to another site",
    "cookie-domain-foreign",
    "proof",
    behind(
      { location: "proxy_cookie_domain app.example.com other.example;" },
      { advanced: { crossSubDomainCookies: { enabled: true, domain: "app.example.com" } } },
    ),
  ),
  row(
    "the upstream gets the base URL of http",
    "http-base-url-behind-tls",
    "proof",
    behind({}, { baseURL: "http://app.example.com" }),
  ),
  {
    name: "nginx as it should be",
    cause: null,
    needs: "nginx",
    start: behind({
      location: "proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-For $remote_addr;",
    }),
  },
];
