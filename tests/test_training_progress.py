"""The progress file is whatever the training makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shipworthy.training.progress import Progress


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_what_is_no_file_is_a_problem_not_a_crash(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "progress.jsonl"
    make(path)
    progress = Progress(path, None)
    assert "the file" in progress.look()
    assert progress.problem
