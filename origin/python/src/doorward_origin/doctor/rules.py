"""From facts to causes. A rule is a function of the facts; it asks nothing and sees no answer, token or secret.

*proof*: the facts cannot come about otherwise. *strong*: one other explanation is left; it is in the rule's comment.
*hint*: worth a look; it changes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .causes import CAUSES, Certainty
from .environment import NAMES
from .facts import Answer, Facts, Problem, Setting, Token

#: Clocks of healthy machines differ by less.
_SKEW_S: Final = 30
_DRIFT_S: Final = 3
_MANY_KEYS: Final = 3
#: What is not told by variables alone, once a token has told it.
_URL_CAUSES: Final = frozenset(
    ("issuer-trailing-slash", "issuer-path", "issuer-host", "issuer-differs-at-api", "trailing-slash-env", "url-contradiction")
)


@dataclass(frozen=True)
class Finding:
    """A cause, how certain, and the names of the facts that show it."""

    cause: str
    certainty: Certainty
    evidence: tuple[str, ...]
    #: In words, what was seen.
    seen: str
    #: Other names for the same fault.
    also: tuple[str, ...] = ()

    @property
    def unless(self) -> str | None:
        """The explanation that is left, where it is not proof."""
        return UNLESS.get(self.cause) if self.certainty == "strong" else None


#: The one other explanation of what is strong.
UNLESS: Final[dict[str, str]] = {
    "api-no-cryptography": "the API is meant to verify by a shared secret, or runs with another interpreter",
    "api-cannot-fetch-jwks": "the service is away for everybody for a moment",
    "deployment-protection": "the auth service itself sends its key set's path to a sign-in page",
    "database-unreachable": "the service cannot write or read its first key for another reason",
    "url-missing": "the API is told by a variable of another name",
    "wrong-token-sent": "the access token has a nonce, and another audience",
    "token-altered": "another service signs with a key of the same kid",
    "api-algorithm": "that code is not what runs, or a blank variable is taken for none",
    "clock-skew": "a proxy or cache on the way writes the date, or the token was made by hand",
    "api-leeway": "the two clocks differ by more than a leeway should cover",
    "token-expired-no-refresh": "the token is older than what the client sends",
    "issuer-differs-at-api": "the token is of another environment, or a blank variable is taken for none",
    "issuer-trailing-slash": "the service writes the slash into its tokens, too",
    "issuer-path": "the service writes the path into its tokens, too",
    "issuer-scheme": "the API expects another issuer than was supposed here",
    "issuer-host": "the API expects another issuer than was supposed here",
    "audience-differs": "that call is for other tokens, or a blank variable is taken for none",
    "trailing-slash-env": "the code takes the origin of the URL, not its text",
    "url-contradiction": "the service really writes an issuer of another origin than its own",
    "api-refuses-good-token": "the API is right to refuse this user for another reason than the token",
}


Rule = Callable[[Facts], "Finding | None"]
RULES: Final[list[Rule]] = []


def _rule(rule: Rule) -> Rule:
    RULES.append(rule)
    return rule


def diagnose(facts: Facts, rules: list[Rule] | None = None) -> list[Finding]:
    """All findings, the cause first: proofs before the strong before hints, each in the order of a request's way."""
    order = list(CAUSES)
    weight = {"proof": 0, "strong": 1, "hint": 2}
    found: dict[str, Finding] = {}
    for rule in RULES if rules is None else rules:
        finding = rule(facts)
        if finding and (finding.cause not in found or weight[finding.certainty] < weight[found[finding.cause].certainty]):
            found[finding.cause] = finding
    return sorted(found.values(), key=lambda one: (weight[one.certainty], order.index(one.cause)))


# ── packages ──


@_rule
def no_pyjwt(facts: Facts) -> Finding | None:
    module = facts.packages.jwt_module
    if module == "pyjwt" or not facts.packages.python:
        return None
    seen = "`import jwt` fails" if module == "none" else "`import jwt` gives a module that is not PyJWT"
    return Finding("api-pyjwt-missing", "proof", ("packages.jwt_module",), seen)


