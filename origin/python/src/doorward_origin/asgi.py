"""ASGI: Starlette, FastAPI, Django and others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from . import options
from .event_loop import in_thread, landing
from .keys import FetchDueError
from .names import is_identity
from .refusal import AssertionRefused
from .targets import HINT, spelled, with_query
from .verifier import Session, Text, Verifier

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
#: Broad: frameworks disagree on the types of what they take.
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]
#: Gives path and query exactly as the gate wrote them.
Target: TypeAlias = Callable[[Scope], Text]

#: Where the session is in ``scope["state"]``: ``request.state.doorward_session`` in Starlette.
STATE: Final = "doorward_session"

#: Where the scope itself has what verifiers have found out: only for them, and no server shares it between requests.
_NO_RAW_PATH: Final = "This server provides no raw_path, so the target was rebuilt from its decoded form. "
_FOUND: Final = "doorward_origin.found"


class AsgiMiddleware:
    """Lets nothing reach ``app`` but what the gate let through, with the session in ``scope["state"]`` and without any header
    that looks like an identity.

    ``optional``: whether a request without an assertion may pass, with ``None`` for a session. Default: no.
    ``target``: path and query as the gate wrote them, where something between has changed them.
    """

    def __init__(self, app: App, verifier: Verifier, *, optional: bool = False, target: Target | None = None) -> None:
        options.instance("verifier", verifier, Verifier)
        self._app = app
        self._verifier = verifier
        self._optional = options.flag("optional", optional)
        self._target: Target | None = options.optional_function("target", target)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"doorward_origin does not know ASGI scopes of type {scope['type']!r}")
        try:
            session = await verify_scope(self._verifier, scope, optional=self._optional, target=self._target)
        except AssertionRefused as refused:
            return await _answer(refused, scope, send)
        kept: list[Header] = []
        removed: list[Header] = []
        for pair in scope.get("headers") or ():
            (removed if is_identity(pair[0], self._verifier.prefix) else kept).append(pair)
        state = {**(scope.get("state") or {}), STATE: session}  # a copy: what it comes from may be shared by all requests
        scope = {**scope, "headers": kept, "state": state}
        remember(scope, self._verifier, session, removed)
        return await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Found:
    """What verifiers have found out about a request, and the headers that middlewares have removed, for the next verifier."""

    sessions: tuple[tuple[Verifier, Session], ...] = ()
    removed: tuple[Header, ...] = ()

    def by(self, verifier: Verifier) -> Session | None:
        """What this very verifier has found: what is good enough for another one proves nothing to it."""
        return next((session for finder, session in self.sessions if finder is verifier), None)


def remember(scope: Scope, verifier: Verifier, session: Session | None, removed: Iterable[Header] = ()) -> None:
    """Keeps with the request whom ``verifier`` has found: twice, it would take the same assertion for a replay."""
    found: Found = scope.get(_FOUND, Found())
    sessions = found.sessions
    if session is not None and found.by(verifier) is None:
        sessions = (*sessions, (verifier, session))
    scope[_FOUND] = Found(sessions, (*found.removed, *removed))


async def verify_scope(
    verifier: Verifier, scope: Scope, *, optional: bool = False, target: Target | None = None
) -> Session | None:
    """The session of a request, or ``None`` if there is no assertion and it is optional."""
    found: Found = scope.get(_FOUND, Found())
    if session := found.by(verifier):
        return session
    assertions = verifier.assertions([*found.removed, *(scope.get("headers") or ())])
    if optional and not assertions:
        return None
    method = method_of(scope)
    targets = targets_of(scope, target)
    hint = HINT if target is not None or scope.get("raw_path") else _NO_RAW_PATH + HINT
    bound = partial(verifier.verify_bound, method, targets, assertions, hint=hint)
    try:
        if verifier.seen is None:
            return bound(wait=False)
        return await in_thread(partial(bound, wait=False))  # asking a store takes time that the event loop does not have
    except FetchDueError as due:
        await landing(due.flight)
    return await in_thread(bound)


def method_of(scope: Scope) -> str:
    """The method; a WebSocket begins as a ``GET``, and its scope has none."""
    method: str = scope["method"] if scope["type"] == "http" else "GET"
    return method


def targets_of(scope: Scope, target: Target | None = None) -> tuple[bytes, ...]:
    """Path and query as received, or as the gate would have written the ``path`` that the application gets: Mangum and others
    tell only that."""
    if target is not None:
        given = target(scope)
        return (given.encode() if isinstance(given, str) else given,)
    raw_path = scope.get("raw_path") or spelled(str(scope["path"]).encode("utf-8", "surrogateescape"))
    return with_query(raw_path, scope.get("query_string") or b"")


def takes_answers(scope: Scope) -> bool:
    """Whether the server takes an answer with status and body; to a WebSocket some can only close."""
    return scope["type"] == "http" or "websocket.http.response" in (scope.get("extensions") or {})


async def _answer(refused: AssertionRefused, scope: Scope, send: Send) -> None:
    if not takes_answers(scope):
        return await send({"type": "websocket.close", "code": 1008, "reason": refused.reason})
    headers = [(name.encode(), value.encode()) for name, value in refused.headers()]
    kind = "http" if scope["type"] == "http" else "websocket.http"
    body = b"" if scope.get("method") == "HEAD" else refused.body()
    await send({"type": f"{kind}.response.start", "status": refused.status, "headers": headers})
    return await send({"type": f"{kind}.response.body", "body": body})
