// The gate as a plugin of Fastify: an `onRequest` hook, which comes before routes, static files, parsers and WebSockets.

import { passed } from "./passed.js";

/** What `fastify-plugin` writes: without it a plugin's hooks are for its own scope only, and every other route would have no gate. */
const SKIP_OVERRIDE = Symbol.for("skip-override");
const DISPLAY_NAME = Symbol.for("fastify.display-name");
const META = Symbol.for("plugin-meta");

/** @param {typeof import("./node.js").nodeOn} middleware that of `doorward/node` */
export function fastifyOn(middleware) {
  return (options) => {
    const doorward = middleware(options);
    // A function for each registration: what is written on it is Fastify's to read.
    const plugin = async (app) => {
      app.decorateRequest("doorward", {
        getter() {
          return passed.get(this.raw)?.identity ?? null;
        },
      });
      app.addHook("onRequest", (request, reply, done) => {
        let isPassed = false;
        const next = (problem) => {
          isPassed = true;
          done(problem);
        };
        // Who has been answered is no longer Fastify's: it would answer a second time.
        const answered = () => isPassed || reply.hijack();
        doorward(request.raw, reply.raw, next).then(answered, done);
      });
    };
    plugin[SKIP_OVERRIDE] = true;
    plugin[DISPLAY_NAME] = "doorward";
    plugin[META] = { name: "doorward", fastify: "5.x" };
    return plugin;
  };
}
