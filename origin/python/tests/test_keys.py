"""Where the keys come from: the shared timelines, and a server that misbehaves."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from doorward_origin import AssertionRefused, SeenInMemory, Verifier
from doorward_origin import keys as keys_module
from doorward_origin.asgi import verify_scope
from doorward_origin.keys import FetchDueError, FetchedKeys, fetch_bytes
from support import BASE, HEADER, NOW, URL, Json, jwks, load, mint, verifier_of


class Server:
    """What the key set's address answers, and how often it was asked."""

    def __init__(self) -> None:
        self.answer: Any = "down"
        self.fetches = 0

    def __call__(self, url: str) -> bytes:
        assert url == URL
        self.fetches += 1
        if self.answer == "down":
            raise ConnectionRefusedError
        return (self.answer if isinstance(self.answer, str) else json.dumps(jwks(*self.answer))).encode()


@pytest.mark.parametrize("timeline", load("timeline")["timelines"], ids=lambda timeline: str(timeline["name"]))
def test_timeline(timeline: Json) -> None:
    server = Server()
    clock = [0.0]
    verifier = verifier_of({"verifier": {"keys": "down"}}, fetch=server, now=lambda: clock[0])
    for step in timeline["steps"]:
        server.answer = step.get("server", server.answer)
        clock[0] = NOW + step["at"]
        token = mint({"header": {"kid": step["kid"]}, "sign": step["kid"]}, NOW + step["at"])
        try:
            verifier.verify_request("GET", BASE["request"]["target"], {HEADER: token})
            found = "ok"
        except AssertionRefused as refused:
            found = refused.reason
        assert (found, server.fetches) == (step["expect"], step["fetches"]), step


#: What comes first, what comes again and again, and what comes before the keys.
TRICKLES = {
    "slow": (b"HTTP/1.1 200 OK\r\n\r\n", b" ", b""),
    "slow-head": (b"HTTP/1.1 200 OK\r\nx-a: ", b"a", b"\r\n\r\n"),
    "slow-status": (b"HTTP/1.1 200 ", b"a", b"\r\n\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = self.path.strip("/")
        if kind == "moved":
            self.send_response(302)
            self.send_header("location", "/good")
            self.end_headers()
            return
        if kind in TRICKLES:
            self.trickle(*TRICKLES[kind])
            return
        self.send_response(404 if kind == "absent" else 203 if kind == "odd" else 200)
        self.end_headers()
        try:
            if kind == "large":
                self.wfile.write(b" " * 70_000)
            self.wfile.write(json.dumps(jwks("es1")).encode())
        except OSError:
            pass

    def trickle(self, first: bytes, again: bytes, last: bytes) -> None:
        """A good answer, of which each piece comes in time and all of it too late."""
        try:
            self.wfile.write(first)
            for _ in range(100):
                self.wfile.write(again)
                time.sleep(0.02)
            self.wfile.write(last + json.dumps(jwks("es1")).encode())
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_keys_come_over_http_and_nothing_else_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "DEADLINE", 0.3)
    with serve() as origin:
        assert json.loads(fetch_bytes(f"{origin}/good"))["keys"][0]["kid"] == "es1"
        for kind in ("moved", "absent", "odd", "large", *TRICKLES):
            with pytest.raises((OSError, ValueError)):
                fetch_bytes(f"{origin}/{kind}")
            verifier = verifier_of({}, keys=f"{origin}/{kind}", fetch=None)
            with pytest.raises(AssertionRefused, match="keys_unavailable"):
                verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})})
        verifier = verifier_of({}, keys=f"{origin}/good", fetch=None)
        assert verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})}).subject == "user-1"


def test_a_proxy_of_the_environment_is_not_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # nobody is there
    with serve() as origin:
        assert json.loads(fetch_bytes(f"{origin}/good")) == jwks("es1")


def test_something_that_is_not_http_is_an_outage() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        verifier = verifier_of({}, keys=f"http://127.0.0.1:{listener.getsockname()[1]}/", fetch=None)
        with pytest.raises(AssertionRefused, match="keys_unavailable"):
            verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})})
        thread.join()


class ClientError(Exception):
    """As an HTTP client of one's own raises it."""


def test_whatever_a_fetch_of_ones_own_raises_is_an_outage() -> None:
    server = Server()
    server.answer = ["es1"]
    clock = [float(NOW)]

    def fetch(url: str) -> bytes:
        if clock[0] > NOW:
            raise ClientError
        return server(url)

    verifier = verifier_of({}, keys=URL, fetch=fetch, now=lambda: clock[0])
    assert verifier.read_session({HEADER: mint({})}).subject == "user-1"
    clock[0] = NOW + 300.0
    assert verifier.read_session({HEADER: mint({}, NOW + 300)}).subject == "user-1"  # the keys of before are good for a day
    clock[0] = NOW + 86_400.0
    with pytest.raises(AssertionRefused, match="keys_unavailable"):
        verifier.read_session({HEADER: mint({}, NOW + 86_400)})


