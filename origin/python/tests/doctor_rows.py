"""The doctor's table: set-ups that are broken, each in one way, and healthy ones, with what it must say of each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from support import jwks

SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yCaUeTg"

#: An API's source, as the scan finds it.
SOURCES = {
    "rs256": """
import jwt

ALGORITHMS = ["RS256"]

def user(token, key):
    return jwt.decode(token, key, algorithms=ALGORITHMS, audience="notes-api", leeway=5)
""",
    "no-audience": """
from jwt import decode

def user(token, key):
    return decode(token, key, algorithms=["EdDSA"], leeway=5)
""",
    "no-leeway": """
import jwt

def user(token, key, url):
    return jwt.decode(token, key, ["EdDSA"], audience=url, issuer=url)
""",
    "cached": """
from functools import lru_cache
from urllib.request import urlopen

@lru_cache
def keys():
    return urlopen("https://app.example.com/api/auth/jwks").read()
""",
    "good": """
from functools import lru_cache
import jwt

@lru_cache
def client():
    return jwt.PyJWKClient(JWKS_URL)

def user(token, url):
    key = client().get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["EdDSA"], audience=url, issuer=url, leeway=5)

def unverified(token):
    return jwt.decode(token, options={"verify_signature": False})
""",
    "other-jwt": """
import jose

def user(jwt, token):
    return jwt.decode(token)
