"""Which header names an application might read as one of the gate's."""

from __future__ import annotations

import re
from typing import Final

_NOT_ALPHANUMERIC: Final = re.compile("[^a-z0-9]")


def is_identity(name: str | bytes, prefix: str) -> bool:
    """Whether a name begins with ``prefix`` as an application may read it: CGI and WSGI know no case and no difference between
    ``-`` and ``_``, and some servers make ``_`` of any other character."""
    text = name if isinstance(name, str) else name.decode("latin-1")
    return _NOT_ALPHANUMERIC.sub("-", text.strip().lower()).startswith(prefix)
