import https from "node:https";
import { listener, port, talk } from "./application.mjs";

const server = https.createServer({ key: process.env.TLS_KEY, cert: process.env.TLS_CERTIFICATE }, listener);
talk(server);
server.listen(port, "127.0.0.1");
