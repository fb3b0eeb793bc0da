"""The command line: what it is told, looks at and prints. The answer goes to standard output, all else to standard error."""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from . import environment, key_set, packages, report, rules, source, token
from .facts import Answer, Facts, Setting

GOOD, BAD, USAGE, UNFINISHED = 0, 1, 2, 3
_STANDARD_INPUT: Final = "-"

_HELP: Final = """\
Why does this API refuse the tokens that it gets? Run it where the API runs: with its interpreter, its
variables, its network.

  python -m doorward_origin doctor    asks for the key set as the API does, and looks at a token
  python -m doorward_origin check     looks at packages, variables and source; opens no connection

Exit status: 0 nothing is wrong, 1 something is (with proof, or strongly), 2 the command line is wrong,
3 it could not finish. `… doctor --help` and `… check --help` have examples.
"""
_DOCTOR: Final = """\
Looks, in the order of a request's way, at: packages (PyJWT, cryptography); variables; the key set, fetched by
PyJWT's own client with its user agent, CA bundle and proxy; the clocks; and a token, if you give one: its
form, algorithm, key, signature, times, `iss` and `aud` against what the API expects.

What the API expects comes from options, from BETTER_AUTH_URL, BETTER_AUTH_ISSUER, BETTER_AUTH_AUDIENCE,
BETTER_AUTH_JWKS_URL, BETTER_AUTH_ALGORITHMS, BETTER_AUTH_LEEWAY (or JWT_… of the same), and with --source
from its `jwt.decode(…)` calls. Tokens are read from a file or standard input, never from the command line, and
no token, secret or e-mail address is printed. The token is sent nowhere, but to --api if you name it.

Examples:
  python -m doorward_origin doctor
  python -m doorward_origin doctor https://app.example.com --algorithms EdDSA,ES256
  pbpaste | python -m doorward_origin doctor --token-file -
  python -m doorward_origin doctor --client notes_api.auth:jwks_client --token-file token.txt --json
"""
_CHECK: Final = """\
A build step: which variables are missing, blank, quoted, weak or contradictory; whether PyJWT can read public
keys here, and is asked for with [crypto]; what the source gives to `jwt.decode`. It opens no connection.

Examples:
  python -m doorward_origin check                       the variables of this process, the files of this folder
  python -m doorward_origin check --env-file .env       with those of a file (the process's count over it)
  python -m doorward_origin check --no-environment      in an image's build, where no variable is set yet
  python -m doorward_origin check --strict              hints fail, too
"""


