"""The shared cases, through each door: the verifier itself, ASGI, WSGI, and ``read_session``."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from http.client import HTTPMessage
from typing import Any

import pytest

from doorward_origin import REASONS, AsgiMiddleware, AssertionRefused, Session, Verifier, WsgiMiddleware
from doorward_origin.refusal import Reason
from support import FOLDER, Json, cases, headers_of, load, mint, request_of, verifier_of

Door = Callable[[Verifier, Json], Session]

#: What a door that is not bound to the request does not look at.
BOUND = {"assertion_method", "assertion_host", "assertion_target", "assertion_replayed"}


def direct(verifier: Verifier, case: Json) -> Session:
    return verifier.verify_request(*request_of(case), headers_of(case))


def unbound(verifier: Verifier, case: Json) -> Session:
    return verifier.read_session(headers_of(case))


class RefusedByDoor(Exception):  # noqa: N818
    """What a middleware's answer says."""


def asgi(verifier: Verifier, case: Json) -> Session:
    method, target = request_of(case)
    path, _, query = target.partition("?")
    headers = [(name.encode(), value.encode()) for name, value in headers_of(case)]
    scope = {"type": "http", "method": method, "raw_path": path.encode(), "query_string": query.encode(), "headers": headers}
    reached: list[Session] = []
    sent: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope["state"]["doorward_session"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    asyncio.run(AsgiMiddleware(app, verifier)(scope, receive, send))
    if reached:
        assert not sent
        return reached[0]
    status = REASONS[_reason_of(sent[0]["headers"])][0]
    assert sent[0]["status"] == status
    if method == "HEAD":
        assert sent[1]["body"] == b""
        raise RefusedByDoor(None)
    body = json.loads(sent[1]["body"])
    assert body["status"] == status
    raise RefusedByDoor(body["reason"])


def wsgi(verifier: Verifier, case: Json) -> Session:
    method, target = request_of(case)
    values = [value for name, value in headers_of(case) if name == "x-doorward-assertion"]
    environ: Json = {"REQUEST_METHOD": method, "RAW_URI": target, "PATH_INFO": "/somewhere/else"}
    if values:
        environ["HTTP_X_DOORWARD_ASSERTION"] = ",".join(values)
    reached: list[Session] = []
    started: list[Any] = []

    def app(environ: Json, _start_response: Any) -> list[bytes]:
        reached.append(environ["doorward.session"])
        return []

    def start_response(*arguments: Any) -> Any:
        started.append(arguments)

    body = b"".join(WsgiMiddleware(app, verifier)(environ, start_response))
    if reached:
        assert not started
        return reached[0]
    assert int(started[0][0][:3]) == REASONS[_reason_of(started[0][1])][0]
    if method == "HEAD":
        assert body == b""
        raise RefusedByDoor(None)
    raise RefusedByDoor(json.loads(body)["reason"])


def _reason_of(headers: Any) -> Reason:
    """A reason with the status that these headers belong to."""
    names = {name if isinstance(name, str) else name.decode() for name, _ in headers}
    if "www-authenticate" in names:
        return "assertion_missing"
    return "keys_unavailable" if "retry-after" in names else "assertion_signature"


@pytest.mark.parametrize("door", [direct, asgi, wsgi, unbound])
def test_the_vectors_hold(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    failures: list[str] = []
    count = 0
    for case in cases():
        count += 1
        expected = case.get("expect", "ok")
        verifier = verifier_of(case)
        if door is unbound and expected in BOUND:
            expected = "ok"
        found, session = outcome(door, verifier, case)
        if not (found == expected or (found is None and expected != "ok")):
            failures.append(f"{case['name']}: {found} instead of {expected}")
        for member, value in case.get("session", {}).items():
            if session is None or getattr(session, member) != value:
                failures.append(f"{case['name']}: {member}")
        if "again" in case and door is not unbound and outcome(door, verifier, case)[0] != case["again"]:
            failures.append(f"{case['name']}: the second time")
    with capsys.disabled():
        print(f"\n{count} assertion cases by {door.__name__}, {len(failures)} failed", end=" ")
    assert count > 200
    assert failures == []


def outcome(door: Door, verifier: Verifier, case: Json) -> tuple[str | None, Session | None]:
    try:
        return "ok", door(verifier, case)
    except AssertionRefused as refused:
        return refused.reason, None
    except RefusedByDoor as refused:
        reason: str | None = refused.args[0]
        return reason, None


def test_the_reasons_are_those_of_the_table() -> None:
    table = {code: (entry["status"], entry["sentence"]) for code, entry in load("reasons").items()}
    assert table == REASONS


def test_every_reason_has_a_case_and_a_line_in_the_docs() -> None:
    given = {case.get("expect") for case in cases()} | {case.get("again") for case in cases()}
    assert set(REASONS) <= given
    page = (FOLDER.parents[2] / "docs/assertion.md").read_text("utf-8")
    assert [code for code in REASONS if f"`{code}`" not in page] == []


def test_a_refusal_is_logged_with_its_reason_and_never_with_the_token() -> None:
    for case in cases():
        lines: list[str] = []
        found, _ = outcome(direct, verifier_of(case, log=lines.append), case)
        if found == "ok":
            assert lines == []
            continue
        line = json.loads(lines[0])
        assert len(lines) == 1
        assert line["reason"] == found
        assert "?" not in line["path"]
        for _, value in headers_of(case):
            assert not value or value not in lines[0]
            assert all(len(part) < 12 or part not in lines[0] for part in value.split("."))


def test_a_refusal_can_be_copied_and_pickled() -> None:
    refused = AssertionRefused("assertion_target", "look there")
    for copied in (copy.copy(refused), copy.deepcopy(refused), pickle.loads(pickle.dumps(refused))):
        assert (copied.reason, copied.status, copied.hint) == ("assertion_target", 403, "look there")
        assert str(copied) == str(refused)


@pytest.mark.parametrize("kind", [Message, HTTPMessage, dict])
def test_headers_are_taken_by_name_from_whatever_has_items(
    kind: type[Message] | type[HTTPMessage] | type[dict[str, str]],
) -> None:
    headers = kind()
    headers["X-Doorward-Assertion"] = mint({})
    assert verifier_of({}).verify_request("GET", "/a/b?x=1", headers).subject == "user-1"


def test_a_message_with_two_assertions_or_with_a_broken_one_is_refused() -> None:
    twice = Message()
    twice["x-doorward-assertion"] = twice["X-Doorward-Assertion"] = mint({})
    broken = message_from_bytes(b"x-doorward-assertion: \xff\n\n")
    for headers, reason in ((twice, "assertion_ambiguous"), (broken, "assertion_malformed")):
        with pytest.raises(AssertionRefused, match=reason):
            verifier_of({}).verify_request("GET", "/a/b?x=1", headers)
