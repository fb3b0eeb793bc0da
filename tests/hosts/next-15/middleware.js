import { gate } from "doorward/next";

export const middleware = gate({
  config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, framework: "next", debug_header: true },
  publicOrigin: process.env.PUBLIC_ORIGIN, // not needed on Vercel
});

export const config = { matcher: ["/((?!_next/static/).*)"] };
