"""The verifier: is this request one that the gate let through, and who is asking?

PyJWT knows keys and signatures. What is ours: form, one header, the key's algorithm, the claims, and the binding to the request
in hand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, cast

from . import options
from .json_text import parse_object
from .keys import keys_of
from .refusal import AssertionRefused, Reason

Text: TypeAlias = str | bytes


class HasItems(Protocol):
    """Headers by name: a mapping, or one of the classes that are none, like ``email.message.Message``."""

    def items(self) -> Iterable[tuple[Text, Text]]: ...


Headers: TypeAlias = HasItems | Iterable[tuple[Text, Text]]

TYPE: Final = "doorward-assertion+jwt"
MAX_LIFE: Final = 60
MAX_TOKEN: Final = 16 * 1024

# Canonical base64url: no bits behind the last byte, so that one assertion has one spelling.
_PART: Final = "(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?"
_COMPACT: Final = re.compile(rf"({_PART})\.({_PART})\.({_PART})", re.ASCII)
_JTI: Final = re.compile("[A-Za-z0-9_-]{22}", re.ASCII)
_TGT: Final = re.compile("[A-Za-z0-9_-]{43}", re.ASCII)

_STRINGS: Final = ("iss", "aud", "jti", "htm", "host", "tgt", "sub", "idp", "src")
_OPTIONAL_STRINGS: Final = ("sid", "email")
_INTEGERS: Final = ("iat", "exp", "sess_exp")
_MAX_INTEGER: Final = 2**53 - 1

#: Verified token headers that are remembered as text; there is one for each key.
_MAX_HEADERS: Final = 8

_LOG: Final = logging.getLogger("doorward_origin")


@dataclass(frozen=True, slots=True)
class Session:
    """Who is asking, as the gate has verified it."""

    #: The user.
    subject: str
    session_id: str | None
    email: str | None
    #: The configured name of the issuer who vouched for the user.
    issuer: str
    #: How the gate knows: ``jwt``, ``cookie-cache``, ``auth-service`` or ``storage``.
    source: str
    #: When the session ends, in seconds since 1970.
    expires: int
    #: Mapped claims, by their configured name.
    claims: Mapping[str, Any]
    #: ``jti``, for logs.
    assertion_id: str


class Seen(Protocol):
    """Remembers which assertions have been used. What it raises ends the request; it never lets one pass."""

    def add(self, jti: str, expires: int) -> bool:
        """Whether ``jti`` is new. It must be remembered until ``expires``, in seconds since 1970, and in one step."""
        ...


class SeenInMemory:
    """A ``Seen`` for one process, safe for callers on several threads.

    It remembers an assertion until a minute after its end, both by ``now`` and by the monotonic clock, so that a clock that is
    set back makes none new. Several processes need a store that they share, such as Redis with ``SET … NX EXAT``.

    Unverified tokens cannot fill it, because ``Verifier`` adds only what the gate has signed. When half a million assertions are
    valid at once, ``add`` raises ``OverflowError`` rather than forget one.
    """

    #: Seconds for which an assertion is remembered beyond its end: a clock may be set back by as much after that.
    MARGIN: Final = 60
    #: At about 250 bytes each. At the usual life of 30 seconds these are 5,000 a second.
    MAX_SEEN: Final = 500_000
    SWEEP_SECONDS: Final = 10

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = options.clock(now)
        self._known: dict[str, tuple[float, float]] = {}
        self._sweep_at = 0.0
        self._lock = threading.Lock()

    def add(self, jti: str, expires: int) -> bool:
        if not isinstance(jti, str) or not options.is_number(expires):
            raise TypeError("a store takes a jti and the seconds of its end")
        now = self._now()
        with self._lock:
            # Set forward and back, the clock of the day would make it forget what is good again; this one only goes on.
            steady = time.monotonic()
            if steady >= self._sweep_at or len(self._known) >= self.MAX_SEEN:
                self._sweep(now, steady)
            if jti in self._known:
                return False
            if len(self._known) >= self.MAX_SEEN:
                raise OverflowError("the store of used assertions is full")
            self._known[jti] = (expires, steady + max(expires - now, 0) + self.MARGIN)
            return True

    def _sweep(self, now: float, steady: float) -> None:
        """Forgets what has ended by both clocks."""
        ends = self._known.items()
        self._known = {jti: (end, until) for jti, (end, until) in ends if until > steady or end + self.MARGIN > now}
        self._sweep_at = steady + self.SWEEP_SECONDS


class Verifier:
    """Verifies assertions; safe to share between threads.

    ``audience``: what the gate's configuration calls this origin.
    ``host``: the public host, or hosts, as browsers see it, with the port where it is not the default. ``Host`` and
    ``X-Forwarded-Host`` are never trusted.
    ``keys``: the URL of the gate's JWK set, such a set, or ``{"secret": …}`` for HS256: one of at least 32 bytes, or two while
    it is changed.
    ``header``: must end in ``assertion``; what stands before that is the prefix of all identity headers.
    ``clock_tolerance_seconds``: by how much clocks may differ: a number, 5 by default, at most 60.
    ``seen``: refuses an assertion that comes twice within its life. Default: it may.
    ``now``: the clock, in seconds since 1970.
    ``log``: takes one line of JSON for each refusal, never a token. Default: a warning of the logger ``doorward_origin``.
    ``fetch``: gives the body at the URL of the key set, or raises; called on a thread of its own. No request waits more than 3
    seconds for it, but it has to come to an end by itself.

    An option that is not of its type is a ``ValueError``.
    """

    def __init__(
        self,
        *,
        audience: str,
        host: str | Sequence[str],
        keys: str | Mapping[str, Any],
        issuer: str = "doorward",
        header: str = "x-doorward-assertion",
        clock_tolerance_seconds: float = 5,
        seen: Seen | None = None,
        now: Callable[[], float] = time.time,
        log: Callable[[str], None] = _LOG.warning,
        fetch: Callable[[str], bytes] | None = None,
    ) -> None:
        hosts = [host] if isinstance(host, str) else list(host) if isinstance(host, (Sequence, Set)) else []
        if not hosts or not all(isinstance(one, str) and re.fullmatch(r"[^\s/@?#]+", one) for one in hosts):
            raise ValueError("host: expected public hosts like app.example.com, without a scheme or a path")
        self._audience = options.text("audience and issuer", audience)
        self._issuer = options.text("audience and issuer", issuer)
        self._tolerance = options.tolerance("clock_tolerance_seconds", clock_tolerance_seconds)
        self._now = options.clock(now)
        self._log = options.function("log", log)
        if seen is not None and not callable(getattr(seen, "add", None)):
            raise ValueError("seen: expected a store, with `add`")
        self.header: Final = options.text("header", header).lower()
        if not re.fullmatch(r"[a-z0-9-]+-assertion", self.header):
            raise ValueError("header: expected a name that ends in -assertion")
        #: What all identity headers begin with.
        self.prefix: Final = self.header.removesuffix("assertion")
        self.seen: Final = seen
        self._header_bytes = self.header.encode()
        self._hosts = frozenset(one.lower() for one in hosts)
        self._keys = keys_of(keys, fetch=options.optional_function("fetch", fetch), clock=self._now)
        self._known_headers: dict[str, tuple[str, str]] = {}

    def verify_request(self, method: str, target: Text, headers: Headers) -> Session:
        """Who is asking, if the gate let through just this request; otherwise it raises ``AssertionRefused``.

        ``target`` is path and query exactly as received, never decoded.
        """
        raw = target.encode() if isinstance(target, str) else target
        return self.verify_bound(method, (raw,), self.assertions(headers))

    def read_session(self, headers: Headers) -> Session:
        """Who is asking, where the request itself is out of reach. **Not bound to the request**: whoever has seen an
        assertion can use it for another request while it lives. Behind ``verify_request`` that is no matter.

        ``TypeError`` for what has no headers in it by mistake, like a request or an ``environ``."""
        try:
            claims = self._authenticate(self.assertions(headers), wait=True)
        except AssertionRefused as refused:
            self.report(refused, "", b"")
            raise
        return _session(claims)

    def verify_bound(
        self, method: str, targets: Sequence[bytes], assertions: Sequence[Text], *, wait: bool = True, hint: str | None = None
    ) -> Session:
        """For middleware: ``targets`` are the spellings that the server's interface does not tell apart, none if it hides
        the target; ``hint`` says what to do then. Without ``wait`` it raises ``FetchDueError`` rather than wait for keys."""
        try:
            claims = self._authenticate(assertions, wait=wait)
            self._bind(claims, method, targets, hint)
            # Only `True` is new: a store that answers with something else, like a coroutine, has not remembered.
            if self.seen is not None and self.seen.add(claims["jti"], self._end(claims)) is not True:
                raise AssertionRefused("assertion_replayed")
        except AssertionRefused as refused:
            self.report(refused, method, targets[0] if targets else b"")
            raise
        return _session(claims)

    def assertions(self, headers: Headers) -> list[Text]:
        """The values of all headers with the assertion's name."""
        items: Callable[[], Iterable[tuple[Text, Text]]] | None = getattr(headers, "items", None)
        pairs = cast("Iterable[tuple[Text, Text]]", headers) if items is None else items()
        found: list[Text] = []
        length = len(self.header)
        for name, value in pairs:
            # Most names differ in length; those need not be looked at.
            if len(name) == length and name.lower() == (self.header if isinstance(name, str) else self._header_bytes):
                found.append(value)
        if not found:
            _refuse_others_than(headers)
        return found

    def report(self, refused: AssertionRefused, method: str, target: bytes) -> None:
        """Writes one line about a refusal: reason, method and path, nothing that is secret."""
        path = target.partition(b"?")[0][:256].decode("latin-1")
        line = {"verifier": "doorward", "reason": refused.reason, "status": refused.status, "method": method, "path": path}
        if refused.hint is not None:
            line["hint"] = refused.hint
        self._log(json.dumps(line, separators=(",", ":")))

    def _authenticate(self, assertions: Sequence[Text], *, wait: bool) -> dict[str, Any]:
        """The claims of the one assertion, if it is the gate's, for this origin and of this moment."""
        now = self._now()
        claims = self._claims_of(_only(assertions), now, wait=wait)
        _check_types(claims)
        issued, expires = claims["iat"], claims["exp"]
        if claims["iss"] != self._issuer:
            raise AssertionRefused("assertion_issuer")
        if claims["aud"] != self._audience:
            raise AssertionRefused("assertion_audience")
        if not 0 < expires - issued <= MAX_LIFE:
            raise AssertionRefused("assertion_lifetime")
        if now >= expires + self._tolerance:
            raise AssertionRefused("assertion_expired")
        if issued > now + self._tolerance:
            raise AssertionRefused("assertion_not_yet_valid", "Set the clocks")
        return claims

    def _end(self, claims: Mapping[str, Any]) -> int:
        """Until when it counts: a store has to remember it through the tolerance after its ``exp``."""
        return claims["exp"] + math.ceil(self._tolerance)  # type: ignore[no-any-return]

    def _claims_of(self, token: str, now: float, *, wait: bool) -> dict[str, Any]:
        form = _COMPACT.fullmatch(token) if len(token) <= MAX_TOKEN else None
        if form is None:
            raise AssertionRefused("assertion_malformed")
        # The header is the same text in all assertions of a key.
        head = form[1]
        known = self._known_headers.get(head)
        alg, kid = known or self._read_header(head)
        # `PyJWS.decode` would parse the header once more and look at each character of the payload by itself.
        signing_input, signature = token[: form.end(2)].encode(), _bytes(form[3])
        for key in self._keys.find(kid, now, wait=wait):
            if alg != key.algorithm_name:
                raise AssertionRefused("assertion_algorithm")
            if key.Algorithm.verify(signing_input, key.key, signature):
                if known is None and len(self._known_headers) < _MAX_HEADERS:
                    self._known_headers[head] = (alg, kid)
                return _object(_bytes(form[2]))
        raise AssertionRefused("assertion_signature")

    def _read_header(self, head: str) -> tuple[str, str]:
        header = _object(_bytes(head))
        if "crit" in header or "b64" in header:
            raise AssertionRefused("assertion_malformed")
        if header.get("typ") != TYPE:
            raise AssertionRefused("assertion_type")
        alg = header.get("alg")
        if not isinstance(alg, str) or alg not in self._keys.algorithms:
            raise AssertionRefused("assertion_algorithm")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise AssertionRefused("assertion_key_unknown")
        return alg, kid

    def _bind(self, claims: Mapping[str, Any], method: str, targets: Sequence[bytes], hint: str | None) -> None:
        if claims["htm"] != method:
            raise AssertionRefused("assertion_method")
        if claims["host"] not in self._hosts:
            raise AssertionRefused("assertion_host")
        known = (*targets, *(plain for target in targets if (plain := _without_rsc(target)) != target))
        if not any(hmac.compare_digest(claims["tgt"], _digest(target)) for target in known):
            raise AssertionRefused("assertion_target", hint)


