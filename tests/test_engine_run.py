"""Runs that are killed, interrupted, resumed, repeated and forged: nothing is lost and nothing false is believed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from shipworthy.cli.output import settings_for
from shipworthy.engine.events import Event, Events, Line, RunFinished, RunStarted, StageFinished, StageStarted
from shipworthy.engine.journal import Journal, pipeline_of
from shipworthy.engine.runner import Order, resumable, run_pipeline, runs_folder
from shipworthy.errors import UsageError
from shipworthy.model import Run, Status
from shipworthy.pipelines import DEV, ML
from story_world import command, made_once, record, runs, shipworthy, stages, tiny_project

NAMES = [stage.name for stage in ML.stages]
ALWAYS = {stage.name for stage in ML.stages if stage.always}


@dataclass(frozen=True)
class Seen:
    """A process, told from a later one of the same number by when it started."""

    pid: int
    started: str

    def lives(self) -> bool:
        return status_of(self.pid) == self.started


def status_of(pid: int) -> str:
    """When the process started; empty when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def started_by(root: int, mark: str) -> set[Seen]:
    """The process, all its descendants, and whatever has the mark in its environment."""
    parents: dict[int, int] = {}
    marked: set[int] = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
                if mark.encode() in Path(f"/proc/{name}/environ").read_bytes():
                    marked.add(int(name))
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {Seen(pid, status_of(pid)) for pid in family | marked if status_of(pid) and pid != os.getpid()}


def until(what: Callable[[], object], *, told: Callable[[], str] = str) -> None:
    """Wait for something that happens soon on an idle machine and may take a while on a busy one."""
    for _ in range(1200):
        if what():
            return
        time.sleep(0.1)
    pytest.fail(f"it did not happen: {told()}")


@dataclass(frozen=True)
class Training:
    """A run that is in the middle of its training."""

    process: subprocess.Popen[str]
    project: Path
    mark: str

    def family(self) -> set[Seen]:
        return started_by(self.process.pid, self.mark)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Training]:
    mark = f"story-{uuid.uuid4()}"
    project = tiny_project(tmp_path, mark=mark, seconds=4)
    process = subprocess.Popen(
        command("run"), cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )

    def busy() -> bool:
        assert process.poll() is None, process.communicate()
        logs = list(runs_folder(project).glob("*/train.log"))
        return bool(logs) and b"step 3" in logs[0].read_bytes()

    until(busy)
    yield Training(process, project, mark)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def resumed_names(run: dict[str, object]) -> list[str]:
    found: list[str] = [name for name, stage in stages(run).items() if stage["resumed"]]
    return found


@pytest.mark.parametrize("how", ["KILL", "INT", "TERM"])
def test_a_run_that_was_ended_in_its_training_leaves_no_process_and_goes_on_where_it_was(
    training: Training, how: str
) -> None:
    family = training.family()
    assert len(family) >= 3, "the run, its training and what the training started"
    os.kill(training.process.pid, getattr(signal, f"SIG{how}"))
    out, err = training.process.communicate(timeout=120)
    assert "Traceback" not in out + err
    assert training.process.returncode == (-signal.SIGKILL if how == "KILL" else 130), err
    until(lambda: not any(one.lives() for one in family), told=lambda: str([o for o in family if o.lives()]))
    assert not started_by(0x7FFFFFF0, training.mark)
    assert not (training.project / "model").exists(), "an unfinished training left a model"
    folder = runs(training.project)[0]
    if how != "KILL":
        first = record(folder)
        assert first["exit_code"] == 130
        assert stages(first)["train"]["status"] == "interrupted"
        assert "--resume" in stages(first)["train"]["remedy"]

    done = shipworthy("run", "--resume", "--format", "json", cwd=training.project)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert runs(training.project) == [folder], "it went on in the same folder"
    assert run["shipworthy"] is True
    assert resumed_names(run) == ["before-train"], "what had passed before is not decided again"
    assert [stage["status"] for stage in run["stages"]] == ["passed"] * len(NAMES)


