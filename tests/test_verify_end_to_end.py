"""Change one byte of anything that a run left: `shipworthy verify` exits with 4 and names exactly that link."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipworthy.cli import main
from shipworthy.keys import new_key

NAME = "prompt-injection-detector"
BUNDLES = ("evaluate", "gate", "ingest-1", "scan", "train")
MODEL = ("config.json", "metrics-train.json", "weights.safetensors")
LINKS = {
    "evaluate.sigstore.json": {"evaluate evaluate.sigstore.json"},
    "gate.sigstore.json": {"gate gate.sigstore.json"},
    "ingest-1.sigstore.json": {"ingest ingest-1.sigstore.json", "ingest data/train.csv"},
    "scan.sigstore.json": {"scan scan.sigstore.json"},
    "train.sigstore.json": {"train train.sigstore.json"},
    "release.sigstore.json": {"store release.sigstore.json", "store store"},
    "model.sig": {"sign model.sig"},
    "model.manifest.json": {"manifest model.manifest.json", "model model"},
    "scan-report.json": {"report scan-report.json"},
    "predictions.csv": {"predictions predictions.csv"},
}


@dataclass(frozen=True)
class Stored:
    """The example project with two releases; `run` is the newest, `before` the one before it."""

    project: Path
    before: str
    run: str

    def evidence(self, run: str = "") -> Path:
        return self.project / ".shipworthy" / "runs" / (run or self.run) / "evidence"

    def blob(self, path: Path) -> Path:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return self.project / "store" / "blobs" / "sha256" / digest[:2] / digest

    @property
    def refs(self) -> Path:
        return self.project / "store" / "refs" / NAME

    def targets(self, *forms: str) -> list[list[str]]:
        """What a person may ask `verify` about."""
        known = {
            "name": [],
            "version": [f"{NAME}@{self.run}"],
            "model": [str(self.project / "model")],
            "evidence": [str(self.evidence())],
        }
        return [known[form] for form in forms]


def _command(*args: str, cwd: Path, home: Path) -> None:
    env = {**os.environ, **{f"XDG_{kind}_HOME": str(home / kind) for kind in ("CACHE", "STATE", "DATA")}}
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", *args], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _make(folder: Path) -> None:
    """The demonstration, then a second release: another seed, without folds."""
    demo = folder / "demo"
    _command("demo", "--folder", str(demo), "--data", "generated", "--quiet", cwd=folder, home=folder / "home")
    settings = demo / "project" / "shipworthy.toml"
    text = settings.read_text(encoding="utf-8")
    head, _, tail = text.partition("[train.kfold]")
    text = head.replace("seed = 7", "seed = 8") + "[train.early-stopping]" + tail.partition("[train.early-stopping]")[2]
    settings.write_text(text, encoding="utf-8")
    _command("run", "ml", "--quiet", cwd=settings.parent, home=folder / "home")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Made once for all workers; each has a copy of its own to tamper with."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "verify-demo"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "made").exists():
            _make(shared)
            (shared / "made").touch()
    own = tmp_path_factory.mktemp("verify") / "demo"
    shutil.copytree(shared / "demo", own)
    before, _image, run = sorted(path.name for path in (own / "project" / ".shipworthy" / "runs").iterdir())
    return Stored(own / "project", before, run)


@contextlib.contextmanager
def replaced(path: Path, data: bytes | None) -> Iterator[None]:
    """Other bytes at the path (None: nothing), as long as it lasts."""
    raw, mode = path.read_bytes(), path.stat().st_mode
    path.chmod(0o644)
    path.unlink() if data is None else path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(raw)
        path.chmod(mode)


def changes(raw: bytes, other: bytes | None = None) -> dict[str, bytes | None]:
    """One byte at the start, in the middle and at the end; cut short; emptied; gone; another valid one."""
    found: dict[str, bytes | None] = {}
    for word, at in (("first", 0), ("middle", len(raw) // 2), ("last", len(raw) - 1)):
        found[f"{word} byte"] = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    found |= {"cut short": raw[:-1], "emptied": b"", "gone": None}
    return found | ({"another": other} if other is not None else {})


def verify(stored: Stored, capsys: pytest.CaptureFixture[str], *target: str) -> tuple[int, set[str], str]:
    """The exit code, every link that does not hold, and the first of them."""
    code = main(["verify", *target, "-C", str(stored.project), "--format", "json"])
    told = capsys.readouterr()
    assert not told.err
    result = json.loads(told.out)
    broken = result["broken"]
    bad = {f"{link['step']} {link['name']}" for link in result["links"] if link["status"] in ("broken", "missing")}
    return code, bad, f"{broken['step']} {broken['name']}" if broken else ""


def expect(
    stored: Stored,
    capsys: pytest.CaptureFixture[str],
    path: Path,
    forms: tuple[str, ...],
    links: set[str],
    other: bytes | None = None,
) -> None:
    for how, data in changes(path.read_bytes(), other).items():
        with replaced(path, data):
            for target in stored.targets(*forms):
                code, bad, first = verify(stored, capsys, *target)
                codes = (4, 7) if data is None else (4,)  # what is gone may be missed, or show in what listed it
                assert (code in codes, bad <= links, first in links) == (True,) * 3, (how, target, code, bad, first)


def test_what_was_not_touched_verifies(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    for target in stored.targets("name", "version", "model", "evidence"):
        assert verify(stored, capsys, *target) == (0, set(), "")


@pytest.mark.parametrize(("name", "step"), [("data/train.csv", "ingest"), ("data/holdout.csv", "labels")])
def test_a_dataset(stored: Stored, capsys: pytest.CaptureFixture[str], name: str, step: str) -> None:
    path = stored.project / name
    other = b"\n".join(path.read_bytes().splitlines()[:-1]) + b"\n"  # as valid, one row less
    expect(stored, capsys, path, ("name", "version", "model", "evidence"), {f"{step} {name}"}, other)


@pytest.mark.parametrize("name", MODEL)
def test_a_file_of_the_model_in_the_workspace(stored: Stored, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = stored.project / "model" / name
    other = path.read_bytes().replace(b"}", b"} ", 1)
    expect(stored, capsys, path, ("name", "version", "model", "evidence"), {"model model"}, other)


@pytest.mark.parametrize("name", MODEL)
def test_a_file_of_the_model_in_the_store(stored: Stored, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = stored.blob(stored.project / "model" / name)
    expect(stored, capsys, path, ("name", "version", "model"), {"model model"}, path.read_bytes() + b" ")


@pytest.mark.parametrize("name", [name for name in LINKS if name != "release.sigstore.json"])
def test_a_file_of_evidence_in_the_store(stored: Stored, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = stored.blob(stored.evidence() / name)
    other = (stored.evidence(stored.before) / name).read_bytes()
    if other == path.read_bytes():
        other = other + b"\n"
    expect(stored, capsys, path, ("name", "version", "model"), LINKS[name], other)


@pytest.mark.parametrize("name", LINKS)
def test_a_file_of_evidence_in_the_folder_of_the_run(
    stored: Stored, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = stored.evidence() / name
    other = (stored.evidence(stored.before) / name).read_bytes()
    if other == path.read_bytes():
        other = other + b"\n"
    expect(stored, capsys, path, ("evidence",), LINKS[name], other)


def test_the_reference(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    path, before = stored.refs / f"{stored.run}.json", stored.refs / f"{stored.before}.json"
    links = {f"store {NAME}@latest", f"store {NAME}@{stored.run}", "store release.sigstore.json"}
    for target in stored.targets("name", "version"):
        for how, data in changes(path.read_bytes(), before.read_bytes()).items():
            with replaced(path, data):
                code, bad, first = verify(stored, capsys, *target)
                assert (code, len(bad), first in links) == (4, 1, True), (how, target, bad)


def test_the_only_reference(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    with replaced(stored.refs / f"{stored.before}.json", None):
        path = stored.refs / f"{stored.run}.json"
        links = {f"store {NAME}@latest", f"store {NAME}@{stored.run}", "store release.sigstore.json"}
        expect(stored, capsys, path, ("name", "version", "model"), links)


def test_the_pointer_to_the_latest(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    raw = (stored.refs / f"{stored.before}.json").read_bytes()
    back = {"digest": f"sha256:{hashlib.sha256(raw).hexdigest()}", "version": stored.before}
    other = json.dumps(back, sort_keys=True).encode() + b"\n"
    expect(stored, capsys, stored.refs / "latest", ("name",), {f"store {NAME}@latest"}, other)


def test_a_public_key_that_is_another(stored: Stored, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    new_key(tmp_path / "other.key")
    public = stored.project.parent / "keys" / "release.key.pub"
    with replaced(public, (tmp_path / "other.key.pub").read_bytes()):
        for target in stored.targets("name", "version", "model", "evidence"):
            code, bad, _ = verify(stored, capsys, *target)
            assert (code, bool(bad)) == (6, True), target
            assert main(["verify", *target, "-C", str(stored.project)]) == 6
            assert "key" in capsys.readouterr().out