def test_many_threads_fetch_once() -> None:
    server = Server()
    server.answer = ["es1"]
    started = threading.Barrier(8)

    def fetch(url: str) -> bytes:
        time.sleep(0.05)
        return server(url)

    verifier = verifier_of({}, keys=URL, fetch=fetch)

    def ask(_: int) -> str:
        started.wait()
        return verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})}).subject

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"user-1"}
    assert server.fetches == 1


def test_who_must_not_wait_is_told_so() -> None:
    keys = FetchedKeys(URL, Server())
    with pytest.raises(FetchDueError):
        keys.find("es1", NOW, wait=False)


class SlowServer(Server):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self, url: str) -> bytes:
        self.asked.set()
        assert self.may_answer.wait(10)
        return super().__call__(url)

    def settle(self) -> None:
        """Lets it answer, and waits until that has arrived."""
        self.may_answer.set()
        for thread in threading.enumerate():
            if thread.name == "doorward keys":
                thread.join()


def reason_of(keys: FetchedKeys, kid: str, now: float) -> str:
    try:
        keys.find(kid, now)
    except AssertionRefused as refused:
        return refused.reason
    return "ok"


def test_who_comes_while_keys_are_fetched_takes_what_comes_of_it() -> None:
    server, clock = SlowServer(), [0.0]
    keys = FetchedKeys(URL, server, lambda: clock[0])
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(reason_of, keys, "es1", 0.0)
        assert server.asked.wait(10)
        clock[0] = 2.5  # the pause would be over, if it had begun with the fetch
        others = [pool.submit(reason_of, keys, "es1", 2.5) for _ in range(7)]
        server.may_answer.set()
        assert {one.result() for one in (first, *others)} == {"keys_unavailable"}
    assert server.fetches == 1
    assert (reason_of(keys, "es1", 3.4), server.fetches) == ("keys_unavailable", 1)
    server.answer = ["es1"]
    assert (reason_of(keys, "es1", 3.5), server.fetches) == ("ok", 2)


def test_nobody_waits_beyond_the_deadline_and_keys_that_come_later_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "DEADLINE", 0.1)
    server = SlowServer()
    server.answer = ["es1"]
    keys = FetchedKeys(URL, server, lambda: 0.0)
    assert [reason_of(keys, "es1", 0.0) for _ in range(3)] == ["keys_unavailable"] * 3
    server.settle()
    assert (reason_of(keys, "es1", 0.0), server.fetches) == ("ok", 1)


def test_a_fetch_that_never_ends_gives_way_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "DEADLINE", 0.1)
    server = SlowServer()
    clock = [0.0]
    keys = FetchedKeys(URL, server, lambda: clock[0])
    assert reason_of(keys, "es1", 0.0) == "keys_unavailable"
    clock[0] = 1.0
    server.asked.clear()
    assert reason_of(keys, "es1", 1.0) == "keys_unavailable"
    assert server.asked.is_set()
    server.settle()
    assert server.fetches == 2


@pytest.mark.parametrize("ahead", [40.0, 365 * 86_400.0])
def test_a_clock_that_was_set_back_freezes_no_keys(ahead: float) -> None:
    server, clock = Server(), [NOW + ahead]
    keys = FetchedKeys(URL, server, lambda: clock[0])

    def at(moment: float, kid: str) -> tuple[str, int]:
        clock[0] = moment
        return reason_of(keys, kid, moment), server.fetches

    server.answer = ["es1"]
    assert at(NOW + ahead, "es1") == ("ok", 1)
    server.answer = ["es2"]
    assert at(NOW, "es1") == ("assertion_key_unknown", 2)
    assert at(NOW, "es2") == ("ok", 2)


def test_keys_from_the_future_outlive_an_outage_for_a_day_as_others_do() -> None:
    server, clock = Server(), [NOW + 365 * 86_400.0]
    keys = FetchedKeys(URL, server, lambda: clock[0])
    server.answer = ["es1"]
    assert reason_of(keys, "es1", clock[0]) == "ok"
    server.answer = "down"
    for later, reason in ((0, "ok"), (86_000, "ok"), (86_400, "keys_unavailable")):
        clock[0] = float(NOW + later)
        assert reason_of(keys, "es1", clock[0]) == reason, later
    assert server.fetches == 4


