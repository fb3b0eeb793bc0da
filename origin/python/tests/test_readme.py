"""What the README shows, runs."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from doorward_origin import keys
from support import HEADER, URL, jwks, mint
from test_middleware import Asgi, Inner


def test_the_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps(jwks("es1")).encode()

    monkeypatch.setattr(keys, "fetch_bytes", fetch)
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
    first, second = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    inner = Inner()
    names: dict[str, Any] = {"app": inner}
    exec(first, names)
    exec(second, names)

    token = mint({"minted_for": {"target": "/orders"}}, int(time.time()))
    scope = {"path": "/orders", "raw_path": b"/orders", "query_string": b"", "headers": [(HEADER.encode(), token.encode())]}
    Asgi(names["app"], **scope)
    assert inner.scope["state"]["doorward_session"].subject == "user-1"
    assert Asgi(names["api"], **scope).json() == "user-1"
    assert Asgi(names["api"], **{**scope, "headers": []}).json()["detail"]["reason"] == "assertion_missing"
    assert asked == [URL]
