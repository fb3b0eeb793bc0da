"""Real servers, spoken to over sockets: no spelling of an identity header that a client sends gets past the middleware to the
application, and none past the gate to the server."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import jwt
import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import wsgi_app
from doorward_origin import AsgiMiddleware, asgi
from spoofs import HOLES, PREFIX, VALUE, spellings
from support import HEADER, KEYS, jwks, mint, verifier_of

HERE = Path(__file__).parent


def see(request: StarletteRequest) -> JSONResponse:
    """Tells what an application gets to see."""
    seen = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.scope["headers"]]
    session = getattr(request.state, "doorward_session", None)
    return JSONResponse({"seen": seen, "who": session and session.subject})


def starlette_app() -> Any:
    return Starlette(routes=[Mount("/a", routes=[Route("/{rest:path}", see)]), Route("/open", see)])


def fastapi_app() -> Any:
    app = FastAPI()

    @app.get("/a/{rest:path}")
    def route(rest: str, request: Request) -> Any:  # noqa: ARG001
        return json.loads(bytes(see(request).body))

    return app


@contextmanager
def uvicorn_serving(app: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_level="critical", lifespan="on", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def gunicorn_serving(app: str = "app", hole: str = "", header_map: str = "dangerous") -> Iterator[int]:
    """By default with the setting under which gunicorn passes on names with `_`."""
    source = str(HERE.parent / "src")
    environment = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{HERE}", "DOORWARD_HOLE": hole}
    command = [sys.executable, "-B", "-m", "gunicorn", "--log-level", "critical"]
    command += [
        "--header-map",
        header_map,
        "--worker-tmp-dir",
        "/dev/shm" if Path("/dev/shm").is_dir() else ".",
        "--no-control-socket",
    ]
    command += ["--chdir", str(HERE), f"wsgi_app:{app}"]
    # It is given the socket itself: a port that is free now can be another's when it starts. Who comes early waits in the queue.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command += ["--bind", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()])
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def exchange(port: int, lines: str, target: str = "/a/b?x=1", credential: str | None = None) -> tuple[int, bytes]:
    """Sends one request, byte by byte as given, by default with a good assertion; gives status and body."""
    if credential is None:
        credential = f"{HEADER}: {mint({'minted_for': {'target': target}})}"
    head = f"GET {target} HTTP/1.1\r\nhost: app\r\nconnection: close\r\n{credential}\r\nx: 1\r\n{lines}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(head.encode("latin-1"))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head_bytes, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head_bytes.lower():
        body = b"".join(re.findall(rb"[0-9a-fA-F]+\r\n(.*?)\r\n", body, re.DOTALL))
    return int(head_bytes.split(b" ")[1]), body


def survivors(port: int) -> tuple[list[str], int]:
    """Which spellings get past the middleware, and how many requests do."""
    found: list[str] = []
    reached = 0
    for lines in spellings():
        status, body = exchange(port, lines)
        if status == 400:
            continue  # the server itself has refused it
        assert status == 200, (lines, body)
        reached += 1
        assert json.loads(body)["who"] == "user-1"
        if identity_in(body) != {}:
            found.append(lines)
    return found, reached


def identity_in(body: bytes) -> dict[str, list[str]]:
    """What an application can take for an identity: our names as CGI and its like read them, and whatever Mallory has written.
    A folded line is part of the header before it, `x`, and says nothing there."""
    found: dict[str, list[str]] = {}
    for name, value in json.loads(body)["seen"]:
        read = re.sub("[^a-z0-9]", "-", name.lower().removeprefix("http_"))
        if read.startswith(PREFIX) or (VALUE in value and read != "x"):
            found.setdefault(read, []).append(value)
    return found


def test_there_are_two_hundred_spellings_and_all_differ() -> None:
    for names in ([], ["assertion"]):
        assert len(spellings(*names)) == len(set(spellings(*names))) == 200


@pytest.mark.parametrize("app", [starlette_app, fastapi_app], ids=["starlette", "fastapi"])
def test_uvicorn_no_spelling_survives(app: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with uvicorn_serving(AsgiMiddleware(app(), verifier_of({}))) as port:
        found, reached = survivors(port)
        say(capsys, f"uvicorn, {app.__name__}", found, reached)
        assert (found, reached > 150) == ([], True)
        the_exact_target_counts(port)


@pytest.mark.parametrize("header_map", ["dangerous", "drop"])
def test_gunicorn_no_spelling_survives(header_map: str, capsys: pytest.CaptureFixture[str]) -> None:
    with gunicorn_serving(header_map=header_map) as port:
        found, reached = survivors(port)
        say(capsys, f"gunicorn, {header_map}", found, reached)
        assert (found, reached > 100) == ([], True)
        the_exact_target_counts(port)


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_in_the_asgi_middleware_is_found(hole: str, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = HOLES[hole]
    monkeypatch.setattr(asgi, "is_identity", lambda name, prefix: judge(name.decode("latin-1"), prefix))
    with uvicorn_serving(AsgiMiddleware(starlette_app(), verifier_of({}))) as port:
        assert survivors(port)[0]


@pytest.mark.parametrize("hole", ["removes nothing", "knows one spelling", "knows whole names only"])
def test_a_hole_in_the_wsgi_middleware_is_found(hole: str) -> None:
    with gunicorn_serving(hole=hole) as port:
        assert survivors(port)[0]


#: As the gate writes them, which is how an origin gets them.
CANONICAL = (
    "/",
    "/a/b%20c",
    "/a/caf%C3%A9/",
    "/a/%E2%82%AC%22%3C%3E%5B%5D%5E%60%7B%7C%7D",
    "/a/-._~!$&'()*+,=:@",
    "/a/b?",
    "/a/b?q=%2Fa%2fb&r=+&s=%20",
    "/a/b?q=a?b",
)


def what_is_rebuilt_counts(port: int) -> None:
    """Where a server tells only what it has decoded, the target is the gate's own spelling of that, and no other."""
    for target in CANONICAL:
        assert exchange(port, "x: 1", target)[0] == 200, target
    for other, target in (("/a/b", "/a/c"), ("/a/b", "/a/b?x=1"), ("/a/b?x=1", "/a/b"), ("/a/b", "/a/b/"), ("/a/B", "/a/b")):
        assertion = f"{HEADER}: {mint({'minted_for': {'target': other}})}"
        status, body = exchange(port, "x: 1", target, assertion)
        assert (status, json.loads(body)["reason"]) == (403, "assertion_target"), target


