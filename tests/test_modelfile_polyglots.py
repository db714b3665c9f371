"""Files that are two models at once, and files inside of what no reader of models looks at."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from modelfile_samples import EVIL, PLAIN, npy, safetensors, tarred, torch_zip, zipped
from shipworthy.modelfile import Code, Report, Verdict, View, scan, scan_bytes, sniff
from shipworthy.modelfile.readers import may_hide
from shipworthy.modelfile.sniff import _MAGIC, HIDDEN

ARRAY = {"descr": "|u1", "fortran_order": False}


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def tensor(raw: bytes) -> bytes:
    return safetensors({"w": {"dtype": "U8", "shape": [len(raw)], "data_offsets": [0, len(raw)]}}, raw)


def array(raw: bytes) -> bytes:
    return npy({**ARRAY, "shape": (len(raw),)}, raw)


@pytest.mark.parametrize("wrap", [tensor, array])
def test_raw_numbers_that_end_with_an_archive_are_that_archive_to_other_loaders(wrap: object) -> None:
    assert callable(wrap)
    assert scan_bytes(wrap(bytes(200))).verdict is Verdict.CLEAN
    assert codes(scan_bytes(wrap(torch_zip(EVIL)))) >= {Code.HIDDEN_PAYLOAD, Code.CODE_EXECUTION}
    assert codes(scan_bytes(wrap(torch_zip(PLAIN)))) == {Code.HIDDEN_PAYLOAD}
    assert Code.HIDDEN_PAYLOAD in codes(scan_bytes(wrap(torch_zip(EVIL) + bytes(300))))
    assert scan_bytes(wrap(b"PK\x05\x06" + bytes(18))).verdict is Verdict.CLEAN  # four bytes by chance


def test_a_tar_that_is_a_pickle_or_ends_with_an_archive() -> None:
    assert scan_bytes(tarred(("m.pt", torch_zip(PLAIN)))).verdict is Verdict.CLEAN
    assert Code.CODE_EXECUTION in codes(scan_bytes(tarred(("cos\nsystem\n(S'id'\ntR.", b"x"))))
    archive = torch_zip(EVIL)
    both = tarred(("a.bin", b"x")).rstrip(b"\0").ljust(1536, b"\0") + archive
    assert codes(scan_bytes(both)) >= {Code.CODE_EXECUTION, Code.HIDDEN_PAYLOAD}


def commented(comment: bytes = b"", member: bytes = b"", extra: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("archive/data.pkl")
        info.comment, info.extra = member, extra
        archive.writestr(info, PLAIN)
        archive.writestr("archive/version", b"3\n")
        archive.comment = comment
    return out.getvalue()


def test_raw_numbers_are_looked_at_if_they_begin_like_anything_that_they_could_hide() -> None:
    odd = [*(magic for magic, _ in _MAGIC), b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0", b"\xca\xfe\xba\xbe\0\0\0\2", EVIL]
    odd += [bytes([first]) + b"\x2a\x4d\x18\4" for first in range(256)] + [bytes([0x78, last]) for last in range(256)]
    odd += [bytes([first]) + rest for first in range(256) for rest in (b"", b"0.", b"cos\nsystem\n.", b".", b"\1\2\3.")]
    bare = [start.ljust(257, fill) for fill in (b"\0", b"a", b".", b"\xff") for start in odd]
    for head in (*bare, *(start + b"ustar\0" + bytes(50) for start in bare), *(start + bytes(5000) for start in bare)):
        found = sniff(head, len(head))
        if found in HIDDEN or found == "zlib":
            assert may_hide(View.of(head)), head[:20]
    assert not may_hide(View.of(bytes(4096)))


def test_a_file_in_a_comment_or_an_extra_field_is_hidden() -> None:
    field = b"FB" + struct.pack("<H", len(EVIL)) + EVIL
    for data in (commented(EVIL), commented(member=EVIL), commented(extra=field)):
        assert codes(scan_bytes(data)) >= {Code.HIDDEN_PAYLOAD, Code.CODE_EXECUTION}
    assert Code.HIDDEN_PAYLOAD in codes(scan_bytes(commented(member=zipped(("a", b"b")))))
    padding = b"FB" + struct.pack("<H", 60) + b"Z" * 60
    assert scan_bytes(commented(b"made by hand, on a Monday.", b"first member", padding)).verdict is Verdict.CLEAN


@pytest.mark.parametrize("name", ["archive/data.pkl", "weights.bin"])
def test_an_archive_that_python_runs_is_a_program(name: str) -> None:
    report = scan_bytes(zipped(("__main__.py", b"x = 1\n"), (name, PLAIN)))
    assert (Code.FOREIGN_CONTENT in codes(report), report.worst) == (True, "high")


def test_an_archive_that_replaces_code_beside_it(tmp_path: Path) -> None:
    (tmp_path / "m.tar").write_bytes(tarred(("inference.py", b"x = 1\n")))
    assert codes(scan(tmp_path / "m.tar")) == {Code.REMOTE_CODE}
    (tmp_path / "inference.py").write_bytes(b"x = 1\n")
    assert codes(scan(tmp_path / "m.tar")) == {Code.REMOTE_CODE}
    (tmp_path / "inference.py").write_bytes(b"pass\n")
    assert codes(scan(tmp_path / "m.tar")) == {Code.REMOTE_CODE, Code.PATH_TRAVERSAL}


def test_many_members_that_grow_are_one_bomb() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(bytes(1 << 24)) + packer.flush()
    out, directory = bytearray(), bytearray()
    for number in range(40):
        name = b"%03d" % number
        head = struct.pack("<HHHHIIIHH", 0, 8, 0, 33, zlib.crc32(bytes(1 << 24)), len(body), 1 << 24, len(name), 0)
        directory += b"PK\1\2\x14\0\x14\0" + head + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name
        out += b"PK\3\4\x14\0" + head + name + body
    end = struct.pack("<HHHHIIH", 0, 0, 40, 40, len(directory), len(out), 0)
    data = bytes(out + directory) + b"PK\5\6" + end
    (issue,) = scan_bytes(data).issues
    assert (issue.code, issue.count > 1) == (Code.BOMB, True)


@pytest.mark.parametrize("size", [(1 << 20) + 50, (1 << 20) + 180])
def test_content_a_little_longer_than_a_mebibyte_is_read_to_its_end(size: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("zeros.bin", bytes(size))
    assert scan_bytes(out.getvalue()).issues == ()


@pytest.mark.parametrize("size", [0x280, 0x380, 0x480, 0x580, 0x2E88])
def test_the_length_of_a_header_may_look_like_the_start_of_a_pickle(size: int) -> None:
    for padding in range(size):
        header = json.dumps({"__metadata__": {"a": "x" * (size - padding)}}).encode()
        if len(header) == size:
            report = scan_bytes(struct.pack("<Q", size) + header)
            assert (report.format, report.verdict) == ("safetensors", Verdict.CLEAN), report.issues
            return
    raise AssertionError("no header of that size")
