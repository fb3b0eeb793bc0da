"""What the middlewares hand on, and what they refuse because the server does not tell."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any

import pytest
from fastapi import Depends, FastAPI, WebSocket

from doorward_origin import AsgiMiddleware, SeenInMemory, Session, WsgiMiddleware
from doorward_origin.fastapi import optional_session, require_session
from doorward_origin.names import is_identity
from support import HEADER, NOW, Json, mint, verifier_of


class Asgi:
    """Calls an ASGI app by hand and keeps what comes of it."""

    def __init__(self, app: Any, **scope: Any) -> None:
        self.sent: list[Any] = []
        defaults = {"type": "http", "method": "GET", "path": "/a/b", "raw_path": b"/a/b", "query_string": b"x=1"}
        headers = [(HEADER.encode(), mint({}).encode())]
        self.scope = {**defaults, "headers": headers, **scope}
        asyncio.run(app(self.scope, self.receive, self.send))

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> Any:
        if self.scope["type"] == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    def json(self) -> Any:
        return json.loads(b"".join(message.get("body", b"") for message in self.sent[1:]))


class Inner:
    """An ASGI app that keeps the scope it was called with."""

    scope: Any = None

    async def __call__(self, scope: Any, _receive: Any, _send: Any) -> None:
        self.scope = scope


class DjangoLike:
    """Has the types of Django's `ASGIHandler`, of which mypy must not complain."""

    def __init__(self) -> None:
        self.reached = False

    async def __call__(
        self,
        scope: dict[str, Any],  # noqa: ARG002
        receive: Callable[[], Awaitable[Mapping[str, Any]]],  # noqa: ARG002
        send: Callable[[Mapping[str, Any]], Coroutine[None, None, None]],  # noqa: ARG002
    ) -> None:
        self.reached = True


class WsgiInner:
    """A WSGI app that keeps what it was called with."""

    def __init__(self) -> None:
        self.reached: list[Json] = []

    def __call__(self, environ: Json, _start_response: Any) -> list[bytes]:
        self.reached.append(environ)
        return []


def test_asgi_state_is_not_shared_and_no_identity_is_left() -> None:
    inner, lifespan_state = Inner(), {"db": 1}
    headers = [(HEADER.encode(), mint({}).encode()), (b"X_Doorward_Subject", b"mallory"), (b"accept", b"*/*")]
    Asgi(AsgiMiddleware(inner, verifier_of({})), state=lifespan_state, headers=headers)
    assert lifespan_state == {"db": 1}
    assert inner.scope["state"]["db"] == 1
    assert inner.scope["state"]["doorward_session"].subject == "user-1"
    assert inner.scope["headers"] == [(b"accept", b"*/*")]


#: Paths as a server decodes them, and as the gate writes them.
SPELLINGS = {
    "": "/",
    "/": "/",
    "/a b": "/a%20b",
    "/café/": "/caf%C3%A9/",
    '/a"<>[]^`{|}': "/a%22%3C%3E%5B%5D%5E%60%7B%7C%7D",
    "/-._~!$&'()*+,=:@": "/-._~!$&'()*+,=:@",
    "/€/x": "/%E2%82%AC/x",
}


@pytest.mark.parametrize("path", SPELLINGS)
def test_what_a_server_has_decoded_is_written_as_the_gate_does(path: str) -> None:
    for query in ("", "x=1", "q=%2Fa%2fb&r=+&s=%20"):
        spelled = SPELLINGS[path]
        for target in {f"{spelled}?{query}", f"{spelled}?{query}".rstrip("?")}:
            token = mint({"minted_for": {"target": target}})
            inner, wsgi_inner = Inner(), WsgiInner()
            scope = {
                "path": path,
                "raw_path": None,
                "query_string": query.encode(),
                "headers": [(HEADER.encode(), token.encode())],
            }
            assert Asgi(AsgiMiddleware(inner, verifier_of({})), **scope).sent == []
            assert inner.scope["state"]["doorward_session"].subject == "user-1"
            environ = {"REQUEST_METHOD": "GET", "HTTP_X_DOORWARD_ASSERTION": token, "QUERY_STRING": query}
            as_read = path.encode().decode("latin-1")
            for part in range(len(as_read) + 1 if path.isascii() else 1):
                mounted = {**environ, "SCRIPT_NAME": as_read[:part], "PATH_INFO": as_read[part:]}
                list(WsgiMiddleware(wsgi_inner, verifier_of({}))(mounted, lambda *_: None))  # type: ignore[arg-type]
                assert wsgi_inner.reached.pop()["doorward.session"].subject == "user-1"


