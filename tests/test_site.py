"""The hub's site as files: every link leads somewhere, nothing comes from elsewhere, and hostile data stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.cli.hub_build import checks, pipelines
from shipworthy.errors import UsageError
from shipworthy.hub import Hub, load
from shipworthy.site import Built, Given, build
from shipworthy.site.addresses import outside, places
from shipworthy.site.build import _environment, _rendered
from shipworthy.site.pages import Site
from shipworthy.site.prose import Prose


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load(all_rules())


@pytest.fixture(scope="module")
def given() -> Given:
    return Given(pipelines(), checks(), "1", "https://example.org/hub/", {"model-code-execution": 3}, "r1")


@pytest.fixture(scope="module")
def written(hub: Hub, given: Given, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    folder = tmp_path_factory.mktemp("site")
    return folder, build(hub, given, folder)


def test_every_thing_has_a_page_and_every_link_leads_to_a_file(written: tuple[Path, Built], hub: Hub) -> None:
    folder, built = written
    pages = list(folder.rglob("*.html"))
    assert len(pages) >= len(hub.things)
    assert built.largest[1] <= 150_000, built.largest
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    lost = set()
    for page in pages:
        if page.name == "404.html":
            continue
        for found in re.findall(r'(?:href|src|action)="([^"]*)"', page.read_text(encoding="utf-8")):
            address = unescape(found)
            if address.startswith(("https://", "#")):
                continue
            file = (page.parent / unquote(address.partition("?")[0].partition("#")[0])).resolve()
            if str(file.relative_to(folder)) not in there:
                lost.add((page.name, address))
    assert lost == set()


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(written: tuple[Path, Built]) -> None:
    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            names = dict(attrs)
            assert not [name for name in names if name.startswith("on") or name == "style"], (tag, names)
            assert tag not in ("style", "iframe", "object", "embed", "base", "img"), tag
            if tag in ("script", "link") and names.get("rel") != "canonical":
                address = names.get("src") or names.get("href") or ""
                assert address.startswith(("../", "assets/", "data/", "new.atom", "https://example.org/hub/")), address
            if tag == "a" and (names.get("href") or "").startswith("http"):
                ours = (names["href"] or "").startswith("https://example.org/hub/")
                assert ours or names.get("rel") == "noopener noreferrer"

    for page in written[0].rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        Reader().feed(text)
        assert "default-src 'self'" in unescape(text)


def test_hostile_data_stays_text(hub: Hub, given: Given) -> None:
    bad = "</script><script>alert(1)</script>\u202e<img src=x onerror=alert(1)> {{ 7*7 }}"
    entry = replace(
        hub.entries["gitleaks"], title=bad, summary=bad, use_when=bad, note=bad, disclosure=bad, licence=bad,
        authors=(bad,), url='javascript:alert(1)//"onclick=x', basis={"as-of": "<b>", "licence": bad}, added="<b>",
    )  # fmt: skip
    changed = load(all_rules())
    changed.entries[entry.id] = entry  # type: ignore[index]
    changed.things[entry.page] = entry  # type: ignore[index]
    site = Site(changed, given)
    environment = _environment(site)
    for place, template, variables in site.pages():
        if variables.get("page") in (entry.page, "kind/tool", "stage/trigger") or place == "new.html":
            text = _rendered(environment, site, place, template, variables)
            assert "<script>" not in text
            assert "<img" not in text
            assert "\u202e" not in text
            assert 'href="javascript' not in text
    from shipworthy.site import data

    for name, text in data.files(site):
        if name.endswith(".js"):
            assert "</script" not in text
            assert text.isascii()
    root = ElementTree.fromstring(data.feed(site))
    assert len(root) > 50


def test_what_was_added_last_comes_first_on_the_page_and_in_the_feed(given: Given) -> None:
    hub = load(all_rules())
    later = replace(hub.entries["gitleaks"], added="2027-01-31", year=2018)
    hub.entries[later.id] = hub.things[later.page] = later  # type: ignore[index]
    site = Site(hub, given)
    assert site.newest[0] is later
    assert [one.added for one in site.newest] == sorted((one.added for one in hub.entries.values()), reverse=True)
    from shipworthy.site import data

    root = ElementTree.fromstring(data.feed(site))
    atom = {"a": "http://www.w3.org/2005/Atom"}
    assert root.findtext("a:updated", "", atom) == "2027-01-31T00:00:00Z"
    assert root.findtext("a:entry/a:title", "", atom) == "Gitleaks"
    assert root.findtext("a:entry/a:published", "", atom) == "2027-01-31T00:00:00Z"
    place, template, variables = next(one for one in site.pages() if one[0] == "new.html")
    text = _rendered(_environment(site), site, place, template, variables)
    assert text.index("2027-01-31") < text.index("Gitleaks") < text.index("2026-11-23")
    assert "1 entry" in text


def test_markdown_has_no_html_no_pictures_and_no_other_schemes() -> None:
    given = (
        "<script>x</script> ![p](https://e.org/p.png) [j](javascript:x) [d](data:text/html,x) [h](http://e.org) "
        "[s](https://e.org/?a=1&b=2) [t](topic/a)\n\n```python\nx = '<b>'\n```\n"
    )
    text = str(Prose(lambda page: "topic/a.html" if page == "topic/a" else "").html(given, "../"))
    assert "<script" not in text
    assert "<img" not in text
    assert re.findall(r'href="([^"]*)"', text) == [
        "https://e.org/p.png",
        "https://e.org/?a=1&amp;b=2",
        "../topic/a.html",
    ]
    assert "&lt;b&gt;" in text


@pytest.mark.parametrize(
    "url",
    ["javascript:x", "http://e.org", "//e.org", "https://u@e.org", "https://", "https://e.org/a b",
     "https://e\u202e.org", "https://[", ""],
)  # fmt: skip
def test_only_plain_https_is_linked(url: str) -> None:
    assert outside(url) == ""
    assert outside("https://e.org/ä?q=1#f") == "https://e.org/%C3%A4?q=1#f"


def test_names_of_files_are_safe_and_differ() -> None:
    found = places(
        ["item/LLM03:2025", "item/LLM03/2025", "item/llm03-2025", "tool/../../etc", "tool/..", "item/" + "x" * 500]
    )
    assert found["item/LLM03:2025"] == "item/LLM03-2025.html"
    assert len({place.lower() for place in found.values()}) == len(found)
    assert all(".." not in place and place.count("/") == 1 and len(place) < 130 for place in found.values())


def test_coverage_says_what_is_missing(written: tuple[Path, Built]) -> None:
    folder, _ = written
    text = (folder / "framework" / "owasp-llm-2025.html").read_text(encoding="utf-8")
    gap = re.search(r'<tr class="is-gap">.*?LLM07:2025.*?</tr>', text, re.DOTALL)
    assert gap
    assert "nothing" in gap[0]
    assert 'class="is-checks"' in text
    assert "Evidence is not conformity" in text


def test_rules_are_listed_the_worst_first_and_a_control_says_what_is_recorded(written: tuple[Path, Built]) -> None:
    text = (written[0] / "item" / "LLM03-2025.html").read_text(encoding="utf-8")
    found = re.findall(r'<span class="s s-(\w+)">', text.partition("<h2>Rules")[2])
    assert len(found) > 10
    order = ["critical", "high", "medium", "low", "info"]
    assert found == sorted(found, key=order.index)
    assert "the chain from the stored model back to its data was verified" in text
    part = (written[0] / "item" / "AML.T0010.001.html").read_text(encoding="utf-8")
    assert '<dt>Part of</dt><dd><a href="../item/AML.T0010.html">' in part


def test_a_stage_shows_the_checks_that_run_in_it(written: tuple[Path, Built]) -> None:
    def shown(page: str) -> str:
        return (written[0] / page).read_text(encoding="utf-8")

    model_scan, load, scan = shown("stage/model-scan.html"), shown("stage/load.html"), shown("pipeline/dev-scan.html")
    assert "<code>model-file</code>" in model_scan
    assert '<a href="../pipeline/ml-model-scan.html">MLSecOps: Model scan</a>' in model_scan
    assert model_scan.index("topic/unsafe-model-deserialization") < model_scan.index("topic/archive-extraction")
    assert "<code>" not in load.partition("Checks that run there")[2].partition("<h2>")[0]
    besides = scan.partition("Checked in this stage besides")[2]
    assert "<code>notebook-secrets</code>" in besides  # of a shelf that the DevSecOps pipeline does not draw
    assert "<code>kubernetes</code>" in scan.removesuffix(besides)
    assert "<code>open-ports</code>" not in scan


def test_a_run_s_findings_are_told(written: tuple[Path, Built]) -> None:
    folder, _ = written
    assert "Found 3 times in your last run (r1)" in (folder / "rule" / "model-code-execution.html").read_text()
    for page in ("topic/unsafe-model-deserialization.html", "stage/model-scan.html"):
        assert "ound 3 times in your last run" in (folder / page).read_text()


def test_a_build_takes_away_its_own_old_files_and_touches_no_others(tmp_path: Path, hub: Hub, given: Given) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="no build of the site wrote"):
        build(hub, given, tmp_path)
    (tmp_path / "old.html").write_text("old")
    (tmp_path.parent / "outside.html").write_text("outside")
    (tmp_path / ".shipworthy-site").write_text("old.html\n../outside.html\n")
    build(hub, given, tmp_path)
    assert not (tmp_path / "old.html").exists()
    assert (tmp_path.parent / "outside.html").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert "https://example.org/hub/tool/gitleaks.html" in (tmp_path / "sitemap.xml").read_text()


def test_an_address_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["hub", "build", "--out", str(tmp_path / "x"), "--url", "javascript:x"]) == 2
    assert "is no address of a site" in capsys.readouterr().err
