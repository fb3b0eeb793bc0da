// The site that every router serves, and what its gate is told. Next.js serves its own: that of `middleware/test/apps/next`.

/** What the content of a protected page is known by, and that of a public one. */
export const KEPT = "kept-by-the-origin";
export const OPEN = "open-to-all";

/** `:name` is one segment, `/**` one or more. */
export const routes = [
  { path: "/", mark: OPEN },
  { path: "/health", mark: OPEN },
  { path: "/public/:page", mark: OPEN },
  { path: "/docs/**", mark: OPEN },
  { path: "/users/:id/avatar", mark: OPEN },
  { path: "/docs/kept/:page", mark: KEPT }, // within what is public
  { path: "/admin", mark: KEPT },
  { path: "/admin/users", mark: KEPT },
  { path: "/admin/users/:id", mark: KEPT },
  { path: "/admin/files/**", mark: KEPT },
  { path: "/users/:id", mark: KEPT },
  { path: "/users/:id/orders/:order", mark: KEPT },
  { path: "/api/v1/kept/:name", mark: KEPT },
  { path: "/healthy", mark: KEPT }, // begins as something public does
  { path: "/public", mark: KEPT },
];

export const site = {
  open: pathsOf(OPEN),
  kept: pathsOf(KEPT),
  rules: [
    { path: "/docs/kept/**", access: "required" },
    { path: ["/", "/health", "/public/:page", "/docs/**", "/users/:id/avatar"], access: "public" },
    { path: "/**", access: "required" },
  ],
};

const photo = "/archive/kept.png";

/** What `next start` serves; with `i18n` all of it below a base path, and below a locale too. */
export const nextSite = {
  open: ["/", "/sign-in", "/open/headers", "/photo/:id"],
  kept: [
    "/dashboard",
    "/archive",
    "/users/:id",
    "/vault",
    "/vault/**",
    "/board",
    "/gallery",
    "/act",
    "/legacy",
    "/report",
    "/api/headers",
  ],
  images: [photo],
  rules: [
    { path: ["/", "/sign-in", "/open/**", "/photo/:id", "/_next/image"], access: "public" },
    { path: "/**", access: "required" },
  ],
};

function pathsOf(mark) {
  return routes.filter((route) => route.mark === mark).map(({ path }) => path);
}
