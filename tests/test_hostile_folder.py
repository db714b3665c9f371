"""Started in a folder of somebody else's, no command imports what lies there."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

# of the standard library and of what is installed: imported late, by the workers' server, by a report or by a check
MODULES = (  # without what `python -m` itself imports first, which only `-P` prevents
    "__future__ dis typing json re enum signal socket selectors struct tempfile random pickle csv zipfile tomllib"
    " ruff rich jinja2 cryptography packaging numpy sitecustomize usercustomize"
).split()
AS_A_MODULE = [sys.executable, "-m", "shipworthy"]
AS_A_COMMAND = [sys.executable, "../bin/shipworthy"]  # what an installer writes
COMMANDS = (  # with the exit code
    (0, "doctor --check model-file --check python-security"),
    (1, "scan . --no-cache"),
    (2, "run dev"),
    (1, "run ml"),
    (0, "sign weights.pkl --key ../release.key --output ../weights.sig"),
    (0, "verify weights.pkl --key ../release.key.pub"),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("place")
    folder, programs = tmp_path / "theirs", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "shipworthy").write_text("import sys\nfrom shipworthy.cli import main\nsys.exit(main())\n")
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r} + ' ')\n")
    (folder / "weights.pkl").write_bytes(pickle.dumps({"weights": [1.0]}))
    (folder / "shipworthy.toml").write_text(
        '[train]\ncommand = ["python", "train.py"]\noutputs = { model = "model" }\n'
    )
    for words in ("keys new ../release.key", "sign weights.pkl --key ../release.key --output weights.pkl.sig"):
        subprocess.run([sys.executable, "-P", "-m", "shipworthy", *words.split()], cwd=folder, check=True)
    info = folder / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[shipworthy.checks]\ntheirs = ruff\n")
    return folder


@pytest.mark.parametrize("program", [AS_A_MODULE, AS_A_COMMAND], ids=("module", "command"))
@pytest.mark.parametrize(("code", "words"), COMMANDS)
def test_a_command_imports_nothing_from_the_folder_that_it_is_started_in(
    program: list[str], code: int, words: str, hostile: Path
) -> None:
    done = subprocess.run([*program, *words.split()], cwd=hostile, capture_output=True, text=True, timeout=120)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
    assert not (hostile.parent / "ran").exists(), (hostile.parent / "ran").read_text()
