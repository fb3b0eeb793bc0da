// The hostile client of `hostile.mjs`: one account, and everything that it can do beside asking too much. It talks to this machine
// only, and to no other.
//
// - 300 requests a second that have the auth service asked each time, with the account's own cookies;
// - 2000 unsafe requests that are broken off while the origin holds them, and 2000 that the origin takes ten seconds for;
// - forged cookies, and heads of 120 KB.

import http from "node:http";

const A_SECOND = 300;
/** In a minute; in proportion where there is less time. */
const BROKEN_OFF = 2000;
const SLOW = 2000;
/** In what part of the time these are begun. */
const BEGUN_IN = 0.5;
const TICK = 50;

process.once("message", async ({ port, origin, cookie, seconds }) => {
  const counts = { strict: 0, "broken off": 0, slow: 0, forged: 0, "large heads": 0, answered: 0, "503": 0, failed: 0 };
  const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
  const began = Date.now();
  const unsafe = { cookie, origin, "content-type": "application/json" };

  const [brokenOff, slow] = [BROKEN_OFF, SLOW].map((most) => Math.ceil((most * Math.min(seconds, 60)) / 60));
  const due = (perSecond, most = Infinity) => Math.min(most, Math.floor((perSecond * (Date.now() - began)) / 1000));
  const timer = setInterval(() => {
    while (counts.strict < due(A_SECOND)) send("strict", "/strict", "GET", { cookie }, agent);
    while (counts["broken off"] < due(brokenOff / (seconds * BEGUN_IN), brokenOff)) breakOff();
    while (counts.slow < due(slow / (seconds * BEGUN_IN), slow)) send("slow", "/api/slow", "POST", unsafe, undefined);
    while (counts.forged < due(50)) send("forged", "/app", "GET", { cookie: forged() }, agent);
    while (counts["large heads"] < due(2)) send("large heads", "/app", "GET", large(), undefined);
  }, TICK);

  setTimeout(() => {
    clearInterval(timer);
    process.send(counts, () => process.exit());
  }, seconds * 1000);

  function send(what, path, method, headers, agent) {
    counts[what] += 1;
    const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent }, (response) => {
      counts[response.statusCode === 503 ? "503" : "answered"] += 1;
      response.resume();
    });
    request.on("error", () => (counts.failed += 1));
    request.end(method === "POST" ? "{}" : undefined);
    return request;
  }

  function breakOff() {
    const request = send("broken off", "/api/slow", "POST", unsafe, undefined);
    setTimeout(() => request.destroy(), 100 + Math.random() * 400);
  }

  /** A token that nobody has signed, or the own cache in its place: each another. */
  function forged() {
    const [, data = ""] = /session_data=([^;]+)/.exec(cookie) ?? [];
    const name = `${counts.forged}`.padStart(32, "f");
    const token = counts.forged % 2 === 0 ? `${name}.${"A".repeat(43)}%3D` : `${data}.${"A".repeat(43)}%3D`;
    return `better-auth.session_token=${token}; better-auth.session_data=${data}`;
  }

  /** A head of 120 KB: many cookies, or many names that begin like the gate's own. */
  function large() {
    if (counts["large heads"] % 2 === 0) return { cookie: `${Array.from({ length: 5000 }, (_, number) => `c${number}=${"v".repeat(16)}`).join("; ")}; ${cookie}` };
    return Object.fromEntries([["cookie", cookie], ...Array.from({ length: 1900 }, (_, number) => [`x-doorward-${number}`, "v".repeat(40)])]);
  }
});
