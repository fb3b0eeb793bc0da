// The gate: nothing reaches a page or a route handler that it has not decided about.

import { type Config, gate } from "doorward/next";

import usual from "./doorward.json";

export const proxy = gate({
  // As at the Worker, a variable may hold another configuration than the file.
  config: process.env.DOORWARD ?? (usual as Config),
  // `next start` knows itself by its own host name only. On Vercel leave it out.
  publicOrigin: process.env.BETTER_AUTH_URL,
});

// What the matcher leaves out the gate does not see: static files only.
export const config = { matcher: ["/((?!_next/static/).*)"] };
