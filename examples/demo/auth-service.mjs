// The auth service: a real Better Auth server with e-mail and password, the cookie cache and the jwt plugin.
//
//   BETTER_AUTH_URL        public URL, the gate's: cookies, `iss` and `aud` are made for it          (required)
//   BETTER_AUTH_SECRET     signs cookies; the gate has the same one                                   (required)
//   DATABASE_URL           a PostgreSQL server; without it PGlite, PostgreSQL inside this process
//   PGLITE_FOLDER          where PGlite keeps its files; without it in memory
//   BETTER_AUTH            the package: another version by its alias (better-auth)
//   PORT, ADMIN_PORT       0 or absent: any free one; the start line says which
//   COOKIE_CACHE_SECONDS   life of `session_data` (300)      COOKIE_CACHE_STRATEGY   compact, jwt or jwe (compact)
//   CHEAP_PASSWORDS        not empty: passwords are hashed at no cost, for many people who sign up at once on a machine of two cores
//   TOKEN_SECONDS          life of a JWT from /token (900)
//
// stdout: one JSON line when it listens. The admin port answers how often keys, sessions and tokens were asked for directly, that is by the
// gate: what the origin passes on carries `Via`.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PostgresDialect } from "kysely";
import { packageVersion } from "../shared/packages.mjs";

const { env } = process;
const betterAuthsOwn = (path) => import((env.BETTER_AUTH || "better-auth") + path);
const [{ betterAuth }, { toNodeHandler }, { jwt }] = await Promise.all(["", "/node", "/plugins/jwt"].map(betterAuthsOwn));
// Older versions have it beside other things.
const { getMigrations } = await betterAuthsOwn("/db/migration").catch(() => betterAuthsOwn("/db"));

const listenOn = (port) => ({ host: "127.0.0.1", port: Number(port ?? 0) });

const cheap = async (password) => createHash("sha256").update(password).digest("hex");
const CHEAP = { hash: cheap, verify: async ({ hash, password }) => hash === (await cheap(password)) };

const database = await openDatabase();
const options = {
  baseURL: required("BETTER_AUTH_URL"),
  secret: required("BETTER_AUTH_SECRET"),
  database: { dialect: new PostgresDialect({ pool: database.pool }), type: "postgres" },
  emailAndPassword: { enabled: true, ...(env.CHEAP_PASSWORDS && { password: CHEAP }) },
  // Never contacted: a client that asks to sign in with GitHub gets a signed `state` cookie, which the demo then renames.
  socialProviders: { github: { clientId: "demo", clientSecret: "demo" } },
  session: {
    cookieCache: {
      enabled: true,
      maxAge: Number(env.COOKIE_CACHE_SECONDS ?? 300),
      strategy: env.COOKIE_CACHE_STRATEGY ?? "compact",
    },
  },
  // A number would be read as an absolute time; text is a duration.
  plugins: [jwt({ jwt: { expirationTime: `${Number(env.TOKEN_SECONDS ?? 900)}s` } })],
  // The demo signs up from one address, faster than people do.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error", log: (level, ...words) => say({ level, message: words.map((word) => word?.message ?? word).join(": ") }) },
};

await (await getMigrations(options)).runMigrations();
const handle = toNodeHandler(betterAuth(options));

const QUESTIONS = { "/api/auth/jwks": "keys", "/api/auth/get-session": "session", "/api/auth/token": "token" };
const asked = { keys: 0, session: 0, token: 0 };
const service = createServer((request, response) => {
  const question = QUESTIONS[request.url.split("?")[0]];
  if (question && !request.headers.via) asked[question] += 1;
  handle(request, response);
});
const admin = createServer((request, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(asked));
});

service.listen(listenOn(env.PORT));
admin.listen(listenOn(env.ADMIN_PORT));
await Promise.all([once(service, "listening"), once(admin, "listening")]);
say({
  event: "listening",
  url: `http://127.0.0.1:${service.address().port}`,
  admin: `http://127.0.0.1:${admin.address().port}`,
  public_url: options.baseURL,
});

for (const signal of ["SIGTERM", "SIGINT", "disconnect"]) {
  process.once(signal, async () => {
    service.close();
    service.closeAllConnections();
    admin.close();
    admin.closeAllConnections();
    await database.close();
    process.exit(0);
  });
}

async function openDatabase() {
  if (env.DATABASE_URL) {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({ connectionString: env.DATABASE_URL });
    return { pool, close: () => pool.end() };
  }
  const { PGlite } = await import("@electric-sql/pglite");
  if (env.PGLITE_FOLDER && !existsSync(env.PGLITE_FOLDER)) await copyOfTemplate(PGlite, env.PGLITE_FOLDER);
  const database = await PGlite.create(env.PGLITE_FOLDER);
  return { pool: poolOfOne(database), close: () => database.close() };
}

/** To set up an empty database takes PostgreSQL seconds, to copy one takes a moment: the first is kept for the next time. */
async function copyOfTemplate(PGlite, folder) {
  const target = resolve(fileURLToPath(new URL("../..", import.meta.url)), env.CARGO_TARGET_DIR ?? "target");
  const template = join(target, "demo", `empty-database-${packageVersion("@electric-sql/pglite", import.meta.url)}`);
  if (!existsSync(template)) {
    const unfinished = `${template}-${process.pid}`;
    await mkdir(dirname(template), { recursive: true });
    await (await PGlite.create(unfinished)).close();
    // Somebody else may have finished first: then that one stays.
    await rename(unfinished, template).catch(() => rm(unfinished, { recursive: true }));
  }
  await cp(template, folder, { recursive: true });
}

/** PGlite has one connection: a pool that lends it to one borrower at a time, so that transactions do not mix. */
function poolOfOne(database) {
  let free = Promise.resolve();
  const query = async (sql, parameters) => {
    const { rows, affectedRows } = await database.query(sql, parameters);
    return { rows, rowCount: affectedRows, command: sql.trimStart().split(/\s/, 1)[0].toUpperCase() };
  };
  const connect = async () => {
    const before = free;
    let release;
    free = new Promise((resolve) => (release = resolve));
    await before;
    return { query, release };
  };
  return { connect, end: async () => {} };
}

function required(name) {
  if (env[name]) return env[name];
  console.error(`auth-service: error: ${name} is not set`);
  process.exit(2);
}

function say(line) {
  console.log(JSON.stringify({ service: "auth", ...line }));
}
