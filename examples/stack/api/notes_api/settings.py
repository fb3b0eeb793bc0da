"""What this API needs to know from outside: every problem at once, each with its variable and what to do. Never a value."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from doorward_origin.check import EnvironmentProblem as Problem
from doorward_origin.check import environment_problems

from .log import say

JWKS_PATH = "/api/auth/jwks"
"""The auth service's, for JWTs."""
GATE_JWKS_PATH = "/.well-known/doorward/jwks.json"
"""The gate's, for assertions."""
AS_ISSUER = {"BETTER_AUTH_JWKS_URL": f"https://app.example.com{JWKS_PATH}"}
"""Beside which an issuer alone is looked at."""


@dataclass(frozen=True)
class Settings:
    issuer: str
    audience: str
    jwks_url: str
    gate_url: str


def read_settings(env: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    """What `python -m doorward_origin check` finds, and what only this API can say of its variables."""
    problems = environment_problems(env)

    def text(name: str, hint: str) -> str:
        if name not in env and all(problem.variable != name for problem in problems):
            problems.append(Problem(name, "is not set", hint))
        return env.get(name, "")

    issuer = text("BETTER_AUTH_ISSUER", "write the exact `iss` of the tokens, as the auth service has it")
    jwks_url = text("BETTER_AUTH_JWKS_URL", f"write where the auth service has its keys: …{JWKS_PATH}")
    gate_url = text("DOORWARD_URL", "write the site's own address, as browsers see it")
    if gate_url or "DOORWARD_URL" in env:
        # An issuer has just the form of a site's address.
        problems += [replace(problem, variable="DOORWARD_URL") for problem in environment_problems({**AS_ISSUER, "BETTER_AUTH_ISSUER": gate_url})]
    if not problems and urlsplit(jwks_url).path != JWKS_PATH:
        problems.append(Problem("BETTER_AUTH_JWKS_URL", "is not where Better Auth has its keys", f"they are at …{JWKS_PATH}"))
    if not problems and issuer != gate_url:
        # The auth service has no address of its own: browsers see it at the site's.
        problems.append(Problem("BETTER_AUTH_ISSUER", "is not the origin of DOORWARD_URL", "one of the two is of another environment"))
    if problems:
        return None, problems
    return Settings(issuer, env.get("BETTER_AUTH_AUDIENCE") or issuer, jwks_url, gate_url), []


def settings_or_exit(env: Mapping[str, str]) -> Settings:
    settings, problems = read_settings(env)
    if settings is None:
        for problem in problems:
            say("environment", level="error", **vars(problem))
        sys.exit(2)
    return settings
