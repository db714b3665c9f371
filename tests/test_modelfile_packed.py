"""LZ4, Zstandard and joblib's old ZF files: decoded by our own code, compared with the real compressors."""

from __future__ import annotations

import pickle
import random
import zlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from shipworthy.modelfile import Code, Limits, Verdict, fse, lz4, scan_bytes, zstd
from shipworthy.modelfile.view import View

HONEST = pickle.dumps({"weights": list(range(300)), "name": "x" * 500})
SETTINGS = [("lz4", None), ("zstd", 1), ("zstd", 3), ("zstd", 9), ("zstd", 19)]
TEXTS = st.lists(
    st.sampled_from([b"layer", b"weight", b"bias\n", b"\0\0\0\0", b"\xff\x00", b"conv.", b"1"]), max_size=600
)


def pack(data: bytes, codec: str, level: int | None) -> bytes:
    packer = pa.Codec(codec) if level is None else pa.Codec(codec, compression_level=level)
    return bytes(packer.compress(data, asbytes=True))


def decode(packed: bytes, codec: str) -> tuple[bytes, int]:
    out: list[bytes] = []
    end = (lz4 if codec == "lz4" else zstd).frame(View.of(packed), 0, out.append)
    return b"".join(out), end


def zfile(data: bytes, size: int | None = None) -> bytes:
    head = b"ZF" + hex(len(data) if size is None else size).encode().ljust(19)
    return head + zlib.compress(data)


@pytest.mark.parametrize(("codec", "level"), SETTINGS)
@given(parts=TEXTS, raw=st.binary(max_size=2000), order=st.booleans())
@settings(max_examples=40, deadline=None)
def test_what_the_real_compressor_wrote_is_read_back(
    codec: str, level: int | None, parts: list[bytes], raw: bytes, order: bool
) -> None:
    data = b"".join(parts) + raw if order else raw + b"".join(parts)
    packed = pack(data, codec, level)
    assert decode(packed, codec) == (data, len(packed))


@pytest.mark.parametrize(("codec", "level"), SETTINGS)
def test_blocks_and_windows_of_longer_data(codec: str, level: int | None) -> None:
    source = random.Random(7)
    words = [source.randbytes(source.randrange(1, 12)) for _ in range(400)]
    data = b"".join(source.choices(words, k=60_000)) + bytes(200_000) + source.randbytes(150_000)
    packed = pack(data, codec, level)
    assert decode(packed, codec) == (data, len(packed))


@pytest.mark.parametrize(("codec", "level"), SETTINGS)
def test_the_content_decides(codec: str, level: int | None) -> None:
    assert scan_bytes(pack(HONEST, codec, level)).verdict is Verdict.CLEAN
    evil = scan_bytes(pack(make.EVIL, codec, level))
    assert evil.worst == "critical"
    assert evil.issues[0].where.member == f"{codec} content"


@pytest.mark.parametrize(("codec", "level"), SETTINGS)
def test_a_second_frame_is_read_as_the_loaders_do(codec: str, level: int | None) -> None:
    two = pack(HONEST[:100], codec, level) + b"\x53\x2a\x4d\x18" + b"\x03\0\0\0abc" + pack(HONEST[100:], codec, level)
    assert scan_bytes(two).verdict is Verdict.CLEAN
    assert scan_bytes(b"\x50\x2a\x4d\x18\0\0\0\0" + pack(make.EVIL, codec, level)).worst == "critical"


@pytest.mark.parametrize(("codec", "level"), SETTINGS)
def test_no_shortened_or_extended_file_is_clean(codec: str, level: int | None) -> None:
    packed = pack(HONEST, codec, level)
    for cut in range(len(packed)):
        assert scan_bytes(packed[:cut]).verdict is not Verdict.CLEAN, cut
    behind = scan_bytes(packed + b"more")
    assert {issue.code for issue in behind.issues} == {Code.UNEXPLAINED_BYTES}


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_data_never_raises_and_never_grows(codec: str, data: st.DataObject) -> None:
    packed = bytearray(pack(HONEST, codec, None))
    for _ in range(data.draw(st.integers(1, 8))):
        packed[data.draw(st.integers(4, len(packed) - 1))] = data.draw(st.integers(0, 255))
    report = scan_bytes(bytes(packed), limits=Limits(output=1 << 24))
    assert report.size == len(packed)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_bomb_is_stopped(codec: str) -> None:
    bomb = pack(bytes(64 << 20), codec, None)
    report = scan_bytes(bomb, limits=Limits(ratio_from=1 << 20, ratio=50))
    assert {issue.code for issue in report.issues} == {Code.BOMB}


def test_old_joblib_files() -> None:
    assert scan_bytes(zfile(HONEST)).verdict is Verdict.CLEAN
    assert scan_bytes(zfile(make.EVIL)).worst == "critical"
    assert scan_bytes(zfile(make.EVIL, size=3)).worst == "critical"
    assert scan_bytes(zfile(HONEST, size=3)).verdict is Verdict.FINDING
    assert scan_bytes(zfile(HONEST) + b"x").verdict is Verdict.FINDING
    assert scan_bytes(b"ZF0x" + b"z" * 30).verdict is Verdict.FINDING


def test_a_zstandard_table_of_257_bytes_is_damaged() -> None:
    packed = bytes.fromhex("10e052e9ffffff83de5fc3c637a9dfdd7befbdf7be1b4f055803d6a616")  # 256 weights, and the last
    with pytest.raises(lz4.DamagedError, match="more weights"):
        fse.huffman(bytes([len(packed)]) + packed)
