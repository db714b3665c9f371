"""Characters that people do not see, or that look like others; and the ordinary uses of them.

Sources: Unicode Standard 23.2 (joiners), UTS 51 (emoji sequences), UAX 9 (bidirectional controls), UTS 39
(confusables: only the pairs that are the same glyph in common fonts), "Trojan Source" (Boucher and Anderson, 2021).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Anything that needs a second look; ordinary text in any script has none of these.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_ZERO_WIDTH = frozenset("\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufff9\ufffa\ufffb")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f")
_MARKS = frozenset("\u061c\u200e\u200f")
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
# Arabic, Syriac and their kin, the scripts of India, Khmer, Mongolian and others: joiners are spelling.
_JOINING = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e00-\u109f\u1700-\u18af\u1900-\u1aaf\u1b00-\u1c7f\ua800-\uaaff\ufb50-\ufeff]"
)
# Thai, Lao, Tibetan, Myanmar, Khmer, Tai: a zero-width space marks where a line may break.
_SPACELESS = re.compile("[\u0e00-\u109f\u1780-\u17ff\u1950-\u1aaf\u3040-\u30ff\u3400-\u9fff\uaa00-\uaadf]")
_TAG_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f")

_CYRILLIC_LIKE_LATIN = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0475"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u04ae"
)
_GREEK_LIKE_LATIN = frozenset(
    "\u03bf\u03bd\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_LATIN_LIKE_CYRILLIC = frozenset("aeopcxyijs")
_WORD = re.compile(r"[^\W\d_]{3,64}")
_MIXABLE = re.compile("[\u0370-\u03ff\u0400-\u052f]")


def hidden(text: str) -> Iterator[tuple[str, str]]:
    """What is hidden in a text: pairs of kind and a printable sample. Kinds: `zero-width`, `bidi`, `tags`,
    `variation`, `control`, `homoglyph`. Ordinary uses are not told: emoji sequences, right-to-left text, joiners.
    """
    if text.isascii():
        if _SUSPECT.search(text):
            yield from _characters(text)
        return
    yield from _characters(text)
    if _MIXABLE.search(text):
        for match in _WORD.finditer(text):
            if _mixed(match[0]):
                yield "homoglyph", match[0]


def _characters(text: str) -> Iterator[tuple[str, str]]:
    if "\U000e007f" in text:
        text = _TAG_FLAG.sub("\U0001f3f4", text)  # the flags of England, Scotland, Wales
    rtl: bool | None = None
    for match in _SUSPECT.finditer(text):
        char, at = match[0], match.start()
        before = text[at - 1] if at else ""
        after = text[at + 1] if at + 1 < len(text) else ""
        around = text[max(0, at - 12) : at + 12]
        if "\U000e0000" <= char <= "\U000e007f":
            said = "".join(chr(ord(c) - 0xE0000) for c in text[at : at + 80] if "\U000e0020" <= c <= "\U000e007e")
            yield "tags", f"hidden text: {said}" if said else around
        elif "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
            if not _varies(before, char):
                yield "variation", around
        elif char in _BIDI or char in _MARKS:
            rtl = bool(_RTL.search(text)) if rtl is None else rtl
            if char in "\u202d\u202e" or not rtl:
                yield ("bidi" if char in _BIDI else "zero-width"), around
        elif char in "\u200c\u200d":
            if not _joins(before, after, char):
                yield "zero-width", around
        elif char in _ZERO_WIDTH:
            if not (char == "\u200b" and (_SPACELESS.match(before) or _SPACELESS.match(after))) and not (
                char == "\u180e" and "\u1820" <= before <= "\u18af"
            ):
                yield "zero-width", around
        elif char != "\0":  # NUL is told by dataset-structure
            yield "control", around


def _varies(before: str, char: str) -> bool:
    """Whether a variation selector follows something that has variants: a symbol, a digit of a keycap, an ideograph."""
    if not before:
        return False
    if char >= "\U000e0100":
        return "\u3400" <= before <= "\u9fff" or (before >= "\U00020000" and before < "\U000e0000")
    return before in "0123456789#*" or unicodedata.category(before) in ("So", "Sm", "Sk", "Po", "Pd", "Lo", "Sc")


def _joins(before: str, after: str, char: str) -> bool:
    """Whether a joiner is spelling (Arabic, Indic) or part of an emoji sequence."""
    if _JOINING.match(before) or _JOINING.match(after):
        return True
    if char == "\u200d" and before and after:
        return _emoji(before) and _emoji(after)
    return False


def _emoji(char: str) -> bool:
    return (
        char == "\ufe0f"
        or char == "\u20e3"
        or unicodedata.category(char) == "So"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


def _mixed(word: str) -> bool:
    """Whether a word mixes Latin with letters of another script that look the same."""
    if word.isascii():
        return False
    latin = [c for c in word if c.isascii()]
    cyrillic = [c for c in word if "\u0400" <= c <= "\u052f"]
    greek = [c for c in word if "\u0370" <= c <= "\u03ff"]
    if latin and cyrillic and not greek:
        if _CYRILLIC_LIKE_LATIN.issuperset(cyrillic):
            return True
        # A Cyrillic word with Latin letters inside; not a Latin abbreviation with a Cyrillic ending.
        inside = not word[0].isascii() and not word[-1].isascii()
        return inside and len(cyrillic) > len(latin) and _LATIN_LIKE_CYRILLIC.issuperset(latin)
    return bool(latin and greek and not cyrillic and len(latin) > len(greek) and _GREEK_LIKE_LATIN.issuperset(greek))
