// The gate of this checkout before an origin: `node gate.mjs <origin> <configuration>` prints its port when it listens.

import http from "node:http";

import { createProxy } from "../../../middleware/on/node.js"; // `doorward/node`; its WebAssembly is made by `cargo xtask build`

const [origin, config] = process.argv.slice(2);
const proxy = createProxy({ origin, config: JSON.parse(config), publicOrigin: "https://app.example.com", log() {} });
const server = http.createServer(proxy).listen(0, "127.0.0.1", () => console.log(server.address().port));
