"""What does the doctor say of broken set-ups, and of healthy ones? The table is ``doctor_rows.py``.

Tokens and key sets are those of real Better Auth services (``better_auth.mjs``), the verifier is a real PyJWT, with cryptography
and in an environment of its own without (``DOORWARD_BARE_PYTHON``).
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest

import doorward_origin
from doctor_rows import BROKEN, GOOD, HEALTHY, SECRET, SOURCES, Row
from doorward_origin.doctor import rules
from doorward_origin.doctor.causes import CAUSES, actor, fix, title
from doorward_origin.doctor.environment import secret_of
from doorward_origin.doctor.facts import Facts
from faults import certificate, proxy
from support import KEYS

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BARE = os.environ.get("DOORWARD_BARE_PYTHON")


@dataclass
class Run:
    row: Row
    status: int
    answer: dict[str, Any]
    text: str
    said: str
    facts: Facts
    seconds: float
    hidden: list[str]


class Lab:
    """The services, and what came of each row; a row is played once."""

    def __init__(self, services: dict[str, Any], folder: Path) -> None:
        self.services = services
        self.folder = folder
        self.runs: dict[str, Run] = {}

    def play(self, row: Row) -> Run:
        if row.name not in self.runs:
            with ExitStack() as stack:
                self.runs[row.name] = self._play(row, stack)
        return self.runs[row.name]

    def _play(self, row: Row, stack: ExitStack) -> Run:
        service = self.services[row.service]
        folder = self.folder / re.sub(r"\W", "-", row.name)
        folder.mkdir()
        file = certificate(folder, days=row.https_days) if row.https_days is not None else None
        names = {
            "url": service["url"],
            "https": service["url"].replace("http:", "https:"),
            "folder": str(folder),
            "certificate": str(file),
        }
        if row.fault is not None:
            names["proxy"] = stack.enter_context(proxy(row.fault, service["url"], row.keys, file))
        source = {"app.py": SOURCES[row.source]} if row.source else {}
        for name, text in (row.files | source).items():
            (folder / name).write_text(text)
        arguments = [row.command, *(word.format(**names) for word in row.arguments.split())]
        arguments += ["--source", str(folder)] if row.source and row.command == "doctor" else []
        token = self._token(row, service, names) if row.token is not None else None
        arguments += ["--token-file", "-"] if token is not None else []
        env = {name: value.format(**names) for name, value in row.env.items()}
        began = time.monotonic()
        ended = run(row, folder, env, [*arguments, "--json"], token)
        seconds = time.monotonic() - began
        assert ended.stdout, ended.stderr
        text = (folder / "text").read_text("utf-8")
        hidden = [
            *(str(service[name]) for name in ("token", "secret", "email", "cookie", "cache", "session") if service.get(name))
        ]
        hidden += [value.strip() for name, value in env.items() if "SECRET" in name] + ([token] if token else [])
        facts: Facts = pickle.loads((folder / "facts").read_bytes())
        said = ended.stdout + ended.stderr + text
        return Run(row, ended.returncode, json.loads(ended.stdout), text, said, facts, seconds, hidden)

    @staticmethod
    def _token(row: Row, service: dict[str, Any], names: dict[str, str]) -> str:
        how = row.token or ""
        if how.startswith("own:"):
            return own_token(json.loads(how[4:].replace("{url}", names["url"])), names["url"])
        if how.startswith("cut:"):
            return str(service["token"])[: -int(how[4:])]
        if how == "later":
            time.sleep(1.1)
            return str(service["token"])
        return str(service[how]) if how in service else how.replace("{token}", service["token"])


def own_token(claims: dict[str, Any], url: str) -> str:
    """Of one of the vectors' keys. Dates are from now."""
    now = int(time.time())
    dates = {name: now + claims[name] for name in ("iat", "exp") if name in claims}
    usual: dict[str, Any] = {"iss": url, "aud": url, "sub": "ada@example.com", "iat": now, "exp": now + 900}
    return jwt.encode(usual | claims | dates, jwt.PyJWK(KEYS["private"]["ed1"]), headers={"kid": "ed1"})


