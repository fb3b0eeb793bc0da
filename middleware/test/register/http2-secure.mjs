import http2 from "node:http2";
import { listener, port, talk } from "./application.mjs";

const server = http2.createSecureServer({ key: process.env.TLS_KEY, cert: process.env.TLS_CERTIFICATE, allowHTTP1: true }, listener);
talk(server);
server.listen(port, "127.0.0.1");
