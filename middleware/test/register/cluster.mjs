import cluster from "node:cluster";
import http from "node:http";
import { listener, port } from "./application.mjs";

if (cluster.isPrimary) {
  if (process.env.WITHOUT) cluster.setupPrimary({ execArgv: [] });
  for (let left = 2; left > 0; left--) cluster.fork();
  process.on("exit", () => Object.values(cluster.workers).forEach((worker) => worker.process.kill("SIGKILL")));
} else {
  process.on("disconnect", () => process.exit());
  http.createServer(listener).listen(port, "127.0.0.1");
}
