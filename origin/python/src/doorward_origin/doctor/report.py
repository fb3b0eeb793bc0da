"""What was found, as text for people and as the JSON that `doorward doctor --json` prints as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from .causes import CAUSES, actor, doc, fix, title
from .facts import Facts, flat
from .rules import Finding

SCHEMA: Final = "doctor-1"
_MAX_TEXT: Final = 200
_EMAIL: Final = re.compile(r"[^\s@/\"'<>:=]+@[^\s@/\"'<>]+\.\w+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
#: Names of variables whose values are never to be shown, by whatever way one came into a sentence.
_SECRET_NAME: Final = re.compile(r"(?i)secret|token|password|passwd|private|credential|api_?key|_key$|database_url|_dsn$")


@dataclass
class Report:
    """All of it, before it is written."""

    verdict: Literal["cause", "healthy", "unfinished"]
    target: str
    at: str
    version: str
    facts: Facts
    findings: list[Finding]
    excluded: list[str]
    skipped: list[dict[str, str]]
    requests: list[dict[str, Any]]

    @property
    def exit_status(self) -> int:
        return {"healthy": 0, "cause": 1, "unfinished": 3}[self.verdict]


def hidden_values(variables: Mapping[str, tuple[str, str | None]], tokens: Iterable[str]) -> list[str]:
    """What must not be in an output: the values of secret variables, and the parts of tokens."""
    values = {value.strip() for name, (value, _) in variables.items() if _SECRET_NAME.search(name)}
    for token in tokens:
        values |= {token, *token.split(".")}
    for value, _ in variables.values():
        if (password := _password(value)) is not None:
            values.add(password)
    return sorted((value for value in values if len(value) >= 8), key=len, reverse=True)


def _password(value: str) -> str | None:
    try:
        return urlsplit(value).password
    except ValueError:
        return None


def as_json(report: Report, hidden: Sequence[str]) -> str:
    causes = [finding for finding in report.findings if finding.certainty != "hint"]
    hints = [finding for finding in report.findings if finding.certainty == "hint"]
    also = dict.fromkeys([one.cause for one in causes[1:]] + [name for one in causes for name in one.also])
    value = {
        "schema": SCHEMA,
        "version": report.version,
        "at": report.at,
        "target": report.target,
        "verdict": report.verdict,
        "causes": [_as_value(one, is_primary=one is causes[0]) for one in causes],
        "also": list(also),
        "hints": [_as_value(one, is_primary=False) for one in hints],
        "excluded": report.excluded,
        "skipped": report.skipped,
        "facts": facts_of(report.facts),
        "requests": report.requests,
    }
    return json.dumps(clean(value, hidden), ensure_ascii=False, indent=2)


def _as_value(finding: Finding, *, is_primary: bool) -> dict[str, Any]:
    return {
        "id": finding.cause,
        "certainty": finding.certainty,
        "primary": is_primary,
        "title": title(finding.cause),
        "seen": finding.seen,
        "unless": finding.unless,
        "evidence": list(finding.evidence),
        "actor": actor(finding.cause),
        "fix": fix(finding.cause),
        "doc": doc(finding.cause),
    }


def facts_of(facts: Facts) -> dict[str, Any]:
    found = dict(flat(facts))
    found.update(
        {
            name: value
            for name, value in (
                ("keys.count", len(facts.keys.all)),
                ("keys.algorithms", sorted({key.alg for key in facts.keys.all if key.alg})),
                ("api.redirect", next((one.redirect for one in (facts.api.with_token, facts.api.without_token) if one), None)),
            )
            if value
        }
    )
    return found


def clean(value: Any, hidden: Sequence[str]) -> Any:
    """Text as it may be shown: bounded, on one line, without addresses, passwords in URLs, and values of secrets."""
    if isinstance(value, dict):
        return {clean(key, hidden): clean(member, hidden) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(member, hidden) for member in value]
    if not isinstance(value, str):
        return value
    for secret in hidden:
        value = value.replace(secret, "[removed]")
    value = re.sub(r"(?i)(https?://)[^/\s@]*@", r"\1", value)
    value = re.sub(r"(?i)(https?://[^\s?#'\"]*)[?#][^\s'\"]*", r"\1", value)
    value = _EMAIL.sub("[address]", _CONTROL.sub("�", value))
    return value if len(value) <= _MAX_TEXT * 4 else value[: _MAX_TEXT * 4] + "…"


@dataclass
class Style:
    """Colours, on a terminal only."""

    colours: bool

    def paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours else text


def as_text(report: Report, hidden: Sequence[str], style: Style) -> str:
    lines = [*_phases(report, style), ""]
    for finding in report.findings:
        lines += _finding(finding, style)
    if report.verdict == "healthy":
        lines.append(f"nothing wrong as far as can be seen from here ({_count(len(report.requests), 'request')})")
    if report.verdict == "unfinished":
        lines.append("unfinished: it was interrupted, or this machine has no network")
    if report.skipped:
        lines.append("not looked at: " + "; ".join(f"{one['probe']} (needs {one['needs']})" for one in report.skipped))
    return "\n".join(clean(line, hidden) if not style.colours else _clean_line(line, hidden) for line in lines) + "\n"


def _clean_line(line: str, hidden: Sequence[str]) -> str:
    """The colours are ours and stay; what is between them is cleaned."""
    return "".join(part if part.startswith("\x1b[") else clean(part, hidden) for part in re.split(r"(\x1b\[\d*m)", line))


def _phases(report: Report, style: Style) -> Iterable[str]:
    facts = report.facts
    packages, keys, token = facts.packages, facts.keys, facts.token
    bad = {finding.cause for finding in report.findings if finding.certainty != "hint"}
    parts = [
        (
            "packages",
            f"Python {packages.python}, PyJWT {packages.pyjwt or 'missing'}, cryptography {packages.cryptography or 'missing'}",
            True,
        ),
        ("variables", "; ".join(f"{one.name}: {one.problem}" for one in facts.variables) or "nothing wrong with them", True),
        ("keys", _keys_line(facts), keys.answer is not None),
        ("clock", _clock_line(facts), keys.answer is not None and keys.answer.clock_ahead_s is not None),
        ("token", _token_line(facts), token is not None),
    ]
    for name, line, is_known in parts:
        wrong = bool(bad & _PHASES[name])
        mark = style.paint("31", "✘") if wrong else style.paint("32", "✔") if is_known else "–"  # noqa: RUF001 -- a dash that is one
        yield f" {mark} {name:9} {line if is_known else 'not looked at'}"


_PHASES: Final[dict[str, frozenset[str]]] = {
    name: frozenset(causes.split())
    for name, causes in {
        "packages": "api-pyjwt-missing api-no-cryptography",
        "variables": "url-missing trailing-slash-env url-contradiction secret-default "
        "secret-quoted secret-whitespace secret-short",
        "keys": "api-cannot-fetch-jwks rate-limited deployment-protection bot-challenge base-url-redirects database-unreachable "
        "jwt-plugin-missing jwks-not-json jwks-empty",
        "clock": "clock-skew api-leeway",
        "token": "bearer-prefix-left wrong-token-sent token-altered api-algorithm kid-not-in-jwks exp-is-a-date "
        "token-expired-no-refresh issuer-differs-at-api issuer-trailing-slash issuer-path issuer-scheme issuer-host "
        "audience-differs api-refuses-good-token",
    }.items()
}


def _keys_line(facts: Facts) -> str:
    keys, answer = facts.keys, facts.keys.answer
    if answer is None:
        return ""
    if not answer.is_key_set:
        return f"no key set: {answer.failure or f'{answer.status}, {answer.body}'}"
    algorithms = ", ".join(sorted({key.alg for key in keys.all if key.alg})) or "of no known algorithm"
    return f"{_count(len(keys.all), 'key')}, {algorithms}; PyJWT can use {keys.usable or 0}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _clock_line(facts: Facts) -> str:
    ahead = facts.keys.answer.clock_ahead_s if facts.keys.answer else None
    return (
        "the auth service's and this one agree" if abs(ahead or 0) <= 2 else f"the auth service's is {ahead} s ahead of this one"
    )


def _token_line(facts: Facts) -> str:
    token = facts.token
    if token is None:
        return ""
    holds = {True: "its signature holds", False: "its signature does not hold", None: "its signature was not checked"}[
        token.signature
    ]
    return f"{token.form}, {token.alg or 'no algorithm'}; {holds}" + (
        f"; PyJWT raises {token.decode_error}" if token.decode_error else ""
    )


def _finding(finding: Finding, style: Style) -> Iterable[str]:
    label, colour = {"proof": ("error", "31"), "strong": ("likely", "31"), "hint": ("hint", "33")}[finding.certainty]
    yield f"{style.paint(colour, f'{label}[{finding.cause}]')}: {title(finding.cause)}"
    yield f"  seen    {finding.seen}"
    if finding.unless:
        yield f"  unless  {finding.unless}"
    yield f"  facts   {', '.join(finding.evidence)}"
    yield f"  fix     {fix(finding.cause)}"
    yield f"  more    {doc(finding.cause)}"
    yield ""


def excluded(facts: Facts, findings: Sequence[Finding]) -> list[str]:
    """What is ruled out by what was seen, not by what was not: that ends most searches."""
    keys, token, expected = facts.keys, facts.token, facts.expected
    ruled_out: set[str] = set()
    if facts.packages.public_keys:
        ruled_out |= {"api-no-cryptography", "api-pyjwt-missing"}
    if keys.usable:
        ruled_out |= {
            "api-cannot-fetch-jwks",
            "jwks-not-json",
            "jwks-empty",
            "jwt-plugin-missing",
            "bot-challenge",
            "deployment-protection",
        }
    if token is not None and token.signature:
        ruled_out |= {"kid-not-in-jwks", "token-altered", "wrong-token-sent", "bearer-prefix-left"}
        if expected.algorithm_list and token.alg in expected.algorithm_list:
            ruled_out.add("api-algorithm")
        if expected.issuer.is_certain and token.iss == expected.issuer.value:
            ruled_out |= {"issuer-differs-at-api", "issuer-trailing-slash", "issuer-path", "issuer-scheme", "issuer-host"}
        if expected.audience.is_certain and expected.audience.value in token.aud:
            ruled_out.add("audience-differs")
    if keys.answer is not None and keys.answer.clock_ahead_s is not None and abs(keys.answer.clock_ahead_s) <= 5:
        ruled_out.add("clock-skew")
    return [cause for cause in CAUSES if cause in ruled_out - {finding.cause for finding in findings}]
