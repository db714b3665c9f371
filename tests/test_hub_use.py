"""The hub where it is needed: a finding's page in the terminal, and what a page says of the newest run here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import sample_runs
from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.cli.hub_build import checks
from shipworthy.cli.hub_checks import by_stage
from shipworthy.cli.hub_explain import rule_lines
from shipworthy.cli.hub_text import markdown
from shipworthy.cli.runs import newest_runs
from shipworthy.compliance._controls import controls
from shipworthy.config import load_settings
from shipworthy.errors import UsageError
from shipworthy.hub import Hub, Item, load
from shipworthy.hub.addresses import has_page, rule_address
from shipworthy.hub.schema import TOPIC_HEADINGS
from shipworthy.hub.seen import rules_about, seen
from shipworthy.hub.things import before_the_rules
from shipworthy.hub.titles import titles
from shipworthy.model import Rule, Run
from shipworthy.records import replace
from shipworthy.reports import render
from shipworthy.site.addresses import places as site_places
from shipworthy.site.coverage import Coverage


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


def test_what_ran_is_what_the_stage_declares(project: Path) -> None:
    run = next(newest_runs(project))
    ran = {(f"ml/{stage.stage}", check.check) for stage in run.stages for check in stage.checks if check.examined}
    assert ("ml/scan", "python-ml") in ran
    assert ran <= {(stage, check.name) for stage, checks in by_stage().items() for check in checks}


def test_the_site_says_it_too(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "build", "--out", "site", "--runs", "."]) == 0
    run = next(newest_runs(project)).id
    for page in ("rule/tar-extract-unfiltered", "topic/archive-extraction", "item/CWE-22", "tool/modelaudit"):
        text = (project / "site" / f"{page}.html").read_text()
        assert f"Found 3 times in your last run ({run})" in text, page
    assert "last run" not in (project / "site" / "topic" / "tls.html").read_text()
    rule = all_rules()["tar-extract-unfiltered"]
    assert (project / rule_address("https://x.org/site", rule).removeprefix("https://x.org/")).is_file()
    capfd.readouterr()
    (project / "empty").mkdir()
    assert main(["hub", "build", "--out", "other", "--runs", "empty"]) == 2
    assert "there is no run here" in capfd.readouterr().err


def test_every_rule_lies_where_reports_say(hub: Hub) -> None:
    places = site_places(hub.things)
    for rule in hub.rules.values():
        assert rule_address("https://x.org", rule) == f"https://x.org/{places[f'rule/{rule.id}']}"


def test_the_coverage_of_the_site_is_that_of_reports(hub: Hub) -> None:
    """What a report can show of a control, the site says of it; no more is left to people there than here."""
    coverage = Coverage(hub, checks())
    for control in controls():
        item = hub.resolve(f"{control.framework.id}/{control.id}")
        assert isinstance(item, Item)
        cover = coverage.of(item)
        assert cover.person == control.person
        assert (cover.stands in ("checks", "record")) or not (control.evidence or control.dev), control.id


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


# --- reports lead into the hub ---------------------------------------------------------------------------------------

SITE = "https://docs.example.org/hub/"
PAGE = "https://docs.example.org/hub/rule/tar-extract-unfiltered.html"


def run_with(*rules: Rule) -> Run:
    """A run with a finding of each rule."""
    run = sample_runs.stopped()
    one = run.findings[0]
    first = next(stage for stage in run.stages if any(check.findings for check in stage.checks))
    check = next(check for check in first.checks if check.findings)
    changed = replace(check, findings=tuple(replace(one, rule=rule, message=rule.title) for rule in rules))
    stage = replace(first, checks=tuple(changed if own is check else own for own in first.checks))
    return replace(run, stages=tuple(stage if own is first else own for own in run.stages))


def test_reports_link_to_the_rule_where_a_site_is_set() -> None:
    run = run_with(all_rules()["tar-extract-unfiltered"])
    descriptors = json.loads(render(run, "sarif", site=SITE))["runs"][0]["tool"]["driver"]["rules"]
    assert PAGE in {one.get("helpUri") for one in descriptors}
    assert f"[`tar-extract-unfiltered`]({PAGE})" in render(run, "markdown", site=SITE)
    assert f'href="{PAGE}"' in render(run, "html", site=SITE)


def test_without_a_site_reports_name_the_command_and_no_address() -> None:
    run = run_with(all_rules()["tar-extract-unfiltered"])
    sarif = render(run, "sarif")
    assert "helpUri" not in sarif
    for text in (sarif, render(run, "markdown"), render(run, "html"), render(run, "table")):
        assert "shipworthy explain" in text
        assert "/rule/" not in text


def test_what_has_no_page_is_not_linked() -> None:
    known = all_rules()["tar-extract-unfiltered"]
    foreign = replace(known, id="import-trivy-avd-1")
    unknown = replace(known, id="x-rule", help="no-such-topic")
    hostile = replace(known, id='x"><script>', help="../topics/tls")
    for rule in (foreign, unknown, hostile):
        assert not has_page(rule)
        assert rule_address(SITE, rule) == ""
    for format_ in ("sarif", "markdown", "html"):
        text = render(run_with(foreign, unknown, hostile), format_, site=SITE)
        assert not re.search(r"example\.org/hub/rule/(import-|x)", text)
    assert rule_address("javascript:alert(1)", known) == ""


def test_the_report_says_what_a_control_is_called() -> None:
    page = render(run_with(all_rules()["repository-no-datasheet"]), "html")
    assert "iso-42001-2023/A.7.5 Data provenance" in " ".join(page.split())


def test_the_sites_address_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("import tarfile\nwith tarfile.open('a.tar') as one:\n    one.extractall('x')\n")
    (tmp_path / "shipworthy.toml").write_text(f'[scan]\nchecks = ["python-ml"]\n[hub]\nsite = "{SITE}"\n')
    assert main(["scan", ".", "--format", "sarif", "--output", "a.sarif", "-q"]) in (0, 1)
    assert PAGE in (tmp_path / "a.sarif").read_text()


@pytest.mark.parametrize("site", ["javascript:alert(1)", "https://user@host/", "https://x.org/?a=1", "x.org/hub"])
def test_what_is_no_address_of_a_site_is_refused(tmp_path: Path, site: str) -> None:
    (tmp_path / "shipworthy.toml").write_text(f'[hub]\nsite = "{site}"\n')
    with pytest.raises(UsageError, match=r"hub\.site"):
        load_settings(tmp_path / "shipworthy.toml")


# --- every rule has its page, and every id is exact ------------------------------------------------------------------


def test_every_rule_has_a_page_with_all_sections_and_a_fix_with_code(hub: Hub) -> None:
    missing = []
    for rule in hub.rules.values():
        topic = hub.topics[rule.help]
        parts = [heading for heading in TOPIC_HEADINGS[:4] if not topic.section(heading)]
        missing += [f"{rule.id}: topics/{rule.help}.md has no `## {heading}`" for heading in parts]
        own, general = topic.fixes.get(rule.id, ""), topic.general_fix
        alone = len(hub.rules_of(topic.page)) == 1  # then all of the page is about it
        if "```" not in own and not (alone and "```" in general):
            missing.append(f"{rule.id}: topics/{rule.help}.md shows no code that fixes it")
        if not has_page(rule):
            missing.append(f"{rule.id}: topics/{rule.help}.md is not there")
    assert missing == []


def test_every_id_means_one_item(hub: Hub) -> None:
    """An id that several frameworks have is written with its framework, in rules, topics, entries and stages; another
    edition of the same framework is not another framework."""
    owners: dict[str, set[str]] = {}
    for framework in hub.frameworks.values():
        for item in framework.items:
            owners.setdefault(item.id, set()).add(framework.id.partition("-2026")[0])
    named = {f"rule/{rule.id}": rule.taxonomy for rule in hub.rules.values()}
    named |= {topic.page: topic.frameworks for topic in hub.topics.values()}
    named |= {entry.page: (*entry.frameworks, *entry.techniques) for entry in hub.entries.values()}
    named |= {shelf.page: shelf.techniques for shelf in hub.shelves.values()}
    wrong = []
    for page, ids in named.items():
        wrong += [f"{page}: {one} is nothing" for one in ids if hub.resolve(one) is None]
        several = {one: sorted(owners[one]) for one in ids if len(owners.get(one, ())) > 1}
        wrong += [f"{page}: write {' or '.join(f'{name}/{one}' for name in of)}" for one, of in several.items()]
    assert wrong == []


def test_titles_are_those_of_the_hub(hub: Hub) -> None:
    for rule in hub.rules.values():
        for one in rule.taxonomy:
            item = hub.resolve(one)
            assert item is not None
            assert titles()[one] == item.title


def test_the_controls_of_reports_are_those_of_the_hub(hub: Hub) -> None:
    """One id, one title; where a framework gives none, both say that theirs is ours."""
    for control in controls():
        item = hub.resolve(f"{control.framework.id}/{control.id}")
        assert isinstance(item, Item), f"{control.framework.id} has no {control.id}"
        assert (item.title, item.own_title) == (control.title, control.our_title), (
            f"{control.framework.id} {control.id}"
        )
        assert hub.frameworks[item.framework].version == control.framework.version.removeprefix("Rev. ")


# --- learning paths --------------------------------------------------------------------------------------------------


def test_each_path_leads_through_our_own_pages_and_the_catalogue(hub: Hub) -> None:
    assert set(hub.paths) == {"newcomer", "ml-engineer", "security-engineer", "researcher"}
    for path in hub.paths.values():
        pages = [page for step in path.steps for page in step.pages]
        assert len(set(pages)) == len(pages), path.id
        assert set(pages) <= set(hub.things)
        own = [page for page in pages if page.startswith(("topic/", "stage/", "framework/"))]
        assert len(own) >= 4, path.id
        assert all(step.minutes >= 5 * len(step.pages) for step in path.steps), path.id
        for page in pages:
            assert not getattr(hub.things[page], "superseded_by", ()), page
            if page.startswith("topic/"):
                assert hub.topics[page.removeprefix("topic/")].sections, page


def test_a_path_is_printed_with_a_sentence_for_each_page(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "learn", "ml-engineer"]) == 0
    told = capfd.readouterr().out
    assert "Read it when" in told
    assert "shipworthy hub show ID" in told
    assert all(len(line) <= 100 for line in told.splitlines())


def test_a_control_says_what_a_run_records_and_what_is_left(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "show", "nist-ssdf-1.1/PW.7"]) == 0
    told = capfd.readouterr().out
    assert "What a run records of it" in told
    assert "Left to a person" in told
