"""Personal data and secrets in what a service answers."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.guard.runtime.policy import Hit
from shipworthy.patterns import regex

LIMIT = 256 << 10  # bytes of an answer that are looked at together
_TYPES = ("application/json", "text/", "application/problem+json", "application/xml", "application/javascript")
# Forms that are issued by one provider and fit nothing else; what is only named secret is found by its name.
_TOKENS = (
    ("a private key", regex(r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY-----")),
    ("a key of AWS", regex(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])")),
    ("a token of GitHub", regex(r"(?<![A-Za-z0-9_])(?:gh[pousr]_\w{36}|github_pat_\w{82})(?!\w)")),
    ("a token of GitLab", regex(r"(?<![A-Za-z0-9_-])glpat-[A-Za-z0-9_-]{20}(?![A-Za-z0-9_-])")),
    ("a token of Slack", regex(r"(?<![A-Za-z0-9])xox[abprs]-[0-9]{8,14}-[A-Za-z0-9-]{10,80}")),
    ("a key of Google", regex(r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    ("a token of Hugging Face", regex(r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])")),
    ("a key of a language model's provider", regex(r"(?<![\w-])sk-(?:proj-|ant-[a-z0-9]{3,8}-)?[\w-]{40,160}")),
    ("a key of Stripe", regex(r"(?<![A-Za-z0-9_])[rs]k_live_[A-Za-z0-9]{20,99}(?![A-Za-z0-9])")),
)  # fmt: skip
_TRACES = (
    ("a stack trace", regex(r"Traceback \(most recent call last\):|goroutine \d+ \[running\]:"
            r"|\n\s+at [\w$.]{3,100}\([\w.]{1,60}:\d{1,6}\)")),
)  # fmt: skip


_ALL = (*_TOKENS, *_TRACES)
# What each of them has, so that most answers are looked at once for all of them.
_ANY = regex(
    r"-----BEGIN |A(?:KIA|SIA|Iza)|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hf_|sk-|k_live_"
    r"|Traceback \(|goroutine \d|\n\s+at [\w$.]"
)


def readable(content_type: str) -> bool:
    """Whether answers of this type are text."""
    kind = content_type.strip().lower()
    return kind.startswith(_TYPES) or kind.partition(";")[0].endswith("+json")


def examine(body: bytes) -> list[Hit]:
    """What must not be in an answer, at most one hit of each kind."""
    text = body.decode("utf-8", "replace")
    found: dict[str, Hit] = {}
    for hit in _hits(text):
        found.setdefault(hit.detail, hit)
    return list(found.values())


def _hits(text: str) -> Iterator[Hit]:
    for detail, pattern in _ALL if _ANY.search(text) else ():
        if pattern.search(text):
            yield Hit("traces" if detail == "a stack trace" else "secrets", detail, "answer")
    if _PERSONAL.search(text):
        from shipworthy.checks._personal_data import find

        for match in find(text):
            yield Hit("personal", f"personal data: {match.kind}", "answer")
    low = text.lower()
    if any(word in low for word in _NAMES):
        from shipworthy.checks.secrets._patterns import Dialect
        from shipworthy.checks.secrets._patterns import find as named

        for found in named(text, Dialect.CODE):
            if len(found.secret) >= 8:
                yield Hit("secrets", "a value that is named as a secret", "answer")
                return


_PERSONAL = regex(r"@|\d[\d .()-]{7}|[A-Z]{2}\d{2} ?[A-Z0-9]{4}")
_NAMES = ("passw", "secret", "token", "key", "pwd", "credential")
