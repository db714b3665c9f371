"""Attacks on what the guard says of itself, and on the model behind it: another record, another model."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shipworthy.errors import EvidenceError
from shipworthy.guard.runtime.core import Guard
from shipworthy.guard.runtime.events import Events, read_events
from shipworthy.guard.runtime.model import ModelWatch
from shipworthy.guard.runtime.policy import Policy
from shipworthy.guard.runtime.summary import today, verify_summary, write_summary
from shipworthy.keys import Signer, load_public, new_key, open_signer
from test_guard_proxy import Guarded, guarded, service  # noqa: F401 - a fixture

from shipworthy.cli import main  # isort: skip


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    new_key(tmp_path / "k.key")
    return open_signer(f"file:{tmp_path / 'k.key'}")


def record(path: Path, *kinds: str) -> tuple[int, str]:
    events = Events(path)
    for kind in kinds:
        events.write(kind, {})
    events.close()
    return events.written()


def test_a_record_that_was_written_anew_while_the_guard_runs_is_not_signed(tmp_path: Path, signer: Signer) -> None:
    """Its chain is whole, and it is another one: the attack is not in it."""
    path = tmp_path / "e.jsonl"
    written = record(path, "started", "blocked", "blocked", "stopped")
    path.unlink()
    forged = record(path, "started", "passed", "passed", "stopped")
    assert read_events(path).count == 4
    with pytest.raises(EvidenceError, match="not what this guard wrote"):
        write_summary(path, today(), [signer], tmp_path, written=written)
    assert not list(tmp_path.glob("guard-summary-*"))
    write_summary(path, today(), [signer], tmp_path, written=forged)


def test_nor_one_that_was_written_anew_between_two_starts(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "e.jsonl"
    record(path, "started", "blocked", "stopped")
    summary = write_summary(path, "2026-11-22", [signer], tmp_path)
    before = summary.read_bytes()
    path.unlink()
    written = record(path, "started", "passed", "stopped", "started")
    for day in ("2026-11-22", "2026-11-23"):
        with pytest.raises(EvidenceError, match="guard-summary-2026-11-22"):
            write_summary(path, day, [signer], tmp_path, written=written)
    assert summary.read_bytes() == before
    with pytest.raises(EvidenceError):
        verify_summary(summary, path, [load_public(tmp_path / "k.key.pub")])


def test_a_record_that_goes_on_is_signed_day_by_day(tmp_path: Path, signer: Signer) -> None:
    path, other = tmp_path / "e.jsonl", tmp_path / "other.jsonl"
    record(other, "started")
    write_summary(other, "2026-11-24", [signer], tmp_path)  # of another guard, with the same key
    for day in ("2026-11-22", "2026-11-23", "2026-11-23"):
        write_summary(path, day, [signer], tmp_path, written=record(path, "started", "blocked"))
    told = verify_summary(tmp_path / "guard-summary-2026-11-23.sigstore.json", path, [signer.public_key()])
    assert told["chain"]["lines"] == 6


# ------------------------------------------------------------------ the model


def model(folder: Path) -> Path:
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"weights" * 100)
    (folder / "config.json").write_text("{}")
    return folder


def other_bytes(place: Path) -> None:
    (place / "weights.bin").write_bytes(b"WEIGHTS" * 100)


def same_size_and_time(place: Path) -> None:
    told = (place / "weights.bin").stat()
    (place / "weights.bin").write_bytes(b"WEIGHTS" * 100)
    os.utime(place / "weights.bin", ns=(told.st_atime_ns, told.st_mtime_ns))


def another_file(place: Path) -> None:
    (place / "adapter_config.json").write_text("{}")


def a_link(place: Path) -> None:
    (place / "weights.bin").rename(place.parent / "elsewhere")
    (place / "weights.bin").symlink_to(place.parent / "elsewhere")


def another_folder(place: Path) -> None:
    place.rename(place.parent / "old")
    other_bytes(model(place))


def gone(place: Path) -> None:
    shutil.rmtree(place)


CHANGES: list[Callable[[Path], None]] = [other_bytes, same_size_and_time, another_file, a_link, another_folder, gone]


def settled(place: Path) -> None:
    """Wait until the file system's clock has moved, which is coarser than ours."""
    before = place.parent / "clock"
    before.write_text("")
    first = before.stat().st_ctime_ns
    while before.stat().st_ctime_ns == first:
        time.sleep(0.002)
        before.write_text("")


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_a_model_that_is_swapped_while_it_is_served_stops_the_guard(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    from shipworthy.evidence.digest import digest_of

    place = model(tmp_path / "model")
    digest, asked = digest_of(place), []

    def verify() -> str:
        asked.append(1)
        return digest_of(place)

    guard = Guard(Policy(), events=tmp_path / "e.jsonl")
    watch = ModelWatch(guard, place, digest, verify)
    watch.look()
    watch.look()
    assert asked == [1], "what did not change is not read again"
    assert not guard.enter("10.0.0.1", "/predict").refused
    settled(place)
    kept = tmp_path / "kept"
    shutil.copytree(place, kept)
    change(place)
    watch.look()
    for path in ("/predict", "/healthz"):
        decision = guard.enter("10.0.0.1", path)
        assert (decision.refused, decision.status, decision.reason) == (True, 503, "model-changed"), path
    shutil.rmtree(place, ignore_errors=True)
    kept.rename(place)
    watch.look()
    assert not guard.enter("10.0.0.1", "/predict").refused
    guard.close()
    kinds = read_events(tmp_path / "e.jsonl").kinds
    assert (kinds["model-changed"], kinds["model-restored"]) == (1, 1)


def test_watching_tells_and_lets_pass(tmp_path: Path) -> None:
    place = model(tmp_path / "model")
    guard = Guard(Policy(mode="watch"), events=tmp_path / "e.jsonl")
    ModelWatch(guard, place, "sha256:other", lambda: "sha256:this").look()
    assert not guard.enter("10.0.0.1", "/predict").refused
    guard.close()
    assert read_events(tmp_path / "e.jsonl").kinds == {"model-changed": 1}


@pytest.fixture
def signed(tmp_path: Path) -> list[str]:
    place = model(tmp_path / "model")
    new_key(tmp_path / "k.key")
    made = ["sign", str(place), "--key", str(tmp_path / "k.key"), "--output", str(tmp_path / "m.sig")]
    assert main(made) == 0
    return ["--model", str(place), "--signature", str(tmp_path / "m.sig"), "--key", str(tmp_path / "k.key.pub")]


def test_the_command_sees_it(tmp_path: Path, service: int, signed: list[str]) -> None:  # noqa: F811
    with guarded(tmp_path, service, *signed, "--model-every", "0.1") as proxy:
        assert proxy.post()[0] == 200
        other_bytes(tmp_path / "model")
        assert _until(proxy, 503)
        assert b"model-changed" in proxy.post()[1]
        (tmp_path / "model" / "weights.bin").write_bytes(b"weights" * 100)
        assert _until(proxy, 200)
        assert [event["event"] for event in proxy.told() if event["event"].startswith("model-")] == [
            "model-changed",
            "model-restored",
        ]


def _until(proxy: Guarded, status: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if proxy.post()[0] == status:
            return True
        time.sleep(0.05)
    return False
