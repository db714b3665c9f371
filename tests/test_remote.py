"""Work for other processes and machines: a real Dask cluster on loopback, and any executor that takes plain data."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import odd_checks
from shipworthy.artifacts import Inventory, discover
from shipworthy.check import checks_of
from shipworthy.cli import main
from shipworthy.config import Scan, Settings
from shipworthy.engine import remote as remote_module
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.cluster import cluster
from shipworthy.engine.events import Events
from shipworthy.engine.remote import Remote, batches, examine
from shipworthy.engine.work import Unit
from shipworthy.errors import EnvironmentFailure
from shipworthy.model import CheckResult, Outcome

CHECKS = {check.name: check for check in checks_of(odd_checks)}
SETTINGS = Settings(scan=Scan(memory_mb=512, cache=False))
PATHS = os.pathsep.join([str(Path(__file__).parent), str(Path(remote_module.__file__).parents[2])])
# Workers as they are started in earnest: processes of their own, which may not have children by multiprocessing.
CLUSTER = """
import sys
import dask
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                      worker_dashboard_address=None, silence_logs=50) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A cluster in a process of its own, and the address of its scheduler."""
    pytest.importorskip("distributed")
    (folder / "cluster.py").write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(folder / "cluster.py")],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DASK_TEMPORARY_DIRECTORY": str(folder), "PYTHONPATH": PATHS},
        start_new_session=True,
    )
    assert process.stdout
    return process, process.stdout.readline().strip().replace("tcp://", "dask://")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers."""
    process, address = start(tmp_path_factory.mktemp("cluster"))
    yield address
    process.communicate("", timeout=60)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "deep").mkdir(parents=True)
    shell = "import subprocess\nsubprocess.run('ls', shell=True)\n"
    for name in ("one", "two", "deep/three"):
        (root / f"{name}.py").write_text(shell + "import pickle\npickle.load(open('x', 'rb'))\n")
    for number in range(60):
        (root / f"m{number}.py").write_text(f"x = {number}\n")
    (root / "broken.ipynb").write_text("{")
    (root / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    return root


def scanned(project: Path, output: Path, *args: str) -> tuple[int, Any]:
    options = ["--no-cache", "--check", "code", "--check", "models", "--check", "notebooks", *args]
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", "scan", str(project), "--format=json", f"--output={output}", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    run = json.loads(output.read_text())
    for stage in run["stages"]:
        del stage["started"], stage["seconds"]
        for check in stage["checks"]:
            del check["seconds"]
    return done.returncode, {key: run[key] for key in ("artifacts", "findings", "rules", "stages", "verdict")}


def test_a_dask_cluster_gives_the_same_result(project: Path, scheduler: str, tmp_path: Path) -> None:
    here = scanned(project, tmp_path / "here.json")
    there = scanned(project, tmp_path / "there.json", "--executor", scheduler)
    assert there == here
    assert {"pickle-load", "python-shell-true"} <= {finding["rule"] for finding in there[1]["findings"]}


def test_the_workers_of_a_cluster_survive_what_stops_a_reader(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "w", a="die", b="bad thing", c="fine", d="eat")
    with cluster(scheduler) as found:
        assert found
        assert found.slots == 2
        result = look(folder, found)
        assert result.examined == {"b.txt", "c.txt"}
        rules = {f.artifact.uri: f.rule.id for f in result.findings}
        assert rules == {"a.txt": "check-stopped", "b.txt": "said-bad", "d.txt": "check-stopped"}
        monkeypatch.setitem(CHECKS, "odd", replace(CHECKS["odd"], version=2))  # only a worker has the other one
        with pytest.raises(EnvironmentFailure, match="odd 1; 2 is asked for"):
            look(folder, found)


def test_a_cluster_that_is_lost_is_an_error_and_not_an_answer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    process, address = start(tmp_path)
    folder = write(tmp_path / "w", a="hang", b="hang")
    lost = threading.Timer(3, lambda: os.killpg(process.pid, signal.SIGKILL))
    try:
        with cluster(address) as found:
            lost.start()
            with pytest.raises(EnvironmentFailure, match="was lost"):
                look(folder, found)
    finally:
        lost.join()
        process.communicate()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("dask://127.0.0.1:1", 5, "no Dask scheduler answers"),
        ("dask://127.0.0.1", 2, "no address"),
        ("tcp://127.0.0.1:8786", 2, "no address"),
        ("dask://user@host:1/path", 2, "no address"),
        ("dask://host:port", 2, "no address"),
    ],
)
def test_an_address_where_no_scheduler_is(
    tmp_path: Path,
    address: str,
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("shipworthy.engine.cluster._WAIT", 1)
    assert main(["scan", str(tmp_path), "--executor", address]) == code
    assert says in capsys.readouterr().err


def test_without_dask_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["scan", str(tmp_path), "--executor", "dask://127.0.0.1:8786"]) == 2
    assert "shipworthy[dask]" in capsys.readouterr().err


