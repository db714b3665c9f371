"""The transparency log: its hashes are those of RFC 6962, and nothing is altered, cut or told in two ways unseen."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_world import FILES, World, make, signer
from shipworthy.cli import main
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.keys import Signer, new_key, open_signer
from shipworthy.model.roles import ROLE_OF, ROLES
from shipworthy.tlog import Checkpoint, Log, TamperedError, Verifier, merkle, note, verifier_of
from shipworthy.tlog.checkpoint import open_checkpoint, parse
from shipworthy.tlog.tiles import Tiles, tile_path

# The entries and roots that the reference implementation of Certificate Transparency is tested with.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(entries: list[bytes]) -> bytes:
    """MTH as the RFC writes it down."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + naive(entries[:k]) + naive(entries[k:])).digest()


def subtree_of(entries: list[bytes]) -> merkle.Subtree:
    return lambda level, number: naive(entries[number << level : (number + 1) << level])


def test_the_roots_are_those_of_certificate_transparency() -> None:
    for size, root in enumerate(ROOTS, 1):
        found = merkle.range_hash(subtree_of(ENTRIES), 0, size)
        assert found.hex() == root
        assert naive(ENTRIES[:size]).hex() == root


@given(st.integers(1, 80), st.data())
def test_every_proof_holds_and_no_other_does(size: int, data: st.DataObject) -> None:
    entries = [bytes([number]) for number in range(size)]
    subtree, root = subtree_of(entries), naive(entries)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(subtree, index, size)
    leaf = merkle.leaf_hash(entries[index])
    assert merkle.verify_inclusion(leaf, index, size, proof, root)
    wrong = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else size
    assert not merkle.verify_inclusion(leaf, wrong, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaf, index, size, [*proof, root], root)
    if proof:
        assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], root)
        assert not merkle.verify_inclusion(leaf, index, size, [bytes(32), *proof[1:]], root)
    old = data.draw(st.integers(1, size))
    old_root, path = naive(entries[:old]), merkle.consistency_proof(subtree, old, size)
    assert merkle.verify_consistency(old, old_root, size, root, path)
    assert not merkle.verify_consistency(old, bytes(32), size, root, path)
    assert not merkle.verify_consistency(old, old_root, size, bytes(32), path)
    assert not merkle.verify_consistency(old, old_root, size, root, [*path, root])
    if path:
        assert not merkle.verify_consistency(old, old_root, size, root, path[:-1])


def test_what_cannot_be_proved_is_told() -> None:
    with pytest.raises(ValueError, match="no entry 8"):
        merkle.inclusion_proof(subtree_of(ENTRIES), 8, 8)
    with pytest.raises(ValueError, match="cannot be the beginning"):
        merkle.consistency_proof(subtree_of(ENTRIES), 9, 8)
    assert not merkle.verify_consistency(0, merkle.EMPTY, 8, bytes.fromhex(ROOTS[7]), [])


# --- the log as files


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[Log, Signer, Verifier]:
    new_key(tmp_path / "log.key")
    key = open_signer(f"file:{tmp_path / 'log.key'}")
    log = Log(tmp_path / "log", "example.org/models")
    return log, key, verifier_of(log.origin, key.public_key())


Keyed = tuple[Log, Signer, Verifier]


