"""The API's Python source, parsed and never run: what its ``jwt.decode`` is given where that stands there in full."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .facts import Expected, Setting, Source

_MAX_FILES: Final = 400
_MAX_BYTES: Final = 256 * 1024
#: Installed packages, and what is not the API.
_SKIPPED: Final = frozenset(
    ("node_modules", "site-packages", "venv", "env", "tests", "test", "target", "build", "dist", "__pycache__")
)
_DECODERS: Final = frozenset(("decode", "decode_complete"))
_CACHES: Final = frozenset(("lru_cache", "cache"))


def scan(folder: Path) -> tuple[Source, Expected]:
    """What the source says, and what it expects: an expectation only where all calls say the same."""
    found = Source()
    said: dict[str, set[str]] = {"algorithms": set(), "audience": set(), "issuer": set(), "leeway": set()}
    places: dict[str, str] = {}
    for path in _files(folder):
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        names = _imports(tree)
        constants = _constants(tree)
        where = path.relative_to(folder).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _caches_keys(node):
                found.cached_forever.append(f"{where}:{node.lineno}")
            if isinstance(node, ast.Call) and _is_decode(node, names):
                found.decode_calls += 1
                _read_call(node, f"{where}:{node.lineno}", constants, found)
                for option, value in _options(node, constants):
                    said[option].add(value)
                    places.setdefault(option, f"{where}:{node.lineno}")
    expected = Expected()
    for option, values in said.items():
        if len(values) == 1:
            setattr(expected, option, Setting(values.pop(), f"source {places[option]}"))
    return found, expected


def _files(folder: Path) -> Iterator[Path]:
    """Bounded, in order; no hidden folder, no package that is installed."""
    left = _MAX_FILES
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith((".", "venv")))
        for name in sorted(names):
            path = Path(at, name)
            if not name.endswith(".py") or name.startswith("test_") or path.stat().st_size > _MAX_BYTES:
                continue
            if left == 0:
                return
            left -= 1
            yield path


def _imports(tree: ast.Module) -> tuple[set[str], set[str]]:
    """By which names the file knows the module ``jwt``, and its functions that decode."""
    modules: set[str] = set()
    functions: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {name.asname or name.name for name in node.names if name.name == "jwt"}
        if isinstance(node, ast.ImportFrom) and node.module in ("jwt", "jwt.api_jwt"):
            functions |= {name.asname or name.name for name in node.names if name.name in _DECODERS}
    return modules, functions


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
    return found


def _is_decode(call: ast.Call, names: tuple[set[str], set[str]]) -> bool:
    modules, functions = names
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr in _DECODERS and isinstance(function.value, ast.Name) and function.value.id in modules
    return isinstance(function, ast.Name) and function.id in functions


def _read_call(call: ast.Call, where: str, constants: dict[str, ast.expr], found: Source) -> None:
    given = {keyword.arg for keyword in call.keywords}
    options = next((keyword.value for keyword in call.keywords if keyword.arg == "options"), None)
    if None in given:  # `**options`: whatever they are
        return
    checks = _checks(options, constants)
    if checks.get("verify_signature") is False:
        return
    if "audience" not in given and checks.get("verify_aud") is not False and (options is None or checks):
        found.without_audience.append(where)
    if "leeway" not in given and checks.get("verify_iat") is not False:
        found.without_leeway.append(where)


def _checks(options: ast.expr | None, constants: dict[str, ast.expr]) -> dict[str, object]:
    value = _literal(options, constants) if options is not None else None
    return value if isinstance(value, dict) else {}


def _options(call: ast.Call, constants: dict[str, ast.expr]) -> Iterator[tuple[str, str]]:
    checks = _checks(next((keyword.value for keyword in call.keywords if keyword.arg == "options"), None), constants)
    if checks.get("verify_signature") is False:
        return
    values = {keyword.arg: _literal(keyword.value, constants) for keyword in call.keywords}
    if len(call.args) > 2:
        values["algorithms"] = _literal(call.args[2], constants)
    algorithms = values.get("algorithms")
    if isinstance(algorithms, (list, tuple)) and algorithms and all(isinstance(one, str) for one in algorithms):
        yield "algorithms", ",".join(algorithms)
    for name in ("audience", "issuer"):
        if isinstance(value := values.get(name), str):
            yield name, value
    leeway = values.get("leeway", 0 if all(keyword.arg not in ("leeway", None) for keyword in call.keywords) else None)
    if isinstance(leeway, (int, float)) and not isinstance(leeway, bool):
        yield "leeway", f"{leeway:g}"


def _literal(node: ast.expr, constants: dict[str, ast.expr]) -> object:
    """A value that stands there, or the constant of the module that has it; nothing else."""
    if isinstance(node, ast.Name) and node.id in constants:
        node = constants[node.id]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None


def _caches_keys(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A key set that a decorator keeps for ever. A client that is kept so renews its keys by itself."""
    decorators = (one.func if isinstance(one, ast.Call) else one for one in function.decorator_list)
    if not any((getattr(one, "id", None) or getattr(one, "attr", None)) in _CACHES for one in decorators):
        return False
    words = {name for node in ast.walk(function) for name in _words(node)}
    return any("jwks" in word or "jwk_set" in word for word in words) and not any("jwkclient" in word for word in words)


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.lower()
    for attribute in ("id", "attr", "name"):
        if isinstance(word := getattr(node, attribute, None), str):
            yield word.lower()
