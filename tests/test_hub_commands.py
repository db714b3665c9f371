"""`shipworthy hub`: what a person sees, in a terminal and elsewhere."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.cli.hub_browse import Browser
from shipworthy.cli.hub_cards import card, markdown
from shipworthy.errors import ExitCode
from shipworthy.hub import Entry, Hub, load
from shipworthy.hub.numbers import numbers


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load(all_rules())


@pytest.fixture(autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compiled of the hub is compiled once for all of these tests, not for each."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "hub-cache"))


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["hub", *arguments]) == code
    return capsys.readouterr().out


def test_a_search_names_the_page_and_how_to_open_it(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "search", "trivy")
    assert out.startswith("Trivy  tool/trivy\n")
    assert "`shipworthy hub show tool/trivy` opens the first" in out
    assert "\x1b" not in out


def test_a_search_says_what_it_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert "understood: year ≥ 2023" in said(capsys, "search", "papers on clean-label poisoning since 2023")


def test_a_search_that_finds_nothing_says_so_and_fails_as_grep_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing found" in said(capsys, "search", "zzzzqqqq", code=1)
    assert main(["hub", "search"]) == ExitCode.USAGE


def test_a_search_as_json_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "search", "sbom", "--kind", "tool", "--limit", "3", "--format", "json"))
    assert len(found) == 3
    assert set(found[0]) == {"page", "title", "score", "line", "url"}
    assert all(one["page"].startswith("tool/") for one in found)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("trivy",), ("Apache-2.0", "maintained", "Related", "pin it by digest")),
        (("tfsec",), ("It is archived; use trivy",)),
        (("LLM03:2025",), ("Rules that give evidence", "LLM04:2026 Supply Chain", "rule/vulnerable-dependency")),
        (("AISVS", "C6.1"), ("Model Artifact Integrity",)),
        (("owasp-llm-2025",), ("LLM01:2025 Prompt Injection", "superseded by")),
        (("rule/model-code-execution",), ("What to do", "topic/unsafe-model-deserialization")),
        (("stage/model-scan",), ("What goes wrong", "ml/model-scan")),
        (("path/newcomer",), ("1. What it is about",)),
        (("topic/prompt-injection",), ("How it is attacked", "How to fix it", "rule/")),
    ],
)
def test_every_kind_of_page_is_shown(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: tuple[str, ...]
) -> None:
    out = " ".join(said(capsys, "show", *words).split())
    for one in told:
        assert one in out


def test_an_id_that_is_none_or_several_is_refused_with_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "show", "trivi"]) == ExitCode.USAGE
    assert "near: trivy" in capsys.readouterr().err
    assert main(["hub", "show", "LLM03"]) == ExitCode.USAGE
    assert "item/LLM03:2025, item/LLM03:2026" in capsys.readouterr().err


def test_every_page_of_the_hub_can_be_shown(hub: Hub) -> None:
    from rich.text import Text

    for page in hub.things:
        kind = page.partition("/")[0]
        if kind != "framework":  # counted for each of its items: slow, and looked at above
            shown = "\n".join(Text.from_markup(line).plain for line in card(hub, page))
            assert " ".join(hub.things[page].title.split()) in " ".join(shown.split()), page


def test_stages_and_paths_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "stage").count("\n") >= 22
    assert "Dynamic test (DAST)" in said(capsys, "stage", "dev/test")
    assert main(["hub", "stage", "modelscan"]) == ExitCode.USAGE
    assert "near: model-scan" in capsys.readouterr().err
    assert said(capsys, "learn").count("about") >= 4
    assert "Play" in said(capsys, "learn", "newcomer")
    assert main(["hub", "learn", "newcommer"]) == ExitCode.USAGE
    assert "took its place" in said(capsys, "related", "tfsec")


def test_the_numbers_are_printed_with_their_goals(capsys: pytest.CaptureFixture[str]) -> None:
    main(["hub", "stats", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    by_name = {one["name"]: one for one in told["numbers"]}
    assert by_name["entries"]["met"]
    assert by_name["files in which the lint finds a problem"]["met"]
    assert by_name["rules explained, with code that fixes"]["met"]
    assert by_name["entries with an own summary"]["met"]
    assert by_name["readings of the thinnest of 22 stages"]["met"]
    assert by_name["tools or practices of the thinnest of 22 stages"]["met"]
    assert by_name["ids of rules that resolve to nothing"]["met"]
    assert sum(told["counts"]["kind"].values()) == int(by_name["entries"]["value"])


def test_the_numbers_miss_what_the_lint_finds_and_a_rule_without_code(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    shutil.copytree(hub.folder, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    entry, topic = folder / "catalogue" / "tool" / "trivy.toml", folder / "topics" / "model-theft.md"
    entry.write_text(entry.read_text().replace('summary = "', 'summary = "The ultimate, game-changing scanner. '))
    topic.write_text(topic.read_text().replace("```", ""))
    found = {one.name: one for one in numbers(load(all_rules(), folder))}
    assert found["files in which the lint finds a problem"].missing == ("catalogue/tool/trivy.toml",)
    rules = tuple(f"rule/{rule.id}" for rule in hub.rules.values() if rule.help == "model-theft")
    assert rules
    assert found["rules explained, with code that fixes"].missing == rules


def test_the_awesome_list_has_every_entry_once(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "README.md"
    assert main(["hub", "export", "--awesome", "--output", str(target)]) == 0
    text = target.read_text(encoding="utf-8")
    items = re.findall(r"(?m)^- \[(.+?)\]\((https?://[^)\s]+(?:\([^)\s]*\)[^)\s]*)*)\) - \S.*[.!?]$", text)
    assert len(items) == len(hub.entries)
    assert len({url for _, url in items}) == len({entry.url for entry in hub.entries.values()})
    anchors = set(re.findall(r"\]\(#([^)]+)\)", text))
    headings = {
        re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in re.findall(r"(?m)^#{2,3} (.+)$", text)
    }
    assert anchors == headings - {"contents"}


def test_the_json_holds_everything(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "hub.json"
    assert main(["hub", "export", "--json", "--output", str(target)]) == 0
    told = json.loads(target.read_text(encoding="utf-8"))
    assert [one["page"] for one in told["entries"]] == [one.page for one in hub.entries.values()]
    assert "topic/prompt-injection" in told["links"]["item/LLM01:2025"]


def test_text_of_an_entry_cannot_steer_the_terminal(hub: Hub) -> None:
    from io import StringIO

    from rich.console import Console

    evil = Entry("evil", "tool", "[red]x[/] \x1b[2J", "https://example.org/[x]", "a \x1b]8;;http://e\x07b [/]")
    made = Hub.__new__(Hub)
    made.__dict__.update(hub.__dict__, entries={**hub.entries, "evil": evil}, things={**hub.things, evil.page: evil})
    out = StringIO()
    Console(file=out, width=200).print("\n".join(card(made, evil.page)))
    assert "\x1b" not in out.getvalue()
    assert "[red]x[/]" in out.getvalue()


def test_markdown_is_read_as_text() -> None:
    assert markdown("**Use** `x` of [it](https://e.org)\n```python\na[0]\n```") == [
        "[bold]Use[/] [cyan]x[/] of it",
        "    [cyan]a[0][/]",
    ]


def test_the_browser_searches_opens_and_goes_back(hub: Hub) -> None:
    browser = Browser(hub)
    assert browser.listed[0].startswith("path/")
    for key in "trivy":
        browser.press(key)
    assert browser.listed[0] == "tool/trivy"
    browser.press("enter")
    assert browser.opened == ["tool/trivy"]
    assert any("Apache-2.0" in line for line in browser.lines())
    browser.press("related")
    assert browser.opened == []
    assert browser.listed == [one.page for one in hub.related("tool/trivy", 30)]
    browser.press("down")
    assert browser.chosen == 1
    for key in "kind:no":  # a facet that is being typed keeps the answers
        browser.press(key)
    assert browser.listed
    assert not browser.press("end")


def test_browsing_without_a_terminal_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "browse"]) == ExitCode.USAGE
    assert "needs a terminal" in capsys.readouterr().err


def test_the_browser_works_in_a_terminal_and_leaves_it_as_it_was() -> None:
    process, end = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="30")
        os.execv(sys.executable, [sys.executable, "-m", "shipworthy", "hub", "browse", "picklescan"])
    seen = b""

    def until(wanted: bytes) -> None:
        nonlocal seen
        limit = time.monotonic() + 60
        while wanted not in seen and time.monotonic() < limit:
            if select.select([end], [], [], 1)[0]:
                try:
                    seen += os.read(end, 65536)
                except OSError:
                    break
        assert wanted in seen, seen[-2000:]

    until(b"tool/picklescan")
    seen = b""
    os.write(end, b"\r")
    until(b"github.com/mmaitre314/picklescan")
    os.write(end, b"\x1b")
    until(b"\x1b[?1049l")  # the terminal's own screen is back
    assert os.waitpid(process, 0)[1] == 0


def test_help_is_quick_to_import() -> None:
    """`--help` reads none of the catalogue, and imports no check."""
    code = "import sys; from shipworthy.cli import main\ntry: main(['hub', '--help'])\nexcept SystemExit: pass\n"
    code += "print('shipworthy.checks' in sys.modules, 'shipworthy.hub.library' in sys.modules, 'rich' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("False False False")