# --- resuming a run that was finished: what is skipped and what is not -----------------------------------------------


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny project that was run to its end, with the state folder that holds the key of its journal."""
    with made_once(tmp_path_factory, "finished") as (folder, mine):
        if mine:
            shutil.rmtree(folder / "world", ignore_errors=True)
            (folder / "world").mkdir()
            project = tiny_project(folder / "world")
            done = shipworthy("run", "--quiet", cwd=project, env={"XDG_STATE_HOME": str(folder / "state")})
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project."""
    shutil.copytree(finished / "world", tmp_path / "world", symlinks=True)
    shutil.copytree(finished / "state", tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "world" / "project"


def run_here(project: Path, *, resume: str | None = None, events: Events | None = None) -> Run:
    return run_pipeline(Order(project, settings_for(project, None), ML, events=events or Events(), resume=resume))


def resumed(run: Run) -> list[str]:
    return [stage.stage for stage in run.stages if stage.resumed]


def drop_version(project: Path) -> None:
    """Take away what was stored: a version is never written twice."""
    shutil.rmtree(project / "store")


def test_a_finished_run_is_resumed_without_doing_anything_again(project: Path) -> None:
    run = run_here(project, resume="")
    assert run.shipworthy
    assert resumed(run) == [name for name in NAMES if name not in ALWAYS]


def edit_toml(old: str, new: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        path = project / "shipworthy.toml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def append_row(name: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        with (project / "data" / name).open("a") as stream:
            stream.write("extra,1500,1\n")

    return change


def append_code(name: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        with (project / name).open("a") as stream:
            stream.write("# changed\n")

    return change


def flip_model(project: Path) -> None:
    path = project / "model" / "middle.npy"
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)


def remove_model(project: Path) -> None:
    shutil.rmtree(project / "model")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(append_row("train.csv"), id="the training data"),
        pytest.param(append_code("train.py"), id="the training code"),
        pytest.param(flip_model, id="a byte of the model"),
        pytest.param(remove_model, id="the model is gone"),
        pytest.param(edit_toml("[gates.before-train]", "[gates.before-train]\nfail-on = 'medium'"), id="the settings"),
    ],
)
def test_what_changed_is_trained_again(project: Path, change: Callable[[Path], None]) -> None:
    change(project)
    drop_version(project)
    run = run_here(project, resume="")
    assert run.shipworthy, run.verdict
    assert "train" not in resumed(run)
    assert run_here(project, resume="").shipworthy


def test_data_that_the_scan_leaves_out_counts_as_an_input_all_the_same(project: Path) -> None:
    edit_toml("[scan]\n", '[scan]\nexclude = ["data/**", "train.py"]\n')(project)
    edit_toml('datasets = ["data/*.csv"]', "")(project)
    drop_version(project)
    first = run_here(project)
    assert first.shipworthy, first.verdict
    assert "train" in resumed(run_here(project, resume=""))
    append_row("train.csv")(project)
    drop_version(project)
    assert "train" not in resumed(run_here(project, resume=""))
    append_row("holdout.csv")(project)
    drop_version(project)
    again = run_here(project, resume="")
    assert "train" in resumed(again)
    assert "evaluate" not in resumed(again)


@pytest.mark.parametrize("name", ["predictions.csv", "train.sigstore.json", "model.sig"])
def test_evidence_that_was_changed_is_made_again(project: Path, name: str) -> None:
    path = runs(project)[0] / "evidence" / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    drop_version(project)
    run = run_here(project, resume="")
    assert run.shipworthy, run.verdict
    assert ("evaluate" if name == "predictions.csv" else "sign") not in resumed(run)


