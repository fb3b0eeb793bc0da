import http2 from "node:http2";
import { listener, port } from "./application.mjs";

http2.createServer(listener).listen(port, "127.0.0.1");
