// What the Worker logs and answers is searched in every test (harness.js). A search that finds nothing proves nothing: a request with its
// own session token in its path is refused, so that the token is in the log.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fetched, sessionCookies, startAuth, startGate, startOrigin, variables } from "./harness.js";

test("a token that the Worker logs is found", async (t) => {
  const [origin, auth] = [await startOrigin(t), await startAuth(t)];
  const ends = [];
  const gate = await startGate({ after: (end) => ends.push(end) }, { bindings: variables(origin, auth) });
  const cookie = sessionCookies({ key: "another secret than the one that the gate has", cache: false });
  const token = /=(\w+)\./.exec(cookie)[1];
  const answer = await fetched(gate, `/app/${token}`, { headers: { cookie, accept: "application/json" } });
  assert.equal(answer.status, 401);
  await gate.logged(token);
  const end = async () => {
    for (const each of ends) await each();
  };
  await assert.rejects(end, (error) => /leaks, the first: the log has a cookie or a token in it/.test(error.message) && !error.message.includes(token));
});
