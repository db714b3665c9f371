"""`shipworthy demo --attack NAME`: each attack is stopped at its stage, with its rule, and nothing planted runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from shipworthy.example import ATTACKS
from shipworthy.example.attacks import MARKER
from story_world import made_once, own_folders, record, runs, shipworthy, stages

BEFORE = [  # those that need an image are slow; `make demo` plants all of them as well
    pytest.param(name, marks=pytest.mark.slow) if attack.stage in ("before-release", "after-deploy") else name
    for name, attack in ATTACKS.items()
    if attack.when == "before-run"
]


def markers(*places: Path) -> set[Path]:
    """Every file of the marker's name below these places: what the planted pickle would leave, wherever it ran."""
    found = set()
    for place in places:
        for folder, _, names in os.walk(place):
            found |= {Path(folder) / name for name in names if name == MARKER}
    return found


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for caches and a home that all attacks share."""
    with made_once(tmp_path_factory, "attacks") as (folder, mine):
        if mine:
            (folder / "home").mkdir(exist_ok=True)
    return folder


def demo(world: Path, tmp_path: Path, *args: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run the demonstration in a folder and a home of its own; nothing planted has run when it ends."""
    (tmp_path / "home").mkdir()
    before = markers(Path.home(), Path("/var/tmp"))
    with tempfile.TemporaryDirectory(prefix="story-") as short:  # sockets below it have little room for their names
        env = own_folders(world / "home") | {"HOME": str(tmp_path / "home"), "TMPDIR": short}
        done = shipworthy("demo", "--data", "generated", *args, cwd=tmp_path, env=env, timeout=timeout)
        assert not markers(tmp_path, world, Path(short)), "the planted pickle was run"
    assert markers(Path.home(), Path("/var/tmp")) == before, "the planted pickle was run"
    assert not (Path.cwd() / MARKER).exists()
    assert not (Path("/tmp") / MARKER).exists()
    return done


@pytest.mark.parametrize("name", BEFORE)
def test_an_attack_is_stopped_at_its_stage_with_its_rule(world: Path, tmp_path: Path, name: str) -> None:
    attack = ATTACKS[name]
    done = demo(world, tmp_path, "--folder", "here", "--attack", name)
    assert done.returncode == attack.exit_code, done.stdout + done.stderr
    assert f"stopped at {attack.stage}, exit code {attack.exit_code}" in done.stdout
    assert "what to do" in done.stdout
    project = tmp_path / "here" / "attacks" / name / "project"
    folder = runs(project)[0]
    run = record(folder)
    verdict, report = done.stdout.splitlines()[-2:]
    assert verdict == run["verdict"]
    assert verdict.startswith(f"NOT SHIPWORTHY: {attack.stage}: ")
    assert report == f"report: {folder.relative_to(tmp_path)}/report.html"
    assert (tmp_path / report.removeprefix("report: ")).is_file()
    by = stages(run)
    order = list(by)
    stop = by[attack.stage]
    assert stop["status"] == "failed"
    assert attack.rule is not None
    assert attack.rule in stop["note"] or attack.rule in {one["code"] for one in stop["decision"]["reasons"]}
    later = order[order.index(attack.stage) + 1 :]
    assert {by[stage]["status"] for stage in later} <= {"skipped"}
    kept = {path.parent.name for path in (project / "store" / "refs").glob("*/*.json")}
    stored = set() if attack.pipeline == "ml" else {"prompt-injection-detector"}
    if attack.stage == "after-deploy":  # what is deployed was stored before; the stop is of its protection
        stored |= {"prompt-injection-detector-service"}
    assert kept == stored, "something was stored"


def test_a_model_that_was_swapped_after_signing_is_named(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, world: Path
) -> None:
    done = demo(world, tmp_path, "--attack", "swapped-model")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "stopped at verify, exit code 4" in done.stdout
    verdict, report = done.stdout.splitlines()[-2:]
    assert verdict.startswith("NOT SHIPWORTHY: verify: ")
    assert "weights.safetensors" in done.stdout or "model" in verdict
    assert (tmp_path / report.removeprefix("report: ")).is_file()


@pytest.mark.slow
def test_all_attacks_are_stopped(world: Path, tmp_path: Path) -> None:
    done = demo(world, tmp_path, "--attack", "all", timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ATTACKS)} of {len(ATTACKS)} attacks were stopped at their stage" in done.stdout
    assert "NOT AS IT SHOULD BE" not in done.stdout
    for name in ATTACKS:
        assert f"\n{name}  " in done.stdout
    verdict, report = done.stdout.splitlines()[-2:]
    assert verdict == "the honest project: SHIPWORTHY"
    assert (tmp_path / report.removeprefix("report: ")).is_file()


def test_the_attacks_are_listed(tmp_path: Path) -> None:
    done = shipworthy("demo", "--list", cwd=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(ATTACKS)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "shipworthy-demo"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    done = shipworthy("demo", "--data", "generated", cwd=tmp_path)
    assert done.returncode == 2
    assert "the folder is not empty" in done.stderr
    assert "--folder" in done.stderr
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]
    assert (foreign / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("kind", ["file", "link", "below a file"])
def test_what_is_no_folder_is_left_alone(tmp_path: Path, kind: str) -> None:
    place, target = tmp_path / "place", tmp_path / "target"
    if kind == "link":
        target.mkdir()
        (target / ".shipworthy-demo").write_text("made by the demonstration")
        (target / "thesis.txt").write_text("years of work")
        place.symlink_to(target)
    else:
        place.write_text("years of work")
    name = "place/below" if kind == "below a file" else "place"
    done = shipworthy("demo", "--data", "generated", "--folder", name, cwd=tmp_path)
    assert done.returncode in (2, 5), done.stderr
    assert "what to do" in done.stderr
    assert ((target / "thesis.txt") if kind == "link" else place).read_text() == "years of work"


def test_its_own_folder_is_made_anew(world: Path, tmp_path: Path) -> None:
    old = tmp_path / "shipworthy-demo"
    (old / "project").mkdir(parents=True)
    (old / ".shipworthy-demo").write_text("made by `shipworthy demo`, which may remove this folder\n")
    (old / "project" / "old.txt").write_text("of an earlier demonstration")
    done = demo(world, tmp_path, "--attack", "changed-dataset", "--quiet")
    assert done.returncode == 4, done.stderr
    assert not (old / "project" / "old.txt").exists()
    assert (old / "project" / "train.py").is_file()
    shutil.rmtree(old)
