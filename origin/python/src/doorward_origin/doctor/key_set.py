"""The key set, fetched as the API fetches it: PyJWT's own client, its user agent, CA bundle, proxy and time-out."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit

from . import environment
from .facts import Answer, Body, Failure, Key, Keys

_MAX_BODY: Final = 256 * 1024
_MOST_REQUESTS: Final = 12
_BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
#: How long a client may take before we stop waiting.
_MOST_SECONDS: Final = 10.0
_CURVES: Final = {
    "Ed25519": "EdDSA",
    "Ed448": "EdDSA",
    "P-256": "ES256",
    "P-384": "ES384",
    "P-521": "ES512",
    "secp256k1": "ES256K",
}


@dataclass
class Http:
    """Sends requests one after the other, and keeps a list of them."""

    now: Callable[[], float] = time.time
    requests: list[dict[str, Any]] = field(default_factory=list)

    def get(self, name: str, url: str, headers: Mapping[str, str], way: Way | None = None) -> tuple[Answer, Any]:
        """The answer, and its JSON. No redirect is followed."""
        if len(self.requests) >= _MOST_REQUESTS:
            return Answer(failure="connection"), None
        way = way or Way()
        begun, began = self.now(), time.monotonic()
        answer, value = _answer(way.opener(), url, headers, min(way.seconds, _MOST_SECONDS))
        took = time.monotonic() - began
        if answer.clock_ahead_s is not None:
            # `_answer` gives the server's clock; ours is that of the middle of the request. `Date` has whole seconds.
            answer.clock_ahead_s = round(answer.clock_ahead_s + 0.5 - (begun + took / 2))
        line = {"id": name, "method": "GET", "status": answer.status, "failure": answer.failure, "ms": round(took * 1000)}
        self.requests.append({key: member for key, member in line.items() if member is not None})
        return answer, value


@dataclass(frozen=True)
class Way:
    """How a request goes."""

    tls: ssl.SSLContext | None = None
    use_proxy: bool = True
    seconds: float = 5

    def opener(self) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if self.tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=self.tls))
        if not self.use_proxy:
            handlers.append(urllib.request.ProxyHandler({}))
        return urllib.request.build_opener(*handlers)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _answer(opener: urllib.request.OpenerDirector, url: str, headers: Mapping[str, str], seconds: float) -> tuple[Answer, Any]:
    try:
        request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 -- http and https only, see `environment.split`
        try:
            response: Any = opener.open(request, timeout=seconds)
        except HTTPError as error:
            response = error
        with closing(response):
            return _read(url, response.status, response.headers, response.read(_MAX_BODY + 1))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(failure=_failure(error)), None


def _read(url: str, status: int, headers: Message, body: bytes) -> tuple[Answer, Any]:
    value = None
    kind: Body = "empty" if not body.strip() else "other"
    try:
        value = json.loads(body) if len(body) <= _MAX_BODY and kind == "other" else None
        kind = "json" if value is not None else kind
    except (ValueError, RecursionError):
        start = body[:512].lstrip().lower()
        kind = "html" if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")) or b"<title" in start else kind
    location = headers.get("location")
    is_set = status == 200 and isinstance(value, dict) and isinstance(value.get("keys"), list)
    answer = Answer(status, None, kind, _clock(headers), _wall(status, headers, body, kind), None, is_set)
    if location is not None and 300 <= status < 400:
        answer.redirect = redirect_class(url, location)
        if "cloudflareaccess.com" in location:
            answer.wall = "cloudflare-access"
        elif "vercel.com/sso" in location:
            answer.wall = "vercel"
    return answer, value


def _clock(headers: Message) -> int | None:
    """The server's clock. An answer of a cache may be of another time, also where it does not say so by its age."""
    is_cached = headers.get("age", "0").strip() not in ("", "0") or any(
        "hit" in headers.get(name, "").lower() for name in ("cf-cache-status", "x-vercel-cache", "x-cache", "cache-status")
    )
    try:
        date = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return None if is_cached else int(date.timestamp())


def _wall(status: int, headers: Message, body: bytes, kind: Body) -> str | None:
    cookies = " ".join(headers.get_all("set-cookie", []))
    if "_vercel_sso_nonce" in cookies:
        return "vercel"
    if "CF_AppSession" in cookies or "cf-access-domain" in headers:
        return "cloudflare-access"
    if status == 401 and headers.get("www-authenticate", "").lower().startswith("basic"):
        return "basic"
    if headers.get("cf-mitigated") == "challenge" or (status in (403, 503) and kind == "html" and b"challenge-platform" in body):
        return "challenge"
    return None


def redirect_class(url: str, location: str) -> str:
    """What differs between a URL and where it leads, never the text of either."""
    old, new = urlsplit(url), urlsplit(urljoin(url, location))
    if any(word in new.path.lower() for word in ("sign-in", "signin", "login", "/sso")):
        return "sign-in"
    if old.hostname != new.hostname:
        return "host"
    if old.scheme != new.scheme:
        return new.scheme
    return "slash" if old.path.rstrip("/") == new.path.rstrip("/") else "path"