def _refuse_others_than(headers: Any) -> None:
    """What has no headers in it by mistake, like a request or an ``environ``, would be taken for an anonymous request."""
    of_a_request = getattr(headers, "headers", None) is not None
    if of_a_request or (isinstance(headers, dict) and not all(isinstance(value, (str, bytes)) for value in headers.values())):
        raise TypeError("headers: expected the headers of a request, by name or as pairs; of a request, give its `headers`")


def _only(assertions: Sequence[Text]) -> str:
    if not assertions:
        raise AssertionRefused("assertion_missing")
    value = assertions[0]
    token = value.decode("latin-1") if isinstance(value, bytes) else str(value)  # a `Message` may have objects of its own
    if len(assertions) > 1 or "," in token:  # servers join headers of the same name
        raise AssertionRefused("assertion_ambiguous")
    return token


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _object(data: bytes) -> dict[str, Any]:
    try:
        return parse_object(data)
    except ValueError as error:
        raise AssertionRefused("assertion_malformed") from error


def _check_types(claims: Mapping[str, Any]) -> None:
    for name in _STRINGS:
        value = claims.get(name)
        if type(value) is not str or not value:
            raise _wrong(name)
    # Sessions that `doorward doctor --deep` makes belong to no user; no gate admits one.
    if claims["sub"].startswith("doorward-probe-"):
        raise _wrong("sub")
    for name in _OPTIONAL_STRINGS:
        if name in claims and (type(claims[name]) is not str or not claims[name]):
            raise _wrong(name)
    for name in _INTEGERS:
        value = claims.get(name)
        if type(value) is not int or not 0 <= value <= _MAX_INTEGER:  # `True` is an int to isinstance
            raise _wrong(name)
    if type(claims.get("claims", {})) is not dict:
        raise _wrong("claims")
    if _JTI.fullmatch(claims["jti"]) is None:
        raise _wrong("jti")
    if _TGT.fullmatch(claims["tgt"]) is None:
        raise _wrong("tgt")


def _wrong(name: str) -> AssertionRefused:
    reason: Reason = "assertion_claims"
    return AssertionRefused(reason, f'Look at "{name}"')


def _without_rsc(target: bytes) -> bytes:
    """The client of Next.js puts ``_rsc`` into the query to tell caches apart,
    and Next hides it from the gate in its ``proxy.ts``."""
    path, _, query = target.partition(b"?")
    pairs = query.split(b"&")
    kept = [pair for pair in pairs if pair != b"_rsc" and not pair.startswith(b"_rsc=")]
    if len(kept) == len(pairs):
        return target
    return path + b"?" + b"&".join(kept) if kept else path


def _digest(target: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(target).digest())[:43].decode()


def _session(claims: Mapping[str, Any]) -> Session:
    return Session(
        subject=claims["sub"],
        session_id=claims.get("sid"),
        email=claims.get("email"),
        issuer=claims["idp"],
        source=claims["src"],
        expires=claims["sess_exp"],
        claims=claims.get("claims", {}),
        assertion_id=claims["jti"],
    )
