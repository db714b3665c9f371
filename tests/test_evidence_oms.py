"""Model signatures that the reference tool reads, and that hide nothing where it would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import model_signing.hashing
import model_signing.signing
import model_signing.verifying
import pytest

from evidence_world import flip, signer
from shipworthy.evidence import envelope, oms, statement
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.keys import Signer

GIT = frozenset({".git", ".github", ".gitattributes", ".gitignore"})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"weights")
    (folder / "sub-config.json").write_bytes(b"{}")  # sorts before sub/ by characters, after it by parts
    (folder / "sub" / "vocab.txt").write_bytes(b"hello")
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Signer:
    return signer(tmp_path, "release", "ecdsa-p256-sha256")


def theirs(tmp_path: Path) -> model_signing.verifying.Config:
    return model_signing.verifying.Config().use_elliptic_key_verifier(public_key=tmp_path / "release.pub")


def signed_by_them(tmp_path: Path, model: Path, ignore: tuple[str, ...] = ()) -> bytes:
    path = tmp_path / "theirs.sig"
    config = model_signing.signing.Config().use_elliptic_key_signer(private_key=tmp_path / "release")
    if ignore:
        config.set_hashing_config(model_signing.hashing.Config().set_ignored_paths(paths=[model / i for i in ignore]))
    config.sign(model, path)
    return path.read_bytes()


def test_the_reference_tool_verifies_what_we_sign(model: Path, key: Signer, tmp_path: Path) -> None:
    raw, manifest = oms.sign_model(model, key, signature_name="model.sig")
    (model / "model.sig").write_bytes(raw)
    theirs(tmp_path).verify(model, model / "model.sig")
    result = oms.verify_model(model, raw, [key.public_key()], allow_left_out=frozenset({"model.sig"}))
    assert result.ok
    assert result.left_out == ("model.sig",)
    assert [entry.digest for entry in manifest.files] == [
        entry.digest for entry in result.manifest.files if entry.path != "model.sig"
    ]
    flip(model / "weights.bin")
    with pytest.raises(ValueError, match=r"weights\.bin"):
        theirs(tmp_path).verify(model, model / "model.sig")


def test_we_verify_what_the_reference_tool_signs(model: Path, key: Signer, tmp_path: Path) -> None:
    raw = signed_by_them(tmp_path, model)
    assert oms.verify_model(model, raw, [key.public_key()], allow_left_out=GIT).ok


def test_a_model_of_one_file_is_understood_both_ways(key: Signer, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    assert oms.verify_model(file, signed_by_them(tmp_path, file), [key.public_key()], allow_left_out=GIT).ok
    raw, _ = oms.sign_model(file, key)
    (tmp_path / "ours.sig").write_bytes(raw)
    theirs(tmp_path).verify(file, tmp_path / "ours.sig")
    flip(file)
    result = oms.verify_model(file, raw, [key.public_key()])
    assert [difference.what for difference in result.differences] == ["changed"]


def test_git_files_are_signed_and_the_reference_tool_can_be_told_so(model: Path, key: Signer, tmp_path: Path) -> None:
    (model / ".gitattributes").write_bytes(b"*.bin lfs\n")
    raw, _ = oms.sign_model(model, key)
    (tmp_path / "ours.sig").write_bytes(raw)
    hashing = model_signing.hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)
    theirs(tmp_path).set_hashing_config(hashing).verify(model, tmp_path / "ours.sig")
    flip(model / ".gitattributes")
    assert not oms.verify_model(model, raw, [key.public_key()]).ok


def test_a_signature_that_leaves_out_more_than_we_allow_is_refused(model: Path, key: Signer, tmp_path: Path) -> None:
    raw = signed_by_them(tmp_path, model)
    with pytest.raises(RefusedError, match=r"leaves out more.*\.git") as caught:
        oms.verify_model(model, raw, [key.public_key()])
    assert caught.value.failure is Failure.POLICY


def test_code_hidden_under_an_ignored_name_is_named(model: Path, key: Signer, tmp_path: Path) -> None:
    raw = signed_by_them(tmp_path, model)
    (model / ".git").mkdir()
    (model / ".git" / "evil.py").write_bytes(b"import os")
    theirs(tmp_path).verify(model, tmp_path / "theirs.sig")  # the reference tool says nothing of it
    result = oms.verify_model(model, raw, [key.public_key()], allow_left_out=GIT)
    assert result.left_out == (".git/evil.py",)


def test_every_difference_is_named(model: Path, key: Signer) -> None:
    raw, _ = oms.sign_model(model, key)
    flip(model / "weights.bin")
    (model / "sub" / "vocab.txt").rename(model / "vocab.txt")
    result = oms.verify_model(model, raw, [key.public_key()])
    assert [(d.what, d.path) for d in result.differences] == [
        ("missing", "sub/vocab.txt"),
        ("extra", "vocab.txt"),
        ("changed", "weights.bin"),
    ]


def test_two_files_that_swapped_their_names_are_found_though_the_root_digest_could_be_kept(
    model: Path, key: Signer
) -> None:
    raw, _ = oms.sign_model(model, key)
    first, second = model / "weights.bin", model / "sub-config.json"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    assert len(oms.verify_model(model, raw, [key.public_key()]).differences) == 2


def test_links_are_never_followed(model: Path, key: Signer, tmp_path: Path) -> None:
    raw, _ = oms.sign_model(model, key)
    outside = tmp_path / "outside"
    (model / "weights.bin").rename(outside)
    (model / "weights.bin").symlink_to(outside)
    with pytest.raises(RefusedError, match="links are not followed"):
        oms.verify_model(model, raw, [key.public_key()])
    with pytest.raises(RefusedError, match="links are not followed"):
        oms.sign_model(model, key)


def test_a_signature_by_another_key_is_refused(model: Path, key: Signer, tmp_path: Path) -> None:
    raw, _ = oms.sign_model(model, key)
    other = signer(tmp_path, "other", "ecdsa-p256-sha256")
    with pytest.raises(RefusedError, match="not trusted"):
        oms.verify_model(model, raw, [other.public_key()])


def test_an_ed25519_key_signs_for_us(model: Path, tmp_path: Path) -> None:
    key = signer(tmp_path, "ed")
    raw, _ = oms.sign_model(model, key)
    assert oms.verify_model(model, raw, [key.public_key()]).ok


def _two_subjects(value: dict) -> None:
    value["subject"] *= 2


def _other_root(value: dict) -> None:
    value["subject"][0]["digest"]["sha256"] = "0" * 64


def _climb(value: dict) -> None:
    value["predicate"]["resources"][0]["name"] = "../weights.bin"


def _twice(value: dict) -> None:
    value["predicate"]["resources"][1] = value["predicate"]["resources"][0]


def _case(value: dict) -> None:
    value["predicate"]["resources"][0]["name"] = "WEIGHTS.bin"


def _blake(value: dict) -> None:
    value["predicate"]["serialization"]["hash_type"] = "blake3"


def _shards(value: dict) -> None:
    value["predicate"]["serialization"]["method"] = "shards"


def _symlinks(value: dict) -> None:
    value["predicate"]["serialization"]["allow_symlinks"] = True


def _ignore_all(value: dict) -> None:
    value["predicate"]["serialization"]["ignore_paths"] = ["."]


def _nothing(value: dict) -> None:
    value["predicate"]["resources"] = []


def _malformed(value: dict) -> None:
    value["predicate"]["resources"][0] = "weights.bin"


def _no_serialization(value: dict) -> None:
    del value["predicate"]["serialization"]


def _other_type(value: dict) -> None:
    value["predicateType"] = statement.SCAN


CHANGES = [
    _two_subjects, _other_root, _climb, _twice, _case, _blake, _shards, _symlinks, _ignore_all, _nothing, _malformed,
    _no_serialization, _other_type,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_signer_who_signs_nonsense_is_refused_all_the_same(
    model: Path, key: Signer, change: Callable[[dict], None]
) -> None:
    raw, _ = oms.sign_model(model, key)
    value = json.loads(envelope.read(raw).payload)
    change(value)
    with pytest.raises(RefusedError):
        oms.verify_model(model, envelope.sign(json.dumps(value).encode(), [key]), [key.public_key()])


def test_an_empty_folder_cannot_be_signed(key: Signer, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedError, match="no file to sign"):
        oms.sign_model(tmp_path / "empty", key)