def run(row: Row, folder: Path, env: dict[str, str], arguments: list[str], token: str | None) -> subprocess.CompletedProcess[str]:
    python = [BARE or "", "-B"] if row.python == "bare" else [sys.executable, "-B", *(["-S"] if row.python == "none" else [])]
    paths = [str(HERE.parent / "src"), *([str(folder)] if row.python == "another" else [])]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8", **env}
    command = [*python, str(HERE / "run_doctor.py"), str(folder), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, input=token or "", capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    command = ["node", str(HERE / "better_auth.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        assert line, "Better Auth does not start; is it installed? npm ci -w examples/stack/auth-service"
        yield Lab(json.loads(line), tmp_path_factory.mktemp("doctor"))
        process.terminate()


def skip_without_bare(row: Row) -> None:
    if row.python == "bare" and BARE is None:
        pytest.fail(
            "DOORWARD_BARE_PYTHON names no Python with PyJWT and without cryptography; `cargo xtask test python` makes one"
        )


def findings(found: Run, *certainties: str) -> list[str]:
    all_of_them = found.answer["causes"] + found.answer["hints"]
    return [cause["id"] for cause in all_of_them if cause["certainty"] in certainties]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: str(row.name))
def test_the_cause_is_named_first_and_alone(row: Row, lab: Lab) -> None:
    skip_without_bare(row)
    found = lab.play(row)
    assert found.answer["causes"], found.text
    first = found.answer["causes"][0]
    assert ((first["id"], first["certainty"]), first["primary"], found.answer["verdict"], found.status) == (
        row.expect,
        True,
        "cause",
        1,
    ), found.text
    assert set(findings(found, "proof", "strong")) <= {first["id"]} | row.more, found.text
    label = {"proof": "error", "strong": "likely"}[first["certainty"]]
    assert f"\n{label}[{first['id']}]: {first['title']}\n  seen    " in found.text
    holds_for_every_answer(found)


@pytest.mark.parametrize("row", HEALTHY, ids=lambda row: str(row.name))
def test_a_healthy_one_is_not_accused(row: Row, lab: Lab) -> None:
    skip_without_bare(row)
    found = lab.play(row)
    assert (findings(found, "proof", "strong"), found.answer["verdict"], found.status) == ([], "healthy", 0), found.text
    holds_for_every_answer(found)


def holds_for_every_answer(found: Run) -> None:
    assert set(found.row.hints) <= set(findings(found, "hint")), found.text
    known = found.answer["facts"]
    assert all(cause["certainty"] != "hint" for cause in found.answer["causes"])
    assert all(cause["certainty"] == "hint" for cause in found.answer["hints"])
    for cause in found.answer["causes"] + found.answer["hints"]:
        assert (cause["unless"] is not None) is (cause["certainty"] == "strong"), cause
        assert set(cause["evidence"]) <= known.keys(), (cause["evidence"], sorted(known))
        assert (cause["fix"], cause["title"], cause["doc"]) == (
            fix(cause["id"]),
            title(cause["id"]),
            f"docs/causes.md#{cause['id']}",
        )
    assert not set(found.answer["excluded"]) & {cause["id"] for cause in found.answer["causes"]}
    assert found.answer["schema"] == "doctor-1"
    assert len(found.answer["requests"]) <= 12
    assert found.seconds < 5, found.seconds
    for secret in found.hidden:
        raw = secret.encode()
        coded = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")
        for form in (secret, quote(secret, safe=""), *coded):
            assert form not in found.said, found.row.name
    assert "ada@example.com" not in found.said


def test_each_rule_is_needed_and_every_cause_is_shown(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row for row in (*BROKEN, *HEALTHY) if row.python != "bare" or BARE]
    runs = [lab.play(row) for row in rows]
    verdicts = [outline(rules.diagnose(found.facts)) for found in runs]
    idle = []
    for at, rule in enumerate(rules.RULES):
        fewer = [*rules.RULES[:at], *rules.RULES[at + 1 :]]
        if all(outline(rules.diagnose(found.facts, fewer)) == verdict for found, verdict in zip(runs, verdicts, strict=True)):
            idle.append(f"{at} {rule.__name__}")
    shown = {cause for verdict in verdicts for cause, _ in verdict}
    with capsys.disabled():
        named = {row.expect[0] for row in BROKEN if row.expect}
        print(
            f"\n{len(BROKEN)} broken set-ups of {len(named)} causes, {len(HEALTHY)} healthy ones, {len(rules.RULES)} rules",
            end=" ",
        )
    assert (idle, sorted(CAUSES.keys() - shown)) == ([], [])
    assert len(runs) >= 100


def outline(found: list[rules.Finding]) -> list[tuple[str, str]]:
    return [(finding.cause, finding.certainty) for finding in found]


ACTORS = {
    "auth-service": "Whoever runs the auth service has to act.",
    "gate": "Whoever runs the gate has to act.",
    "app": "Whoever writes the application has to act.",
    "api": "Whoever runs the API has to act.",
    "platform": "Whoever runs the proxy, the platform or the network has to act.",
}


def test_titles_and_fixes_are_those_of_the_table() -> None:
    page = (ROOT / "docs/causes.md").read_text("utf-8")
    sections = {part.split("\n", 1)[0].strip(): " ".join(part.split()) for part in page.split("\n### ")[1:]}
    for cause in CAUSES:
        assert cause in sections, f"docs/causes.md has no {cause}"
        for text in (title(cause), fix(cause), ACTORS[actor(cause)]):
            assert escaped(text) in sections[cause], (cause, text)


def escaped(text: str) -> str:
    """As the page has it: what Markdown would take for HTML or emphasis, outside of code."""
    pieces = text.split("`")
    return "`".join(piece if at % 2 else piece.replace("<", "\\<").replace("*", "\\*") for at, piece in enumerate(pieces))


def test_a_fingerprint_is_that_of_the_other_hosts() -> None:
    # printf %s 'doorward fingerprint 1' | openssl dgst -sha256 -hmac "$SECRET"
    assert (secret_of("S", SECRET).length, secret_of("S", SECRET).fingerprint) == ("32–64", "e2da8b")  # noqa: RUF001
    assert secret_of("S", "short").fingerprint is None
    assert (secret_of("S", "x" * 65).length, secret_of("S", "ä" * 16).length) == (">64", "32–64")  # noqa: RUF001


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2),
        (["cure"], 2),
        (["check", "/nowhere"], 2),
        (["check", "--env-file", "/nowhere"], 2),
        (["doctor", "nowhere"], 2),
        (["doctor", "--jwks-url", "nowhere"], 2),
        (["doctor", "--token-file", "/nowhere"], 2),
        (["doctor", "--token", "x"], 2),
        (["doctor", "--api", "http://api.example.com"], 2),
        (["doctor", "--ca-file", "/nowhere"], 2),
        (["doctor", "--timeout", "0"], 2),
        (["doctor", "--client", "nowhere:x"], 2),
        (["--help"], 0),
        (["doctor", "--help"], 0),
        (["check", "--help"], 0),
    ],
)  # fmt: skip
def test_a_command_line_that_is_wrong_is_2(arguments: list[str], status: int, tmp_path: Path) -> None:
    found = run(Row("usage"), tmp_path, {}, arguments, None)
    assert found.returncode == status, found.stderr
    assert bool(found.stdout) is (status == 0)
    assert "Traceback" not in found.stderr


