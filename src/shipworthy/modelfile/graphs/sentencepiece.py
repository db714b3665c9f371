"""Vocabularies: SentencePiece's ModelProto (sentencepiece_model.proto), and the text of tiktoken that Llama 3 has.

A model of SentencePiece holds pieces with scores, how it was trained and how texts are normalized. Nothing of it runs;
`input` of its trainer is a path on the machine where it was made, which nobody opens again.
"""

from __future__ import annotations

from re import Pattern

from shipworthy.modelfile.graphs.tables import Slot, messages
from shipworthy.modelfile.graphs.walk import TruncatedError, Walker, parts
from shipworthy.modelfile.protobuf import BYTES, MAX_VARINT
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

_LONG = 512  # bytes: a piece or a setting of the trainer that is longer may be anything, and is looked into
_TYPES = 6
_RANKS = regex(rb"(?:(?:[A-Za-z0-9+/]{4}){0,400}(?:[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=))? [0-9]{1,7}\r?\n){1,64}+")
_SCORES = regex(rb"(?:[^\t\r\n]{0,512}\t-?[0-9]{1,12}(?:\.[0-9]{1,12})?(?:e-?[0-9]{1,3})?\r?\n){1,64}+")
_NO_TEXTS = ("ModelProto", "SelfTestData")
_FAST = 64 << 20  # bytes


def read(scope: Scope, format_: str) -> int:
    """Walk the vocabulary; returns how many bytes are explained."""
    if scope.role is Role.BLOB:
        return len(scope.view)
    if format_ == "tiktoken":
        return _lines(scope, _RANKS, "token in base64 with its rank")
    if format_ == "sentencepiece-list":
        return _lines(scope, _SCORES, "token with its score")
    return _Reader(scope).read()


class _Walker(Walker):
    """The library skips settings that it does not know; versions that were never published wrote some more numbers and
    short texts, and their files are around.
    """

    def _stray(self, kind: str, number: int, begin: int, end: int, slot: Slot | None) -> None:
        short = end - begin <= MAX_VARINT
        if not short and end - begin <= _LONG:
            short = _is_text(self.view.read(begin, end - begin))
        if kind not in ("TrainerSpec", "NormalizerSpec") or not short:
            super()._stray(kind, number, begin, end, slot)


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.pieces = 0
        self.specs: set[str] = set()

    def read(self) -> int:
        size = len(self.view)
        walker = _Walker(self.scope, messages("sentencepiece"), self.enter)
        self.pieces, at = plain_pieces(self.view, size)
        try:
            walker.run("ModelProto", at)
        except TruncatedError as error:
            message = "the vocabulary is cut short or no valid protobuf message"
            self.scope.issue(Code.BROKEN_STREAM, "medium", message, error.args[0])
            return size
        missing = {"TrainerSpec", "NormalizerSpec"} - self.specs
        if missing or not self.pieces:
            self.scope.unknown(f"the vocabulary has no {', '.join(sorted(missing)) or 'pieces'}")
        return size

    def enter(self, kind: str, low: int, high: int) -> bool:
        """Look at the texts of a message before what lies inside."""
        if kind == "ModelProto.SentencePiece":
            self.pieces += 1
        self.specs.add(kind)
        for number, wire, begin, end, _ in () if kind in _NO_TEXTS else parts(self.view, low, high):
            if wire != BYTES:
                continue
            if kind == "NormalizerSpec" and number == 2:
                self.rules(begin, end)
            elif end - begin > _LONG:
                self.scope.child(f"text at {begin}", self.view.sub(begin, end - begin), Role.BLOB)
            elif not _is_text(self.view.read(begin, end - begin)):
                self.scope.unknown(f"field {number} of a {kind} is no text")
        return True

    def rules(self, low: int, high: int) -> None:
        """`precompiled_charsmap`: the size of a trie of 4-byte units, the trie, texts that each end with a zero."""
        if high == low:
            return
        trie = int.from_bytes(self.view.read(low, 4), "little")
        start = low + 4 + trie
        if high - low < 4 or trie % 4 or start > high:
            self.scope.issue(Code.CONTAINER_TAMPERED, "high", "the rules of the normalizer are not what they say", low)
            return
        texts = self.view.read(start, high - start)
        if not _is_text(texts) or (texts and texts[-1]):
            self.scope.unknown("the rules of the normalizer do not end with texts")
        for part in (self.view.sub(low + 4, trie), self.view.sub(start, high - start)):
            self.scope.child(f"rules at {low}", part, Role.BLOB)


def plain_pieces(view: View, size: int) -> tuple[int, int]:
    """How many pieces at the beginning are as the library writes them (text, score, type), and where they end.

    A vocabulary has up to a million, so these are not walked field by field. `size`: of the message, which may reach
    beyond the view.
    """
    raw = view.read(0, min(size, len(view), _FAST))
    at = count = 0
    while raw[at : at + 1] == b"\x0a" and at + 4 <= len(raw):
        whole, text = raw[at + 1], raw[at + 3]
        end, last = at + 2 + whole, at + 4 + text
        rest = end - last
        if raw[at + 2] != 0x0A or whole >= 0x80 or rest not in (5, 7) or end > len(raw) or raw[last] != 0x15:
            break
        if (rest == 7 and (raw[last + 5] != 0x18 or raw[last + 6] > _TYPES)) or not _is_text(raw[at + 4 : last]):
            break
        at, count = end, count + 1
    return count, at


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(scope: Scope, expected: Pattern[bytes], told: str) -> int:
    """Each line is a token and a number."""
    view = scope.view
    at, size = view.start, view.start + len(view)
    while at < size:
        lines = expected.match(view.buffer, at, size)
        if lines is None:
            break
        at = lines.end()
    if at < size:
        scope.unknown(f"the line at {at - view.start} is no {told}")
    return len(view)