""",
}


@dataclass
class Row:
    """A set-up. ``{url}`` is the auth service, ``{proxy}`` the proxy with the fault before it, ``{folder}`` where files are."""

    name: str
    #: The first cause and its certainty; ``None`` for a healthy set-up.
    expect: tuple[str, str] | None = None
    service: str = "plain"
    fault: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    arguments: str = ""
    #: What ``--token-file -`` gets: a member of the service's, or a text with it as ``{token}``.
    token: str | None = None
    python: str = "full"
    command: str = "doctor"
    source: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    hints: frozenset[str] = frozenset()
    #: Further causes that are proved or strong.
    more: frozenset[str] = frozenset()
    keys: Any = None
    https_days: int | None = None


USUAL = {"BETTER_AUTH_URL": "{url}", "BETTER_AUTH_ISSUER": "{url}", "BETTER_AUTH_JWKS_URL": "{url}/api/auth/jwks"}
BEHIND = USUAL | {"BETTER_AUTH_JWKS_URL": "{proxy}/api/auth/jwks"}
GOOD = {
    "BETTER_AUTH_URL": "https://app.example.com",
    "BETTER_AUTH_ISSUER": "https://app.example.com",
    "BETTER_AUTH_JWKS_URL": "https://app.example.com/api/auth/jwks",
}
ASK = "--algorithms EdDSA --leeway 5"


def own(name: str, expect: tuple[str, str] | None, claims: dict[str, Any], **more: Any) -> Row:
    """A token that the test signs: for moments that no real service is in."""
    more.setdefault("env", BEHIND)
    more.setdefault("arguments", ASK)
    return Row(name, expect, fault="plain", keys=jwks("ed1"), token="own:" + json.dumps(claims), **more)


def variable(name: str, value: str, cause: str, certainty: str = "proof", **more: Any) -> Row:
    return Row(f"check: {name}={value!r}", (cause, certainty), command="check", env=GOOD | {name: value}, **more)


BROKEN = [
    # Packages.
    Row("no cryptography", ("api-no-cryptography", "proof"), env=USUAL, python="bare"),
    Row("no cryptography, with a token", ("api-no-cryptography", "proof"), env=USUAL, python="bare", token="token"),
    Row("no cryptography, ES256", ("api-no-cryptography", "proof"), service="es256", env=USUAL, python="bare"),
    Row("no cryptography, RS256", ("api-no-cryptography", "proof"), service="rs256", env=USUAL, python="bare", token="token"),
    Row(
        "no cryptography, the set unreachable",
        ("api-no-cryptography", "proof"),
        env={"BETTER_AUTH_JWKS_URL": "http://127.0.0.1:9/api/auth/jwks"},
        python="bare",
        token="token",
        more=frozenset(("api-cannot-fetch-jwks",)),
    ),
    Row("no PyJWT", ("api-pyjwt-missing", "proof"), env=USUAL, python="none"),
    Row(
        "another module is named jwt",
        ("api-pyjwt-missing", "proof"),
        env=USUAL,
        python="another",
        files={"jwt.py": "def encode(): ...\n"},
    ),
    Row("check: no cryptography", ("api-no-cryptography", "strong"), command="check", env=GOOD, python="bare"),
    Row(
        "check: pyjwt alone is asked for, and alone is there",
        ("api-no-cryptography", "strong"),
        command="check",
        env=GOOD,
        python="bare",
        files={"requirements.txt": "fastapi==0.1\nPyJWT==2.15.1\n"},
    ),
    # The way to the key set.
    Row("nothing listens", ("api-cannot-fetch-jwks", "strong"), env={"BETTER_AUTH_JWKS_URL": "http://127.0.0.1:9/api/auth/jwks"}),
    Row(
        "no such name",
        ("api-cannot-fetch-jwks", "strong"),
        env={"BETTER_AUTH_JWKS_URL": "http://auth.invalid/api/auth/jwks"},
        hints=frozenset(("url-contradiction",)),
    ),
    Row("too slow", ("api-cannot-fetch-jwks", "strong"), fault="slow", env=BEHIND, arguments="--timeout 0.5"),
    Row("the connection breaks", ("api-cannot-fetch-jwks", "strong"), fault="breaking", env=BEHIND),
    Row("a certificate of an unknown CA", ("api-cannot-fetch-jwks", "strong"), fault="plain", env=BEHIND, https_days=30),
    Row(
        "an expired certificate",
        ("api-cannot-fetch-jwks", "strong"),
        fault="plain",
        env=BEHIND,
        https_days=-1,
        arguments="--ca-file {certificate}",
    ),
    Row(
        "a proxy that is not there",
        ("api-cannot-fetch-jwks", "strong"),
        fault="plain",
        env=BEHIND | {"http_proxy": "http://127.0.0.1:9"},
    ),
    Row("forbidden to everybody", ("api-cannot-fetch-jwks", "strong"), fault="forbidden", env=BEHIND),
    Row("a bad gateway", ("api-cannot-fetch-jwks", "strong"), fault="down", env=BEHIND),
    Row("a wall that dislikes Python", ("bot-challenge", "proof"), fault="user-agent", env=BEHIND),
    Row("a challenge", ("bot-challenge", "proof"), fault="challenge", env=BEHIND),
    Row("Vercel's protection", ("deployment-protection", "proof"), fault="vercel", env=BEHIND),
    Row("basic authentication", ("deployment-protection", "proof"), fault="basic", env=BEHIND),
    Row("Cloudflare Access", ("deployment-protection", "proof"), fault="cloudflare-access", env=BEHIND),
    Row("a gate that wants a sign-in", ("deployment-protection", "strong"), fault="sign-in", env=BEHIND),
    Row("rate limited", ("rate-limited", "proof"), fault="limited", env=BEHIND),
    Row("redirected to https", ("base-url-redirects", "proof"), fault="redirect-https", env=BEHIND),
    Row("redirected to www", ("base-url-redirects", "proof"), fault="redirect-host", env=BEHIND),
    Row("redirected by a slash", ("base-url-redirects", "proof"), fault="redirect-slash", env=BEHIND),
    Row("store down", ("database-unreachable", "strong"), fault="store-down", env=BEHIND),
    Row("no jwt()", ("jwt-plugin-missing", "proof"), service="no-jwt", env=USUAL),
    Row("a single-page app answers", ("jwks-not-json", "proof"), fault="html", env=BEHIND),
    Row("404 for everything", ("jwks-not-json", "proof"), fault="no-jwks", env=BEHIND),
    Row("a list", ("jwks-not-json", "proof"), fault="list", env=BEHIND),
    Row("nothing in the answer", ("jwks-not-json", "proof"), fault="blank", env=BEHIND),
    Row("another path", ("jwks-not-json", "proof"), env=USUAL | {"BETTER_AUTH_JWKS_URL": "{url}/.well-known/jwks.json"}),
    Row("the handler is mounted elsewhere", ("jwks-not-json", "proof"), service="other-path", env=USUAL),
    Row("no key", ("jwks-empty", "proof"), fault="empty", env=BEHIND),
    Row("no usable key", ("jwks-empty", "proof"), fault="unusable", env=BEHIND),
    # The token.
    Row("Bearer left in", ("bearer-prefix-left", "proof"), env=USUAL, arguments=ASK, token="Bearer {token}"),
    Row("quotes left in", ("bearer-prefix-left", "proof"), env=USUAL, arguments=ASK, token='"{token}"'),
    Row("the session token", ("wrong-token-sent", "proof"), env=USUAL, token="session"),
    Row("the signed cookie", ("wrong-token-sent", "proof"), env=USUAL, token="cookie"),
    Row("the cookie cache", ("wrong-token-sent", "proof"), env=USUAL, arguments=ASK, token="cache"),
    Row(
        "an encrypted token",
        ("wrong-token-sent", "proof"),
        env=USUAL,
        token="eyJhbGciOiJkaXIifQ..AAAAAAAAAAAAAAAA.c2VjcmV0LXRleHQ.AAAAAAAAAAAAAAAAAAAAAA",
    ),
    Row("a token without its signature", ("token-altered", "strong"), env=USUAL, arguments=ASK, token="cut:12"),
    Row("a token cut in its claims", ("token-altered", "strong"), env=USUAL, arguments=ASK, token="cut:120"),
    Row("only RS256 accepted", ("api-algorithm", "proof"), env=USUAL, arguments="--algorithms RS256", token="token"),
    Row("only HS256 accepted", ("api-algorithm", "proof"), env=USUAL | {"JWT_ALGORITHM": "HS256"}, token="token"),
    Row(
        "only EdDSA accepted, tokens are ES256",
        ("api-algorithm", "proof"),
        service="es256",
        env=USUAL,
        arguments=ASK,
        token="token",
    ),
    Row("only RS256 accepted, without a token", ("api-algorithm", "proof"), env=USUAL | {"BETTER_AUTH_ALGORITHMS": "RS256"}),
    Row(
        "only RS256 accepted, by the source",
        ("api-algorithm", "strong"),
        env=USUAL,
        source="rs256",
        token="token",
        hints=frozenset(("audience-differs",)),
    ),
    Row(
        "keys of another environment",
        ("kid-not-in-jwks", "proof"),
        env=BEHIND,
        fault="plain",
        keys=jwks("es1"),
        arguments=ASK,
        token="token",
    ),
    Row("no audience in the source", ("audience-differs", "strong"), env=USUAL, source="no-audience", token="token"),
    Row(
        "a number for expirationTime",
        ("exp-is-a-date", "proof"),
        service="number-for-exp",
        env=USUAL,
        arguments=ASK,
        token="token",
    ),
    own("an old token", ("token-expired-no-refresh", "strong"), {"iat": -1000, "exp": -100}),
    Row(
        "no refresh",
        ("token-expired-no-refresh", "strong"),
        service="one-second",
        env=USUAL,
        arguments="--algorithms EdDSA --leeway 0",
        token="later",
    ),
    # Clocks.
    Row("the service's clock is ahead", ("clock-skew", "strong"), fault="ahead", env=BEHIND),
    Row("the service's clock is behind", ("clock-skew", "strong"), fault="behind", env=BEHIND, arguments=ASK, token="token"),
    own("a token of the future", ("clock-skew", "strong"), {"iat": 120, "exp": 1020}, more=frozenset(("api-leeway",))),
    own("no leeway", ("api-leeway", "strong"), {"iat": 8, "exp": 900}, arguments="--algorithms EdDSA --leeway 0"),
    Row("no leeway, and a clock that drifts", ("api-leeway", "strong"), fault="drifting", env=BEHIND, arguments="--leeway 0"),
    Row(
        "no leeway in the source, and a clock that drifts",
        ("api-leeway", "strong"),
        fault="drifting",
        env=BEHIND,
        source="no-leeway",
    ),
    # Issuer and audience.
    Row(
        "a slash at the API",
        ("issuer-differs-at-api", "proof"),
        env=USUAL | {"BETTER_AUTH_ISSUER": "{url}/"},
        arguments=ASK,
        token="token",
        more=frozenset(("issuer-trailing-slash", "audience-differs")),
    ),
    Row(
        "a path at the API",
        ("issuer-differs-at-api", "proof"),
        env=USUAL | {"BETTER_AUTH_AUDIENCE": "{url}", "BETTER_AUTH_ISSUER": "{url}/api/auth"},
        arguments=ASK,
        token="token",
        more=frozenset(("issuer-path",)),
    ),
    Row(
        "another environment's issuer at the API",
        ("issuer-differs-at-api", "proof"),
        arguments=f"{ASK} --issuer https://preview.example.com --audience {{url}}",
        env=USUAL,
        token="token",
    ),
    Row(
        "https expected",
        ("issuer-differs-at-api", "proof"),
        arguments=f"{ASK} --issuer {{https}} --audience {{url}}",
        env=USUAL,
        token="token",
    ),
    Row(
        "the service writes a slash",
        ("issuer-trailing-slash", "proof"),
        service="slash",
        env=USUAL | {"BETTER_AUTH_AUDIENCE": "{url}"},
        arguments=ASK,
        token="token",
    ),
    Row(
        "the service writes a path",
        ("issuer-path", "proof"),
        service="path",
        env=USUAL | {"BETTER_AUTH_AUDIENCE": "{url}"},
        arguments=ASK,
        token="token",
    ),
    Row(
        "the service writes a path, the issuer is supposed",
        ("issuer-path", "strong"),
        service="path",
        arguments="--url {url}",
        token="token",
    ),
    own(
        "another scheme, the issuer is supposed",
        ("issuer-scheme", "strong"),
        {"iss": "http://app.example.com", "aud": "https://app.example.com"},
        env={"BETTER_AUTH_URL": "https://app.example.com"},
        arguments=f"{ASK} --jwks-url {{proxy}}/api/auth/jwks",
    ),
    own(
        "another host, the issuer is supposed",
        ("issuer-host", "strong"),
        {"iss": "https://preview.example.com", "aud": "https://app.example.com"},
        env={"BETTER_AUTH_URL": "https://app.example.com"},
        arguments=f"{ASK} --jwks-url {{proxy}}/api/auth/jwks",
    ),
    Row(
        "another audience at the API",
        ("audience-differs", "proof"),
        env=USUAL | {"BETTER_AUTH_AUDIENCE": "notes-api"},
        arguments=ASK,
        token="token",
    ),
    Row(
        "another audience at the service",
        ("audience-differs", "proof"),
        service="audience",
        env=USUAL,
        arguments=f"{ASK} --audience {{url}}",
        token="token",
    ),
    own(
        "an ID token",
        ("wrong-token-sent", "strong"),
        {"aud": "client-7", "nonce": "n-0S6_WzA2Mj"},
        arguments=f"{ASK} --audience {{url}}",
        more=frozenset(("audience-differs",)),
    ),
    # The API itself.
    Row(
        "the API refuses a good token",
        ("api-refuses-good-token", "strong"),
        env=USUAL,
        fault="refusing-api",
        arguments=f"{ASK} --api {{proxy}}/notes",
        token="token",
        hints=frozenset(("api-jwks-cached-stale",)),
    ),
    Row(
        "the API redirects",
        ("api-redirect-loses-authorization", "proof"),
        env=USUAL,
        fault="redirecting-api",
        arguments=f"{ASK} --api {{proxy}}/notes",
        token="token",
    ),
    # Variables.
    Row(
        "check: nothing says where the keys are",
        ("url-missing", "strong"),
        command="check",
        env={"BETTER_AUTH_ISSUER": "https://app.example.com"},
    ),
    Row("nothing says where the keys are", ("url-missing", "strong")),
    Row("check: a blank URL", ("url-missing", "strong"), command="check", env={"BETTER_AUTH_URL": ""}),
    variable("BETTER_AUTH_JWKS_URL", " ", "url-missing", "strong"),
    variable("BETTER_AUTH_ISSUER", "", "issuer-differs-at-api", "strong"),
    variable("BETTER_AUTH_AUDIENCE", "", "audience-differs", "strong"),
    variable("BETTER_AUTH_JWKS_URL", "https://app.example.com/api/auth/jwks\n", "api-cannot-fetch-jwks"),
    variable("BETTER_AUTH_JWKS_URL", '"https://app.example.com/api/auth/jwks"', "api-cannot-fetch-jwks"),
    variable("BETTER_AUTH_JWKS_URL", "/api/auth/jwks", "api-cannot-fetch-jwks"),
    variable("BETTER_AUTH_ISSUER", "https://app.example.com/", "issuer-trailing-slash", "strong"),
    variable("BETTER_AUTH_ISSUER", "https://app.example.com/api/auth", "issuer-path", "strong"),
    variable("BETTER_AUTH_ISSUER", "https://app.example.com\n", "issuer-differs-at-api"),
    variable("BETTER_AUTH_ISSUER", "'https://app.example.com'", "issuer-differs-at-api"),
    variable("BETTER_AUTH_ISSUER", "https://preview.example.com", "url-contradiction", "strong"),
    variable("BETTER_AUTH_ISSUER", "http://app.example.com", "url-contradiction", "strong"),
    variable("BETTER_AUTH_AUDIENCE", "notes-api\n", "audience-differs"),
    variable("BETTER_AUTH_AUDIENCE", '"notes-api"', "audience-differs"),
    variable("BETTER_AUTH_ALGORITHMS", "EDDSA", "api-algorithm"),
    variable("BETTER_AUTH_ALGORITHMS", "", "api-algorithm", "strong"),
    variable("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890", "secret-default"),
    variable("BETTER_AUTH_SECRET", SECRET + "\n", "secret-whitespace"),
    variable("BETTER_AUTH_SECRET", f'"{SECRET}"', "secret-quoted"),
    variable("BETTER_AUTH_SECRET", "Qx7-short-one", "secret-short"),
    variable("BETTER_AUTH_SECRET", "ab" * 20, "secret-short"),
    Row(
        "check: a slash, and nothing else says the issuer",
        ("trailing-slash-env", "strong"),
        command="check",
        env={"BETTER_AUTH_URL": "https://app.example.com/"},
    ),
    Row(
        "check: the path, and nothing else says the issuer",
        ("trailing-slash-env", "strong"),
        command="check",
        env={"BETTER_AUTH_URL": "https://app.example.com/api/auth/"},
    ),
    Row(
        "check: the usual path, and nothing else says the issuer",
        ("trailing-slash-env", "strong"),
        command="check",
        env={"BETTER_AUTH_URL": "https://app.example.com/api/auth"},
    ),
    variable("BETTER_AUTH_URL", "'https://app.example.com'", "trailing-slash-env"),
    Row(
        "check: a quoted secret in a file",
        ("secret-whitespace", "proof"),
        command="check",
        env=GOOD,
        arguments="--env-file {folder}/.env",
        files={".env": f'BETTER_AUTH_SECRET="{SECRET}\\n"\n'},
    ),
]

HEALTHY = [
    Row("plain, without a token", env=USUAL),
    Row("plain, with a token", env=USUAL, arguments=ASK, token="token"),
    Row("by one URL", arguments="{url}", token="token"),
    Row(
        "by options alone",
        arguments="--jwks-url {url}/api/auth/jwks --issuer {url} --audience {url} --algorithms EdDSA,ES256 --leeway 5",
        token="token",
    ),
    Row("only the key set's URL is known", env={"BETTER_AUTH_JWKS_URL": "{url}/api/auth/jwks"}, token="token"),
    Row(
        "names that begin with JWT",
        env={"JWT_ISSUER": "{url}", "JWT_JWKS_URL": "{url}/api/auth/jwks", "JWT_ALGORITHM": "EdDSA"},
        token="token",
    ),
    Row("a whole header line", env=USUAL, arguments=ASK, token="Authorization: Bearer {token}\r\n"),
    Row("ES256", service="es256", env=USUAL, arguments="--algorithms ES256,EdDSA --leeway 5", token="token"),
    Row("RS256", service="rs256", env=USUAL, arguments="--algorithms RS256 --leeway 5", token="token"),
    Row("PS256 as well, without a token", service="rs256", env=USUAL, arguments="--algorithms PS256,RS256"),
    Row(
        "an audience of its own",
        service="audience",
        env=USUAL | {"BETTER_AUTH_AUDIENCE": "notes-api"},
        arguments=ASK,
        token="token",
    ),
    Row(
        "an audience that nobody told us",
        service="audience",
        env=USUAL,
        arguments=ASK,
        token="token",
        hints=frozenset(("audience-differs",)),
    ),
    Row(
        "a slash on both sides",
        service="slash",
        env={"BETTER_AUTH_ISSUER": "{url}/", "BETTER_AUTH_AUDIENCE": "{url}", "BETTER_AUTH_JWKS_URL": "{url}/api/auth/jwks"},
        arguments=ASK,
        token="token",
        hints=frozenset(("issuer-trailing-slash",)),
    ),
    Row(
        "a path on both sides",
        service="path",
        env={
            "BETTER_AUTH_ISSUER": "{url}/api/auth",
            "BETTER_AUTH_AUDIENCE": "{url}",
            "BETTER_AUTH_JWKS_URL": "{url}/api/auth/jwks",
        },
        arguments=ASK,
        token="token",
        hints=frozenset(("issuer-path",)),
    ),
    Row(
        "another base path",
        service="other-path",
        env={"BETTER_AUTH_URL": "{url}/auth", "BETTER_AUTH_ISSUER": "{url}"},
        arguments=ASK,
        token="token",
    ),
    Row(
        "fetched inside a cluster, public outside",
        fault="plain",
        keys=jwks("ed1"),
        token="own:" + json.dumps({"iss": "https://app.example.com", "aud": "https://app.example.com"}),
        arguments=ASK,
        env={"BETTER_AUTH_ISSUER": "https://app.example.com", "BETTER_AUTH_JWKS_URL": "{proxy}/api/auth/jwks"},
        hints=frozenset(("url-contradiction",)),
    ),
    own("several audiences", None, {"aud": ["https://other.example.com", "{url}"]}),
    own("a clock a second off, with a leeway", None, {"iat": 2}),
    own(
        "Auth0 ends its issuer with a slash",
        None,
        {"iss": "https://tenant.auth0.example/", "aud": "notes-api"},
        arguments=ASK,
        hints=frozenset(("issuer-trailing-slash",)),
        env={"ISSUER": "https://tenant.auth0.example/", "AUDIENCE": "notes-api", "JWKS_URL": "{proxy}/.well-known/jwks.json"},
    ),
    Row(
        "five keys", env=BEHIND, fault="plain", keys=jwks("ed1", "ed1", "es1", "es1", "ed1"), hints=frozenset(("jwks-many-keys",))
    ),
    Row("an unusable key beside a good one", env=BEHIND, fault="plain", keys=jwks("odd", "ed1")),
    Row("a cache that says its age", fault="cached", env=BEHIND, arguments=ASK, token="token"),
    Row("a CDN's hit", fault="cdn", env=BEHIND, arguments=ASK, token="token"),
    Row("slow, within the time-out", fault="slow", env=BEHIND, arguments="--timeout 10"),
    Row("a private CA, by option", fault="plain", env=BEHIND, https_days=30, arguments="--ca-file {certificate}"),
    Row("a private CA, by variable", fault="plain", env=BEHIND | {"SSL_CERT_FILE": "{certificate}"}, https_days=30),
    Row("a wall, and a user agent that it likes", fault="user-agent", env=BEHIND, arguments="--header User-Agent:notes-api/1.0"),
    Row(
        "a proxy that this host is excepted from",
        env=USUAL | {"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"},
        arguments=ASK,
        token="token",
    ),
    Row(
        "the API's own client",
        env=USUAL,
        arguments="--client keys:client",
        files={"keys.py": 'import os, jwt\nclient = jwt.PyJWKClient(os.environ["BETTER_AUTH_JWKS_URL"])\n'},
        token="token",
    ),
    Row(
        "the API's own client, which keeps keys",
        env=USUAL,
        arguments="--client keys:client",
        hints=frozenset(("api-jwks-cached-stale",)),
        files={"keys.py": 'import os, jwt\nclient = jwt.PyJWKClient(os.environ["BETTER_AUTH_JWKS_URL"], cache_keys=True)\n'},
    ),
    Row("good source", env=USUAL, source="good", token="token"),
    Row("source of another library", env=USUAL, source="other-jwt", token="token"),
    Row("source without leeway, clocks agree", env=USUAL, source="no-leeway", hints=frozenset(("api-leeway",))),
    Row("keys cached for ever", env=USUAL, source="cached", hints=frozenset(("api-jwks-cached-stale",))),
    Row("a good API", env=USUAL, fault="good-api", arguments=f"{ASK} --api {{proxy}}/notes", token="token"),
    Row(
        "an API that answers 403 to nobody",
        env=USUAL,
        fault="forbidding-api",
        arguments=f"{ASK} --api {{proxy}}/notes",
        token="token",
        hints=frozenset(("api-403-not-401",)),
    ),
    Row(
        "an API that adds a slash",
        env=USUAL,
        fault="slashing-api",
        arguments=f"{ASK} --api {{proxy}}/notes",
        hints=frozenset(("api-redirect-loses-authorization",)),
    ),
    Row("the usual path in the URL", env=USUAL | {"BETTER_AUTH_URL": "{url}/api/auth"}, hints=frozenset(("trailing-slash-env",))),
    Row(
        "check: an issuer that is no URL",
        command="check",
        env=GOOD | {"BETTER_AUTH_ISSUER": "our-issuer"},
        hints=frozenset(("issuer-differs-at-api",)),
    ),
    Row("check: a leeway in words", command="check", env=GOOD | {"JWT_LEEWAY": "5 seconds"}, hints=frozenset(("api-leeway",))),
    Row("check: a blank variable that nobody needs", command="check", env=GOOD | {"BETTER_AUTH_URL": "", "JWT_ISSUER": ""}),
    Row("a good secret", env=USUAL | {"BETTER_AUTH_SECRET": SECRET}),
    Row(
        "check: good variables",
        command="check",
        env=GOOD | {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_ALGORITHMS": "EdDSA, ES256", "BETTER_AUTH_LEEWAY": "5"},
    ),
    Row(
        "check: of this machine",
        command="check",
        env={"BETTER_AUTH_URL": "http://localhost:3000", "BETTER_AUTH_JWKS_URL": "http://127.0.0.1:3001/api/auth/jwks"},
    ),
    Row(
        "check: pyjwt alone is asked for, and cryptography is there",
        command="check",
        env=GOOD,
        files={"requirements.txt": "PyJWT==2.15.1\n"},
        hints=frozenset(("api-no-cryptography",)),
    ),
    Row(
        "check: pyjwt[crypto]",
        command="check",
        env=GOOD,
        files={
            "requirements.txt": "fastapi\nPyJWT[crypto]==2.15.1\n",
            "pyproject.toml": 'dependencies = ["PyJWT[crypto]>=2.10,<3", "fastapi"]\n',
        },
    ),
    Row("check: in an image's build", command="check", arguments="--no-environment"),
    Row("check: shared secrets, no cryptography", command="check", env=GOOD | {"JWT_ALGORITHM": "HS256"}, python="bare"),
]
