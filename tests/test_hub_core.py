"""The hub's files are read with messages for people, compiled, and nothing in them refers to nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from shipworthy.check import all_rules, registry
from shipworthy.cli.hub_cards import card
from shipworthy.cli.hub_checks import of_shelf
from shipworthy.errors import UsageError
from shipworthy.hub import Entry, Hub, compiled, load, schema
from shipworthy.hub.build import lost
from shipworthy.hub.reader import FOLDER, Reading
from shipworthy.hub.things import Section, Topic
from shipworthy.pipelines import PIPELINES
from shipworthy.user_folders import cache_folder


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load(all_rules())


def test_the_hub_holds_what_was_researched(hub: Hub) -> None:
    assert len(hub.entries) >= 1000
    assert {entry.kind for entry in hub.entries.values()} == set(schema.KINDS)
    assert len(hub.frameworks) >= 25
    assert len(hub.items) >= 1696
    assert sum(entry.original_list for entry in hub.entries.values()) >= 79


def test_the_readme_says_what_the_hub_holds(hub: Hub) -> None:
    section = (Path(__file__).parents[1] / "README.md").read_text().partition("## The hub")[2].partition("\n## ")[0]
    said = " ".join(section.split())
    assert f"{len(hub.entries):,} tools, papers, courses" in said
    assert f"{len(hub.topics)} topics" in said
    assert f"and {len(hub.frameworks)} frameworks" in said


def test_nothing_in_the_hub_refers_to_nothing() -> None:
    reading = Reading()
    assert [str(problem) for problem in reading.problems] == []
    assert [str(problem) for problem in lost(reading.data, all_rules())] == []


def test_every_stage_of_the_pipelines_has_its_shelves(hub: Hub) -> None:
    assert len(hub.shelves) == 22
    for name, pipeline in PIPELINES.items():
        assert list(hub.pipelines[name]) == [stage.name for stage in pipeline.stages]
        assert all(has for has in hub.pipelines[name].values())
    used = {shelf for of in hub.pipelines.values() for has in of.values() for shelf in has} | set(hub.across)
    assert used == set(hub.shelves)


def test_a_shelf_names_checks_that_run_where_it_is(hub: Hub) -> None:
    checks = registry().values()
    names = {check.name for check in checks} | {check.category for check in checks}
    assert {one for shelf in hub.shelves.values() for one in shelf.checks} <= names
    shown = {check.name for shelf in hub.shelves.values() for check in of_shelf(shelf)}
    assert {check.name for check in checks} - shown == set(), "name it in `checks` of a shelf in hub/stages.toml"
    assert [check.name for check in of_shelf(hub.shelves["deploy-check"])] == [
        "container-hardening", "open-ports", "openscap", "tls"
    ]  # fmt: skip
    assert of_shelf(hub.shelves["gate"]) == ()
    outside = {check.name for check in of_shelf(hub.shelves["dast"])}
    assert "http-injection" in outside
    assert not outside & {check.name for check in of_shelf(hub.shelves["deploy-check"])}


def test_a_rule_without_a_fix_of_its_own_gets_that_of_all_and_not_of_others() -> None:
    text = "Pin it.\n\n### `rule-a`\n\nOnly for a.\n"
    topic = Topic("t", "T", sections=(Section("How to fix it", text),), fixes={"rule-a": "Only for a."})
    assert topic.fix("rule-a") == "Only for a."
    assert topic.fix("rule-b") == "Pin it."


def test_a_stages_tools_begin_with_what_the_field_leans_on(hub: Hub) -> None:
    first = {one.id for one in hub.entries_of("stage/dependency-scan", "tool")[:5]}
    assert {"trivy", "osv-scanner"} <= first
    living = [one.maintained in ("archived", "dormant") or bool(one.superseded_by)
              for one in hub.entries_of("stage/iac-scan", "tool")]  # fmt: skip
    assert living == sorted(living)


def test_every_id_that_a_rule_names_is_one(hub: Hub) -> None:
    unknown = {one for rule in hub.rules.values() for one in rule.taxonomy if hub.resolve(one) is None}
    assert unknown == set()


def test_an_id_that_two_frameworks_have_is_that_of_the_one_whose_ids_are_shared(hub: Hub) -> None:
    assert hub.resolve("A.5.2").framework == "iso-27001-2022"  # type: ignore[union-attr]
    other = hub.resolve("iso-42001-2023/A.5.2")
    assert other is not None
    assert other.framework == "iso-42001-2023"  # type: ignore[union-attr]
    assert hub.things[other.page] is other
    assert hub.resolve("A.10.2").framework == "iso-42001-2023"  # type: ignore[union-attr]
    assert hub.resolve("LLM99:2025") is None


def test_every_id_of_a_framework_has_a_title_and_says_when_it_is_ours(hub: Hub) -> None:
    assert [item.page for item in hub.items.values() if not item.title.strip()] == []
    ours = [item for item in hub.items.values() if item.own_title]
    assert {item.framework for item in ours} == {"nist-ai-rmf-1.0", "nist-ssdf-1.1", "nist-ssdf-218a"}
    assert "item/PW.3.1" in [item.page for item in ours]
    assert "in our words" in "\n".join(card(hub, "item/MEASURE 2.7"))
    assert "in our words" not in "\n".join(card(hub, "item/MEASURE 2"))


def test_an_id_of_an_older_edition_leads_to_the_newer(hub: Hub) -> None:
    old = hub.resolve("LLM07:2025")
    assert old.now == "LLM08:2026"  # type: ignore[union-attr]
    assert "item/LLM08:2026" in [one.page for one in hub.related("item/LLM07:2025")]
    assert [item.id for item in hub.editions("llm03")] == ["LLM03:2025", "LLM03:2026"]


def test_a_page_is_found_by_its_id_alone(hub: Hub) -> None:
    assert hub.page("trivy") == "tool/trivy"
    assert hub.page("model-code-execution") == "rule/model-code-execution"
    assert hub.page("AML.T0010") == "item/AML.T0010"
    with pytest.raises(UsageError) as error:
        hub.page("gitleeks")
    assert "gitleaks" in error.value.remedy


def test_what_took_its_place_is_nearest_to_a_tool_that_ended(hub: Hub) -> None:
    found = hub.related("tool/tfsec")
    assert (found[0].page, found[0].why) == ("tool/trivy", "took its place")


# files that are wrong


GOOD = 'title = "Trivy"\nurl = "https://example.org/"\npipeline = ["dev"]\nmaintained = "active"\n'


def folder_with(tmp_path: Path, name: str, text: str) -> Path:
    folder = tmp_path / "hub"
    for part in ("stages.toml", "topic-words.toml", "synonyms.toml"):
        folder.mkdir(exist_ok=True)
        shutil.copy(FOLDER / part, folder / part)
    shutil.copytree(FOLDER / "frameworks", folder / "frameworks", dirs_exist_ok=True)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "told", "remedy"),
    [
        ("titel = 'x'\n" + GOOD, "toml:1: titel: there is no such key", "did you mean `title`?"),
        (GOOD.replace("url", "#url"), "url: the key is missing", "add a line `url"),
        (GOOD.replace("active", "alive"), "toml:4: maintained: it must be one of active", "correct"),
        (GOOD + "year = 20\n", "toml:5: year: it must be a whole number from 1950", "correct"),
        (GOOD + 'arxiv = "arXiv:1"\n', "arxiv: it must be an arXiv id", "correct"),
        (GOOD + 'topics = ["sbom", "sbom"]\n', "it names something twice", "correct"),
        (GOOD + 'topics = "sbom"\n', "it must be a list", "correct"),
        (GOOD + 'summary = "two\\nlines"\n', "one line", "correct"),
        (GOOD + "title = 3\n", "it is no TOML", "quotation marks"),
        (GOOD + 'topics = ["sbomb"]\n', "there is no word of topic-words.toml `sbomb`", "did you mean `sbom`?"),
        (GOOD + 'frameworks = ["LLM3:2025"]\n', "there is no framework id `LLM3:2025`", "did you mean `LLM03:2025`?"),
        (GOOD + 'stages = ["model-scam"]\n', "there is no stage `model-scam`", "did you mean `model-scan`?"),
        (GOOD + 'superseded-by = ["gone"]\n', "there is no entry `gone`", ""),
        (GOOD + 'related = ["trivy"]\n', "it names itself", "take it out"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_its_place(tmp_path: Path, text: str, told: str, remedy: str) -> None:
    folder = folder_with(tmp_path, "catalogue/tool/trivy.toml", text)
    with pytest.raises(UsageError) as error:
        load({}, folder)
    assert told in str(error.value)
    assert "catalogue/tool/trivy.toml" in str(error.value)
    assert remedy in error.value.remedy


def test_no_entry_is_a_programs_settings(tmp_path: Path) -> None:
    """Ruff and others obey a file of their name in any folder; an entry must not change how code is checked."""
    reading = Reading(folder_with(tmp_path, "catalogue/tool/ruff.toml", GOOD))
    told = ["catalogue/tool/ruff.toml: programs take a file `ruff.toml` for their settings"]
    assert [str(problem) for problem in reading.problems] == told
    assert "ruff-tool.toml" in reading.problems[0].remedy


def test_an_id_is_used_once_whatever_the_kind(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "catalogue/tool/trivy.toml", GOOD)
    folder_with(tmp_path, "catalogue/paper/trivy.toml", GOOD)
    with pytest.raises(UsageError, match=r"the id is taken by catalogue/paper/trivy\.toml"):
        load({}, folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no front matter", "it has no front matter"),
        ('+++\ntitle = "T"\nsummary = "S"\n+++\n## What it is\n', "the section `## Why it matters` is missing"),
        ('+++\ntitle = "T"\nsummary = "S"\n+++\n## Odds\n', "none of the sections"),
    ],
)
def test_what_is_wrong_with_a_topic_is_said(tmp_path: Path, text: str, told: str) -> None:
    folder = folder_with(tmp_path, "topics/secrets-in-code.md", text)
    assert told in " ".join(str(problem) for problem in Reading(folder).problems)


def test_a_topic_is_read_by_its_sections(tmp_path: Path) -> None:
    page = """+++
