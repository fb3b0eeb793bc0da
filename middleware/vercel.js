// Vercel Routing Middleware without a framework: the gate as `middleware.js`, on the edge or on Node.

import { createGate } from "doorward";
import { routing } from "./routing.js";

/** See `vercel.d.ts`. */
export const gate = routing(createGate);
