"""JSON as RFC 8259 has it: UTF-8, no ``NaN``, and every failure is a ``ValueError``."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def parse_object(data: bytes) -> dict[str, Any]:
    """The object in ``data``."""
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("the JSON nests too deep") from error
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")
    return value