def test_asgi_without_raw_path_is_refused_with_a_hint_where_the_path_is_another() -> None:
    for scope in ({"raw_path": None}, {"raw_path": b""}):
        lines: list[str] = []
        answer = Asgi(AsgiMiddleware(Inner(), verifier_of({}, log=lines.append)), **scope, path="/b")
        assert answer.json()["reason"] == "assertion_target"
        hint = json.loads(lines[0])["hint"]
        assert "raw_path" in hint
        assert "docs/assertion.md" in hint


def test_an_asgi_scope_may_leave_out_what_may_be_left_out() -> None:
    scope: Json = {"type": "http", "method": "GET", "path": "/a/b"}
    left_out: list[Json] = [{}, {"headers": None, "query_string": None, "state": None}, {"headers": []}]
    for more in left_out:
        inner = Inner()
        asyncio.run(AsgiMiddleware(inner, verifier_of({}), optional=True)({**scope, **more}, None, None))  # type: ignore[arg-type]
        assert (inner.scope["state"], inner.scope["headers"]) == ({"doorward_session": None}, [])
    token = mint({"minted_for": {"target": "/a/b"}})
    inner = Inner()
    scope |= {"headers": [(HEADER.encode(), token.encode())], "state": None}
    asyncio.run(AsgiMiddleware(inner, verifier_of({}))(scope, None, None))  # type: ignore[arg-type]
    assert inner.scope["state"]["doorward_session"].subject == "user-1"


def test_an_event_loop_that_is_neither_of_two_is_named() -> None:
    waiting = AsgiMiddleware(Inner(), verifier_of({}, seen=SeenInMemory(lambda: NOW)))
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/a/b",
        "query_string": b"x=1",
        "headers": [(HEADER.encode(), mint({}).encode())],
    }
    call = waiting(scope, None, None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="asyncio and Trio"):
        call.send(None)


def test_an_empty_query_is_the_same_as_none_to_asgi() -> None:
    for target in ("/a/b", "/a/b?"):
        headers = [(HEADER.encode(), mint({"minted_for": {"target": target}}).encode())]
        inner = Inner()
        Asgi(AsgiMiddleware(inner, verifier_of({})), query_string=b"", headers=headers)
        assert inner.scope["state"]["doorward_session"] is not None


def test_a_mounted_app_and_a_rewriting_proxy_say_what_the_target_was() -> None:
    inner = Inner()
    app = AsgiMiddleware(inner, verifier_of({}), target=lambda scope: b"/a" + scope["raw_path"] + b"?x=1")
    Asgi(app, raw_path=b"/b")
    assert inner.scope is not None
    wsgi_inner = WsgiInner()
    wsgi = WsgiMiddleware(wsgi_inner, verifier_of({}), target=lambda _: "/a/b?x=1")
    list(wsgi({"REQUEST_METHOD": "GET", "HTTP_X_DOORWARD_ASSERTION": mint({})}, lambda *_: None))  # type: ignore[arg-type]
    assert len(wsgi_inner.reached) == 1


def test_optional_lets_nobody_pass_as_nobody_and_a_bad_assertion_not() -> None:
    inner = Inner()
    app = AsgiMiddleware(inner, verifier_of({}), optional=True)
    Asgi(app, headers=[(b"x-doorward-subject", b"mallory")])
    assert inner.scope["state"]["doorward_session"] is None
    assert inner.scope["headers"] == []
    assert Asgi(app, headers=[(HEADER.encode(), b"")]).json()["reason"] == "assertion_malformed"
    wsgi_inner = WsgiInner()
    reached = wsgi_inner.reached
    wsgi = WsgiMiddleware(wsgi_inner, verifier_of({}), optional=True)
    list(wsgi({"REQUEST_METHOD": "GET", "HTTP_X_DOORWARD_SUBJECT": "mallory"}, lambda *_: None))  # type: ignore[arg-type]
    assert reached == [{"REQUEST_METHOD": "GET", "doorward.session": None}]
    list(wsgi({"REQUEST_METHOD": "GET", "HTTP_X_DOORWARD_ASSERTION": "x"}, lambda *_: None))  # type: ignore[arg-type]
    assert len(reached) == 1


def test_wsgi_without_the_raw_target_is_refused_with_a_hint_where_the_path_is_another() -> None:
    lines: list[str] = []
    app = WsgiMiddleware(lambda *_: [b"reached"], verifier_of({}, log=lines.append))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/b", "QUERY_STRING": "x=1", "HTTP_X_DOORWARD_ASSERTION": mint({})}
    body = b"".join(app(environ, lambda *_: None))  # type: ignore[arg-type]
    assert json.loads(body)["reason"] == "assertion_target"
    assert "REQUEST_URI" in json.loads(lines[0])["hint"]
    assert "docs/assertion.md" in json.loads(lines[0])["hint"]
    environ["REQUEST_URI"] = "/a/b?x=1"
    assert b"".join(app(environ, lambda *_: None)) == b"reached"  # type: ignore[arg-type]


