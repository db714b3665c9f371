"""A stranger adds a check: one command, and what it writes works, is typed, is tidy and is documented."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMES = ("wears-brown", "many-shoes")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, to which two checks were added."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("src", "docs", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (folder / "tests").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "tests/conftest.py"):
        shutil.copyfile(ROOT / name, folder / name)
    one = in_checkout(
        folder, "-m", "shipworthy", "new-check", NAMES[0], "--category", "fashion", "--kind", "dockerfile"
    )
    two = in_checkout(folder, "-m", "shipworthy", "new-check", NAMES[1], "--category", "fashion", "--scope", "tree")
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert "tests/test_wears_brown.py" in one.stdout
    return folder


def in_checkout(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
    )


def test_the_tests_that_were_written_pass(checkout: Path) -> None:
    done = in_checkout(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_what_was_written_is_tidy_and_typed(checkout: Path) -> None:
    ruff = str(Path(sys.executable).parent / "ruff")
    written = [str(p.relative_to(checkout)) for p in (checkout / "src/shipworthy/checks/fashion").glob("*.py")]
    written += [f"tests/test_{name.replace('-', '_')}.py" for name in NAMES]
    assert len(written) == 5
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run([ruff, *command, *written], cwd=checkout, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_what_was_written_is_typed(checkout: Path) -> None:
    done = in_checkout(checkout, "-m", "mypy", "-p", "shipworthy.checks.fashion")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_that_was_written_is_the_one_that_the_code_makes(checkout: Path) -> None:
    pages = {name: checkout / "docs" / "checks" / f"{name}.md" for name in NAMES}
    before = {name: page.read_text() for name, page in pages.items()}
    done = in_checkout(checkout, "scripts/make_docs.py")
    assert done.returncode == 0, done.stderr
    assert {name: page.read_text() for name, page in pages.items()} == before


def test_doctor_sees_the_samples(checkout: Path) -> None:
    done = in_checkout(checkout, "-m", "shipworthy", "doctor", "--check", "fashion", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row["check"]: row["seen"] for row in json.loads(done.stdout)["checks"]} == dict.fromkeys(NAMES, True)


def test_a_scan_uses_them_without_anything_else_being_edited(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nreplace me\n")
    done = in_checkout(checkout, "-m", "shipworthy", "scan", str(tmp_path), "--check", "fashion", "--format", "json")
    assert "wears-brown" in {finding["rule"] for finding in json.loads(done.stdout)["findings"]}, done.stdout


def test_nothing_is_written_over(checkout: Path) -> None:
    done = in_checkout(checkout, "-m", "shipworthy", "new-check", NAMES[0], "--category", "fashion")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert "Traceback" not in done.stderr
