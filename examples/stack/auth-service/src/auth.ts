import { betterAuth } from "better-auth";
import { jwt } from "better-auth/plugins/jwt";

import { pool } from "./database.js";
import { BASE_PATH } from "./environment.js";
import { say } from "./log.js";
import { settings } from "./settings.js";

export const auth = betterAuth({
  baseURL: settings.url,
  basePath: BASE_PATH,
  secret: settings.secret,
  database: pool,
  emailAndPassword: { enabled: true },
  session: {
    // The gate verifies this cookie by itself; when it has expired, the gate asks here and passes the new one on.
    cookieCache: { enabled: true, maxAge: settings.cookieCacheSeconds },
  },
  plugins: [
    jwt({
      jwt: {
        issuer: settings.issuer,
        audience: settings.audience,
        // As text: a number would be read as a moment.
        expirationTime: `${settings.tokenSeconds}s`,
        // Without this the token carries everything that is known about the user.
        definePayload: ({ user }) => ({ email: user.email, name: user.name }),
      },
    }),
  ],
  rateLimit: {
    enabled: settings.rateLimit,
    // The gate asks these for everybody: one limit for all would be everybody's limit.
    customRules: { "/get-session": false, "/jwks": false },
  },
  telemetry: { enabled: false },
  logger: { level: "warn", log: (level, message, ...more) => say(message, { level, more: more.map(String) }) },
});
