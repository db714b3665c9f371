"""Texts of a file, made fit to be shown."""

from __future__ import annotations


def shown(text: str, limit: int = 100) -> str:
    """Printable ASCII without quotes, cut at `limit` characters."""
    plain = ascii(text[: limit + 1])[1:-1]
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."