class InTwoDays(datetime):
    """The clock of somebody who comes back later."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) + timedelta(days=2)


def test_a_waiver_that_has_run_out_stops_a_resumed_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are the same to the byte; only the day is another."""
    edit_toml('require = ["inventory"]', 'require = ["inventory"]\nfail-on = "info"')(project)
    findings = run_here(project).findings
    assert findings, "the tiny project has no licence, no model card"
    until_day = datetime.now(UTC).date() + timedelta(days=1)
    with (project / "shipworthy.toml").open("a") as stream:
        for one in dict.fromkeys(finding.fingerprint for finding in findings):
            rule = next(finding.rule.id for finding in findings if finding.fingerprint == one)
            stream.write(
                f'\n[[waivers]]\nrule = "{rule}"\nfingerprint = "{one}"\nowner = "ada@example.org"\n'
                f'reason = "a sample"\nuntil = {until_day.isoformat()}\n'
            )
    drop_version(project)
    first = run_here(project)
    assert first.shipworthy, first.verdict
    assert "before-train" in resumed(run_here(project, resume=""))
    monkeypatch.setattr("shipworthy.engine.runner.datetime", InTwoDays)
    later = run_here(project, resume="")
    assert not later.shipworthy, "the gate's old decision was believed"
    assert later.exit_code == 1
    assert "before-train" in later.verdict


# --- the journal ----------------------------------------------------------------------------------------------------


def journal_of(project: Path) -> Path:
    return runs(project)[0] / "journal.jsonl"


def test_entries_without_the_right_mac_are_not_believed(project: Path) -> None:
    path = journal_of(project)
    honest = path.read_text().splitlines()
    forged = []
    for number, line in enumerate(honest):
        data = json.loads(line)
        entry = data["entry"].replace('"before-train"', '"before-train" ')
        forged.append(
            json.dumps([{"entry": entry}, {"entry": entry, "mac": "0" * 64}, {"entry": entry, "mac": 1}][number % 3])
        )
    path.write_text("\n".join(["[]", "null", "{", "\0", *forged]) + "\n")
    drop_version(project)
    run = run_here(project, resume="")
    assert run.shipworthy
    assert resumed(run) == []


def test_a_journal_of_somebody_else_is_not_believed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, on a machine that has another key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    drop_version(project)
    assert resumed(run_here(project, resume="")) == []


def test_an_entry_that_was_changed_is_not_believed(project: Path) -> None:
    """A stage that failed cannot be made one that passed."""
    path = journal_of(project)
    path.write_text(re.sub(r'\\"status\\": \\"passed\\"', r'\\"status\\":  \\"passed\\"', path.read_text()))
    drop_version(project)
    assert resumed(run_here(project, resume="")) == []


def test_a_journal_that_was_cut_short_costs_only_what_is_missing(project: Path) -> None:
    path = journal_of(project)
    lines = path.read_bytes().splitlines(keepends=True)
    whole = next(n for n, line in enumerate(lines) if b'\\"stage\\": \\"train\\"' in line) + 1
    path.write_bytes(b"".join(lines[:whole]) + lines[whole][:-20])
    drop_version(project)
    run = run_here(project, resume="")
    assert run.shipworthy
    assert resumed(run) == ["before-train", "train"]
    drop_version(project)
    assert "evaluate" in resumed(run_here(project, resume="")), "what was written after the torn entry is lost"


def test_each_pipeline_resumes_its_own_runs(project: Path) -> None:
    ml = runs(project)[0].name
    time.sleep(1.1)  # the names of runs are in seconds
    dev = run_pipeline(Order(project, settings_for(project, None), DEV)).id
    assert resumable(project, "ml") == [ml]
    assert resumable(project, "dev") == [dev]
    assert pipeline_of(runs_folder(project) / dev) == "dev"
    assert run_here(project, resume="").id == ml, "the newest run is another pipeline's"
    with pytest.raises(UsageError, match="of the pipeline ml"):
        run_here(project, resume=dev)


def test_of_two_runs_of_one_second_the_later_one_is_resumed(tmp_path: Path) -> None:
    """The rest of a run's name is random and tells nothing of its age."""
    names = ["20261122T000000Z-ffffff", "20261122T000000Z-000000", "20261121T235959Z-aaaaaa"]
    for age, name in enumerate(names):
        journal = runs_folder(tmp_path) / name / "journal.jsonl"
        journal.parent.mkdir(parents=True)
        journal.touch()
        os.utime(journal, ns=(age, age))
    assert resumable(tmp_path, "ml") == [names[2], names[0], names[1]]


