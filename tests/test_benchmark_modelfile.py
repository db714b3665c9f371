"""The benchmark of the model scanner: peers that hang, crash or die must neither stop it nor be taken for an answer."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

# Judges by the name of the file; one kills the driver above it, as a crash of the interpreter would.
SCANNER = """
import os, signal, sys, time
def main():
    path = sys.argv[-1]
    if "hang" in path:
        time.sleep(600)
    if "killer" in path:
        os.kill(os.getppid(), signal.SIGKILL)
    if "crash" in path:
        raise ValueError("Traceback")
    return 1 if "evil" in path else 0
"""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    for folder in (BENCHMARKS, BENCHMARKS / "modelfile"):
        monkeypatch.syspath_prepend(str(folder))
    import environments
    import figures
    import judge
    import speed

    yield {"environments": environments, "figures": figures, "judge": judge, "speed": speed}
    for name in ("environments", "figures", "judge", "speed", "measure", "published"):
        sys.modules.pop(name, None)


@pytest.fixture
def tool(bench: Any, tmp_path: Path) -> Any:
    room = tmp_path / "environment"
    venv.create(room, with_pip=False)
    (packages,) = room.glob("lib/python3*/site-packages")
    (packages / "fake.py").write_text(SCANNER)
    about = packages / "fake-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fake\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[console_scripts]\nfake = fake:main\n")
    return bench["environments"].Tool("fake", room / "bin" / "python", ("scan",), frozenset((0,)), "1.0")


def test_every_file_is_answered_once_whatever_the_scanner_does(bench: Any, tool: Any, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    names = ["good", "evil", "hang", "killer", "crash", "good too"]
    cases = []
    for name in names:
        (folder / name).write_text(name)
        cases.append(bench["judge"].case(folder / name, "group"))
    work = tmp_path / "work"
    work.mkdir()
    answers = bench["judge"].Judge(work, 1, 2).ask({tool: cases})["fake"]
    verdicts = {path.name: answer.verdict for path, answer in answers.items()}
    refused = dict.fromkeys(("hang", "killer", "crash"), "refused")
    assert verdicts == {"good": "quiet", "evil": "found", "good too": "quiet", **refused}

    # kept: the scanner is not asked again, but for a file that changed
    next(tool.python.parents[1].glob("lib/python3*/site-packages/fake.py")).unlink()
    assert bench["judge"].Judge(work, 1, 2).ask({tool: cases})["fake"] == answers
    (folder / "good").write_text("changed")
    with pytest.raises(bench["judge"].NotStartedError):
        bench["judge"].Judge(work, 1, 2).ask({tool: [bench["judge"].case(folder / "good", "group")]})


def test_the_table_tells_goals_met_missed_and_not_run(bench: Any, tmp_path: Path) -> None:
    timed = bench["speed"].Timed
    figures = bench["figures"].Figures()
    text = "\n".join(bench["figures"].table(figures, tmp_path / "none.toml"))
    assert text.count("not run") == 12
    figures.right, figures.attacks, figures.stopped, figures.command = 0.995, 200, 0.97, (99, 100)
    figures.found = {"shipworthy": 0.99, "careful": 0.5, "loud": 0.9}
    figures.flagged = {"shipworthy": (0, 100), "careful": (1, 100), "loud": (60, 100)}
    figures.published = {"shipworthy": (99, 100), "careful": (33, 100), "loud": (95, 100)}
    figures.library["1.2 GB torch zip"] = timed(0.04, 30, 20, 0)
    figures.commands["1.2 GB torch zip"] = {
        "shipworthy": timed(1.0, 30, 20, 0), "careful": timed(3.0, 30, 20, 0), "loud": timed(0.1, 9, 9, 2)
    }  # fmt: skip
    figures.library["2,000 small models"] = timed(0.9, 30, 20, 0)
    figures.compiled["2,000 small models"] = timed(0.3, 30, 20, 0)
    figures.commands["2,000 small models"] = {"shipworthy": timed(2.0, 30, 20, 0)}
    figures.passes = {"big.pt": (1.01, 1.2)}
    measured = tmp_path / "measured.toml"
    measured.write_text('[random]\nvalue = "all"\nmet = true\nfrom = "X.md"\n')
    _, _, _, _, _, _, *rows = bench["figures"].table(figures, measured)
    attacks, theirs, unseen, honest, flagged, allowed, random, zip_, passes, _, small, *_ = rows
    assert "99.5 % of 200, and 97.0 % stop" in attacks
    assert "for 99 of 100 files" in attacks
    assert "99 of 100 | met | careful 33.0 %" in theirs
    assert "not run" in unseen
    assert "**missed**" in attacks
    assert "careful 50.0 %" in attacks
    assert "1.98" in attacks
    assert "not run" in honest
    assert "not run" in allowed
    assert "0 of 100 | met" in flagged
    assert "all (X.md) | met" in random
    assert "0.040 s, 20 MB" in zip_
    assert "| met |" in zip_
    assert "careful 3.00 s" in zip_
    assert "3.00 |" in zip_
    assert "**missed**" in passes
    assert "0.90 s in pure Python, 0.30 s compiled" in small
    assert "| met (compiled) |" in small
    del figures.compiled["2,000 small models"]
    (small,) = (row for row in bench["figures"].table(figures, measured) if "2,000" in row)
    assert "no compiled form here" in small
    assert "| **missed** |" in small


def test_what_others_publish_is_taken_at_a_commit(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import published

    clone = tmp_path / "clones" / "theirs"
    (clone / "tests").mkdir(parents=True)

    def git(*args: str) -> str:
        author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        return subprocess.run(["git", "-C", clone, *author, *args], check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    for name in ("evil.pkl", "evil-text.pkl", "good.pkl"):
        (clone / "tests" / name).write_bytes(name.encode())
    git("add", "."), git("commit", "-qm", "1")
    commit = git("rev-parse", "HEAD").strip()
    (clone / "tests" / "evil.pkl").write_bytes(b"of a later commit")
    git("commit", "-qam", "2")
    row = f'repository = "https://invalid.invalid/x"\ncommit = "{commit}"\n'
    row += 'attacks = ["tests/evil*"]\nleft_out = ["tests/evil-text.pkl"]\nhonest = ["tests/good.pkl", "tests/*.pkl"]\n'
    (tmp_path / "published.toml").write_text(f"[theirs]\n{row}")
    monkeypatch.setattr(published, "HERE", tmp_path)
    found = list(published.cases(tmp_path / "work", tmp_path / "clones"))
    assert [(kind, item.path.name, item.group) for kind, item in found] == [
        ("attacks", "evil.pkl", "theirs"),
        ("honest", "good.pkl", "theirs"),
    ]
    assert found[0][1].path.read_bytes() == b"evil.pkl"
    (tmp_path / "published.toml").write_text(f"[theirs]\n{row.replace('evil*', 'gone*')}")
    with pytest.raises(SystemExit, match="matches nothing"):
        list(published.cases(tmp_path / "work", tmp_path / "clones"))