@pytest.mark.parametrize("steps", [(1,), (255, 1, 1), (256, 256, 1), (300, 300, 100), (1,) * 20, (513, 65_000)])
def test_it_grows_tile_by_tile(keyed: Keyed, steps: tuple[int, ...]) -> None:
    log, key, verifier = keyed
    entries: list[bytes] = []
    kept = []
    for step in steps:
        fresh = [f"entry {len(entries) + number}".encode() for number in range(step)]
        log.add(fresh, key)
        entries += fresh
        kept.append(log.checkpoint(verifier)[0])
    size = len(entries)
    assert [entry.data for entry in log.entries(verifier)] == entries
    assert log.verify(verifier, since=kept).size == size
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    while len(hashes) > 1:  # the root once more, from below
        pairs = [merkle.node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes) - 1, 2)]
        hashes = pairs + ([hashes[-1]] if len(hashes) % 2 else [])
    assert log.checkpoint(verifier)[1].root == hashes[0]
    for index in {0, size // 3, size - 1}:
        assert log.prove(index, verifier).holds(entries[index], verifier).size == size
        with pytest.raises(EvidenceError):
            log.prove(index, verifier).holds(b"another", verifier)


def test_names_of_tiles() -> None:
    root = Path("log")
    assert tile_path(root, "0", 1_234_067) == root / "tile/0/x001/x234/067"
    assert tile_path(root, "entries", 0, 7) == root / "tile/entries/000.p/7"
    assert tile_path(root, "1", 1000, 3) == root / "tile/1/x001/000.p/3"


def test_a_log_that_was_cut(keyed: Keyed) -> None:
    log, key, verifier = keyed
    log.add([b"one"], key)
    early = (log.root / "checkpoint").read_bytes()
    log.add([b"two"], key)
    late = (log.root / "checkpoint").read_bytes()
    (log.root / "checkpoint").write_bytes(early)  # the older one is genuine
    assert log.verify(verifier).size == 1
    with pytest.raises(TamperedError, match="was cut: it had 2 entries and has 1"):
        log.verify(verifier, since=[late])


def test_two_histories(keyed: Keyed, tmp_path: Path) -> None:
    log, key, verifier = keyed
    log.add([b"one", b"two"], key)
    fork = Log(tmp_path / "fork", log.origin)
    fork.add([b"one", b"another", b"three"], key)
    with pytest.raises(TamperedError, match="first 2 entries are not those"):
        fork.verify(verifier, since=[log.checkpoint(verifier)[0]])
    same = Log(tmp_path / "same", log.origin)
    same.add([b"one", b"other"], key)
    with pytest.raises(TamperedError):
        same.verify(verifier, since=[log.checkpoint(verifier)[0]])


@pytest.mark.parametrize("what", ["entries", "0", "1"])
def test_a_changed_file(keyed: Keyed, what: str) -> None:
    log, key, verifier = keyed
    log.add([f"{number}".encode() for number in range(600)], key)
    for path in sorted((log.root / "tile" / what).rglob("*")):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        if what == "1":  # a tile above the leaves: nothing is proved with it, and nothing added to it
            with pytest.raises(EvidenceError):
                log.prove(0, verifier).holds(b"0", verifier)
            with pytest.raises(EvidenceError):
                log.add([b"more"], key)
        else:
            with pytest.raises(EvidenceError):
                log.verify(verifier)
        path.write_bytes(raw[:-1])
        with pytest.raises(EvidenceError):
            log.verify(verifier) if what != "1" else log.add([b"more"], key)
        path.unlink()
        with pytest.raises(EvidenceError, match="gone"):
            log.verify(verifier) if what != "1" else log.add([b"more"], key)
        path.write_bytes(raw)
    assert log.verify(verifier).size == 600


def test_what_is_no_entry_or_no_log(keyed: Keyed, tmp_path: Path) -> None:
    log, key, verifier = keyed
    with pytest.raises(UsageError, match="65535"):
        log.add([b"x" * 65_536], key)
    with pytest.raises(UsageError, match="no log here"):
        log.checkpoint(verifier)
    log.add([b"x" * 65_535, b""], key)
    assert [len(entry.data) for entry in log.entries(verifier)] == [65_535, 0]
    assert log.find(b"", verifier) == 1
    assert log.find(b"y", verifier) is None
    with pytest.raises(UsageError, match="no entry 2"):
        log.prove(2, verifier)
    assert log.add([], key).size == 2
    other = signer(tmp_path, "p256", "ecdsa-p256-sha256")
    with pytest.raises(UsageError, match="Ed25519"):
        log.add([b"z"], other)
    with pytest.raises(UsageError, match="no name of a log"):
        verifier_of("two words", key.public_key())


def test_a_log_is_added_to_by_many_at_once(keyed: Keyed, tmp_path: Path) -> None:
    log, _, verifier = keyed
    code = (
        "import sys\nfrom pathlib import Path\nfrom shipworthy.keys import open_signer\n"
        "from shipworthy.tlog import Log\n"
        "for n in range(5): Log(Path(sys.argv[1]), sys.argv[2]).add([f'{sys.argv[4]} {n}'.encode()],"
        " open_signer('file:' + sys.argv[3]))\n"
    )
    command = [sys.executable, "-c", code, str(log.root), log.origin, str(tmp_path / "log.key")]
    started = [subprocess.Popen([*command, str(number)]) for number in range(4)]
    assert [one.wait() for one in started] == [0] * 4
    assert log.verify(verifier).size == 20
    assert len({entry.data for entry in log.entries(verifier)}) == 20


@pytest.mark.parametrize("left", range(1, 8))
def test_killed_at_every_write(keyed: Keyed, tmp_path: Path, left: int) -> None:
    log, key, verifier = keyed
    log.add([f"{number}".encode() for number in range(255)], key)
    kept = log.checkpoint(verifier)[0]
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom shipworthy.keys import open_signer\n"
        "from shipworthy.tlog import log, tiles\nleft = [int(sys.argv[4])]\nreal = log.write_atomically\n"
        "def dying(path, data, **more):\n"
        "    left[0] -= 1\n"
        "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(path, data, **more)\n"
        "log.write_atomically = tiles.write_atomically = dying\n"
        "log.Log(Path(sys.argv[1]), sys.argv[2]).add([b'a', b'b', b'c'], open_signer('file:' + sys.argv[3]))\n"
    )
    command = [sys.executable, "-c", code, str(log.root), log.origin, str(tmp_path / "log.key"), str(left)]
    done = subprocess.run(command, check=False, env=dict(os.environ))
    size = log.verify(verifier, since=[kept]).size
    assert (done.returncode, size) in ((-9, 255), (0, 258))
    log.add([b"x", b"y"], key)  # other entries than those that were half written
    assert [entry.data for entry in log.entries(verifier)][size:] == [b"x", b"y"]
    assert log.verify(verifier, since=[kept]).size == size + 2


