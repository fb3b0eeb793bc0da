import http from "node:http";
import { listener, port, talk } from "./application.mjs";

const server = http.createServer(listener);
talk(server);
server.listen(port, "127.0.0.1");
