"""The request target as the gate wrote it, where a server tells only what it makes of it.

The gate sends on one spelling of each path: percent-encoded is every byte that is not in ``_STAYS``, in capitals, and nothing
else (``src/http/path/mod.rs``). A decoded path has just one such spelling, so it can be written again. A wrong guess is no
danger: it would have to be the target of an assertion, and what it decodes to is what the application is given.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

#: ``pchar`` of RFC 3986 section 3.3 without ``;``, and the slash.
_STAYS: Final = "/-._~!$&'()*+,=:@"

#: What to do where that is not enough.
HINT: Final = (
    "The gate forwarded another path or query: where a proxy, a mount point or this server has changed it, set `target` "
    "(docs/assertion.md has a table of servers)"
)


def spelled(path: bytes) -> bytes:
    """A decoded path as the gate writes it."""
    return quote(path or b"/", safe=_STAYS).encode()


def with_query(path: bytes, query: bytes) -> tuple[bytes, ...]:
    """The targets of this path with this query: servers do not tell an empty query from none."""
    return (path + b"?" + query,) if query else (path, path + b"?")