@_rule
def no_cryptography(facts: Facts) -> Finding | None:
    """Strong without a key set: the API may be meant to use a shared secret."""
    packages, keys = facts.packages, facts.keys
    if packages.jwt_module != "pyjwt" or packages.public_keys:
        return None
    seen = "PyJWT has no cryptography, so it reads no public key"
    if any(key.kty in ("EC", "RSA", "OKP") for key in keys.all):
        return Finding(
            "api-no-cryptography", "proof", ("packages.public_keys", "keys.algorithms"), f"{seen}; the set has only such keys"
        )
    if facts.token is not None and facts.token.alg and not facts.token.alg.startswith("HS") and facts.token.form == "jwt":
        return Finding("api-no-cryptography", "proof", ("packages.public_keys", "token.alg"), f"{seen}; the token needs one")
    algorithms = facts.expected.algorithm_list
    if algorithms and all(name.startswith("HS") for name in algorithms):
        return None
    return Finding("api-no-cryptography", "strong", ("packages.public_keys",), seen)


@_rule
def requirements(facts: Facts) -> Finding | None:
    """Strong where it is missing as well, else a hint: another package may bring it."""
    if not facts.source.pyjwt_alone:
        return None
    certainty: Certainty = "hint" if facts.packages.public_keys else "strong"
    return Finding(
        "api-no-cryptography",
        certainty,
        ("source.pyjwt_alone",),
        "a requirement file asks for pyjwt without [crypto] and no cryptography",
    )


# ── the way to the key set ──


@_rule
def cannot_fetch(facts: Facts) -> Finding | None:
    """Strong: the service may be down for everybody."""
    keys, answer = facts.keys, facts.keys.answer
    if answer is None or answer.failure in (None, "no-network"):
        return None
    evidence = ["keys.answer.failure"]
    seen = {
        "dns": "the name of the key set's host is not known here",
        "refused": "nothing listens at the key set's host and port",
        "timeout": "the key set does not come in time",
        "tls": "the certificate of the key set's host does not verify by this interpreter's CA bundle",
        "connection": "the connection to the key set's host breaks",
        "not-a-url": "the key set's URL is none",
    }[str(answer.failure)]
    if _is_set(keys.without_proxy):
        evidence += ["keys.proxy", "keys.without_proxy.is_key_set"]
        seen += f"; without the proxy ({keys.proxy}) it comes"
    if _is_set(keys.with_certifi):
        evidence += ["keys.with_certifi.is_key_set"]
        seen += "; with the bundle of certifi it does"
    if keys.ca_file is not None and answer.failure == "tls":
        evidence.append("keys.ca_file")
        seen += f"; the bundle is that of {keys.ca_file}"
    if keys.in_container and keys.is_loopback:
        evidence += ["keys.in_container", "keys.is_loopback"]
        seen += "; in a container, localhost is the container"
    return Finding("api-cannot-fetch-jwks", "strong", tuple(evidence), seen)


@_rule
def protected(facts: Facts) -> Finding | None:
    wall = facts.keys.answer.wall if facts.keys.answer else None
    if wall not in ("vercel", "cloudflare-access", "basic"):
        if facts.keys.answer is None or facts.keys.answer.redirect != "sign-in":
            return None
        return Finding("deployment-protection", "strong", ("keys.answer.redirect",), "the key set's URL leads to a sign-in page")
    return Finding("deployment-protection", "proof", ("keys.answer.wall", "keys.answer.status"), f"the key set is behind {wall}")


@_rule
def challenged(facts: Facts) -> Finding | None:
    keys, answer = facts.keys, facts.keys.answer
    if answer is None or answer.is_key_set or answer.wall in ("vercel", "cloudflare-access", "basic"):
        return None
    if _is_set(keys.as_browser) and answer.status in (401, 403, 406, 503):
        evidence = ("keys.answer.status", "keys.as_browser.is_key_set")
        return Finding("bot-challenge", "proof", evidence, "a browser's user agent gets the key set, the API's own does not")
    if answer.wall == "challenge":
        return Finding("bot-challenge", "proof", ("keys.answer.wall",), "the answer is a challenge for browsers")
    return None


@_rule
def limited(facts: Facts) -> Finding | None:
    if facts.keys.answer is None or facts.keys.answer.status != 429:
        return None
    return Finding("rate-limited", "proof", ("keys.answer.status",), "the key set's URL answers 429 to a first request")


