// What the gate of this app asks of whom.
export const config = {
  issuers: [{ type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: "BETTER_AUTH_SECRET" } }],
  rules: [
    { path: ["/", "/sign-in", "/open/**"], access: "public" },
    { path: "/**", access: "required" },
  ],
  sign_in: { path: "/sign-in" },
  debug_header: true,
};
