// The gate in front of Node's HTTP.
import { createGate } from "./default.js";
import { nodeOn } from "../node.js";

export { NotGated } from "../session.js";
export const { middleware, protect, createProxy, session } = nodeOn(createGate);
