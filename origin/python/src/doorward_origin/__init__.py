"""Doorward at the origin: verifies the assertion by which the gate tells who is asking. See ``docs/assertion.md``.

Names are loaded when they are used: ``python -m doorward_origin doctor`` has to run where PyJWT is not installed, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asgi import AsgiMiddleware
    from .refusal import REASONS, AssertionRefused, Reason
    from .verifier import Seen, SeenInMemory, Session, Verifier
    from .wsgi import WsgiMiddleware

__all__ = [
    "REASONS",
    "AsgiMiddleware",
    "AssertionRefused",
    "Reason",
    "Seen",
    "SeenInMemory",
    "Session",
    "Verifier",
    "WsgiMiddleware",
]

_HOMES = {
    "asgi": ("AsgiMiddleware",),
    "refusal": ("REASONS", "AssertionRefused", "Reason"),
    "verifier": ("Seen", "SeenInMemory", "Session", "Verifier"),
    "wsgi": ("WsgiMiddleware",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
