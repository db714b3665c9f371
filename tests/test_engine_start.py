"""A scan imports only what its files need, and says the same as one that imports everything."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelfile_samples import PLAIN, torch_zip
from shipworthy.config import Settings
from shipworthy.engine import outlines
from shipworthy.engine.selection import select
from shipworthy.modelfile import hints, scan_bytes

_SHOW = "import sys; {}; print(*sys.modules)"


def _modules(code: str, folder: Path) -> set[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _SHOW.format(code)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_checks_of_other_packages_are_not_overlooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "odd-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n", "utf-8")
    (folder / "entry_points.txt").write_text("[shipworthy.checks]\nodd = odd_checks\n", "utf-8")
    assert not outlines._has_plugins()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert outlines._has_plugins()


def test_options_and_waivers_are_judged_with_everything_imported() -> None:
    settings = Settings(checks={"dataset-labels": {}})
    assert all(check.rules for check in select(settings, (), lambda _: False))


def test_the_library_imports_no_reader_before_it_meets_its_format(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    seen = _modules("from shipworthy.modelfile import scan; assert scan('x.pkl').verdict == 'clean'", tmp_path)
    assert "shipworthy.modelfile.pickles.machine" in seen
    assert not seen & {f"shipworthy.modelfile.{name}" for name in ("onnx", "zips", "jsons", "templates", "compressed")}


def test_a_torch_archive_imports_no_reader_of_other_archives(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(torch_zip(PLAIN, ("byteorder", b"little")))
    seen = _modules("from shipworthy.modelfile import scan; assert scan('x.pt').verdict == 'clean'", tmp_path)
    assert "shipworthy.modelfile.torchzip" in seen
    others = ("torchscript", "exported", "servings", "skops", "sourcecode")
    assert not seen & {f"shipworthy.modelfile.{name}" for name in others}


def test_no_expression_is_compiled_for_a_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_R", "_UBJSON", "_OBJECTIVE", "_PADDLE", "_ARROW"):
        monkeypatch.setattr(hints, name, None)
    assert scan_bytes(pickle.dumps({"a": [1, 2]})).verdict == "clean"


def test_a_scan_of_one_model_imports_no_other_check_and_starts_no_server(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    code = "from shipworthy.cli import main; assert main(['scan', '--no-cache', '--format', 'json', 'x.pkl']) == 0"
    seen = [_modules(code, tmp_path) for _ in range(2)][1]  # the first one writes down what checks there are
    unwanted = ("checks.secrets._engine", "checks.datasets", "checks.dependencies", "checks.notebooks", "engine.remote")
    assert not [name for name in seen if name.startswith(tuple(f"shipworthy.{part}" for part in unwanted))]
    unused = {"pickle", "heapq", "urllib.request", "packaging"}
    assert not seen & {"multiprocessing.forkserver", "multiprocessing.resource_tracker", *unused}


def test_a_process_that_ends_does_not_look_for_garbage_once_more(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    code = "import gc, sys\nsys.argv = ['shipworthy', 'scan', '--no-cache', '--format', 'json', 'x.pkl']\n"
    code += (
        "from shipworthy.cli import main\nassert main() == 0\nprint(gc.get_freeze_count() > 10_000 > gc.get_count()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("True\n")


def test_a_scan_of_many_files_starts_no_server_either(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.pkl").write_bytes(pickle.dumps([number]))
    code = "from shipworthy.cli import main; assert main(['scan', '--no-cache', '--format', 'json', '.']) == 0"
    assert not [name for name in _modules(code, tmp_path) if name.startswith("multiprocessing")]


def _forked(code: str, folder: Path) -> subprocess.Popen[str]:
    """A process of its own that runs code with a forked worker: here there may be threads."""
    head = "import json, os, sys, time, signal\nfrom shipworthy.engine._forked import Forked\n"
    command = [sys.executable, "-c", head + code]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def test_a_forked_worker_keeps_nothing_open_of_the_scan(tmp_path: Path) -> None:
    code = """
from shipworthy.engine.isolate import Worker
signal.signal(signal.SIGTERM, lambda *_: None)
kept = open("kept", "w")
workers = [Worker(512, fork=True) for _ in range(2)]
for worker in workers:
    worker.start()
process = workers[1]._process
time.sleep(0.5)
place = f"/proc/{process.pid}/"
links = [os.readlink(place + "fd/" + name).partition(":")[0] for name in os.listdir(place + "fd") if int(name) > 2]
print(json.dumps(links))
print([line for line in open(place + "limits") if "data size" in line][0].split()[3])
os.kill(process.pid, signal.SIGTERM)
process.join(20)
print(process.exitcode)
for worker in workers:
    worker.close()
"""
    with _forked(code, tmp_path) as process:
        links, limit, ending = process.communicate(timeout=60)[0].splitlines()
    assert set(json.loads(links)) == {"/dev/null", "pipe"}
    assert json.loads(links).count("pipe") == 3
    assert (limit, ending) == (str(512 << 20), "-15")


def test_a_worker_knows_no_variable_that_may_hold_a_key(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "checks.py").write_text(
        "import os\n"
        "from shipworthy.check import Skipped, check\n"
        "@check('tell', scope='tree')\n"
        "def tell(artifacts):\n"
        "    yield Skipped('all', ' '.join(sorted(os.environ)))\n"
    )
    code = """
sys.path.insert(0, ".")
from pathlib import Path
from shipworthy.check import Context
from shipworthy.engine.isolate import Worker
from shipworthy.engine.work import Unit
os.environ |= {"AWS_SECRET_ACCESS_KEY": "a", "GITHUB_TOKEN": "b", "HOME": "/h"}
for fork in (True, False):
    worker = Worker(512, fork=fork)
    unit = Unit("tell", "odd.checks", (), Context(Path(".")), 60.0)
    worker.run([unit], lambda _, result: print(result.skipped[0].reason if result.skipped else result))
    worker.close()
"""
    with _forked(code, tmp_path) as process:
        told = [set(line.split()) for line in process.communicate(timeout=60)[0].splitlines()]
    assert len(told) == 2
    for names in told:
        assert "HOME" in names
        assert not {name for name in names if "KEY" in name or "TOKEN" in name or name.startswith("AWS")}


def test_what_does_not_fit_a_pipe_goes_both_ways(tmp_path: Path) -> None:
    code = """
worker = Forked(lambda pipes: [pipes.send(pipes.recv()[::-1]) for _ in range(2)])
for size in (0, 3_000_000):
    data = os.urandom(size)
    worker.send(data)
    assert worker.poll(60)
    assert worker.recv() == data[::-1]
assert worker.poll(60)
try:
    worker.recv()
except EOFError:
    worker.join(60)
    print("ended", worker.exitcode)
worker.close()
"""
    with _forked(code, tmp_path) as process:
        assert process.communicate(timeout=60)[0] == "ended 0\n"


def test_a_forked_worker_that_works_dies_with_the_scan(tmp_path: Path) -> None:
    code = """
def work(pipes):
    print(os.getpid(), flush=True)
    while True:
        pass
Forked(work)
Forked(lambda pipes: time.sleep(300))  # a younger one must not keep the older one alive
time.sleep(300)
"""
    with _forked(code, tmp_path) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        time.sleep(0.5)
        process.kill()
    for _ in range(600):
        if not _runs(worker):
            break
        time.sleep(0.1)
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
