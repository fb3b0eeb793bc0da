// What this service needs to know from outside, and whether it makes sense: every problem at once, each with its variable and what to do.
// Never a value: logs are read by more people than secrets are.

export interface Environment {
  databaseUrl: string;
  databaseConnections: number;
  secret: string;
  /** Under which browsers see this service: the gate's own origin. */
  url: string;
  /** `iss` and `aud` of the JWTs. */
  issuer: string;
  audience: string;
  jwksUrl: string;
  cookieCacheSeconds: number;
  tokenSeconds: number;
  rateLimit: boolean;
  port: number;
}

export interface Problem {
  variable: string;
  problem: string;
  hint: string;
}

export const BASE_PATH = "/api/auth";

/** Published with Better Auth: whoever reads its documentation could sign in as anybody. */
const PUBLISHED_SECRETS = ["better-auth-secret-12345678901234567890", "better-auth-secret-123456789"];

type Variables = Record<string, string | undefined>;

export function readEnvironment(env: Variables): { environment: Environment; problems: [] } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const wrong = (variable: string, problem: string, hint: string) => void problems.push({ variable, problem, hint });
  const reader = { text: required(env, wrong), number: number(env, wrong), word: word(env, wrong) };

  const databaseUrl = reader.text("DATABASE_URL", "write it like postgres://user:password@host/database");
  const secret = reader.text("BETTER_AUTH_SECRET", "make one with: openssl rand -base64 32");
  const url = reader.text("BETTER_AUTH_URL", "write the public origin, like https://app.example.com");
  const issuer = reader.text("BETTER_AUTH_ISSUER", "write what verifiers expect as `iss`: the origin of BETTER_AUTH_URL");
  const jwksUrl = reader.text("BETTER_AUTH_JWKS_URL", `write where verifiers find the keys: …${BASE_PATH}/jwks`);

  if (databaseUrl) checkDatabase(databaseUrl, wrong);
  if (secret) checkSecret(secret, env.BETTER_AUTH_SECRETS, wrong);
  const publicUrl = url ? checkUrl(url, wrong) : undefined;
  if (issuer) checkIssuer(issuer, publicUrl, wrong);
  if (jwksUrl) checkJwksUrl(jwksUrl, publicUrl, wrong);

  const rest = {
    audience: env.BETTER_AUTH_AUDIENCE ? reader.text("BETTER_AUTH_AUDIENCE", "leave it out for the issuer") : issuer,
    databaseConnections: reader.number("DATABASE_CONNECTIONS", 5, 1),
    cookieCacheSeconds: reader.number("COOKIE_CACHE_SECONDS", 300, 1),
    tokenSeconds: reader.number("TOKEN_SECONDS", 900, 1),
    rateLimit: reader.word("RATE_LIMIT", ["on", "off"]) === "on",
    port: reader.number("PORT", 3001, 0),
  };
  return problems.length > 0 ? { problems } : { environment: { databaseUrl, secret, url, issuer, jwksUrl, ...rest }, problems: [] };
}

type Wrong = (variable: string, problem: string, hint: string) => void;

function required(env: Variables, wrong: Wrong) {
  return (name: string, hint: string): string => {
    const value = env[name];
    if (value === undefined) wrong(name, "is not set", hint);
    else if (value.trim() === "") wrong(name, "is empty", hint);
    else if (value !== value.trim()) wrong(name, "has white space around it", "a line end was pasted along: take it off");
    else return value;
    return "";
  };
}

function number(env: Variables, wrong: Wrong) {
  return (name: string, usual: number, least: number): number => {
    const value = env[name];
    if (value === undefined || value === "") return usual;
    if (!/^\d{1,7}$/.test(value) || Number(value) < least) wrong(name, `is not a whole number from ${least}`, `leave it out for ${usual}`);
    return Number(value);
  };
}

