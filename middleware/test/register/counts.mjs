// Says how many requests have come to it.
import http from "node:http";
import { port } from "./application.mjs";

let requests = 0;
http.createServer((req, res) => res.end(String(++requests))).listen(port, "127.0.0.1");
