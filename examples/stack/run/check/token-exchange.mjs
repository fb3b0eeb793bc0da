// Token exchange, before an API that knows no cookie and no gate: FastAPI takes what PyJWT verifies, and gets a token of the auth service for
// each session.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";

const CONFIG = {
  issuers: [
    { type: "better-auth", url: { env: "BETTER_AUTH_URL" }, fetch_url: { env: "AUTH_SERVICE_URL" }, secret: { env: "BETTER_AUTH_SECRET" }, session_cache_seconds: 0 },
  ],
  rules: [
    { path: "/api/notes", access: "required", upstream: { env: "API_URL" }, token_exchange: true },
    { path: "/**", access: "required" },
  ],
};

/** @returns what is shown beside the step's name */
export async function exchangesTokens({ person, stack: { url, urls, api, identity } }) {
  // Not before it is needed: it is there only once it has been built.
  const { createProxy } = await import("../../../../middleware/on/node.js");
  const env = { ...identity, AUTH_SERVICE_URL: urls.auth, API_URL: urls.api };
  const gate = createServer(createProxy({ origin: urls.api, config: CONFIG, env, publicOrigin: url, log: () => {} }));
  gate.listen({ host: "127.0.0.1", port: 0 });
  await once(gate, "listening");
  const notes = async (cookie, note) => {
    const headers = { origin: url, cookie, "content-type": "application/json" };
    const written = note && { method: "POST", body: JSON.stringify({ text: note }) };
    const response = await fetch(`http://127.0.0.1:${gate.address().port}/api/notes`, { headers, ...written });
    return { status: response.status, ...(await response.json()) };
  };
  const post = ({ context }, path, data) => context.request.post(`/api/auth/${path}`, { data, headers: { origin: url } });

  const mark = api.log.length;
  const [eve, kim] = [await person("Eve"), await person("Kim")];
  try {
    for (const { name, email, password, context, cookie } of [eve, kim]) {
      const { user } = await (await post({ context }, "sign-up/email", { name, email, password })).json();
      const session = pair(await cookie("session_token"));
      const { status, text } = await notes(session, `by ${name}`);
      assert.deepEqual([status, text], [201, `by ${name}`]);
      const read = await notes(session);
      assert.deepEqual([read.status, read.user], [200, { id: user.id, email, by: "JWT" }]);
      assert.deepEqual(read.notes.map(({ text }) => text), [`by ${name}`]);
    }
    const nobody = await notes("");
    assert.deepEqual([nobody.status, nobody.reason], [401, "no_credential"]);
    // Without the cookie cache, which would outlive a sign-out by its seconds.
    const session = pair(await eve.cookie("session_token"));
    assert.equal((await post(eve, "sign-out", {})).status(), 200);
    const after = await notes(session);
    assert.deepEqual([after.status, after.reason], [401, "session_ended"]);
    assert.deepEqual(api.log.slice(mark).filter((line) => line.includes("refused")), []);
  } finally {
    gate.close();
    gate.closeAllConnections();
    await Promise.all([eve, kim].map(({ context }) => context.close()));
  }
  return "PyJWT takes two people's sessions for theirs";
}

const pair = ({ name, value }) => `${name}=${value}`;
