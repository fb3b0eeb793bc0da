// Made from src/config/table.rs: `DOORWARD_WRITE=1 cargo test --test reference` writes it anew.

/** A list, or one value in its place. */
export type List<T> = T | readonly T[];

/** A secret: the environment variable that holds it. It is never written in the configuration. */
export type Secret = Env;

/** A JWK Set (RFC 7517 section 5). */
export interface KeySet {
  keys: readonly Record<string, unknown>[];
}

/** A value that is compared with its type. */
export type Scalar = string | number | boolean;

/** One value, or any or all of several. */
export type Requirement = Scalar | { any: readonly Scalar[]; all?: never } | { all: readonly Scalar[]; any?: never };

/** The configuration; `docs/reference/configuration.md` has the same in prose. */
export interface Config {
  /** Address of the JSON Schema, for editors. The gate does not read it. */
  "$schema"?: string | null;
  /**
   * The preset that this document changes: its issuers and rules count beside those that are
   * written here.
   */
  extends?: "better-auth" | "supabase" | "clerk" | "auth0" | "workos" | "cloudflare-access" | "oidc" | null;
  /**
   * The issuers whose credentials are accepted. Over a preset, an entry changes the members of the
   * preset's issuer that has its name; one without `name` and `type` changes the preset's only
   * issuer. Default: those of the preset.
   */
  issuers?: List<Issuer> | null;
  /**
   * What a request needs, by its path and method. The first rule that matches counts, and a
   * request that no rule matches is denied. Over a preset, these come before the preset's.
   * Default: those of the preset.
   */
  rules?: List<Rule> | null;
  /**
   * Paths that need an identity: patterns, or an object with members of a rule by pattern. They
   * come after `rules` and before `public`, the narrower pattern first.
   */
  require?: Record<string, RequiredRule> | List<string> | null;
  /**
   * Paths that everybody may request. They come after `rules` and `require`, and before the
   * preset's rules.
   */
  public?: List<string | Env> | null;
  /**
   * The framework that the origin is made with, by name or as an object. Patterns are then written
   * as the framework writes pages. Default: `none`.
   */
  framework?: "next" | "sveltekit" | "react-router" | "nuxt" | "astro" | "tanstack-start" | "none" | false | Framework | null;
  /**
   * Where a page without a session is redirected to: a path, or an object that says more. Default:
   * none: a page without a session is a 401.
   */
  sign_in?: string | SignIn | null;
  /**
   * How the gate's own pages look, and which pages of the application stand in for them. Default:
   * black and white, without a name.
   */
  pages?: Pages | null;
  /** Further origins whose pages or apps may send unsafe methods with a cookie. */
  allowed_origins?: List<string | Env> | null;
  /**
   * Which other origins may read a refusal. Default: refusals can be read from `allowed_origins`.
   */
  cors?: Cors | null;
  /**
   * The signed assertion about each request that goes on with an identity. Default: none: no
   * assertion is sent.
   */
  assertion?: Assertion | null;
  /** The operator's list of revoked sessions, tokens and users. */
  deny_list?: DenyList | null;
  /**
   * Claims that the origin is told: by the name of a header without its prefix, the name or path
   * of a claim.
   */
  claim_headers?: Record<string, string | Env> | null;
  /**
   * Prefix of the identity headers. Every header under it that a client sends is removed. Default:
   * `x-doorward-`.
   */
  header_prefix?: string | Env | null;
  /**
   * Identity headers of a proxy in front of the gate that the origin may go on trusting, by name
   * or by a beginning and `*`. Only what nobody but that proxy can send belongs here.
   */
  keep_headers?: List<string | Env> | null;
  /**
   * Ports of a program before which `doorward/register` is that need no gate: metrics, a debugger.
   * What else listens there and is no HTTP server ends the program. Other hosts have no use for
   * it.
   */
  ungated_ports?: List<number> | null;
  /**
   * Whether a policy without a rule for `/**` and all methods is an error. Default: false: a
   * warning.
   */
  require_catch_all?: boolean | null;
  /**
   * How often one instance may ask auth services about sessions; a quarter of it is for
   * credentials that are not verified yet. Without a cookie cache: at least the sessions in use at
   * once divided by `session_cache_seconds`. Default: 20.
   */
  auth_requests_per_second?: number | null;
  /** What comes before a reason's code in the links of refusals. */
  docs_url?: string | Env | null;
  /**
   * What else is logged ([log](log.md)). Default: refusals, and forwards of which there is
   * something to say.
   */
  log?: Log | null;
  /**
   * Adds `Server-Timing: doorward;dur=…`: how many milliseconds the request has waited for lookups
   * and the platform. Default: false.
   */
  server_timing?: boolean | null;
  /**
   * Shows in a refusal what its log line says: what was expected and what came. So it is without
   * this in development, where `NODE_ENV` is `development` and client and host name are those of
   * this machine. Default: false.
   */
  debug?: boolean | null;
  /**
   * Adds the response header `doorward-decision`: of a request that goes on the issuer and the
   * source of the identity, of a refusal the reason. Default: false.
   */
  debug_header?: boolean | null;
}