@_rule
def redirected(facts: Facts) -> Finding | None:
    """A client that follows redirects, as PyJWT did once, gets the set all the same."""
    answer = facts.keys.answer
    if answer is None or answer.wall or answer.redirect in (None, "sign-in"):
        return None
    certainty: Certainty = "hint" if facts.keys.usable else "proof"
    seen = f"the key set's URL redirects (another {answer.redirect}), and PyJWKClient follows no redirect"
    return Finding("base-url-redirects", certainty, ("keys.answer.status", "keys.answer.redirect"), seen)


@_rule
def forbidden(facts: Facts) -> Finding | None:
    """Strong: a wall that refuses everybody, or a service that does."""
    answer = facts.keys.answer
    if answer is None or answer.wall or answer.status not in (401, 403, 407) or _is_set(facts.keys.as_browser):
        return None
    return Finding("api-cannot-fetch-jwks", "strong", ("keys.answer.status",), f"the key set's URL answers {answer.status}")


@_rule
def store_down(facts: Facts) -> Finding | None:
    """Strong: a key that cannot be written fails alike."""
    answer, ok = facts.keys.answer, facts.keys.service_ok
    if answer is None or answer.wall or (answer.status or 0) < 500 or _is_set(facts.keys.as_browser):
        return None
    if ok is not None and ok.status == 200 and ok.body == "json":
        evidence = ("keys.answer.status", "keys.service_ok.status")
        return Finding("database-unreachable", "strong", evidence, f"/jwks answers {answer.status} while /ok answers 200")
    return Finding("api-cannot-fetch-jwks", "strong", ("keys.answer.status",), f"the key set's URL answers {answer.status}")


@_rule
def no_plugin(facts: Facts) -> Finding | None:
    keys, answer = facts.keys, facts.keys.answer
    if answer is None or answer.status != 404 or _is_set(keys.usual_place):
        return None
    if keys.service_ok is None or keys.service_ok.status != 200 or keys.service_ok.body != "json":
        return None
    return Finding(
        "jwt-plugin-missing", "proof", ("keys.answer.status", "keys.service_ok.status"), "/jwks is 404 where /ok is 200"
    )


@_rule
def not_json(facts: Facts) -> Finding | None:
    answer = facts.keys.answer
    if answer is None or answer.status is None or answer.is_key_set or answer.wall or no_plugin(facts):
        return None
    if _is_set(facts.keys.usual_place):
        evidence = ("keys.answer.status", "keys.usual_place.is_key_set")
        return Finding("jwks-not-json", "proof", evidence, "the URL has no key set; /api/auth/jwks at the same host has one")
    if 200 <= answer.status < 300 or answer.status in (404, 410):
        also = ("html-instead-of-auth",) if answer.status == 200 and answer.body == "html" else ()
        seen = f"the key set's URL answers {answer.status} with {answer.body}, not with a key set"
        return Finding("jwks-not-json", "proof", ("keys.answer.status", "keys.answer.body"), seen, also)
    return None


@_rule
def empty(facts: Facts) -> Finding | None:
    """Of keys that a PyJWT without cryptography cannot read, `no_cryptography` tells."""
    keys = facts.keys
    if keys.answer is None or not keys.answer.is_key_set:
        return None
    if not keys.all:
        return Finding("jwks-empty", "proof", ("keys.answer.is_key_set",), "the set has no key")
    if facts.packages.public_keys and not keys.usable and keys.client_error is not None:
        return Finding(
            "jwks-empty", "proof", ("keys.client_error",), f"PyJWT can use none of the {len(keys.all)} keys of the set"
        )
    return None


@_rule
def many_keys(facts: Facts) -> Finding | None:
    count = len(facts.keys.all)
    return Finding("jwks-many-keys", "hint", ("keys.count",), f"the set has {count} keys") if count > _MANY_KEYS else None


@_rule
def stale_keys(facts: Facts) -> Finding | None:
    evidence = [
        name
        for name, holds in (
            ("source.cached_forever", bool(facts.source.cached_forever)),
            ("keys.client_keeps_keys", facts.keys.client_keeps_keys),
            ("keys.client_lifespan_s", (facts.keys.client_lifespan_s or 0) > 3600),
            ("api.with_token.status", refuses_good_token(facts) is not None),
        )
        if holds
    ]
    seen = "the API may use keys that it fetched long ago"
    return Finding("api-jwks-cached-stale", "hint", tuple(evidence), seen) if evidence else None


