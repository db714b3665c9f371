"""What a newcomer meets in the first half hour: messages that are true and say what to do next."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def shipworthy(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_folder_without_files_is_not_called_worthy(tmp_path: Path) -> None:
    done = shipworthy("scan", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "no file to look at" in done.stderr
    assert "SHIPWORTHY" not in done.stdout
    assert "nothing to look at here" in shipworthy(cwd=tmp_path).stdout


def test_a_doctor_who_examined_nobody_does_not_say_healthy(tmp_path: Path) -> None:
    done = shipworthy("doctor", "--check", "no-such-check", "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no check is named no-such-check" in done.stderr


def test_init_names_the_key_that_its_next_step_makes(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    done = shipworthy("init", cwd=project)
    settings = (project / "shipworthy.toml").read_text()
    assert '[sign]\nkey = "file:../keys/{role}.key"' in settings
    assert "shipworthy keys new --roles ../keys" in done.stdout
    assert shipworthy("keys", "new", "--roles", "../keys", cwd=project).returncode == 0
    run = shipworthy("run", "ml", "-q", cwd=project)
    assert run.returncode == 2
    assert "there is no [train]" in run.stderr
    assert "docs/training.md" in run.stderr  # not `shipworthy init`, which has just been run


def test_a_service_without_a_model_is_told_what_its_build_needs(tmp_path: Path) -> None:
    """A Dockerfile and a program: `init` sees both, and what was found before the build could not begin is told."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("print('hello')\n")
    (project / "Dockerfile").write_text(
        'FROM python:3.12 AS made\nFROM made\nEXPOSE 8123/tcp\nCMD ["python", "app.py"]\n'
    )
    assert shipworthy("init", cwd=project).returncode == 0
    settings = (project / "shipworthy.toml").read_text()
    for line in ('pipeline = "dev"', "port = 8123", '# "python:3.12" = "this-python"', "[gates.before-release]"):
        assert line in settings
    assert "[train]" not in settings
    assert shipworthy("keys", "new", "--roles", "../keys", cwd=project).returncode == 0
    run = shipworthy("run", cwd=project, COLUMNS="200")
    assert run.returncode == 2, run.stdout + run.stderr
    for words in ("dockerfile-base-unpinned", 'the base image "python:3.12" is not at hand', "[scan] offline = false"):
        assert words in run.stdout
    assert "is not at hand" in run.stderr
    record = shipworthy("run", "--format", "json", cwd=project)
    assert json.loads(record.stdout)["exit_code"] == record.returncode == 2
    assert "is not at hand" in record.stderr


def test_a_service_of_node_is_not_offered_a_base_of_python(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "server.js").write_text("require('http').createServer().listen(8080)\n")
    (project / "package.json").write_text('{"name": "greeter", "version": "1.0.0", "private": true}')
    (project / "Dockerfile").write_text('FROM docker.io/library/node:20-slim\nCMD ["node", "server.js"]\n')
    assert shipworthy("init", cwd=project).returncode == 0
    settings = (project / "shipworthy.toml").read_text()
    assert "skopeo copy docker://docker.io/library/node:20-slim oci:../bases/node" in settings
    assert "npm ci" in settings
    assert "this-python" not in settings
    assert "wheels" not in settings
    (project / "shipworthy.toml").write_text(settings.replace("# accept-partial", "accept-partial"))
    assert shipworthy("keys", "new", "--roles", "../keys", cwd=project).returncode == 0
    run = shipworthy("run", cwd=project, COLUMNS="200")
    assert run.returncode == 2, run.stdout + run.stderr
    assert "is not at hand" in run.stderr
    assert "this-python" not in run.stdout + run.stderr


def test_runs_do_not_make_the_repository_look_changed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("A project\n")
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    shipworthy("run", "dev", "-q", cwd=tmp_path)
    assert (tmp_path / ".shipworthy" / "runs").is_dir()
    state = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert state.stdout == ""


def test_a_finding_is_waived_by_the_id_that_the_terminal_shows(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text("import pickle\n\nmodel = pickle.load(open('model.pkl', 'rb'))\n")
    (tmp_path / "shipworthy.toml").write_text('project = "waived"\n')
    shipworthy("run", "ml", "-q", cwd=tmp_path)
    (folder,) = (tmp_path / ".shipworthy" / "runs").iterdir()
    one = json.loads((folder / "run.json").read_text())["findings"][0]
    start = one["fingerprint"][:12]
    words = ("--owner", "ada@example.org", "--reason", "a test", "--until", _soon())
    assert shipworthy("waive", start, *words, cwd=tmp_path).returncode == 0
    assert f'fingerprint = "{one["fingerprint"]}"' in (tmp_path / "shipworthy.toml").read_text()
    unknown = shipworthy("waive", "0123456789ab", *words, cwd=tmp_path)
    assert unknown.returncode == 2
    assert "no run here has that finding" in unknown.stderr


def _soon() -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


def test_a_run_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)\n")
    shipworthy("run", "dev", "-q", cwd=tmp_path)
    (folder,) = (tmp_path / ".shipworthy" / "runs").iterdir()
    done = shipworthy("report", "20200101T000000Z-000000", cwd=tmp_path)
    assert done.returncode == 2
    assert folder.name in done.stderr


def test_a_new_check_passes_the_linter_as_it_is_written(tmp_path: Path) -> None:
    from shipworthy.cli.new_check import __file__ as source

    root = Path(source).parents[3]
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "docs/checks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())
    for scope in ("artifact", "batch", "tree"):
        done = shipworthy("new-check", f"my-{scope}", "--scope", scope, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["check"], ["format", "--check"]):
        told = subprocess.run([ruff, *command, "src/shipworthy/checks", "tests"], cwd=tmp_path, capture_output=True)
        assert told.returncode == 0, told.stdout.decode()


def test_a_narrow_terminal_cuts_no_word(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text("import pickle\n\nmodel = pickle.load(open('model.pkl', 'rb'))\n")
    wide = shipworthy("scan", ".", cwd=tmp_path, COLUMNS="140").stdout
    narrow = shipworthy("scan", ".", cwd=tmp_path, COLUMNS="70").stdout
    rules = {word for word in wide.split() if word.startswith("repository-no-")}
    assert rules
    assert rules <= set(narrow.split())
    assert max(len(line) for line in narrow.splitlines() if not line.startswith(("SHIP", "NOT SHIP"))) <= 70


def test_a_gap_says_why_in_the_pull_request_and_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==2.3.5\n")
    for form in ("markdown", "html"):
        told = shipworthy("scan", ".", "--format", form, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path.parent)).stdout
        coverage = told.partition("### Not looked at" if form == "markdown" else 'id="coverage"')[2]
        assert "embedded advisories" in coverage
        assert "0 of 0" not in coverage
