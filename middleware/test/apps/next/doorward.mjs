// What the gate of this app asks of whom. Paths are those that the browser sees: with the base path, if there is one.
const base = process.env.APP_BASE ?? "";

export const config = {
  issuers: [{ type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: "BETTER_AUTH_SECRET" } }],
  rules: [
    { path: [base || "/", `${base}/sign-in`, `${base}/open/**`], access: "public" },
    { path: "/**", access: "required" },
  ],
  sign_in: { path: `${base}/sign-in` },
  debug_header: true,
};