# ── the token ──


@_rule
def prefix_left(facts: Facts) -> Finding | None:
    if facts.token is None or facts.token.form not in ("bearer-prefix", "quoted"):
        return None
    seen = "the token begins with `Bearer `" if facts.token.form == "bearer-prefix" else "the token has quotes around it"
    return Finding("bearer-prefix-left", "proof", ("token.form",), seen)


@_rule
def wrong_token(facts: Facts) -> Finding | None:
    token = facts.token
    if token is None:
        return None
    if token.form in ("session-token", "jwe"):
        what = "a session token" if token.form == "session-token" else "an encrypted cookie cache"
        return Finding("wrong-token-sent", "proof", ("token.form",), f"it has the form of {what}, not of a JWT")
    if token.is_cookie_cache and (token.alg or "").startswith("HS"):
        return Finding("wrong-token-sent", "proof", ("token.is_cookie_cache", "token.alg"), "it is the cookie `session_data`")
    if token.is_id_token and _differs(token, facts.expected.audience):
        # Strong: an access token may have a nonce.
        return Finding(
            "wrong-token-sent", "strong", ("token.is_id_token", "token.aud"), "it is an ID token, for a client and not for an API"
        )
    return None


@_rule
def altered(facts: Facts) -> Finding | None:
    """Strong where the key is known and the signature is wrong: two services may use one `kid`."""
    token = facts.token
    if token is None:
        return None
    if token.form == "unreadable":
        return Finding("token-altered", "strong", ("token.form",), "it has not the form of any token that Better Auth gives out")
    if token.form == "jwt" and token.signature is False and algorithm(facts) is None:
        return Finding(
            "token-altered",
            "strong",
            ("token.key_known", "token.signature"),
            "its signature does not hold by the key that it names",
        )
    return None


@_rule
def algorithm(facts: Facts) -> Finding | None:
    """Strong where the list was read in the source: that code may not be what runs."""
    accepted, setting = facts.expected.algorithm_list, facts.expected.algorithms
    if accepted is None or wrong_token(facts):
        return None
    certainty: Certainty = "proof" if setting.is_certain else "strong"
    token = facts.token
    if token is not None and token.alg is not None:
        if token.alg in accepted:
            return None
        evidence = ("expected.algorithms.value", "expected.algorithms.source", "token.alg")
        return Finding("api-algorithm", certainty, evidence, f"the API accepts {setting.value}, the token is {_text(token.alg)}")
    offered = {key.alg for key in facts.keys.all if key.alg is not None}
    if (
        not offered
        or offered & set(accepted)
        or any(key.kty == "RSA" for key in facts.keys.all if {"RS", "PS"} & {a[:2] for a in accepted})
    ):
        return None
    evidence = ("expected.algorithms.value", "expected.algorithms.source", "keys.algorithms")
    seen = f"the API accepts {setting.value}, the keys are for {', '.join(sorted(offered))}"
    return Finding("api-algorithm", certainty, evidence, seen)


@_rule
def key_unknown(facts: Facts) -> Finding | None:
    token = facts.token
    if token is None or token.key_known is not False or wrong_token(facts) or algorithm(facts):
        return None
    other = _issuer_part(token, facts.expected.issuer) == "host"
    seen = "the set, fetched just now, has no key with the token's kid"
    if token.kid is None:
        seen = "the token has no kid, and PyJWKClient finds no key without"
    evidence = ("token.kid", "token.key_known", "token.iss") if other else ("token.kid", "token.key_known")
    return Finding("kid-not-in-jwks", "proof", evidence, seen, ("issuer-host",) if other else ())


@_rule
def lives_in_1970(facts: Facts) -> Finding | None:
    if facts.token is None or not facts.token.exp_before_iat:
        return None
    return Finding("exp-is-a-date", "proof", ("token.exp_before_iat",), "the token ended before it was issued")


