// The gate in workerd: Cloudflare Workers and wrangler.
import * as glue from "../wasm/workerd.js";
import { gatesOn } from "../gate.js";

export const createGate = gatesOn(glue);
