"""Who is asking: by the gate's assertion about this very request, or by a JWT of the auth service. Each refusal is a line in the log
that says which of the many causes it was."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt
from doorward_origin import SeenInMemory, Verifier
from doorward_origin.fastapi import optional_session
from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from .log import say
from .settings import GATE_JWKS_PATH, Settings

ALGORITHMS = ["EdDSA", "ES256", "RS256"]


@dataclass(frozen=True)
class User:
    id: str
    email: str
    by: str


class Users:
    """Verifies assertions and tokens. Key sets are fetched with the first one, and again for a key that is not in them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = jwt.PyJWKClient(settings.jwks_url, cache_jwk_set=True, lifespan=300, timeout=3)
        verifier = Verifier(
            audience="notes-api",
            host=urlsplit(settings.gate_url).netloc,
            keys=settings.gate_url + GATE_JWKS_PATH,
            # The body of a request is not bound: whoever has caught one cannot write a second note with it. For one process.
            seen=SeenInMemory(),
            log=lambda line: say("assertion refused", level="warning", **json.loads(line)),
        )
        self._by_assertion = optional_session(verifier)

    async def __call__(self, request: Request) -> User:
        # An assertion that is there and bad is refused, whatever else came along.
        session = await self._by_assertion(request)
        if session is not None:
            return User(id=session.subject, email=session.email or "", by="assertion")
        # Fetching keys blocks.
        return await run_in_threadpool(self._by_token, request)

    def _by_token(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refused(request, "missing", "no bearer token")
        try:
            claims = self._verified(token.strip())
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is no identity
            raise self._refusal(request, token, error) from None
        return User(id=claims["sub"], email=str(claims.get("email", "")), by="JWT")

    def _verified(self, token: str) -> dict[str, object]:
        if jwt.get_unverified_header(token).get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        key = self._keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            leeway=5,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )

    def _refusal(self, request: Request, token: str, error: Exception) -> HTTPException:
        for kind, reason, hint in CAUSES:
            if isinstance(error, kind):
                break
        else:
            reason, hint = "malformed", "it was cut, wrapped or re-encoded on its way"
        expected = {"issuer": self._settings.issuer, "audience": self._settings.audience}.get(reason)
        seen = {name: value for name, value in _unverified(token).items() if name in ("alg", "kid", "iss", "aud", "exp")}
        status = 503 if reason == "keys_unavailable" else 401
        return refused(request, reason, hint, status, expected=expected, unverified=seen)


# The first that fits counts: PyJWT's errors are children of one another.
CAUSES: list[tuple[type[Exception], str, str]] = [
    (jwt.ExpiredSignatureError, "expired", "the caller has kept it too long, or a clock is off"),
    (jwt.ImmatureSignatureError, "not_yet_valid", "a clock is off"),
    (jwt.InvalidIssuedAtError, "not_yet_valid", "a clock is off"),
    (jwt.InvalidIssuerError, "issuer", "BETTER_AUTH_ISSUER here and at the auth service differ, if only by a slash"),
    (jwt.InvalidAudienceError, "audience", "BETTER_AUTH_AUDIENCE here and at the auth service differ"),
    (jwt.MissingRequiredClaimError, "claim_missing", "this is no token for an API"),
    (jwt.InvalidAlgorithmError, "algorithm", f"accepted are {', '.join(ALGORITHMS)}"),
    (jwt.InvalidSignatureError, "signature", "it was changed on its way, or signed by somebody else"),
    (jwt.PyJWKClientConnectionError, "keys_unavailable", "BETTER_AUTH_JWKS_URL does not answer"),
    (jwt.PyJWKClientError, "unknown_key", "it is of another environment, or its key was withdrawn"),
    (jwt.PyJWKSetError, "keys_unavailable", "BETTER_AUTH_JWKS_URL answers with no usable key set"),
]


def refused(request: Request, reason: str, hint: str, status: int = 401, **more: object) -> HTTPException:
    more = {name: value for name, value in more.items() if value}
    say("token refused", level="warning", reason=reason, hint=hint, method=request.method, path=request.url.path, **more)
    headers = {"retry-after": "2"} if status == 503 else {"www-authenticate": "Bearer" if reason == "missing" else 'Bearer error="invalid_token"'}
    return HTTPException(status, detail=reason, headers=headers)


def _unverified(token: str) -> dict[str, object]:
    """What the token says about itself, for the log: it helps whoever looks for the cause and proves nothing."""
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return {**parts["payload"], **parts["header"]}
