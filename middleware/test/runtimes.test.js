// The gate's own fetches, checks and waits by means of each runtime, against a real auth service that misbehaves on demand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createGate } from "doorward";
import { edgeRuntime, workerd } from "./runtimes.js";
import { NOW, newIssuer, serve } from "./support.js";

/** A program whose gate is made at module scope, where workerd allows neither time nor chance. */
const program = (config, entry) => `
import { createGate } from "doorward";
const gate = createGate({ config: ${JSON.stringify(config)}, env: {}, now: () => ${NOW}, log: () => {} });
async function judged(token, context) {
  const verdict = await gate.decide(new Request("https://app.test/api", { headers: { authorization: "Bearer " + token } }), context);
  if (verdict.kind === "forward") return verdict.headers.get("x-doorward-subject");
  return verdict.response.status + " " + verdict.reason;
}
${entry}
`;

const runtimes = {
  async node(config) {
    const gate = createGate({ config, env: {}, now: () => NOW, log: () => {} });
    const judged = async (token) => {
      const verdict = await gate.decide(new Request("https://app.test/api", { headers: { authorization: `Bearer ${token}` } }));
      return verdict.kind === "forward" ? verdict.headers.get("x-doorward-subject") : `${verdict.response.status} ${verdict.reason}`;
    };
    return { judged, stop() {} };
  },
  async "edge-runtime"(config) {
    const { judged } = await edgeRuntime(program(config, "globalThis.judged = judged;"));
    return { judged, stop() {} };
  },
  async workerd(config) {
    const entry = "export default { fetch: async (request, env, ctx) => new Response(await judged(await request.text(), ctx)) };";
    const worker = await workerd(program(config, entry));
    const judged = async (token) => (await worker.dispatchFetch("http://gate.test/", { method: "POST", body: token })).text();
    return { judged, stop: () => worker.dispose() };
  },
};

/** An auth service that gives out this issuer's keys in a given way, and counts. */
async function authService(t, answer) {
  const issuer = await newIssuer({ iss: "https://auth.test", aud: "https://auth.test" });
  const urls = [];
  const { origin } = await serve(t, (req, res) => {
    urls.push(req.url);
    answer(req, res, issuer.keySet);
  });
  const config = {
    issuers: [{ type: "better-auth", url: "https://auth.test", jwks_url: `${origin}/jwks` }],
    rules: [{ path: "/**", access: "required" }],
  };
  return { ...issuer, config, urls };
}

async function runtime(t, name, config) {
  const { judged, stop } = await runtimes[name](config);
  t.after(stop);
  return judged;
}

for (const name of Object.keys(runtimes)) {
  test(`${name}: interleaved requests share one fetch of the keys, and each has its own verdict`, async (t) => {
    const { token, config, urls } = await authService(t, (req, res, keySet) => setTimeout(() => res.end(keySet), 150));
    const judged = await runtime(t, name, config);
    const tampered = token.replace(/\.(.)/, (_, first) => `.${first === "e" ? "f" : "e"}`);
    const [head, , signature] = token.split(".");
    const forged = `${head}.${btoa(JSON.stringify({ ...claimsOf(token), sub: "mallory" })).replaceAll("=", "")}.${signature}`;
    const verdicts = await Promise.all([token, forged, token, tampered, token].map((each) => judged(each)));
    assert.deepEqual([verdicts[0], verdicts[1], verdicts[2], verdicts[4]], ["user-1", "401 signature_invalid", "user-1", "user-1"]);
    assert.match(verdicts[3], /^401 /);
    assert.equal(await judged(token), "user-1");
    assert.deepEqual(urls, ["/jwks"]);
  });

  test(`${name}: a redirect of the auth service is not followed`, async (t) => {
    const redirect = (req, res) => res.writeHead(302, { location: "/elsewhere" }).end();
    const { token, config, urls } = await authService(t, redirect);
    const judged = await runtime(t, name, config);
    assert.equal(await judged(token), "503 keys_unavailable");
    assert.deepEqual(urls, ["/jwks"]);
  });

  test(`${name}: an auth service that begins an answer and does not end it is away`, async (t) => {
    const { token, config } = await authService(t, (req, res) => res.write("{"));
    const judged = await runtime(t, name, config);
    assert.equal(await judged(token), "503 keys_unavailable");
  });

  test(`${name}: an auth service that never stops talking is away`, async (t) => {
    const talk = (req, res) => {
      const more = () => res.write(" ".repeat(100_000), more);
      more();
    };
    const { token, config } = await authService(t, talk);
    const judged = await runtime(t, name, config);
    assert.equal(await judged(token), "503 keys_unavailable");
  });
}

function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}
