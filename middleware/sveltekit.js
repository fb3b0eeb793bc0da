// The gate in SvelteKit.
import { createGate } from "doorward";
import { frameworksOn } from "./frameworks.js";

/** See `sveltekit.d.ts`. */
export const gate = /* @__PURE__ */ frameworksOn(createGate).sveltekit;
