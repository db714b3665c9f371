"""A scan imports only what its files need, and says the same as one that imports everything."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from shipworthy.config import Settings
from shipworthy.engine import outlines
from shipworthy.engine.checks import select
from shipworthy.engine.isolate import Worker

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
    settings = Settings(checks={"model-file": {"trust": []}})
    assert all(check.rules for check in select(settings, (), lambda _: False))


def test_the_library_imports_no_reader_before_it_meets_its_format(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    seen = _modules("from shipworthy.modelfile import scan; assert scan('x.pkl').verdict == 'clean'", tmp_path)
    assert "shipworthy.modelfile.pickles.machine" in seen
    assert not seen & {f"shipworthy.modelfile.{name}" for name in ("onnx", "zips", "jsons", "templates", "compressed")}


def test_a_scan_of_one_model_imports_no_other_check_and_starts_no_server(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    code = "from shipworthy.cli import main; assert main(['scan', '--no-cache', '--format', 'json', 'x.pkl']) == 0"
    seen = [_modules(code, tmp_path) for _ in range(2)][1]  # the first one writes down what checks there are
    unwanted = ("checks.secrets._engine", "checks.datasets", "checks.dependencies", "checks.notebooks", "engine.remote")
    assert not [name for name in seen if name.startswith(tuple(f"shipworthy.{part}" for part in unwanted))]
    assert not seen & {"multiprocessing.forkserver", "multiprocessing.resource_tracker", "urllib.request", "packaging"}


def test_a_forked_worker_keeps_nothing_open_of_the_scan(tmp_path: Path) -> None:
    secret = tmp_path / "open"
    with secret.open("w") as stream:
        worker = Worker(512, fork=True)
        worker.start()
        try:
            process = worker._process
            if process is None:  # there are other threads, or this is no Linux: the server of forks is used
                return
            process.join(0.5)
            links = Path(f"/proc/{process.pid}/fd")
            assert str(secret) not in {os.readlink(link) for link in links.iterdir()}, stream.name
            limits = Path(f"/proc/{process.pid}/limits").read_text("utf-8").splitlines()
            assert str(512 << 20) in next(line for line in limits if "data size" in line)
        finally:
            worker.close()
