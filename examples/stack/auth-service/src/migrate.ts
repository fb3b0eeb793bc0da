// Makes the tables, once before a deployment: instances of a function start at the same time and often, so they do not.

import { getMigrations } from "better-auth/db/migration";

import { auth } from "./auth.js";
import { pool, testConnection } from "./database.js";

if (!(await testConnection())) process.exit(1);
await (await getMigrations(auth.options)).runMigrations();
await pool.end();
