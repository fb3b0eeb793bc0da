// What the API says about each way in which a JWT or an assertion can fail: in its answer, and in its log with what is needed to find the
// cause.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

import { freePort } from "../../../shared/port.mjs";
import { service } from "../../../shared/processes.mjs";
import { startAuthService } from "../../../../tests/fakes/auth-service.mjs";
import { folder } from "../services.mjs";

const KID = "key-1";
const GATE_KEYS = "/.well-known/doorward/jwks.json";

/** @returns lines for the report */
export async function tokenChecks({ python }) {
  const begin = Date.now();
  const ours = generateKeyPairSync("ed25519");
  const theirs = generateKeyPairSync("ed25519");
  const gates = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const gateKeys = [{ ...gates.publicKey.export({ format: "jwk" }), kid: KID, alg: "ES256" }];
  const keys = [{ ...ours.publicKey.export({ format: "jwk" }), kid: KID, alg: "EdDSA" }];
  const auth = await startAuthService({ keys: () => keys });
  auth.answers[GATE_KEYS] = (_, response) => response.end(JSON.stringify({ keys: gateKeys }));
  const issuer = auth.url;
  const port = await freePort();
  const api = service("API", {
    command: [python, "-m", "uvicorn", "notes_api.main:app", "--port", String(port), "--no-access-log"],
    ready: /Uvicorn running/,
    env: { BETTER_AUTH_ISSUER: issuer, BETTER_AUTH_JWKS_URL: `${issuer}/api/auth/jwks`, DOORWARD_URL: issuer, PYTHONDONTWRITEBYTECODE: "1" },
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
  const unbelieved = [];
  const get = (headers) => fetch(`http://127.0.0.1:${port}/api/notes`, { headers });
  const ask = (authorization) => get(authorization ? { authorization } : {});
  const signed = (claims, header) => assertion({ host: new URL(issuer).host, ...claims }, gates.privateKey, { kid: KID, ...header });
  const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const first = signed();
  const assertions = [
    ["assertion_replayed", first],
    ["assertion_malformed", "of-no-form"],
    ["assertion_type", token({})],
    ["assertion_key_unknown", signed({}, { kid: "key-2" })],
    ["assertion_signature", assertion({ host: new URL(issuer).host }, otherKey, { kid: KID })],
    ["assertion_audience", signed({ aud: "jotter" })],
    ["assertion_expired", signed({ iat: now - 90, exp: now - 60 })],
    ["assertion_method", signed({ htm: "POST" })],
    ["assertion_host", signed({ host: "other.example.com" })],
    ["assertion_target", signed({ tgt: targetOf("/api/notes?all") })],
  ];
  try {
    await api.start();
    const good = await ask(`Bearer ${token({})}`);
    if (good.status !== 200) problems.push(`a good token: ${good.status} ${await good.text()}`);
    for (const [reason, authorization] of cases) {
      const mark = api.log.length;
      const answer = await ask(authorization);
      const { detail } = await answer.json();
      if (answer.status !== 401 || detail !== reason) problems.push(`${reason}: answered ${answer.status} ${detail}`);
      const isAbout = (line) => line.includes('"token refused"');
      const lines = (await api.logged(mark, (lines) => lines.some(isAbout))).filter(isAbout);
      if (lines.length !== 1 || JSON.parse(lines[0]).reason !== reason) problems.push(`${reason}: logged ${lines.join(" ") || "nothing"}`);
      if (authorization && lines.some((line) => line.includes(authorization.slice(7)))) problems.push(`${reason}: the token is in the log`);
    }
    const known = await get({ "x-doorward-assertion": first });
    const { user } = known.status === 200 ? await known.json() : {};
    if (user?.id !== "ada" || user.by !== "assertion") unbelieved.push(`a good assertion: ${known.status} ${JSON.stringify(user)}`);
    for (const [reason, value] of assertions) {
      const mark = api.log.length;
      // A good token beside it changes nothing.
      const answer = await get({ "x-doorward-assertion": value, authorization: `Bearer ${token({})}` });
      const { detail } = await answer.json();
      if (answer.status !== 403 || detail?.reason !== reason) unbelieved.push(`${reason}: answered ${answer.status} ${JSON.stringify(detail)}`);
      const lines = await api.logged(mark, (lines) => lines.some((line) => line.includes('"assertion refused"')));
      if (!lines.some((line) => line.includes('"assertion refused"') && JSON.parse(line).reason === reason)) unbelieved.push(`${reason}: logged ${lines.join(" ") || "nothing"}`);
      if (lines.some((line) => line.includes(value))) unbelieved.push(`${reason}: the assertion is in the log`);
    }
  } finally {
    await api.stop();
    await auth.stop();
  }
  const found = (count, what) => `${count} bad ${what} refused and logged with their reason, a good one accepted`;
  return [
    { what: "API, why a token fails", problems, found: found(cases.length, "tokens") },
    { what: "API, why an assertion fails", problems: unbelieved, found: found(assertions.length, "assertions, each beside a good token,"), took: Date.now() - begin },
  ];
}

/** What the gate signs about `GET /api/notes` by Ada, but for these claims. */
export function assertion(claims, key, header) {
  const now = Math.floor(Date.now() / 1000);
  const ada = { sub: "ada", email: "ada@example.com", idp: "auth", src: "auth-service", sess_exp: now + 600 };
  const usual = { iss: "doorward", aud: "notes-api", iat: now, exp: now + 30, jti: randomBytes(16).toString("base64url"), htm: "GET" };
  return jws({ alg: "ES256", typ: "doorward-assertion+jwt", ...header }, { ...usual, tgt: targetOf("/api/notes"), ...ada, ...claims }, key);
}

export const targetOf = (target) => createHash("sha256").update(target).digest("base64url");

function jws(header, claims, key) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(header.alg === "ES256" ? "sha256" : null, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