@_rule
def clocks(facts: Facts) -> Finding | None:
    """Proof with a token of the future whose signature holds and a `Date` that agrees; else the clock of a proxy may be off."""
    ahead = facts.keys.answer.clock_ahead_s if facts.keys.answer else None
    token = facts.token
    issued_ahead = token.iat_ahead_s if token is not None and token.signature is not False else None
    by_date = ahead is not None and abs(ahead) > _SKEW_S
    by_token = issued_ahead is not None and issued_ahead > _SKEW_S
    if by_date and by_token and ahead is not None and ahead > 0:
        certainty: Certainty = "proof" if token and token.signature else "strong"
        seen = f"the auth service's clock is {ahead} s ahead of this one, and the token was issued {issued_ahead} s from now"
        return Finding("clock-skew", certainty, ("keys.answer.clock_ahead_s", "token.iat_ahead_s"), seen)
    if by_date:
        seen = f"the auth service's clock is {abs(ahead or 0)} s {'ahead of' if (ahead or 0) > 0 else 'behind'} this one"
        return Finding("clock-skew", "strong", ("keys.answer.clock_ahead_s",), seen)
    if by_token:
        return Finding("clock-skew", "strong", ("token.iat_ahead_s",), f"the token was issued {issued_ahead} s from now")
    return None


@_rule
def no_leeway(facts: Facts) -> Finding | None:
    """Strong: a clock that is off by seconds is the other way to see it."""
    leeway, token = facts.expected.leeway_seconds, facts.token
    ahead = facts.keys.answer.clock_ahead_s if facts.keys.answer else None
    known = "expected.leeway.value"
    if token is not None and token.iat_ahead_s is not None and token.iat_ahead_s > (leeway or 0):
        seen = f"the token was issued {token.iat_ahead_s} s from now by this clock, and the API's leeway is {leeway or 0:g} s"
        certainty: Certainty = "strong" if leeway is not None or token.iat_ahead_s > _DRIFT_S else "hint"
        return Finding("api-leeway", certainty, ("token.iat_ahead_s", *([known] if leeway is not None else [])), seen)
    if leeway is not None and ahead is not None and ahead > max(leeway, _DRIFT_S):
        seen = f"the auth service's clock is {ahead} s ahead of this one, and the API's leeway is {leeway:g} s"
        return Finding("api-leeway", "strong", ("keys.answer.clock_ahead_s", known), seen)
    if leeway == 0 and facts.source.without_leeway:
        return Finding("api-leeway", "hint", ("source.without_leeway",), "jwt.decode is called without leeway=")
    return None


@_rule
def expired(facts: Facts) -> Finding | None:
    """Strong: the file may be older than what the client sends."""
    token = facts.token
    if token is None or token.exp_in_s is None or token.exp_before_iat or token.signature is False:
        return None
    if token.exp_in_s + (facts.expected.leeway_seconds or 0) > 0:
        return None
    return Finding("token-expired-no-refresh", "strong", ("token.exp_in_s",), f"the token ended {-token.exp_in_s} s ago")


# ── issuer and audience ──


@_rule
def issuer_at_api(facts: Facts) -> Finding | None:
    """The API's own value is odd: it has a slash or a path, or is of another scheme or host than the token of its own service."""
    token, setting = facts.token, facts.expected.issuer
    part = _issuer_part(token, setting)
    if token is None or part is None or token.key_known is False or token.is_cookie_cache or not setting.is_certain:
        return None
    if wrong_token(facts) or (part in ("slash", "path") and not _is_plain(token.iss)):
        return None
    also = {"slash": ("issuer-trailing-slash",), "path": ("issuer-path",), "scheme": ("issuer-scheme",), "host": ("issuer-host",)}
    # Strong for a token that is not known to be the service's: it may be of another environment.
    certainty: Certainty = "proof" if token.signature else "strong"
    evidence = ("expected.issuer.value", "expected.issuer.source", "token.iss")
    return Finding("issuer-differs-at-api", certainty, evidence, _issuer_seen(part, setting, token), also.get(part, ()))


@_rule
def issuer_slash(facts: Facts) -> Finding | None:
    return _issuer_of_service(facts, "slash", "issuer-trailing-slash")


@_rule
def issuer_path(facts: Facts) -> Finding | None:
    return _issuer_of_service(facts, "path", "issuer-path")


@_rule
def issuer_scheme(facts: Facts) -> Finding | None:
    return _issuer_of_service(facts, "scheme", "issuer-scheme")


@_rule
def issuer_host(facts: Facts) -> Finding | None:
    return _issuer_of_service(facts, "host", "issuer-host")


