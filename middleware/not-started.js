// The response where no WebAssembly can give one: it is missing, its configuration is wrong, or it has crashed.
//
// `ANSWERS` are the core's own bytes (`doorward::refuse_without_engine`), one for each form; `tests/responses.rs` holds them, and the
// choice between them, to the core. `DOORWARD_WRITE=1 cargo test --test responses` writes them anew.

const ANSWERS = {
  "page": {
    "body": "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>Temporarily unavailable</title><style>:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}body{max-width:32rem;margin:15vh auto;padding:0 1.5rem;overflow-wrap:anywhere}h1{line-height:1.2}nav{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:center;margin:2rem 0}a{color:inherit}a:focus-visible{outline:3px solid CanvasText;outline-offset:3px}nav a:first-child{padding:.6rem 1.2rem;border-radius:.5rem;text-decoration:none;background:CanvasText;color:Canvas}footer{font-size:.875rem}</style></head><body><main><h1>Temporarily unavailable</h1><p>Please try again in a few seconds.</p><nav><a href=\"\">Try again</a></nav><footer>Code: not_started</footer></main></body></html>\n",
    "headers": [
      [
        "cache-control",
        "private, no-store"
      ],
      [
        "vary",
        "Cookie, Authorization, Origin, Referer, Accept, Upgrade, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest, Sec-Purpose, Purpose, RSC, Next-Action, Next-Router-Prefetch, Next-Url, X-Nextjs-Data, X-SvelteKit-Pathname, RSC-Action-Id, X-Server-Id, Access-Control-Request-Method"
      ],
      [
        "retry-after",
        "5"
      ],
      [
        "content-security-policy",
        "default-src 'none'; style-src 'sha256-9j8ZJ3+JSLzskJNpACkm140lwzs7Q6dguIZ/cjZpoTA='; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
      ],
      [
        "content-type",
        "text/html; charset=utf-8"
      ]
    ],
    "reason": "not_started",
    "status": 503
  },
  "problem": {
    "body": "{\"detail\":\"The gate is not running (bad configuration, failed start, or a crash during this request)\",\"reason\":\"not_started\",\"status\":503,\"title\":\"Service Unavailable\",\"type\":\"urn:doorward:reason:not_started\"}",
    "headers": [
      [
        "cache-control",
        "private, no-store"
      ],
      [
        "vary",
        "Cookie, Authorization, Origin, Referer, Accept, Upgrade, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest, Sec-Purpose, Purpose, RSC, Next-Action, Next-Router-Prefetch, Next-Url, X-Nextjs-Data, X-SvelteKit-Pathname, RSC-Action-Id, X-Server-Id, Access-Control-Request-Method"
      ],
      [
        "retry-after",
        "5"
      ],
      [
        "content-type",
        "application/problem+json"
      ]
    ],
    "reason": "not_started",
    "status": 503
  },
  "text": {
    "body": "Service Unavailable: The gate is not running (bad configuration, failed start, or a crash during this request) (not_started)",
    "headers": [
      [
        "cache-control",
        "private, no-store"
      ],
      [
        "vary",
        "Cookie, Authorization, Origin, Referer, Accept, Upgrade, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest, Sec-Purpose, Purpose, RSC, Next-Action, Next-Router-Prefetch, Next-Url, X-Nextjs-Data, X-SvelteKit-Pathname, RSC-Action-Id, X-Server-Id, Access-Control-Request-Method"
      ],
      [
        "retry-after",
        "5"
      ],
      [
        "content-type",
        "text/plain"
      ]
    ],
    "reason": "not_started",
    "status": 503
  }
};

/**
 * The refusal of a request while there is no gate.
 *
 * @param {string} method
 * @param {(name: string) => string | null | undefined} header the first value of a header, by its name in small letters
 * @returns {{ status: number, headers: [name: string, value: string][], body: string, reason: string }}
 */
export function notStarted(method, header) {
  const { status, headers, body, reason } = ANSWERS[shapeFor(method, header)];
  return { status, headers: headers.map((pair) => [...pair]), body: method === "HEAD" ? "" : body, reason };
}

/** The same as a `Response` to a `Request`. */
export function notStartedResponse(request) {
  const { status, headers, body } = notStarted(request.method, (name) => request.headers.get(name));
  return new Response(body === "" ? null : body, { status, headers });
}

/** The form of a refusal without a sign-in page (docs/responses.md, "The table"). */
function shapeFor(method, header) {
  const has = (name) => (header(name) ?? undefined) !== undefined;
  const asksAhead = (name) => header(name)?.startsWith("prefetch");
  if (method === "OPTIONS" && has("origin") && has("access-control-request-method") && !has("upgrade")) return "problem";
  if (header("upgrade")?.split(",").some((protocol) => protocol.trim().toLowerCase() === "websocket")) return "problem";
  if (method === "POST" && has("next-action")) return "text";
  if (has("next-router-prefetch") || asksAhead("sec-purpose") || asksAhead("purpose")) return "problem";
  if (has("rsc") || has("x-nextjs-data")) return "problem";
  if (has("sec-fetch-mode")) return header("sec-fetch-mode") === "navigate" ? "page" : "problem";
  if (has("sec-fetch-dest")) return ["document", "iframe", "frame"].includes(header("sec-fetch-dest")) ? "page" : "problem";
  return header("accept")?.includes("text/html") ? "page" : "problem";
}
