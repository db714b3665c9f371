"""Orbax' store: nodes and chunks one behind the other, read to the last byte."""

from __future__ import annotations

from pathlib import Path

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes

NUMBERS = bytes(range(100, 180)) * 4
ZARRAY = b'{"chunks":[4],"compressor":{"id":"zstd"},"dtype":"<f4","filters":null,"shape":[4],"zarr_format":2}'


def frame(data: bytes, blocks: int = 1) -> bytes:
    """A frame of Zstandard whose blocks are kept as they are."""
    step = -(-len(data) // blocks)
    parts = [data[at : at + step] for at in range(0, len(data), step)]
    heads = [((len(part) << 3) | (part is parts[-1])).to_bytes(3, "little") for part in parts]
    body = b"".join(head + part for head, part in zip(heads, parts, strict=True))
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + body


def node(body: bytes, magic: bytes = b"\x0c\xdb\x20\xde", packed: bool = True) -> bytes:
    content = bytes((0, packed)) + (frame(body) if packed else body)
    return magic + (16 + len(content)).to_bytes(8, "little") + content + b"sums"


def leaf(place: bytes, key: bytes = b"w/.zarray", value: bytes = ZARRAY) -> bytes:
    """A leaf of one value that it holds itself, and one in another file."""
    files = bytes((1, len(place), 0)) + place
    keys = bytes((2, 0, len(key), 3)) + key + b"w/0"
    return b"\0" + files + keys + bytes((len(value), 80, 0, 1, 0, 0)) + value


def file(place: bytes = b"d/abc", chunk: bytes = NUMBERS, **changes: bytes) -> bytes:
    return frame(chunk, 2) + node(leaf(place, **changes))


def worst(report: Report) -> tuple[str, str]:
    return str(report.issues[0].severity), str(report.issues[0].code)


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_of_chunks_and_nodes_is_clean(packed: bool) -> None:
    report = scan_bytes(frame(NUMBERS) + frame(NUMBERS) + node(leaf(b"d/abc"), packed=packed))
    assert (report.verdict, report.issues, report.unknowns) == (Verdict.CLEAN, (), ())
    assert report.explained == report.size


def test_a_file_of_chunks_alone_is_known_by_its_store(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    place = tmp_path / "d" / "0a1b"
    place.write_bytes(frame(NUMBERS))
    assert scan(place).verdict is Verdict.UNKNOWN
    (tmp_path / "manifest.ocdbt").write_bytes(b"\x0c\xdb\x3a\x2a")
    assert scan(place).verdict is Verdict.CLEAN
    place.write_bytes(frame(make.EVIL, 2))
    assert worst(scan(place)) == ("critical", Code.CODE_EXECUTION)


@pytest.mark.parametrize("place", [b"../../../etc/x", b"/etc/passwd", b"file:///etc/x"])
def test_values_outside_of_the_folder(place: bytes) -> None:
    assert worst(scan_bytes(file(place))) == ("high", Code.PATH_TRAVERSAL)
    assert worst(scan_bytes(node(b"\1\1" + bytes((len(place), 0)) + place + b"\0"))) == ("high", Code.PATH_TRAVERSAL)


def test_what_hides_among_the_numbers() -> None:
    assert worst(scan_bytes(file(chunk=make.EVIL)))[1] == Code.CODE_EXECUTION  # who unpacks it has a pickle
    hidden = frame(NUMBERS) + frame(make.EVIL) + node(leaf(b"d/abc"))
    assert scan_bytes(hidden).verdict is Verdict.FINDING
    halves = frame(make.EVIL[:9]) + frame(make.EVIL[9:]) + node(leaf(b"d/abc"))
    assert scan_bytes(halves).verdict is Verdict.FINDING
    for value in (make.EVIL, frame(make.EVIL)):
        assert scan_bytes(file(key=b"w/1", value=value)).verdict is Verdict.FINDING
    pickled = b'{"chunks":[4],"compressor":{"id":"pickle"},"dtype":"|O","shape":[4],"zarr_format":2}'
    assert worst(scan_bytes(file(value=pickled))) == ("high", Code.CODE_EXECUTION)


def test_what_is_no_node_to_its_end_is_not_clean() -> None:
    for wrong in (
        file() + b"more",
        file()[:-1],
        node(leaf(b"d/abc") + b"more"),
        node(b"\0\1\xff\xff\x7f"),
        node(b"", packed=False),
        node(leaf(b"d/abc")).replace(b"\0\1\x28", b"\1\1\x28"),
        node(b"x" * 20, magic=b"\x0c\xdb\x3a\x2a"),
    ):
        assert scan_bytes(wrong).verdict is not Verdict.CLEAN