def _issuer_of_service(facts: Facts, part: str, cause: str) -> Finding | None:
    """The token's `iss` is odd, or the API's was only supposed."""
    token, setting = facts.token, facts.expected.issuer
    if (
        token is None
        or _issuer_part(token, setting) != part
        or issuer_at_api(facts)
        or token.key_known is False
        or token.is_cookie_cache
    ):
        return None
    certainty: Certainty = "proof" if token.signature and setting.is_certain else "strong" if token.signature else "hint"
    if wrong_token(facts):
        return None
    evidence = ("expected.issuer.value", "expected.issuer.source", "token.iss")
    return Finding(cause, certainty, evidence, _issuer_seen(part, setting, token))


def _issuer_seen(part: str, setting: Setting, token: Token) -> str:
    return (
        f"the API expects {_text(setting.value)} ({setting.source}), the token says {_text(token.iss)}: they differ in the {part}"
    )


@_rule
def audience(facts: Facts) -> Finding | None:
    token, setting = facts.token, facts.expected.audience
    if token is None or token.form != "jwt" or token.is_cookie_cache or token.key_known is False or not _differs(token, setting):
        return None
    if wrong_token(facts):
        return None
    # Supposed, it is a hint: the API may check none, or was told by a variable that is not known here.
    certainty: Certainty = ("proof" if token.signature else "strong") if setting.is_certain else "hint"
    said = ", ".join(_text(one) for one in token.aud) or "none"
    seen = f"the API expects {_text(setting.value)} ({setting.source}), the token is for {said}"
    return Finding("audience-differs", certainty, ("expected.audience.value", "expected.audience.source", "token.aud"), seen)


@_rule
def audience_not_given(facts: Facts) -> Finding | None:
    """Strong: the call may be for other tokens."""
    if not facts.source.without_audience or facts.expected.audience.is_certain:
        return None
    seen = "jwt.decode is called without audience=, which PyJWT refuses where a token has one"
    if facts.token is not None and facts.token.aud:
        return Finding("audience-differs", "strong", ("source.without_audience", "token.aud"), seen)
    return Finding("audience-differs", "hint", ("source.without_audience",), seen)


# ── variables ──


def _variable_rule(cause: str, names: tuple[str, ...], problems: tuple[Problem, ...], certainty: Certainty) -> None:
    def rule(facts: Facts) -> Finding | None:
        bad = [variable for variable in facts.variables if variable.name in names and variable.problem in problems]
        if not bad:
            return None
        certain = certainty
        token = facts.token
        if cause in _URL_CAUSES and token is not None and token.signature:
            # A real token has told whether the issuer is right.
            certain = "hint" if _issuer_part(token, facts.expected.issuer) is None else certain
        if (
            certain != "hint"
            and all(problem in ("trailing-slash", "path") for problem in problems)
            and not _is_better_auth(facts)
        ):
            certain = "hint"
        evidence = tuple(f"variables.{variable.name}" for variable in bad)
        return Finding(cause, certain, evidence, "; ".join(f"{variable.name}: {variable.problem}" for variable in bad))

    rule.__name__ = f"{cause} by {', '.join(problems)}"
    RULES.append(rule)


#: Other issuers than Better Auth end with a slash or have a path. The other explanation of these: the service writes it so,
#: and of a blank variable: the code takes it for missing.
_variable_rule("url-missing", ("BETTER_AUTH_JWKS_URL",), ("missing",), "strong")
_variable_rule("url-missing", (*NAMES["url"], *NAMES["jwks_url"]), ("blank",), "strong")
_variable_rule("api-cannot-fetch-jwks", NAMES["jwks_url"], ("white-space", "quoted", "not-a-url"), "proof")
_variable_rule("trailing-slash-env", NAMES["url"], ("white-space", "quoted", "not-a-url"), "proof")
_variable_rule("issuer-trailing-slash", NAMES["issuer"], ("trailing-slash",), "strong")
_variable_rule("issuer-path", NAMES["issuer"], ("path",), "strong")
_variable_rule("issuer-differs-at-api", NAMES["issuer"], ("white-space", "quoted"), "proof")
_variable_rule("issuer-differs-at-api", NAMES["issuer"], ("blank",), "strong")
_variable_rule("issuer-differs-at-api", NAMES["issuer"], ("not-a-url",), "hint")
_variable_rule("audience-differs", NAMES["audience"], ("white-space", "quoted"), "proof")
_variable_rule("audience-differs", NAMES["audience"], ("blank",), "strong")
_variable_rule("api-algorithm", NAMES["algorithms"], ("white-space", "quoted", "unknown-algorithm"), "proof")
_variable_rule("api-algorithm", NAMES["algorithms"], ("blank",), "strong")
_variable_rule("api-leeway", NAMES["leeway"], ("blank", "white-space", "quoted", "not-a-number"), "hint")
_variable_rule("url-contradiction", NAMES["issuer"], ("other-host", "http"), "strong")
_variable_rule("url-contradiction", (*NAMES["url"], *NAMES["jwks_url"]), ("other-host", "http"), "hint")
_SECRETS: Final = ("BETTER_AUTH_SECRET", "AUTH_SECRET", "JWT_SECRET", "DOORWARD_ASSERTION_SECRET")
_variable_rule("secret-default", _SECRETS, ("default",), "proof")
_variable_rule("secret-quoted", _SECRETS, ("quoted",), "proof")
_variable_rule("secret-whitespace", _SECRETS, ("white-space",), "proof")
_variable_rule("secret-short", _SECRETS, ("blank", "short", "repetitive"), "proof")


