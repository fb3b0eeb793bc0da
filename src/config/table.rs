//! Every member of the configuration, declared once.
//!
//! The reader takes names, kinds, ranges, defaults and hints from here. The JSON Schema
//! (`schema/doorward.schema.json`), the types (`middleware/config.d.ts`) and the reference
//! (`docs/reference/configuration.md`) are generated from the same rows by
//! `DOORWARD_WRITE=1 cargo test --test reference`. What only they need (the sentence about a
//! member, its example) is there with the feature `reference` alone, so that the WebAssembly does
//! not carry it.

#![cfg_attr(not(feature = "reference"), allow(unreachable_pub))] // what generates those reads it all

use crate::jose::alg::Algorithm;

/// Names of the presets.
pub(super) const PRESETS: &[&str] =
    &["better-auth", "supabase", "clerk", "auth0", "workos", "cloudflare-access", "oidc"];

/// Words for `framework`.
const FRAMEWORKS: &[&str] =
    &["next", "sveltekit", "react-router", "nuxt", "astro", "tanstack-start", "none"];

/// What may stand in a member.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One string.
    Text,
    /// A list of strings, or one string in its place.
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number(Number),
    /// A list of whole numbers, or one in its place.
    Numbers(Number),
    /// `{"env": "NAME"}` and nothing else: a secret is never written in the document.
    Secret,
    /// A list of secrets, or one in its place.
    Secrets,
    /// The name of a store that the host has.
    Store,
    /// A JWK Set (RFC 7517 section 5), or a variable that holds one as JSON.
    KeySet,
    /// An object with these members.
    Object(&'static Object),
    /// A list of such objects, or one in its place.
    Objects(&'static Object),
    /// Issuers: what an entry may have depends on its `type`.
    Issuers,
    /// One value, `{"any": [ … ]}` or `{"all": [ … ]}`.
    Requirement,
    /// An object of such requirements, by the name of a claim.
    Requirements,
    /// An object of strings.
    TextMap,
    /// Patterns, or an object with rule members by pattern.
    RuleMap(&'static Object),
    /// One of these words, or an object that says more.
    WordOr(&'static [&'static str], &'static Object),
    /// `true`, `false`, or an object that says more.
    FlagOr(&'static Object),
    /// One string, or an object that says more.
    TextOr(&'static Object),
}

/// The range of a whole number.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// What is counted, like `seconds`.
    pub unit: &'static str,
    /// The least that is accepted.
    pub least: u32,
    /// The most that is accepted.
    pub most: u32,
    /// What counts where the member is missing.
    pub default: Option<u32>,
}

/// One member of an object.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What may stand in it.
    pub kind: Kind,
    /// Whether `{"env": "NAME"}` may stand in place of a string.
    pub env: bool,
    /// What to write where it is missing; nothing where it may be missing.
    pub required: Option<&'static str>,
    /// What people read about it.
    #[cfg(feature = "reference")]
    pub about: About,
}

/// What the reference, the schema and the types say about a member.
#[cfg(feature = "reference")]
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// What counts where the member is missing, in words.
    pub default: &'static str,
    /// A value, as JSON.
    pub example: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// A regular expression that each of its strings matches; empty where none is known.
    pub pattern: &'static str,
}

/// An object: its members, and what they were called before.
#[derive(Debug)]
pub struct Object {
    /// Its name in the reference and among the types.
    #[cfg(feature = "reference")]
    pub name: &'static str,
    /// Its members, in the order of the reference.
    pub members: &'static [&'static [Member]],
    /// Old names, each with what to write today.
    pub old: &'static [(&'static str, &'static str)],
}

impl Object {
    /// Its members in their order.
    pub fn all(&self) -> impl Iterator<Item = &'static Member> + use<> {
        self.members.iter().copied().flatten()
    }

    /// The member of this name.
    pub fn find(&self, name: &str) -> Option<&'static Member> {
        self.all().find(|member| member.name == name)
    }
}

#[cfg(feature = "reference")]
const fn object(
    name: &'static str,
    members: &'static [&'static [Member]],
    old: &'static [(&'static str, &'static str)],
) -> Object {
    Object { name, members, old }
}

#[cfg(not(feature = "reference"))]
const fn object(
    _: &'static str,
    members: &'static [&'static [Member]],
    old: &'static [(&'static str, &'static str)],
) -> Object {
    Object { members, old }
}

const fn member(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        kind,
        env: matches!(kind, Kind::Text | Kind::Texts | Kind::Word(_) | Kind::KeySet),
        required: None,
        #[cfg(feature = "reference")]
        about: About { default: "", example: "", text: "", pattern: "" },
    }
}

const fn text(name: &'static str) -> Member {
    member(name, Kind::Text)
}

const fn texts(name: &'static str) -> Member {
    member(name, Kind::Texts)
}

