"""Why an assertion is not believed: a table of stable codes, and the one exception."""

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
    "assertion_life",
    "assertion_expired",
    "assertion_not_yet_valid",
    "assertion_method",
    "assertion_host",
    "assertion_target",
    "assertion_replayed",
    "keys_unavailable",
]

#: Status and sentence of each reason. 401 only where nobody has said who it is: everything else would take a fault between
#: gate and origin for a sign-out.
REASONS: Final[dict[Reason, tuple[int, str]]] = {
    "assertion_missing": (401, "there is no assertion, so nobody is signed in here"),
    "assertion_ambiguous": (403, "there is more than one assertion"),
    "assertion_malformed": (403, "the assertion is not a JWS in compact form with JSON objects in it"),
    "assertion_type": (403, '"typ" is not "doorward-assertion+jwt"'),
    "assertion_algorithm": (403, '"alg" is not that of the key'),
    "assertion_key_unknown": (403, '"kid" names none of the gate\'s keys'),
    "assertion_signature": (403, "the signature does not hold"),
    "assertion_claims": (403, "a claim is missing or of the wrong type"),
    "assertion_issuer": (403, '"iss" is not the expected gate'),
    "assertion_audience": (403, '"aud" is not this origin'),
    "assertion_life": (403, "the assertion is made to live for more than 60 seconds, or not at all"),
    "assertion_expired": (403, "the assertion has expired"),
    "assertion_not_yet_valid": (403, "the assertion is from the future; the clocks of gate and origin differ"),
    "assertion_method": (403, "the assertion is for another method"),
    "assertion_host": (403, "the assertion is for another host"),
    "assertion_target": (403, "the assertion is for another path or query"),
    "assertion_replayed": (403, "the assertion has been used before"),
    "keys_unavailable": (503, "the gate's keys cannot be fetched"),
}

_TITLES: Final = {401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable"}


class AssertionRefused(Exception):  # noqa: N818 - it is an answer, not an error
    """The request does not come from the gate as it stands, or the keys are away. Nothing in here is secret."""

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
