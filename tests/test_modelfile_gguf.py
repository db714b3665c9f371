"""GGUF, its predecessors and llamafile: every byte explained, nothing believed that the file says of itself."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes

DATA = Path(__file__).parent / "data" / "models" / "llm"
ESCAPE = "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}"
ARCHITECTURE = ("general.architecture", "llama")


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def tensor(name: str, dims: tuple[int, ...] = (8,), kind: int = 0, offset: int = 0, count: int | None = None) -> bytes:
    shape = b"".join(struct.pack("<Q", size) for size in dims)
    return (
        text(name) + struct.pack("<I", len(dims) if count is None else count) + shape + struct.pack("<IQ", kind, offset)
    )


def gguf(
    *pairs: tuple[str, str | int | bytes], tensors: tuple[bytes, ...] = (), body: bytes = b"", **declared: int
) -> bytes:
    counts = (declared.get("tensors_", len(tensors)), declared.get("pairs_", len(pairs) + 1))
    out = b"GGUF" + struct.pack("<IQQ", 3, *counts)
    for key, value in (ARCHITECTURE, *pairs):
        out += text(key)
        if isinstance(value, bytes):
            out += value
        else:
            out += struct.pack("<II", 4, value) if isinstance(value, int) else struct.pack("<I", 8) + text(value)
    out += b"".join(tensors)
    return out + b"\0" * (-len(out) % 32) + body if body else out


def part(number: int, body: bytes = bytes(32)) -> bytes:
    """Of a model in parts: the gguf package writes the metadata into the first one only."""
    pairs = [(f"split.{key}", struct.pack("<IH", 2, value)) for key, value in (("no", number), ("count", 3))]
    made = gguf(*pairs, tensors=(tensor("w"),), body=body)
    return made.replace(b"general.architecture", b"general.architectura")


HONEST = gguf(("tokenizer.chat_template", "{{ messages }}"), tensors=(tensor("w"),), body=bytes(range(32)))
HOSTILE = {
    "template": (gguf(("tokenizer.chat_template", ESCAPE)), Code.TEMPLATE_ESCAPE),
    "named template": (gguf(("tokenizer.chat_template.tool_use", ESCAPE)), Code.TEMPLATE_ESCAPE),
    "array of templates": (
        gguf(("tokenizer.chat_templates", struct.pack("<IIQ", 9, 8, 1) + text(ESCAPE))),
        Code.TEMPLATE_ESCAPE,
    ),
    "2^40 tensors": (gguf(tensors_=1 << 40), Code.BROKEN_STREAM),
    "2^63 values": (gguf(pairs_=1 << 63), Code.BROKEN_STREAM),
    "1000 dimensions": (gguf(tensors=(tensor("w", count=1000),)), Code.BROKEN_STREAM),
    "product overflows": (gguf(tensors=(tensor("w", (1 << 40, 1 << 40)),), body=bytes(64)), Code.BROKEN_STREAM),
    "beyond the file": (gguf(tensors=(tensor("w", offset=1 << 50),), body=bytes(64)), Code.BROKEN_STREAM),
    "not aligned": (gguf(tensors=(tensor("w", offset=7),), body=bytes(64)), Code.BROKEN_STREAM),
    "unknown type": (gguf(tensors=(tensor("w", kind=4),), body=bytes(64)), Code.BROKEN_STREAM),
    "half a block": (gguf(tensors=(tensor("w", (33,), 2),), body=bytes(64)), Code.BROKEN_STREAM),
    "nested array": (gguf(("a", struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 10_000)), Code.BROKEN_STREAM),
    "huge array": (gguf(("a", struct.pack("<IIQ", 9, 8, 1 << 60))), Code.BROKEN_STREAM),
    "alignment": (gguf(("general.alignment", 12)), Code.BROKEN_STREAM),
    "a key twice": (gguf(("a", 1), ("a", 2)), Code.CONTAINER_TAMPERED),
    "a tensor twice": (gguf(tensors=(tensor("w"), tensor("w", offset=32)), body=bytes(64)), Code.CONTAINER_TAMPERED),
    "overlap": (gguf(tensors=(tensor("v", (16,)), tensor("w", offset=32)), body=bytes(64)), Code.CONTAINER_TAMPERED),
    "hole": (gguf(tensors=(tensor("w", offset=64),), body=bytes(96)), Code.HIDDEN_PAYLOAD),
    "padding that is not zero": (
        gguf(tensors=(tensor("w", (4,)), tensor("v", offset=32)), body=b"x" * 64),
        Code.HIDDEN_PAYLOAD,
    ),
    "tail": (HONEST + bytes(100), Code.HIDDEN_PAYLOAD),
    "program in the metadata": (
        gguf(("a", struct.pack("<IIQ", 9, 0, 100) + b"\x7fELF" + bytes(96))),
        Code.FOREIGN_CONTENT,
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_wrong_is_found(case: str) -> None:
    data, code = HOSTILE[case]
    assert code in codes(scan_bytes(data))


@pytest.mark.parametrize("name", ["little.gguf", "big.gguf"])
def test_files_of_the_real_writer_are_clean_whole_and_never_clean_cut(name: str) -> None:
    data = (DATA / name).read_bytes()
    report = scan(DATA / name)
    assert (report.verdict, report.explained) == (Verdict.CLEAN, len(data))
    for size in range(0, len(data) - 64, 37):
        assert scan_bytes(data[:size]).verdict is not Verdict.CLEAN, size


def test_the_name_of_the_file_decides_nothing_and_a_zip_behind_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(HOSTILE["template"][0])
    assert scan(tmp_path / "model.bin").worst == "high"
    assert scan_bytes(HONEST).verdict is Verdict.CLEAN
    assert Code.CODE_EXECUTION in codes(scan_bytes(HONEST + make.torch_zip(make.EVIL)))


def words(count: int, scores: bool) -> bytes:
    return b"".join(struct.pack("<I", 2) + b"ab" + (struct.pack("<f", 0.5) if scores else b"") for _ in range(count))


def old_tensor(at: int, aligned: bool) -> bytes:
    head = struct.pack("<III", 1, 4, 0) + struct.pack("<I", 8) + b"name"
    pad = -(at + len(head)) % 32 if aligned else 0
    return head + bytes(pad) + bytes(32)


def llama(magic: bytes, layers: int = 1, tensors: int = 12) -> bytes:
    version = b"" if magic == b"lmgg" else struct.pack("<I", 1)
    out = magic + version + struct.pack("<7I", 3, 8, 8, 1, layers, 2, 0) + words(3, magic != b"lmgg")
    for _ in range(tensors):
        out += old_tensor(len(out), magic == b"tjgg")
    return out


@pytest.mark.parametrize("magic", [b"lmgg", b"fmgg", b"tjgg"])
def test_files_from_before_gguf_are_read_to_the_end(magic: bytes) -> None:
    whole = llama(magic)
    assert scan_bytes(whole).format == "ggml"
    assert scan_bytes(whole).verdict is Verdict.CLEAN
    assert codes(scan_bytes(llama(magic, tensors=11))) == {Code.BROKEN_STREAM}
    for size in range(4, len(whole), 11):
        assert scan_bytes(whole[:size]).verdict is not Verdict.CLEAN
    assert scan_bytes(whole + b"more").verdict is Verdict.UNKNOWN


def test_whisper_files_are_read_to_the_end() -> None:
    out = b"lmgg" + struct.pack("<11I", 3, 8, 8, 1, 1, 8, 8, 1, 1, 2, 1) + struct.pack("<II", 2, 3) + bytes(24)
    out += struct.pack("<I", 3) + words(3, False)
    for _ in range(11 + 15 + 24):
        out += old_tensor(len(out), False)
    assert scan_bytes(out).verdict is Verdict.CLEAN
    assert scan_bytes(out[:-44]).verdict is not Verdict.CLEAN


def test_a_llamafile_is_a_program_and_its_archive_is_read() -> None:
    program = b"MZqFpD='\n" + bytes(4096)
    honest = scan_bytes(program + make.zipped(("m.gguf", HONEST)))
    assert honest.format == "ape"
    assert Code.FOREIGN_CONTENT in codes(honest)
    assert "GGUF" in honest.issues[0].message
    assert [member.format for member in honest.members] == ["gguf"]
    hostile = scan_bytes(program + make.zipped(("m.gguf", HOSTILE["template"][0])))
    assert Code.TEMPLATE_ESCAPE in codes(hostile)
    assert codes(scan_bytes(program)) == {Code.FOREIGN_CONTENT}


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"GGUF\3\0\0\0", b"GGUF\0\0\0\3", b"GGUF\1\0\0\0", b"lmgg", b"tjgg", b"MZqFpD="]),
)
def test_any_bytes_end_in_a_verdict(data: bytes, magic: bytes) -> None:
    report = scan_bytes(magic + data)
    assert report.explained <= report.size
    assert report.verdict is not Verdict.CLEAN


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(HONEST) - 1), st.integers(0, 255))
def test_any_changed_byte_ends_in_a_verdict(at: int, value: int) -> None:
    changed = HONEST[:at] + bytes([value]) + HONEST[at + 1 :]
    assert scan_bytes(changed).explained <= len(changed)


def test_a_later_part_of_a_model_is_read_without_an_architecture() -> None:
    assert (scan_bytes(part(1)).verdict, scan_bytes(part(0)).verdict) == (Verdict.CLEAN, Verdict.UNKNOWN)
    assert codes(scan_bytes(part(1, bytes(96)))) == {Code.HIDDEN_PAYLOAD}
    assert codes(scan_bytes(part(1, bytes(8)))) == {Code.BROKEN_STREAM}
    assert scan_bytes(part(1) + make.EVIL).worst == "critical"
