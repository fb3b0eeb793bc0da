import assert from "node:assert/strict";
import { test } from "node:test";

import { cookieLine } from "../cookie-line.js";
import { workerd } from "./runtimes.js";
import { AUTH, NOW, newIssuer, serve } from "./support.js";

test("several lines that were joined by commas are one", () => {
  for (const [line, expected] of [
    ["a=1", "a=1"],
    ["a=1, b=2", "a=1; b=2"],
    ["a=1; b=2, c=3; d=4, e", "a=1; b=2; c=3; d=4, e"],
    ["__Secure-better-auth.session_token=x.y%3D, __Secure-better-auth.session_data.0=a, __Secure-better-auth.session_data.1=b", "__Secure-better-auth.session_token=x.y%3D; __Secure-better-auth.session_data.0=a; __Secure-better-auth.session_data.1=b"],
    ["", ""],
  ]) {
    assert.equal(cookieLine(line), expected);
  }
});

test("a comma of a value stays one", () => {
  for (const line of [
    "a=1,b=2",
    "a=1, 2",
    'a={"x": 1, "y": 2}',
    "day=Wed, 21 Oct 2026 07:28:00 GMT",
    "a=1, b c=2",
    // One of the two would hide the other.
    "theme=dark, token=planted; token=mine",
    "token=mine; theme=dark, token=planted",
    "a=1, a=2",
    ", ",
  ]) {
    assert.equal(cookieLine(line), line);
  }
});

test("a comma costs no more than it takes to read the line", () => {
  const line = Array.from({ length: 20_000 }, (_, number) => `a${number}=1`).join(", ");
  const begun = performance.now();
  assert.equal(cookieLine(line), line.replaceAll(", ", "; "));
  assert.ok(performance.now() - begun < 1000);
});

test("workerd: somebody whose cookies come in several lines is signed in", async (t) => {
  const { keySet, token } = await newIssuer();
  const { origin } = await serve(t, (req, res) => res.end(keySet));
  const issuer = { type: "jwt", issuer: AUTH, audience: AUTH, jwks_url: `${origin}/jwks`, token_locations: ["cookie:token"] };
  const config = { issuers: [issuer], rules: [{ path: "/**", access: "required" }] };
  const worker = await workerd(`
    import { createGate } from "doorward";
    const gate = createGate({ config: ${JSON.stringify(config)}, env: {}, now: () => ${NOW}, log: () => {} });
    export default {
      async fetch(request) {
        const verdict = await gate.decide(request);
        const handled = await gate.handle(request, async (onward) => new Response(onward.headers.get("cookie") + " " + (await onward.text())), { usesArgument: !request.headers.has("x-doorward-subject") });
        const seen = verdict.kind === "forward" ? verdict.headers.get("cookie") : verdict.response.status;
        return Response.json({ seen, handled: await handled.text(), forged: request.headers.get("x-doorward-subject") });
      },
    };
  `);
  t.after(() => worker.dispose());
  const answer = await worker.dispatchFetch("http://gate.test/app", { method: "POST", headers: [["cookie", `a=1, token=${token}`], ["sec-fetch-site", "same-origin"]], body: "whole" });
  const line = `a=1; token=${token}`;
  assert.deepEqual(await answer.json(), { seen: line, handled: `${line} whole`, forged: null });
  // Nobody gets a forged identity past the gate that way: it is taken off the very request that a framework keeps, or that is refused.
  const headers = [["cookie", `a=1, token=${token}`], ["sec-fetch-site", "same-origin"], ["x-doorward-subject", "evil"]];
  const { forged, handled } = await (await worker.dispatchFetch("http://gate.test/app", { method: "POST", headers, body: "whole" })).json();
  assert.ok(forged === null || handled.includes("head_malformed"), `${forged}: ${handled}`);
});
