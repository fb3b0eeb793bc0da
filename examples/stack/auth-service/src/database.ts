// One pool for the process. On serverless platforms each instance has its own, and a frozen one holds its connections: so idle ones go soon.

import pg from "pg";

import { say } from "./log.js";
import { settings } from "./settings.js";

export const pool = new pg.Pool({
  connectionString: settings.databaseUrl,
  max: settings.databaseConnections,
  idleTimeoutMillis: 5_000,
  connectionTimeoutMillis: 5_000,
  allowExitOnIdle: true,
});

// A server that closes an idle connection must not end the process.
pool.on("error", (error) => say("database connection lost", { level: "warning", problem: error.message }));

/** Whether the database answers, said in the log either way. */
export async function testConnection(): Promise<boolean> {
  const begin = performance.now();
  const { hostname, pathname } = new URL(settings.databaseUrl);
  const where = { host: hostname, database: pathname.slice(1) };
  try {
    const { rows } = await pool.query<{ version: string }>("select version()");
    say("database connected", { ...where, version: rows[0]?.version.split(" ", 2).join(" "), ms: Math.round(performance.now() - begin) });
    return true;
  } catch (error) {
    say("database unreachable", { level: "error", ...where, problem: messageOf(error), hint: "look at DATABASE_URL, and whether the server runs" });
    return false;
  }
}

/** Several addresses that all fail come as one error without a message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
