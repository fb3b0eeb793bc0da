// The gate in Astro.
import { createGate } from "doorward";
import { frameworksOn } from "./frameworks.js";

/** See `astro.d.ts`. */
export const gate = /* @__PURE__ */ frameworksOn(createGate).astro;
