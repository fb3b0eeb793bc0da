"""WSGI: Flask, Django and others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from . import options
from .names import is_identity
from .refusal import AssertionRefused
from .targets import HINT, spelled, with_query
from .verifier import Session, Text, Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ: TypeAlias = dict[str, Any]
#: Gives path and query exactly as the gate wrote them.
Target: TypeAlias = Callable[[Environ], Text]

#: Where the session is in ``environ``.
SESSION: Final = "doorward.session"

#: Where servers keep the request target as received: gunicorn; uWSGI, mod_wsgi, waitress. No header can have these names.
_RAW: Final = ("RAW_URI", "REQUEST_URI")
_NO_RAW: Final = "This server provides neither RAW_URI nor REQUEST_URI, so the target was rebuilt from its decoded form. "
_STATUS: Final = {401: "401 Unauthorized", 403: "403 Forbidden", 503: "503 Service Unavailable"}


class WsgiMiddleware:
    """Lets nothing reach ``app`` but what the gate let through, with the session in ``environ["doorward.session"]`` and without
    any header that looks like an identity.

    ``optional``: whether a request without an assertion may pass, with ``None`` for a session. Default: no.
    ``target``: path and query as the gate wrote them, where something between has changed them, or the server does not tell.
    """

    def __init__(self, app: WSGIApplication, verifier: Verifier, *, optional: bool = False, target: Target | None = None) -> None:
        options.instance("verifier", verifier, Verifier)
        self._app = app
        self._verifier = verifier
        self._optional = options.flag("optional", optional)
        self._target: Target | None = options.optional_function("target", target)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            session = self._session(environ)
        except AssertionRefused as refused:
            start_response(_STATUS[refused.status], refused.headers())
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else refused.body()]
        prefix = self._verifier.prefix
        for name in [name for name in environ if name.startswith("HTTP_") and is_identity(name[5:], prefix)]:
            del environ[name]
        environ[SESSION] = session
        return self._app(environ, start_response)

    def _session(self, environ: Environ) -> Session | None:
        value = environ.get("HTTP_" + self._verifier.header.upper().replace("-", "_"))
        if value is None and self._optional:
            return None
        targets = targets_of(environ, self._target)
        assertions = [] if value is None else [value]
        is_told = self._target is not None or any(environ.get(name) for name in _RAW)
        hint = HINT if is_told else _NO_RAW + HINT
        return self._verifier.verify_bound(environ["REQUEST_METHOD"], targets, assertions, hint=hint)


def targets_of(environ: Environ, target: Target | None = None) -> tuple[bytes, ...]:
    """Path and query as received, or as the gate would have written what the application gets: wsgiref, and with it Django's
    ``runserver``, Hypercorn, Granian, a2wsgi and the Pythons of Vercel and Cloudflare tell only that."""
    given = target(environ) if target is not None else next((environ[name] for name in _RAW if environ.get(name)), None)
    if given is None:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        return with_query(
            spelled(path.encode("latin-1", "replace")), environ.get("QUERY_STRING", "").encode("latin-1", "replace")
        )
    return (given.encode("latin-1", "replace") if isinstance(given, str) else given,)  # PEP 3333: bytes as Latin-1