title = "Pickle"
summary = "It runs code."
stages = ["model-scan"]
entries = ["trivy"]
+++
## What it is
A format.
## Why it matters
It does.
## How it is attacked
So.
## How to fix it
Use another.

```python
## not a heading
```

### `pickle-load`
Load it otherwise.
"""
    folder = folder_with(tmp_path, "topics/pickle.md", page)
    folder_with(tmp_path, "catalogue/tool/trivy.toml", GOOD)
    reading = Reading(folder)
    assert reading.problems == []
    topic = Hub(reading.data, {}, folder).topics["pickle"]
    assert topic.section("What it is") == "A format."
    assert "## not a heading" in topic.section("How to fix it")
    assert topic.fixes == {"pickle-load": "Load it otherwise."}
    assert topic.entries == ("trivy",)


# what is compiled


def test_the_compiled_hub_is_the_hub_and_follows_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = folder_with(tmp_path, "catalogue/tool/trivy.toml", GOOD)
    first = load({}, folder)
    kept = compiled.place(folder)
    assert kept.is_file()
    assert kept.is_relative_to(cache_folder())
    assert load({}, folder).things == first.things
    (folder / "catalogue/tool/trivy.toml").write_text(GOOD.replace("Trivy", "Trivia"), encoding="utf-8")
    assert load({}, folder).entries["trivy"].title == "Trivia"
    (folder / "catalogue/tool/other.toml").write_text(GOOD, encoding="utf-8")
    assert set(load({}, folder).entries) == {"trivy", "other"}


def test_a_damaged_compiled_hub_is_noticed_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = folder_with(tmp_path, "catalogue/tool/trivy.toml", GOOD)
    load({}, folder)
    kept = compiled.place(folder)
    good = kept.read_bytes()
    for bad in (b"", good[:-1], good.replace(b'"Trivy"', b'"Evil!"'), b"\x00" * 100, b"[" * 100_000, b"{}\n{}"):
        kept.write_bytes(bad)
        assert load({}, folder).entries["trivy"].title == "Trivy"
        assert kept.read_bytes() == good


def test_the_hub_is_read_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    folder = folder_with(tmp_path, "catalogue/tool/trivy.toml", GOOD)
    entry = load({}, folder).entries["trivy"]
    assert isinstance(entry, Entry)
    assert not os.path.exists(compiled.place(folder))


def test_words_by_which_a_page_is_asked_for_name_a_page_that_is_there(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "asked/topic.toml", '"topic/no-such-topic" = ["some words"]\n')
    with pytest.raises(UsageError, match=r"asked/topic\.toml.*there is no page `topic/no-such-topic`"):
        load({}, folder)
    folder_with(tmp_path, "asked/topic.toml", '"topic/image-size" = "one text"\n')
    with pytest.raises(UsageError, match=r"asked/topic\.toml.*topic/image-size"):
        load({}, folder)
    folder_with(tmp_path, "asked/topic.toml", '"tool/trivy" = ["some words"]\n')
    with pytest.raises(UsageError, match=r"asked/topic\.toml.*no page of the kind topic"):
        load({}, folder)
