"""The token that the API refuses: its form, what it says of itself, and whether it verifies here. Its text stays in this file."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .facts import Expected, Key, Packages, Token

MAX_TOKEN: Final = 64 * 1024
_PART: Final = "[A-Za-z0-9_-]+"
_JWT: Final = re.compile(rf"{_PART}\.{_PART}\.[A-Za-z0-9_-]*", re.ASCII)
_JWE: Final = re.compile(rf"{_PART}\.[A-Za-z0-9_-]*\.{_PART}\.{_PART}\.{_PART}", re.ASCII)
#: Better Auth's session token: 32 letters and digits, in a cookie with 44 characters of base64 behind a dot.
_SESSION: Final = re.compile(r"[A-Za-z0-9_-]{16,64}(?:(?:\.|%2E)[A-Za-z0-9+/%=_-]{40,64})?", re.ASCII)
#: Seconds since 1970 that are no moment at which anybody issues tokens.
_MAX_DATE: Final = 2**40


def read(text: str, now: float) -> tuple[Token, str | None]:
    """What a token says of itself, and the token where it has the form of one.

    The text is what the API's code gives to ``jwt.decode``. One line end behind it is the file's; a whole header line is
    understood as one.
    """
    text = re.sub(r"(?i)\A\s*authorization:\s*bearer\s+", "", text).rstrip("\r\n")
    found = Token()
    if re.match(r"(?i)\s*bearer\s", text):
        found.form, text = "bearer-prefix", re.sub(r"(?i)\A\s*bearer\s+", "", text)
    elif len(text) > 2 and text[0] == text[-1] and text[0] in "\"'":
        found.form, text = "quoted", text[1:-1]
    text = text.strip()
    if _JWT.fullmatch(text) and len(text) <= MAX_TOKEN:
        header, claims = (_object(part) for part in text.split(".")[:2])
        if header is not None and claims is not None:
            found.form = "jwt" if found.form == "unreadable" else found.form
            _describe(found, header, claims, now)
            return found, text
    if found.form == "unreadable":
        is_cookie = _SESSION.fullmatch(text) is not None and not text.startswith("eyJ")
        found.form = "jwe" if _JWE.fullmatch(text) else "session-token" if is_cookie else "unreadable"
    return found, None


def _object(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _describe(found: Token, header: Mapping[str, Any], claims: Mapping[str, Any], now: float) -> None:
    def text(source: Mapping[str, Any], name: str) -> str | None:
        value = source.get(name)
        return value if isinstance(value, str) else None

    def moment(name: str) -> float | None:
        value = claims.get(name)
        is_date = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MAX_DATE
        return value if is_date else None

    found.alg, found.kid, found.typ = (text(header, name) for name in ("alg", "kid", "typ"))
    found.iss = text(claims, "iss")
    audience = claims.get("aud")
    found.aud = [one for one in (audience if isinstance(audience, list) else [audience]) if isinstance(one, str)][:8]
    issued, expires = moment("iat"), moment("exp")
    if issued is not None:
        found.iat_ahead_s = round(issued - now)
    if expires is not None:
        found.exp_in_s = round(expires - now)
        found.exp_before_iat = issued is not None and expires < issued
    found.is_cookie_cache = isinstance(claims.get("session"), dict) and isinstance(claims.get("user"), dict)
    found.is_id_token = any(name in claims for name in ("at_hash", "nonce", "c_hash"))


def verify(found: Token, token: str, keys: list[Key], key_set: Any, packages: Packages) -> None:
    """Whether the set has the token's key, and whether the signature holds by it."""
    if keys:
        # PyJWKClient finds no key without a kid.
        found.key_known = found.kid is not None and any(key.kid == found.kid for key in keys)
    if key_set is None or packages.jwt_module != "pyjwt":
        return
    from jwt.api_jws import PyJWS
    from jwt.exceptions import PyJWTError

    key = next((key for key in key_set.keys if key.key_id == found.kid), None)
    if key is None or found.alg is None:
        return
    try:
        PyJWS().decode_complete(token, key.key, algorithms=[found.alg])
        found.signature = True
    except (PyJWTError, ValueError, TypeError):
        found.signature = False


def decode(found: Token, token: str, key_set: Any, expected: Expected) -> None:
    """What the API's own call raises. Only where it is known which algorithms it accepts; else the token's own is taken."""
    if key_set is None or found.key_known is not True or found.alg is None:
        return
    import jwt
    from jwt.exceptions import PyJWTError

    key = next((key for key in key_set.keys if key.key_id == found.kid), None)
    if key is None:
        return
    audience = expected.audience.value
    checks: dict[str, Any] = {"verify_aud": audience is not None}
    try:
        jwt.decode(
            token,
            key.key,
            algorithms=list(expected.algorithm_list or (found.alg,)),
            issuer=expected.issuer.value,
            audience=audience,
            leeway=expected.leeway_seconds or 0,
            options=checks,  # type: ignore[arg-type]
        )
    except (PyJWTError, ValueError, TypeError) as error:
        found.decode_error = type(error).__name__
