// The gate inside a framework whose code keeps the request that came: it is edited in place (gate.js), and who is asking goes where the
// framework has room for it, for this request alone.

import { passed } from "./passed.js";

const identityOf = (request) => passed.get(request)?.identity ?? null;

/**
 * @param {(options: object, host?: object) => import("./gate.js").Gate} createGate
 * @returns gates for `hooks.server`, `src/middleware` and `app.use`
 */
export function frameworksOn(createGate) {
  return { sveltekit, astro, hono };

  function sveltekit(options = {}) {
    const gate = createGate(options, { application: { framework: "sveltekit" } });
    return ({ event, resolve }) => {
      const next = () => {
        event.locals.doorward = identityOf(event.request);
        return resolve(event);
      };
      return gate.handle(event.request, next, { clientAddress: options.clientAddress === undefined ? event.getClientAddress?.() : undefined });
    };
  }

  function astro(options = {}) {
    const gate = createGate(options, { application: { framework: "astro" } });
    return (context, next) => {
      // It is made at build time, for everybody.
      if (context.isPrerendered) return next();
      const { request, locals } = context;
      const answered = () => {
        locals.doorward = identityOf(request);
        return next();
      };
      return gate.handle(request, answered, { clientAddress: options.clientAddress === undefined ? context.clientAddress : undefined });
    };
  }

  function hono(options = {}) {
    let gate;
    return async (c, next) => {
      // In a Worker the variables come with the request.
      gate ??= createGate({ env: { ...globalThis.process?.env, ...c.env }, ...options });
      let isPassed = false;
      const answered = async (request) => {
        isPassed = true;
        c.set("doorward", identityOf(c.req.raw));
        c.req.raw = request;
        await next();
        return c.res;
      };
      const waitUntil = waitUntilOf(c);
      const clientAddress = options.clientAddress === undefined ? c.env?.incoming?.socket?.remoteAddress : undefined;
      const response = await gate.handle(c.req.raw, answered, { waitUntil, clientAddress, usesArgument: true });
      if (!isPassed) return response;
      // Hono puts the headers of the one before into the next one.
      if (response !== c.res) c.res = undefined;
      c.res = response;
    };
  }
}

/** Where there is no Worker around it, Hono throws. */
function waitUntilOf(c) {
  try {
    const { executionCtx } = c;
    return (work) => executionCtx.waitUntil(work);
  } catch {
    return undefined;
  }
}
