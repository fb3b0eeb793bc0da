// One origin behind each gate, and behind none, every one at a port of its own. What to serve comes as JSON in the first
// argument: `router` for one of `origins.js`, or `origin` for the address of another server; and what the gates are told.

import http from "node:http";

import { gateOf, makers } from "./gates.js";

const { router, origin, ...options } = JSON.parse(process.argv[2]);
const { listeners } = router ? await import("./origins.js") : {};
const ports = {};
if (router) ports.none = await listen(listeners[router]());
for (const name of Object.keys(makers)) ports[name] = await listen(behind(gateOf(name)));
console.log(`ports ${JSON.stringify(ports)}`);

function behind({ createProxy, middleware, protect }) {
  if (origin) return createProxy({ origin, ...options });
  if (router === "express") return listeners.express(middleware(options));
  return protect(options, listeners[router]());
}

function listen(listener) {
  const server = http.createServer({ keepAliveTimeout: 60_000 }, listener);
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
}
