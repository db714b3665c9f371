"""The example of docs/training.md, run word for word."""

import random
import re
from pathlib import Path

from test_cli_newcomer import shipworthy

PAGE = Path(__file__).parents[1] / "docs" / "training.md"


def _table(path: Path, count: int, first: int, draw: random.Random) -> None:
    lines = ["id,a,b,label"]
    for number in range(first, first + count):
        sign = draw.choice((-1, 1))
        lines.append(
            f"{number},{draw.gauss(1.5 * sign, 1):.4f},{draw.gauss(sign, 1):.4f},{'yes' if sign > 0 else 'no'}"
        )
    path.write_text("\n".join(lines) + "\n")


def test_the_example_is_trained_measured_signed_and_verified(tmp_path: Path) -> None:
    project, page = tmp_path / "project", PAGE.read_text(encoding="utf-8")
    (project / "data").mkdir(parents=True)
    draw = random.Random(5)
    _table(project / "data" / "train.csv", 400, 0, draw)
    _table(project / "data" / "holdout.csv", 300, 1000, draw)
    named = re.findall(r"^`([a-z]+\.(?:py|toml))`.*\n\n```(?:python|toml)\n([\s\S]*?)```", page, re.MULTILINE)
    assert [name for name, _ in named] == ["train.py", "evaluate.py", "shipworthy.toml"]
    for name, text in named:
        (project / name).write_text(text)
    for line in re.findall(r"^shipworthy (.*)$", page, re.MULTILINE):
        done = shipworthy(*line.split(), cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED" in done.stdout