/** A Better Auth service. */
export interface BetterAuthIssuer {
  /** What kind of issuer it is. */
  type: "better-auth";
  /** Its name in logs, in rules and in the issuer header. Default: `better-auth`. */
  name?: string | Env | null;
  /**
   * Public URL of the auth service: https, or http on a loopback address. A path in it is its base
   * path.
   */
  url: string | Env;
  /**
   * Where the auth service answers. `/` is the root of its host: then `{auth}` is an error in
   * patterns, and the service's own paths are written out. Default: the path in `url`, else
   * `/api/auth`.
   */
  base_path?: string | Env | null;
  /**
   * The origin at which the gate reaches the auth service, where it differs. Default: origin of
   * `url`.
   */
  fetch_url?: string | Env | null;
  /**
   * The Better Auth secret. Fewer than 16 bytes, the published default, white space around it or a
   * line end in it are an error; fewer than 32 bytes, or few different characters, a warning.
   * Without it `session_token` cannot be verified without the auth service.
   */
  secret?: Secret | null;
  /**
   * Better Auth's versioned list (`2:new,1:old`). It beats `secret`, which then only opens old
   * encrypted cookies.
   */
  secrets?: Secret | null;
  /** As `advanced.cookiePrefix`. Default: `better-auth`. */
  cookie_prefix?: string | Env | null;
  /** Whether cookie names begin with `__Secure-`. Default: whether `url` is https. */
  secure_cookies?: boolean | null;
  /**
   * A name of its own for the session cookie (`__Secure-` is still put before it). Default: from
   * `cookie_prefix`.
   */
  session_token_cookie?: string | Env | null;
  /**
   * A name of its own for the cookie cache (`__Secure-` is still put before it). Default: from
   * `cookie_prefix`.
   */
  session_data_cookie?: string | Env | null;
  /**
   * As `advanced.crossSubDomainCookies.domain`: the cookies of an ended session are cleared there
   * as well.
   */
  cookie_domain?: string | Env | null;
  /** The strategy of the cookie cache, as `cookieCache.strategy`. Default: `auto`. */
  cookie_cache?: "auto" | "off" | "compact" | "jwt" | "jwe" | "jwt-jwks" | Env | null;
  /** As `cookieCache.version`; `null` does not check it. Default: `1`. */
  cookie_cache_version?: string | Env | null;
  /**
   * Whether session tokens of the bearer plugin are accepted: none, those that are signed, or any.
   * Default: `off`.
   */
  bearer_tokens?: "off" | "signed" | "any" | Env | null;
  /**
   * How long an answer of the auth service is remembered. It bounds how late a revocation is
   * noticed. Default: 10.
   */
  session_cache_seconds?: number | null;
  /**
   * Whether instances share what the auth service has answered about sessions, in the shared
   * cache. Default: false.
   */
  share_sessions?: boolean | null;
  /**
   * How old an answer of the auth service may be while it fails to give a newer one (RFC 5861). It
   * is also how late a revocation is noticed during an outage. Default: 0.
   */
  stale_if_error_seconds?: number | null;
  /**
   * In the last so many percent of its lifetime the cookie cache is renewed; 0: never. Default:
   * 20.
   */
  renew_percent?: number | null;
  /** Whether Better Auth has neither a database nor a secondary storage. Default: false. */
  stateless?: boolean | null;
  /**
   * Better Auth's `secondaryStorage`, read in place of a request to the auth service. Needs
   * `secret`.
   */
  storage?: Storage | null;
  /**
   * The exact `iss` of its JWTs. Another than the origin of `url` is a warning: Better Auth writes
   * that, unless its jwt plugin has an issuer of its own. Default: origin of `url`.
   */
  issuer?: string | Env | null;
  /** `aud` of its JWTs must contain one of these. Default: origin of `url`. */
  audience?: List<string | Env> | null;
  /**
   * Where its key set is. `null` where there is none. One that is not below the auth service's URL
   * is a warning. Default: `<fetch_url><base_path>/jwks`.
   */
  jwks_url?: string | Env | null;
  /**
   * With `"audience": null`: whether an `aud` that is an empty list counts as none (Kinde).
   * Default: false.
   */
  audience_may_be_empty?: boolean | null;
  /** `azp`, or `client_id` in a token without it (RFC 9068), must be one of these. */
  authorized_parties?: List<string | Env> | null;
  /**
   * Whether a token without `azp` and `client_id` is accepted. With `"audience": null` and no
   * `authorized_parties`, only the key set ties the tokens to you. Default: false.
   */
  party_may_be_absent?: boolean | null;
  /** The claim that names the subject: the first that is there and not empty. Default: `sub`. */
  subject_claim?: List<string | Env> | null;
  /**
   * Hosts of an issuer that writes the host it is asked at into `iss` and `aud`; `{public_origin}`
   * stands for it in `issuer` and `audience`. A star is part of the first of three labels or more.
   */
  public_hosts?: List<string | Env> | null;
  /** Keys given inline (RFC 7517). With no `jwks_url` beside them nothing is fetched. */
  jwks?: KeySet | Env | null;
  /** The signature algorithms that are accepted (`alg`). Default: all that the host can check. */
  algorithms?: List<string | Env> | null;
  /**
   * The values of the header `typ` that are accepted. A token without it is accepted where `JWT`
   * is. Default: `JWT`.
   */
  typ?: List<string | Env> | null;
  /** Tolerance for `exp`, `nbf` and `iat` of JWTs. Better Auth's cookies have none. Default: 5. */
  clock_tolerance_seconds?: number | null;
  /** The greatest age of a token by its `iat`. */
  max_age_seconds?: number | null;
  /** Claims that a token must have. */
  required_claims?: List<string | Env> | null;
  /**
   * Where a request may carry the token: `authorization`, `cookie:<name>`, `header:<name>`,
   * `supabase-cookie:<name>` (the session that `@supabase/ssr` keeps in a cookie, whole or in
   * chunks), or `supabase-cookie` for the cookie that Supabase names after the issuer's host.
   * Default: `authorization`.
   */
  token_locations?: List<string | Env> | null;
}

