//! The table of causes: one row for each known mistake behind a refusal.
//!
//! A row has the cause's stable name, its group, who has to act, how certain the best evidence
//! makes it, and texts: its title, what users see, the signs by which it is told (from outside, in
//! the project's files, by a pasted credential, in a gate's log), and what to do. The rules that
//! find causes are in `rules/`. Names are never renamed. `docs/causes.md` is made from this table.

use std::fmt;

use crate::causes::certainty::Certainty;

/// What a cause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// Secrets, URLs and other variables.
    Environment,
    /// Names and attributes of cookies, and what is in them.
    Cookies,
    /// The way of a request: names, TLS, proxies, caches, limits.
    Network,
    /// Better Auth's plugins.
    Plugins,
    /// Better Auth's options.
    Options,
    /// JWTs, key sets and clocks.
    Jwt,
    /// The API that verifies tokens.
    Api,
    /// Where sessions are stored.
    Store,
    /// The application's framework.
    Framework,
    /// What browsers do.
    Browser,
    /// The gate itself.
    Gate,
}

impl Group {
    /// Every group, in the order of the page.
    pub const ALL: &'static [Self] = &[
        Self::Environment,
        Self::Cookies,
        Self::Network,
        Self::Plugins,
        Self::Options,
        Self::Jwt,
        Self::Api,
        Self::Store,
        Self::Framework,
        Self::Browser,
        Self::Gate,
    ];

    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Cookies => "cookies",
            Self::Network => "network",
            Self::Plugins => "plugins",
            Self::Options => "options",
            Self::Jwt => "jwt",
            Self::Api => "api",
            Self::Store => "store",
            Self::Framework => "framework",
            Self::Browser => "browser",
            Self::Gate => "gate",
        }
    }

    /// A heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Environment => "Secrets and variables",
            Self::Cookies => "Cookies",
            Self::Network => "Network, proxies and caches",
            Self::Plugins => "Plugins of Better Auth",
            Self::Options => "Options of Better Auth",
            Self::Jwt => "JWTs, key sets and clocks",
            Self::Api => "The API",
            Self::Store => "The store of sessions",
            Self::Framework => "The framework",
            Self::Browser => "Browsers",
            Self::Gate => "The gate",
        }
    }
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// Whoever runs the auth service.
    AuthService,
    /// Whoever runs the gate.
    Gate,
    /// Whoever writes the application.
    App,
    /// Whoever runs the API behind the gate.
    Api,
    /// Whoever runs what is between: proxies, the platform, the network.
    Platform,
}

impl Actor {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthService => "auth-service",
            Self::Gate => "gate",
            Self::App => "app",
            Self::Api => "api",
            Self::Platform => "platform",
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AuthService => "whoever runs the auth service has to act",
            Self::Gate => "whoever runs the gate has to act",
            Self::App => "whoever writes the application has to act",
            Self::Api => "whoever runs the API has to act",
            Self::Platform => "whoever runs the proxy, the platform or the network has to act",
        }
    }
}

/// Where a sign of a cause is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channel {
    /// By requests to the deployment: `doorward doctor`.
    Outside,
    /// In the project's files: `doorward check`.
    Files,
    /// In a pasted cookie or token: `doorward explain`.
    Pasted,
    /// In the gate's log: `doorward explain-log`.
    Log,
}

impl Channel {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Files => "files",
            Self::Pasted => "pasted",
            Self::Log => "log",
        }
    }

    /// As a label.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Outside => "from outside",
            Self::Files => "in files",
            Self::Pasted => "when pasted",
            Self::Log => "in the log",
        }
    }
}

/// What a row says.
struct Row {
    id: &'static str,
    group: Group,
    actor: Actor,
    certainty: Certainty,
    title: &'static str,
    symptom: &'static str,
    signs: [(Channel, &'static str); 4],
    fix: &'static str,
}

macro_rules! causes {
    ($($name:ident $id:literal $group:ident $actor:ident $certainty:ident {
        title: $title:literal,
        symptom: $symptom:literal,
        outside: $outside:literal,
        files: $files:literal,
        pasted: $pasted:literal,
        log: $log:literal,
        fix: $fix:literal,
    })*) => {
        /// A known mistake behind a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive] // causes are added, never renamed
        pub enum Cause {
            $(#[doc = $title] $name,)*
        }

        impl Cause {
            /// Every cause, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn row(self) -> &'static Row {
                match self { $(Self::$name => &Row {
                    id: $id,
                    group: Group::$group,
                    actor: Actor::$actor,
                    certainty: Certainty::$certainty,
                    title: $title,
                    symptom: $symptom,
                    signs: [
                        (Channel::Outside, $outside),
                        (Channel::Files, $files),
                        (Channel::Pasted, $pasted),
                        (Channel::Log, $log),
                    ],
                    fix: $fix,
                },)* }
            }
        }
    };
}

impl Cause {
    /// The cause of this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.id() == id)
    }

    /// Its stable name.
    pub const fn id(self) -> &'static str {
        self.row().id
    }

    /// What it is about.
    pub const fn group(self) -> Group {
        self.row().group
    }

    /// Who has to act.
    pub const fn actor(self) -> Actor {
        self.row().actor
    }

    /// How certain the best evidence makes it.
    pub const fn certainty(self) -> Certainty {
        self.row().certainty
    }

