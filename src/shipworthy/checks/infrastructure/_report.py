"""What the checks of infrastructure have in common: reading a file, what they see, and how it is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shipworthy.checks.secrets._placeholder import is_placeholder
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity, Skipped
from shipworthy.patterns import regex
from shipworthy.records import dataclass

LIMIT = 4_000_000  # bytes; a larger file is no configuration that a person wrote
MOST = 2_000
_SKIPS = 5
_SECRET_NAME = regex(
    r"(?:^|[_\-.])(?:password|passwd|passphrase|pwd|pass|secret|secrets|token|api[_\-]?key|apikey|private[_\-]?key|"
    r"access[_\-]?key|secret[_\-]?key|auth[_\-]?key|credential|credentials|client[_\-]?secret|connection[_\-]?string)"
    r"(?:$|[_\-.](?:key|value|base64|b64|id)$)",
)
_CAMEL = regex(r"(?<=[a-z0-9])(?=[A-Z])")
_HARMLESS = regex(
    r"(?:^|_)(?:public|max|min|num|ttl|expiry|expiration|length|count|file|path|name|url|policy|limit)(?:_|$)"
)
_SECRET_VALUE = regex(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]{0,30}PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{30}|glpat-[\w-]{20}|xox[abp]-[\w-]{10}|"
    r"AIza[\w-]{35}|sk_live_[A-Za-z0-9]{16}"
)
_LOGIN = regex(r"[a-z][a-z0-9+]{1,20}://[^\s:/@]{1,80}:([^\s:/@]{1,80})@")


@dataclass(frozen=True)
class Hit:
    """A rule that a place breaks. `key` is what identifies it when lines move."""

    rule: Rule
    message: str
    line: int
    key: str
    severity: Severity | None = None
    confidence: Confidence | None = None
    remedy: str = ""


class TooLarge(Exception):
    """More than a check reads."""


def text_of(artifact: Artifact) -> str:
    """The text of a file, UTF-16 by its mark. Raises TooLarge."""
    data = artifact.read_bytes(LIMIT + 1)
    if len(data) > LIMIT:
        raise TooLarge(f"the file is larger than {LIMIT:,} bytes")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").removeprefix("\ufeff")
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def findings(artifact: Artifact, hits: Iterable[Hit]) -> Iterator[Finding | Skipped]:
    """Each hit as a finding, equal ones once."""
    seen: set[tuple[str, int, str]] = set()
    for hit in hits:
        if (hit.rule.id, hit.line, hit.key) in seen:
            continue
        if len(seen) >= MOST:
            yield Skipped(artifact, f"only the first {MOST:,} findings are reported", code="findings-cut")
            return
        seen.add((hit.rule.id, hit.line, hit.key))
        yield hit.rule.at(
            artifact,
            hit.message,
            line=hit.line or None,
            key=hit.key,
            severity=hit.severity,
            confidence=hit.confidence,
            remedy=hit.remedy,
        )


def unread(artifact: Artifact, problems: Iterable[tuple[int, str]], code: str = "") -> Iterator[Skipped]:
    """One Skipped for each part that could not be judged, a few of them with their line."""
    told = list(dict.fromkeys(problems))
    for line, reason in told[:_SKIPS]:
        yield Skipped(artifact, f"line {line}: {reason}" if line else reason, code=code)
    if len(told) > _SKIPS:
        yield Skipped(artifact, f"{len(told) - _SKIPS} more parts could not be judged", code=code)


def shown(value: object, most: int = 80) -> str:
    """A value in one line of a message."""
    text = " ".join(str(value)[: 4 * most].split())
    return text if len(text) <= most else text[: most - 1] + "…"


def secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret, rather than says something of one."""
    low = _CAMEL.sub("_", name[:200]).lower()
    return _SECRET_NAME.search(low) is not None and _HARMLESS.search(low) is None


def secret_value(value: str) -> bool:
    """Whether a value is a secret by its form alone."""
    login = _LOGIN.search(value[:2000])
    return _SECRET_VALUE.search(value[:20_000]) is not None or (login is not None and not refers(login[1]))


def refers(value: str) -> bool:
    """Whether a value says where a secret comes from, or is plainly none."""
    low = value.strip().strip("'\"")
    if not low or low.lower() in ("true", "false", "none", "null", "yes", "no") or low.isdigit():
        return True
    return (
        low.startswith(("$", "{{", "<", "/run/secrets", "/", "vault:", "ref+", "file:", "arn:", "projects/"))
        or "${" in low
    )


def literal_secret(name: str, value: object) -> Confidence | None:
    """How sure it is that a setting holds a secret as it stands; None if it does not."""
    if not isinstance(value, str) or refers(value):
        return None
    if secret_value(value):
        return Confidence.HIGH
    if not secret_name(name):
        return None
    return Confidence.LOW if is_placeholder(value) else Confidence.HIGH
