"""A store that keeps what it was given, or says why it could not: after crashes, with a full disk, under many hands."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_world import flip
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.evidence.digest import Entry, Manifest, sha256_bytes
from shipworthy.stores import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store("local:store", tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"w" * 3_000_000)
    (folder / "sub" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "sub" / "run.sh").chmod(0o755)
    return folder


def left_behind(root: Path) -> list[Path]:
    return list((root / "store" / "tmp").iterdir()) if (root / "store" / "tmp").exists() else []


def test_opening_a_store_makes_nothing(store: Store, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    assert store.versions("spam") == ()
    assert store.locate(sha256_bytes(b"x")) is None
    with pytest.raises(UsageError, match="does not have"):
        store.get(sha256_bytes(b"x"))
    with pytest.raises(UsageError, match="does not have spam"):
        store.get_ref("spam")


def test_bytes_come_back_and_lie_read_only_under_their_digest(store: Store, tmp_path: Path) -> None:
    digest = store.put_bytes(b"hello")
    assert digest == sha256_bytes(b"hello") == store.put_bytes(b"hello")
    path = store.get(digest)
    hexadecimal = digest.removeprefix("sha256:")
    assert path == tmp_path / "store" / "blobs" / "sha256" / hexadecimal[:2] / hexadecimal
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert store.read(digest, 5) == b"hello"
    with store.open(digest) as stream:
        assert stream.read() == b"hello"
    with pytest.raises(EvidenceError, match="larger"):
        store.read(digest, 4)
    assert left_behind(tmp_path) == []


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=5000))
def test_whatever_is_put_is_got(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = open_store("store", tmp_path_factory.mktemp("any"))
    assert store.read(store.put_bytes(data), 5000) == data


def test_a_folder_comes_back_as_it_was(store: Store, model: Path, tmp_path: Path) -> None:
    manifest = Manifest.of(model)
    assert store.put_tree(model, manifest) == manifest.digest
    store.get_tree(manifest, tmp_path / "deploy" / "model")
    assert Manifest.of(tmp_path / "deploy" / "model") == manifest
    with pytest.raises(UsageError, match="something already"):
        store.get_tree(manifest, tmp_path / "deploy")


def test_a_folder_that_changed_since_it_was_hashed_is_not_stored(store: Store, model: Path, tmp_path: Path) -> None:
    manifest = Manifest.of(model)
    flip(model / "weights.bin")
    with pytest.raises(EvidenceError, match="changed"):
        store.put_tree(model, manifest)
    assert store.locate(manifest.digest) is None
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "a//b", "."])
def test_a_manifest_cannot_write_outside_of_its_folder(store: Store, tmp_path: Path, name: str) -> None:
    manifest = Manifest((Entry(name, 1, False, store.put_bytes(b"evil")),))
    with pytest.raises(EvidenceError, match="outside"):
        store.get_tree(manifest, tmp_path / "deploy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]


def test_damaged_bytes_are_never_handed_out_or_papered_over(store: Store, model: Path, tmp_path: Path) -> None:
    digest = store.put_bytes(b"hello")
    manifest = Manifest.of(model)
    store.put_tree(model, manifest)
    path = store.get(digest)
    flip(path)
    for use in (store.get, store.open, lambda d: store.read(d, 100), lambda _: store.put_bytes(b"hello")):
        with pytest.raises(EvidenceError, match="damaged") as caught:
            use(digest)
        assert "delete the damaged file" in caught.value.remedy
    weights = next(entry for entry in manifest.entries if entry.path == "weights.bin")
    flip(store.get(weights.digest))
    with pytest.raises(EvidenceError, match="damaged"):
        store.get_tree(manifest, tmp_path / "deploy")
    assert not (tmp_path / "deploy").exists()
    assert not list(tmp_path.glob(".deploy*"))


def test_a_blob_swapped_for_a_link_is_refused(store: Store, tmp_path: Path) -> None:
    digest = store.put_bytes(b"hello")
    path = store.get(digest)
    (tmp_path / "same").write_bytes(b"hello")
    path.unlink()
    path.symlink_to(tmp_path / "same")
    assert store.locate(digest) is None
    with pytest.raises(EvidenceError, match="regular"):
        store.get(digest)


def test_links_and_pipes_are_not_stored(store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(EvidenceError, match="regular"):
            store.put_file(tmp_path / name)
    with pytest.raises(UsageError, match="no such file"):
        store.put_file(tmp_path / "absent")


def test_a_version_is_for_ever_and_latest_moves(store: Store) -> None:
    first = store.put_ref("spam", "1.0.0", b"one")
    assert store.put_ref("spam", "1.0.0", b"one") == first
    store.put_ref("spam", "1.1.0", b"two")
    assert store.get_ref("spam").raw == b"two"
    assert store.get_ref("spam").version == "1.1.0"
    assert store.get_ref("spam", "1.0.0").raw == b"one"
    assert store.versions("spam") == ("1.0.0", "1.1.0")
    with pytest.raises(UsageError, match="stored already") as caught:
        store.put_ref("spam", "1.0.0", b"other")
    assert "new version" in caught.value.remedy
    assert store.get_ref("spam", "1.0.0").raw == b"one"
    with pytest.raises(UsageError, match="does not have spam 9") as caught:
        store.get_ref("spam", "9")
    assert "1.1.0" in caught.value.remedy


def test_latest_notices_a_changed_reference_and_a_damaged_pointer(store: Store, tmp_path: Path) -> None:
    store.put_ref("spam", "1.0.0", b"one")
    folder = tmp_path / "store" / "refs" / "spam"
    flip(folder / "1.0.0.json")
    with pytest.raises(EvidenceError, match="damaged"):
        store.get_ref("spam")
    for rubbish in (b"", b"[]", b'{"version": "../../etc", "digest": 7}', b"[" * 100_000):
        (folder / "latest").write_bytes(rubbish)
        with pytest.raises(EvidenceError, match="pointer"):
            store.get_ref("spam")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "/etc", ".hidden", "Spam", "a\0", "x" * 200, "-f"])
def test_names_that_lead_elsewhere_are_refused(store: Store, tmp_path: Path, name: str) -> None:
    for use in (lambda: store.put_ref(name, "1", b""), lambda: store.get_ref(name), lambda: store.versions(name)):
        with pytest.raises(UsageError):
            use()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["", "..", "../1", "1/2", "latest", ".1", "1\n", "x" * 200])
def test_versions_that_lead_elsewhere_are_refused(store: Store, tmp_path: Path, version: str) -> None:
    with pytest.raises(UsageError):
        store.put_ref("spam", version, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("digest", ["", "abc", "sha256:", "sha256:" + "A" * 64, "sha256:../../../etc/passwd"])
def test_what_is_no_digest_is_refused(store: Store, digest: str) -> None:
    for use in (store.get, store.open, store.locate):
        with pytest.raises(UsageError, match="no digest"):
            use(digest)


@pytest.mark.parametrize("uri", ["s3://bucket/x", "local://host/x", "local:"])
def test_a_store_of_an_unknown_kind_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(uri, tmp_path)
    assert "local:" in caught.value.remedy


def test_a_path_or_a_uri_names_the_same_folder(tmp_path: Path) -> None:
    digest = open_store("store", tmp_path).put_bytes(b"x")
    for uri in ("local:store", "file:store", f"local:{tmp_path}/store", f"file://{tmp_path}/store"):
        assert open_store(uri, tmp_path / "elsewhere" if str(tmp_path) in uri else tmp_path).read(digest, 9) == b"x"


def _put_many(root: Path, number: int) -> None:
    store = open_store("store", root)
    for index in range(20):
        store.put_bytes(b"shared %d" % index * 1000)
        store.put_ref("spam", f"{number}.{index}", b"ref %d.%d" % (number, index))


def test_several_processes_may_write_at_once(store: Store, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_put_many, args=(tmp_path, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert len(store.versions("spam")) == 80
    assert store.get_ref("spam").raw.startswith(b"ref ")
    for index in range(20):
        assert store.read(sha256_bytes(b"shared %d" % index * 1000), 100_000)
    assert left_behind(tmp_path) == []


def test_two_processes_cannot_both_release_one_version(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from shipworthy.stores import open_store\n"
    code += "open_store('store', Path(sys.argv[1])).put_ref('spam', '1', sys.argv[2].encode())"
    argv = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen([*argv, f"ref {i}"], stderr=subprocess.PIPE) for i in range(4)]
    errors = [process.communicate()[1] for process in running]
    assert sorted(process.returncode for process in running) == [0, 1, 1, 1]
    assert sum(b"stored already" in error for error in errors) == 3


def test_a_process_killed_while_it_writes_leaves_no_half_blob(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from shipworthy.stores import local
        store = local.LocalStore(Path(sys.argv[1]) / "store")
        with store._staged() as (stream, temporary):
            stream.write(b"half"); stream.flush()
            print("writing", flush=True)
            time.sleep(60)
    """)
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "store" / "blobs").exists()
    store = open_store("store", tmp_path)
    assert store.read(store.put_bytes(b"half and more"), 100) == b"half and more"


def test_a_full_disk_is_told_and_leaves_nothing(store: Store, model: Path, tmp_path: Path) -> None:
    manifest = Manifest.of(model)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(EnvironmentFailure, match="disk is full") as caught:
            store.put_tree(model, manifest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.remedy
    assert left_behind(tmp_path) == []
    assert store.locate(manifest.digest) is None


def test_a_place_where_no_folder_can_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for uri in ("file", "file/store"):
        store = open_store(f"local:{uri}", tmp_path)
        for write in (lambda s=store: s.put_bytes(b"x"), lambda s=store: s.put_ref("spam", "1", b"x")):
            with pytest.raises(EnvironmentFailure) as caught:
                write()
            assert caught.value.remedy


def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from shipworthy.errors import EnvironmentFailure
        from shipworthy.stores import local, open_store
        if os.geteuid() == 0:
            os.setgid(65534); os.setuid(65534)  # root may write anywhere
        try:
            open_store("store", Path(".")).put_bytes(b"x")
        except EnvironmentFailure as error:
            print(error.message)
    """)
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(0o555)
    tmp_path.chmod(0o755)  # the working folder: what is above it need not be readable
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "the store cannot be written to\n"