@_rule
def more_than_an_origin(facts: Facts) -> Finding | None:
    """A path in BETTER_AUTH_URL is legal; where nothing else says the issuer, an API may compare with just that. Strong: its code
    may take the origin of it."""
    bad = [one.problem for one in facts.variables if one.name in NAMES["url"] and one.problem in ("trailing-slash", "path")]
    if not bad:
        return None
    certainty: Certainty = "hint" if facts.token is not None or facts.expected.issuer.is_certain else "strong"
    seen = "BETTER_AUTH_URL is more than an origin, which `iss` is, and nothing else says the issuer"
    return Finding("trailing-slash-env", certainty, ("variables.BETTER_AUTH_URL",), seen)


# ── the API itself ──


@_rule
def refuses_good_token(facts: Facts) -> Finding | None:
    token, answer = facts.token, facts.api.with_token
    if token is None or answer is None or answer.status not in (401, 403) or not token.signature or token.decode_error:
        return None
    evidence = ("token.signature", "api.with_token.status")
    return Finding("api-refuses-good-token", "strong", evidence, f"the token verifies here, and the API answers {answer.status}")


@_rule
def redirects_away(facts: Facts) -> Finding | None:
    answer = facts.api.with_token or facts.api.without_token
    if answer is None or answer.redirect not in ("http", "host", "slash"):
        return None
    # A slash alone keeps the header in most clients.
    certainty: Certainty = "hint" if answer.redirect == "slash" else "proof"
    return Finding(
        "api-redirect-loses-authorization", certainty, ("api.redirect",), f"the API redirects to another {answer.redirect}"
    )


@_rule
def forbids_nobody(facts: Facts) -> Finding | None:
    answer = facts.api.without_token
    if answer is None or answer.status != 403:
        return None
    return Finding("api-403-not-401", "hint", ("api.without_token.status",), "without a token the API answers 403")


def _is_set(answer: Answer | None) -> bool:
    return answer is not None and answer.is_key_set


def _differs(token: Token, setting: Setting) -> bool:
    return setting.value is not None and setting.value not in token.aud


def _is_better_auth(facts: Facts) -> bool:
    """Whether the key set is where Better Auth has it: other issuers may well end with a slash."""
    url = facts.expected.jwks_url.value
    return url is None or urlsplit(url).path.endswith("/api/auth/jwks")


def _is_plain(value: str | None) -> bool:
    return value is not None and urlsplit(value).path == ""


def _issuer_part(token: Token | None, setting: Setting) -> str | None:
    """In which part the token's `iss` differs from what is expected; ``None`` if it does not, or nobody can say."""
    if token is None or token.form != "jwt" or setting.value is None or token.iss == setting.value:
        return None
    old, new = urlsplit(setting.value), urlsplit(token.iss or "")
    if old.netloc.lower() != new.netloc.lower():
        return "host"
    if old.scheme != new.scheme:
        return "scheme"
    return "slash" if old.path.rstrip("/") == new.path.rstrip("/") else "path"


def _text(value: str | None) -> str:
    """Bounded and on one line; the report removes what looks like an address or a secret."""
    return "nothing" if value is None else repr(value[:120])
