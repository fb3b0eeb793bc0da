// Real Better Auth services, each with one difference, for the tests of the doctor: `node better_auth.mjs` prints one line of JSON, by name
// where each listens and what it has issued, and runs until its input ends.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";

const SECRET = "q7Vd2mXc9RtL4wZp8BnS6hKfJ3gYyE5uA1oT";
const SERVICES = {
  plain: {},
  slash: { jwt: { issuer: (url) => `${url}/` } },
  path: { jwt: { issuer: (url) => `${url}/api/auth` } },
  audience: { jwt: { audience: () => "notes-api" } },
  "number-for-exp": { jwt: { expirationTime: () => 3600 } },
  "one-second": { jwt: { expirationTime: () => "1s" } },
  es256: { jwks: { keyPairConfig: { alg: "ES256" } } },
  rs256: { jwks: { keyPairConfig: { alg: "RS256" } } },
  "no-jwt": { plugins: [] },
  "other-path": { basePath: "/auth" },
};

const started = await Promise.all(Object.entries(SERVICES).map(async ([name, how]) => [name, await start(how)]));
console.log(JSON.stringify(Object.fromEntries(started)));
process.stdin.on("end", () => process.exit(0)).resume();

async function start({ jwt: claims = {}, jwks, plugins, basePath = "/api/auth" }) {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  const jwtOptions = { jwt: Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, value(url)])), ...(jwks && { jwks }) };
  const auth = betterAuth({
    baseURL: url,
    basePath,
    secret: SECRET,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: true, strategy: "jwt" } },
    plugins: plugins ?? [jwt(jwtOptions), bearer()],
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { level: "error" },
  });
  server.on("request", toNodeHandler(auth));
  const person = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };
  const headers = { "content-type": "application/json", origin: url };
  const signedUp = await fetch(`${url}${basePath}/sign-up/email`, { method: "POST", headers, body: JSON.stringify(person) });
  const cookies = signedUp.headers.getSetCookie().map((line) => line.split(";")[0]);
  const valueOf = (part) => decodeURIComponent(cookies.find((cookie) => cookie.includes(part))?.split("=").slice(1).join("=") ?? "");
  const answer = await fetch(`${url}${basePath}/token`, { headers: { cookie: cookies.join("; ") } });
  const token = answer.ok ? (await answer.json()).token : undefined;
  return { url, token, secret: SECRET, email: person.email, cookie: valueOf("session_token"), cache: valueOf("session_data"), session: valueOf("session_token").split(".")[0] };
}