    /// What it is, in a line.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// What users see.
    pub const fn symptom(self) -> &'static str {
        self.row().symptom
    }

    /// The signs by which it is told.
    pub fn signs(self) -> impl Iterator<Item = (Channel, &'static str)> {
        self.row().signs.iter().copied().filter(|(_, text)| !text.is_empty())
    }

    /// What to do.
    pub const fn fix(self) -> &'static str {
        self.row().fix
    }

    /// Its section in the documents.
    pub fn doc(self) -> String {
        format!("docs/causes.md#{}", self.id())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

causes! {
    // environment
    SecretDiffers "secret-differs" Environment AuthService Proof {
        title: "The secret of gate/API/second service is not the auth service's",
        symptom: "Sign-in works, next request 401 / session null everywhere the other secret is used; the auth service itself is fine.",
        outside: "GET /get-session with session_token=<random 32 chars>.<HMAC with the local secret>. Three Set-Cookie deletions = same secret; 200 null without Set-Cookie = another (only after the control probe `cookie-header-stripped` is negative and the name is known). No account needed, nothing written.",
        files: "Fingerprint of BETTER_AUTH_SECRET per file/environment: .env*, .dev.vars, `vercel env pull` output, wrangler [vars] (error: a secret in a file); differing fingerprints between apps of a monorepo.",
        pasted: "session_token has the form token.44-char-base64= and the HMAC with the local secret fails. Only with a well-formed 44-character signature, else it is cookie-cut.",
        log: "signature_invalid for >90 % of sessions of one issuer since a deployment.",
        fix: "Set the same BETTER_AUTH_SECRET in both, in every environment (Production, Preview, Development are separate at Vercel), and redeploy: a variable counts from the next deployment on.",
    }
    SecretWhitespace "secret-whitespace" Environment AuthService Proof {
        title: "A line end or space in the secret at one side",
        symptom: "Works locally (dotenv trims), every session is refused in production.",
        outside: "A made-up session token that is signed with the secret is not recognised, and one that is signed with the secret and a line end (or without one) is.",
        files: "Value with leading/trailing white space in the environment (already a config error of the gate).",
        pasted: "HMAC holds with secret+\\n.",
        log: "signature_invalid for all.",
        fix: "Set it again without `echo`: `printf %s` is not safe with every CLI version, paste it in the dashboard or use `vercel env add NAME < file-without-newline`; redeploy.",
    }
    SecretQuoted "secret-quoted" Environment AuthService Proof {
        title: "Quotes became part of the secret",
        symptom: "As in secret-differs; typical of docker --env-file, systemd, GitHub secrets pasted with quotes.",
        outside: "As in secret-whitespace, with quotes removed or added.",
        files: "Value begins and ends with the same quote outside of a dotenv parser.",
        pasted: "HMAC holds without quotes.",
        log: "signature_invalid for all.",
        fix: "Remove the quotes where the platform does not parse them.",
    }
    SecretDefault "secret-default" Environment AuthService Proof {
        title: "No secret at all: Better Auth silently uses its published default",
        symptom: "Works everywhere but in the gate; anybody can forge sessions.",
        outside: "A made-up session token that is signed with the published default is recognised.",
        files: "BETTER_AUTH_SECRET/AUTH_SECRET missing and NODE_ENV not production (Better Auth throws only in production: measured, process exits at creation).",
        pasted: "HMAC holds with the default; JWE kid 2gfuK-4nzYOKZS75JQilUpf8F-Z0f4p0ERdZSPpOIHs; dont_remember value true.2Q7qxj/….",
        log: "signature_invalid for all.",
        fix: "Generate one (`openssl rand -base64 32`), set it everywhere, redeploy. Treat as a security incident if the service is public.",
    }
    SecretRetired "secret-retired" Environment AuthService Proof {
        title: "Cookie or gate still has the secret of before a rotation",
        symptom: "Everybody is signed out once after the rotation; or for good where one side kept the old one.",
        outside: "A made-up session token is not recognised when signed with the first secret, and is with a retired one.",
        files: "BETTER_AUTH_SECRETS: order matters, the first is current; BETTER_AUTH_SECRET equals a later entry.",
        pasted: "HMAC holds with a retired secret.",
        log: "signature_invalid falling off over days.",
        fix: "Put the new secret first at both sides; people sign in again once. secrets[] saves only encrypted caches, not session_token.",
    }
    SecretShort "secret-short" Environment AuthService Proof {
        title: "Secret under 32 characters or of little entropy",
        symptom: "Start-up error or warning; some versions refuse.",
        outside: "",
        files: "Length, log2(distinct)·length < 120.",
        pasted: "",
        log: "not_started / warning.",
        fix: "Make one with `openssl rand -base64 32`, and set it everywhere.",
    }
    SecretBundledAtBuild "secret-bundled-at-build" Environment Gate Strong {
        title: "Edge middleware has the variable of build time (or none): .env files are not there at run time",
        symptom: "503 not_started or all 401 only on Vercel, only in middleware.",
        outside: "Gate answers 503 with reason not_started while /api/auth/ok is 200; or fingerprint in the gate's start line differs from the service's.",
        files: "Variable only in a committed/ignored .env* file; middleware.ts (edge) and process.env[name] by computed name; `env` in wrangler only under [env.production].",
        pasted: "",
        log: "not_started at start.",
        fix: "Set the variable in the platform (Vercel project settings for Production *and* Preview, `wrangler secret put`), redeploy. In edge middleware read process.env.NAME literally.",
    }
    EnvPreviewMissing "env-preview-missing" Environment Gate Strong {
        title: "Variables set for Production only; previews run without or with another",
        symptom: "Preview deployments only: 401/503.",
        outside: "`doorward doctor diff URL1 URL2`: facts differ (secret oracle same at one, other at the other).",
        files: "`vercel env ls`, and what `vercel env pull` writes: names present per target.",
        pasted: "",
        log: "not_started on preview hosts.",
        fix: "Add the variables to the Preview target.",
    }
    UrlMissing "url-missing" Environment AuthService Strong {
        title: "BETTER_AUTH_URL missing: base URL is guessed from the first request",
        symptom: "iss/aud/cookie prefix change with the host of the first request; cookies without Secure in production (older), INVALID_ORIGIN at random.",
        outside: "iss of a minted JWT is an internal host; names without __Secure- on https.",
        files: "None of BETTER_AUTH_URL, NEXT_PUBLIC_BETTER_AUTH_URL, PUBLIC_…, NUXT_PUBLIC_…, BASE_URL and no baseURL in auth.ts.",
        pasted: "iss names localhost or an internal host.",
        log: "issuer_unknown.",
        fix: "Set BETTER_AUTH_URL to the public https origin.",
    }
    UrlContradiction "url-contradiction" Environment AuthService Strong {
        title: "BETTER_AUTH_URL, NEXT_PUBLIC_APP_URL, BETTER_AUTH_ISSUER, BETTER_AUTH_JWKS_URL name different hosts or schemes",
        symptom: "Some calls go to one service, some to another.",
        outside: "",
        files: "origin(url) != origin(issuer) != origin(jwks_url), trailing slash, /api/auth doubled, http with a public host, localhost in a production file.",
        pasted: "",
        log: "Config warnings.",
        fix: "Use one public origin; iss and aud are that origin without slash and path.",
    }
    TrailingSlashEnv "trailing-slash-env" Environment AuthService Proof {
        title: "BETTER_AUTH_URL ends with a slash or has /api/auth in it",
        symptom: "404s like //api/auth or verifiers that compare iss with the raw variable.",
        outside: "iss has no slash although the variable has (Better Auth writes the origin).",
        files: "BETTER_AUTH_URL matches /.+\\/$/ or contains a path while API settings use it as issuer verbatim.",
        pasted: "iss vs configured text differ by one slash.",
        log: "issuer_unknown.",
        fix: "Compare with new URL(BETTER_AUTH_URL).origin, not with the text.",
    }

    // cookies
    HttpBaseUrlBehindTls "http-base-url-behind-tls" Cookies AuthService Proof {
        title: "TLS ends at a proxy, base URL is http: cookies without Secure and __Secure-",
        symptom: "Gate or middleware looks for __Secure-better-auth.session_token and finds none; or INVALID_ORIGIN at sign-in.",
        outside: "URL is https and POST /sign-out (no cookies) answers names without __Secure- and no Secure.",
        files: "BETTER_AUTH_URL begins with http:// and is no loopback.",
        pasted: "Plain name although the site is https.",
        log: "no_credential while the Cookie header has a plain name (`debug_header`).",
        fix: "BETTER_AUTH_URL=https://… (the scheme of the request is never looked at), or useSecureCookies: true.",
    }
    SecureCookieOnHttp "secure-cookie-on-http" Cookies AuthService Proof {
        title: "https base URL or Secure attribute, but the page is http",
        symptom: "Sign-in answers 200, browser stores nothing (Safari also on http://localhost; nobody stores it on http://0.0.0.0 or a LAN address).",
        outside: "URL is http and the deletion lines have Secure/__Secure-.",
        files: "BETTER_AUTH_URL https in .env.development; NODE_ENV=production with `next start` on http.",
        pasted: "",
        log: "no_credential.",
        fix: "Use http in development, or local https (mkcert, next dev --experimental-https); for Safari never Secure on http.",
    }
    SecurePrefixDiffers "secure-prefix-differs" Cookies Gate Proof {
        title: "One side uses __Secure-, the other does not",
        symptom: "getSessionCookie/getCookieCache null in production builds or wrangler/OpenNext preview only.",
        outside: "Name from POST /sign-out vs the name the gate's configuration computes; a cookie under the wrong name is ignored (200 null, no Set-Cookie).",
        files: "useSecureCookies, NODE_ENV=production with http base URL, secure_cookies in doorward config.",
        pasted: "Browser has the other name.",
        log: "no_credential.",
        fix: "Make both follow the base URL; set secure_cookies in the gate, or fix BETTER_AUTH_URL.",
    }
    CookieNameDiffers "cookie-name-differs" Cookies Gate Proof {
        title: "Custom cookiePrefix or cookie name",
        symptom: "Gate/middleware finds no session.",
        outside: "POST /sign-out names the cookies the service really uses: acme.session_token, __Secure-sid.",
        files: "advanced.cookiePrefix / advanced.cookies.session_token.name in auth.ts vs cookie_prefix / session_token_cookie.",
        pasted: "Another prefix in the header.",
        log: "no_credential.",
        fix: "cookie_prefix / session_token_cookie in the gate's configuration.",
    }
    CookieDomainForeign "cookie-domain-foreign" Cookies AuthService Proof {
        title: "Domain attribute does not cover the host that sets it: the browser drops the cookie",
        symptom: "Sign-in 200, cookies flash in DevTools and vanish.",
        outside: "Domain in the Set-Cookie of POST /sign-out is not the host or a parent of it.",
        files: "crossSubDomainCookies.domain / COOKIE_DOMAIN vs BETTER_AUTH_URL.",
        pasted: "",
        log: "no_credential.",
        fix: "Domain must be the common parent, e.g. example.com for auth.example.com and app.example.com.",
    }
    CookiePathNarrow "cookie-path-narrow" Cookies AuthService Proof {
        title: "Path attribute is too narrow: the browser does not send the cookie where it is needed",
        symptom: "Sign-in 200, the cookie is in DevTools, and requests come without it.",
        outside: "Path in the Set-Cookie of POST /sign-out does not cover /get-session or the gate's path.",
        files: "nginx `proxy_cookie_path`; advanced.defaultCookieAttributes.path.",
        pasted: "",
        log: "no_credential.",
        fix: "Path=/: remove `proxy_cookie_path` from the proxy, or the option from the service.",
    }
    CookieAttributesRefused "cookie-attributes-refused" Cookies AuthService Proof {
        title: "Attributes contradict the cookie's name or each other: the browser drops the cookie",
        symptom: "Sign-in 200, and DevTools marks the Set-Cookie line with a warning.",
        outside: "A `__Secure-` or `__Host-` name without what it promises, or SameSite=None without Secure.",
        files: "nginx `proxy_cookie_flags … nosecure`; advanced.defaultCookieAttributes.",
        pasted: "",
        log: "no_credential.",
        fix: "Let the proxy pass Set-Cookie on as it comes, and set `Secure` with SameSite=None.",
    }
    CookieDomainPublicSuffix "cookie-domain-public-suffix" Cookies AuthService Proof {
        title: "Domain is a public suffix (.vercel.app, .up.railway.app, .workers.dev, .pages.dev)",
        symptom: "Browser refuses the cookie; frontend and backend on *.vercel.app never share a session.",
        outside: "Domain is on the public suffix list.",
        files: "Same, with the crate/npm psl.",
        pasted: "",
        log: "no_credential.",
        fix: "Use a domain of your own, or one origin with a rewrite/proxy.",
    }
    HostOnlyCookie "host-only-cookie" Cookies AuthService Strong {
        title: "App and auth service on sister hosts, cookie without Domain",
        symptom: "useSession works, server components/middleware of the other host see no cookie.",
        outside: "--app names another host of the same site and Set-Cookie has no Domain.",
        files: "crossSubDomainCookies not enabled, two hosts in env.",
        pasted: "Header of the app's host has no session cookie.",
        log: "no_credential.",
        fix: "crossSubDomainCookies {enabled, domain}, or serve /api/auth on the app's own origin.",
    }
    WwwApex "www-apex" Cookies AuthService Strong {
        title: "www and apex mixed; one redirects to the other",
        symptom: "Signed in at www, anonymous at apex (or sign-in lost in a 307/308).",
        outside: "GET / and /api/auth/ok at both: one answers 301/307/308 to the other, or both serve.",
        files: "NEXT_PUBLIC_APP_URL vs BETTER_AUTH_URL differ by www.",
        pasted: "",
        log: "no_credential on one host.",
        fix: "Redirect one to the other before everything, base URL = the one that stays; or Domain.",
    }
    DuplicateCookies "duplicate-cookies" Cookies App Proof {
        title: "Two session cookies of one name (old Domain or Path)",
        symptom: "Some users are signed out for ever; signing out does not help.",
        outside: "Not from outside.",
        files: "Domain changed in git history of auth.ts.",
        pasted: "The same name twice with different values; the first counts at the server, the last in the helper.",
        log: "session_ended/redirect_loop for single users; duplicate diagnosed by explain.",
        fix: "Clear the old cookie once with its old Domain (gate: cookie_domain), or rename the prefix.",
    }
    ChunkMissing "chunk-missing" Cookies AuthService Proof {
        title: "A chunk of session_data is missing or cut",
        symptom: "Users with much data are looked up every time, or helper says null.",
        outside: "",
        files: "",
        pasted: "Chunks not 0..n, or they do not join to a whole value (a lost last chunk leaves no gap: verify).",
        log: "cookie_incomplete, source auth-service for single users.",
        fix: "Put less into session/user (no base64 images), raise header limits, or cookieCache off.",
    }
    HeaderTooLarge "header-too-large" Cookies Platform Proof {
        title: "Cookie or Set-Cookie headers over a limit on the way",
        symptom: "431, nginx 400 'Request Header Or Cookie Too Large' or 502 'upstream sent too big header', 503 session_unavailable with no-response on Node hosts, for single users.",
        outside: "Send a Cookie header of 4, 8, 12, 15 KB (junk names) to /ok: where it turns 400/431/413/502 is the limit. Response side: size of Set-Cookie + set-auth-jwt of a real session.",
        files: "Large user.additionalFields / customSession / user.image base64; jwt plugin without definePayload and disableSettingJwtHeader (the whole user goes into set-auth-jwt too).",
        pasted: "Bytes of the header (>4 KB warn, >8 KB nginx default, >16 KB Node default).",
        log: "session_unavailable with no-response for single sessions.",
        fix: "Less in the session; jwt({disableSettingJwtHeader: true}) or definePayload; large_client_header_buffers / proxy_buffer_size 16k; node --max-http-header-size.",
    }
    CookieDoubleEncoded "cookie-double-encoded" Cookies App Proof {
        title: "A proxy or script percent-encoded the cookie again",
        symptom: "Null although the cookie is there.",
        outside: "control: POST /sign-out through the proxy with Cookie: doorward_probe=a%2Fb is not distinguishable; use pasted.",
        files: "Manual cookies().set(name, encodeURIComponent(...)) in code.",
        pasted: "%25 in the value.",
        log: "credential_malformed / signature_invalid.",
        fix: "Copy Set-Cookie lines untouched.",
    }
    CookieCut "cookie-cut" Cookies App Proof {
        title: "Signature missing or cut",
        symptom: "Null; typical when a script stores body.token as the cookie.",
        outside: "",
        files: "document.cookie / cookies().set('better-auth.session_token', data.token).",
        pasted: "No dot, or signature not 44 characters ending in '='.",
        log: "credential_malformed.",
        fix: "Let the auth service set the cookie (Set-Cookie), never the bare token.",
    }
    NoSessionCookie "no-session-cookie" Cookies App Proof {
        title: "The request carries no session cookie at all",
        symptom: "401 at once.",
        outside: "",
        files: "fetch without credentials: 'include' (cross-origin), server-side fetch without headers().",
        pasted: "Header without session_token; other cookies present.",
        log: "no_credential.",
        fix: "See samesite, cors, server-fetch rows.",
    }
    RememberMeFalse "remember-me-false" Cookies AuthService Proof {
        title: "rememberMe: false: session_data written once for 60 s, never again",
        symptom: "Signed out by cache-only middleware after a minute; gone when the browser closes.",
        outside: "",
        files: "Middleware that uses getCookieCache alone.",
        pasted: "dont_remember cookie beside session_token.",
        log: "Source auth-service every time for these sessions.",
        fix: "Not a fault of yours: do not decide on session_data alone. The gate asks.",
    }
    CookieCacheNotRenewed "cookie-cache-not-renewed" Cookies AuthService Strong {
        title: "Cookie cache ran out and nobody renews it",
        symptom: "Logged out after five minutes although the session lives.",
        outside: "With a pasted cookie: /get-session?disableCookieCache=true answers a user and sets session_data, the browser has none.",
        files: "getCookieCache/JWT-only middleware, no client call of useSession, cookieCache.maxAge small.",
        pasted: "session_data missing or envelope expired, session_token good.",
        log: "session_data misses rising, renewals 0.",
        fix: "Call /get-session with Set-Cookie forwarded (the gate does), or do not decide on the cache.",
    }
    CookieCacheOff "cookie-cache-off" Cookies AuthService Strong {
        title: "Cookie cache off: only the session cookie exists",
        symptom: "getCookieCache always null; every request costs a lookup.",
        outside: "deep: a self-made session_data is not answered in any strategy.",
        files: "session.cookieCache.enabled missing.",
        pasted: "No session_data although just signed in.",
        log: "Source auth-service always.",
        fix: "Enable session.cookieCache, or accept one ask per session_cache_seconds.",
    }
    StrategyChanged "strategy-changed" Cookies AuthService Strong {
        title: "Cookies written in another strategy than the service now has",
        symptom: "After a deployment /get-session is 500 for people with old cookies until they expire.",
        outside: "deep: jwt/jwe shaped session_data → 500 FAILED_TO_GET_SESSION at a compact service.",
        files: "cookieCache.strategy changed.",
        pasted: "Dots in session_data (0 compact, 2 jwt, 4 jwe) vs service.",
        log: "session_unavailable with server-error for sessions of before the deployment.",
        fix: "Delete session_data once (new cookie prefix or version), or let it run out; compact→jwt/jwe is harmless.",
    }
    StrategyDiffers "strategy-differs" Cookies Gate Proof {
        title: "Gate/helper expects another strategy than the service has",
        symptom: "Cache never hits.",
        outside: "deep: which of three self-made caches is answered.",
        files: "cookie_cache vs cookieCache.strategy.",
        pasted: "Dots.",
        log: "alg_not_allowed / misses 100 %.",
        fix: "cookie_cache: auto, or the same.",
    }
    CacheVersion "cache-version" Cookies AuthService Strong {
        title: "cookieCache.version differs",
        symptom: "Cache never hits (stateless: signed out).",
        outside: "deep: cache of version 1 is not answered though strategy is right.",
        files: "cookieCache.version vs cookie_cache_version.",
        pasted: "Version inside session_data (needs the secret).",
        log: "session_version.",
        fix: "Same version at both.",
    }

    // network
    Unreachable "unreachable" Network Platform Proof {
        title: "The auth service does not answer (DNS, TLS, refused, time-out)",
        symptom: "503 or hanging sign-in.",
        outside: "Connection error, by phase: dns, connect, tls (chain, name, expiry), http, time-out.",
        files: "Host in env has no public DNS; localhost inside a container.",
        pasted: "",
        log: "session_unavailable with no-response, keys_unavailable.",
        fix: "Reach it from where the gate runs (fetch_url).",
    }
    BaseUrlRedirects "base-url-redirects" Network Platform Proof {
        title: "The URL redirects (http→https, apex→www, trailing slash, locale)",
        symptom: "Clients follow, verifiers and gates do not; POST becomes GET; Authorization is dropped across hosts.",
        outside: "3xx with Location at /ok.",
        files: "URL differs from the canonical one.",
        pasted: "",
        log: "session_unavailable/redirect, keys_unavailable.",
        fix: "Configure the final URL.",
    }
    BasePathDiffers "base-path-differs" Network Gate Proof {
        title: "Auth handler mounted elsewhere",
        symptom: "404 for /get-session, often shown as null.",
        outside: "/ok under the configured path is 404, under another of the usual it is {\"ok\":true}.",
        files: "basePath in auth.ts, path in BETTER_AUTH_URL, folder of [...all]/route.ts, Hono pattern.",
        pasted: "",
        log: "session_unavailable/odd-status.",
        fix: "base_path in the gate, basePath in auth.ts and the route folder must agree.",
    }
    HtmlInsteadOfAuth "html-instead-of-auth" Network Platform Proof {
        title: "A single-page app or CMS answers for /api/auth",
        symptom: "JSON parse errors, JWKS 'Expecting value'.",
        outside: "200 text/html at /ok or /jwks.",
        files: "rewrites/fallbacks in vercel.json, next.config, _redirects.",
        pasted: "",
        log: "session_unavailable/odd-body, keys_unavailable.",
        fix: "Route the path to the auth service before the fallback.",
    }
    DeploymentProtection "deployment-protection" Network Platform Proof {
        title: "Vercel deployment protection, Cloudflare Access or basic auth before the service",
        symptom: "Browser works (it has _vercel_jwt), every server-side fetch gets 401 HTML: JWKS, get-session.",
        outside: "401 + text/html + _vercel_sso_nonce / Location to *.cloudflareaccess.com / WWW-Authenticate: Basic.",
        files: "URL is *.vercel.app or VERCEL_URL.",
        pasted: "",
        log: "session_unavailable/unauthorized, keys_unavailable.",
        fix: "Use the production domain, or x-vercel-protection-bypass for the gate (--header), or take the path out of the protection.",
    }
    BotChallenge "bot-challenge" Network Platform Proof {
        title: "WAF/bot challenge answers machines with 403 or a challenge",
        symptom: "JWKS works in the browser, 403 from Python (urllib user agent) or from the edge.",
        outside: "The same GET /jwks with a browser's, doorward's and Python-urllib's user agent: one is 403 / cf-mitigated: challenge.",
        files: "",
        pasted: "",
        log: "keys_unavailable.",
        fix: "Skip rule for /api/auth/jwks, or PyJWKClient(headers={'User-Agent': …}).",
    }
    CookieHeaderStripped "cookie-header-stripped" Network Platform Strong {
        title: "Something removes the Cookie header",
        symptom: "Service always answers null.",
        outside: "Control probe: POST /sign-out with Cookie: doorward_probe=1 and no Origin: 403 MISSING_OR_NULL_ORIGIN = it arrived; 200 = it did not.",
        files: "CloudFront policy, cache-everything rule, proxy code that copies listed headers.",
        pasted: "",
        log: "bridge_unavailable/unauthorized, session_ended for all.",
        fix: "Forward Cookie on /api/auth/*.",
    }
    SetCookieStripped "set-cookie-stripped" Network Platform Proof {
        title: "Something removes Set-Cookie (cache, proxy, framework)",
        symptom: "Sign-in 200, no cookie.",
        outside: "POST /sign-out: 200 {success:true} without Set-Cookie.",
        files: "Cache everything rules, return Response built from the body only (new Response(await r.text())).",
        pasted: "",
        log: "no_credential for all.",
        fix: "Do not cache /api/auth/*, forward all Set-Cookie lines (getSetCookie()).",
    }
    SetCookieJoined "set-cookie-joined" Network Platform Proof {
        title: "Set-Cookie lines are joined with a comma",
        symptom: "Only the first cookie survives, with wrong attributes (session_token gets Max-Age=300): logged out after five minutes.",
        outside: "POST /sign-out: three names in one Set-Cookie line.",
        files: "headers.get('set-cookie') copied with headers.set.",
        pasted: "",
        log: "session_data never seen.",
        fix: "Append each of headers.getSetCookie().",
    }
    AuthorizationStripped "authorization-stripped" Network Platform Strong {
        title: "Something removes or replaces Authorization",
        symptom: "API: 'Not authenticated' although the client sends a token.",
        outside: "API answers to a good token byte for byte as to none; bearer plugin: signed unknown token → deletions if it arrives.",
        files: "proxy_set_header Authorization \"\"; CloudFront without Authorization; basic auth before it.",
        pasted: "",
        log: "no_credential at the API's gate.",
        fix: "Forward Authorization.",
    }
    RewritesLoseDomain "rewrites-lose-domain" Network App Proof {
        title: "Next rewrites/vercel.json to another host keep a foreign Domain",
        symptom: "Cookie set through the rewrite is dropped.",
        outside: "Set-Cookie at the app's URL has the backend's Domain.",
        files: "rewrites() to another host with crossSubDomainCookies.",
        pasted: "",
        log: "no_credential.",
        fix: "No Domain at the backend, base URL = the app's origin.",
    }
    GetSessionCached "get-session-cached" Network Platform Proof {
        title: "A CDN or browser caches /get-session or pages of signed-in people",
        symptom: "Null for everybody, or somebody else's session.",
        outside: "cf-cache-status: HIT, x-vercel-cache: HIT, x-cache: Hit, Age > 0, cache-control without no-store on /get-session.",
        files: "Cache rules; s-maxage in next.config headers.",
        pasted: "",
        log: "session_unavailable/other-token.",
        fix: "Bypass the cache for /api/auth/*.",
    }
    OriginNotTrusted "origin-not-trusted" Network AuthService Proof {
        title: "Origin not in trustedOrigins: preview, www, another port",
        symptom: "POST sign-in 403 INVALID_ORIGIN (cookie or not); sign-out too.",
        outside: "POST /sign-out with Cookie: doorward_probe=1 and Origin of the app: 403 INVALID_ORIGIN vs 200. No side effect.",
        files: "trustedOrigins / baseURL vs hosts in env, VERCEL_URL.",
        pasted: "",
        log: "cross_site_request (gate) or none.",
        fix: "trustedOrigins: [origin] or baseURL: {allowedHosts: [...]}.",
    }
    AllowedHosts "allowed-hosts" Network AuthService Strong {
        title: "baseURL.allowedHosts lacks this host",
        symptom: "500 with empty body on every auth route; with toNodeHandler the process ends (unhandled rejection, measured).",
        outside: "/ok 500 and empty body at this host, 200 at another.",
        files: "allowedHosts in auth.ts.",
        pasted: "",
        log: "session_unavailable with server-error.",
        fix: "Add the host or a fallback.",
    }
    PreviewHostDiffers "preview-host-differs" Network App Strong {
        title: "Preview URL (hash, branch alias) is another host: cookies, iss, callback do not fit",
        symptom: "Previews only.",
        outside: "Origin probe + iss vs host.",
        files: "VERCEL_URL used as base URL (it is the hash host, never the alias).",
        pasted: "iss is another host.",
        log: "issuer_unknown.",
        fix: "allowedHosts with both VERCEL_URL and VERCEL_BRANCH_URL, or one fixed preview domain.",
    }
    SelfFetch "self-fetch" Network Platform Strong {
        title: "Worker or container cannot reach the service by its public URL",
        symptom: "JWKS 404 'error code: 1042', 522, ECONNREFUSED localhost from inside a container; only when deployed.",
        outside: "Doctor from outside is green while the gate's log says keys_unavailable: that contradiction is the diagnosis.",
        files: "Same zone/account workers.dev without global_fetch_strictly_public; BETTER_AUTH_URL=http://localhost in docker.",
        pasted: "",
        log: "keys_unavailable/failed, session_unavailable with no-response.",
        fix: "fetch_url, service binding, compatibility flag global_fetch_strictly_public.",
    }
    RateLimited "rate-limited" Network AuthService Proof {
        title: "Rate limit bucket shared by everybody",
        symptom: "Random 429 or false 401 when traffic grows, production only.",
        outside: "429 with X-Retry-After on one of doorward doctor's first requests (100 per 10 s and path; doorward doctor sends at most 13).",
        files: "rateLimit enabled (NODE_ENV=production), no advanced.ipAddress.{ipAddressHeaders,trustedProxies}; service log 'could not determine a client IP'.",
        pasted: "",
        log: "session_unavailable/rate-limited across many sessions.",
        fix: "Let Better Auth tell addresses apart: advanced.ipAddress.ipAddressHeaders: ['cf-connecting-ip'] or trustedProxies; customRules {'/get-session': false}.",
    }

    // plugins
    JwtPluginMissing "jwt-plugin-missing" Plugins AuthService Proof {
        title: "jwt() is not among the plugins (or JWKS is remote)",
        symptom: "404 at /token and /jwks; API cannot verify anything.",
        outside: "GET /jwks 404 while /ok is 200.",
        files: "Plugins in auth.ts without jwt().",
        pasted: "",
        log: "bridge_unavailable/no-jwt-plugin, keys_unavailable.",
        fix: "plugins: [jwt()], migrate (table jwks).",
    }
    JwksKeyUndecryptable "jwks-key-undecryptable" Plugins AuthService Strong {
        title: "Stored signing key is encrypted with an older secret",
        symptom: "After a change of the secret sign-in is 200, then /get-session is 500 for everybody; /jwks still 200.",
        outside: "Deep or pasted: /get-session or /token 500 with empty body, /jwks 200, /ok 200.",
        files: "",
        pasted: "",
        log: "session_unavailable with server-error for all.",
        fix: "Delete the rows of table jwks (or put the old secret into secrets[]).",
    }
    BearerPluginMissing "bearer-plugin-missing" Plugins AuthService Strong {
        title: "Session token sent as Authorization, bearer() not installed (or requireSignature)",
        symptom: "Null for mobile/CLI clients.",
        outside: "Signed unknown token as Bearer: no deletions.",
        files: "Plugins without bearer(); client sends data.token.",
        pasted: "32 characters without dot in Authorization.",
        log: "token_malformed / session_unavailable.",
        fix: "plugins: [bearer()], or send the JWT of /token to APIs.",
    }
    NextCookiesMissing "next-cookies-missing" Plugins AuthService Hint {
        title: "nextCookies() missing or not last: server actions set no cookies",
        symptom: "Session row exists, browser has no cookie after signing in in a server action.",
        outside: "",
        files: "auth.api.signIn* in 'use server' files and no nextCookies() as last plugin.",
        pasted: "No session cookie.",
        log: "no_credential right after sign-in.",
        fix: "plugins: [..., nextCookies()] (last), or sign in with authClient.",
    }
    TwoFactorPending "two-factor-pending" Plugins AuthService Proof {
        title: "Second factor outstanding: no session yet",
        symptom: "Sign-in 200 {twoFactorRedirect:true}, then null.",
        outside: "With --sign-in: body has twoFactorRedirect.",
        files: "twoFactor() plugin, form ignores twoFactorRedirect.",
        pasted: "two_factor cookie and no session_token.",
        log: "no_credential.",
        fix: "Handle twoFactorRedirect.",
    }

    // options
    EmailNotVerified "email-not-verified" Options AuthService Proof {
        title: "requireEmailVerification or autoSignIn:false: sign-up gives no session",
        symptom: "Signed up, session null; sign-in 403 EMAIL_NOT_VERIFIED.",
        outside: "With --sign-in: 403 EMAIL_NOT_VERIFIED; sign-up body token:null without Set-Cookie.",
        files: "emailAndPassword.{requireEmailVerification,autoSignIn}.",
        pasted: "",
        log: "no_credential.",
        fix: "Send the mail, verify; or tell the user.",
    }
    SessionNotFresh "session-not-fresh" Options AuthService Proof {
        title: "freshAge: sensitive endpoints 403 SESSION_NOT_FRESH",
        symptom: "403 on delete/list/password.",
        outside: "Code SESSION_NOT_FRESH.",
        files: "session.freshAge.",
        pasted: "session.createdAt.",
        log: "Forbidden (max_session_age_seconds).",
        fix: "Sign in again before it, or freshAge: 0.",
    }
    SessionShort "session-short" Options AuthService Strong {
        title: "expiresIn/updateAge/maxAge in the wrong unit (ms for s, or minutes)",
        symptom: "Signed out after minutes; or serialisation throws above 400 days.",
        outside: "Max-Age of session_token at --sign-in.",
        files: "expiresIn < 3600 or > 34560000.",
        pasted: "session.expiresAt − createdAt.",
        log: "session_expired.",
        fix: "Give all three options in seconds: `expiresIn`, `updateAge` and `cookieCache.maxAge`.",
    }
    StatelessByAccident "stateless-by-accident" Options AuthService Proof {
        title: "No database configured: stateless mode",
        symptom: "Revocation and other devices do not work; session ends after 7 days for all.",
        outside: "POST /sign-out deletes five names (account_data, oauth_state too).",
        files: "No database/secondaryStorage in auth.ts.",
        pasted: "session_data Max-Age 604800, jwe.",
        log: "",
        fix: "Configure database, or stateless: true in the gate.",
    }
    DisableCookieCacheFalse "disable-cookie-cache-false" Options AuthService Proof {
        title: "?disableCookieCache=false means true",
        symptom: "Every client call reads the database.",
        outside: "",
        files: "Query {disableCookieCache: false} in client code.",
        pasted: "",
        log: "",
        fix: "Leave the parameter out.",
    }

    // jwt
    IssuerTrailingSlash "issuer-trailing-slash" Jwt Gate Proof {
        title: "iss with/without slash",
        symptom: "The API or the gate refuses each token: invalid issuer.",
        outside: "Deep (set-auth-jwt) or pasted: iss of a real token vs issuer.",
        files: "BETTER_AUTH_ISSUER / ISSUER in API env ends with /.",
        pasted: "iss.",
        log: "issuer_unknown.",
        fix: "Write the issuer as the origin without a slash, on both sides.",
    }
    IssuerPath "issuer-path" Jwt Gate Proof {
        title: "Verifier expects /api/auth in iss (or service writes it)",
        symptom: "The API or the gate refuses each token: invalid issuer.",
        outside: "The same as in the cause before.",
        files: "ISSUER contains /api/auth.",
        pasted: "iss.",
        log: "issuer_unknown.",
        fix: "Better Auth writes the origin; OAuth provider's ID tokens have the path.",
    }
    IssuerScheme "issuer-scheme" Jwt AuthService Proof {
        title: "iss http, expected https (base URL behind TLS)",
        symptom: "The API or the gate refuses each token: invalid issuer.",
        outside: "The same as in the cause before.",
        files: "As http-base-url-behind-tls.",
        pasted: "iss.",
        log: "issuer_unknown.",
        fix: "Set BETTER_AUTH_URL to the https origin.",
    }
    IssuerHost "issuer-host" Jwt AuthService Proof {
        title: "Token of another environment or preview",
        symptom: "Tokens of one environment are refused by another: invalid issuer.",
        outside: "The same as in the cause before.",
        files: "Two hosts.",
        pasted: "iss.",
        log: "issuer_unknown.",
        fix: "Point API and gate at the same service.",
    }
    AudienceDiffers "audience-differs" Jwt Gate Proof {
        title: "aud is not what the verifier expects (default: origin of base URL)",
        symptom: "InvalidAudienceError; also when PyJWT gets no audience at all.",
        outside: "As iss; API's body.",
        files: "AUDIENCE in API env; jwt.decode without audience=.",
        pasted: "aud.",
        log: "audience_mismatch, bridge_token_invalid.",
        fix: "Expect the origin of BETTER_AUTH_URL, or set what you expect: jwt({jwt:{audience}}).",
    }
    ExpIsADate "exp-is-a-date" Jwt AuthService Proof {
        title: "expirationTime as a number is an absolute date: tokens expired in 1970",
        symptom: "Every token is expired.",
        outside: "exp of a real token < iat.",
        files: "expirationTime: 3600 in auth.ts.",
        pasted: "exp 3600.",
        log: "token_expired, bridge_token_invalid/token_expired.",
        fix: "Write the time as text: expirationTime: '1h'.",
    }
    TokenExpiredNoRefresh "token-expired-no-refresh" Jwt App Proof {
        title: "JWT lives 15 min, client keeps it longer",
        symptom: "API 401 after 15 minutes, session fine.",
        outside: "",
        files: "Token kept in state/localStorage, no refetch of /token.",
        pasted: "exp past.",
        log: "token_expired, ages all > 15 min.",
        fix: "Fetch /token before exp; or the gate's bridge.",
    }
    JwksNotJson "jwks-not-json" Jwt AuthService Proof {
        title: "JWKS URL answers HTML or an error",
        symptom: "json.decoder.JSONDecodeError / PyJWKClientConnectionError in the API.",
        outside: "Status, content type, first bytes as class (html/json/empty).",
        files: "JWKS_URL.",
        pasted: "",
        log: "keys_unavailable.",
        fix: "Fetch <base>/api/auth/jwks, which has to be public and without a redirect.",
    }
    JwksEmpty "jwks-empty" Jwt AuthService Proof {
        title: "Key set is empty or has no usable key",
        symptom: "PyJWKSetError.",
        outside: "{keys:[]} or only unknown kty/alg.",
        files: "",
        pasted: "",
        log: "keys_unavailable.",
        fix: "Look at table jwks; PyJWT without cryptography says the same.",
    }
    KidNotInJwks "kid-not-in-jwks" Jwt AuthService Proof {
        title: "Token's kid is not in the set: other environment, rotated, wiped table, stale cache",
        symptom: "PyJWKClientError: Unable to find a signing key.",
        outside: "kid of a real token vs JWKS fetched now, twice, from two URLs if JWKS_URL differs.",
        files: "JWKS_URL of another host.",
        pasted: "kid.",
        log: "key_not_found.",
        fix: "One JWKS URL; verifiers must refetch on unknown kid.",
    }
    JwksManyKeys "jwks-many-keys" Jwt AuthService Hint {
        title: "Concurrent first calls or rotation without limit leave many keys",
        symptom: "JWKS grows; first tokens unknown to caches.",
        outside: "More than 3 keys, or key count changes between two fetches.",
        files: "rotationInterval.",
        pasted: "",
        log: "key_not_found right after deployments.",
        fix: "Call /jwks once after migration; rotationInterval.",
    }
    WrongTokenSent "wrong-token-sent" Jwt App Proof {
        title: "Session token, signed cookie or ID token sent to the API instead of the JWT",
        symptom: "PyJWT DecodeError: Not enough segments.",
        outside: "API distinguishes nothing.",
        files: "Client sends session.token / data.token as Bearer.",
        pasted: "0 or 1 dots, 32 characters.",
        log: "token_malformed.",
        fix: "Send the JWT: authClient.token(), GET /token, or the header set-auth-jwt.",
    }
    TokenAltered "token-altered" Jwt App Strong {
        title: "The token was cut or changed on its way",
        symptom: "InvalidSignatureError or DecodeError for a token that its issuer takes.",
        outside: "",
        files: "A column or a header limit that is too short for a token; a token that is encoded again.",
        pasted: "The key is known and the signature does not hold, or a part is missing.",
        log: "signature_invalid or token_malformed.",
        fix: "Send it as it was issued: not cut by a column, a log or a header limit, not encoded again.",
    }
    BearerPrefixLeft "bearer-prefix-left" Jwt App Proof {
        title: "'Bearer ' left in, or quotes",
        symptom: "DecodeError: Invalid header padding.",
        outside: "",
        files: "token = request.headers['authorization'] without split.",
        pasted: "Begins with 'Bearer '.",
        log: "token_malformed.",
        fix: "Give jwt.decode the second word of the header alone.",
    }

    // api
    ApiPyjwtMissing "api-pyjwt-missing" Api Api Proof {
        title: "The API's interpreter has no PyJWT, or another module is named jwt",
        symptom: "ImportError or AttributeError when the API starts or with the first token.",
        outside: "",
        files: "jwt instead of pyjwt in requirements.txt/pyproject; a jwt.py of the project's own. `python -m doorward_origin doctor` tells it where the API runs.",
        pasted: "",
        log: "",
        fix: "Uninstall jwt and install PyJWT: pip install 'pyjwt[crypto]'; rename a jwt.py of your own.",
    }
    ApiNoCryptography "api-no-cryptography" Api Api Proof {
        title: "PyJWT without cryptography cannot read EdDSA/ES/RS",
        symptom: "401/500 on every token; local works because another package pulled it in.",
        outside: "API body names it (rare). With a good token refused: run `python -m doorward_origin doctor` where the API runs.",
        files: "requirements.txt/pyproject/uv.lock: pyjwt without [crypto] and no cryptography.",
        pasted: "alg EdDSA.",
        log: "",
        fix: "Install PyJWT with its extra: pip install 'pyjwt[crypto]'.",
    }
    ApiAlgorithm "api-algorithm" Api Api Proof {
        title: "algorithms=['RS256'] (or HS256) in jwt.decode, tokens are EdDSA",
        symptom: "InvalidAlgorithmError: The specified alg value is not allowed.",
        outside: "alg of a real token; API's body.",
        files: "algorithms=[…] near jwt.decode / JWT_ALGORITHM in env.",
        pasted: "alg.",
        log: "alg_not_allowed.",
        fix: "Accept what the keys are for: algorithms=['EdDSA'], or change the keys: jwt({jwks:{keyPairConfig:{alg:'ES256'}}}).",
    }
    IssuerDiffersAtApi "issuer-differs-at-api" Api Api Strong {
        title: "API's own issuer setting differs",
        symptom: "InvalidIssuerError.",
        outside: "Good token refused, body says issuer.",
        files: "ISSUER in API env vs iss.",
        pasted: "iss.",
        log: "",
        fix: "Set the API's issuer to the origin of BETTER_AUTH_URL, without slash and path.",
    }
    ApiCannotFetchJwks "api-cannot-fetch-jwks" Api Api Strong {
        title: "API cannot fetch the key set (DNS in the cluster, CA bundle, proxy, WAF, localhost in a container)",
        symptom: "PyJWKClientConnectionError.",
        outside: "JWKS is fine from here, good token refused, body says fetch.",
        files: "JWKS_URL=http://localhost… in compose; certifi.",
        pasted: "",
        log: "",
        fix: "Use a URL that the API's network reaches, with the CA bundle, proxy and user agent that it needs.",
    }
    ApiJwksCachedStale "api-jwks-cached-stale" Api Api Hint {
        title: "PyJWKClient keeps keys (lifespan 300 s) or a hand-made cache never refetches",
        symptom: "401 after rotation until restart.",
        outside: "kid of the token is in JWKS now, API refuses, accepts after restart.",
        files: "lru_cache around a JWKS fetch, keys pasted into code.",
        pasted: "kid newer than the API's start.",
        log: "",
        fix: "Refetch on unknown kid with a cool-down.",
    }
    ApiLeeway "api-leeway" Api Api Strong {
        title: "No leeway: iat one second in the future",
        symptom: "Random ImmatureSignatureError on fresh tokens.",
        outside: "Good token refused at once, accepted 3 s later.",
        files: "jwt.decode without leeway=.",
        pasted: "iat vs now.",
        log: "token_not_yet_valid.",
        fix: "Give jwt.decode leeway=5, and set the clocks by NTP.",
    }
    ApiRedirectLosesAuthorization "api-redirect-loses-authorization" Api Api Proof {
        title: "redirect_slashes 307 to http:// or another host: clients drop Authorization",
        symptom: "401 only for /items, not /items/.",
        outside: "3xx for the API path; Location has http: or another host.",
        files: "uvicorn without --proxy-headers/--forwarded-allow-ips; redirect_slashes.",
        pasted: "",
        log: "",
        fix: "Call the exact path; --proxy-headers; redirect_slashes=False.",
    }
    Api403Not401 "api-403-not-401" Api Api Hint {
        title: "HTTPBearer(auto_error) answers 403 'Not authenticated' for a missing header",
        symptom: "403 looks like permission.",
        outside: "No token → 403 'Not authenticated'.",
        files: "HTTPBearer().",
        pasted: "",
        log: "",
        fix: "Read it as no credential, or give HTTPBearer auto_error=False and answer 401.",
    }
    ApiRefusesGoodToken "api-refuses-good-token" Api Api Strong {
        title: "API refuses a token that verifies here, and does not say why",
        symptom: "401 with a general message.",
        outside: "Token verified against JWKS by doorward, API says 401/403.",
        files: "",
        pasted: "",
        log: "",
        fix: "Run `python -m doorward_origin doctor` beside the API; log the exception's class.",
    }
    CorsMissing "cors-missing" Api AuthService Proof {
        title: "CORS: no Access-Control-Allow-Credentials/-Origin, or * with credentials; preflight answered 401/404",
        symptom: "Browser: network error; cookies never stored or sent.",
        outside: "OPTIONS and GET with Origin of the app: ACAO is not the origin, ACAC missing; Better Auth itself answers OPTIONS 404 and no CORS headers.",
        files: "cors() registered after routes; credentials:true missing; client without credentials:'include'.",
        pasted: "",
        log: "Preflights refused.",
        fix: "CORS before routes, origin literal, credentials: true; client credentials: 'include'.",
    }

    // store
    SessionNotInStore "session-not-in-store" Store AuthService Strong {
        title: "The signature holds, the store has no such session: two databases, memory/SQLite per instance, wiped, signed out, expired",
        symptom: "Works on one instance, null on the next; or after a deployment.",
        outside: "pasted: null and deletions. Repeated 5 times over new connections: answers differ = instances with stores of their own; JWKS differ between answers = the same.",
        files: "memoryAdapter, sqlite file, :memory:, PGlite in serverless; DATABASE_URL differs per environment.",
        pasted: "",
        log: "session_ended for fresh sessions.",
        fix: "One database for all instances and environments of that host.",
    }
    StoreHiddenByCache "store-hidden-by-cache" Store AuthService Proof {
        title: "Cookie cache hides a missing session for five minutes",
        symptom: "Signed out after exactly maxAge.",
        outside: "Plain /get-session: user; ?disableCookieCache=true: null.",
        files: "The same as in the cause before.",
        pasted: "",
        log: "session_ended at renewal.",
        fix: "Let all instances and environments of that host use one database; the cookie cache only hides it.",
    }
    DatabaseUnreachable "database-unreachable" Store AuthService Strong {
        title: "Database down, pool exhausted, TLS or stale connection",
        symptom: "500 now and then; clients show it as signed out.",
        outside: "/ok 200 but /jwks or a lookup 500; time > 3 s on the first of three tries (cold).",
        files: "Pool max in serverless, direct instead of pooled URL, connectionTimeoutMillis.",
        pasted: "",
        log: "session_unavailable with server-error or no-response, in bursts.",
        fix: "Pooled URL, max: 1 per instance, time-outs, retry once.",
    }
    SchemaNotMigrated "schema-not-migrated" Store AuthService Strong {
        title: "Table jwks/session or a column is missing",
        symptom: "500 at /jwks or sign-in.",
        outside: "/jwks 500, /ok 200.",
        files: "Plugins without migration.",
        pasted: "",
        log: "keys_unavailable.",
        fix: "npx @better-auth/cli migrate|generate.",
    }
    KvEventual "kv-eventual" Store AuthService Strong {
        title: "Workers KV as secondaryStorage: session not visible elsewhere for up to 60 s",
        symptom: "Null right after sign-in, fine later.",
        outside: "--sign-in: null at once, user after seconds.",
        files: "KV binding in secondaryStorage.",
        pasted: "",
        log: "session_ended for sessions younger than 60 s.",
        fix: "Database or Durable Object/Redis for sessions; storeSessionInDatabase.",
    }
    SecondaryStorageBroken "secondary-storage-broken" Store AuthService Strong {
        title: "secondaryStorage.get returns the wrong shape, TTL lost, entry evicted",
        symptom: "500 or null after sign-in.",
        outside: "500 FAILED_TO_GET_SESSION (double JSON) or null + deletions.",
        files: "JSON.stringify in get; no ex/ttl.",
        pasted: "",
        log: "session_unavailable with server-error.",
        fix: "Return the stored text; storeSessionInDatabase: true.",
    }
    TimezoneColumns "timezone-columns" Store AuthService Strong {
        title: "expiresAt in a column without time zone, process not in UTC: sessions are born expired",
        symptom: "Null right after sign-in, only on some machines.",
        outside: "--sign-in: null + deletions at once although Max-Age is days.",
        files: "Drizzle timestamp() without {withTimezone:true}; TZ set.",
        pasted: "",
        log: "session_ended for sessions younger than a minute.",
        fix: "timestamptz, TZ=UTC.",
    }
    WorkersGlobalInstance "workers-global-instance" Store AuthService Strong {
        title: "betterAuth/pool in module scope of a Worker",
        symptom: "'Cannot perform I/O on behalf of a different request', 500 on the second request.",
        outside: "First request 200, following 500.",
        files: "betterAuth( at top level in a file with a Worker entry.",
        pasted: "",
        log: "session_unavailable with server-error alternating.",
        fix: "Create per request; Hyperdrive.",
    }

    // framework
    ServerComponentCannotSetCookies "server-component-cannot-set-cookies" Framework App Hint {
        title: "Session refreshed in a server component: Set-Cookie is lost",
        symptom: "Row is extended, cookie not; cache never renewed.",
        outside: "",
        files: "auth.api.getSession in RSC and nothing client-side/gate that renews.",
        pasted: "session_data always missing.",
        log: "Renewals only by the gate.",
        fix: "Let the gate or client renew; nextCookies for actions.",
    }
    HeadersNotPassed "headers-not-passed" Framework App Hint {
        title: "getSession called on the server without headers / fetch without cookie",
        symptom: "Null in SSR, fine in the browser.",
        outside: "",
        files: "auth.api.getSession() without headers:, authClient.getSession in server files, useSession(useFetch).",
        pasted: "",
        log: "Asks without cookies (no_credential from the server's address).",
        fix: "headers: await headers().",
    }
    PageCachedStatic "page-cached-static" Framework App Proof {
        title: "Page rendered statically or cached with the session of one render",
        symptom: "Signed-in people see the signed-out page or another's.",
        outside: "x-nextjs-prerender: 1, x-nextjs-cache: HIT, x-vercel-cache: HIT, s-maxage on a page that rules protect.",
        files: "force-static, revalidate, use cache, fetch without no-store in protected routes (.next/prerender-manifest.json × rules).",
        pasted: "",
        log: "",
        fix: "Dynamic, or read the session only in dynamic parts.",
    }
    PrefetchRedirectCached "prefetch-redirect-cached" Framework App Strong {
        title: "Prefetched redirect to sign-in is cached by the router",
        symptom: "After sign-in still redirected until reload.",
        outside: "RSC: 1 + Next-Router-Prefetch: 1 without cookie → 307 with cacheable headers.",
        files: "Middleware redirects for all requests.",
        pasted: "",
        log: "",
        fix: "401 no-store for RSC/prefetch (the gate does); router.refresh().",
    }
    ProxyFileNotRun "proxy-file-not-run" Framework App Proof {
        title: "proxy.ts/middleware.ts in the wrong place, name, export or matcher: the gate never runs",
        symptom: "No redirect, no 401: everything passes; or nothing is refreshed.",
        outside: "Protected path without cookie answers 200 and no doorward-decision header (`debug_header`).",
        files: "Next 16: proxy.ts + export proxy; Next ≤15: middleware.ts; beside app/ (src/ if src/ is used); both present = build error; export const config (not proxyConfig); matcher literal; .next/server/middleware-manifest.json / functions-config.",
        pasted: "",
        log: "No lines at all.",
        fix: "Move/rename; matcher ['/((?!_next/static/).*)'].",
    }
    MatcherExcludes "matcher-excludes" Framework App Proof {
        title: "matcher leaves out the path",
        symptom: "Some paths pass without a check: no redirect, no 401.",
        outside: "The same as in the cause before.",
        files: "Matcher × .next/routes-manifest.json (`doorward routes`).",
        pasted: "",
        log: "No lines for the path.",
        fix: "Match everything but static files.",
    }
    EdgeRuntimeNodeImport "edge-runtime-node-import" Framework App Strong {
        title: "Edge middleware imports Node-only auth code",
        symptom: "500 MIDDLEWARE_INVOCATION_FAILED.",
        outside: "x-vercel-error: MIDDLEWARE_INVOCATION_FAILED / EDGE_FUNCTION_INVOCATION_FAILED.",
        files: "middleware.ts imports @/lib/auth.",
        pasted: "",
        log: "No lines.",
        fix: "Use the gate or proxy.ts (Node).",
    }
    OldNextBypass "old-next-bypass" Framework App Proof {
        title: "Next with CVE-2025-29927 (x-middleware-subrequest)",
        symptom: "Middleware can be skipped.",
        outside: "Never probe by default; with --probe-bypass on your own host: protected path with the header answers 200.",
        files: "Next version in lock file.",
        pasted: "",
        log: "",
        fix: "Update Next to a version without CVE-2025-29927 (15.2.3, 14.2.25, 13.5.9, 12.3.5 or newer).",
    }
    ClientBaseUrl "client-base-url" Framework App Hint {
        title: "createAuthClient baseURL points at another host/port than the page",
        symptom: "useSession null; calls go to the wrong service.",
        outside: "",
        files: "NEXT_PUBLIC_*URL vs BETTER_AUTH_URL.",
        pasted: "",
        log: "",
        fix: "Leave it out on one origin.",
    }

    // browser
    SamesiteLaxCrossSite "samesite-lax-cross-site" Browser App Proof {
        title: "App and auth service are two sites, SameSite=Lax",
        symptom: "Cookie stored (or not) but never sent with fetch.",
        outside: "Registrable domains differ (psl) and SameSite=Lax in POST /sign-out.",
        files: "Hosts in env.",
        pasted: "",
        log: "no_credential.",
        fix: "One site: rewrite /api/auth through the app, or custom domains; else SameSite=None; Secure; Partitioned.",
    }
    ThirdPartyCookie "third-party-cookie" Browser App Strong {
        title: "SameSite=None across sites: Safari/Brave/Chrome-with-blocking drop it",
        symptom: "Chrome works, Safari never stays signed in.",
        outside: "Two sites and SameSite=None.",
        files: "Hosts in env.",
        pasted: "",
        log: "no_credential for Safari user agents.",
        fix: "Serve the application and the auth service from one site: a rewrite of /api/auth, or host names below one domain of your own.",
    }
    LocalhostVs127 "localhost-vs-127" Browser App Proof {
        title: "Page on localhost, service on 127.0.0.1 (or ports/hosts mixed)",
        symptom: "Development only: cookie on one, request to the other; state_mismatch.",
        outside: "--app host is localhost and URL host is 127.0.0.1 (or reverse).",
        files: "Env files mix both.",
        pasted: "",
        log: "no_credential.",
        fix: "One spelling everywhere.",
    }
    SafariLocalhostSecure "safari-localhost-secure" Browser App Strong {
        title: "Safari does not store Secure cookies on http://localhost",
        symptom: "Development only, Safari only.",
        outside: "As secure-cookie-on-http on loopback.",
        files: "As there.",
        pasted: "",
        log: "",
        fix: "No Secure in development.",
    }
    OauthStateLost "oauth-state-lost" Browser App Strong {
        title: "state cookie lost: POST callback with Lax (Apple), other host, preview",
        symptom: "state_mismatch after OAuth.",
        outside: "redirect_uri in the social answer is another host than the page.",
        files: "Callback URL.",
        pasted: "",
        log: "",
        fix: "Same host for start and callback; SameSite=None for POST callbacks.",
    }

    // jwt
    ClockSkew "clock-skew" Jwt Platform Proof {
        title: "A clock is off",
        symptom: "token_not_yet_valid or token_expired on fresh tokens.",
        outside: "Date header and iat of a fresh token vs this machine's clock, midpoint of the request; this machine is checked against a third Date (the gate's, the API's) so that the odd one out is named.",
        files: "",
        pasted: "iat in the future.",
        log: "token_not_yet_valid > 1 %.",
        fix: "Set the clock by NTP, and allow some seconds of tolerance where tokens are verified.",
    }

    // options
    OriginCheckOff "origin-check-off" Options AuthService Hint {
        title: "disableCSRFCheck / disableOriginCheck",
        symptom: "Nothing visible; sign-in from any site is accepted.",
        outside: "POST /sign-out with Cookie and no Origin answers 200 although the oracle shows that cookies arrive.",
        files: "advanced.disableCSRFCheck / disableOriginCheck.",
        pasted: "",
        log: "",
        fix: "Remove the option, list trustedOrigins.",
    }

    // gate
    GateSecretDiffers "gate-secret-differs" Gate Gate Proof {
        title: "The gate's secret is not the service's, seen from outside at the gate",
        symptom: "401 signature_invalid at the gate, service itself fine.",
        outside: "A session_token of a random token signed with the service's secret (proved by the oracle), sent to a protected path of the gate: reason signature_invalid = gate has another secret; session_ended = the same.",
        files: "Fingerprint in the gate's start line vs local.",
        pasted: "",
        log: "signature_invalid.",
        fix: "As in secret-differs.",
    }
    GateConfigurationWrong "gate-configuration-wrong" Gate Gate Strong {
        title: "The gate's configuration is wrong: it answers 503 to everything",
        symptom: "Every path 503 not_started after a deployment.",
        outside: "Gate answers 503 with reason not_started, and the configuration and the variables that are at hand would not start a gate either.",
        files: "`doorward check` names each mistake and its place.",
        pasted: "",
        log: "config_error, a line for each mistake.",
        fix: "Run `doorward check`, and put it before the build (`prebuild`, or `withDoorward()`), so that such a deployment does not come about.",
    }
    GateDoubt "gate-doubt" Gate Gate Proof {
        title: "The gate itself cannot ask (budget, time-out, redirect)",
        symptom: "503 session_unavailable.",
        outside: "gate: 503 problem+json, reason; doctor from outside green.",
        files: "asks_per_second, session_cache_seconds.",
        pasted: "",
        log: "lookup_failure request-limit, deadline-exceeded, no-response.",
        fix: "By the lookup failure in the log: docs/sessions.md.",
    }
    GateRouteDenied "gate-route-denied" Gate Gate Proof {
        title: "A rule denies: no catch-all, forbidden, cross_site_request",
        symptom: "Requests get 403 from the gate.",
        outside: "doorward-decision / problem+json reason.",
        files: "`doorward check`.",
        pasted: "",
        log: "route_denied, forbidden, cross_site_request.",
        fix: "docs/reasons.md has the cure of the reason that the gate gives.",
    }
}
