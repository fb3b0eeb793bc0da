"""What ``verify_request`` costs beside a bare ``jwt.decode`` of the same token: interleaved, medians of batches.

usage: python bench.py    with this package and PyJWT on the path; exit 1 if a ratio is above 1.3
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent / "src"), str(Path(__file__).parent / "tests")]

import jwt

from doorward_origin import Verifier
from support import BASE, HEADER, KEYS, jwks, mint, public

BUDGET = 1.3
ROUNDS, BATCH = 60, 100

#: About what a browser and a proxy send.
OTHERS = {f"x-header-{number}": "value" for number in range(12)} | {"accept-encoding-and-more": "x", "cookie": "a=" + "b" * 400}


def microseconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    for _ in range(BATCH):
        call()
    return (time.perf_counter() - begin) / BATCH * 1e6


def main() -> int:
    now = int(time.time())
    secret = KEYS["secrets"]["now"]
    worst = 0.0
    print(f"{'':6}  {'jwt.decode':>10}  {'verify_request':>14}  ratio   (µs, medians of {ROUNDS} interleaved batches)")
    for alg, kid in (("ES256", "es1"), ("EdDSA", "ed1"), ("HS256", "s1")):
        is_secret = alg == "HS256"
        token = mint({"header": {"alg": alg, "kid": kid}, "sign": "hs256:now" if is_secret else kid}, now)
        key: jwt.PyJWK | bytes = secret.encode() if is_secret else jwt.PyJWK(public(kid))
        verifier = Verifier(
            audience="billing",
            host="app.example.com",
            keys={"secret": secret} if is_secret else jwks("es1", "ed1"),
            now=lambda now=now: now,  # type: ignore[misc]
        )
        headers = {**OTHERS, HEADER: token}
        target = BASE["request"]["target"]

        def bare(token: str = token, key: jwt.PyJWK | bytes = key, alg: str = alg) -> object:
            return jwt.decode(token, key, algorithms=[alg], audience="billing", issuer="doorward", leeway=60)

        def ours(verifier: Verifier = verifier, headers: dict[str, str] = headers, target: str = target) -> object:
            return verifier.verify_request("GET", target, headers)

        pairs = [(microseconds(bare), microseconds(ours)) for _ in range(ROUNDS)]
        left, right = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        ratio = median(pair[1] / pair[0] for pair in pairs)
        worst = max(worst, ratio)
        print(f"{alg:6}  {left:10.1f}  {right:14.1f}  {ratio:5.2f}")
    print(f"worst ratio {worst:.2f}, budget {BUDGET}")
    return 0 if worst <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
