import net from "node:net";
import { port } from "./application.mjs";

net.createServer((socket) => socket.end("content")).listen(port, "127.0.0.1");