@pytest.mark.parametrize("seen", [None, SeenInMemory(lambda: NOW)], ids=["without a store", "with a store"])
def test_those_who_wait_for_keys_take_no_thread_of_the_application(seen: SeenInMemory | None) -> None:
    server = SlowServer()
    server.answer = ["es1"]
    verifier = verifier_of({}, keys=URL, fetch=server, seen=seen)

    async def ask(number: int) -> str:
        token = mint({"claims": {"jti": f"{number:022}"}}).encode()
        scope = {
            "type": "http",
            "method": "GET",
            "raw_path": b"/a/b",
            "query_string": b"x=1",
            "headers": [(HEADER.encode(), token)],
        }
        session = await verify_scope(verifier, scope)
        return session.subject if session else ""

    async def run() -> list[str]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        waiting = [asyncio.create_task(ask(number)) for number in range(8)]
        try:
            while not server.asked.is_set():
                await asyncio.sleep(0)
            await asyncio.wait_for(asyncio.to_thread(str), 5)
            waiting[0].cancel()  # whose fetch it is; the others wait for it all the same
            await asyncio.wait(waiting[:1])
        finally:
            server.may_answer.set()
        return await asyncio.gather(*waiting[1:])

    assert asyncio.run(run()) == ["user-1"] * 7
    assert server.fetches == 1


#: What other options are not.
OTHERS: dict[str, list[Any]] = {
    "host": [b"app.example.com", 5, True, None, [5], [None], {"app.example.com": 1}],
    "keys": [5, True, b"https://app.example.com", [], [URL]],
    "now": [None, 5, True, "time.time", []],
    "log": [None, 5, True, "print", []],
    "fetch": [5, True, "urlopen"],
    "seen": [5, True, "redis", [], {"add": 1}],
}

#: What is no number of seconds to differ by. The text is what an environment variable gives.
NO_TOLERANCES: list[Any] = ["5", "", b"5", -1, -0.5, 61, 10**30, float("nan"), float("inf"), True, None, [5], {"seconds": 5}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": "http://app.example.com/jwks"},
        {"keys": "file:///etc/passwd"},
        {"keys": "https://"},
        {"keys": "jwks.json"},
        {"keys": {"keys": []}},
        {"keys": {}},
        {"keys": {"secret": "too short"}},
        {"keys": {"secret": ["x" * 32] * 3}},
        {"keys": {"secret": []}},
        {"keys": {"secret": "x" * 32, **jwks("es1")}},
        {"host": []},
        {"host": ""},
        {"host": "https://app.example.com"},
        {"host": "app.example.com/"},
        {"audience": ""},
        {"audience": ["billing"]},
        {"issuer": ""},
        {"header": "authorization"},
        {"header": "x_doorward_assertion"},
        *({"clock_tolerance_seconds": wrong} for wrong in NO_TOLERANCES),
        *({name: wrong} for name in ("audience", "issuer", "header") for wrong in ("", b"text", 5, True, ["a"], None)),
        *({name: wrong} for name, values in OTHERS.items() for wrong in values),
        *({"keys": {"secret": wrong}} for wrong in (5, True, [5], {"a" * 32: 1}, bytearray(32))),
    ],
)
def test_a_wrong_configuration_is_refused_at_once(wrong: Json) -> None:
    with pytest.raises(ValueError, match=r"^(keys|host|audience and issuer|header|clock_tolerance_seconds|now|log|fetch|seen): "):
        Verifier(**{"audience": "billing", "host": "app.example.com", "keys": URL, **wrong})


class AsyncStore:
    """A store that was meant for another interface: what its `add` gives is not `True`, and not false either."""

    def add(self, jti: str, expires: int) -> Any:  # noqa: ARG002
        return object()


def test_a_store_that_does_not_say_true_lets_nobody_pass() -> None:
    with pytest.raises(AssertionRefused, match="assertion_replayed"):
        verifier_of({}, seen=AsyncStore()).verify_request("GET", "/a/b?x=1", {HEADER: mint({})})


def test_what_was_seen_is_forgotten_when_it_could_not_be_used_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    seen = SeenInMemory(lambda: NOW + clock[0])
    assert [seen.add("a", NOW + 35), seen.add("a", NOW + 35), seen.add("b", NOW + 35)] == [True, False, True]
    clock[0] = 94.9
    assert not seen.add("a", NOW + 35)
    clock[0] = 110.0
    assert seen.add("c", NOW + 145)
    assert len(seen._known) == 1


