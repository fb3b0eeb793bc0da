// The gate where WebAssembly may be compiled from bytes: Node, Deno, Bun.
import * as glue from "../wasm/default.js";
import { gatesOn } from "../gate.js";

export const createGate = gatesOn(glue);