def _failure(error: BaseException) -> Failure:
    seen = 0
    cause: Any = error
    while isinstance(cause, URLError) and isinstance(cause.reason, BaseException) and seen < 4:
        cause, seen = cause.reason, seen + 1
    if isinstance(cause, ssl.SSLError):
        return "tls"
    if isinstance(cause, socket.gaierror):
        return "dns"
    if isinstance(cause, TimeoutError):
        return "timeout"
    if isinstance(cause, ConnectionRefusedError):
        return "refused"
    if isinstance(cause, OSError) and cause.errno in (101, 51):  # ENETUNREACH on Linux and macOS
        return "no-network"
    return "not-a-url" if isinstance(cause, (ValueError, http.client.InvalidURL)) else "connection"


@dataclass
class Client:
    """How the API's client is set up, as far as we were told."""

    headers: dict[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    seconds: float = 5
    #: A client of the API's own, if it was named.
    own: Any = None

    def tls(self) -> ssl.SSLContext | None:
        if self.own is not None:
            context = getattr(self.own, "ssl_context", None)
            return context if isinstance(context, ssl.SSLContext) else None
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None


def look(http: Http, url: str, client: Client) -> tuple[Keys, Any]:
    """The facts, and PyJWT's set of keys for whoever verifies a token."""
    found = Keys(
        client_time_out_s=client.seconds,
        proxy=_proxy(url),
        ca_file=_ca_file(client),
        in_container=_is_container(),
        is_loopback=environment.is_loopback(urlsplit(url).hostname or ""),
    )
    headers = {str(name): str(value) for name, value in (getattr(client.own, "headers", None) or client.headers).items()}
    ask = _asker(http, client, headers)
    found.answer, value = ask("jwks", url)
    if found.answer.is_key_set:
        found.all = [_key(key) for key in value["keys"] if isinstance(key, dict)]
    else:
        _look_around(found, ask, url)
    key_set = _by_client(found, url, client, headers)
    return found, key_set


Ask = Callable[..., tuple[Answer, Any]]


def _asker(http: Http, client: Client, headers: dict[str, str]) -> Ask:
    usual = Way(tls=client.tls(), seconds=client.seconds)

    def ask(name: str, url: str, *, headers: Mapping[str, str] = headers, **differently: Any) -> tuple[Answer, Any]:
        return http.get(name, url, headers, replace(usual, **differently))

    return ask


def _look_around(found: Keys, ask: Ask, url: str) -> None:
    """Where the key set is not: what would have to be otherwise for it to be there?"""
    answer = found.answer
    if answer is None:
        return
    if answer.failure is not None:
        if found.proxy is not None:
            found.without_proxy = ask("jwks-without-proxy", url, use_proxy=False)[0]
        if answer.failure == "tls" and (bundle := _certifi()) is not None:
            found.with_certifi = ask("jwks-with-certifi", url, tls=ssl.create_default_context(cafile=bundle))[0]
        return
    if answer.status in (401, 403, 406, 429, 503):
        found.as_browser = ask("jwks-as-browser", url, headers={"user-agent": _BROWSER, "accept": "*/*"})[0]
    origin = environment.origin_of(url) or ""
    base = url.removesuffix("/jwks") if urlsplit(url).path.endswith("/jwks") else origin + "/api/auth"
    found.service_ok = ask("ok", base + "/ok")[0]
    if urlsplit(url).path != environment.JWKS_PATH:
        found.usual_place = ask("jwks-usual-place", origin + environment.JWKS_PATH)[0]


def _by_client(found: Keys, url: str, client: Client, headers: dict[str, str]) -> Any:
    """What PyJWT makes of it."""
    try:
        from jwt import PyJWKClient
        from jwt.exceptions import PyJWTError
    except ImportError:
        return None
    own = client.own
    try:
        if own is None:
            more = {"ssl_context": client.tls()} if client.ca_file else {}
            own = PyJWKClient(url, headers=headers, timeout=client.seconds, **more)  # type: ignore[arg-type]
        found.client_lifespan_s = getattr(getattr(own, "jwk_set_cache", None), "lifespan", None)
        found.client_keeps_keys = hasattr(getattr(own, "get_signing_key", None), "cache_info")
        found.client_time_out_s = float(getattr(own, "timeout", client.seconds))
        key_set = own.get_jwk_set(refresh=True)
    except (PyJWTError, OSError, ValueError, TypeError, AttributeError, http.client.HTTPException) as error:
        found.client_error = type(error).__name__
        return None
    found.usable = len(key_set.keys)
    return key_set


def _key(jwk: Mapping[str, Any]) -> Key:
    def text(name: str) -> str | None:
        value = jwk.get(name)
        return value if isinstance(value, str) else None

    kty, alg = text("kty"), text("alg")
    implied = _CURVES.get(text("crv") or "") or ("RS256" if kty == "RSA" else None)
    return Key(text("kid"), kty, alg or implied)


def _proxy(url: str) -> str | None:
    """By which variable a proxy is set for this URL; not its address, which may have a password."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or "") or parts.scheme not in urllib.request.getproxies():
        return None
    names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), "system")


def _ca_file(client: Client) -> str | None:
    if client.ca_file:
        return "--ca-file"
    file = os.environ.get("SSL_CERT_FILE")
    return None if not file else "SSL_CERT_FILE" if Path(file).is_file() else "SSL_CERT_FILE, which names no file"


def _certifi() -> str | None:
    try:
        return str(import_module("certifi").where())
    except ImportError:
        return None


def _is_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ


def utc(now: float) -> str:
    return datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
