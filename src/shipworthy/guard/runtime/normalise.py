"""The forms that a text can take on its way to what an attack is meant for: decoded, unescaped, folded."""

from __future__ import annotations

import base64
import binascii
import html
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from shipworthy.patterns import regex

ROUNDS = 4  # of decoding what was decoded: more is not seen in services
VIEWS = 256  # forms of one text, and
GROWTH = 24  # how many times as long as the text they may be together; a text of which there are more is told of
_FREE = 64 << 10
_BASE64 = regex(r"[A-Za-z0-9+/_-]{12,}={0,2}")
EMBEDDED = regex(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{24,}+={0,2}(?![A-Za-z0-9+/=_-])")
_ENTITY = regex(r"&[#\w]")
_ESCAPE = regex(r"\\[ux]")
_ESCAPED = regex(r"\\(?:u\{?([0-9A-Fa-f]{4,6})\}?|x([0-9A-Fa-f]{2}))")
_WIDE = regex(r"%u([0-9A-Fa-f]{4})")
_PERCENT = regex(r"%[0-9A-Fa-f]{2}")
# A character of ASCII in more bytes than it needs, which lenient decoders take: 2 to 6 bytes, the last of which may
# even lack its mark. IIS read some code points of the private area as separators of paths.
_OVERLONG = regex(
    rb"[\xc0\xc1][\x20-\x7e\x80-\xbf]|\xe0[\x80-\x81][\x80-\xbf]|\xf0\x80[\x80-\x81][\x80-\xbf]"
    rb"|\xf8\x80\x80[\x80-\x81][\x80-\xbf]|\xfc\x80\x80\x80[\x80-\x81][\x80-\xbf]"
)
_UTF7 = regex(r"\+A[A-Za-z0-9+/]{2,40}-?")
_SEPARATORS = {0xEFC8: "/", 0xF025: "/", 0xC19C: "\\", 0xC0AF: "/"}
_QUOTES = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u02b9": "'",
        "\u02bc": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2032": "'",
        "\u2215": "/",
        "\u2216": "\\",
        "\u2044": "/",
    }
)


class Text:
    """One form of a field's text, with what every detector asks first: `low` is in lower case, `characters` are those
    that there are, `whole` is one word, as paths, addresses and tokens are: not a sentence. `sent` is the form that was
    sent, if this one was made of it."""

    __slots__ = ("characters", "low", "name", "place", "raw", "sent", "whole")

    def __init__(self, raw: str, name: str = "", place: str = "body", sent: str | None = None) -> None:
        self.raw, self.name, self.place = raw, name, place
        self.sent = raw if sent is None else sent
        self.low, self.characters = raw.lower(), frozenset(raw)
        self.whole = not (self.characters & _BLANK) or not frozenset(raw.strip()) & _BLANK


_BLANK = frozenset(" \n")


def views(raw: str) -> tuple[list[str], bool]:
    """The text, then every different form of it: percent-decoded, with entities and escapes resolved, folded
    (compatibility forms, invisible characters), and what base64 holds. Each is at most as long as the text, apart from
    folding. The second is False when there were more forms than are made: those are not looked at.
    """
    if not changes(raw):
        return [raw], True
    found, seen, left = [raw], {raw}, [raw]
    room = max(GROWTH * len(raw), _FREE)
    for depth in range(ROUNDS + 1):
        new = []
        for text in left:
            for form in _forms(text):
                if form in seen:
                    continue
                room -= len(form)
                if len(seen) >= VIEWS or room < 0 or depth == ROUNDS:
                    return found, False
                seen.add(form)
                found.append(form)
                new.append(form)
        left = new
    return found, True


def changes(text: str) -> bool:
    """Whether the text could have another form; False is certain."""
    return marked(text) or (len(text) >= 12 and (alone(text) or EMBEDDED.search(text) is not None))


def marked(text: str) -> bool:
    """Whether something in it is written as something else: other than as base64."""
    if not text.isascii() or "%" in text or "\0" in text or ("+A" in text and _UTF7.search(text) is not None):
        return True
    return ("&" in text and _ENTITY.search(text) is not None) or ("\\" in text and _ESCAPE.search(text) is not None)


def alone(text: str) -> bool:
    """Whether all of it could be base64."""
    return " " not in (stripped := text.strip()) and _BASE64.fullmatch(stripped) is not None


def _forms(text: str) -> Iterator[str]:
    if "%" in text and _PERCENT.search(text):
        yield _percent(text)
    elif "%u" in text and _WIDE.search(text):
        yield _wide(text)
    if "&" in text and (unescaped := html.unescape(text)) != text:
        yield unescaped
    if "+A" in text and _UTF7.search(text) and (read := _seven(text)) != text:
        yield read
    if "\\" in text and _ESCAPED.search(text):
        yield _ESCAPED.sub(_character, text)
    if not text.isascii():
        yield fold(text)
    elif "\0" in text:
        yield text.replace("\0", "")
    if len(text) >= 12:
        yield from _base64(text)


def fold(text: str) -> str:
    """Compatibility forms as what they stand for, without invisible characters; tags spell ASCII (U+E0020…)."""
    if text and max(text) >= "\U000e0020":
        text = "".join(chr(ord(c) - 0xE0000) if 0xE0020 <= ord(c) <= 0xE007E else c for c in text)
    folded = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    unseen = {ord(c): None for c in set(folded) if unicodedata.category(c) == "Cf"}
    return folded.translate(unseen) if unseen else folded


def _percent(text: str) -> str:
    raw = _OVERLONG.sub(_short, unquote_to_bytes(_wide(text)))
    return raw.decode("utf-8", "replace")


def _short(found: object) -> bytes:
    """The character that an overlong form stands for."""
    assert hasattr(found, "group")  # noqa: S101  for the type checker
    *first, last = found.group(0)
    if last < 0x80:
        return bytes((last,))
    return bytes((((first[-1] & 3) << 6 | last & 0x3F) & 0x7F,))


def _seven(text: str) -> str:
    """What is written in UTF-7, if it is marks: words and numbers are meant as they are."""

    def one(found: object) -> str:
        assert hasattr(found, "group")  # noqa: S101  for the type checker
        whole: str = found.group(0)
        try:
            read = whole.encode().decode("utf-7")
        except UnicodeDecodeError:
            return whole
        return read if read.isascii() and not read.isalnum() else whole

    return _UTF7.sub(one, text)


def _wide(text: str) -> str:
    return (
        _WIDE.sub(lambda found: _SEPARATORS.get(number := int(found[1], 16)) or chr(number), text)
        if "%u" in text
        else text
    )


def _character(found: object) -> str:
    assert hasattr(found, "group")  # noqa: S101  for the type checker
    number = int(found.group(1) or found.group(2), 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else "\ufffd"


def _base64(text: str) -> Iterator[str]:
    """What a text, or a part of one, holds as base64: only what is text itself, or begins as a serialised object."""
    stripped = text.strip()
    if " " not in stripped and _BASE64.fullmatch(stripped):
        parts = [stripped]
    elif any(c in text for c in "+/=") or len(text) > 40:
        parts = [found[0] for found in EMBEDDED.finditer(text)]
    else:
        return
    for part in parts:
        if (raw := _decoded(part)) is not None:
            yield raw


def _decoded(part: str) -> str | None:
    part = part.rstrip("=").replace("-", "+").replace("_", "/")
    if len(part) % 4 == 1:
        return None
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if raw[:1] in (b"\x80", b"\xac", b"\x04", b"\x00", b"\x1f"):
        return raw.decode("latin-1")
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in raw)
    return raw.decode("utf-8", "replace") if printable >= 0.95 * len(raw) else None
