"""The API's variables: what they say, and what is wrong with them. Values of secrets become a fingerprint at once."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .facts import Expected, Problem, Secret, Setting, Variable

JWKS_PATH: Final = "/api/auth/jwks"
ALGORITHMS: Final = frozenset(
    ("EdDSA", "Ed25519", "ES256K", *(f"{kind}{bits}" for kind in ("ES", "RS", "PS", "HS") for bits in (256, 384, 512)))
)

#: By which names an API is told; the first that is set counts.
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "url": ("BETTER_AUTH_URL",),
    "issuer": ("BETTER_AUTH_ISSUER", "JWT_ISSUER", "AUTH_ISSUER", "ISSUER"),
    "audience": ("BETTER_AUTH_AUDIENCE", "JWT_AUDIENCE", "AUTH_AUDIENCE", "AUDIENCE"),
    "jwks_url": ("BETTER_AUTH_JWKS_URL", "JWT_JWKS_URL", "AUTH_JWKS_URL", "JWKS_URL"),
    "algorithms": ("BETTER_AUTH_ALGORITHMS", "JWT_ALGORITHMS", "JWT_ALGORITHM"),
    "leeway": ("BETTER_AUTH_LEEWAY", "JWT_LEEWAY"),
}
SECRETS: Final = ("BETTER_AUTH_SECRET", "AUTH_SECRET", "JWT_SECRET", "DOORWARD_ASSERTION_SECRET")
#: Published with Better Auth: whoever reads its documentation could sign in as anybody.
PUBLISHED: Final = ("better-auth-secret-12345678901234567890", "better-auth-secret-123456789")

#: What each problem means, and what to do about it: sentences for a log line about a variable.
SENTENCES: Final[dict[Problem, tuple[str, str]]] = {
    "missing": ("is not set", "set it where this process starts"),
    "blank": ("is empty", "set it, or leave it out"),
    "white-space": ("has white space around it", "a line end was pasted along: take it off"),
    "quoted": ("has quotes around it that are part of it", "take them off where the platform does not parse them"),
    "default": ("is the one that is published with Better Auth", "make one with: openssl rand -base64 32"),
    "short": ("is shorter than 32 characters", "make one with: openssl rand -base64 32"),
    "repetitive": ("repeats itself: it can be guessed", "make one with: openssl rand -base64 32"),
    "not-a-url": ("is not an http or https URL", "write it like https://app.example.com"),
    "trailing-slash": ("ends with a slash", "take it off: what it is compared with is the origin alone, letter by letter"),
    "path": (
        "has a path where none belongs, or another than Better Auth has",
        f"the keys are at {JWKS_PATH}, `iss` is the origin",
    ),
    "http": ("is http: anybody on the way could change what comes", "use https; http is for this machine only"),
    "other-host": ("is of another host than the other URLs", "one of the two is of another environment"),
    "not-a-number": ("is not a number of seconds from 0 to 300", "write it like 5"),
    "unknown-algorithm": ("is not a list of JWS algorithms", "write it like EdDSA,ES256"),
}


def read(files: Iterable[Path], process: Mapping[str, str]) -> dict[str, tuple[str, str | None]]:
    """Each variable with the file that has it. What the process has counts over files, the first file over the next."""
    found: dict[str, tuple[str, str | None]] = {}
    for file in files:
        for name, value in _parsed(file.read_text("utf-8")):
            found.setdefault(name, (value, file.name))
    found.update({name: (value, None) for name, value in process.items()})
    return found


def _parsed(text: str) -> Iterable[tuple[str, str]]:
    """The lines of an environment file, as dotenv reads them: quotes around a value are not part of it."""
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)", line)
        if match:
            value = match[2].strip()
            quoted = re.fullmatch(r"""(["'])(.*)\1(?:\s+#.*)?""", value)
            yield match[1], quoted[2].replace("\\n", "\n") if quoted else re.sub(r"\s+#.*$", "", value)


Variables = Mapping[str, tuple[str, str | None]]


def expected(variables: Variables, options: Mapping[str, str | None]) -> Expected:
    """What the API expects: by option, by variable, and what follows from those. Not yet by its source."""

    def setting(what: str) -> Setting:
        if (given := options.get(what)) is not None:
            return Setting(given, f"--{what.replace('_', '-')}")
        for name in NAMES[what]:
            value = variables.get(name, ("", None))[0]
            if value.strip():
                return Setting(value, name)
        return Setting()

    url = setting("url")
    found = Expected(*(setting(what) for what in ("issuer", "audience", "jwks_url", "algorithms", "leeway")))
    origin = origin_of(url.value)
    if found.issuer.value is None and origin:
        found.issuer = Setting(origin, f"assumed from {url.source}")
    if found.audience.value is None and found.issuer.value is not None:
        found.audience = Setting(found.issuer.value, f"assumed from {found.issuer.source}")
    if found.jwks_url.value is None and origin and url.value:
        path = urlsplit(url.value).path.rstrip("/")
        found.jwks_url = Setting(f"{origin}{path}/jwks" if path else origin + JWKS_PATH, f"assumed from {url.source}")
    if found.leeway.value is not None and not _is_leeway(found.leeway.value):
        found.leeway = Setting()
    return found


def problems(variables: Variables) -> list[Variable]:
    """Everything that is wrong with what is set, by the variables alone."""
    known = {name for names in NAMES.values() for name in names}
    found: list[Variable] = []
    for name in (*sorted(known & variables.keys()), *(name for name in SECRETS if name in variables)):
        value, file = variables[name]
        problem = _form(value) or (_weakness(value) if name in SECRETS else _meaning(name, value))
        if problem is not None and not (problem == "blank" and _is_said_otherwise(name, variables)):
            found.append(Variable(name, problem, file))
    if not any(name in variables for what in ("url", "jwks_url") for name in NAMES[what]):
        found.append(Variable("BETTER_AUTH_JWKS_URL", "missing"))
    bad = {variable.name for variable in found}
    return found + list(_contradictions({name: entry for name, entry in variables.items() if name in known - bad}))


def _is_said_otherwise(name: str, variables: Variables) -> bool:
    """Whether a blank variable is one that nobody needs: another has the same, or all that would be taken from it."""
    others = {
        what: [one for one in names if one != name and variables.get(one, ("", None))[0].strip()] for what, names in NAMES.items()
    }
    what = next((what for what, names in NAMES.items() if name in names), None)
    return what is not None and bool(others[what] or (what == "url" and others["issuer"] and others["jwks_url"]))


def _form(value: str) -> Problem | None:
    if not value.strip():
        return "blank"
    if value != value.strip():
        return "white-space"
    return "quoted" if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`" else None


def _weakness(secret: str) -> Problem | None:
    if secret in PUBLISHED:
        return "default"
    if len(secret) < 32:
        return "short"
    # Better Auth's own estimate of entropy.
    return "repetitive" if len(secret) * math.log2(len(set(secret))) < 120 else None


def _meaning(name: str, value: str) -> Problem | None:
    if name in NAMES["algorithms"]:
        return None if {one.strip() for one in value.split(",")} <= ALGORITHMS else "unknown-algorithm"
    if name in NAMES["leeway"]:
        return None if _is_leeway(value) else "not-a-number"
    if name in NAMES["audience"]:
        return None
    url = split(value)
    if url is None:
        return "not-a-url"
    if name in NAMES["jwks_url"]:
        return _insecure(url)
    if value.endswith("/"):
        return "trailing-slash"
    # A path in the service's URL is its base path, and legal; the usual one is there by mistake more often.
    has_path = url.path.startswith(JWKS_PATH.removesuffix("/jwks")) if name in NAMES["url"] else bool(url.path)
    return "path" if has_path else _insecure(url)


def _insecure(url: SplitResult) -> Problem | None:
    host = url.hostname or ""
    return "http" if url.scheme == "http" and "." in host and not is_loopback(host) else None


def _contradictions(variables: Variables) -> Iterable[Variable]:
    """URLs of different environments. A key set may be fetched inside a cluster, so its host may differ from the public one:
    what cannot be is a loopback address beside a public one."""
    first = {what: name for what in ("url", "issuer", "jwks_url") for name in NAMES[what] if name in variables}
    public, issuer, keys = (split(variables[first[what]][0]) if what in first else None for what in ("url", "issuer", "jwks_url"))
    if public and issuer and public.netloc != issuer.netloc:
        yield Variable(first["issuer"], "other-host", variables[first["issuer"]][1])
    elif public and issuer and public.scheme != issuer.scheme:
        yield Variable(first["issuer"], "http" if issuer.scheme == "http" else "other-host", variables[first["issuer"]][1])
    named = issuer or public
    if named and keys and is_loopback(keys.hostname or "") and not is_loopback(named.hostname or ""):
        yield Variable(first["jwks_url"], "other-host", variables[first["jwks_url"]][1])


def origin_of(value: str | None) -> str | None:
    url = split(value.strip()) if value else None
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url else None


def split(value: str) -> SplitResult | None:
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        return None
    return url if url.scheme in ("http", "https") and url.hostname and not re.search(r"\s", value) else None


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_leeway(value: str) -> bool:
    return re.fullmatch(r"\d{1,3}(\.\d{1,3})?", value) is not None and float(value) <= 300


def secrets(variables: Variables) -> list[Secret]:
    return [secret_of(name, variables[name][0]) for name in SECRETS if variables.get(name, ("", None))[0].strip()]


def secret_of(name: str, value: str) -> Secret:
    """Six hex digits of an HMAC, so that two places can be compared; nothing of a secret that could be guessed from them."""
    size = len(value.encode())
    length = "<32" if size < 32 else "32–64" if size <= 64 else ">64"  # noqa: RUF001 -- the same bytes as in Rust
    digest = hmac.digest(value.encode(), b"doorward fingerprint 1", hashlib.sha256).hex()
    return Secret(name, length, digest[:6] if size >= 32 else None)
