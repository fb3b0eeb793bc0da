"""The gate's keys: given, or fetched and remembered.

PyJWT's own client fetches for each unknown ``kid``, again and again, and forgets everything in an outage. Here unverified tokens
cannot make us fetch, and keys that were good outlive an outage of their address.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from jwt import PyJWK
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_encode

from .json_text import parse_object
from .refusal import AssertionRefused

#: Seconds for which fetched keys are taken as they are.
FRESH_FOR: Final = 300
#: Seconds for which they are used while the address does not answer.
MAX_AGE: Final = 24 * 3600
#: Seconds between two fetches because of unknown keys.
COOLDOWN: Final = 10
#: Seconds after a first failure; doubled with each further one.
BACKOFF: Final = 1
BACKOFF_CEILING: Final = 30
LONGEST_PAUSE: Final = max(COOLDOWN, BACKOFF_CEILING)
#: Seconds that a fetch may take in all, and that a request may wait for it.
DEADLINE: Final = 3.0
MAX_BYTES: Final = 64 * 1024
#: The gate publishes two at most; what is far beyond is not looked at.
MAX_KEYS: Final = 16

#: Algorithm by key type and curve: never by what a token says.
_ALGORITHMS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "EC P-256": ("ES256", ("ES256",)),
    "OKP Ed25519": ("EdDSA", ("EdDSA", "Ed25519")),
}


class Keys(Protocol):
    """Where keys come from."""

    #: Values of ``alg`` that a token may have at all.
    algorithms: frozenset[str]

    def find(self, kid: object, now: float, *, wait: bool = True) -> Sequence[PyJWK]:
        """The keys to try for this ``kid``, one or more; otherwise it raises ``AssertionRefused``."""
        ...


def keys_of(
    keys: str | Mapping[str, Any], *, fetch: Callable[[str], bytes] | None = None, clock: Callable[[], float] = time.time
) -> Keys:
    """Reads the option ``keys``."""
    if isinstance(keys, str):
        return FetchedKeys(keys, fetch or fetch_bytes, clock)
    if not isinstance(keys, Mapping):
        raise _wrong_keys()
    if set(keys) == {"secret"}:
        return SharedSecret(keys["secret"])
    usable = {} if "secret" in keys else usable_keys(keys)
    if not usable:
        raise _wrong_keys()
    return GivenKeys(usable)


def _wrong_keys() -> ValueError:
    return ValueError("keys: expected the URL of a JWK set, a JWK set with an ES256 or EdDSA public key, or a secret")


class GivenKeys:
    """A JWK set that stands in the configuration."""

    algorithms = frozenset({"ES256", "EdDSA"})

    def __init__(self, keys: Mapping[str, PyJWK]) -> None:
        self._keys = {kid: (key,) for kid, key in keys.items()}

    def find(self, kid: object, now: float, *, wait: bool = True) -> Sequence[PyJWK]:  # noqa: ARG002
        found = self._keys.get(kid) if isinstance(kid, str) else None
        if found is None:
            raise AssertionRefused("assertion_key_unknown")
        return found


class SharedSecret:
    """A secret that gate and origin share; two while it is changed. ``kid`` decides nothing: each is tried."""

    algorithms = frozenset({"HS256"})

    def __init__(self, secret: str | bytes | Sequence[str | bytes]) -> None:
        secrets = [secret] if isinstance(secret, (str, bytes)) else list(secret) if isinstance(secret, (list, tuple)) else []
        raw = [one.encode() if isinstance(one, str) else one for one in secrets]
        if not 1 <= len(raw) <= 2 or not all(isinstance(one, bytes) and len(one) >= 32 for one in raw):
            raise ValueError("keys: expected one secret or two, each of at least 32 bytes")
        self._keys = tuple(PyJWK({"kty": "oct", "k": base64url_encode(one).decode()}, "HS256") for one in raw)

    def find(self, kid: object, now: float, *, wait: bool = True) -> Sequence[PyJWK]:  # noqa: ARG002
        if not isinstance(kid, str) or not kid:
            raise AssertionRefused("assertion_key_unknown")
        return self._keys


class Flight:
    """A fetch under way, on a thread of its own. Its time runs from its begin, for all who wait for it."""

    def __init__(self, begun: float) -> None:
        #: When, by the clock by which keys age.
        self.begun: Final = begun
        #: Whether its outcome is open still: afterwards it has landed, or counts as failed.
        self.is_open = True
        self.landed: Final[Future[None]] = Future()
        self.landed.set_running_or_notify_cancel()  # who waits and is cancelled does not cancel it for the others
        self._end = time.monotonic() + DEADLINE

    def seconds_left(self) -> float:
        """For how long anybody may wait for it."""
        return max(self._end - time.monotonic(), 0.0)


class FetchDueError(Exception):
    """Keys are being fetched, and the caller must not wait where it is: it can come again when ``flight`` has landed."""

    def __init__(self, flight: Flight) -> None:
        super().__init__()
        self.flight: Final = flight


class FetchedKeys:
    """A JWK set at an address."""

    algorithms = frozenset({"ES256", "EdDSA"})

    def __init__(self, url: str, fetch: Callable[[str], bytes], clock: Callable[[], float] = time.time) -> None:
        if not _is_allowed(url):
            raise ValueError("keys: expected an https URL; http is allowed for loopback only")
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, tuple[PyJWK]] = {}
        self._fetched_at: float | None = None
        self._not_before = float("-inf")
        self._failures = 0
        self._flight: Flight | None = None
        self._lock = threading.Lock()  # never held while anything is waited for

    def find(self, kid: object, now: float, *, wait: bool = True) -> Sequence[PyJWK]:
        if not isinstance(kid, str):
            raise AssertionRefused("assertion_key_unknown")
        found = self._usable(kid, now)
        if found is not None and (self._is_fresh(now) or not self._is_due(now)):
            return found
        if self._is_due(now):
            flight, is_ours = self._board(now)
            # Whoever has a key need not wait for another's fetch.
            if flight is not None and (is_ours or found is None):
                if not wait:
                    raise FetchDueError(flight)
                wait_for([flight.landed], flight.seconds_left())
                self._give_up(flight)
            found = self._usable(kid, now)
        if found is not None:
            return found
        raise AssertionRefused("keys_unavailable" if self._failures else "assertion_key_unknown")

    def _usable(self, kid: str, now: float) -> tuple[PyJWK] | None:
        if self._fetched_at is None or now >= self._fetched_at + MAX_AGE:
            return None
        return self._keys.get(kid)

    def _is_fresh(self, now: float) -> bool:
        # Keys from the future say that the clock was set back, and nothing about their age.
        return self._fetched_at is not None and self._fetched_at <= now < self._fetched_at + FRESH_FOR

    def _is_due(self, now: float) -> bool:
        # There is no pause that long: the clock was set back.
        return not self._not_before - LONGEST_PAUSE <= now < self._not_before

    def _board(self, now: float) -> tuple[Flight | None, bool]:
        """The fetch to wait for, and whether it begins with this call; none if it has come to an end in the meantime."""
        with self._lock:
            under_way = self._flight
            if under_way is not None and under_way.is_open:
                if under_way.seconds_left() > 0:
                    return under_way, False
                self._conclude(under_way, {})
            if not self._is_due(now):
                return None, False
            flight = Flight(now)
            # A thread of its own: what resolves names, or a client of one's own, may know no deadline.
            threading.Thread(target=self._fly, args=(flight,), name="doorward keys", daemon=True).start()
            self._flight = flight
            return flight, True

    def _fly(self, flight: Flight) -> None:
        try:
            keys = usable_keys(parse_object(self._fetch(self._url)))
        except Exception:  # what a client raises is its own business; nothing of it may pass for an answer, nor end in a 500
            keys = {}
        with self._lock:
            # Keys that come too late are welcome, unless another fetch has begun.
            if flight is self._flight and (keys or flight.is_open):
                self._conclude(flight, keys)
        flight.landed.set_result(None)

    def _give_up(self, flight: Flight) -> None:
        with self._lock:
            if flight.is_open:
                self._conclude(flight, {})

    def _conclude(self, flight: Flight, keys: Mapping[str, PyJWK]) -> None:
        """Takes the outcome. The keys are as old as the begin of their fetch; the pause counts from its end."""
        flight.is_open = False
        if keys:
            self._keys = {kid: (key,) for kid, key in keys.items()}
            self._fetched_at = flight.begun
            self._failures = 0
            self._not_before = self._clock() + COOLDOWN
            return
        if self._fetched_at is not None and self._fetched_at > flight.begun:
            self._fetched_at = flight.begun - FRESH_FOR  # the clock was set back: their day counts from now
        self._not_before = self._clock() + min(BACKOFF * 2.0**self._failures, BACKOFF_CEILING)
        self._failures = min(self._failures + 1, 16)


def usable_keys(jwks: Mapping[str, Any]) -> dict[str, PyJWK]:
    """The keys of a JWK set that can have signed an assertion, by ``kid``. One odd key does not cost the others."""
    listed = jwks.get("keys")
    found: dict[str, PyJWK] = {}
    for jwk in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        key = _usable_key(jwk)
        if key is not None:
            found.setdefault(jwk["kid"], key)
    return found


def _usable_key(jwk: object) -> PyJWK | None:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return None
    algorithm, names = _ALGORITHMS.get(f"{jwk.get('kty')} {jwk.get('crv')}", ("", ()))
    if jwk.get("alg", algorithm) not in names or jwk.get("use", "sig") != "sig":
        return None
    try:
        return PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None


def _is_allowed(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would let the address name another; it ends as an error."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Timed(io.RawIOBase):
    """Reads from a socket until a moment. A socket's own time-out is for one read: who sends a byte a second never meets it."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock = sock
        self._end = end
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the key set takes too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Reads head and body, and what a proxy says to CONNECT, until a moment."""

    def __init__(self, sock: socket.socket, *arguments: Any, end: float, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(sock, end))


class _Connection(http.client.HTTPConnection):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.response_class = partial(_Response, end=time.monotonic() + DEADLINE)  # type: ignore[assignment]


class _SecureConnection(http.client.HTTPSConnection, _Connection):
    """The same over TLS."""


class _Handler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)


def fetch_bytes(url: str) -> bytes:
    """The body at an address, of 64 KiB and within 3 seconds at most; ``OSError`` or ``ValueError`` otherwise."""
    headers = {
        "accept": "application/jwk-set+json, application/json",
        "cache-control": "no-cache",  # a copy on the way would make a key that was removed live longer
        "user-agent": "doorward-origin",
    }
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - `_is_allowed` has seen the scheme
    with _opener(url).open(request, timeout=DEADLINE) as response:
        if response.status != 200:
            raise ValueError("the status is not 200")
        body: bytes = response.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise ValueError("the key set is too large")
        return body


def _opener(url: str) -> urllib.request.OpenerDirector:
    # To a proxy, its own loopback is another than ours.
    proxies = [urllib.request.ProxyHandler({})] if _is_loopback(urlsplit(url).hostname or "") else []
    return urllib.request.build_opener(_NoRedirect, _Handler, *proxies)