export interface Storage {
  /**
   * The name of a store that the host has: a KV binding (Cloudflare) or a function in the option
   * `stores` (JavaScript).
   */
  store: string;
  /** What stands before every key: `better-auth:` with `@better-auth/redis-storage`. */
  prefix?: string | Env;
  /** How late the store shows a change: 60 for Workers KV, 0 for Redis. Default: 60. */
  lag_seconds?: number | null;
}

/** An issuer of JWTs. */
export interface JwtIssuer {
  /** What kind of issuer it is. */
  type: "jwt";
  /** Its name in logs, in rules and in the issuer header. Default: the host of `issuer`. */
  name?: string | Env | null;
  /** The exact `iss` of its tokens, compared letter by letter. */
  issuer: string | Env;
  /**
   * `aud` must contain one of these. `null` where tokens have no `aud`: then `authorized_parties`
   * or `party_may_be_absent` is needed, and a token with an `aud` is refused.
   */
  audience?: List<string | Env> | null;
  /**
   * Where its key set is: https, or http on a loopback address. Default: none: `jwks` is needed.
   */
  jwks_url?: string | Env | null;
  /**
   * With `"audience": null`: whether an `aud` that is an empty list counts as none (Kinde).
   * Default: false.
   */
  audience_may_be_empty?: boolean | null;
  /** `azp`, or `client_id` in a token without it (RFC 9068), must be one of these. */
  authorized_parties?: List<string | Env> | null;
  /**
   * Whether a token without `azp` and `client_id` is accepted. With `"audience": null` and no
   * `authorized_parties`, only the key set ties the tokens to you. Default: false.
   */
  party_may_be_absent?: boolean | null;
  /** The claim that names the subject: the first that is there and not empty. Default: `sub`. */
  subject_claim?: List<string | Env> | null;
  /**
   * Hosts of an issuer that writes the host it is asked at into `iss` and `aud`; `{public_origin}`
   * stands for it in `issuer` and `audience`. A star is part of the first of three labels or more.
   */
  public_hosts?: List<string | Env> | null;
  /** Keys given inline (RFC 7517). With no `jwks_url` beside them nothing is fetched. */
  jwks?: KeySet | Env | null;
  /** The signature algorithms that are accepted (`alg`). Default: all that the host can check. */
  algorithms?: List<string | Env> | null;
  /**
   * The values of the header `typ` that are accepted. A token without it is accepted where `JWT`
   * is. Default: `JWT`.
   */
  typ?: List<string | Env> | null;
  /** Tolerance for `exp`, `nbf` and `iat` of JWTs. Better Auth's cookies have none. Default: 5. */
  clock_tolerance_seconds?: number | null;
  /** The greatest age of a token by its `iat`. */
  max_age_seconds?: number | null;
  /** Claims that a token must have. */
  required_claims?: List<string | Env> | null;
  /**
   * Where a request may carry the token: `authorization`, `cookie:<name>`, `header:<name>`,
   * `supabase-cookie:<name>` (the session that `@supabase/ssr` keeps in a cookie, whole or in
   * chunks), or `supabase-cookie` for the cookie that Supabase names after the issuer's host.
   * Default: `authorization`.
   */
  token_locations?: List<string | Env> | null;
}

