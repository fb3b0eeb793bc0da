"""What Hypercorn runs: below `/stored` with keys that are fetched and a store, elsewhere as the shared cases have it."""

from __future__ import annotations

import json
import time
from typing import Any

from doorward_origin import AsgiMiddleware, SeenInMemory
from support import URL, jwks, verifier_of


async def see(scope: Any, _receive: Any, send: Any) -> None:
    session = scope["state"]["doorward_session"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps({"who": session and session.subject}).encode()})


def slowly(_: str) -> bytes:
    time.sleep(0.05)
    return json.dumps(jwks("es1")).encode()


usual = AsgiMiddleware(see, verifier_of({}))
stored = AsgiMiddleware(see, verifier_of({}, keys=URL, fetch=slowly, seen=SeenInMemory(), now=time.time))


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await (stored if scope["path"] == "/stored" else usual)(scope, receive, send)
