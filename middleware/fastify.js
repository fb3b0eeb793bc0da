// The gate in Fastify.
import { fastifyOn } from "./fastify-gate.js";
import { middleware, session as sessionOf } from "./on/node.js";

export { NotGated } from "./session.js";

/** See `fastify.d.ts`. */
export const gate = /* @__PURE__ */ fastifyOn(middleware);

/** See `fastify.d.ts`. */
export const session = (request) => sessionOf(request.raw ?? request);
