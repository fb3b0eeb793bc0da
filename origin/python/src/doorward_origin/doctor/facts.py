"""What is known about an API, before anybody says what is wrong with it. No secret, token or body gets in here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal, TypeAlias

#: A variable's value, what is wrong with it: each has a sentence in ``environment.SENTENCES``.
Problem: TypeAlias = Literal[
    "missing", "blank", "white-space", "quoted", "default", "short", "repetitive",
    "not-a-url", "trailing-slash", "path", "http", "other-host", "not-a-number", "unknown-algorithm",
]  # fmt: skip
#: How a request ended that got no answer.
Failure: TypeAlias = Literal["dns", "refused", "timeout", "tls", "no-network", "connection", "not-a-url"]
Body: TypeAlias = Literal["json", "html", "empty", "other"]


@dataclass
class Packages:
    """What this interpreter imports."""

    python: str = ""
    #: Its version; ``None`` if it cannot be imported or is not PyJWT.
    pyjwt: str | None = None
    #: What ``import jwt`` gives.
    jwt_module: Literal["pyjwt", "another", "none"] = "none"
    cryptography: str | None = None
    #: Whether PyJWT itself says that it can use public keys.
    public_keys: bool = False
    certifi: str | None = None


@dataclass
class Setting:
    """One thing that the API expects, and who says so: an option, a variable, the source, or nobody (``assumed``)."""

    value: str | None = None
    source: str | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the API was told so, rather than that we read it somewhere or supposed it."""
        return self.source is not None and not self.source.startswith(("assumed", "source "))


@dataclass
class Expected:
    issuer: Setting = field(default_factory=Setting)
    audience: Setting = field(default_factory=Setting)
    jwks_url: Setting = field(default_factory=Setting)
    #: With commas between them.
    algorithms: Setting = field(default_factory=Setting)
    leeway: Setting = field(default_factory=Setting)

    @property
    def leeway_seconds(self) -> float | None:
        return None if self.leeway.value is None else float(self.leeway.value)

    @property
    def algorithm_list(self) -> tuple[str, ...] | None:
        value = self.algorithms.value
        return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@dataclass
class Variable:
    """What is wrong with a variable."""

    name: str
    problem: Problem
    #: The environment file that has it; ``None`` for the process's own environment.
    file: str | None = None


@dataclass
class Secret:
    """A secret by what may be known of it (decision: fingerprints only from 32 bytes on)."""

    name: str
    length: str
    fingerprint: str | None


@dataclass
class Answer:
    """One answer to a request, or why there was none."""

    status: int | None = None
    failure: Failure | None = None
    body: Body | None = None
    #: How far the server's clock is ahead of ours, by ``Date``; ``None`` where a cache may have given the answer.
    clock_ahead_s: int | None = None
    #: What stands before the service, as its headers say: ``vercel``, ``cloudflare-access``, ``basic``, ``challenge``.
    wall: str | None = None
    #: Where a redirect leads: ``https``, ``http``, ``host``, ``slash``, ``path``, ``sign-in``.
    redirect: str | None = None
    #: Whether it has ``keys``, a list.
    is_key_set: bool = False


@dataclass
class Key:
    kid: str | None
    kty: str | None
    #: As the key says, or as type and curve imply.
    alg: str | None


@dataclass
class Keys:
    """The key set."""

    #: How plain HTTP was answered, with the client's own user agent, CA bundle and proxy.
    answer: Answer | None = None
    #: The same with a browser's user agent, where the first was refused.
    as_browser: Answer | None = None
    #: The same without the proxy of the environment, and with certifi's bundle, where the first failed so.
    without_proxy: Answer | None = None
    with_certifi: Answer | None = None
    #: ``/api/auth/ok`` and ``/api/auth/jwks`` at the same host, where the key set was not found.
    service_ok: Answer | None = None
    usual_place: Answer | None = None
    #: The class of what PyJWKClient raised.
    client_error: str | None = None
    client_time_out_s: float | None = None
    #: Seconds for which the client keeps a set; whether it keeps single keys for ever.
    client_lifespan_s: float | None = None
    client_keeps_keys: bool = False
    proxy: str | None = None
    ca_file: str | None = None
    in_container: bool = False
    is_loopback: bool = False
    #: All of the set, and how many PyJWT can use.
    all: list[Key] = field(default_factory=list)
    usable: int | None = None


@dataclass
class Token:
    """The token, as far as it may be told: nothing in it is verified unless ``signature`` holds."""

    form: Literal["jwt", "bearer-prefix", "quoted", "session-token", "jwe", "unreadable"] = "unreadable"
    alg: str | None = None
    kid: str | None = None
    typ: str | None = None
    iss: str | None = None
    aud: list[str] = field(default_factory=list)
    iat_ahead_s: int | None = None
    exp_in_s: int | None = None
    exp_before_iat: bool = False
    #: A cookie cache of Better Auth, signed with its secret.
    is_cookie_cache: bool = False
    is_id_token: bool = False
    #: Whether the key set has its key; ``None`` where that could not be asked.
    key_known: bool | None = None
    signature: bool | None = None
    #: The class of what `jwt.decode` raises with all that the API expects.
    decode_error: str | None = None


@dataclass
class Source:
    """What the API's own source says: a scan, never run."""

    decode_calls: int = 0
    without_audience: list[str] = field(default_factory=list)
    without_leeway: list[str] = field(default_factory=list)
    cached_forever: list[str] = field(default_factory=list)
    #: Requirement files that ask for PyJWT without cryptography.
    pyjwt_alone: list[str] = field(default_factory=list)


@dataclass
class Api:
    """How the API itself answers."""

    without_token: Answer | None = None
    with_token: Answer | None = None


@dataclass
class Facts:
    packages: Packages = field(default_factory=Packages)
    expected: Expected = field(default_factory=Expected)
    variables: list[Variable] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    keys: Keys = field(default_factory=Keys)
    token: Token | None = None
    source: Source = field(default_factory=Source)
    api: Api = field(default_factory=Api)


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each fact by its dotted name, those that are not known left out."""
    if is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from flat(getattr(value, part.name), f"{name}.{part.name}" if name else part.name)
    elif isinstance(value, list) and value and is_dataclass(value[0]):
        for item in value:
            label = getattr(item, "name", None) or getattr(item, "kid", None) or "?"
            yield from flat_item(item, f"{name}.{label}")
    elif value is not None and value != []:
        yield name, value


def flat_item(item: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, {part.name: value for part in fields(item) if (value := getattr(item, part.name)) is not None}
