"""The variables of an API that verifies tokens of Better Auth, checked when it starts.

The same as ``python -m doorward_origin check`` says of them: every problem at once, each with its variable and what to do, and
never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .doctor.environment import SENTENCES, problems


@dataclass(frozen=True)
class EnvironmentProblem:
    #: The variable's name.
    variable: str
    #: What is wrong with it, after its name: ``is not set``.
    problem: str
    #: What to do.
    hint: str


def environment_problems(environment: Mapping[str, str]) -> list[EnvironmentProblem]:
    """What is wrong with ``BETTER_AUTH_URL``, ``…_ISSUER``, ``…_AUDIENCE``, ``…_JWKS_URL``, ``…_ALGORITHMS``, ``…_LEEWAY``, their
    ``JWT_…`` names and secrets beside them. What is optional may be missing; it is blank by mistake."""
    found = problems({name: (value, None) for name, value in environment.items()})
    return [EnvironmentProblem(one.name, *SENTENCES[one.problem]) for one in found]