def test_a_clock_that_is_set_forward_and_back_makes_nothing_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, monotone = [float(NOW)], [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: monotone[0])
    seen = SeenInMemory(lambda: wall[0])
    assert seen.add("a", NOW + 35)
    wall[0] += 3600
    assert seen.add("b", NOW + 3635)
    wall[0] -= 3600
    assert not seen.add("a", NOW + 35)
    assert seen.add("c", NOW + 35)
    # What was used under the wrong clock comes again an hour later.
    monotone[0] += 3600
    wall[0] += 3600
    assert [seen.add("d", NOW + 3635), seen.add("b", NOW + 3635)] == [True, False]


def test_a_store_that_is_full_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SeenInMemory, "MAX_SEEN", 2)
    seen = SeenInMemory(lambda: NOW)
    assert [seen.add("a", NOW + 35), seen.add("b", NOW + 35)] == [True, True]
    with pytest.raises(OverflowError):
        seen.add("c", NOW + 35)
    assert not seen.add("a", NOW + 35)


@pytest.mark.parametrize("expires", ["1800000035", None, float("nan"), True])
def test_a_store_remembers_nothing_that_has_no_end(expires: Any) -> None:
    with pytest.raises(TypeError):
        SeenInMemory(lambda: NOW).add("a", expires)


@pytest.mark.parametrize("given", [*NO_TOLERANCES, 0, 5, 5.0, 0.5, 60], ids=repr)
@pytest.mark.parametrize("age", [66, 100, 86_400, 10 * 365 * 86_400])
def test_an_assertion_of_yesterday_is_refused_whatever_the_tolerance_is_given_as(given: Any, age: int) -> None:
    try:
        verifier = verifier_of({}, clock_tolerance_seconds=given, now=lambda: NOW + 30 + age)
    except ValueError:
        assert given in NO_TOLERANCES or given != given
        return
    with pytest.raises(AssertionRefused, match="assertion_expired"):
        verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})})
    with pytest.raises(AssertionRefused, match="assertion_expired"):
        verifier.read_session({HEADER: mint({})})


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), str(NOW), None, True, [NOW]], ids=repr)
def test_a_clock_that_gives_no_number_lets_nobody_pass(moment: Any) -> None:
    verifier = verifier_of({}, now=lambda: moment)
    with pytest.raises(ValueError, match=r"^now: "):
        verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})})


def test_a_replay_in_the_tolerance_after_the_end_is_refused() -> None:
    asked: list[tuple[str, int]] = []

    class Store(SeenInMemory):
        def add(self, jti: str, expires: int) -> bool:
            asked.append((jti, expires))
            return super().add(jti, expires)

    clock = [NOW + 29.0]
    for tolerance, end in ((5, NOW + 35), (0.5, NOW + 31)):
        verifier = verifier_of({}, clock_tolerance_seconds=tolerance, now=lambda: clock[0], seen=Store(lambda: clock[0]))
        clock[0] = NOW + 29.0
        verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})})
        clock[0] = NOW + 30.25
        with pytest.raises(AssertionRefused, match="assertion_replayed"):
            verifier.verify_request("GET", "/a/b?x=1", {HEADER: mint({})})
        assert [expires for _, expires in asked] == [end, end]
        assert all(type(expires) is int for _, expires in asked)
        asked.clear()


def test_a_longer_token_than_16_kib_is_not_read() -> None:
    sized = [mint({"claims": {"claims": {"x": "x" * size}}}) for size in range(11_700, 12_000)]
    found = {len(token): outcome_of(token) for token in sized if abs(len(token) - 16 * 1024) <= 4}
    assert {length: found[length] for length in found if length <= 16 * 1024}
    assert {length: found[length] for length in found if length > 16 * 1024}
    assert found == {length: "ok" if length <= 16 * 1024 else "assertion_malformed" for length in found}


def outcome_of(token: str) -> str:
    try:
        verifier_of({}).verify_request("GET", "/a/b?x=1", {HEADER: token})
    except AssertionRefused as refused:
        return refused.reason
    return "ok"


class RequestLike:
    """A request of some framework; some can be read like a mapping."""

    @property
    def headers(self) -> Json:
        return {HEADER: "x"}

    def items(self) -> list[tuple[str, Any]]:
        return [("type", "http"), ("headers", [])]


@pytest.mark.parametrize("headers", [None, 5, RequestLike(), {"wsgi.input": object()}, {"type": "http", "headers": []}], ids=repr)
def test_what_are_no_headers_is_a_mistake_and_not_a_request_of_nobody(headers: Any) -> None:
    with pytest.raises(TypeError):
        verifier_of({}).read_session(headers)
