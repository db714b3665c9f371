"""A digest stands for what is really there: nothing is left out, followed, or read while it changes."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.digest import BUFFER, Entry, Manifest, digest_of, sha256_bytes, sha256_file
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.names import check_path, check_paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    (root / "sub" / "empty").mkdir(parents=True)
    (root / "weights.bin").write_bytes(b"w" * 100)
    (root / "sub" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "sub" / "run.sh").chmod(0o755)
    (root / ".gitattributes").write_bytes(b"*.bin lfs\n")
    return root


@pytest.mark.parametrize("size", [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER])
def test_a_file_is_hashed_whole_and_its_progress_is_told(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    pieces: list[int] = []
    assert sha256_file(path, pieces.append) == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert sum(pieces) == size
    assert digest_of(path) == sha256_bytes(data)


def test_a_manifest_lists_everything_hidden_files_and_empty_folders_too(folder: Path) -> None:
    manifest = Manifest.of(folder)
    assert [entry.path for entry in manifest.entries] == [".gitattributes", "sub/empty/", "sub/run.sh", "weights.bin"]
    assert [entry.path for entry in manifest.entries if entry.executable] == ["sub/run.sh"]
    assert manifest.size == 120
    assert digest_of(folder) == manifest.digest == sha256_bytes(manifest.to_bytes())


def test_every_change_of_a_folder_changes_its_digest_and_is_told(folder: Path) -> None:
    before = Manifest.of(folder)
    (folder / "weights.bin").write_bytes(b"v" * 100)
    (folder / "sub" / "run.sh").chmod(0o644)
    (folder / "sub" / "empty").rmdir()
    (folder / "new.py").write_bytes(b"")
    after = Manifest.of(folder)
    assert after.digest != before.digest
    assert [(d.what, d.path) for d in before.differences(after)] == [
        ("extra", "new.py"),
        ("missing", "sub/empty/"),
        ("mode", "sub/run.sh"),
        ("changed", "weights.bin"),
    ]


def test_renaming_alone_changes_the_digest(folder: Path) -> None:
    before = Manifest.of(folder)
    (folder / "weights.bin").rename(folder / "weights2.bin")
    assert Manifest.of(folder).digest != before.digest


def test_what_is_left_out_is_named_in_the_manifest(folder: Path) -> None:
    (folder / "model.sig").write_bytes(b"x")
    without = Manifest.of(folder, leave_out=frozenset({"model.sig"}))
    assert without.left_out == ("model.sig",)
    assert "model.sig" not in [entry.path for entry in without.entries]
    (folder / "model.sig").unlink()
    assert Manifest.of(folder).digest != without.digest


def _link(folder: Path) -> None:
    (folder / "link").symlink_to("weights.bin")


def _linked_folder(folder: Path) -> None:
    (folder / "linked").symlink_to(folder / "sub", target_is_directory=True)


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def _socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))


def _not_utf8(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff"))).write_bytes(b"")


def _newline(folder: Path) -> None:
    (folder / "a\nb").write_bytes(b"")


def _right_to_left(folder: Path) -> None:
    (folder / "gpj.\u202eexe").write_bytes(b"")


def _case(folder: Path) -> None:
    (folder / "WEIGHTS.bin").write_bytes(b"")


def _unicode_form(folder: Path) -> None:
    for form in ("NFC", "NFD"):
        (folder / unicodedata.normalize(form, "é")).write_bytes(b"")


@pytest.mark.parametrize(
    "spoil",
    [_link, _linked_folder, _fifo, _socket, _not_utf8, _newline, _right_to_left, _case, _unicode_form],
)
def test_what_cannot_stand_for_itself_is_refused(folder: Path, spoil: object) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(EvidenceError) as caught:
        Manifest.of(folder)
    assert caught.value.message


def test_links_devices_and_absent_files_are_not_hashed(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="regular file"):
        sha256_file(Path("/dev/null"))
    with pytest.raises(UsageError, match="no such file"):
        sha256_file(tmp_path / "absent")
    with pytest.raises(UsageError, match="no such file"):
        Manifest.of(tmp_path / "absent")
    (tmp_path / "link").symlink_to("/etc/hostname")
    for read in (sha256_file, digest_of, Manifest.of):
        with pytest.raises(RefusedError, match="links are not followed"):
            read(tmp_path / "link")


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x" * (3 * BUFFER))

    def append(_: int) -> None:
        with path.open("ab") as stream:
            stream.write(b"more")

    with pytest.raises(RefusedError, match="changed while it was read"):
        sha256_file(path, append)


def test_a_file_rewritten_in_place_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"x" * (3 * BUFFER))

    def rewrite(_: int) -> None:
        with path.open("r+b") as stream:
            stream.write(b"evil")

    with pytest.raises(RefusedError, match="changed while it was read"):
        Manifest.of(path, progress=rewrite)


def test_folders_that_never_end_are_refused_in_bounded_depth(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(120):
        path = path / "d"
    path.mkdir(parents=True)
    with pytest.raises(RefusedError, match="deeper"):
        Manifest.of(tmp_path)


def test_a_folder_can_be_read_by_several_threads_at_once(folder: Path) -> None:
    digests: list[str] = []
    threads = [threading.Thread(target=lambda: digests.append(digest_of(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 4
    assert len(set(digests)) == 1


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=("Cc", "Cs", "Cf")), min_size=1
)


@given(st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.booleans()), max_size=8))
@settings(max_examples=40)
def test_every_manifest_of_good_names_reads_back_as_it_was(files: list[tuple[str, bool]]) -> None:
    try:
        check_paths(name for name, _ in files)
    except RefusedError:
        return  # collisions and dots: refused when read back as well, see the next test
    entries = sorted(Entry(name, len(name), mode, sha256_bytes(name.encode())) for name, mode in files)
    manifest = Manifest(tuple(entries))
    assert Manifest.parse(manifest.to_bytes()) == manifest


@given(st.data())
@settings(max_examples=200)
def test_a_manifest_with_any_changed_byte_is_refused_or_another_one(data: st.DataObject) -> None:
    manifest = Manifest((Entry("a", 1, False, sha256_bytes(b"a")), Entry("b/", 0, False, "")))
    raw = bytearray(manifest.to_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = Manifest.parse(bytes(raw))
    except RefusedError:
        return
    assert other.digest != manifest.digest


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a//b",
        "a/",
        ".",
        "..",
        "a/../b",
        "./a",
        "a\\b",
        "a\0b",
        "x" * 5000,
        "\ud800",
        "a/con.txt",
        "x ",
        "x./y",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        check_path(name)


@pytest.mark.parametrize("names", [["a", "a"], ["a", "a/b"], ["A/x", "a/y"], ["straße", "STRASSE"], ["é", "e\u0301"]])
def test_names_that_are_one_file_elsewhere_are_refused(names: list[str]) -> None:
    with pytest.raises(RefusedError):
        check_paths(names)


def test_a_manifest_that_is_not_canonical_or_lies_about_names_is_refused() -> None:
    good = Manifest((Entry("a", 1, False, sha256_bytes(b"a")),)).to_bytes()
    for raw in (
        good + b"\n",
        good.replace(b'"a"', b'"../a"'),
        good.replace(b'"size":1', b'"size":true'),
        good.replace(b"sha256:", b"sha512:"),
        b"[]",
        b"{}",
        good.replace(b'"size":1', b'"size":1,"size":1'),
        good.replace(b'"path":"a"', b'"path":7'),
    ):
        with pytest.raises(RefusedError):
            Manifest.parse(raw)