def main(arguments: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or a pipe that knows no check mark gets an escape, and no exception.
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as ended:
        return GOOD if ended.code in (0, None) else USAGE
    try:
        return int(options.work(options))
    except UsageError as error:
        print(f"doorward-origin: error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("doorward-origin: interrupted", file=sys.stderr)
        return UNFINISHED


class UsageError(Exception):
    """A sentence about the command line."""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m doorward_origin", description=_HELP, formatter_class=raw, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="doctor|check")
    doctor = commands.add_parser(
        "doctor", description=_DOCTOR, formatter_class=raw, allow_abbrev=False, help="asks, and looks at a token"
    )
    doctor.set_defaults(work=_doctor)
    check = commands.add_parser(
        "check", description=_CHECK, formatter_class=raw, allow_abbrev=False, help="a build step, without network"
    )
    check.set_defaults(work=_check)
    for command in (doctor, check):
        command.add_argument("--json", action="store_true", help="print the answer as JSON")
        command.add_argument(
            "--env-file", action="append", default=[], type=Path, metavar="FILE", help="read variables from FILE, too"
        )
        command.add_argument("--strict", action="store_true", help="exit 1 for hints as well")
    doctor.add_argument("url", nargs="?", metavar="URL", help="the auth service's public URL (BETTER_AUTH_URL)")
    _add_expected(doctor)
    doctor.add_argument("--token-file", metavar="FILE", help="the token, as the API's code gets it; - for standard input")
    doctor.add_argument("--client", metavar="MODULE:NAME", help="import the API's own PyJWKClient and use that one")
    doctor.add_argument("--ca-file", metavar="FILE", help="the client's CA bundle, if it is given one")
    doctor.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header that the client sends; no secret"
    )
    doctor.add_argument("--timeout", type=float, default=5, metavar="SECONDS", help="the client's time-out, at most 10 (5)")
    doctor.add_argument("--source", type=Path, metavar="DIR", help="read what DIR's Python files give to jwt.decode")
    doctor.add_argument("--api", metavar="URL", help="ask a path of the API, without a token and with the one of --token-file")
    check.add_argument(
        "folder", nargs="?", default=Path("."), type=Path, metavar="DIR", help="where source and requirements are (.)"
    )
    check.add_argument("--no-environment", action="store_true", help="say nothing about variables")
    return parser


def _add_expected(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", metavar="URL", dest="url_option", help="the same as URL")
    command.add_argument("--jwks-url", metavar="URL", help="where the API fetches keys (…/api/auth/jwks)")
    command.add_argument("--issuer", metavar="ISS", help="the `iss` that the API expects, letter by letter")
    command.add_argument("--audience", metavar="AUD", help="the `aud` that it expects (the issuer)")
    command.add_argument("--algorithms", metavar="A,B", help="what its jwt.decode accepts")
    command.add_argument("--leeway", metavar="SECONDS", help="what its jwt.decode tolerates")


def _variables(options: argparse.Namespace) -> environment.Variables:
    try:
        return environment.read(options.env_file, os.environ)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--env-file: {getattr(error, 'strerror', None) or 'is not text'}") from None


@dataclass
class Asked:
    """What comes of looking, beside the facts."""

    variables: environment.Variables
    target: str = "check"
    skipped: list[dict[str, str]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    #: What must not be printed.
    hidden: tuple[str, ...] = ()
    is_interrupted: bool = False

    def skip(self, probe: str, needs: str) -> None:
        self.skipped.append({"probe": probe, "needs": needs})


def _check(options: argparse.Namespace) -> int:
    if not options.folder.is_dir():
        raise UsageError("there is no such folder")
    asked = Asked(_variables(options))
    facts = Facts(packages=packages.look())
    facts.source, said = source.scan(options.folder)
    facts.source.pyjwt_alone = packages.pyjwt_alone(options.folder)
    if not options.no_environment:
        facts.expected = environment.expected(asked.variables, {})
        facts.variables = environment.problems(asked.variables)
        facts.secrets = environment.secrets(asked.variables)
    _take_said(facts, said)
    asked.skip("keys, clock and token", "doctor")
    return _finish(options, facts, asked)


def _doctor(options: argparse.Namespace) -> int:
    if options.token_file == _STANDARD_INPUT and sys.stdin.isatty():
        print("doorward-origin: paste the token, then end of file", file=sys.stderr)
    asked = Asked(_variables(options))
    text = _token_text(options.token_file)
    options.url = options.url_option or options.url
    given = {name: getattr(options, name) for name in environment.NAMES}
    _check_given(given, options)
    facts = Facts(packages=packages.look(), expected=environment.expected(asked.variables, given))
    overridden = {name for name, value in given.items() if value is not None}
    facts.variables = [one for one in environment.problems(asked.variables) if not _is_overridden(one.name, overridden)]
    facts.secrets = environment.secrets(asked.variables)
    if options.source is not None:
        facts.source, said = source.scan(options.source)
        _take_said(facts, said)
    http = key_set.Http(requests=asked.requests)
    try:
        keys = _look_at_keys(facts, options, http, asked)
        found = _look_at_token(facts, text, keys, asked)
        if options.api:
            _look_at_api(facts, options, http, found)
    except KeyboardInterrupt:
        asked.is_interrupted = True
        asked.skip(f"what comes after {len(http.requests)} requests", "an end without interruption")
    asked.target = environment.origin_of(facts.expected.jwks_url.value) or "nothing"
    asked.hidden = (text or "", *(text or "").split())
    return _finish(options, facts, asked)


def _check_given(given: dict[str, Any], options: argparse.Namespace) -> None:
    for name in ("url", "jwks_url"):
        if given[name] is not None and environment.split(given[name]) is None:
            raise UsageError(f"{'URL' if name == 'url' else '--jwks-url'} is not an http or https URL")
    if options.timeout <= 0:
        raise UsageError("--timeout is not a number of seconds")
    if options.ca_file and not Path(options.ca_file).is_file():
        raise UsageError("--ca-file names no file")
    if options.source is not None and not options.source.is_dir():
        raise UsageError("--source names no folder")
    for header in options.header:
        if ":" not in header:
            raise UsageError("--header is not `NAME: VALUE`")
    if options.api and not _may_have_token(options.api):
        raise UsageError("--api has to be an https URL, or one of this machine: a token is sent there")


def _may_have_token(url: str) -> bool:
    parts = environment.split(url)
    return parts is not None and (parts.scheme == "https" or environment.is_loopback(parts.hostname or ""))


def _is_overridden(name: str, asked: set[str]) -> bool:
    return any(name in environment.NAMES[what] for what in asked) or (name == "BETTER_AUTH_JWKS_URL" and "url" in asked)


def _take_said(facts: Facts, said: Any) -> None:
    """What the source says counts where nobody has told us more directly."""
    for name in ("issuer", "audience", "algorithms", "leeway"):
        own: Setting = getattr(facts.expected, name)
        stands: Setting = getattr(said, name)
        if not own.is_certain and stands.value is not None:
            setattr(facts.expected, name, stands)


def _token_text(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        raw = (
            sys.stdin.buffer.read(token.MAX_TOKEN + 1)
            if name == _STANDARD_INPUT
            else Path(name).read_bytes()[: token.MAX_TOKEN + 1]
        )
    except OSError as error:
        raise UsageError(f"--token-file: {error.strerror}") from None
    if not raw.strip():
        raise UsageError("--token-file has nothing in it")
    return raw.decode("utf-8", "replace")


def _look_at_keys(facts: Facts, options: argparse.Namespace, http: key_set.Http, asked: Asked) -> Any:
    client = key_set.Client(
        headers=dict(_header(line) for line in options.header),
        ca_file=options.ca_file,
        seconds=options.timeout,
        own=_own_client(options.client),
    )
    own_url = getattr(client.own, "uri", None)
    if isinstance(own_url, str):
        facts.expected.jwks_url = Setting(own_url, "--client")
    url = facts.expected.jwks_url.value
    if url is None:
        asked.skip("keys and clock", "--jwks-url, --url, BETTER_AUTH_JWKS_URL or BETTER_AUTH_URL")
        return None
    if environment.split(url) is None:
        facts.keys.answer = Answer(failure="not-a-url")
        return None
    print(f"doorward-origin: asks {urlsplit(url).hostname} only", file=sys.stderr)
    try:
        facts.keys, keys = key_set.look(http, url, client)
    except OSError:
        # A CA bundle that is none.
        raise UsageError("--ca-file has no certificates in it") from None
    return keys


def _own_client(name: str | None) -> Any:
    """The API's own client. Its module is imported, and so what stands in it is run."""
    if name is None:
        return None
    module, _, path = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever the API's module raises
        raise UsageError(f"--client: {type(error).__name__} when it was imported") from None
    if not hasattr(found, "get_jwk_set"):
        raise UsageError("--client: that is no PyJWKClient")
    return found


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _look_at_token(facts: Facts, text: str | None, keys: Any, asked: Asked) -> str | None:
    if text is None:
        asked.skip("token", "--token-file")
        return None
    facts.token, found = token.read(text, time.time())
    if found is None:
        return None
    token.verify(facts.token, found, facts.keys.all, keys, facts.packages)
    token.decode(facts.token, found, keys, facts.expected)
    needs = {
        "issuer": "--issuer or BETTER_AUTH_ISSUER",
        "algorithms": "--algorithms or --source",
        "leeway": "--leeway or --source",
    }
    for name, what in needs.items():
        if getattr(facts.expected, name).value is None:
            asked.skip(name, what)
    if facts.token.signature is None:
        asked.skip("signature", "a usable key set")
    return found if facts.token.form == "jwt" else None


def _look_at_api(facts: Facts, options: argparse.Namespace, http: key_set.Http, found: str | None) -> None:
    facts.api.without_token = http.get("api", options.api, {})[0]
    if found is not None and facts.api.without_token.failure is None:
        facts.api.with_token = http.get("api-with-token", options.api, {"authorization": f"Bearer {found}"})[0]


def _finish(options: argparse.Namespace, facts: Facts, asked: Asked) -> int:
    findings = rules.diagnose(facts)
    is_cause = any(one.certainty != "hint" or options.strict for one in findings)
    no_network = facts.keys.answer is not None and facts.keys.answer.failure == "no-network"
    found = report.Report(
        verdict="unfinished" if asked.is_interrupted else "cause" if is_cause else "unfinished" if no_network else "healthy",
        target=asked.target,
        at=key_set.utc(time.time()),
        version=packages.version(),
        facts=facts,
        findings=findings,
        excluded=report.excluded(facts, findings),
        skipped=asked.skipped,
        requests=asked.requests,
    )
    hidden = report.hidden_values(asked.variables, asked.hidden)
    if options.json:
        print(report.as_json(found, hidden))
    else:
        style = report.Style(sys.stdout.isatty() and "NO_COLOR" not in os.environ)
        sys.stdout.write(report.as_text(found, hidden, style))
    return found.exit_status
