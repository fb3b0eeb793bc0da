// The auth service, a real Better Auth, and whoever asks: the cookies of one sign-up serve all hosts.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins/jwt";

import { freePort } from "../../examples/shared/port.mjs";

export const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const PASSWORD = "correct-horse-battery-9";
/** So long a cookie cache is good: longer than all hosts take. */
const CACHE_SECONDS = 86_000;
/** Of the JWT with which a stream is opened, which has to end with it. */
const BRIEF_SECONDS = 5;

const hash = async (password) => createHash("sha256").update(password).digest("hex");
const cheap = { hash, verify: async (given) => given.hash === (await hash(given.password)) };
const TABLES = ["user", "session", "account", "verification", "jwks"];

/** Starts the service, and signs somebody up. */
export async function people() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const auth = betterAuth({
    baseURL: url,
    secret: SECRET,
    database: memoryAdapter(Object.fromEntries(TABLES.map((name) => [name, []]))),
    emailAndPassword: { enabled: true, password: cheap },
    session: { cookieCache: { enabled: true, maxAge: CACHE_SECONDS } },
    plugins: [jwt()],
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const server = createServer(toNodeHandler(auth)).listen(port, "127.0.0.1");
  await once(server, "listening");
  const { id, cookies } = await signedUp(auth, url);
  const [token] = cookies.filter((pair) => pair.includes("session_token="));
  const session = cookies.join("; ");
  /** A JWT of the jwt plugin's key that is good for so long. */
  const signed = async (seconds) => {
    const now = Math.floor(Date.now() / 1000);
    const payload = { sub: id, iss: url, aud: url, iat: now, exp: now + seconds };
    const { token } = await auth.api.signJWT({ body: { payload } });
    return { authorization: `Bearer ${token}` };
  };
  return {
    url,
    id,
    anonymous: {},
    session: { cookie: session },
    uncached: { cookie: token },
    tampered: { cookie: session.replace(/(?<=session_token=)./, (first) => (first === "a" ? "b" : "a")) },
    jwt: await signed(7200),
    brief: () => signed(BRIEF_SECONDS),
    stop: () => (server.close(), server.closeAllConnections()),
  };
}

async function signedUp(auth, url) {
  const body = JSON.stringify({ email: "ada@people.example", password: PASSWORD, name: "Ada" });
  const headers = { origin: url, "content-type": "application/json" };
  const response = await auth.handler(new Request(`${url}/api/auth/sign-up/email`, { method: "POST", headers, body }));
  if (response.status !== 200) throw new Error(`sign-up: ${response.status} ${await response.text()}`);
  const cookies = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return { id: (await response.json()).user.id, cookies };
}