# --- notes and checkpoints


def test_a_note_of_the_specification() -> None:
    """The example of c2sp.org/signed-note: its verifier key has the hint that its signature begins with."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    name, hint, encoded = text.split("+", 2)
    raw = base64.b64decode(encoded)
    assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == hint


@settings(max_examples=60)
@given(st.integers(0, 10**17), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_comes_back(size: int, root: bytes) -> None:
    made = Checkpoint("example.org/log", size, root)
    assert parse(made.text()) == made
    assert parse(made.text() + "an extension\n") == made


@pytest.mark.parametrize(
    "text",
    ["", "a\n", "a\n1\n", "a\n-1\n" + "A" * 43 + "=\n", "a\n01\n" + "A" * 43 + "=\n", "a\n1\nAAAA\n",
     "\n1\n" + "A" * 43 + "=\n", "a\n１\n" + "A" * 43 + "=\n", "a\n" + "9" * 30 + "\n" + "A" * 43 + "=\n",
     "a\n1\n" + "A" * 42 + "B=\n"],
)  # fmt: skip
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(EvidenceError, match="no checkpoint"):
        parse(text)


def test_a_checkpoint_of_another_key_or_log(keyed: Keyed, tmp_path: Path) -> None:
    log, key, verifier = keyed
    log.add([b"one"], key)
    raw = log.checkpoint(verifier)[0]
    other = signer(tmp_path / "others", "other")
    with pytest.raises(EvidenceError, match="nobody who is trusted"):
        open_checkpoint(raw, verifier_of(log.origin, other.public_key()))
    with pytest.raises(EvidenceError, match="nobody who is trusted"):
        open_checkpoint(raw, verifier_of("example.org/other", key.public_key()))
    elsewhere = Checkpoint("example.org/other", 1, bytes(32))
    with pytest.raises(EvidenceError, match="of another log"):
        open_checkpoint(note.sign(elsewhere.text(), log.origin, key), verifier)
    for wrong in (
        raw[:-1],
        raw.replace(b"1\n", b"2\n", 1),
        raw + b"x\n",
        b"",
        b"\xff\n\n",
        raw.replace(b"\n\n", b"\n"),
    ):
        with pytest.raises(EvidenceError):
            open_checkpoint(wrong, verifier)


@given(st.binary(max_size=200))
def test_rubbish_is_no_note(raw: bytes) -> None:
    with pytest.raises(EvidenceError):
        note.open_note(raw, [])


# --- the log of a project


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    world = make(tmp_path)
    keys = {role: signer(tmp_path / "roles", f"{role}.key") for role in ROLES}
    new_key(tmp_path / "roles" / "log.key")
    object.__setattr__(world, "signers", {step: keys[role] for step, role in ROLE_OF.items()})
    text = '[sign]\nkey = "file:../roles/{role}.key"\n[store]\nto = ["local:../store"]\nname = "spam"\n'
    text += '[log]\nat = "../log"\nname = "example.org/spam"\nkey = "file:../roles/log.key"\n'
    (world.project / "shipworthy.toml").write_text(text + '[trust.log]\nkey = "../roles/log.key.pub"\n')
    monkeypatch.chdir(world.project)
    world.evidence.mkdir()
    (world.evidence / "predictions.csv").write_bytes(FILES["predictions.csv"])
    world.release()
    return world


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out + said.err


def test_what_does_not_stand_in_the_log_is_missing_evidence(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(capsys, "verify")
    assert (code, "transparency log is gone" in said) == (7, True)
    gate = world.evidence / "gate.sigstore.json"
    assert told(capsys, "log", "add", str(gate))[0] == 0
    code, said = told(capsys, "verify", "--format", "json")
    assert (code, json.loads(said)["broken"]["failure"]) == (7, "missing")
    code, said = told(capsys, "log", "add", str(world.evidence))
    assert (code, "7 added; the log has 8 entries" in said) == (0, True), said
    code, said = told(capsys, "verify", "--format", "json")
    assert code == 0
    checks = [check for link in json.loads(said)["links"] for check in link["checks"] if check["id"] == "logged"]
    assert len(checks) == 8
    assert "0 added" in told(capsys, "log", "add", str(world.evidence))[1]


def test_a_proof_holds_without_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "log", "add", str(world.evidence))[0] == 0
    code, said = told(capsys, "log", "prove", str(world.evidence / "gate.sigstore.json"))
    proof = json.loads(said)
    assert code == 0
    entry = json.dumps(proof["entry"], sort_keys=True, separators=(",", ":")).encode()
    now = parse(proof["checkpoint"].partition("\n\n")[0] + "\n")
    path = [base64.b64decode(one) for one in proof["path"]]
    assert merkle.verify_inclusion(merkle.leaf_hash(entry), proof["index"], now.size, path, now.root)
    assert told(capsys, "log", "prove", "train.py")[0] == 2
    assert told(capsys, "log", "list")[1].count("sha256:") == now.size


def test_a_verifier_remembers_what_it_saw(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "log", "add", str(world.evidence))[0] == 0
    early = (world.root / "log" / "checkpoint").read_bytes()
    (world.root / "kept").write_bytes(early)
    extra = world.root / "extra.sigstore.json"
    extra.write_bytes(b"{}")
    assert told(capsys, "log", "add", str(extra))[0] == 0
    assert told(capsys, "verify")[0] == 0
    code, said = told(capsys, "log", "verify", "--since", "../kept")
    assert (code, "has only grown" in said) == (0, True)
    (world.root / "log" / "checkpoint").write_bytes(early)
    code, said = told(capsys, "verify")
    assert (code, "was cut" in said) == (4, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("log", "verify"), 2, "no log here"),
        (("log", "add", "train.py"), 2, "no signed file"),
        (("log", "add", "nothing"), 2, "no such file"),
    ],
)
def test_slips_are_told(
    world: World, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    found, text = told(capsys, *words)
    assert (found, said in text) == (code, True), text


def test_without_a_log_in_the_settings(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.project / "shipworthy.toml").write_text('[sign]\nkey = "file:../roles/{role}.key"\n')
    code, text = told(capsys, "log", "list")
    assert (code, "no log in the settings" in text) == (2, True)


def test_the_tiles_of_a_log_that_lies_about_its_size(keyed: Keyed) -> None:
    log, key, verifier = keyed
    log.add([b"one"], key)
    lie = Checkpoint(log.origin, 10_000, bytes(32))
    (log.root / "checkpoint").write_bytes(lie.signed(key))
    with pytest.raises(EvidenceError):
        log.verify(verifier)
    with pytest.raises(EvidenceError):
        Tiles(log.root, 1).subtree(3, 5)
