"""YAML as models have it beside them, read into plain values as PyYAML's safe loader reads it; nothing is built.

Read: block and flow collections, plain, quoted, literal and folded scalars, comments, anchors, aliases, merge keys, one
document. Tags are listed and otherwise passed over. What else there is, and whatever two readers might take differently
(directives, complex keys, a key twice, a tab where it separates), raises UnreadYamlError. Linear in the text's length.
Source: YAML 1.1 (yaml.org/spec/1.1), chapters 5 to 9; scalars: scalars.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from shipworthy.modelfile.collisions import Hashes
from shipworthy.modelfile.yamls.blocks import Reader
from shipworthy.modelfile.yamls.flows import UnfoldingYamlError
from shipworthy.modelfile.yamls.scalars import UnreadYamlError
from shipworthy.patterns import regex
from shipworthy.records import dataclass

__all__ = [
    "Document",
    "UnfoldingYamlError",
    "UnreadYamlError",
    "document",
    "is_plain",
    "python_tags",
    "unescaped",
    "unfolds",
]

_PYTHON = regex(r"python/(object|module|name)\b[/:]?[\w./:]{0,80}")
_PATHS = [f"pathlib.{pure}{kind}Path" for pure in ("", "Pure") for kind in ("", "Posix", "Windows")]
# `%TAG ! tag:yaml.org,2002:python/` lets the tags themselves do without the word.
_DIRECTIVE = regex(r"(?m)^%TAG[^\n]{0,200}python")
# What these make is plain data, whatever they are given: a tag among their arguments is judged by itself.
_PLAIN = frozenset(
    [f"python/object/{how}:{name}" for how in ("apply", "new") for name in ("collections.OrderedDict", *_PATHS)]
    + ["python/object:argparse.Namespace"]
)
# Characters that readers refuse, take for the end of a line or leave out.
_ODD = regex("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)")
_MARKER = regex(r"(?m)^(?:---|\.\.\.)(?=[ \t\n]|\Z)")


@dataclass(frozen=True)
class Document:
    """A value of dicts, lists, texts, numbers, truth values and None, and the tags in the text with their lines. Keys
    are texts, as in JSON: a key that is a number is written out.
    """

    value: Any
    tags: tuple[tuple[str, int], ...] = ()


def python_tags(text: str) -> Iterator[tuple[str, str, int]]:
    """Tags with which loaders other than `yaml.safe_load` build Python objects: their kind, text and line."""
    for number, line in enumerate(text.splitlines(), 1):
        if "!" not in line:
            continue
        shown = unquote(line.partition(" #")[0])
        for found in _PYTHON.finditer(shown) if "!" in shown else ():
            yield found[1], found[0][:100], number
    if _DIRECTIVE.search(unquote(text)):
        yield "directive", "a %TAG directive stands for tags that build Python objects", 0


def is_plain(tag: str) -> bool:
    """Whether such a tag makes an ordered dictionary, a path or a namespace: what it makes runs nothing."""
    return tag in _PLAIN


# What a file of aliases has, read as a text: names are given, and taken up again.
_REFERENCE = regex(r"(?:^|(?<=[ \t\n\[{,:]))([&*])([^\s,\[\]{}]{1,200})")
_FEW, _SURE = 10, 10**9
_WIDE = regex(r"(?<![\w.])[-+]?(?:[1-9][\d_]{18,}|0x[\da-fA-F_]{16,})(?![\w.])")
_DIGITS = 1000  # a longer number is none that a few others could follow
_ESCAPED = regex(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U000[01]([0-9a-fA-F]{4})|\r?\n[ \t]*)")


def unescaped(text: str) -> str:
    """The text with the escapes of quoted YAML undone wherever they stand: to look for words in."""
    return _ESCAPED.sub(lambda found: chr(int(found[1] or found[2] or found[3] or "0", 16)).strip("\0"), text)


def unfolds(text: str) -> str:
    """What is wrong if the aliases of a text grow beyond all measure when they are walked or printed, else nothing."""
    if _collide(text):
        return "hundreds of its numbers have one hash"
    found = _REFERENCE.findall(text) if "*" in text and "&" in text else []
    if sum(kind == "*" for kind, _ in found) < _FEW:
        return ""
    for part in re.split(r"(?m)^---(?=[ \t\n]|\Z)", text):
        try:
            document(part)
        except UnfoldingYamlError as error:
            return str(error)
        except UnreadYamlError:
            if _roughly(_REFERENCE.findall(part)) > _SURE:
                return "aliases unfold without end"
    return ""


def _collide(text: str) -> bool:
    """Whether integers of one hash are among its values, as the keys of a mapping could be."""
    hashes = Hashes()
    for found in _WIDE.finditer(text):
        if len(found[0]) <= _DIGITS and hashes.number(int(found[0].replace("_", ""), 0)):
            return True
    return False


def _roughly(references: list[tuple[str, str]]) -> int:
    """How far the aliases of a text unfold if each belongs to the anchor before it: for what `document` can't read."""
    weights: dict[str, int] = {}
    last = ""
    for kind, name in references:
        if kind == "&":
            last, weights[name] = name, 1
        elif name in weights and last and name != last:
            weights[last] = min(weights[last] + weights[name], 2 * _SURE)
    return max(weights.values(), default=0)


def document(text: str) -> Document:
    """The one document of a text. Raises UnreadYamlError."""
    text = text.removeprefix("\ufeff")
    if odd := _ODD.search(text):
        raise UnreadYamlError(f"the character {ascii(odd.group())[:20]}")
    text = text.replace("\r\n", "\n")
    markers = [match.start() for match in _MARKER.finditer(text)]
    begin, end = 0, len(text)
    if markers and text.startswith("---", markers[0]):
        if not _only_comments(text[: markers[0]]):
            raise UnreadYamlError("more than one document")
        begin = markers.pop(0) + 3
    if markers:
        end = markers.pop(0)
        if not text.startswith("...", end) or not _only_comments(text[end + 3 :]) or markers:
            raise UnreadYamlError("more than one document")
        if _only_comments(text[begin:end]):
            raise UnreadYamlError("an end without a document")
    reader = Reader(text[begin:end].split("\n"), text.count("\n", 0, begin))
    return Document(reader.run(begin > 0), tuple(reader.tags))


def _only_comments(text: str) -> bool:
    return all(not line.strip(" ") or line.lstrip(" ").startswith("#") for line in text.split("\n"))
