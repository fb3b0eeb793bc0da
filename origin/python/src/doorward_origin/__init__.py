"""Doorward at the origin: verifies the assertion by which the gate tells who is asking. See ``docs/assertion.md``."""

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