def test_strict_counts_hints(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("PyJWT==2.15.1\n")
    statuses = [run(Row("strict"), tmp_path, GOOD, ["check", *more], None).returncode for more in ([], ["--strict"])]
    assert statuses == [0, 1]


def test_an_interruption_is_3_and_says_how_far_it_came(lab: Lab) -> None:
    # It answers long after the interruption, however busy the machine is.
    with proxy("silent", lab.services["plain"]["url"]) as url:
        arguments = ["doctor", "--jwks-url", f"{url}/api/auth/jwks", "--json", "--timeout", "20"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parent / "src")}
        command = [sys.executable, "-B", "-m", "doorward_origin", *arguments]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == "doorward-origin: asks 127.0.0.1 only\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=10)
    answer = json.loads(out)
    assert (process.returncode, answer["verdict"], answer["causes"]) == (3, "unfinished", [])
    assert answer["skipped"][-1]["probe"] == "what comes after 0 requests"


def test_the_package_s_names_are_loaded_when_they_are_used() -> None:
    code = "import sys, doorward_origin; assert 'jwt' not in sys.modules; doorward_origin.Verifier; assert 'jwt' in sys.modules"
    subprocess.run([sys.executable, "-B", "-c", code], env={"PYTHONPATH": str(HERE.parent / "src")}, check=True)
    with pytest.raises(AttributeError):
        _ = doorward_origin.Nothing