# --- several at once ------------------------------------------------------------------------------------------------


def test_a_second_process_on_the_same_run_is_refused(project: Path) -> None:
    folder = runs(project)[0]
    before = (folder / "run.json").read_bytes()
    journal = Journal(folder)
    try:
        done = shipworthy("run", "--resume", folder.name, cwd=project)
    finally:
        journal.close()
    assert done.returncode == 2
    assert "another process is working on this run" in done.stderr
    assert (folder / "run.json").read_bytes() == before


def test_two_runs_in_one_folder_at_once_both_end_well(tmp_path: Path) -> None:
    project = tiny_project(tmp_path, seconds=1)
    both = [
        subprocess.Popen(
            command("run", "--format", "json"), cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=300) for process in both]
    for process, (out, err) in zip(both, ended, strict=True):
        assert process.returncode == 0, out + err
    told = [json.loads(out) for out, _ in ended]
    assert len({run["id"] for run in told}) == 2
    assert [path.name for path in runs(project)] == sorted(run["id"] for run in told)
    for run in told:
        assert record(runs_folder(project) / run["id"]) == run
        name = f"tiny@{run['id']}"
        assert shipworthy("verify", name, "--quiet", cwd=project).returncode == 0


def test_where_no_worker_can_be_started_the_run_says_so_at_once(tmp_path: Path) -> None:
    """A socket's path has about 100 characters; below a deep temporary folder there is no room for it."""
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    project = tiny_project(tmp_path)
    done = shipworthy("run", "--format", "json", cwd=project, env={"TMPDIR": str(deep)}, timeout=100)
    assert done.returncode == 5, done.stderr
    told = json.loads(done.stdout)
    assert "no worker process can be started" in told["verdict"]
    assert "TMPDIR" in stages(told)["scan"]["remedy"]


# --- events -----------------------------------------------------------------------------------------------------------


def test_events_arrive_in_order_and_each_stage_is_told_once(project: Path) -> None:
    heard: list[Event] = []
    run = run_here(project, events=Events([heard.append]))
    assert isinstance(heard[0], RunStarted)
    assert heard[0].stages == tuple(NAMES)
    assert isinstance(heard[-1], RunFinished)
    assert heard[-1].run == run
    told = [(type(event), event.name if isinstance(event, StageStarted) else event.result.stage, event.number)
            for event in heard if isinstance(event, (StageStarted, StageFinished))]  # fmt: skip
    wanted = [(kind, name, n) for n, name in enumerate(NAMES, 1) for kind in (StageStarted, StageFinished)]
    assert told == wanted
    inside = ""
    for event in heard:
        if isinstance(event, StageStarted):
            inside = event.name
        if isinstance(event, StageFinished):
            assert event.result.stage == inside
            inside = ""
        if isinstance(event, Line):
            assert inside in ("train", "evaluate")


def test_stages_after_a_gate_that_says_no_are_not_started(project: Path) -> None:
    edit_toml("value >= 0.9", "value >= 1.1")(project)
    heard: list[Event] = []
    run = run_here(project, events=Events([heard.append]))
    assert run.exit_code == 1
    assert [event.name for event in heard if isinstance(event, StageStarted)] == NAMES[:8]
    assert {stage.status for stage in run.stages[8:]} == {Status.SKIPPED}


def test_both_pipelines_one_after_the_other(project: Path) -> None:
    """`run all`: the first passes, the second has no Dockerfile to build from, so the whole is no pass."""
    done = shipworthy("run", "all", cwd=project)
    assert done.returncode == 2, done.stderr
    assert "there is no `Dockerfile` to build from" in done.stderr
    pipelines = [record(folder)["pipeline"] for folder in runs(project)]
    assert sorted(pipelines) == ["dev", "ml", "ml"]
    for options in (["--format", "json"], ["--output", "x.txt"], ["--resume", runs(project)[0].name]):
        refused = shipworthy("run", "all", *options, cwd=project)
        assert refused.returncode == 2, options
        assert "name the pipeline" in refused.stderr
    assert len(runs(project)) == 3
