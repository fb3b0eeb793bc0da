// The gate in front of a whole Node program: `node --import doorward/register server.js`.
import { createGate } from "./default.js";
import { nodeOn } from "../node.js";
import { register } from "../register.js";

register(nodeOn(createGate));
