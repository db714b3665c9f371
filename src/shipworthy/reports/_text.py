"""Words for people out of values, and foreign text made visible."""

from __future__ import annotations

from datetime import UTC, datetime

from shipworthy.look import visible as visible
from shipworthy.patterns import regex

_DIGEST = regex(r"(?:[a-z0-9]+:)?([0-9a-f]{12})[0-9a-f]{20,}")


def one_line(text: str, limit: int = 0) -> str:
    """Visible, on one line, and cut to `limit` characters when one is given."""
    line = " ".join(visible(text[: limit * 4] if limit else text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def short(digest: str) -> str:
    """The first 12 hex digits of a digest, or what was given instead of one."""
    match = _DIGEST.fullmatch(digest)
    return match.group(1) if match else one_line(digest, 24)


def plural(count: int, one: str, many: str = "") -> str:
    """`1 finding`, `2,000 findings`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `11 min 42 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int) -> str:
    """Bytes in decimal units: `412 B`, `8.4 MB`."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def moment(when: datetime) -> str:
    """To the minute, in UTC: `2026-11-20 09:14 UTC`. A time without a zone is taken as UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def instant(when: datetime) -> str:
    """RFC 3339, to the second, in UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float) -> str:
    """At most four digits after the point, without trailing zeros."""
    text = f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e9 else f"{value:.4g}"
    return "0" if text == "-0" else text


def title(name: str) -> str:
    """A stage's or check's name as a heading: `before-train` becomes `Before train`."""
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
