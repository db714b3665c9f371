"""Keys in files: private, never overwritten, never shown."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.keys import ALGORITHMS, load_public, new_key, open_signer, parse_public, schemes

PASSPHRASE = "correct horse battery staple"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_new_key_signs_and_its_public_half_verifies(tmp_path: Path, algorithm: str) -> None:
    public = new_key(tmp_path / "keys" / "release.key", algorithm)
    signer = open_signer(f"file:{tmp_path}/keys/release.key")
    loaded = load_public(tmp_path / "keys" / "release.key.pub")
    assert loaded == public == signer.public_key()
    assert loaded.algorithm == algorithm
    signature = signer.sign(b"message")
    assert loaded.verify(b"message", signature)
    assert not loaded.verify(b"Message", signature)
    assert not loaded.verify(b"message", signature[:-1])
    assert not loaded.verify(b"message", b"")


def test_the_files_are_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    new_key(tmp_path / "release.key")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"release.key": 0o600, "release.key.pub": 0o644}


def test_openssl_reads_the_key_and_agrees_on_its_id(tmp_path: Path) -> None:
    import hashlib

    public = new_key(tmp_path / "k", "ecdsa-p256-sha256")
    der = subprocess.run(
        ["openssl", "pkey", "-in", str(tmp_path / "k"), "-pubout", "-outform", "DER"], capture_output=True, check=True
    ).stdout
    assert public.keyid == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("existing", ["k", "k.pub"])
def test_a_key_is_never_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("precious")
    with pytest.raises(UsageError, match="never overwritten"):
        new_key(tmp_path / "k")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "precious"


def test_a_key_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    for mode in (0o640, 0o604, 0o622):
        (tmp_path / "k").chmod(mode)
        with pytest.raises(UsageError, match="read by others") as caught:
            open_signer(f"file:{tmp_path}/k")
        assert "chmod 600" in caught.value.remedy


def test_a_passphrase_comes_from_a_variable_or_is_asked_for(tmp_path: Path) -> None:
    public = new_key(tmp_path / "k", passphrase=PASSPHRASE)
    assert b"ENCRYPTED" in (tmp_path / "k").read_bytes()
    uri = f"file:{tmp_path}/k"
    assert open_signer(f"{uri}?passphrase-env=PW", env={"PW": PASSPHRASE}).public_key() == public
    asked: list[str] = []

    def ask(name: str) -> str:
        asked.append(name)
        return PASSPHRASE

    assert open_signer(uri, ask=ask).public_key() == public
    assert asked == ["k"]


def test_a_missing_or_wrong_passphrase_is_told_and_never_shown(tmp_path: Path) -> None:
    new_key(tmp_path / "k", passphrase=PASSPHRASE)
    uri = f"file:{tmp_path}/k"
    with pytest.raises(UsageError, match="has a passphrase"):
        open_signer(uri)
    with pytest.raises(UsageError, match="PW"):
        open_signer(f"{uri}?passphrase-env=PW", env={})
    with pytest.raises(UsageError, match="wrong") as caught:
        open_signer(f"{uri}?passphrase-env=PW", env={"PW": "hunter2secret"})
    assert "hunter2secret" not in f"{caught.value!r}{caught.value.remedy}"
    assert caught.value.__cause__ is None


def test_nothing_of_the_private_key_is_shown(tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    shown = repr(open_signer(f"file:{tmp_path}/k"))
    body = (tmp_path / "k").read_text().splitlines()[1]
    assert body[:20] not in shown
    assert "rivate" not in shown


@pytest.mark.parametrize("uri", ["gpg:x", "release.key", "", "../evil:x", "__init__:x", "_public:x", "_private:x"])
def test_an_unknown_provider_is_refused_with_those_that_exist(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_signer(uri)
    assert "file:" in caught.value.remedy
    assert schemes() == ("env", "file", "ssh")


def test_what_is_no_usable_key_is_told_plainly(tmp_path: Path) -> None:
    path = tmp_path / "k"

    def store(data: bytes) -> None:
        path.write_bytes(data)
        path.chmod(0o600)

    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(UsageError, match="no such key"):
        open_signer(f"file:{path}")
    for data in (b"", b"rubbish", b"x" * 100_000, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        store(data)
        with pytest.raises(UsageError):
            open_signer(f"file:{path}")
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        store(key.private_bytes(*pkcs8))
        with pytest.raises(UsageError, match="not supported"):
            open_signer(f"file:{path}")
    with pytest.raises(UsageError, match="regular"):
        open_signer(f"file:{tmp_path}")
    with pytest.raises(UsageError, match="unknown option"):
        open_signer(f"file:{path}?passphrase=secret")
    with pytest.raises(UsageError, match="unknown algorithm"):
        new_key(tmp_path / "new", "rsa")
    with pytest.raises(UsageError, match="empty"):
        new_key(tmp_path / "new", passphrase="")


def test_a_private_key_given_as_the_public_one_is_noticed(tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    with pytest.raises(UsageError, match="private key") as caught:
        load_public(tmp_path / "k")
    assert ".pub" in caught.value.remedy
    with pytest.raises(UsageError, match="no such public key"):
        load_public(tmp_path / "absent.pub")
    with pytest.raises(UsageError, match="no public key"):
        parse_public(b"rubbish")
    (tmp_path / "big").write_bytes(b"x" * 100_000)
    with pytest.raises(UsageError, match="too large"):
        load_public(tmp_path / "big")


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        new_key(tmp_path / "file" / "k")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_mounted_secret_may_be_a_link(tmp_path: Path) -> None:
    new_key(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert open_signer(f"file:{tmp_path}/link").sign(b"x")
