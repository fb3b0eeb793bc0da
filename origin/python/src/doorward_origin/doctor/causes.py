"""The causes that can be told from here: a part of the table in ``docs/causes.md``, with the same actors, titles and fixes."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Certainty: TypeAlias = Literal["proof", "strong", "hint"]
#: Who has to act.
Actor: TypeAlias = Literal["auth-service", "gate", "app", "api", "platform"]

#: Actor, title and fix of each cause, in the order in which a request meets them: of two equally certain ones the first is
#: named.
CAUSES: Final[dict[str, tuple[Actor, str, str]]] = {
    "api-pyjwt-missing": (
        "api",
        "The API's interpreter has no PyJWT, or another module is named jwt",
        "Uninstall jwt and install PyJWT: pip install 'pyjwt[crypto]'; rename a jwt.py of your own.",
    ),
    "url-missing": (
        "auth-service",
        "BETTER_AUTH_URL missing: base URL is guessed from the first request",
        "Set BETTER_AUTH_URL to the public https origin.",
    ),
    "api-cannot-fetch-jwks": (
        "api",
        "API cannot fetch the key set (DNS in the cluster, CA bundle, proxy, WAF, localhost in a container)",
        "Use a URL that the API's network reaches, with the CA bundle, proxy and user agent that it needs.",
    ),
    "rate-limited": (
        "auth-service",
        "Rate limit bucket shared by everybody",
        "Let Better Auth tell addresses apart: "
        "advanced.ipAddress.ipAddressHeaders: ['cf-connecting-ip'] or trustedProxies; customRules {'/get-session': false}.",
    ),
    "deployment-protection": (
        "platform",
        "Vercel deployment protection, Cloudflare Access or basic auth before the service",
        "Use the production domain, or x-vercel-protection-bypass for the gate (--header), "
        "or take the path out of the protection.",
    ),
    "bot-challenge": (
        "platform",
        "WAF/bot challenge answers machines with 403 or a challenge",
        "Skip rule for /api/auth/jwks, or PyJWKClient(headers={'User-Agent': …}).",
    ),
    "base-url-redirects": (
        "platform",
        "The URL redirects (http→https, apex→www, trailing slash, locale)",
        "Configure the final URL.",
    ),
    "database-unreachable": (
        "auth-service",
        "Database down, pool exhausted, TLS or stale connection",
        "Pooled URL, max: 1 per instance, time-outs, retry once.",
    ),
    "jwt-plugin-missing": (
        "auth-service",
        "jwt() is not among the plugins (or JWKS is remote)",
        "plugins: [jwt()], migrate (table jwks).",
    ),
    "jwks-not-json": (
        "auth-service",
        "JWKS URL answers HTML or an error",
        "Fetch <base>/api/auth/jwks, which has to be public and without a redirect.",
    ),
    "api-no-cryptography": (
        "api",
        "PyJWT without cryptography cannot read EdDSA/ES/RS",
        "Install PyJWT with its extra: pip install 'pyjwt[crypto]'.",
    ),
    "jwks-empty": (
        "auth-service",
        "Key set is empty or has no usable key",
        "Look at table jwks; PyJWT without cryptography says the same.",
    ),
    "bearer-prefix-left": (
        "app",
        "'Bearer ' left in, or quotes",
        "Give jwt.decode the second word of the header alone.",
    ),
    "wrong-token-sent": (
        "app",
        "Session token, signed cookie or ID token sent to the API instead of the JWT",
        "Send the JWT: authClient.token(), GET /token, or the header set-auth-jwt.",
    ),
    "api-algorithm": (
        "api",
        "algorithms=['RS256'] (or HS256) in jwt.decode, tokens are EdDSA",
        "Accept what the keys are for: algorithms=['EdDSA'], or change the keys: jwt({jwks:{keyPairConfig:{alg:'ES256'}}}).",
    ),
    "kid-not-in-jwks": (
        "auth-service",
        "Token's kid is not in the set: other environment, rotated, wiped table, stale cache",
        "One JWKS URL; verifiers must refetch on unknown kid.",
    ),
    "token-altered": (
        "app",
        "The token was cut or changed on its way",
        "Send it as it was issued: not cut by a column, a log or a header limit, not encoded again.",
    ),
    "exp-is-a-date": (
        "auth-service",
        "expirationTime as a number is an absolute date: tokens expired in 1970",
        "Write the time as text: expirationTime: '1h'.",
    ),
    "clock-skew": (
        "platform",
        "A clock is off",
        "Set the clock by NTP, and allow some seconds of tolerance where tokens are verified.",
    ),
    "api-leeway": (
        "api",
        "No leeway: iat one second in the future",
        "Give jwt.decode leeway=5, and set the clocks by NTP.",
    ),
    "token-expired-no-refresh": (
        "app",
        "JWT lives 15 min, client keeps it longer",
        "Fetch /token before exp; or the gate's bridge.",
    ),
    "issuer-differs-at-api": (
        "api",
        "API's own issuer setting differs",
        "Set the API's issuer to the origin of BETTER_AUTH_URL, without slash and path.",
    ),
    "issuer-trailing-slash": (
        "gate",
        "iss with/without slash",
        "Write the issuer as the origin without a slash, on both sides.",
    ),
    "issuer-path": (
        "gate",
        "Verifier expects /api/auth in iss (or service writes it)",
        "Better Auth writes the origin; OAuth provider's ID tokens have the path.",
    ),
    "issuer-scheme": (
        "auth-service",
        "iss http, expected https (base URL behind TLS)",
        "Set BETTER_AUTH_URL to the https origin.",
    ),
    "issuer-host": (
        "auth-service",
        "Token of another environment or preview",
        "Point API and gate at the same service.",
    ),
    "audience-differs": (
        "gate",
        "aud is not what the verifier expects (default: origin of base URL)",
        "Expect the origin of BETTER_AUTH_URL, or set what you expect: jwt({jwt:{audience}}).",
    ),
    "trailing-slash-env": (
        "auth-service",
        "BETTER_AUTH_URL ends with a slash or has /api/auth in it",
        "Compare with new URL(BETTER_AUTH_URL).origin, not with the text.",
    ),
    "url-contradiction": (
        "auth-service",
        "BETTER_AUTH_URL, NEXT_PUBLIC_APP_URL, BETTER_AUTH_ISSUER, BETTER_AUTH_JWKS_URL name different hosts or schemes",
        "Use one public origin; iss and aud are that origin without slash and path.",
    ),
    "secret-default": (
        "auth-service",
        "No secret at all: Better Auth silently uses its published default",
        "Generate one (`openssl rand -base64 32`), set it everywhere, redeploy. "
        "Treat as a security incident if the service is public.",
    ),
    "secret-quoted": (
        "auth-service",
        "Quotes became part of the secret",
        "Remove the quotes where the platform does not parse them.",
    ),
    "secret-whitespace": (
        "auth-service",
        "A line end or space in the secret at one side",
        "Set it again without `echo`: `printf %s` is not safe with every CLI version, paste it in the dashboard or use "
        "`vercel env add NAME < file-without-newline`; redeploy.",
    ),
    "secret-short": (
        "auth-service",
        "Secret under 32 characters or of little entropy",
        "Make one with `openssl rand -base64 32`, and set it everywhere.",
    ),
    "api-refuses-good-token": (
        "api",
        "API refuses a token that verifies here, and does not say why",
        "Run `python -m doorward_origin doctor` beside the API; log the exception's class.",
    ),
    "api-redirect-loses-authorization": (
        "api",
        "redirect_slashes 307 to http:// or another host: clients drop Authorization",
        "Call the exact path; --proxy-headers; redirect_slashes=False.",
    ),
    "api-403-not-401": (
        "api",
        "HTTPBearer(auto_error) answers 403 'Not authenticated' for a missing header",
        "Read it as no credential, or give HTTPBearer auto_error=False and answer 401.",
    ),
    "api-jwks-cached-stale": (
        "api",
        "PyJWKClient keeps keys (lifespan 300 s) or a hand-made cache never refetches",
        "Refetch on unknown kid with a cool-down.",
    ),
    "jwks-many-keys": (
        "auth-service",
        "Concurrent first calls or rotation without limit leave many keys",
        "Call /jwks once after migration; rotationInterval.",
    ),
}


def actor(cause: str) -> Actor:
    return CAUSES[cause][0]


def title(cause: str) -> str:
    return CAUSES[cause][1]


def fix(cause: str) -> str:
    return CAUSES[cause][2]


def doc(cause: str) -> str:
    return f"docs/causes.md#{cause}"
