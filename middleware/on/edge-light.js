// The gate at Vercel's edge and in Next's edge middleware.
import * as glue from "../wasm/edge-light.js";
import { gatesOn } from "../gate.js";

export const createGate = gatesOn(glue);