def test_a_websocket_is_judged_as_the_get_it_begins_as() -> None:
    inner = Inner()
    app = AsgiMiddleware(inner, verifier_of({}))
    Asgi(app, type="websocket", method=None)
    assert inner.scope["state"]["doorward_session"].subject == "user-1"
    bare = Asgi(app, type="websocket", headers=[])
    assert bare.sent == [{"type": "websocket.close", "code": 1008, "reason": "assertion_missing"}]
    told = Asgi(app, type="websocket", headers=[], extensions={"websocket.http.response": {}})
    assert (told.sent[0]["type"], told.status) == ("websocket.http.response.start", 401)


def test_the_app_may_have_types_of_its_own() -> None:
    app = DjangoLike()
    Asgi(AsgiMiddleware(app, verifier_of({})))
    assert app.reached


def test_lifespan_passes_and_what_is_unknown_does_not() -> None:
    inner = Inner()
    Asgi(AsgiMiddleware(inner, verifier_of({})), type="lifespan")
    assert inner.scope["type"] == "lifespan"
    with pytest.raises(RuntimeError, match="does not know"):
        Asgi(AsgiMiddleware(inner, verifier_of({})), type="webtransport")


def test_a_store_is_asked_once_a_request_also_by_two_dependencies() -> None:
    app = fastapi_app(verifier_of({}, seen=SeenInMemory(lambda: NOW)))
    assert Asgi(app).json() == {"who": "user-1", "also": "user-1"}
    assert Asgi(app).json()["detail"]["reason"] == "assertion_replayed"


