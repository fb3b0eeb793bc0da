"""Why an assertion is refused: a table of stable codes, and the exception that carries one."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

Reason = Literal[
    "assertion_missing",
    "assertion_ambiguous",
    "assertion_malformed",
    "assertion_type",
    "assertion_algorithm",
    "assertion_key_unknown",
    "assertion_signature",
    "assertion_claims",
    "assertion_issuer",
    "assertion_audience",
    "assertion_lifetime",
    "assertion_expired",
    "assertion_not_yet_valid",
    "assertion_method",
    "assertion_host",
    "assertion_target",
    "assertion_replayed",
    "keys_unavailable",
]

#: Status and sentence of each reason. 401 only where there is no assertion: otherwise a fault between gate and origin would
#: look like a sign-out.
REASONS: Final[dict[Reason, tuple[int, str]]] = {
    "assertion_missing": (401, "The request has no assertion"),
    "assertion_ambiguous": (403, "The request has more than one assertion"),
    "assertion_malformed": (403, "The assertion is malformed"),
    "assertion_type": (403, 'The type ("typ") is not "doorward-assertion+jwt"'),
    "assertion_algorithm": (403, 'The algorithm ("alg") is not that of the key'),
    "assertion_key_unknown": (403, 'The gate\'s key set has no key with this "kid"'),
    "assertion_signature": (403, "The signature is invalid"),
    "assertion_claims": (403, "A claim is missing or has the wrong type"),
    "assertion_issuer": (403, 'The issuer ("iss") is not the expected gate'),
    "assertion_audience": (403, 'The assertion is for another origin ("aud")'),
    "assertion_lifetime": (403, "The lifetime of the assertion is longer than 60 seconds, or not positive"),
    "assertion_expired": (403, "The assertion has expired"),
    "assertion_not_yet_valid": (403, "The assertion is not valid yet: the clocks of gate and origin differ"),
    "assertion_method": (403, "The assertion is for another method"),
    "assertion_host": (403, "The assertion is for another host"),
    "assertion_target": (403, "The assertion is for another path or query"),
    "assertion_replayed": (403, "The assertion has been used before"),
    "keys_unavailable": (503, "The gate's key set could not be fetched"),
}

_TITLES: Final = {401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable"}


class AssertionRefused(Exception):  # noqa: N818 - it is an answer, not an error
    """The assertion does not prove that this request comes from the gate, or the keys are not available."""

    def __init__(self, reason: Reason, hint: str | None = None) -> None:
        self.reason: Reason = reason
        self.status, self.sentence = REASONS[reason]
        #: What to do about it, where this side can know.
        self.hint = hint
        super().__init__(f"{reason}: {self.sentence}")

    def __reduce__(self) -> tuple[Any, ...]:
        # By itself an exception is copied and pickled as its class with the message, which is no reason.
        return type(self), (self.reason, self.hint), self.__dict__

    def headers(self) -> list[tuple[str, str]]:
        """Headers of an answer that says so."""
        headers = [("content-type", "application/problem+json"), ("cache-control", "private, no-store")]
        if self.status == 401:
            headers.append(("www-authenticate", "Bearer"))  # RFC 9110 section 15.5.2
        if self.status == 503:
            headers.append(("retry-after", "5"))
        return headers

    def problem(self) -> dict[str, str | int]:
        """The answer's body, of RFC 9457; the same shape as the gate's own."""
        return {
            "type": f"urn:doorward:reason:{self.reason}",
            "title": _TITLES[self.status],
            "status": self.status,
            "detail": self.sentence,
            "reason": self.reason,
        }

    def body(self) -> bytes:
        """That body as bytes."""
        return json.dumps(self.problem(), separators=(",", ":")).encode()
