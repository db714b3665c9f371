"""Keys that lie elsewhere: in a variable of a CI job, as an OpenSSH key, in an agent. Each signs a model that its
public half verifies, and what is wrong with one is told without a word of the key."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipworthy.cli import main
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.keys import load_public, new_key, open_signer, parse_public

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="openssh-client is not installed")
WORDS = "correct horse"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(bytes(range(256)))
    return tmp_path / "model"


def signs_and_verifies(model: Path, uri: str) -> None:
    """As a person does it: sign with the key, write its public half, verify with that; then with a changed model."""
    signature, public = model.with_name("model.sig"), model.with_name("model.pub")
    assert main(["sign", str(model), "--key", uri, "--output", str(signature), "-q"]) == 0
    assert main(["keys", "public", uri, "--output", str(public)]) == 0
    verify = ["verify", str(model), "--key", str(public), "-C", str(model.parent), "-q"]
    assert main(verify) == 0
    (model / "weights.bin").write_bytes(b"others")
    assert main(verify) == 4


def ssh_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    more = ["-b", "256"] if kind == "ecdsa" else ["-b", "2048"] if kind == "rsa" else []
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, *more, "-N", passphrase, "-C", "somebody", "-f", path],
        check=True,
        capture_output=True,
    )
    return path


# --- a variable


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256-sha256"])
@pytest.mark.parametrize("one_line", [False, True])
def test_a_key_in_a_variable(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str, one_line: bool
) -> None:
    new_key(tmp_path / "k", algorithm)
    text = (tmp_path / "k").read_text()
    monkeypatch.setenv("RELEASE_KEY", text.replace("\n", "\\n") if one_line else text)
    signs_and_verifies(model, "env:RELEASE_KEY")


def test_a_key_in_a_variable_with_a_passphrase(tmp_path: Path) -> None:
    new_key(tmp_path / "k", passphrase=WORDS)
    env = {"KEY": (tmp_path / "k").read_text(), "WORDS": WORDS, "OTHER": "wrong"}
    public = load_public(tmp_path / "k.pub")
    assert open_signer("env:KEY?passphrase-env=WORDS", env=env).public_key() == public
    assert open_signer("env:KEY", env=env, ask=lambda _: WORDS).public_key() == public
    for uri, said in (
        ("env:KEY", "has a passphrase"),
        ("env:KEY?passphrase-env=OTHER", "passphrase is wrong"),
        ("env:KEY?passphrase-env=NONE", "is not set"),
    ):
        with pytest.raises(UsageError, match=said):
            open_signer(uri, env=env)


@pytest.mark.parametrize(
    ("uri", "value", "said"),
    [
        ("env:KEY", None, "empty or not set"),
        ("env:KEY", "  ", "empty or not set"),
        ("env:KEY", "s3cr3t-value", "holds no private key"),
        ("env:KEY", "-----BEGIN PRIVATE KEY-----\ns3cr3t-value\n-----END PRIVATE KEY-----", "damaged"),
        ("env:KEY", "x" * 100_000 + "PRIVATE KEY", "holds no private key"),
        ("env:a b", "x", "no name of a variable"),
        ("env:", "x", "no name of a variable"),
        ("env:KEY?secret=1", "x", "unknown option"),
    ],
)
def test_what_is_no_key_in_a_variable(uri: str, value: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        open_signer(uri, env={} if value is None else {"KEY": value})
    told = f"{caught.value} {caught.value.remedy}"
    assert "s3cr3t" not in told


# --- OpenSSH keys


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_key_of_openssh(tmp_path: Path, model: Path, kind: str) -> None:
    path = ssh_key(tmp_path / "id", kind)
    signs_and_verifies(model, f"ssh:{path}")
    assert load_public(tmp_path / "id.pub") == load_public(tmp_path / "model.pub"), (
        "the line of OpenSSH is the same key"
    )


@needs_ssh
def test_a_key_of_openssh_with_a_passphrase(tmp_path: Path) -> None:
    path = ssh_key(tmp_path / "id", passphrase=WORDS)
    if importlib.util.find_spec("bcrypt") is None:
        with pytest.raises(UsageError, match="needs the package bcrypt") as caught:
            open_signer(f"ssh:{path}?passphrase-env=W", env={"W": WORDS})
        assert "ssh:agent" in caught.value.remedy
        return
    public = load_public(tmp_path / "id.pub")
    assert open_signer(f"ssh:{path}?passphrase-env=W", env={"W": WORDS}).public_key() == public
    with pytest.raises(UsageError, match="passphrase is wrong"):
        open_signer(f"ssh:{path}?passphrase-env=W", env={"W": "wrong"})
    with pytest.raises(UsageError, match="has a passphrase"):
        open_signer(f"ssh:{path}", env={})


@needs_ssh
def test_what_is_no_usable_key_of_openssh(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not supported"):
        open_signer(f"ssh:{ssh_key(tmp_path / 'rsa', 'rsa')}")
    path = ssh_key(tmp_path / "id")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others"):
        open_signer(f"ssh:{path}")
    path.chmod(0o600)
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + b"\n-----END OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(UsageError, match="no key of OpenSSH"):
        open_signer(f"ssh:{path}")
    with pytest.raises(UsageError, match="no such key"):
        open_signer(f"ssh:{tmp_path}/none")
    with pytest.raises(UsageError, match="none of OpenSSH"):
        parse_public(b"ssh-ed25519 AAAA rubbish")


# --- the agent


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("a")
    path = folder / "s"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                if path.exists():
                    break
                threading.Event().wait(0.05)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
            yield folder
        finally:
            process.terminate()


def add(path: Path) -> None:
    subprocess.run(["ssh-add", "-q", path], check=True, capture_output=True, env=dict(os.environ))


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_key_of_the_agent(agent: Path, model: Path, kind: str) -> None:
    add(ssh_key(agent / "id", kind))
    signs_and_verifies(model, "ssh:agent")


@needs_ssh
def test_one_of_several_keys_of_the_agent(agent: Path) -> None:
    for name, kind in (("one", "ed25519"), ("two", "ecdsa"), ("three", "rsa")):
        add(ssh_key(agent / name, kind))
    with pytest.raises(UsageError, match="2 keys that can sign") as caught:
        open_signer("ssh:agent")
    listed = subprocess.run(["ssh-keygen", "-lf", agent / "two.pub"], check=True, capture_output=True, text=True)
    name = listed.stdout.split()[1]
    assert name in caught.value.remedy
    signer = open_signer(f"ssh:agent?key={name}")
    assert signer.public_key() == load_public(agent / "two.pub")
    for _ in range(20):  # numbers of other lengths
        assert signer.public_key().verify(b"message", signer.sign(b"message"))
    with pytest.raises(UsageError, match="no such key"):
        open_signer("ssh:agent?key=SHA256:other")


@needs_ssh
def test_an_agent_without_keys_or_none(agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="0 keys") as caught:
        open_signer("ssh:agent")
    assert "ssh-add" in caught.value.remedy
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent / "none"))
    with pytest.raises(EnvironmentFailure, match="cannot be asked"):
        open_signer("ssh:agent")
    monkeypatch.delenv("SSH_AUTH_SOCK")
    with pytest.raises(UsageError, match="no agent runs here"):
        open_signer("ssh:agent")


LIES = {
    "nothing": b"",
    "too long": b"\x7f\xff\xff\xff",
    "empty": b"\x00\x00\x00\x00",
    "a failure": b"\x00\x00\x00\x01\x05",
    "cut short": b"\x00\x00\x00\x40\x0c\x00\x00\x00\x01",
    "no keys that it counts": b"\x00\x00\x00\x05\x0c\x00\x00\xff\xff",
    "a string that runs out": b"\x00\x00\x00\x0a\x0c\x00\x00\x00\x01\xff\xff\xff\xff\x00",
    "a malformed key": b"\0\0\0\x1c\x0c\0\0\0\x01\0\0\0\x0f\0\0\0\x0bssh-ed25519\0\0\0\0",
}


@pytest.mark.parametrize("lie", LIES)
def test_an_agent_that_lies(tmp_path_factory: pytest.TempPathFactory, lie: str) -> None:
    path = str(tmp_path_factory.mktemp("l") / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def answer() -> None:
            wire, _ = server.accept()
            with wire:
                wire.recv(1024)
                wire.sendall(LIES[lie])

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises((UsageError, EnvironmentFailure)):
            open_signer("ssh:agent", env={"SSH_AUTH_SOCK": path})
        thread.join(5)


@needs_ssh
def test_an_agent_whose_signature_is_another(agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken or hostile agent signs something else: nothing of it is written."""
    from shipworthy.keys import ssh

    add(ssh_key(agent / "id"))
    signer = open_signer("ssh:agent")
    real = ssh._ask
    monkeypatch.setattr(ssh, "_ask", lambda path, request: real(path, request[:-9] + b"x" + request[-8:]))
    with pytest.raises(EnvironmentFailure, match="does not verify"):
        signer.sign(b"a message that is long enough")