export interface Rule {
  /**
   * A pattern or a list: `/a` exactly; `/a/*` one more segment; `/a/**` `/a` and everything below;
   * `/users/:id` one segment by name. `{auth}` at the beginning stands for the base path of the
   * first Better Auth issuer.
   */
  path: List<string | Env>;
  /**
   * `public`: credentials are not looked at. `optional`: without a credential the request is
   * anonymous, a bad one is refused. `required`: an identity is needed.
   */
  access: "public" | "optional" | "required" | Env;
  /** Methods that the rule is for, in capitals. `GET` is `HEAD` as well. Default: all. */
  methods?: List<string | Env> | null;
  /** Names of the issuers whose credentials this rule accepts. Default: all. */
  issuers?: List<string | Env> | null;
  /**
   * Roles that the identity needs: one, `{"any": [ … ]}` or `{"all": [ … ]}`. They are `role` or
   * `roles`.
   */
  roles?: Requirement;
  /** Scopes that the identity needs, in the same form. They are `scope` or `scp`. */
  scopes?: Requirement;
  /**
   * Claims that the identity needs, by name or by a path like `org.id`. For Better Auth they are
   * the user's, and `session.…` the session's.
   */
  claims?: Record<string, Requirement>;
  /** Domains of which the verified e-mail address has to be. */
  email_domains?: List<string | Env>;
  /**
   * How long ago the person may have signed in (`auth_time`, else `iat`; Better Auth:
   * `session.createdAt`).
   */
  max_session_age_seconds?: number | null;
  /**
   * How old the knowledge of the session may be: an older cookie cache is not used, an older JWT
   * is `token_too_old`. 0 asks the auth service each time.
   */
  max_staleness_seconds?: number | null;
  /** How long a WebSocket or an event stream may stay open. */
  max_connection_seconds?: number | null;
  /**
   * What happens where the gate cannot know because somebody else has failed: 503, or the request
   * goes on anonymously. What the caller can bring about is refused either way. Default: `deny`.
   */
  on_unavailable?: "deny" | "anonymous" | Env | null;
  /**
   * Which credential counts when two good ones name different people. Default: none: 400
   * `credential_ambiguous`.
   */
  on_conflict?: "cookie" | "header" | Env | null;
  /**
   * What a refusal looks like: `auto` by the kind of request, `page` pages also for clients that
   * do not say what they are, `api` never a redirect or a page. Default: `auto`.
   */
  refusal_format?: "auto" | "page" | "api" | Env | null;
  /**
   * Whether a CORS preflight goes on anonymously. An origin that does not look at the method
   * answers it with its content: then write `refuse`. Default: `forward`.
   */
  preflight?: "forward" | "refuse" | Env | null;
  /**
   * Whether a client that is no browser may use unsafe methods with nothing but a cookie: it sends
   * neither `Origin` nor `Sec-Fetch-Site`. Default: false.
   */
  native_clients?: boolean | null;
  /**
   * `report`: refusals are only logged and the request goes on anonymously, until the end of
   * `report_until`. Default: `enforce`.
   */
  mode?: "enforce" | "report" | Env | null;
  /** The last day of report mode. Default: needed with `"mode": "report"`. */
  report_until?: string | Env | null;
  /** Names without prefix of the identity headers that the origin gets. Default: all. */
  identity_headers?: List<string | Env> | null;
  /**
   * What becomes of the credential: `remove` keeps it from the origin, `replace` puts the
   * assertion into `Authorization` in its place. Default: `keep`; with `upstream`: `remove`.
   */
  credential?: "keep" | "remove" | "replace" | Env | null;
  /** `aud` of the assertions under this rule. Default: `assertion.audience`. */
  assertion_audience?: string | Env | null;
  /**
   * Another origin that requests under this rule go to: https, or http on a loopback address.
   * Default: the host's own origin.
   */
  upstream?: string | Env | null;
  /**
   * Whether a Better Auth session goes on with a JWT of its auth service in `Authorization`.
   * Default: false.
   */
  token_exchange?: boolean | TokenExchange | null;
}

