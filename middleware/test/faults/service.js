// The auth service of the fault matrix, in a thread of its own: as broken as the first part of the path says, which is the name
// of a cell.

import { parentPort, workerData } from "node:worker_threads";

import { startAuthService } from "../../../tests/fakes/auth-service.mjs";
import { SECRET, sessionOf } from "./people.js";

const arrived = {};
const FAULTS = {
  fine: () => undefined,
  slow: () => ["slow", { milliseconds: 4000 }],
  garbage: () => "garbage",
  huge: () => "huge",
  redirecting: ([cell, ...rest]) => ["redirect", { location: `/${[cell, "elsewhere", ...rest].join("/")}` }],
};

const service = await startAuthService({
  secret: SECRET,
  keys: () => workerData.keys,
  session: (token) => ({ pair: sessionOf(token) }),
  fault(question, path) {
    const [cell, next] = path;
    const isFollowed = next === "elsewhere";
    const about = question === "keys" ? "jwks" : "auth";
    const what = `${cell} ${isFollowed ? "elsewhere" : about}`;
    arrived[what] = (arrived[what] ?? 0) + 1;
    const [auth, jwks] = cell.split("-");
    return isFollowed ? undefined : FAULTS[about === "jwks" ? jwks : auth](path);
  },
});
parentPort.on("message", () => parentPort.postMessage(arrived));
parentPort.postMessage(service.url);
