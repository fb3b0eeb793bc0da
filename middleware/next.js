// Next.js: the gate, and who is asking. Two files, so that a page that reads the latter does not carry the former.

export { gate } from "./next-gate.js";
export { session, sessionReader } from "./next-session.js";
export { NotGated } from "./session.js";
