"""What every page of Shipworthy shares, reports as well as the hub's site: the base of the style sheet, the icons, how
the stage strip is drawn, and foreign text made visible."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from shipworthy.patterns import regex

TEMPLATES = Path(__file__).with_name("templates")
# Control characters, invisible and direction-changing ones, lone surrogates, non-characters, the tag block: what can
# steer a terminal, hide text or is not allowed in XML. Tab and newline are left to the format.
_INVISIBLE = regex(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


@cache
def stylesheet() -> str:
    """The base of every page's style sheet; what a kind of page has besides comes after it."""
    return files("shipworthy.look").joinpath("base.css").read_text(encoding="utf-8")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with every character shown that would not be seen, or would do something, as an escape."""
    return text if text.isascii() and text.isprintable() else _INVISIBLE.sub(_escape, text)
