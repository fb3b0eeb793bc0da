// The gate's configuration: docs/configuration.md explains each member.

/** @param {number} sessionCacheSeconds how long the gate remembers an answer of the auth service */
export const config = (sessionCacheSeconds) => ({
  issuers: [
    {
      type: "better-auth",
      // The service is public under the gate's own origin; the gate itself asks it directly.
      url: { env: "BETTER_AUTH_URL" },
      fetch_url: { env: "AUTH_SERVICE_URL" },
      secret: { env: "BETTER_AUTH_SECRET" },
      // Short, so that what is looked at has been decided just now. In production keep the defaults: an answer of the auth service
      // is then remembered for 10 s, and a JWT may be 5 s off.
      session_cache_seconds: sessionCacheSeconds,
      clock_tolerance_seconds: 0,
    },
  ],
  // The first match wins; what no rule covers is denied, /admin for one.
  rules: [
    { path: ["{auth}/**", "/", "/sign-in"], access: "public" },
    // An API of its own, which knows no cookies: sessions go there with a token of the auth service.
    { path: "/notes/**", access: "required", upstream: { env: "API_URL" }, token_exchange: true },
    { path: ["/dashboard/**", "/api/**"], access: "required" },
  ],
  sign_in: { path: "/sign-in" },
  // The script reads decision and reason from this header.
  debug_header: true,
});

/** The variables that the configuration names, and their values here. */
export const variables = ({ publicOrigin, api, authService, secret }) => ({
  API_URL: api,
  BETTER_AUTH_URL: publicOrigin,
  AUTH_SERVICE_URL: authService,
  BETTER_AUTH_SECRET: secret,
});