# --- any executor --------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    """Processes that share nothing with this one but the files."""
    monkeypatch.setenv("PYTHONPATH", PATHS)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield Remote(pool, 2)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def look(folder: Path, remote: Remote | None, name: str = "odd", inventory: Inventory | None = None) -> CheckResult:
    with CheckRunner(SETTINGS, folder, Cache(None), Events(), remote) as runner:
        return runner.run((CHECKS[name],), inventory or discover(folder))[0]


@pytest.mark.parametrize("name", ["odd", "odd-batch", "odd-tree"])
def test_an_executor_gives_what_this_process_gives(tmp_path: Path, elsewhere: Remote, name: str) -> None:
    folder = write(tmp_path / "w", a="bad thing", b="skip", c="fine", d="bad too", e="break")
    here, there = look(folder, None, name), look(folder, elsewhere, name)
    assert replace(there, seconds=0) == replace(here, seconds=0)
    assert {f.fingerprint for f in there.findings} == {f.fingerprint for f in here.findings}


def test_what_stops_a_reader_elsewhere_is_a_finding_too(tmp_path: Path, elsewhere: Remote) -> None:
    result = look(write(tmp_path / "w", a="fine", m="die", n="eat", z="bad thing"), elsewhere)
    assert result.outcome is Outcome.PARTIAL
    assert result.examined == {"a.txt", "z.txt"}
    found = {f.artifact.uri: f.rule.id for f in result.findings}
    assert found == {"m.txt": "check-stopped", "n.txt": "check-stopped", "z.txt": "said-bad"}


def test_a_relative_workspace_is_the_same_elsewhere(
    tmp_path: Path, elsewhere: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "w", a="bad thing")
    monkeypatch.chdir(tmp_path / "w")
    assert len(look(Path(), elsewhere).findings) == 1


@pytest.mark.parametrize("change", ["other bytes", "gone", "a link"])
def test_a_worker_that_sees_other_files_is_refused(tmp_path: Path, elsewhere: Remote, change: str) -> None:
    folder = write(tmp_path / "w", a="bad thing", b="fine")
    inventory = discover(folder)
    (folder / "a.txt").unlink()
    if change == "other bytes":
        write(folder, a="fine now!")
    elif change == "a link":
        (tmp_path / "same").write_text("bad thing")
        (folder / "a.txt").symlink_to(tmp_path / "same")
    with pytest.raises(EnvironmentFailure, match=r"a\.txt") as refused:
        look(folder, elsewhere, inventory=inventory)
    assert "shared file system" in refused.value.remedy


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(EnvironmentFailure, match=r"9\.9 is asked for"):
        examine("9.9", b"not even read")


def test_a_worker_with_another_version_of_a_check_is_refused(
    tmp_path: Path, elsewhere: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHECKS, "odd", replace(CHECKS["odd"], version=2))
    with pytest.raises(EnvironmentFailure, match="odd 1; 2 is asked for"):
        look(write(tmp_path / "w", a="fine"), elsewhere)


def test_units_on_one_artifact_are_in_one_batch(tmp_path: Path) -> None:
    inventory = discover(write(tmp_path / "w", **{f"f{n:03}": "fine" for n in range(200)}))
    context = CheckRunner(SETTINGS, tmp_path, Cache(None), Events())._tally(CHECKS["odd"], inventory).context
    units = [Unit(name, "odd_checks", (a,), context, 1.0) for name in ("one", "two") for a in inventory.artifacts]
    units.append(Unit("batch", "odd_checks", inventory.artifacts, context, 1.0))
    made = batches(units, 2)
    assert sorted(map(repr, units)) == sorted(repr(unit) for batch in made for unit in batch)
    assert len(made) > 8
    assert [len(batch) for batch in made if batch[0].check == "batch"] == [1]