/** One of these words; the first by itself. */
function word(env: Variables, wrong: Wrong) {
  return (name: string, words: [string, ...string[]]): string => {
    const value = env[name] || words[0];
    if (!words.includes(value)) wrong(name, `is not one of ${words.join(", ")}`, `leave it out for ${words[0]}`);
    return value;
  };
}

function checkDatabase(value: string, wrong: Wrong) {
  const url = parsed(value);
  if (!url || !["postgres:", "postgresql:"].includes(url.protocol)) {
    return wrong("DATABASE_URL", "is not the URL of a PostgreSQL database", "write it like postgres://user:password@host/database");
  }
  if (isLoopback(url)) return;
  if (!url.password) wrong("DATABASE_URL", "has no password for a server that is not this machine", "give the user a password");
  if (url.searchParams.get("sslmode") === "disable") {
    wrong("DATABASE_URL", "turns TLS off for a server that is not this machine", "leave sslmode=disable out");
  }
}

function checkSecret(secret: string, list: string | undefined, wrong: Wrong) {
  const name = "BETTER_AUTH_SECRET";
  const hint = "make one with: openssl rand -base64 32";
  if (PUBLISHED_SECRETS.includes(secret)) wrong(name, "is the one that is published with Better Auth", hint);
  else if (secret.length < 32) wrong(name, "is shorter than 32 characters", hint);
  // Better Auth's own estimate; it only warns.
  else if (secret.length * Math.log2(new Set(secret).size) < 120) wrong(name, "repeats itself: it can be guessed", hint);

  const current = list?.split(",")[0]?.replace(/^\s*\d+:/, "").trim();
  if (current && current !== secret) {
    const names = "BETTER_AUTH_SECRETS";
    wrong(names, `is set as well, beats ${name} and begins with another secret`, "remove it, or make its first entry that secret, here and at the gate");
  }
}

function checkUrl(value: string, wrong: Wrong): URL | undefined {
  const url = parsed(value);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    wrong("BETTER_AUTH_URL", "is not an http or https URL", "write the public origin, like https://app.example.com");
    return undefined;
  }
  if (url.origin !== value) wrong("BETTER_AUTH_URL", "has something after host and port", `take it off: the service answers under ${BASE_PATH} by itself`);
  if (url.protocol === "http:" && !isLoopback(url)) {
    wrong("BETTER_AUTH_URL", "is http, so cookies would be neither Secure nor named __Secure-", "use https; http is for this machine only");
  }
  return url;
}

function checkIssuer(value: string, publicUrl: URL | undefined, wrong: Wrong) {
  const url = parsed(value);
  if (!url) return wrong("BETTER_AUTH_ISSUER", "is not a URL", "write the origin of BETTER_AUTH_URL");
  // Verifiers compare it letter by letter.
  if (url.origin !== value) wrong("BETTER_AUTH_ISSUER", "has something after host and port, if only a slash", "take it off, here and at every verifier");
  else if (publicUrl && url.origin !== publicUrl.origin) {
    wrong("BETTER_AUTH_ISSUER", "is not the origin of BETTER_AUTH_URL", "one of the two is of another environment");
  }
}

function checkJwksUrl(value: string, publicUrl: URL | undefined, wrong: Wrong) {
  const url = parsed(value);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    return wrong("BETTER_AUTH_JWKS_URL", "is not an http or https URL", `write it like https://app.example.com${BASE_PATH}/jwks`);
  }
  if (url.pathname !== `${BASE_PATH}/jwks`) {
    wrong("BETTER_AUTH_JWKS_URL", "names a path where this service has no keys", `it has them at ${BASE_PATH}/jwks`);
  }
  if (url.protocol === "http:" && !isLoopback(url)) {
    wrong("BETTER_AUTH_JWKS_URL", "is http: anybody on the way could put keys of their own in", "use https; http is for this machine only");
  }
  if (publicUrl && isLoopback(url) && !isLoopback(publicUrl)) {
    wrong("BETTER_AUTH_JWKS_URL", "is of this machine, but BETTER_AUTH_URL is not", "one of the two is of another environment");
  }
}

function parsed(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
