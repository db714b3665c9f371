"""Vocabularies of SentencePiece and tiktoken: read to the end, and nothing hides in them."""

from __future__ import annotations

import struct

import pytest

import modelfile_samples as make
from format_rows import MODELS
from shipworthy.modelfile import Verdict, View, scan, scan_bytes
from shipworthy.modelfile.protobuf import fields

BPE = (MODELS / "llm" / "bpe.spm").read_bytes()
RANKS = (MODELS / "llm" / "ranks.tiktoken").read_bytes()
FOUND = ("high", "critical")


def piece(text: bytes, more: bytes = b"") -> bytes:
    inside = b"\x0a" + make.varint(len(text)) + text + b"\x15" + struct.pack("<f", -1.5) + more
    return b"\x0a" + make.varint(len(inside)) + inside


def test_a_vocabulary_as_llama_and_t5_have_it() -> None:
    for name in ("unigram", "bpe"):
        report = scan(MODELS / "llm" / f"{name}.spm")
        assert (report.format, report.verdict, report.explained) == ("sentencepiece", Verdict.CLEAN, report.size)
    long = b"".join(piece(f"\u2581{number}".encode()) for number in range(50_000))
    assert scan_bytes(long + BPE).verdict is Verdict.CLEAN
    assert scan_bytes(piece("\u2581".encode() * 60) + BPE).verdict is Verdict.CLEAN  # walked field by field
    rules = struct.pack("<I", 8) + b"\xff" * 8 + "\u00e4\0b\0".encode()
    assert scan_bytes(BPE + make.field(5, b"\x12" + make.varint(len(rules)) + rules)).verdict is Verdict.CLEAN


def test_settings_of_versions_that_were_never_published() -> None:
    """DeBERTa's `spm.model` names a file under a number that is a switch today."""
    settings = make.field(50, "news/seed_pieces.v3.tsv") + make.field(51, 0) + make.field(90, 1)
    view = View.of(BPE)
    start, end = next((item[2], item[3]) for item in fields(view, 0, len(view)) if item and item[0] == 2)
    before, spec, behind = BPE[: BPE.rindex(b"\x12", 0, start)], BPE[start:end], BPE[end:]
    changed = before + make.field(2, spec + settings) + behind
    assert scan_bytes(changed).verdict is Verdict.CLEAN
    hidden = make.zipped(("a.pkl", make.EVIL), ("pad", bytes(600)))
    assert scan_bytes(before + make.field(2, spec + make.field(90, hidden)) + behind).worst in FOUND


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-3],
        lambda raw: raw + b"\0" * 20,
        lambda raw: raw + make.field(2, b"x"),
        lambda raw: raw + make.field(1, make.field(1, "a") + make.field(2, 5)),  # a score of another wire type
        lambda raw: raw + make.field(1, make.field(1, b"\xff\xfe")),
        lambda raw: raw + make.field(200, b"x" * 40),
        lambda raw: raw[: raw.index(b"\x12")],
        lambda raw: raw + make.field(5, make.field(2, struct.pack("<I", 900) + b"abc\0")),
    ],
)
def test_a_vocabulary_that_is_not_whole_is_not_clean(change) -> None:  # type: ignore[no-untyped-def]
    assert scan_bytes(change(BPE)).verdict is not Verdict.CLEAN


@pytest.mark.parametrize("payload", [make.EVIL + bytes(600), make.zipped(("a.pkl", make.EVIL)) + b""])
def test_payloads_in_a_vocabulary_are_found(payload: bytes) -> None:
    long = make.zipped(("a.pkl", make.EVIL), ("pad", bytes(600)))
    assert scan_bytes(piece(long) + BPE).verdict is not Verdict.CLEAN
    for raw in (
        BPE + payload,
        BPE + make.field(5, make.field(2, struct.pack("<I", len(long)) + long)),
        BPE + make.field(5, make.field(6, long)),
    ):
        assert scan_bytes(raw).verdict is not Verdict.CLEAN


def test_ranks_are_read_line_by_line() -> None:
    assert scan_bytes(RANKS).verdict is Verdict.CLEAN
    assert scan_bytes(RANKS.replace(b"\n", b"\r\n")).verdict is Verdict.CLEAN
    many = RANKS + b"".join(b"QUJD %d\n" % rank for rank in range(300, 200_000))
    assert scan_bytes(many).verdict is Verdict.CLEAN
    for wrong in (b"{{ x }}\n", b"QUJD\n", b"QUJD 1 2\n", b"QUJ 1\n", b"QUJD -1\n", b"QUJD 1", b"\0"):
        report = scan_bytes(many + wrong)
        assert (report.format, report.verdict) == ("tiktoken", Verdict.UNKNOWN)
    assert scan_bytes(many + make.EVIL).worst in FOUND


def test_a_list_of_pieces_is_no_xml() -> None:
    pieces = (MODELS / "llm" / "pieces.vocab").read_bytes()
    report = scan_bytes(make.zipped(("spiece.vocab", pieces)))
    assert (report.verdict, report.issues) == (Verdict.CLEAN, ())
    for wrong in (b"<x>\n", b"a\tb\n", b"a\t1", b"<PMML version='4'/>\n"):
        assert scan_bytes(pieces + wrong).verdict is Verdict.UNKNOWN
    assert scan_bytes(b"<PMML>\t0\n<s>\t0\n").format == "xml"


def test_an_empty_map_of_messagepack_is_read() -> None:
    """So spaCy writes tables that nobody filled."""
    report = scan_bytes(b"\x80")
    assert (report.format, report.verdict) == ("msgpack", Verdict.CLEAN)
    assert scan_bytes(b"\x80\x80").verdict is Verdict.UNKNOWN
    assert scan_bytes(b"\x80\x04").verdict is not Verdict.CLEAN
