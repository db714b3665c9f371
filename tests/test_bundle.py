"""One file carries a release to a machine without a network, and is believed no further than its keys are."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evidence_world import FILES, World, make, signer
from shipworthy.cli import main
from shipworthy.keys import new_key
from shipworthy.model.roles import ROLE_OF, ROLES
from test_evidence_image import ship

Members = dict[str, bytes]
Extra = tuple[tarfile.TarInfo, bytes]


@dataclass(frozen=True)
class Packed:
    """A bundle, and a place far away from where it was made."""

    world: World
    file: Path
    fingerprint: str
    away: Path


def settings_of(world: World) -> None:
    text = '[sign]\nkey = "file:../roles/{role}.key"\n[store]\nto = ["local:../store"]\nname = "spam"\n'
    (world.project / "shipworthy.toml").write_text(text)


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Packed:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    world = make(tmp_path / "home")
    keys = {role: signer(tmp_path / "home" / "roles", f"{role}.key") for role in ROLES}
    world = replace(world, signers={step: keys[role] for step, role in ROLE_OF.items()})
    settings_of(world)
    monkeypatch.chdir(world.project)
    world.evidence.mkdir()
    (world.evidence / "predictions.csv").write_bytes(FILES["predictions.csv"])
    world.store.put_file(world.evidence / "predictions.csv")
    world.release()
    away = tmp_path / "away"
    away.mkdir()
    assert main(["bundle", "--output", str(away / "spam.shipworthy")]) == 0
    said = capsys.readouterr().out
    fingerprint = said.partition("keys in it")[2].split()[0]
    monkeypatch.chdir(away)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other-state"))
    return Packed(world, away / "spam.shipworthy", fingerprint, away)


def verify(packed: Packed, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = main(["verify", str(packed.file), *more])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_it_verifies_far_away_and_gives_the_model(packed: Packed, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.move(packed.world.root, packed.away.parent / "gone")  # nothing of where it was made is there any more
    code, told = verify(packed, capsys, "--fingerprint", packed.fingerprint, "--extract", "model")
    assert (code, "VERIFIED" in told) == (0, True), told
    assert "of 5 only the digest is signed" in told, "the datasets, the code and the labels are not in it"
    made = {str(p.relative_to("model")): p.read_bytes() for p in Path("model").rglob("*") if p.is_file()}
    assert made == {n.removeprefix("model/"): c for n, c in FILES.items() if n.startswith("model/")}
    assert main(["verify", str(packed.file), "--fingerprint", packed.fingerprint, "--extract", "model"]) == 2
    assert not [path for path in packed.away.iterdir() if path.name.startswith(".")]


def test_nobody_is_believed_unasked(packed: Packed, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = verify(packed, capsys)
    assert (code, packed.fingerprint in told, "by another way" in told) == (2, True, True)
    code, told = verify(packed, capsys, "--fingerprint", "sha256:" + "0" * 64)
    assert (code, "are others" in told) == (4, True)
    assert verify(packed, capsys, "--fingerprint", "12")[0] == 2
    new_key(packed.away / "other.key")
    assert verify(packed, capsys, "--key", "other.key.pub")[0] in (6, 7)
    keys = [word for path in (packed.world.root / "roles").glob("*.pub") for word in ("--key", str(path))]
    assert verify(packed, capsys, *keys)[0] == 0


def test_the_same_release_is_the_same_file(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(packed.world.project)
    assert main(["bundle", "--output", str(packed.away / "again"), "-q"]) == 0
    assert (packed.away / "again").read_bytes() == packed.file.read_bytes()


def test_what_does_not_verify_is_not_packed(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(packed.world.project)
    (packed.world.project / "model" / "config.json").write_bytes(b"{}")
    blob = packed.world.blob("gate.sigstore.json")
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-2])
    kept = packed.file.read_bytes()
    assert main(["bundle", "--output", str(packed.file), "-q"]) == 4
    assert packed.file.read_bytes() == kept


def test_a_list_of_revocations_travels_with_it(
    packed: Packed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    believed = ("--fingerprint", packed.fingerprint)
    assert verify(packed, capsys, *believed)[0] == 0
    older = packed.file.read_bytes()
    monkeypatch.chdir(packed.world.project)
    assert main(["revoke", "sha256:" + "a" * 64, "--reason", "something else", "-q"]) == 0
    assert main(["bundle", "--output", str(packed.file), "-q"]) == 0
    monkeypatch.chdir(packed.away)
    assert verify(packed, capsys, *believed)[0] == 0
    packed.file.write_bytes(older)
    code, told = verify(packed, capsys, *believed)
    assert (code, "is gone" in told) == (7, True), "an older bundle hides what was revoked since"


def members(packed: Packed) -> Members:
    with tarfile.open(packed.file) as archive:
        return {m.name: (archive.extractfile(m) or io.BytesIO()).read() for m in archive}


def write(packed: Packed, content: Members, *extra: Extra) -> None:
    with tarfile.open(packed.file, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info, data in extra:
            archive.addfile(info, io.BytesIO(data))


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Extra:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def plain(name: str, data: bytes) -> Extra:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def other_keys(content: Members) -> Members:
    """Everything signed anew is beyond a thief, but he can put his keys in."""
    trust = json.loads(content["trust.json"])
    for role in trust["keys"]:
        trust["keys"][role] = list(reversed(trust["keys"][role])) + trust["keys"][role]
    return {**content, "trust.json": json.dumps(trust, sort_keys=True, separators=(",", ":")).encode() + b"\n"}


def change(name: str, how: Callable[[bytes], bytes]) -> Callable[[Members], tuple[Members, list[Extra]]]:
    """Every member whose name starts so, changed."""
    return lambda content: ({n: how(d) if n.startswith(name) else d for n, d in content.items()}, [])


def lose(name: str) -> Callable[[Members], tuple[Members, list[Extra]]]:
    return lambda content: ({n: d for n, d in content.items() if not n.startswith(name)}, [])


def another_version(content: Members) -> tuple[Members, list[Extra]]:
    head = content["bundle.json"].replace(b"1.0.0", b"2.0.0")
    return {n.replace("1.0.0", "2.0.0"): d for n, d in {**content, "bundle.json": head}.items()}, []


def another_digest(content: Members) -> tuple[Members, list[Extra]]:
    head = {**json.loads(content["bundle.json"]), "digest": f"sha256:{HEX}"}
    return {**content, "bundle.json": json.dumps(head, sort_keys=True).encode()}, []


HEX = "b" * 64
WEIGHTS = f"blobs/sha256/{hashlib.sha256(FILES['model/weights.bin']).hexdigest()}"
ATTACKS: dict[str, Callable[[Members], tuple[Members, list[Extra]]]] = {
    "a link among the blobs": lambda c: (c, [link(f"blobs/sha256/{HEX}", "/etc/passwd")]),
    "a hard link": lambda c: (c, [link(f"blobs/sha256/{HEX}", "bundle.json", tarfile.LNKTYPE)]),
    "a device": lambda c: (c, [link(f"blobs/sha256/{HEX}", "", tarfile.CHRTYPE)]),
    "a way out": lambda c: (c, [plain("../evil", b"x")]),
    "a way out by a reference": lambda c: (c, [plain("refs/../../evil.json", b"x")]),
    "an absolute path": lambda c: (c, [plain("/tmp/evil", b"x")]),
    "another file": lambda c: (c, [plain("evil.py", b"x")]),
    "a member twice": lambda c: (c, [plain("trust.json", c["trust.json"])]),
    "a blob that is not what its name says": lambda c: (c, [plain(f"blobs/sha256/{HEX}", b"x")]),
    "a blob of the model changed": change(WEIGHTS, lambda data: flip(data, 0)),
    "a blob gone": lose(WEIGHTS),
    "the release changed": change("refs/", lambda data: flip(data, len(data) // 2)),
    "the release gone": lose("refs/"),
    "the release under another version": another_version,
    "another digest in its head": another_digest,
    "other keys": lambda c: (other_keys(c), []),
    "no keys": lose("trust.json"),
    "no head": change("bundle.json", lambda _: b"{}"),
    "a list of revocations that is none": lambda c: ({**c, "revocations.sigstore.json": b"{}"}, []),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_on_the_file(packed: Packed, capsys: pytest.CaptureFixture[str], attack: str) -> None:
    content, extra = ATTACKS[attack](members(packed))
    write(packed, content, *extra)
    code, told = verify(packed, capsys, "--fingerprint", packed.fingerprint, "--extract", "model")
    assert code in (4, 6, 7), told
    assert "Traceback" not in told
    assert not Path("model").exists()
    assert sorted(path.name for path in packed.away.iterdir()) == ["spam.shipworthy"]
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7])
def test_a_file_that_was_cut_short(packed: Packed, capsys: pytest.CaptureFixture[str], share: float) -> None:
    raw = packed.file.read_bytes()
    packed.file.write_bytes(raw[: int(len(raw) * share)])
    code, told = verify(packed, capsys, "--fingerprint", packed.fingerprint)
    assert code != 0
    assert "Traceback" not in told


def test_an_image_becomes_a_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shipped = ship(tmp_path)
    lines = ['[store]\nto = ["local:../store"]\n[trust.keys]']
    for role, steps in ROLES.items():
        keys = []
        for step in steps:
            (tmp_path / f"{step}.pub").write_bytes(shipped.world.signers[step].public_key().pem())
            keys.append(f"../{step}.pub")
        lines.append(f"{role} = {json.dumps(keys)}")
    (shipped.world.project / "shipworthy.toml").write_text("\n".join(lines) + "\n")
    shipped.world.store.put_bytes(FILES["predictions.csv"])
    monkeypatch.chdir(shipped.world.project)
    assert main(["bundle", "spam-service", "--output", "../image.shipworthy", "-q"]) == 0
    where = str(tmp_path / "image-of-the-bundle")
    assert main(["verify", "../image.shipworthy", "--extract", where, "-q"]) == 0
    index = json.loads(Path(where, "index.json").read_text())
    assert index["manifests"][0]["digest"] == shipped.written.image.digest


def test_a_killed_bundle_leaves_what_was_there(packed: Packed) -> None:
    code = f"""
        import os, signal, sys
        from shipworthy.stages import bundles
        real, left = bundles._add_blob, [3]
        def dying(*arguments):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)
        bundles._add_blob = dying
        from shipworthy.cli import main
        main(["bundle", "--output", {str(packed.file)!r}, "-q"])
    """
    kept = packed.file.read_bytes()
    lines = "\n".join(line[8:] for line in code.splitlines())
    done = subprocess.run([sys.executable, "-c", lines], cwd=packed.world.project, env=dict(os.environ), check=False)
    assert done.returncode == -9
    assert packed.file.read_bytes() == kept


def test_the_receivers_own_policy_has_its_paths_at_home(packed: Packed, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys, and the key of a log, are those beside the policy; the list of revocations is that of the bundle."""
    folder = packed.away / "policies"
    folder.mkdir()
    lines = ['name = "spam"', "version = 1", "[trust.keys]"]
    for role in ROLES:
        shutil.copy(packed.world.root / "roles" / f"{role}.key.pub", folder)
        lines.append(f'{role} = ["{role}.key.pub"]')
    (folder / "policy.toml").write_text("\n".join(lines) + "\n")
    assert verify(packed, capsys, "--policy", "policies/policy.toml")[0] == 0
    new_key(folder / "log.key")
    lines[1:2] = ["version = 2"]
    (folder / "policy.toml").write_text("\n".join([*lines, "[trust.log]", 'key = "log.key.pub"', 'at = "log"']) + "\n")
    code, told = verify(packed, capsys, "--policy", "policies/policy.toml")
    assert (code, "transparency log is gone" in told) == (7, True), told
