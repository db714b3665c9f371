"""What is counted is said in the number that it has."""

from pathlib import Path

import pytest

from shipworthy.cli import main


def test_the_notes_of_a_scan_count_in_words_for_one_and_for_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text,label\nhello,0\nbye,1\n")
    (tmp_path / "requirements.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    main(["scan", ".", "--format", "markdown"])
    main(["scan", "."])
    said = " ".join(capsys.readouterr().out.split())
    assert "2 datasets, 1 requirements file" in said