def fastapi_app(verifier: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/a/b")
    def read(
        who: Session = Depends(require_session(verifier)),  # noqa: B008 - FastAPI's way where the verifier is a local name
        also: Session | None = Depends(optional_session(verifier)),  # noqa: B008
    ) -> Json:
        return {"who": who.subject, "also": also.subject if also else None}

    return app


def test_fastapi_has_the_session_as_a_dependency() -> None:
    app = fastapi_app(verifier_of({}))
    assert Asgi(app).json() == {"who": "user-1", "also": "user-1"}
    missing = Asgi(app, headers=[])
    assert (missing.status, missing.json()["detail"]["reason"]) == (401, "assertion_missing")
    assert (b"www-authenticate", b"Bearer") in missing.sent[0]["headers"]
    other = Asgi(app, query_string=b"x=2")
    assert (other.status, other.json()["detail"]["reason"]) == (403, "assertion_target")
    away = Asgi(fastapi_app(verifier_of({"verifier": {"keys": "down"}})))
    assert (away.status, away.json()["detail"]["reason"]) == (503, "keys_unavailable")
    behind = AsgiMiddleware(app, verifier_of({}, seen=SeenInMemory(lambda: NOW)))
    assert Asgi(behind).json() == {"who": "user-1", "also": "user-1"}


#: Trusts the same keys and is not meant by what `mint({})` gives.
ANOTHER: Json = {"verifier": {"audience": "admin"}}


def test_what_one_verifier_believes_proves_nothing_to_another() -> None:
    meant, another = verifier_of({}), verifier_of(ANOTHER)
    app = FastAPI(dependencies=[Depends(require_session(meant))])

    @app.get("/a/b")
    def read(who: Session = Depends(require_session(another))) -> str:  # noqa: B008
        return who.subject

    for door in (app, AsgiMiddleware(app, meant), AsgiMiddleware(fastapi_app(another), meant)):
        answer = Asgi(door)
        assert (answer.status, answer.json()["detail"]["reason"]) == (403, "assertion_audience")
    inner = Inner()
    nested = Asgi(AsgiMiddleware(AsgiMiddleware(inner, another, optional=True), meant))
    assert (nested.status, nested.json()["reason"], inner.scope) == (403, "assertion_audience", None)


def test_a_verifier_within_another_verifies_what_the_outer_one_has_removed() -> None:
    def storing() -> Any:
        return verifier_of({}, seen=SeenInMemory(lambda: NOW))

    inner, outer_verifier, inner_verifier = Inner(), storing(), storing()
    behind = AsgiMiddleware(AsgiMiddleware(inner, inner_verifier), outer_verifier)
    assert Asgi(behind).sent == []
    assert inner.scope["state"]["doorward_session"].subject == "user-1"
    assert inner.scope["headers"] == []
    assert Asgi(behind).json()["reason"] == "assertion_replayed"
    verifier = storing()
    Asgi(AsgiMiddleware(AsgiMiddleware(fresh := Inner(), verifier), verifier))  # its own assertion is no replay to itself
    assert fresh.scope["state"]["doorward_session"].subject == "user-1"
    assert Asgi(AsgiMiddleware(fastapi_app(storing()), storing())).json() == {"who": "user-1", "also": "user-1"}
    bare = Asgi(AsgiMiddleware(fastapi_app(storing()), storing(), optional=True), headers=[])
    assert (bare.status, bare.json()["detail"]["reason"]) == (401, "assertion_missing")


def test_what_others_put_into_the_state_is_no_session() -> None:
    forged = {"doorward_session": "mallory"}
    assert Asgi(fastapi_app(verifier_of({})), headers=[], state=forged).status == 401
    assert Asgi(fastapi_app(verifier_of({})), state=forged).json() == {"who": "user-1", "also": "user-1"}


def test_a_wsgi_middleware_within_another_finds_no_assertion_any_more() -> None:
    inner = WsgiInner()
    app = WsgiMiddleware(WsgiMiddleware(inner, verifier_of(ANOTHER)), verifier_of({}))
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/a/b?x=1", "HTTP_X_DOORWARD_ASSERTION": mint({})}
    body = b"".join(app(environ, lambda *_: None))  # type: ignore[arg-type]
    assert (json.loads(body)["reason"], inner.reached) == ("assertion_missing", [])


def websocket_app() -> FastAPI:
    app, verifier = FastAPI(), verifier_of({}, seen=SeenInMemory(lambda: NOW))

    @app.websocket("/a/b")
    async def talk(
        socket: WebSocket,
        who: Session = Depends(require_session(verifier)),  # noqa: B008
        also: Session | None = Depends(optional_session(verifier)),  # noqa: B008
    ) -> None:
        await socket.accept()
        await socket.send_json({"who": who.subject, "also": also and also.subject})

    return app


def test_a_websocket_route_has_the_session_as_a_dependency() -> None:
    socket: Json = {"type": "websocket", "extensions": {"websocket.http.response": {}}}
    accepted = Asgi(websocket_app(), **socket).sent
    assert accepted[0]["type"] == "websocket.accept"
    assert json.loads(accepted[1]["text"]) == {"who": "user-1", "also": "user-1"}
    for change, status, reason in (
        ({"headers": []}, 401, "assertion_missing"),
        ({"query_string": b"x=2"}, 403, "assertion_target"),
    ):
        told = Asgi(websocket_app(), **socket, **change)
        assert (told.sent[0]["type"], told.status) == ("websocket.http.response.start", status)
        assert told.json()["detail"]["reason"] == reason
        closed = Asgi(websocket_app(), type="websocket", **change).sent
        assert closed == [{"type": "websocket.close", "code": 1008, "reason": reason}]


def test_names_are_compared_as_an_application_may_read_them() -> None:
    for name in ("x-doorward-subject", "X_DOORWARD_SUBJECT", "x.doorward.subject", " X-Doorward-Subject\t", b"x_Doorward-x"):
        assert is_identity(name, "x-doorward-"), name
    for name in ("x-doorward", "doorward-subject", "accept", "xx-doorward-subject"):
        assert not is_identity(name, "x-doorward-"), name


def test_a_payload_that_nests_too_deep_is_malformed() -> None:
    from doorward_origin import AssertionRefused

    token = mint({"payload": "[" * 6000 + "]" * 6000})
    with pytest.raises(AssertionRefused, match="assertion_malformed"):
        verifier_of({}).verify_request("GET", "/a/b?x=1", {HEADER: token})


def test_the_wheel_has_all_that_it_needs_and_its_types(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[1]
    command = [executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    run([*command, "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = (path for path in (source / "src").rglob("*") if path.is_file() and path.suffix != ".pyc")
    modules = {path.relative_to(source / "src").as_posix() for path in files}
    assert "doorward_origin/py.typed" in modules
    assert modules <= names
    assert all(name in modules or ".dist-info/" in name for name in names)
    # Without FastAPI nothing of it is needed.
    code = f"import sys; sys.modules['fastapi'] = None; sys.path.insert(0, {str(wheel)!r}); from doorward_origin import *"
    run([executable, "-I", "-c", code], check=True)


MIDDLEWARES: list[Any] = [
    lambda *given, **more: AsgiMiddleware(Inner(), *given, **more),
    lambda *given, **more: WsgiMiddleware(WsgiInner(), *given, **more),
]


@pytest.mark.parametrize("make", MIDDLEWARES)
@pytest.mark.parametrize("wrong", ["false", "", 0, 1, None, []], ids=repr)
def test_whether_a_session_is_optional_is_said_by_true_or_false(make: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^optional: "):
        make(verifier_of({}), optional=wrong)


@pytest.mark.parametrize("make", [*MIDDLEWARES, require_session, optional_session])
def test_a_middleware_takes_a_verifier_and_a_function_for_the_target(make: Any) -> None:
    for wrong in (None, "billing", 5, Inner()):
        with pytest.raises(ValueError, match=r"^verifier: "):
            make(wrong)
    for wrong in ("/a/b", 5, True):
        with pytest.raises(ValueError, match=r"^target: "):
            make(verifier_of({}), target=wrong)
