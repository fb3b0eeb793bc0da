// What the API says about each way in which a JWT can fail: in its answer, and in its log with what is needed to find the cause.

import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { freePort } from "../../shared/port.mjs";
import { service } from "../processes.mjs";
import { folder } from "../services.mjs";

const KID = "key-1";

/** @returns a line for the report */
export async function tokenChecks({ python }) {
  const begin = Date.now();
  const ours = generateKeyPairSync("ed25519");
  const theirs = generateKeyPairSync("ed25519");
  const keys = [{ ...ours.publicKey.export({ format: "jwk" }), kid: KID, alg: "EdDSA" }];
  const issuerServer = createServer((_, response) => response.end(JSON.stringify({ keys }))).listen({ host: "127.0.0.1", port: 0 });
  await once(issuerServer, "listening");
  const issuer = `http://127.0.0.1:${issuerServer.address().port}`;
  const port = await freePort();
  const api = service("API", {
    command: [python, "-m", "uvicorn", "notes_api.main:app", "--port", String(port), "--no-access-log"],
    ready: /Uvicorn running/,
    env: { BETTER_AUTH_ISSUER: issuer, BETTER_AUTH_JWKS_URL: `${issuer}/api/auth/jwks`, PYTHONDONTWRITEBYTECODE: "1" },
    spawn: { cwd: folder("api") },
  });

  const now = Math.floor(begin / 1000);
  const usual = { sub: "ada", email: "ada@example.com", iss: issuer, aud: issuer, iat: now, exp: now + 60 };
  const token = (claims, header, key = ours.privateKey) => jws({ alg: "EdDSA", kid: KID, ...header }, { ...usual, ...claims }, key);
  const cases = [
    ["missing", undefined],
    ["malformed", "Bearer of-no-form"],
    ["expired", `Bearer ${token({ iat: now - 600, exp: now - 300 })}`],
    ["not_yet_valid", `Bearer ${token({ nbf: now + 300 })}`],
    ["issuer", `Bearer ${token({ iss: `${issuer}/` })}`],
    ["audience", `Bearer ${token({ aud: "https://other.example.com" })}`],
    ["claim_missing", `Bearer ${token({ sub: undefined })}`],
    ["unknown_key", `Bearer ${token({}, { kid: "key-2" })}`],
    ["algorithm", `Bearer ${token({}, { alg: "HS256" })}`],
    ["algorithm", `Bearer ${token({}, { alg: "none" })}`],
    ["signature", `Bearer ${token({}, {}, theirs.privateKey)}`],
  ];
  const problems = [];
  const ask = (authorization) => fetch(`http://127.0.0.1:${port}/api/notes`, { headers: authorization ? { authorization } : {} });
  try {
    await api.start();
    const good = await ask(`Bearer ${token({})}`);
    if (good.status !== 200) problems.push(`a good token: ${good.status} ${await good.text()}`);
    for (const [reason, authorization] of cases) {
      const mark = api.log.length;
      const answer = await ask(authorization);
      const { detail } = await answer.json();
      if (answer.status !== 401 || detail !== reason) problems.push(`${reason}: answered ${answer.status} ${detail}`);
      const lines = api.log.slice(mark).filter((line) => line.includes('"token refused"'));
      if (lines.length !== 1 || JSON.parse(lines[0]).reason !== reason) problems.push(`${reason}: logged ${lines.join(" ") || "nothing"}`);
      if (authorization && lines.some((line) => line.includes(authorization.slice(7)))) problems.push(`${reason}: the token is in the log`);
    }
  } finally {
    await api.stop();
    issuerServer.close();
    issuerServer.closeAllConnections();
  }
  return { what: "API, why a token fails", problems, found: `${cases.length} bad tokens refused and logged with their reason, a good one accepted`, took: Date.now() - begin };
}

function jws(header, claims, key) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}
