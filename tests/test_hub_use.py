"""The hub where it is needed: a finding's page in the terminal, and what a page says of the newest run here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.cli.hub_explain import before_the_rules, rule_lines
from shipworthy.cli.hub_text import markdown
from shipworthy.hub import Hub, load
from shipworthy.hub.seen import rules_about, seen


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load(all_rules())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run in which a rule was found three times."""
    monkeypatch.chdir(tmp_path)
    code = "import tarfile\nwith tarfile.open('a.tar') as one:\n    one.extractall('x')\n"
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(code.replace("'x'", f"'{name}'"))
    (tmp_path / "shipworthy.toml").write_text(
        '[scan]\nchecks = ["python-ml"]\n[gates.before-train]\nrules = ["size(findings) == 0"]\n'
    )
    assert main(["run", "ml", "--quiet"]) == 1
    return tmp_path


def test_a_rule_is_explained_from_what_it_is_to_what_to_read(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tar-extract-unfiltered"]) == 0
    told = capfd.readouterr().out
    parts = ("What it is", "Why it matters", "How it is attacked", "Techniques", "What to do", 'filter="data"')
    parts += (
        "How to fix it, in general",
        "Weaknesses, risks and controls",
        "CWE-22",
        "Further reading",
        "hub show topic/",
    )
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
    assert all(len(line) <= 100 for line in told.splitlines() if not line.startswith("    "))
    assert "\x1b[" not in told


def test_the_fix_of_another_rule_is_not_shown(hub: Hub) -> None:
    rule = all_rules()["tar-extract-unfiltered"]
    lines = "\n".join(rule_lines(hub, rule, None, 100))
    other = next(name for name in hub.topics[rule.help].fixes if name != rule.id)
    assert other not in lines
    assert "###" not in lines


def test_code_that_looks_like_a_heading_ends_nothing() -> None:
    text = "Do so:\n\n```sh\n### a comment\nrun\n```\n\n### `rule-id`\nOnly for it.\n"
    assert before_the_rules(text).endswith("run\n```")


def test_text_is_broken_at_the_width_and_code_is_not() -> None:
    text = "- " + "word " * 30 + "\n\n```python\n" + "x = 1  # " + "long " * 30 + "\n```\n"
    lines = markdown(text, 60)
    assert all(len(line) <= 60 for line in lines[: lines.index("")])
    assert lines[1].startswith("  word")
    assert len(lines[-1]) > 100


def test_hostile_text_is_no_markup_and_steers_no_terminal() -> None:
    from rich.text import Text

    lines = markdown(
        "[red]x[/red] \x1b[31m `[bold]` \\\n\n```py\n[/]\x1b]8;;https://evil.invalid\x07\n```", 40, colour=True
    )
    shown = "\n".join(Text.from_markup(line).plain for line in lines)
    assert "[red]x[/red]" in shown
    assert "[bold]" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_code_is_in_colour_where_that_shows() -> None:
    assert any("blue" in line or "magenta" in line for line in markdown("```python\nimport os\n```", colour=True))


def test_a_page_says_how_often_it_was_found_in_the_newest_run(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    for name in ("rule/tar-extract-unfiltered", "topic/archive-extraction", "CWE-22", "modelaudit"):
        assert main(["hub", "show", name]) == 0
        assert "found 3 times in the newest run here" in capfd.readouterr().out, name
    assert main(["hub", "show", "topic/tls"]) == 0
    assert "newest run" not in capfd.readouterr().out
    assert main(["hub", "show", "rule/tar-extract-unfiltered", "--format", "json"]) == 0
    marks = json.loads(capfd.readouterr().out)["seen"]
    assert len(marks) == 3
    assert main(["explain", marks[0][:10]]) == 0
    told = capfd.readouterr().out
    assert told.startswith("a.py line 3")
    assert "How it is attacked" in told
    assert main(["explain", marks[0][:10], "-q"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 1


def test_without_a_run_nothing_is_said_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["hub", "show", "trivy", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["seen"] is None
    assert main(["explain", "archive-extraction"]) == 0
    assert "What it is" in capfd.readouterr().out


def test_an_entry_is_about_the_rules_of_its_topics(hub: Hub) -> None:
    assert "tar-extract-unfiltered" in {rule.id for rule in rules_about(hub, "tool/modelaudit")}
    assert seen(hub, "tool/modelaudit", ()).findings == ()
    assert str(seen(hub, "tool/modelaudit", ())) == "not found"
