"""Options are checked by type where they are given: Python would take any text for ``True``, and compare ``True`` as a number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final, cast

#: By how much clocks may differ at most, in seconds.
MAX_TOLERANCE: Final = 60


def text(name: str, value: Any) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value:
        raise _wrong(name, "text")
    return value


def flag(name: str, value: Any) -> bool:
    """``True`` or ``False``: a text like ``"false"`` would let everybody pass."""
    if not isinstance(value, bool):
        raise _wrong(name, "True or False")
    return value


def function(name: str, value: Any) -> Any:
    """Something that can be called."""
    if not callable(value):
        raise _wrong(name, "a function")
    return value


def optional_function(name: str, value: Any) -> Any:
    """Something that can be called, or ``None``."""
    return None if value is None else function(name, value)


def instance(name: str, value: Any, kind: type) -> None:
    """An object of this kind."""
    if not isinstance(value, kind):
        raise _wrong(name, f"a {kind.__name__}")


def is_number(value: object) -> bool:
    """Whether it can be compared: to Python ``True`` is a number as well, and with ``nan`` every comparison is false."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def tolerance(name: str, value: Any) -> float:
    """Seconds by which clocks may differ."""
    if not is_number(value) or not 0 <= value <= MAX_TOLERANCE:
        raise _wrong(name, f"a number from 0 to {MAX_TOLERANCE}")
    return cast("float", value)


def seconds_by(now: Callable[[], float]) -> float:
    """The moment by a clock, in seconds since 1970."""
    moment = now()
    if not is_number(moment):
        raise _wrong("now", "a function that gives seconds since 1970, like time.time")
    return moment


def clock(value: Any) -> Callable[[], float]:
    """A clock that always gives a number."""
    now: Callable[[], float] = function("now", value)
    return now if now is time.time else lambda: seconds_by(now)


def _wrong(name: str, expected: str) -> ValueError:
    return ValueError(f"{name}: expected {expected}")