export interface TokenExchange {
  /** `aud` of the JWT must contain one of these. Default: `audience` of the issuer. */
  audience?: List<string | Env> | null;
}

/** A rule of `require`: its path and access are said already. */
export type RequiredRule = Omit<Rule, "path" | "access">;

export interface Framework {
  /** Which framework it is. */
  name: "next" | "sveltekit" | "react-router" | "nuxt" | "astro" | "tanstack-start" | "none" | Env;
  /**
   * As `basePath` (Next), `paths.base` (SvelteKit), `basename` (React Router), `app.baseURL`
   * (Nuxt) or `base` (Astro). It is taken off before a path is matched, `{auth}` included;
   * `sign_in.path` keeps it.
   */
  base_path?: string | Env | null;
  /**
   * For Next alone: as `i18n.locales`. The first segment of a path is taken off where it is one of
   * them.
   */
  locales?: List<string | Env> | null;
}

export interface SignIn {
  /** The page where visitors sign in. A rule has to make it public. */
  path: string | Env;
  /** The query parameter with the address to come back to. Default: `callbackURL`. */
  return_parameter?: string | Env | null;
}

export interface Pages {
  /** The name of the site, at most 80 characters: it stands above the heading and in the title. */
  name?: string | Env | null;
  /**
   * The color of the button, `#rgb` or `#rrggbb`. Its label is black or white, whichever can be
   * read. Default: black, or white in a dark color scheme.
   */
  accent?: string | Env | null;
  /**
   * The path that the link "Home page" leads to. Default: `/`, or the base path of `framework`.
   */
  home?: string | Env | null;
  /**
   * A public page of the application that stands in for the gate's own, for a path that is
   * ambiguous, and other malformed requests. Default: the gate's own page.
   */
  400?: string | Env | null;
  /**
   * A public page of the application that stands in for the gate's own, for a page without a
   * session, where there is no `sign_in`, and redirect loops. Default: the gate's own page.
   */
  401?: string | Env | null;
  /**
   * A public page of the application that stands in for the gate's own, for users without access.
   * Default: the gate's own page.
   */
  403?: string | Env | null;
  /**
   * A public page of the application that stands in for the gate's own, for requests that cannot
   * be decided at the moment. Default: the gate's own page.
   */
  503?: string | Env | null;
}

