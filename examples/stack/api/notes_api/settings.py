"""What this API needs to know from outside: every problem at once, each with its variable and what to do. Never a value."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from .log import say

JWKS_PATH = "/api/auth/jwks"
"""The auth service's, for JWTs."""
GATE_JWKS_PATH = "/.well-known/doorward/jwks.json"
"""The gate's, for assertions."""


@dataclass(frozen=True)
class Settings:
    issuer: str
    audience: str
    jwks_url: str
    gate_url: str


@dataclass(frozen=True)
class Problem:
    variable: str
    problem: str
    hint: str


def read_settings(env: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    problems: list[Problem] = []

    def text(name: str, hint: str) -> str:
        value = env.get(name)
        if value is None:
            problems.append(Problem(name, "is not set", hint))
        elif not value.strip():
            problems.append(Problem(name, "is empty", hint))
        elif value != value.strip():
            problems.append(Problem(name, "has white space around it", "a line end was pasted along: take it off"))
        else:
            return value
        return ""

    issuer = text("BETTER_AUTH_ISSUER", "write the exact `iss` of the tokens, as the auth service has it")
    jwks_url = text("BETTER_AUTH_JWKS_URL", f"write where the auth service has its keys: …{JWKS_PATH}")
    gate_url = text("DOORWARD_URL", "write the site's own address, as browsers see it")
    if issuer:
        hint = "tokens carry the origin alone, and it is compared letter by letter"
        problems += _origin_problems("BETTER_AUTH_ISSUER", issuer, hint)
    if gate_url:
        problems += _origin_problems("DOORWARD_URL", gate_url, f"the gate's keys are at …{GATE_JWKS_PATH} of the site")
    if jwks_url:
        problems += _jwks_problems(jwks_url)
    audience = text("BETTER_AUTH_AUDIENCE", "leave it out for the issuer") if env.get("BETTER_AUTH_AUDIENCE") else issuer
    hint = "one of the two is of another environment"
    if issuer.startswith("https:") and jwks_url.startswith("http:"):
        problems.append(Problem("BETTER_AUTH_JWKS_URL", "is of this machine, but BETTER_AUTH_ISSUER is not", hint))
    if issuer and gate_url and issuer.rstrip("/") != gate_url.rstrip("/"):
        # The auth service has no address of its own: browsers see it at the site's.
        problems.append(Problem("BETTER_AUTH_ISSUER", "is not the origin of DOORWARD_URL", hint))
    if problems:
        return None, problems
    return Settings(issuer, audience, jwks_url, gate_url), []


def settings_or_exit(env: Mapping[str, str]) -> Settings:
    settings, problems = read_settings(env)
    if settings is None:
        for problem in problems:
            say("environment", level="error", **vars(problem))
        sys.exit(2)
    return settings


def _origin_problems(name: str, value: str, hint: str) -> list[Problem]:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        return [Problem(name, "is not an http or https URL", "write it like https://app.example.com")]
    if f"{url.scheme}://{url.netloc}" != value:
        return [Problem(name, "has something after host and port, if only a slash", hint)]
    if url.scheme == "http" and not _is_loopback(url.hostname):
        return [Problem(name, "is http", "use https; http is for this machine only")]
    return []


def _jwks_problems(value: str) -> list[Problem]:
    name = "BETTER_AUTH_JWKS_URL"
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        return [Problem(name, "is not an http or https URL", f"write it like https://app.example.com{JWKS_PATH}")]
    problems = []
    if url.scheme == "http" and not _is_loopback(url.hostname):
        hint = "use https; http is for this machine only"
        problems.append(Problem(name, "is http: anybody on the way could put keys of their own in", hint))
    if url.path != JWKS_PATH:
        problems.append(Problem(name, "is not where Better Auth has its keys", f"they are at …{JWKS_PATH}"))
    return problems


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
