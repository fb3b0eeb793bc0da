"""What gunicorn runs: tells what an application gets to see. `DOORWARD_HOLE` plants a hole for the test to find."""

from __future__ import annotations

import json
import os
from typing import Any

from doorward_origin import WsgiMiddleware, wsgi
from spoofs import HOLES
from support import verifier_of

if hole := HOLES.get(os.environ.get("DOORWARD_HOLE", "")):
    setattr(wsgi, "is_identity", hole)  # noqa: B010 - the module does not export it


def see(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("content-type", "application/json")])
    seen = [[name, value] for name, value in environ.items() if isinstance(value, str)]
    session = environ.get("doorward.session")
    return [json.dumps({"seen": seen, "who": session and session.subject}).encode()]


app = WsgiMiddleware(see, verifier_of({}))
