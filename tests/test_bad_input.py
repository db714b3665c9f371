"""Everything that people and attackers get wrong: a clear message, the right exit code, no traceback, nothing lost."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def shipworthy(
    *args: str, cwd: Path, env: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def report(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(done.stdout)
    return parsed


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["scan", "nowhere"], "no such file"),
        (["nonsense"], "there is no command"),
        (["scan", ".", "--format", "xlsx"], "invalid choice"),
        (["scan", ".", "--settings", "nowhere.toml"], "no such settings"),
        (["scan", ".", "--check", "nothing"], "no check is named"),
        (["scan", ".", "--since", "main"], "git cannot tell"),
        (["run", "--resume"], "no run to resume"),
        (["run", "-C", "nowhere"], "no such folder"),
        (["verify", "nothing", "--key", "nowhere.pub"], "nowhere.pub"),
        (["explain", "no-such-rule"], "no rule"),
        (["report"], "no run here"),
        (["waive", "no-such-rule", "--owner", "a", "--reason", "b", "--until", "2027-01-01", "--path", "x"], "no rule"),
        (["waive", "pickle-load", "--owner", "a", "--reason", "b", "--until", "soon", "--path", "x"], "no date"),
        (["sign", "nowhere", "--key", "file:x", "--output", "y"], "no such file"),
        (["demo", "--attack", "nuclear"], "no attack"),
        (["new-check", "Bad Name"], "kebab-case"),
        (["keys", "show", "nowhere.pub"], "nowhere.pub"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_reason(tmp_path: Path, args: list[str], says: str) -> None:
    done = shipworthy(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("command", ["run", "scan", "verify"])
def test_broken_settings_are_exit_2_with_their_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "shipworthy.toml").write_text('\n[scan]\nexcldue = ["x"]\n')
    done = shipworthy(command, cwd=tmp_path)
    assert done.returncode == 2
    assert "shipworthy.toml:3" in done.stderr
    assert "exclude" in done.stderr


def test_run_without_training_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print('hello')\n")
    (tmp_path / "shipworthy.toml").write_text("[gates.before-train]\nrequire = []\n")
    done = shipworthy("run", "ml", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no [train]" in done.stderr
    assert "shipworthy init" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[load]\ndatasets = ["data/*.csv"]\n', "matches no file"),
        ('[load]\nmodels = ["s3://models/base/"]\n', "[[load.fetch]]"),
        ('[train]\ncommand = ["python", "t.py"]\ninputs = { train = "missing.csv" }\n', "missing.csv"),
        ('[train]\ncommand = ["python", "t.py"]\ninputs = { train = "../x" }\n', "inside the workspace"),
        ('[evaluate]\ncommand = ["python", "e.py"]\nholdout = "folder"\n', "is a folder"),
        ('[[load.fetch]]\nuri = "ftp://x/y"\nto = "z"\nsha256 = "' + "0" * 64 + '"\n', "not supported"),
        ('[[load.signed]]\npath = "folder"\nsignature = "s"\nkey = "k"\n', "no signature"),
    ],
)
def test_what_the_settings_name_must_be_there(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "shipworthy.toml").write_text(text)
    done = shipworthy("run", "ml", cwd=tmp_path)
    assert done.returncode == (4 if "no signature" in says else 2)
    assert says in " ".join((done.stdout + done.stderr).split())


def test_scan_fetches_nothing_whatever_the_settings_of_the_scanned_folder_say(tmp_path: Path) -> None:
    (tmp_path / "away.txt").write_text("weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "a.py").write_text("a = 1\n")
    entry = f'[[load.fetch]]\nuri = "{(tmp_path / "away.txt").as_uri()}"\nto = "here.txt"\nsha256 = "{digest}"\n'
    (folder / "shipworthy.toml").write_text(entry)
    done = shipworthy("scan", ".", cwd=folder)
    assert not (folder / "here.txt").exists()
    assert done.returncode == 3
    assert "here.txt: declared in [[load.fetch]] and not here" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "text",
    [
        '[[load.fetch]]\nuri = "https://user:{0}@localhost/x"\nto = "x"\nsha256 = "zz"\n',
        '[[load.fetch]]\nuri = "https://{0}@example.org/x"\nto = "x"\nsha256 = "' + "0" * 64 + '"\n',
        '[sign]\npassphrase = ["{0}"]\n',
        '[train]\ncommand = ["python"]\nenv = {{ KEY = ["{0}"] }}\n',
        '[train]\ncommand = ["python"]\nseed = "{0}"\n',
    ],
)
def test_an_error_does_not_repeat_a_password_of_the_settings(tmp_path: Path, text: str) -> None:
    secret = "q7Zp" + "vW3kR9tY"
    (tmp_path / "shipworthy.toml").write_text(text.format(secret))
    done = shipworthy("run", "ml", cwd=tmp_path)
    assert done.returncode in (2, 5)
    assert secret not in done.stdout + done.stderr
    for written in (tmp_path / ".shipworthy").rglob("*"):
        assert not written.is_file() or secret.encode() not in written.read_bytes(), written


@pytest.mark.parametrize("link", [".shipworthy", ".shipworthy/runs", ".shipworthy/store"])
def test_a_run_writes_nowhere_else_through_a_link_that_came_with_the_repository(tmp_path: Path, link: str) -> None:
    folder, away = tmp_path / "repository", tmp_path / "away"
    away.mkdir()
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(away)
    (folder / "train.py").write_text("")
    (folder / "holdout.csv").write_text("id,label\n1,a\n")
    steps = "".join(f'[{name}]\ncommand = ["python", "train.py"]\n' for name in ("train", "evaluate"))
    (folder / "shipworthy.toml").write_text(f'{steps}holdout = "holdout.csv"\n[sign]\nkey = "file:../release.key"\n')
    assert shipworthy("keys", "new", "../release.key", cwd=folder).returncode == 0
    done = shipworthy("run", "ml", cwd=folder)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "leads out of the workspace through a link" in " ".join((done.stdout + done.stderr).split())
    assert not list(away.iterdir())


@pytest.mark.parametrize("entry", [".", "", "bin/.."])
def test_a_program_of_the_scanned_folder_is_not_run_when_path_is_relative(tmp_path: Path, entry: str) -> None:
    folder, mark = tmp_path / "repository", tmp_path / "mark"
    (folder / "bin").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "a.py").write_text("a = 1\n")
    (folder / "git").write_text(f"#!/bin/sh\necho run > {mark}\n")
    (folder / "git").chmod(0o755)
    shipworthy("scan", ".", "--check", "secrets-history", cwd=folder, env={"PATH": f"{entry}:{os.environ['PATH']}"})
    assert not mark.exists()


def test_a_folder_of_oddities_is_scanned_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "self").symlink_to("../loop")
    (tmp_path / "dangling.pkl").symlink_to("/nowhere")
    (tmp_path / "half.ipynb").write_text('{"cells": [')
    (tmp_path / "nul.csv").write_bytes(b"a,b\n1,\0\n")
    (tmp_path / "empty.pkl").touch()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "deep.py").write_text("(" * 5_000)
    (tmp_path / "wrong.py").write_bytes(b"\xff\xfe\x00 not python")
    with open(os.path.join(os.fsencode(tmp_path), b"na\nme\xff.csv"), "wb") as stream:
        stream.write(b"\xff\xfe")
    done = shipworthy("scan", ".", "--format", "json", cwd=tmp_path)
    assert done.returncode in (1, 3)
    parsed = report(done)
    outcomes = {row["uri"]: row["outcome"] for row in parsed["artifacts"]}  # type: ignore[attr-defined]
    assert outcomes["half.ipynb"] in ("finding", "unknown")
    assert outcomes["nul.csv"] in ("finding", "unknown")
    assert outcomes["empty.pkl"] in ("finding", "unknown")
    assert "na%0Ame%FF.csv" in outcomes
    assert "clean" not in {outcomes["half.ipynb"], outcomes["nul.csv"], outcomes["empty.pkl"], outcomes["deep.py"]}


@pytest.mark.slow
def test_a_ten_gigabyte_sparse_file(tmp_path: Path) -> None:
    with (tmp_path / "sparse.bin").open("wb") as stream:
        stream.truncate(10 * 1024**3)
    done = shipworthy("scan", ".", "--format", "json", cwd=tmp_path, timeout=280)
    assert done.returncode in (1, 3)
    (row,) = [r for r in report(done)["artifacts"] if r["uri"] == "sparse.bin"]  # type: ignore[attr-defined]
    assert row["outcome"] in ("finding", "unknown")


def test_json_on_stdout_is_only_json_and_quiet_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    done = shipworthy("scan", ".", "--format", "json", cwd=tmp_path)
    assert report(done)["pipeline"] == "scan"
    quiet = shipworthy("scan", ".", "--quiet", cwd=tmp_path)
    assert len(quiet.stdout.strip().splitlines()) == 1
    assert "SHIPWORTHY" in quiet.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where root may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs to be allowed to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_exit_5_and_earlier_files_stay(small_disk: Path) -> None:
    (small_disk / "a.py").write_text("x = 1\n")
    (small_disk / "report.json").write_text("the earlier report")
    (small_disk / "filler").write_bytes(b"\1" * 230_000)
    done = shipworthy("scan", ".", "--format", "html", "--output", "report.json", cwd=small_disk)
    assert done.returncode == 5
    assert "cannot write" in done.stderr
    assert (small_disk / "report.json").read_text() == "the earlier report"
    assert shipworthy("run", "ml", cwd=small_disk).returncode in (2, 5)


def test_a_read_only_folder_can_be_scanned_and_not_run(small_disk: Path) -> None:
    (small_disk / "a.py").write_text("x = 1\n")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    nowhere = {"XDG_CACHE_HOME": str(small_disk / "c"), "XDG_STATE_HOME": str(small_disk / "s")}
    assert shipworthy("scan", ".", cwd=small_disk, env=nowhere).returncode in (0, 3)
    ran = shipworthy("run", "ml", cwd=small_disk, env=nowhere)
    assert ran.returncode == 5
    assert "cannot be written" in ran.stderr


@pytest.mark.parametrize("behaviour", ["missing", "silent", "half", "crash", "wrong-version"])
@pytest.mark.parametrize("tool", ["ruff", "kingfisher"])
def test_a_broken_tool_is_never_clean(tmp_path: Path, tool: str, behaviour: str) -> None:
    scripts = {
        "silent": 'case "$1" in --version|version) echo TOOL 2.14.0;; *) exit 0;; esac',
        "half": 'case "$1" in --version|version) echo TOOL 2.14.0;; *) printf \'[{"code": \';; esac',
        "crash": 'case "$1" in --version|version) echo TOOL 2.14.0;; *) echo oh >&2; exit 101;; esac',
        "wrong-version": "echo TOOL 0.0.1",
    }
    version = {"ruff": "0.15.1", "kingfisher": "2.14.0"}[tool]
    path = tmp_path / "tools" / tool
    path.parent.mkdir()
    if behaviour != "missing":
        path.write_text("#!/bin/sh\n" + scripts[behaviour].replace("TOOL 2.14.0", f"{tool} {version}") + "\n")
        path.chmod(0o755)
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "a.py").write_text("import subprocess\nsubprocess.run('ls', shell=True)\n")
    (folder / "shipworthy.toml").write_text(f'[tools]\n{tool} = "{path}"\n')
    done = shipworthy("scan", ".", "--format", "json", "--no-cache", cwd=folder)
    checks = {"ruff": "python-security", "kingfisher": "secrets-files"}
    parsed = report(done)
    (check,) = [c for s in parsed["stages"] for c in s["checks"] if c["check"] == checks[tool]]  # type: ignore[attr-defined]
    assert check["outcome"] in ("unavailable", "failed")
    assert done.returncode in (1, 3)
    assert not report(shipworthy("doctor", "--check", checks[tool], "--format", "json", cwd=folder))["healthy"]


def test_a_hanging_tool_is_stopped_and_named(tmp_path: Path) -> None:
    """The deadline of real checks is minutes; here the engine's own deadline is asked for through a tool that hangs
    when it is asked for its version."""
    path = tmp_path / "ruff"
    path.write_text("#!/bin/sh\nsleep 600\n")
    path.chmod(0o755)
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    (folder / "shipworthy.toml").write_text(f'[tools]\nruff = "{path}"\n')
    done = shipworthy("scan", ".", "--check", "python-security", "--format", "json", cwd=folder)
    assert done.returncode == 3
    assert "still running" in done.stdout
