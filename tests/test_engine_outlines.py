"""Checks that are not needed are known without being imported, and never from what is no longer true."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import shipworthy
from shipworthy.check import registry
from shipworthy.engine import outlines
from shipworthy.engine.outlines import known_checks

_ASK = """
import json, sys
from shipworthy.engine import outlines
from shipworthy.engine.outlines import known_checks
known = known_checks(lambda check: check.name in sys.argv[1:])
seen = [name for name in sys.modules if name.startswith("shipworthy.checks.")]
print(json.dumps({"checks": {check.name: check.version for check in known.values()}, "imported": seen}))
"""
_NEW = '''"""A check that a stranger wrote."""

from shipworthy.check import Yielded, check
from shipworthy.model import Artifact, Rule, Severity

STRANGE = Rule(id="strange-word", title="A strange word", severity=Severity.LOW, description="x", remedy="y", help="z")


@check("strange", kinds=("dataset",), version={version})
def run(artifact: Artifact) -> Yielded:
    """Nothing."""
    return ()
'''


class Package:
    """A copy of the package, as it is when it was just installed."""

    def __init__(self, folder: Path) -> None:
        self.checks = folder / "shipworthy" / "checks"
        self.folder = folder

    def start(self, *wanted: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(self.folder)}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return subprocess.Popen([sys.executable, "-c", _ASK, *wanted], env=env, stdout=subprocess.PIPE, text=True)

    def ask(self, *wanted: str) -> tuple[dict[str, int], bool]:
        """The checks that are known with their versions, and whether all of them had to be imported."""
        with self.start(*wanted) as process:
            text = process.communicate()[0]
        assert process.returncode == 0
        answer = json.loads(text)
        return answer["checks"], len(answer["imported"]) > 50

    def kept(self) -> Path:
        (path,) = (self.checks / "__pycache__").glob("outlines.*.json")
        return path


@pytest.fixture
def package(tmp_path: Path) -> Package:
    source = Path(shipworthy.__file__).parent
    shutil.copytree(source, tmp_path / "shipworthy", ignore=shutil.ignore_patterns("__pycache__", "*.txt", "*.json"))
    return Package(tmp_path)


def test_outlines_say_what_the_checks_themselves_say() -> None:
    for _ in range(2):  # the second time they are there, where they can be written
        found, full = known_checks(lambda check: check.name == "model-file"), registry()
        assert list(found) == list(full)
        assert found["model-file"] == full["model-file"]
        for name, check in found.items():
            for field in ("name", "category", "kinds", "version", "scope", "module"):
                assert getattr(check, field) == getattr(full[name], field)
            assert (check.accepts is None) == (full[name].accepts is None)


def test_the_second_start_imports_only_what_is_wanted(package: Package) -> None:
    first, everything = package.ask()
    assert everything
    assert first == {name: check.version for name, check in registry().items()}
    assert package.ask("python-security") == (first, False)


def test_a_new_a_changed_and_a_removed_check_are_seen_at_once(package: Package) -> None:
    before, _ = package.ask()
    new = package.checks / "datasets" / "strange.py"
    for version in (1, 2):
        new.write_text(_NEW.format(version=version), encoding="utf-8")
        os.utime(new, (version, version))  # what was imported is bytecode of another time
        assert package.ask() == ({**before, "strange": version}, True)
        assert package.ask() == ({**before, "strange": version}, False)
    new.unlink()
    assert package.ask() == (before, True)
    assert package.ask() == (before, False)


def test_a_file_with_the_size_and_the_time_of_the_old_one_is_seen(package: Package) -> None:
    package.ask()
    helper = package.checks / "datasets" / "_columns.py"
    status, data = helper.stat(), helper.read_bytes()
    helper.write_bytes(data.replace(b"a", b"a", 1)[:-1] + b" ")
    os.utime(helper, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert helper.stat().st_size == status.st_size
    assert package.ask()[1]


_DAMAGED = (b"", b"{", b"[" * 100_000, b'{"key": 1, "checks": []}', b"[]", b"\xff\xfe", b'{"key": NaN}', b"null")
_WRONG: tuple[Callable[[list[Any]], object], ...] = (
    lambda _: [],
    lambda rows: rows[::-1],
    lambda rows: rows[1:] + rows[-1:],
    lambda rows: [{**rows[0], "kinds": ["nothing"]}, *rows[1:]],
    lambda rows: [{**rows[0], "kinds": [[]]}, *rows[1:]],
    lambda rows: [{**rows[0], "version": "1"}, *rows[1:]],
    lambda rows: [{**rows[0], "module": "antigravity"}, *rows[1:]],
    lambda rows: [{}, *rows[1:]],
    lambda rows: {"0": rows[0]},
)


def test_what_is_damaged_or_no_file_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "none" / "outlines.json"
    monkeypatch.setattr(outlines, "_place", lambda: str(path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def outlined() -> bool:
        return not known_checks(lambda _: False)["model-file"].rules

    assert not outlined()
    assert outlined()
    good = json.loads(path.read_bytes())
    for data in (*_DAMAGED, *(json.dumps({**good, "checks": wrong(good["checks"])}).encode() for wrong in _WRONG)):
        path.write_bytes(data)
        assert not outlined(), data[:60]
        assert outlined()  # it was written anew
    path.unlink()
    path.mkdir()
    assert not outlined()
    assert [left.name for left in path.parent.iterdir()] == [path.name]


def test_nothing_is_kept_where_nothing_can_be_written(package: Package) -> None:
    (package.checks / "__pycache__").write_bytes(b"")  # this works for root as well
    before = sorted(package.checks.iterdir())
    first = package.ask()
    assert package.ask() == first
    assert first[1]
    assert sorted(package.checks.iterdir()) == before


def test_several_that_start_at_once_leave_one_whole_file(package: Package) -> None:
    started = [package.start() for _ in range(4)]
    said = {process.communicate()[0] for process in started}
    assert len({json.dumps(json.loads(text)["checks"]) for text in said}) == 1
    left = [path.name for path in (package.checks / "__pycache__").iterdir() if "outlines" in path.name]
    assert left == [package.kept().name]
    assert not package.ask()[1]