def test_wsgiref_as_in_runserver_is_served() -> None:
    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    with make_server("127.0.0.1", 0, wsgi_app.app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            what_is_rebuilt_counts(server.server_port)
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def hypercorn_serving(app: str, worker: str) -> Iterator[int]:
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent / 'src'}{os.pathsep}{HERE}"}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-B", "-m", "hypercorn", "--worker-class", worker, "--bind", f"fd://{listener.fileno()}", app]
        process = subprocess.Popen(command, env=environment, cwd=HERE, pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_hypercorn_is_served_by_wsgi() -> None:
    with hypercorn_serving("wsgi:wsgi_app:app", "asyncio") as port:
        what_is_rebuilt_counts(port)


@pytest.mark.parametrize("worker", ["asyncio", "trio"])
def test_hypercorn_is_served_in_both_event_loops(worker: str) -> None:
    with hypercorn_serving("asgi_app:app", worker) as port:
        what_is_rebuilt_counts(port)
        # Keys that are fetched, and a store that is asked on a thread.
        twice = f"{HEADER}: {mint({'minted_for': {'target': '/stored'}}, int(time.time()))}"
        assert [exchange(port, "x: 1", "/stored", twice)[0] for _ in range(2)] == [200, 403]


def the_exact_target_counts(port: int) -> None:
    for target in ("/a/b%20c", "/a/b%2fc", "/a/%E4?q=%e4&r=+", "/a/b?", "/a/b?q=a?b", "/a/;x=1"):
        assert exchange(port, "x: 1", target)[0] == 200, target
    for other, target in (("/a/b%20c", "/a/b+c"), ("/a/b%2Fc", "/a/b%2fc"), ("/a/%61", "/a/a"), ("/a/b", "/a/b?x=1")):
        assertion = f"{HEADER}: {mint({'minted_for': {'target': other}})}"
        status, body = exchange(port, "x: 1", target, assertion)
        assert (status, json.loads(body)["reason"]) == (403, "assertion_target"), target
    twice = exchange(port, f"{HEADER}: {mint({})}")
    assert (twice[0], json.loads(twice[1])["reason"]) == (403, "assertion_ambiguous")


def say(capsys: pytest.CaptureFixture[str], where: str, found: list[str], reached: int) -> None:
    with capsys.disabled():
        print(f"\n{where}: {len(spellings())} spellings, {reached} reached it, {len(found)} survived", end=" ")


#: What the gate says about the visitor below; nothing else may look as if it said so.
TOLD = {
    "x-doorward-subject": ["user-1"],
    "x-doorward-issuer": ["auth.test"],
    "x-doorward-expires": ["4000000000"],
    "x-doorward-source": ["jwt"],
}
CREDENTIAL = "authorization: Bearer " + jwt.encode(
    {"iss": "https://auth.test", "aud": "app", "sub": "user-1", "iat": 1_700_000_000, "exp": 4_000_000_000},
    jwt.PyJWK(KEYS["private"]["ed1"]),
    headers={"kid": "ed1"},
)


@contextmanager
def gate_before(port: int, header_prefix: str) -> Iterator[int]:
    """The gate of this checkout in a process of its own, as `doorward/node`."""
    config = {
        "issuers": [{"type": "jwt", "issuer": "https://auth.test", "audience": "app", "jwks": jwks("ed1")}],
        "rules": [{"path": "/open", "access": "public"}, {"path": "/**", "access": "required"}],
        "header_prefix": header_prefix,
    }
    command = ["node", str(HERE / "gate.mjs"), f"http://127.0.0.1:{port}", json.dumps(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line, "the gate does not start; is it built? cargo xtask build"
            yield int(line)
        finally:
            process.terminate()


@contextmanager
def serving(server: str) -> Iterator[int]:
    """A server with an application that verifies nothing and tells what it sees."""
    with uvicorn_serving(starlette_app()) if server == "uvicorn" else gunicorn_serving("see") as port:
        yield port


def past_the_gate(port: int) -> tuple[list[str], int, int]:
    """Which spellings get past the gate, how many were sent, and how many requests reached the application."""
    found: list[str] = []
    sent = reached = 0
    for target, credential, told in (("/a/b?x=1", CREDENTIAL, TOLD), ("/open", "x: 0", {})):
        for lines in spellings("assertion"):
            sent += 1
            status, body = exchange(port, lines, target, credential)
            if status == 400:
                continue  # Node's HTTP has refused it
            assert status == 200, (lines, body)
            reached += 1
            if identity_in(body) != told:
                found.append(f"{target}: {lines}")
    return found, sent, reached


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])
def test_no_spelling_gets_past_the_gate(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(server) as origin, gate_before(origin, "x-doorward-") as port:
        refused, body = exchange(port, "x: 1", credential="x: 0")
        assert (refused, json.loads(body)["reason"]) == (401, "no_credential")
        found, sent, reached = past_the_gate(port)
    with capsys.disabled():
        print(f"\nthe gate before {server}: {sent} requests, {reached} reached it, {len(found)} with a spoof", end=" ")
    assert (found, reached > 250) == ([], True)


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])
def test_a_gate_that_leaves_our_names_alone_is_found(server: str) -> None:
    with serving(server) as origin, gate_before(origin, "x-another-") as port:
        found, _, reached = past_the_gate(port)
    # On an open path the application gets nothing of the gate's own: whatever it sees there is Mallory's.
    assert 2 * sum(line.startswith("/open") for line in found) == reached
