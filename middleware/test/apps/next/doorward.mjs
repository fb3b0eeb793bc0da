// What the gate of this app asks of whom. Paths are pages, as in Next: without base path and locale.
const base = process.env.APP_BASE ?? "";

export const config = {
  issuers: [{ type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: "BETTER_AUTH_SECRET" } }],
  rules: [
    { path: ["/", "/sign-in", "/open/**", "/photo/*", "/_next/image"], access: "public" },
    { path: "/notes/**", access: "required", upstream: { env: "NOTES_URL", optional: true }, token_exchange: true },
    { path: "/**", access: "required" },
  ],
  framework: { name: "next", base_path: base, locales: process.env.APP_LOCALES?.split(",") ?? [] },
  sign_in: { path: `${base}/sign-in` },
  debug_header: true,
};
