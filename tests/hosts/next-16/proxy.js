import { gate } from "doorward/next";

export const proxy = gate({
  config: { extends: "better-auth", public: ["/"], require: { "/admin/**": { roles: "admin" } }, framework: "next", debug_header: true },
  publicOrigin: process.env.PUBLIC_ORIGIN, // not needed on Vercel
});

// What the matcher leaves out the gate does not see: leave out static files of the build only.
export const config = { matcher: ["/((?!_next/static/).*)"] };
