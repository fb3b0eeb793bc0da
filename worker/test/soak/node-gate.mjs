// The gate in Node, in a process of its own: `hostile.mjs` sends what it is to be made of, and gets the port.

import http from "node:http";

process.once("message", async ({ middleware, origin, config, env }) => {
  const { createProxy } = await import(middleware);
  const proxy = createProxy({ origin, config, env, log: () => {} });
  const server = http.createServer({ maxHeaderSize: 131_072 }, proxy);
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
});
process.once("disconnect", () => process.exit());
