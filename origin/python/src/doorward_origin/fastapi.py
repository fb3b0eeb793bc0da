"""FastAPI: the session as a dependency, of HTTP and WebSocket routes. What the same verifier has found in ``AsgiMiddleware`` or
another dependency counts; otherwise the request is verified here. Without the middleware, headers that look like an identity
stay: do not read them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, WebSocketException
from starlette.requests import HTTPConnection

from . import options
from .asgi import Scope, Target, method_of, remember, takes_answers, verify_scope
from .refusal import AssertionRefused
from .verifier import Session, Verifier


def require_session(verifier: Verifier, *, target: Target | None = None) -> Callable[[HTTPConnection], Awaitable[Session]]:
    """A dependency: ``session: Annotated[Session, Depends(require_session(verifier))]``."""
    optional = optional_session(verifier, target=target)

    async def dependency(request: HTTPConnection) -> Session:
        session = await optional(request)
        if session is None:
            refused = AssertionRefused("assertion_missing")
            verifier.report(refused, method_of(request.scope), request.scope.get("raw_path") or b"")
            raise _exception(refused, request.scope)
        return session

    return dependency


def optional_session(
    verifier: Verifier, *, target: Target | None = None
) -> Callable[[HTTPConnection], Awaitable[Session | None]]:
    """The same where a request may be anonymous."""
    options.instance("verifier", verifier, Verifier)
    options.optional_function("target", target)

    async def dependency(request: HTTPConnection) -> Session | None:
        try:
            session = await verify_scope(verifier, request.scope, optional=True, target=target)
        except AssertionRefused as refused:
            raise _exception(refused, request.scope) from refused
        remember(request.scope, verifier, session)
        return session

    return dependency


def _exception(refused: AssertionRefused, scope: Scope) -> HTTPException | WebSocketException:
    if not takes_answers(scope):
        return WebSocketException(1008, refused.reason)
    headers = dict(refused.headers())
    del headers["content-type"]  # FastAPI writes JSON of its own around it
    return HTTPException(refused.status, detail=refused.problem(), headers=headers)
