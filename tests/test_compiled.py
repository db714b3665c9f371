"""The compiled form of the reader of model files: built from the same source, it says the same of every file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpora import hostile
from fuzz import archives, pickles, readers

ROOT = Path(__file__).parents[1]
MODELS = Path(__file__).parent / "data" / "models"
ANSWERS = Path(__file__).parent / "fuzz" / "answers.py"
COMPILER = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0])
HEADERS = Path(sysconfig.get_path("include"), "Python.h")

pytestmark = pytest.mark.slow
needs_a_compiler = pytest.mark.skipif(
    not COMPILER or not HEADERS.exists(),
    reason="no C compiler with Python's headers is here (Debian: gcc, python3-dev)",
)


def built(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps", "-w", folder, ROOT]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def samples(folder: Path) -> Iterator[Path]:
    """The corpora, and what the fuzzers make of them."""
    yield from sorted(path for path in MODELS.rglob("*") if path.is_file())
    for number, unit in enumerate(hostile.units()):
        yield hostile.write(unit, folder / f"hostile-{number}")
    for kind, count, made in (
        ("pickle", 4000, pickles.sample),
        ("archive", 600, archives.sample),
        ("reader", 1500, lambda number: readers.sample(number).data),
    ):
        for number in range(count):
            path = folder / f"{kind}-{number}"
            path.write_bytes(made(number))
            yield path


def answers(form: Path, paths: list[Path]) -> list[str]:
    env = {**os.environ, "PYTHONPATH": str(form), "PYTHONHASHSEED": "0"}
    text = "".join(f"{path}\n" for path in paths)
    run = subprocess.run([sys.executable, ANSWERS], input=text, capture_output=True, text=True, check=False, env=env)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@needs_a_compiler
def test_the_compiled_form_says_the_same_of_every_file(tmp_path: Path) -> None:
    run = built(tmp_path / "wheel", SHIPWORTHY_COMPILE="1")
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = (tmp_path / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "form")
    paths = list(samples(tmp_path))
    form, *compiled = answers(tmp_path / "form", paths)
    other, *pure = answers(ROOT / "src", paths)
    assert (form, other) == ("compiled", "pure")
    assert len(pure) == len(paths) > 7000
    differ = [(path.name, *both) for path, *both in zip(paths, pure, compiled, strict=True) if both[0] != both[1]]
    assert not differ, f"{len(differ)} differ, the first: {differ[0]}"


def test_without_the_switch_the_wheel_is_pure_and_needs_no_compiler(tmp_path: Path) -> None:
    run = built(tmp_path, CC="/nowhere/cc", SHIPWORTHY_COMPILE="")
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = tmp_path.iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]


@pytest.mark.parametrize(("value", "text"), [("1", "it needs a C compiler"), ("yes", "1 builds a compiled wheel")])
def test_what_can_not_be_compiled_is_told_plainly(tmp_path: Path, value: str, text: str) -> None:
    run = built(tmp_path, CC="/nowhere/cc", SHIPWORTHY_COMPILE=value)
    assert run.returncode != 0
    assert text in run.stdout + run.stderr