export interface Cors {
  /**
   * Origins whose pages may read a refusal: its reason, `WWW-Authenticate`, `Retry-After`.
   * Default: `allowed_origins`.
   */
  origins?: List<string | Env> | null;
  /** Whether also refusals of requests that carried cookies can be read. Default: true. */
  credentials?: boolean | null;
}

export interface Assertion {
  /** `aud`: the origin. It is never taken from the request. */
  audience: string | Env;
  /** `iss`. Default: `doorward`. */
  issuer?: string | Env | null;
  /**
   * Private JWKs: EC on P-256 (ES256) or OKP on Ed25519 (EdDSA). The first signs; a second is
   * published for a rotation.
   */
  keys?: List<Secret> | null;
  /**
   * In place of `keys`: at least 32 bytes, shared with the origin (HS256), and unlike every other
   * secret.
   */
  secret?: Secret | null;
  /** Time from `iat` to `exp`. Default: 30. */
  lifetime_seconds?: number | null;
  /** Where the gate publishes its public keys, before any rule. */
  jwks_path?: string | Env | null;
}

export interface DenyList {
  /** Where the document is: https, or http on a loopback address. */
  url?: string | Env | null;
  /** With `url`: sent as `Authorization: Bearer`. */
  token?: Secret | null;
  /**
   * In place of `url`: the name of a store that the host has. Cloudflare: a KV binding;
   * JavaScript: a function in the option `stores`.
   */
  store?: string | null;
  /** With `store`: what to read in it. Default: `doorward-deny-list`. */
  key?: string | Env | null;
  /** How old the list is when the next one is fetched. Default: 30. */
  refresh_seconds?: number | null;
  /**
   * How old the list may be while there is no newer one, at least twice `refresh_seconds`. Past
   * that, requests that need an identity are 503 `revocation_unavailable`. Default: 300.
   */
  max_stale_seconds?: number | null;
}

export interface Log {
  /**
   * Of so many requests that are forwarded without anything to say of them, one is logged, counted
   * in each instance.
   */
  pass_every?: number | null;
}

/** The value of an environment variable, in place of a string. */
export interface Env {
  /**
   * The name of an environment variable, or several: the first that is set and not blank counts.
   */
  env?: List<string>;
  /** What counts where none is. */
  default?: string;
  /** Whether all may be missing: then the member is missing. Default: false: an error. */
  optional?: boolean;
  /** What is put before the value, unless it begins so. */
  prefix?: string;
  /** What is put behind the value, unless it ends so. */
  suffix?: string;
}

/** An entry of `issuers`: an issuer, or what is changed of a preset's. */
export type Issuer =
  | BetterAuthIssuer
  | JwtIssuer
  | (Partial<Omit<BetterAuthIssuer, "type">> & { type?: undefined })
  | (Partial<Omit<JwtIssuer, "type">> & { type?: undefined });
