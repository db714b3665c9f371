"""What is named like a secret but is none: templates, examples, words. And how random a value looks."""

from __future__ import annotations

import math
import re
from collections import Counter

# Values that say where the secret comes from instead of being one.
_REFERENCE = re.compile(
    r"[$%]\{|\$\(|\{\{|^\\?\$|^%\w+%|^<|>$|\{\w*\}|%\(|%[sdr]\b"
    r"|environ|getenv|process\.env|secretsmanager|secretkeyref|vault[:/]|^env:|^enc\[|^op://|^ref\+|^file:|/run/secrets"
    r"|^sha(?:1|256|384|512)[-:]|^https?://[^@]*$|^\.{0,2}/|\.(?:json|ya?ml|txt|pem|key|py|js|html?)$",
    re.IGNORECASE,
)
_FAKE = re.compile(
    r"example|change[-_ ]?(?:me|it|this)|your|placeholder|dummy|fake|sample|xxxx|redacted|todo|insert|replace|foobar"
    r"|lorem|not[-_ ]?real|passw(?:or)?d|secret|test|mock|abc123|abcdef|123456|qwerty|letmein|default"
    r"|\*\*\*|\.\.\.|----|____",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Za-z]+(?:[-_. /:][A-Za-z]+)*\d?")  # each letter has one way to match: linear
_DIGESTS = {b"sha256": (43, 64), b"sha384": (64, 96), b"sha512": (86, 128)}
_EXAMPLE_TOKEN = re.compile(rb"EXAMPLE|x{6}|X{6}|\*{4}|0{12}|1234567890", re.ASCII)


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def entropy(value: str) -> float:
    """Shannon entropy in bits per character; 0 for an empty value."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


def classes(value: str) -> int:
    """How many of lower case, upper case, digits and symbols occur; `-`, `_`, `.` join words and are no symbols."""
    return (
        any(c.islower() for c in value)
        + any(c.isupper() for c in value)
        + any(c.isdigit() for c in value)
        + any(not c.isalnum() and c not in "-_." for c in value)
    )


def is_placeholder(value: str) -> bool:
    """True for what no program would accept as the secret itself: a reference, an obvious example, plain words."""
    if len(set(value)) <= 3 or _REFERENCE.search(value) or _FAKE.search(value):
        return True
    return _WORDS.fullmatch(value) is not None


def is_example_token(token: bytes) -> bool:
    """True for tokens that documentation uses as examples: well formed, and obviously nobody's."""
    return len(set(token)) <= 5 or _EXAMPLE_TOKEN.search(token) is not None


def is_checksum(before: bytes, token: bytes) -> bool:
    """True for a digest in base64 or hex right after the name of its algorithm, as in the RECORD of a Python package
    (`sha256=...`) and in lock files (`sha512-...`): of that length, and nothing else."""
    lengths = _DIGESTS.get(before[-7:-1]) if before[-1:] in (b"=", b"-", b":") else None
    return lengths is not None and len(token.rstrip(b"=")) in lengths


def looks_random(value: str) -> bool:
    """Long and mixed enough for a machine to have made it."""
    return len(value) >= 16 and entropy(value) >= 3.0 and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def looks_like_password(value: str) -> bool:
    """Mixed enough for a password that somebody chose with care; plain words are given up for precision."""
    return 6 <= len(value) <= 128 and classes(value) >= 2 and entropy(value) >= 2.0
