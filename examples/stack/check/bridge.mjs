// The bridge, before an API that knows no cookie and no gate: FastAPI takes what PyJWT verifies, and gets a token of the auth service for
// each session.

import { once } from "node:events";
import { createServer } from "node:http";

const RULES = [{ path: "/api/notes", access: "required", upstream: { env: "API_URL" }, bearer: "bridge" }, { path: "/**", access: "required" }];

/** @returns a line for the report */
export async function bridgeCheck({ url, urls, auth, api, identity }) {
  const begin = Date.now();
  // Not before it is needed: it is there only once it has been built.
  const { createProxy } = await import("../../../middleware/on/node.js");
  const issuer = { type: "better-auth", url: { env: "BETTER_AUTH_URL" }, fetch_url: { env: "AUTH_SERVICE_URL" }, secret: { env: "BETTER_AUTH_SECRET" }, session_cache_seconds: 0 };
  const env = { ...identity, AUTH_SERVICE_URL: urls.auth, API_URL: urls.api };
  const said = [];
  const log = (line) => said.push(line);
  const gate = createServer(createProxy({ origin: urls.api, config: { issuers: [issuer], rules: RULES }, env, publicOrigin: url, log }));
  gate.listen({ host: "127.0.0.1", port: 0 });
  await once(gate, "listening");
  const notes = async (cookie, { method = "GET", note } = {}) => {
    const headers = { origin: url, ...(cookie && { cookie }), ...(note && { "content-type": "application/json" }) };
    const body = note && JSON.stringify({ text: note });
    const response = await fetch(`http://127.0.0.1:${gate.address().port}/api/notes`, { method, headers, body });
    return { status: response.status, ...(await response.json()) };
  };

  const problems = [];
  const expect = (what, found, wanted) => {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) problems.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  };
  const mark = api.log.length;
  try {
    const people = [await signedUp(urls.auth, url, "eve"), await signedUp(urls.auth, url, "kim")];
    for (const { id, email, cookie } of people) {
      const written = await notes(cookie, { method: "POST", note: `by ${email}` });
      expect(`${email} writes`, [written.status, written.text], [201, `by ${email}`]);
      const read = await notes(cookie);
      expect(`${email} reads`, [read.status, read.user, read.notes?.map(({ text }) => text)], [200, { id, email, by: "JWT" }, [`by ${email}`]]);
    }
    const [{ cookie }] = people;
    const nobody = await notes();
    expect("nobody reads", [nobody.status, nobody.reason], [401, "no_credential"]);
    await called(urls.auth, url, "sign-out", cookie, {});
    const after = await notes(cookie);
    expect("who has signed out reads", [after.status, after.reason], [401, "session_ended"]);
    const refused = api.log.slice(mark).filter((line) => line.includes("refused"));
    expect("the API refuses", refused, []);
  } finally {
    gate.close();
    gate.closeAllConnections();
  }
  if (problems.length > 0) problems.push(...said.slice(-4), ...auth.log.slice(-4));
  return { what: "an API that only knows JWTs, behind the bridge", problems, found: "PyJWT takes two people's sessions for theirs", took: Date.now() - begin };
}

async function signedUp(service, origin, name) {
  const email = `${name}-${Date.now().toString(36)}@example.com`;
  const response = await called(service, origin, "sign-up/email", "", { name, email, password: "correct horse battery" });
  // Without the cookie cache, which would outlive a sign-out by its seconds.
  const [cookie] = response.headers.getSetCookie().map((line) => line.split(";")[0]).filter((pair) => pair.includes("session_token="));
  return { id: (await response.json()).user.id, email, cookie };
}

async function called(service, origin, what, cookie, body) {
  const headers = { origin, cookie, "content-type": "application/json" };
  const response = await fetch(`${service}/api/auth/${what}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`);
  return response;
}