const fn word(name: &'static str, words: &'static [&'static str]) -> Member {
    member(name, Kind::Word(words))
}

const fn flag(name: &'static str) -> Member {
    member(name, Kind::Flag)
}

/// A number of seconds without a default.
const fn seconds(name: &'static str, least: u32, most: u32) -> Member {
    member(name, Kind::Number(Number { unit: "seconds", least, most, default: None }))
}

const fn number(name: &'static str, unit: &'static str, range: (u32, u32), default: u32) -> Member {
    member(
        name,
        Kind::Number(Number { unit, least: range.0, most: range.1, default: Some(default) }),
    )
}

impl Member {
    /// Its value stands in the document itself.
    const fn written(self) -> Self {
        Self { env: false, ..self }
    }

    /// It has to be there; the hint says what to write.
    const fn required(self, hint: &'static str) -> Self {
        Self { required: Some(hint), ..self }
    }

    #[cfg(feature = "reference")]
    const fn about(self, default: &'static str, example: &'static str, text: &'static str) -> Self {
        Self { about: About { default, example, text, pattern: self.about.pattern }, ..self }
    }

    #[cfg(not(feature = "reference"))]
    const fn about(self, _: &'static str, _: &'static str, _: &'static str) -> Self {
        self
    }

    #[cfg(feature = "reference")]
    const fn pattern(self, pattern: &'static str) -> Self {
        Self { about: About { pattern, ..self.about }, ..self }
    }

    #[cfg(not(feature = "reference"))]
    const fn pattern(self, _: &'static str) -> Self {
        self
    }
}

/// An absolute URL of the web.
const URL: &str = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s\\\\]+([/?#][^\\s]*)?$";
/// A URL that the gate may fetch: https, or http on a loopback address.
const FETCHABLE: &str = "^([Hh][Tt][Tt][Pp][Ss]://[^/?#@\\s\\\\]+|[Hh][Tt][Tt][Pp]://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\])(:[0-9]+)?)([/?#][^\\s]*)?$";
/// Scheme, host and port alone, of the web or of an app.
const ORIGIN: &str = "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@\\s\\\\]+$";
/// The same, where the gate may fetch.
const FETCHABLE_ORIGIN: &str = "^([Hh][Tt][Tt][Pp][Ss]://[^/?#@\\s\\\\]+|[Hh][Tt][Tt][Pp]://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\])(:[0-9]+)?)$";
/// A host of this site, with a star perhaps.
const HOST: &str = "^((https://)?([A-Za-z0-9_-]*\\*[A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+){2,}|[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:]+\\])(:[0-9]+)?|http://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\])(:[0-9]+)?)$";
/// A plain path.
const PATH: &str = "^(/|(/(?!\\.{1,2}(/|$))[^/?#\\\\]+)+/?)$";
/// A pattern of paths.
const PATH_PATTERN: &str = "^(?!$)(/|(\\{auth\\})?(/(\\*|:[A-Za-z0-9_]+|(?!\\.{1,2}(/|$)|:|[\\[{<(][^/]*[\\]}>)](/|$)|[^/]*%[0-9A-Fa-f]{2})[^/*?#\\\\]+))*(/\\*\\*)?)$";
/// A token of RFC 9110: the name of a cookie, a header or a parameter.
const TOKEN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/// The document.
pub static DOCUMENT: Object = object(
    "Config",
    &[DOCUMENT_MEMBERS],
    &[
        (
            "next",
            "write \"framework\": \"next\", or \"framework\": {\"name\": \"next\", \
             \"base_path\": …}",
        ),
        ("headers", "write \"claim_headers\""),
        ("asks_per_second", "write \"auth_requests_per_second\""),
    ],
);

const DOCUMENT_MEMBERS: &[Member] = &[
    text("$schema").written().about(
        "none",
        "\"./node_modules/doorward/doorward.schema.json\"",
        "Address of the JSON Schema, for editors. The gate does not read it.",
    ),
    word("extends", PRESETS).written().about(
        "none",
        "\"better-auth\"",
        "The preset that this document changes: its issuers and rules count beside those that \
         are written here.",
    ),
    member("issuers", Kind::Issuers).about(
        "those of the preset",
        "[{ \"type\": \"better-auth\", \"url\": { \"env\": \"BETTER_AUTH_URL\" }, \"secret\": { \
         \"env\": \"BETTER_AUTH_SECRET\" } }]",
        "The issuers whose credentials are accepted. Over a preset, an entry changes the members \
         of the preset's issuer that has its name; one without `name` and `type` changes the \
         preset's only issuer.",
    ),
    member("rules", Kind::Objects(&RULE)).about(
        "those of the preset",
        "[{ \"path\": \"/**\", \"access\": \"required\" }]",
        "What a request needs, by its path and method. The first rule that matches counts, and a \
         request that no rule matches is denied. Over a preset, these come before the preset's.",
    ),
    member("require", Kind::RuleMap(&REQUIRE)).about(
        "none",
        "{ \"/admin/**\": { \"roles\": \"admin\" } }",
        "Paths that need an identity: patterns, or an object with members of a rule by pattern. \
         They come after `rules` and before `public`, the narrower pattern first.",
    ),
    texts("public").pattern(PATH_PATTERN).about(
        "none",
        "[\"/\", \"/pricing\", \"/blog/**\"]",
        "Paths that everybody may request. They come after `rules` and `require`, and before the \
         preset's rules.",
    ),
    member("framework", Kind::WordOr(FRAMEWORKS, &FRAMEWORK)).about(
        "`none`",
        "\"next\"",
        "The framework that the origin is made with, by name or as an object. Patterns are then \
         written as the framework writes pages.",
    ),
    member("sign_in", Kind::TextOr(&SIGN_IN)).pattern(PLAIN_PATH).about(
        "none: a page without a session is a 401",
        "\"/sign-in\"",
        "Where a page without a session is redirected to: a path, or an object that says more.",
    ),
    member("pages", Kind::Object(&PAGES)).about(
        "black and white, without a name",
        "{ \"name\": \"Acme\", \"accent\": \"#00aa77\" }",
        "How the gate's own pages look, and which pages of the application stand in for them.",
    ),
    texts("allowed_origins").pattern(ORIGIN).about(
        "none",
        "[\"https://admin.example.com\", \"capacitor://localhost\"]",
        "Further origins whose pages or apps may send unsafe methods with a cookie.",
    ),
    member("cors", Kind::Object(&CORS)).about(
        "refusals can be read from `allowed_origins`",
        "{ \"origins\": [\"https://admin.example.com\"], \"credentials\": true }",
        "Which other origins may read a refusal.",
    ),
    member("assertion", Kind::Object(&ASSERTION)).about(
        "none: no assertion is sent",
        "{ \"audience\": \"billing\", \"secret\": { \"env\": \"DOORWARD_ASSERTION_SECRET\" } }",
        "The signed assertion about each request that goes on with an identity.",
    ),
    member("deny_list", Kind::Object(&DENY_LIST)).about(
        "none",
        "{ \"url\": \"https://ops.example.com/revoked.json\" }",
        "The operator's list of revoked sessions, tokens and users.",
    ),
    member("claim_headers", Kind::TextMap).about(
        "none",
        "{ \"role\": \"role\", \"org\": \"session.activeOrganizationId\" }",
        "Claims that the origin is told: by the name of a header without its prefix, the name or \
         path of a claim.",
    ),
    text("header_prefix").pattern("^[Xx]-[A-Za-z0-9-]+-$").about(
        "`x-doorward-`",
        "\"x-auth-\"",
        "Prefix of the identity headers. Every header under it that a client sends is removed.",
    ),
    texts("keep_headers").about(
        "none",
        "[\"X-Auth-Request-Email\", \"Tailscale-User-*\"]",
        "Identity headers of a proxy in front of the gate that the origin may go on trusting, \
         by name or by a beginning and `*`. Only what nobody but that proxy can send belongs \
         here.",
    ),
    member(
        "ungated_ports",
        Kind::Numbers(Number { unit: "ports", least: 1, most: 65_535, default: None }),
    )
    .about(
        "none",
        "[9229, 9464]",
        "Ports of a program before which `doorward/register` is that need no gate: metrics, a \
         debugger. What else listens there and is no HTTP server ends the program. Other hosts \
         have no use for it.",
    ),
    flag("require_catch_all").about(
        "false: a warning",
        "true",
        "Whether a policy without a rule for `/**` and all methods is an error.",
    ),
    number("auth_requests_per_second", "requests", (4, 10_000), 20).about(
        "",
        "20",
        "How often one instance may ask auth services about sessions; a quarter of it is for \
         credentials that are not verified yet. Without a cookie cache: at least the sessions in \
         use at once divided by `session_cache_seconds`.",
    ),
    text("docs_url").pattern(URL).about(
        "none",
        "\"https://example.com/docs/reasons#\"",
        "What comes before a reason's code in the links of refusals.",
    ),
    member("log", Kind::Object(&LOG)).about(
        "refusals, and forwards of which there is something to say",
        "{ \"pass_every\": 100 }",
        "What else is logged ([log](log.md)).",
    ),
    flag("server_timing").about(
        "false",
        "true",
        "Adds `Server-Timing: doorward;dur=…`: how many milliseconds the request has waited for \
         lookups and the platform.",
    ),
    flag("debug").about(
        "false",
        "true",
        "Shows in a refusal what its log line says: what was expected and what came. So it is \
         without this in development, where `NODE_ENV` is `development` and client and host name \
         are those of this machine.",
    ),
    flag("debug_header").about(
        "false",
        "true",
        "Adds the response header `doorward-decision`: of a request that goes on the issuer and \
         the source of the identity, of a refusal the reason.",
    ),
];

/// `log`.
pub static LOG: Object = object(
    "Log",
    &[&[member(
        "pass_every",
        Kind::Number(Number { unit: "requests", least: 1, most: 1_000_000, default: None }),
    )
    .about(
        "none",
        "100",
        "Of so many requests that are forwarded without anything to say of them, one is logged, \
         counted in each instance.",
    )]],
    &[],
);

/// `framework`, as an object.
pub static FRAMEWORK: Object =
    object(
        "Framework",
        &[&[
            word("name", FRAMEWORKS)
                .required("write \"name\": \"next\", or another framework")
                .about("", "\"next\"", "Which framework it is."),
            text("base_path").pattern("^(/[^?#]*[^/?#])?$").about(
                "none",
                "\"/docs\"",
                "As `basePath` (Next), `paths.base` (SvelteKit), `basename` (React Router), \
             `app.baseURL` (Nuxt) or `base` (Astro). It is taken off before a path is matched, \
             `{auth}` included; `sign_in.path` keeps it.",
            ),
            texts("locales").pattern("^[A-Za-z0-9_-]+$").about(
                "none",
                "[\"en\", \"de\"]",
                "For Next alone: as `i18n.locales`. The first segment of a path is taken off where \
             it is one of them.",
            ),
        ]],
        &[],
    );

/// `sign_in`.
pub static SIGN_IN: Object = object(
    "SignIn",
    &[&[
        text("path").pattern(PLAIN_PATH).required("write it like /sign-in").about(
            "",
            "\"/sign-in\"",
            "The page where visitors sign in. A rule has to make it public.",
        ),
        text("return_parameter").pattern(TOKEN).about(
            "`callbackURL`",
            "\"callbackURL\"",
            "The query parameter with the address to come back to.",
        ),
    ]],
    &[],
);

/// A path of this site.
const PLAIN_PATH: &str = "^/([^/].*)?$";

/// `pages`.
pub static PAGES: Object = object(
    "Pages",
    &[&[
        text("name").pattern("^.{1,80}$").about(
            "none",
            "\"Acme\"",
            "The name of the site, at most 80 characters: it stands above the heading and in the \
             title.",
        ),
        text("accent").pattern("^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$").about(
            "black, or white in a dark color scheme",
            "\"#00aa77\"",
            "The color of the button, `#rgb` or `#rrggbb`. Its label is black or white, \
             whichever can be read.",
        ),
        text("home").pattern(PLAIN_PATH).about(
            "`/`, or the base path of `framework`",
            "\"/start\"",
            "The path that the link \"Home page\" leads to.",
        ),
        text("400").pattern(PLAIN_PATH).about(
            "the gate's own page",
            "\"/errors/link\"",
            "A public page of the application that stands in for the gate's own, \
             for a path that is ambiguous, and other malformed requests.",
        ),
        text("401").pattern(PLAIN_PATH).about(
            "the gate's own page",
            "\"/errors/signed-out\"",
            "A public page of the application that stands in for the gate's own, \
             for a page without a session, where there is no `sign_in`, and redirect loops.",
        ),
        text("403").pattern(PLAIN_PATH).about(
            "the gate's own page",
            "\"/errors/no-access\"",
            "A public page of the application that stands in for the gate's own, \
             for users without access.",
        ),
        text("503").pattern(PLAIN_PATH).about(
            "the gate's own page",
            "\"/errors/unavailable\"",
            "A public page of the application that stands in for the gate's own, \
             for requests that cannot be decided at the moment.",
        ),
    ]],
    &[],
);

/// `cors`.
pub static CORS: Object = object(
    "Cors",
    &[&[
        texts("origins").pattern(ORIGIN).about(
            "`allowed_origins`",
            "[\"https://admin.example.com\"]",
            "Origins whose pages may read a refusal: its reason, `WWW-Authenticate`, \
             `Retry-After`.",
        ),
        flag("credentials").about(
            "true",
            "false",
            "Whether also refusals of requests that \
            carried cookies can be read.",
        ),
    ]],
    &[],
);

/// `assertion`.
pub static ASSERTION: Object = object(
    "Assertion",
    &[&[
        text("audience")
            .pattern(".")
            .required("write the audience that the origin's verifier expects")
            .about("", "\"billing\"", "`aud`: the origin. It is never taken from the request."),
        text("issuer").pattern(".").about("`doorward`", "\"doorward\"", "`iss`."),
        member("keys", Kind::Secrets).about(
            "none",
            "[{ \"env\": \"DOORWARD_ASSERTION_KEY\" }]",
            "Private JWKs: EC on P-256 (ES256) or OKP on Ed25519 (EdDSA). The first signs; a \
             second is published for a rotation.",
        ),
        member("secret", Kind::Secret).about(
            "none",
            "{ \"env\": \"DOORWARD_ASSERTION_SECRET\" }",
            "In place of `keys`: at least 32 bytes, shared with the origin (HS256), and unlike \
             every other secret.",
        ),
        number("lifetime_seconds", "seconds", (1, 60), 30).about(
            "",
            "30",
            "Time from `iat` to \
            `exp`.",
        ),
        text("jwks_path").pattern("^/[^/]").about(
            "none",
            "\"/.well-known/doorward/jwks.json\"",
            "Where the gate publishes its public keys, before any rule.",
        ),
    ]],
    &[("life_seconds", "write \"lifetime_seconds\"")],
);

/// `deny_list`.
pub static DENY_LIST: Object = object(
    "DenyList",
    &[&[
        text("url").pattern(FETCHABLE).about(
            "none",
            "\"https://ops.example.com/revoked.json\"",
            "Where the document is: https, or http on a loopback address.",
        ),
        member("token", Kind::Secret).about(
            "none",
            "{ \"env\": \"DENY_LIST_TOKEN\" }",
            "With `url`: sent as `Authorization: Bearer`.",
        ),
        member("store", Kind::Store).about(
            "none",
            "\"LISTS\"",
            "In place of `url`: the name of a store that the host has. Cloudflare: a KV binding; \
             JavaScript: a function in the option `stores`.",
        ),
        text("key").about(
            "`doorward-deny-list`",
            "\"doorward-deny-list\"",
            "With `store`: what \
            to read in it.",
        ),
        number("refresh_seconds", "seconds", (1, 3600), 30).about(
            "",
            "30",
            "How old the list is when the next one is fetched.",
        ),
        number("max_stale_seconds", "seconds", (1, 86_400), 300).about(
            "",
            "300",
            "How old the list may be while there is no newer one, at least twice \
             `refresh_seconds`. Past that, requests that need an identity are 503 \
             `revocation_unavailable`.",
        ),
    ]],
    &[],
);

/// `issuers[].storage`.
pub static STORAGE: Object = object(
    "Storage",
    &[&[
        member("store", Kind::Store).required("write the name of a store that the host has").about(
            "",
            "\"SESSIONS\"",
            "The name of a store that the host has: a KV binding (Cloudflare) or a function in \
             the option `stores` (JavaScript).",
        ),
        text("prefix").about(
            "none",
            "\"better-auth:\"",
            "What stands before every key: `better-auth:` with `@better-auth/redis-storage`.",
        ),
        number("lag_seconds", "seconds", (0, 3600), 60).about(
            "",
            "0",
            "How late the store shows a change: 60 for Workers KV, 0 for Redis.",
        ),
    ]],
    &[],
);

/// What entries of `issuers` may have, by their `type`.
pub static ISSUERS: [(&str, &Object); 2] =
    [("better-auth", &BETTER_AUTH_ISSUER), ("jwt", &JWT_ISSUER)];

/// An entry of `issuers` for a Better Auth service.
pub static BETTER_AUTH_ISSUER: Object = object(
    "BetterAuthIssuer",
    &[
        &[
            TYPE,
            text("name").about(
                "`better-auth`",
                "\"better-auth\"",
                "Its name in logs, in rules \
                and in the issuer header.",
            ),
        ],
        SERVICE,
        &[
            text("issuer").about(
                "origin of `url`",
                "\"https://app.example.com\"",
                "The exact `iss` of its JWTs. Another than the origin of `url` is a warning: \
                 Better Auth writes that, unless its jwt plugin has an issuer of its own.",
            ),
            texts("audience").about(
                "origin of `url`",
                "\"https://app.example.com\"",
                "`aud` of its JWTs must contain one of these.",
            ),
            text("jwks_url").pattern(FETCHABLE).about(
                "`<fetch_url><base_path>/jwks`",
                "\"https://app.example.com/api/auth/jwks\"",
                "Where its key set is. `null` where there is none. One that is not below the \
                 auth service's URL is a warning.",
            ),
        ],
        TOKEN_MEMBERS,
    ],
    SERVICE_OLD,
);

/// An entry of `issuers` for an issuer of JWTs.
pub static JWT_ISSUER: Object = object(
    "JwtIssuer",
    &[
        &[
            TYPE,
            text("name").about(
                "the host of `issuer`",
                "\"auth0\"",
                "Its name in logs, in rules and in the issuer header.",
            ),
            text("issuer").required("write the exact \"iss\" of its tokens").about(
                "",
                "\"https://tenant.us.auth0.com/\"",
                "The exact `iss` of its tokens, compared letter by letter.",
            ),
            texts("audience").about(
                "",
                "\"https://api.example.com\"",
                "`aud` must contain one of these. `null` where tokens have no `aud`: then \
                 `authorized_parties` or `party_may_be_absent` is needed, and a token with an \
                 `aud` is refused.",
            ),
            text("jwks_url").pattern(FETCHABLE).about(
                "none: `jwks` is needed",
                "\"https://tenant.us.auth0.com/.well-known/jwks.json\"",
                "Where its key set is: https, or http on a loopback address.",
            ),
        ],
        TOKEN_MEMBERS,
    ],
    TOKEN_OLD,
);

const TYPE: Member = word("type", &["better-auth", "jwt"])
    .written()
    .required("write \"better-auth\" or \"jwt\"")
    .about("", "\"better-auth\"", "What kind of issuer it is.");

const SERVICE_OLD: &[(&str, &str)] = &[
    ("stale_seconds", "write \"stale_if_error_seconds\""),
    ("bearer", "write \"bearer_tokens\""),
    SKEW_SECONDS,
    FROM,
];

const SKEW_SECONDS: (&str, &str) = ("skew_seconds", "write \"clock_tolerance_seconds\"");
const FROM: (&str, &str) = ("from", "write \"token_locations\"");
const TOKEN_OLD: &[(&str, &str)] = &[SKEW_SECONDS, FROM];

/// Members of a Better Auth service's own.
pub(super) const SERVICE: &[Member] = &[
    text("url")
        .pattern(FETCHABLE)
        .required("write the public URL of the auth service, like https://auth.example.com")
        .about(
            "",
            "{ \"env\": \"BETTER_AUTH_URL\" }",
            "Public URL of the auth service: https, or http on a loopback address. A path in it \
             is its base path.",
        ),
    text("base_path").pattern(PATH).about(
        "the path in `url`, else `/api/auth`",
        "\"/api/auth\"",
        "Where the auth service answers. `/` is the root of its host: then `{auth}` is an error \
         in patterns, and the service's own paths are written out.",
    ),
    text("fetch_url").pattern(FETCHABLE).about(
        "origin of `url`",
        "\"http://127.0.0.1:3001\"",
        "The origin at which the gate reaches the auth service, where it differs.",
    ),
    member("secret", Kind::Secret).about(
        "none",
        "{ \"env\": [\"BETTER_AUTH_SECRET\", \"AUTH_SECRET\"] }",
        "The Better Auth secret. Fewer than 16 bytes, the published default, white space around \
         it or a line end in it are an error; fewer than 32 bytes, or few different characters, \
         a warning. Without it `session_token` cannot be verified without the auth service.",
    ),
    member("secrets", Kind::Secret).about(
        "none",
        "{ \"env\": \"BETTER_AUTH_SECRETS\" }",
        "Better Auth's versioned list (`2:new,1:old`). It beats `secret`, which then only opens \
         old encrypted cookies.",
    ),
    text("cookie_prefix").pattern(TOKEN).about(
        "`better-auth`",
        "\"shop\"",
        "As \
        `advanced.cookiePrefix`.",
    ),
    flag("secure_cookies").about(
        "whether `url` is https",
        "true",
        "Whether cookie names begin \
        with `__Secure-`.",
    ),
    text("session_token_cookie").pattern(TOKEN).about(
        "from `cookie_prefix`",
        "\"session\"",
        "A name of its own for the session cookie (`__Secure-` is still put before it).",
    ),
    text("session_data_cookie").pattern(TOKEN).about(
        "from `cookie_prefix`",
        "\"session-data\"",
        "A name of its own for the cookie cache (`__Secure-` is still put before it).",
    ),
    text("cookie_domain").pattern("^\\.?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$").about(
        "none",
        "\"example.com\"",
        "As `advanced.crossSubDomainCookies.domain`: the cookies of an ended session are cleared \
         there as well.",
    ),
    word("cookie_cache", &["auto", "off", "compact", "jwt", "jwe", "jwt-jwks"]).about(
        "`auto`",
        "\"compact\"",
        "The strategy of the cookie cache, as `cookieCache.strategy`.",
    ),
    text("cookie_cache_version").about(
        "`1`",
        "\"2\"",
        "As `cookieCache.version`; `null` does not check it.",
    ),
    word("bearer_tokens", &["off", "signed", "any"]).about(
        "`off`",
        "\"signed\"",
        "Whether session tokens of the bearer plugin are accepted: none, those that are signed, \
         or any.",
    ),
    number("session_cache_seconds", "seconds", (0, 30), 10).about(
        "",
        "10",
        "How long an answer of the auth service is remembered. It bounds how late a revocation \
         is noticed.",
    ),
    flag("share_sessions").about(
        "false",
        "true",
        "Whether instances share what the auth service has answered about sessions, in the \
         shared cache.",
    ),
    number("stale_if_error_seconds", "seconds", (0, 3600), 0).about(
        "",
        "300",
        "How old an answer of the auth service may be while it fails to give a newer one (RFC \
         5861). It is also how late a revocation is noticed during an outage.",
    ),
    number("renew_percent", "percent", (0, 80), 20).about(
        "",
        "20",
        "In the last so many percent of its lifetime the cookie cache is renewed; 0: never.",
    ),
    flag("stateless").about(
        "false",
        "true",
        "Whether Better Auth has neither a database nor a secondary storage.",
    ),
    member("storage", Kind::Object(&STORAGE)).about(
        "none",
        "{ \"store\": \"SESSIONS\", \"lag_seconds\": 60 }",
        "Better Auth's `secondaryStorage`, read in place of a request to the auth service. Needs \
         `secret`.",
    ),
];

/// Members about JWTs, for issuers of both types.
const TOKEN_MEMBERS: &[Member] = &[
    flag("audience_may_be_empty").about(
        "false",
        "true",
        "With `\"audience\": null`: whether an `aud` that is an empty list counts as none (Kinde).",
    ),
    texts("authorized_parties").about(
        "none",
        "[\"https://app.example.com\"]",
        "`azp`, or `client_id` in a token without it (RFC 9068), must be one of these.",
    ),
    flag("party_may_be_absent").about(
        "false",
        "true",
        "Whether a token without `azp` and `client_id` is accepted. With `\"audience\": null` \
         and no `authorized_parties`, only the key set ties the tokens to you.",
    ),
    texts("subject_claim").pattern(".").about(
        "`sub`",
        "[\"sub\", \"common_name\"]",
        "The claim that names the subject: the first that is there and not empty.",
    ),
    texts("public_hosts").pattern(HOST).about(
        "none",
        "[\"one.example.com\", \"preview-*.example.com\"]",
        "Hosts of an issuer that writes the host it is asked at into `iss` and `aud`; \
         `{public_origin}` stands for it in `issuer` and `audience`. A star is part of the first \
         of three labels or more.",
    ),
    member("jwks", Kind::KeySet).about(
        "none",
        "{ \"keys\": [] }",
        "Keys given inline (RFC 7517). With no `jwks_url` beside them nothing is fetched.",
    ),
    texts("algorithms").pattern(Algorithm::PATTERN).about(
        "all that the host can check",
        "[\"ES256\", \"RS256\"]",
        "The signature algorithms that are accepted (`alg`).",
    ),
    texts("typ").about(
        "`JWT`",
        "[\"JWT\", \"at+jwt\"]",
        "The values of the header `typ` that are accepted. A token without it is accepted where \
         `JWT` is.",
    ),
    number("clock_tolerance_seconds", "seconds", (0, 60), 5).about(
        "",
        "5",
        "Tolerance for `exp`, `nbf` and `iat` of JWTs. Better Auth's cookies have none.",
    ),
    seconds("max_age_seconds", 0, u32::MAX).about("none", "3600", "The greatest age of a token \
        by its `iat`."),
    texts("required_claims").about("none", "[\"sid\"]", "Claims that a token must have."),
    texts("token_locations")
        .pattern("^(authorization|supabase-cookie|(cookie|header|supabase-cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$")
        .about(
            "`authorization`",
            "[\"authorization\", \"cookie:__session\"]",
            "Where a request may carry the token: `authorization`, `cookie:<name>`, \
             `header:<name>`, `supabase-cookie:<name>` (the session that `@supabase/ssr` keeps \
             in a cookie, whole or in chunks), or `supabase-cookie` for the cookie that Supabase \
             names after the issuer's host.",
        ),
];

/// An entry of `rules`.
pub static RULE: Object = object("Rule", &[RULE_MATCH, RULE_MEMBERS], RULE_OLD);

/// A value of `require`: a rule whose path and access are said already.
pub static REQUIRE: Object = object("Requirement", &[RULE_MEMBERS], RULE_OLD);

const RULE_OLD: &[(&str, &str)] = &[
    ("on_doubt", "write \"on_unavailable\": \"deny\" or \"anonymous\""),
    ("answer", "write \"refusal_format\""),
    ("prefer", "write \"on_conflict\""),
    ("headers", "write \"identity_headers\""),
    ("audience", "write \"assertion_audience\""),
    ("bearer", "write \"token_exchange\": true"),
    ("bearer_audience", "write \"token_exchange\": {\"audience\": …}"),
];

const RULE_MATCH: &[Member] = &[
    texts("path").pattern(PATH_PATTERN).required("write a pattern like /app/**").about(
        "",
        "[\"/app/**\", \"/users/:id\"]",
        "A pattern or a list: `/a` exactly; `/a/*` one more segment; `/a/**` `/a` and everything \
         below; `/users/:id` one segment by name. `{auth}` at the beginning stands for the base \
         path of the first Better Auth issuer.",
    ),
    word("access", &["public", "optional", "required"])
        .required("write \"public\", \"optional\" or \"required\"")
        .about(
            "",
            "\"required\"",
            "`public`: credentials are not looked at. `optional`: without a credential the \
             request is anonymous, a bad one is refused. `required`: an identity is needed.",
        ),
];

const RULE_MEMBERS: &[Member] = &[
    texts("methods").pattern("^(?!(\\*|ALL|ANY)$)[!#$%&'*+.^_`|~0-9A-Z-]+$").about(
        "all",
        "[\"GET\", \"POST\"]",
        "Methods that the rule is for, in capitals. `GET` is `HEAD` as well.",
    ),
    texts("issuers").about(
        "all",
        "[\"better-auth\"]",
        "Names of the issuers whose credentials \
        this rule accepts.",
    ),
    member("roles", Kind::Requirement).about(
        "none",
        "{ \"any\": [\"admin\", \"owner\"] }",
        "Roles that the identity needs: one, `{\"any\": [ … ]}` or `{\"all\": [ … ]}`. They are \
         `role` or `roles`.",
    ),
    member("scopes", Kind::Requirement).about(
        "none",
        "{ \"all\": [\"notes:read\", \"notes:write\"] }",
        "Scopes that the identity needs, in the same form. They are `scope` or `scp`.",
    ),
    member("claims", Kind::Requirements).about(
        "none",
        "{ \"org.id\": \"acme\" }",
        "Claims that the identity needs, by name or by a path like `org.id`. For Better Auth \
         they are the user's, and `session.…` the session's.",
    ),
    texts("email_domains").pattern("^[A-Za-z0-9.-]+$").about(
        "none",
        "[\"example.com\"]",
        "Domains of which the verified e-mail address has to be.",
    ),
    seconds("max_session_age_seconds", 0, u32::MAX).about(
        "none",
        "86400",
        "How long ago the person may have signed in (`auth_time`, else `iat`; Better Auth: \
         `session.createdAt`).",
    ),
    seconds("max_staleness_seconds", 0, u32::MAX).about(
        "none",
        "0",
        "How old the knowledge of the session may be: an older cookie cache is not used, an \
         older JWT is `token_too_old`. 0 asks the auth service each time.",
    ),
    seconds("max_connection_seconds", 1, 604_800).about(
        "none",
        "3600",
        "How long a WebSocket or an event stream may stay open.",
    ),
    word("on_unavailable", &["deny", "anonymous"]).about(
        "`deny`",
        "\"anonymous\"",
        "What happens where the gate cannot know because somebody else has failed: 503, or the \
         request goes on anonymously. What the caller can bring about is refused either way.",
    ),
    word("on_conflict", &["cookie", "header"]).about(
        "none: 400 `credential_ambiguous`",
        "\"header\"",
        "Which credential counts when two good ones name different people.",
    ),
    word("refusal_format", &["auto", "page", "api"]).about(
        "`auto`",
        "\"api\"",
        "What a refusal looks like: `auto` by the kind of request, `page` pages also for clients \
         that do not say what they are, `api` never a redirect or a page.",
    ),
    word("preflight", &["forward", "refuse"]).about(
        "`forward`",
        "\"refuse\"",
        "Whether a CORS preflight goes on anonymously. An origin that does not look at the \
         method answers it with its content: then write `refuse`.",
    ),
    flag("native_clients").about(
        "false",
        "true",
        "Whether a client that is no browser may use unsafe methods with nothing but a cookie: \
         it sends neither `Origin` nor `Sec-Fetch-Site`.",
    ),
    word("mode", &["enforce", "report"]).about(
        "`enforce`",
        "\"report\"",
        "`report`: refusals are only logged and the request goes on anonymously, until the end \
         of `report_until`.",
    ),
    text("report_until").pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$").about(
        "needed with `\"mode\": \"report\"`",
        "\"2027-01-31\"",
        "The last day of report mode.",
    ),
    texts("identity_headers").about(
        "all",
        "[\"subject\", \"email\"]",
        "Names without prefix of the identity headers that the origin gets.",
    ),
    word("credential", &["keep", "remove", "replace"]).about(
        "`keep`; with `upstream`: `remove`",
        "\"remove\"",
        "What becomes of the credential: `remove` keeps it from the origin, `replace` puts the \
         assertion into `Authorization` in its place.",
    ),
    text("assertion_audience").pattern(".").about(
        "`assertion.audience`",
        "\"reports\"",
        "`aud` of the assertions under this rule.",
    ),
    text("upstream").pattern(FETCHABLE_ORIGIN).about(
        "the host's own origin",
        "\"https://api.example.com\"",
        "Another origin that requests under this rule go to: https, or http on a loopback address.",
    ),
    member("token_exchange", Kind::FlagOr(&TOKEN_EXCHANGE)).about(
        "false",
        "true",
        "Whether a Better Auth session goes on with a JWT of its auth service in `Authorization`.",
    ),
];

/// `rules[].token_exchange`, as an object.
pub static TOKEN_EXCHANGE: Object = object(
    "TokenExchange",
    &[&[texts("audience").pattern(".").about(
        "`audience` of the issuer",
        "\"https://api.example.com\"",
        "`aud` of the JWT must contain one of these.",
    )]],
    &[],
);

/// `{"env": …}` in place of a string.
pub static VARIABLE: Object = object(
    "Env",
    &[&[
        texts("env").written().about(
            "",
            "[\"BETTER_AUTH_SECRET\", \"AUTH_SECRET\"]",
            "The name of an environment variable, or several: the first that is set and not \
             blank counts.",
        ),
        text("default").written().about(
            "none",
            "\"https://app.example.com\"",
            "What counts where none is.",
        ),
        flag("optional").about(
            "false: an error",
            "true",
            "Whether all may be missing: then the \
            member is missing.",
        ),
        text("prefix").written().about(
            "none",
            "\"https://\"",
            "What is put before the value, unless it begins so.",
        ),
        text("suffix").written().about(
            "none",
            "\"/auth/v1\"",
            "What is put behind the value, \
            unless it ends so.",
        ),
    ]],
    &[],
);
