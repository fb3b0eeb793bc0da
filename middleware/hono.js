// The gate in Hono.
import { createGate } from "doorward";
import { frameworksOn } from "./frameworks.js";

/** See `hono.d.ts`. */
export const gate = /* @__PURE__ */ frameworksOn(createGate).hono;
