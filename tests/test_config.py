"""Settings: what a person gets for a good file, and for every way of getting one wrong."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.config import Settings, find_settings, load_settings
from shipworthy.config.reference import reference
from shipworthy.config.text import line_of
from shipworthy.errors import UsageError


def settings(tmp_path: Path, text: str, name: str = "shipworthy.toml") -> Settings:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def problem(tmp_path: Path, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, text)
    return caught.value


def test_no_file_gives_strict_defaults(tmp_path: Path) -> None:
    assert find_settings(tmp_path) is None
    gate = load_settings(None).gate("before-train")
    assert (gate.fail_on, gate.require, gate.accept_partial) == ("high", ("*",), ())


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    got = settings(
        tmp_path,
        """
        pipeline = "ml"
        [train]
        command = ["python", "train.py"]
        inputs = { train = "data/train.csv" }
        [train.limits]
        wall-seconds = 60
        [train.early-stopping]
        min-delta = 1
        [gates.before-sign]
        rules = ["metric('accuracy').low >= 0.8"]
        [[waivers]]
        rule = "a-rule"
        path = "x/**"
        owner = "ada"
        reason = "known"
        until = 2030-01-31
        """,
    )
    assert got.train is not None
    assert got.train.limits.wall_seconds == 60
    assert got.train.early_stopping is not None
    assert got.train.early_stopping.min_delta == 1.0
    assert got.gate("before-sign").rules == ("metric('accuracy').low >= 0.8",)
    assert got.waivers[0].until == date(2030, 1, 31)
    assert got.digest.startswith("sha256:")


def test_pyproject_is_used_when_it_has_the_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert find_settings(tmp_path) is None
    assert settings(tmp_path, '[tool.shipworthy]\nproject = "named"\n', "pyproject.toml").project == "named"
    assert find_settings(tmp_path) == tmp_path / "pyproject.toml"


def test_an_unknown_key_names_its_line_and_what_was_meant(tmp_path: Path) -> None:
    error = problem(tmp_path, '# comment\n\n[gates.before-train]\nfail-no = "high"\n')
    assert error.where == "shipworthy.toml:4"
    assert "fail-no" in error.message
    assert "`fail-on`" in error.remedy


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('pipelin = "ml"\n', 1, "pipeline"),
        ('pipeline = "mk"\n', 1, "ml"),
        ('[train]\ncommand = "python train.py"\n', 2, "list"),
        ('[train]\ncommand = ["x"]\nsandbox = "off"\n', 3, "no-network"),
        ("[scan]\njobs = true\n", 2, "whole number"),
        ('[gates.befor-train]\nfail-on = "high"\n', 1, "before-train"),
        ('[[waivers]]\nrule = "a"\nowner = "o"\nreason = "r"\nuntil = 2030-01-01\n', 1, "path"),
        ('[[waivers]]\nrule = "a"\nowner = "o"\nreason = "r"\npath = "p"\n', 1, "until"),
        (
            '[[waivers]]\nrule="a"\nowner="o"\nreason="r"\npath="p"\nuntil=2030-01-01\n[[waivers]]\nrule = ""\n',
            7,
            "rule",
        ),
        ("load = 3\n", 1, "table"),
        ('[train]\ncommand = ["x"]\n[train.early-stopping]\nmode = "lowest"\n', 4, "min"),
    ],
)
def test_every_mistake_is_placed_and_explained(tmp_path: Path, text: str, line: int, says: str) -> None:
    error = problem(tmp_path, text)
    assert error.where == f"shipworthy.toml:{line}"
    assert says in f"{error.message} {error.remedy}"


@pytest.mark.parametrize("data", [b"[gates.x\n", b"\xff\xfe\x00", b"a = 1\na = 2\n", b"x = " + b"[" * 5000])
def test_what_is_not_toml_is_a_usage_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "shipworthy.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        load_settings(path)


def test_a_folder_in_place_of_the_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "shipworthy.toml").mkdir()
    found = find_settings(tmp_path)
    with pytest.raises(UsageError, match="directory"):
        load_settings(found)


@given(st.text(alphabet="[]=.\"'\n ab1,{}#", max_size=60))
def test_no_text_makes_the_reader_break(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("settings") / "shipworthy.toml"
    path.write_text(text, encoding="utf-8")
    try:
        load_settings(path)
    except UsageError as error:
        assert error.message


def test_lines_are_found_in_nested_tables_and_lists() -> None:
    text = '[a]\nx = 1\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n[c]\n"d-e" = 3\n'
    assert line_of(text, ("a", "x")) == 2
    assert line_of(text, ("a", "b", 1, "y")) == 6
    assert line_of(text, ("c", "d-e")) == 8
    assert line_of(text, ("nowhere",)) == 0


def test_every_key_is_documented() -> None:
    rows = reference()
    assert len(rows) > 50
    assert all(text for _, _, _, text in rows)
    assert {"gates.<name>.fail-on", "train.limits.memory-mb", "waivers[].until"} <= {row[0] for row in rows}
