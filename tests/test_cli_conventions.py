"""What every command has in common: `--quiet`, `--output`, and errors that say what to write instead."""

from pathlib import Path

import pytest

from shipworthy.cli import main
from shipworthy.keys import new_key


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["scna"])
    assert "there is no command `scna`; did you mean scan?" in capsys.readouterr().err


def test_a_rule_that_does_not_parse_is_told_with_file_and_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shipworthy.toml").write_text('[gates.scan]\nrules = ["a =="]\n[scan]\nchecks = ["python-ml"]\n')
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    assert main(["scan", ".", "-q"]) == 2
    told = capsys.readouterr().err
    assert "shipworthy.toml: gates.scan.rules: `a ==`: this is not an expression (CEL) near character 5" in told
    assert "expecting" not in told


def test_a_day_that_has_passed_gets_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["waive", "x", "--owner", "ada", "--reason", "because", "--until", "2020-01-01"]) == 2
    assert "what to do: such as 20" in capsys.readouterr().err


def test_quiet_prints_the_one_thing_that_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_key(tmp_path / "k.key")
    assert main(["keys", "show", str(tmp_path / "k.key.pub"), "-q"]) == 0
    assert len(capsys.readouterr().out.split()) == 1
    assert main(["explain", "python-exec", "-q"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["db", "status", "--output", str(tmp_path / "status.txt")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "status.txt").read_text().endswith("\n")


@pytest.mark.parametrize("command", [["keys", "show"], ["db", "import"], ["db", "status"], ["db", "update"]])
def test_each_help_has_examples_of_its_own(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    examples = capsys.readouterr().out.partition("examples:\n")[2].splitlines()
    assert examples
    assert all(line.strip().startswith(f"shipworthy {' '.join(command)}") for line in examples)


def test_verify_takes_the_signature_that_lies_beside_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_key(tmp_path / "k.key")
    new_key(tmp_path / "other.key")
    data = tmp_path / "data"
    data.mkdir()
    (data / "train.csv").write_text("a,b\n1,2\n")
    assert main(["sign", str(data), "--key", str(tmp_path / "k.key"), "--output", str(tmp_path / "data.sig")]) == 0
    verify = ["verify", str(data), "-C", str(tmp_path), "--key"]
    assert main([*verify, str(tmp_path / "k.key.pub")]) == 0
    assert "VERIFIED: 1 link holds" in capsys.readouterr().out
    assert main([*verify, str(tmp_path / "other.key.pub")]) == 4
    (data / "train.csv").write_text("a,b\n1,3\n")
    capsys.readouterr()
    assert main([*verify, str(tmp_path / "k.key.pub")]) == 4
    assert "data is not what was signed: train.csv changed" in " ".join(capsys.readouterr().out.split())
    data.rename(tmp_path / "model")
    (tmp_path / "data.sig").rename(tmp_path / "model.sig")
    assert main(["verify", str(tmp_path / "model"), "-C", str(tmp_path), "--key", str(tmp_path / "k.key.pub")]) == 4
    assert "it is the signature of `data`" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ("01", 'positive = "1"  # of "0" and "1"'),
        (("ham", "spam"), '# positive = "spam"  # of "ham" and "spam"'),
        ("abc", ""),
    ],
)
def test_init_names_the_positive_class_of_two(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    values: tuple[str, ...],
    line: str,
) -> None:
    (tmp_path / "evaluate.py").write_text("x = 1\n")
    rows = "".join(f"some words,{value}\n" for value in values)
    (tmp_path / "holdout.csv").write_text(f"text,label\n{rows}")
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--print"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [one for one in told if "positive =" in one] == ([line] if line else [])
    if line:
        assert told[told.index(line) - 1] == 'label = "label"'
