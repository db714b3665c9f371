"""What zip and tar loaders read from archives that are clean, the scan has read; where loaders differ, it says so."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import modelfile_samples as make
from fuzz.archives import LOADERS, by_us, difference, sample
from fuzz.tarsources import pax, tar_entry, tar_header
from fuzz.zipsources import Zip, torch_members, zip_bytes
from modelfile_samples import EVIL, PLAIN
from shipworthy.modelfile import Code, Verdict, scan, scan_bytes

HARNESS = Path(__file__).parent / "fuzz" / "archives.py"
HIDDEN = tar_entry(b"hidden.pkl", EVIL)
FIRST = tar_entry(b"first.pkl", PLAIN)


def test_a_short_run_finds_no_difference() -> None:
    run = subprocess.run(
        [sys.executable, HARNESS, "--count", "4000", "--first", "900000000"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert ": 0 differences" in run.stdout


def test_the_harness_notices_what_the_scan_has_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = scan_bytes(PLAIN)
    monkeypatch.setattr("fuzz.archives.by_us", lambda _: (clean, set()))
    assert "reads 'first.pkl'" in difference(FIRST + bytes(1024))
    assert difference(b"no archive") == ""


def test_the_generated_archives_are_not_only_findings() -> None:
    verdicts = [by_us(sample(number))[0].verdict for number in range(300)]
    assert verdicts.count(Verdict.CLEAN) > 30
    assert verdicts.count(Verdict.FINDING) > 30


# In each of these, Python's tarfile reads `hidden.pkl` or what else lies there, and other readers do not.
TARS = {
    "a folder with content": tar_entry(b"d", HIDDEN, b"5"),
    "a folder as it was before there were types": tar_entry(b"d/", HIDDEN, b"\0"),
    "a file named like a folder": tar_entry(b"d/", EVIL),
    "a link with content": tar_entry(b"d", HIDDEN, b"1", link=b"first.pkl"),
    "two sizes for one member": tar_entry(b"h", pax(size="0"), b"x")
    + tar_entry(b"h", pax(size=str(len(HIDDEN))), b"x")
    + tar_header(b"a.pkl", 0)
    + HIDDEN,
    "a size for all members": tar_entry(b"h", pax(size="512"), b"g") + tar_header(b"a.pkl", 0) + EVIL.ljust(512, b"\0"),
    "a size that is no number": tar_entry(b"h", pax(size="1_0"), b"x") + tar_entry(b"a.pkl", PLAIN),
    "a size with a sign": tar_header(b"a.pkl", b"+0000001000\0") + HIDDEN,
    "a name in a prefix that GNU tar does not read": tar_entry(b"a.pkl", PLAIN, magic=b"ustar  \0", prefix=b".."),
    "two names": tar_entry(b"h", pax(path="a.py"), b"x") + tar_entry(b"@", b"a.txt\0", b"L") + tar_entry(b"b", PLAIN),
    "a record that is too long": tar_entry(b"h", b"99 path=a.py\n", b"x") + tar_entry(b"b", PLAIN),
    "a name for no member": tar_entry(b"h", pax(path="a.py"), b"x"),
    "something behind a member's end": FIRST[:-3] + b"abc",
}


@pytest.mark.parametrize("case", TARS)
def test_tars_that_readers_read_differently_are_findings(case: str) -> None:
    report = scan_bytes(FIRST + TARS[case] + bytes(1024))
    assert {Code.CONTAINER_TAMPERED, Code.UNEXPLAINED_BYTES, Code.CODE_EXECUTION} & {i.code for i in report.issues}
    assert report.worst in ("high", "critical") or "behind" in case


@pytest.mark.parametrize("end", [b"", bytes(100), bytes(512), bytes(1023)])
def test_a_tar_without_its_end_was_cut(end: bytes) -> None:
    assert [issue.code for issue in scan_bytes(FIRST + end).issues] == [Code.CONTAINER_TAMPERED]
    assert scan_bytes(FIRST + bytes(1024)).verdict == "clean"
    assert scan_bytes(FIRST + bytes(9216)).verdict == "clean"


@pytest.mark.parametrize("python", [PLAIN, EVIL])
def test_an_archive_with_two_64_bit_directories_is_a_finding(python: bytes) -> None:
    """Python takes the record right before the locator, torch the one that the locator names."""
    source = random.Random(0)
    other = EVIL if python is PLAIN else PLAIN
    decoy, members = torch_members(source, other), torch_members(source, python)
    data = zip_bytes(Zip(members, decoy=decoy, wide=True))
    assert struct.pack("<I", 0x07064B50) in data
    read = {name: read(data) for name, read in LOADERS.items() if name != "tarfile"}
    assert ("m/data.pkl", python) in read["zipfile"]
    assert "torch" not in read or ("data.pkl", other) in read["torch"]
    assert Code.CONTAINER_TAMPERED in {issue.code for issue in scan_bytes(data).issues}
    assert scan_bytes(zip_bytes(Zip(torch_members(source, PLAIN), wide=True))).verdict == "clean"


def test_a_file_that_is_marked_as_a_folder_is_a_finding() -> None:
    """Torch takes its size, and hands out whatever lay in memory."""
    members = torch_members(random.Random(0), PLAIN)
    members[0].external = 0x10
    assert [issue.code for issue in scan_bytes(zip_bytes(Zip(members))).issues] == [Code.CONTAINER_TAMPERED]


def oldest(
    floats: bytes = struct.pack("<3f", 1, 2, 3), count: int = 3, dimensions: int = 1, more: bytes = b""
) -> bytes:
    """What torch wrote before 0.1.10, and still reads: a tar of pickles with raw numbers between them."""
    kept = b"\x80\x02(K\x00X\x03\x00\x00\x00cpu" + make.name("torch", "FloatStorage") + b"t."
    held = b"\x80\x02(K\x01K\x00" + make.name("torch", "FloatTensor") + b"t."
    shape = struct.pack("<iiqqq", dimensions, 0, 3, 1, 0)
    storages = b"\x80\x02K\x01." + kept + struct.pack("<q", count) + floats + b"\x80\x02]." + more
    model = b"\x80\x02" + make.name("collections", "OrderedDict") + b")R(X\x01\x00\x00\x00wK\x01Qu."
    tensors = b"\x80\x02K\x01." + held + shape
    return make.tarred(("storages", storages), ("tensors", tensors), ("pickle", model))


def test_torch_archives_of_the_oldest_kind_are_clean() -> None:
    report = scan_bytes(oldest())
    assert (report.verdict, report.issues, report.unknowns) == (Verdict.CLEAN, (), ())


@pytest.mark.parametrize(
    ("data", "severity"),
    [
        (oldest(more=EVIL), "critical"),
        (oldest(floats=b""), "medium"),
        (oldest(count=1 << 40), "medium"),
        (oldest(count=-1), "medium"),
        (oldest(dimensions=70), "medium"),
        (oldest(floats=struct.pack("<3f", 1, 2, 3) + EVIL), "critical"),
    ],
)
def test_torch_archives_that_are_not_as_torch_writes_them(data: bytes, severity: str) -> None:
    assert scan_bytes(data).worst == severity


def _shards(tmp_path: Path, *pieces: bytes, name: str = "__0_0.distcp") -> set[str]:
    (tmp_path / name).write_bytes(b"".join(pieces))
    return {issue.severity for issue in scan(tmp_path / name).issues}


def test_the_files_of_a_distributed_checkpoint_are_archives_one_behind_the_other(tmp_path: Path) -> None:
    draw = random.Random(4)
    plain, evil = (zip_bytes(Zip(torch_members(draw, content))) for content in (PLAIN, EVIL))
    assert _shards(tmp_path, plain, plain, plain) == set()
    assert scan(tmp_path / "__0_0.distcp").verdict is Verdict.CLEAN
    for pieces in [(evil, plain, plain), (plain, evil, plain), (plain, plain, evil)]:
        assert _shards(tmp_path, *pieces) & {"high", "critical"}
    # what stands between, before or behind them is no part of any
    for pieces in [(plain, EVIL, plain), (EVIL, plain, plain), (plain, plain, EVIL), (plain, evil[:-9], plain)]:
        assert _shards(tmp_path, *pieces) & {"high", "critical"}
    assert "medium" in _shards(tmp_path, plain, b"\1", plain)
    # under another name, a loader of archives sees the last one only
    assert "high" in _shards(tmp_path, plain, plain, name="model.pt")
