"""What this interpreter imports, and what requirement files ask for."""

from __future__ import annotations

import importlib
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from .facts import Packages

_FILES = ("requirements*.txt", "requirements/*.txt", "pyproject.toml", "Pipfile", "setup.cfg")
_MAX_FILES = 20
_MAX_BYTES = 256 * 1024
_PYJWT = re.compile(r"(?im)^[\s\"'\[]*pyjwt\s*(\[[^\]]*\])?\s*([\"'=<>~!;,#\s]|$)")
_CRYPTOGRAPHY = re.compile(r"(?im)^[\s\"'\[]*cryptography\b")


def look() -> Packages:
    found = Packages(python=platform.python_version())
    module = _imported("jwt")
    if module is not None:
        is_pyjwt = all(hasattr(module, name) for name in ("PyJWKClient", "PyJWK", "decode_complete"))
        found.jwt_module = "pyjwt" if is_pyjwt else "another"
        found.pyjwt = str(getattr(module, "__version__", "?")) if is_pyjwt else None
        algorithms = _imported("jwt.algorithms") if is_pyjwt else None
        found.public_keys = bool(getattr(algorithms, "has_crypto", False))
    if _imported("cryptography.hazmat.primitives.asymmetric.ed25519") is not None:
        found.cryptography = _version("cryptography")
    if _imported("certifi") is not None:
        found.certifi = _version("certifi")
    return found


def _imported(name: str) -> Any:
    """A package can be there and broken: for another interpreter, or without a shared library."""
    try:
        return importlib.import_module(name)
    except Exception:  # whatever a broken package raises
        return None


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "?"


def version() -> str:
    return _version("doorward-origin")


def pyjwt_alone(folder: Path) -> list[str]:
    """Requirement files that ask for PyJWT without its extra ``crypto`` and without cryptography."""
    paths = [path for pattern in _FILES for path in sorted(folder.glob(pattern))][:_MAX_FILES]
    return [path.relative_to(folder).as_posix() for path in paths if _asks_for_pyjwt_alone(path)]


def _asks_for_pyjwt_alone(path: Path) -> bool:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return False
        # In pyproject.toml several may stand on a line.
        text = (
            path.read_text("utf-8").replace(", ", ",\n").replace("[", "\n[")
            if path.suffix == ".toml"
            else path.read_text("utf-8")
        )
    except (OSError, UnicodeDecodeError):
        return False
    if path.suffix == ".toml":
        text = re.sub(r"(?i)(pyjwt)\s*\n\[", r"\1[", text)
    extras = [match[1] or "" for match in _PYJWT.finditer(text)]
    return bool(extras) and not any("crypto" in extra.lower() for extra in extras) and not _CRYPTOGRAPHY.search(text)
