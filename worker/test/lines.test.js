// Header lines that come more than once, as clients and proxies may send them, over raw connections: workerd joins them by a comma before
// anybody sees them. What was decided on is what the origin gets.

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";

import { sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

async function house(test) {
  const [origin, auth] = [await startOrigin(test), await startAuth(test)];
  return { origin, auth, gate: await startGate(test, { bindings: variables(origin, auth) }) };
}

/** Status and reason of the answer to a request of exactly these header lines. */
function raw(gate, lines, { method = "GET", target = "/api/me", host = [`Host: ${new URL(gate.origin).host}`] } = {}) {
  return new Promise((resolve, reject) => {
    const head = [`${method} ${target} HTTP/1.1`, ...host, ...lines, "Connection: close", "", ""].join("\r\n");
    const socket = net.connect(gate.port, "127.0.0.1", () => socket.write(head));
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    // Not every answer of workerd ends its connection.
    socket.setTimeout(1500, () => socket.destroy());
    socket.on("error", reject).on("close", () => {
      resolve([Number(text.split(" ")[1]), /"reason":"(\w+)"/.exec(text)?.[1]]);
    });
  });
}

const cookieLines = (entry) => entry.raw.filter(([name]) => name === "cookie").map(([, value]) => value);

test("cookies on several lines are one list of cookies, and go on as one line", async (t) => {
  const { origin, gate } = await house(t);
  const cookie = sessionCookies();
  const [token, data] = cookie.split("; ");
  for (const lines of [[cookie], ["theme=dark", cookie], [cookie, "theme=dark"], [token, data], [data, "a=1; b=2", token, "c=3"]]) {
    assert.deepEqual(await raw(gate, lines.map((line) => `Cookie: ${line}`)), [200, undefined], lines.length);
    assert.deepEqual(cookieLines(origin.last()), [lines.join("; ")]);
    assert.equal(origin.last().headers["x-doorward-subject"], "user-1");
  }
});

test("a credential twice is malformed, an Origin or a Next-Url twice is refused, and Host twice never comes in", async (t) => {
  const { origin, auth, gate } = await house(t);
  const token = await auth.sign("EdDSA");
  assert.equal((await raw(gate, [`Authorization: Bearer ${token}`]))[0], 200);
  const passed = origin.seen.length;
  assert.deepEqual(await raw(gate, [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`]), [401, "credential_malformed"]);
  const cookie = `Cookie: ${sessionCookies()}`;
  const post = { method: "POST" };
  assert.deepEqual(await raw(gate, [cookie, `Origin: ${gate.origin}`, "Origin: https://evil.test"], post), [403, "cross_site_request"]);
  assert.deepEqual(await raw(gate, [cookie, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], post), [403, "cross_site_request"]);
  assert.deepEqual(await raw(gate, [cookie, "Next-Url: /public/a", "Next-Url: /api/me"]), [400, "path_refused"]);
  const [status] = await raw(gate, [cookie], { host: ["Host: one.test", "Host: two.test"] });
  assert.ok(status >= 400, `${status}`);
  assert.equal(origin.seen.length, passed);
});
