"""Reads ``tests/vectors/assertion/`` and mints what the cases describe."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jwt import PyJWK

from doorward_origin import Seen, SeenInMemory, Verifier

FOLDER = Path(__file__).resolve().parents[3] / "tests/vectors/assertion"
URL = "https://app.example.com/.well-known/doorward/jwks.json"
HEADER = "x-doorward-assertion"

Json = dict[str, Any]


def load(name: str) -> Json:
    data: Json = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return data


BASE = load("base")
KEYS = load("keys")
NOW: int = BASE["now"]


def cases() -> Iterator[Json]:
    for topic in ("token", "claims", "request"):
        yield from load(topic)["cases"]


def public(name: str) -> Json:
    return {member: value for member, value in KEYS["private"][name].items() if member != "d"}


def jwks(*names: str) -> Json:
    """A key set; a word before a name says what is wrong with that key."""
    return {"keys": [_published(*name.split(" ")) for name in names]}


def _published(first: str, name: str = "") -> Json:
    if first == "odd":
        return {"kty": "EC", "crv": "P-256", "kid": "odd", "x": "AA", "y": "AA"}
    if first == "private":
        return dict(KEYS["private"][name])
    if first == "enc":
        return {**public(name), "use": "enc"}
    if first == "es512":
        return {**public(name), "alg": "ES512"}
    return public(first)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _part(value: Any) -> str:
    return b64(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _signature(how: str, signing_input: bytes) -> bytes:
    if how == "none":
        return b""
    if how == "zeros":
        return bytes(64)
    if how.startswith("hs256:"):
        name = how.removeprefix("hs256:")
        key = json.dumps(public("es1")).encode() if name == "public" else KEYS["secrets"][name].encode()
        return hmac.digest(key, signing_input, "sha256")
    jwk = PyJWK(KEYS["private"][how])
    return jwk.Algorithm.sign(signing_input, jwk.key)


def mint(case: Json, at: int = NOW) -> str:
    """The assertion that a case describes, as the gate would write it at that moment."""
    if "token" in case:
        return str(case["token"])
    header = {**BASE["header"], **case.get("header", {})}
    if "jwk" in header:
        header["jwk"] = public(header["jwk"])
    for name in case.get("without_header", []):
        del header[name]
    minted_for = {**BASE["request"], **case.get("minted_for", {})}
    bound = {
        "htm": minted_for["method"],
        "host": minted_for["host"],
        "tgt": b64(hashlib.sha256(minted_for["target"].encode()).digest()),
    }
    moment = {"iat": BASE["claims"]["iat"] + at - NOW, "exp": BASE["claims"]["exp"] + at - NOW}
    claims = {**BASE["claims"], **bound, **moment, **case.get("claims", {})}
    if claims.get("claims") == {"x": "@LONG@"}:
        claims["claims"] = {"x": "x" * 16384}
    for name in case.get("without", []):
        del claims[name]

    head = case.get("header_segment") or (b64(case["header_text"].encode()) if "header_text" in case else _part(header))
    payload = case.get("payload_segment") or (b64(case["payload"].encode()) if "payload" in case else _part(claims))
    signature = _signature(case.get("sign", "es1"), f"{head}.{payload}".encode())
    signature = signature[: case.get("signature_cut", len(signature))]
    if "tamper" in case:
        payload = _part({**claims, **case["tamper"]})
    if "tamper_header" in case:
        head = _part({**header, **case["tamper_header"]})
    return f"{head}.{payload}.{b64(signature)}{case.get('append', '')}"


def headers_of(case: Json) -> list[tuple[str, str]]:
    token = mint(case)
    value = token + case["join"] + token if "join" in case else token
    return [(HEADER, value)] * case.get("copies", 1) + [(name, value) for name, value in case.get("headers", [])]


def down(_: str) -> bytes:
    raise ConnectionRefusedError


def verifier_of(case: Json, **more: Any) -> Verifier:
    options = {**BASE["verifier"], **case.get("verifier", {})}
    moment = NOW + case.get("after_seconds", 0)
    keys: Any = {
        "set": jwks("es1", "es2", "ed1"),
        "secret": {"secret": KEYS["secrets"]["now"]},
        "secrets": {"secret": [KEYS["secrets"]["now"], KEYS["secrets"]["before"]]},
        "down": URL,
    }[options["keys"]]
    seen: Seen | None = SeenInMemory(lambda: moment) if options.get("seen") else None
    settings: Json = {
        "audience": options["audience"],
        "issuer": options["issuer"],
        "host": options["hosts"],
        "keys": keys,
        "clock_tolerance_seconds": options.get("clock_tolerance_seconds", 5),
        "seen": seen,
        "now": lambda: moment,
        "log": lambda _: None,
        "fetch": down,
    }
    return Verifier(**{**settings, **more})


def request_of(case: Json) -> tuple[str, str]:
    request = {**BASE["request"], **case.get("request", {})}
    return request["method"], request["target"]
