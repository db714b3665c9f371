"""The hub's site in a real browser, from a folder: three people find their answer, with a keyboard, offline."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from chromium import FOUND, Browser
from shipworthy.check import all_rules
from shipworthy.cli.hub_build import checks, pipelines
from shipworthy.hub import Hub, load
from shipworthy.site import Given, build

pytestmark = pytest.mark.skipif(not FOUND, reason="needs Chromium (Debian package chromium)")
QUERIES = Path(__file__).parent.parent / "benchmarks" / "hub" / "queries.toml"
PAGES = ("index.html", "stages.html", "catalogue.html", "topics.html", "rules.html", "frameworks.html", "learn.html",
         "graph.html", "new.html", "404.html", "search.html?q=pickle", "kind/tool.html", "tool/gitleaks.html",
         "topic/unsafe-model-deserialization.html", "rule/model-code-execution.html", "stage/model-scan.html",
         "pipeline/dev-test.html", "framework/owasp-llm-2025.html", "framework/nist-800-53-r5.html",
         "item/LLM03-2025.html", "path/newcomer.html")  # fmt: skip

# Enough to see each kind of part once: in the dark, and on a phone.
FEW = ("index.html", "graph.html", "search.html?q=pickle", "tool/gitleaks.html", "rule/model-code-execution.html",
       "topic/unsafe-model-deserialization.html", "framework/owasp-llm-2025.html")  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load(all_rules())


@pytest.fixture(scope="module")
def site(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("site")
    build(hub, Given(pipelines(), checks(), "1"), folder)
    return folder.as_uri()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def browser(running: Browser) -> Iterator[Browser]:
    running.errors.clear()
    running.requests.clear()
    running.look(1280, 900)
    yield running
    assert running.errors == []
    assert [url for url in running.requests if not url.startswith(("file:", "about:", "data:"))] == []


def asked(browser: Browser, site: str, question: str) -> list[str]:
    """Ask on the home page, with the keyboard alone; the names of the files that are offered."""
    browser.go(f"{site}/index.html")
    browser.press("/", 191, "/")
    browser.type(question)
    browser.until("!document.getElementById('found').hidden && document.querySelectorAll('#found li a').length")
    links = browser.run("[...document.querySelectorAll('#found li a')].map(a => a.getAttribute('href'))")
    assert isinstance(links, list)
    return links


def test_a_newcomer_asks_whether_a_pickle_is_safe(browser: Browser, site: str) -> None:
    offered = asked(browser, site, "someone sent me a pickle model, is it safe?")
    answers = {"topic/unsafe-model-deserialization.html", "tool/fickling.html", "tool/saferpickle.html"}
    place = next(number for number, file in enumerate(offered[:5]) if file in answers)
    for _ in range(place + 1):
        browser.press("ArrowDown", 40)
    browser.press("Enter", 13, "\r")
    browser.until(f"location.pathname.endsWith('{offered[place]}') && document.readyState == 'complete'")
    assert "pickle" in browser.run("document.querySelector('main').innerText").lower()
    browser.go(f"{site}/topic/unsafe-model-deserialization.html")
    text = browser.run("document.querySelector('main').innerText")
    assert "How to fix it" in text
    assert "weights_only" in text


def test_an_engineer_asks_which_checks_cover_a_risk(browser: Browser, site: str, hub: Hub) -> None:
    offered = asked(browser, site, "which checks cover OWASP LLM03?")
    assert "item/LLM03-2025.html" in offered[:3]
    browser.go(f"{site}/item/LLM03-2025.html")
    text = browser.run("document.querySelector('main').innerText")
    assert "Which checks cover it" in text
    assert all(rule.title in text for rule in hub.rules_of("item/LLM03:2025"))


def test_a_researcher_asks_for_papers_since_a_year(browser: Browser, site: str) -> None:
    browser.go(f"{site}/search.html?q=papers%20on%20clean-label%20poisoning%20since%202023")
    browser.until("document.querySelectorAll('#answers li').length")
    assert browser.run("document.querySelector('#answers a').getAttribute('href')") == (
        "paper/denoising-against-clean-label-poisoning.html"
    )
    assert "year ≥ 2023" in browser.run("document.querySelector('#browse output').textContent")
    years = browser.run("[...document.querySelectorAll('#answers .t > .dim')].map(one => Number(one.textContent))")
    assert years
    assert min(years) >= 2023


def test_the_browser_gives_the_same_answers_as_the_terminal(browser: Browser, site: str, hub: Hub) -> None:
    browser.go(f"{site}/search.html")
    browser.until("self.SW && SW.load && SW.load().then(() => true)")
    judged = [one["words"] for one in tomllib.loads(QUERIES.read_text(encoding="utf-8"))["query"]]
    judged += ["gitleks", "kuberentes goat", "CWE-502", "kind:tool licence:mit secrets", "stage:model-scan pickle"]
    answers = browser.run(
        f"{json.dumps(judged)}.map(q => SW.search(q).found.slice(0, 5).map(n => SW.pages.rows[n][0]))"
    )
    wrong = {}
    for query, found in zip(judged, answers, strict=True):
        if (expected := [hit.page for hit in hub.search(query, limit=5)]) != found:
            wrong[query] = (expected, found)
    assert len(wrong) <= len(judged) // 100, wrong  # two that are equally good may change places


def test_facets_count_and_filter(browser: Browser, site: str, hub: Hub) -> None:
    browser.go(f"{site}/kind/tool.html")
    browser.until("document.querySelectorAll('#answers li').length")
    expected = len(hub.having((("kind", ("tool",)), ("stage", ("model-scan",)), ("maintained", ("active",)))))
    for name, value in (("stage", "model-scan"), ("maintained", "active")):
        browser.run(f"(() => {{ const s = document.querySelector('#browse select[name={name}]'); s.value = '{value}';"
                    " s.dispatchEvent(new Event('input', {bubbles: true})); })()")  # fmt: skip
    told = browser.run("document.querySelector('#browse output').textContent")
    assert told == f"{expected:,} found"
    offered = browser.run("[...document.querySelector('#browse select[name=licence]').options].map(o => o.textContent)")
    assert any(option.startswith("Apache-2.0 (") for option in offered)
    assert "stage=model-scan" in browser.run("location.search")


def test_answers_of_one_title_are_told_apart(browser: Browser, site: str) -> None:
    browser.go(f"{site}/search.html?q=which%20checks%20cover%20OWASP%20LLM03%3F")
    browser.until("document.querySelectorAll('#answers li').length")
    told = browser.run("[...document.querySelectorAll('#answers .t')].map(one => one.innerText)")
    assert len(set(told)) == len(told)
    assert any("bandit-pickle-load" in one for one in told)
    assert any("OWASP Top 10 for LLM Applications 2025" in one for one in told)


def test_the_counts_of_facets_follow_when_the_typing_rests(browser: Browser, site: str) -> None:
    browser.go(f"{site}/search.html?q=pickle")
    browser.until("document.querySelectorAll('#answers li').length")
    browser.run("document.querySelector('#browse input').focus()")
    browser.run("document.querySelector('#browse input').select()")
    browser.type("terraform scanner")
    assert "terraform-compliance" in browser.run("document.getElementById('answers').innerText")
    found = int(browser.run("document.querySelector('#browse output').textContent").split()[0].replace(",", ""))
    counts = "[...document.querySelector('#browse select[name=kind]').options].slice(1)"
    counts += ".map(one => Number(one.textContent.match(/\\((\\d+)\\)/)[1])).reduce((a, b) => a + b, 0)"
    browser.until(f"{counts} === {found}")


def test_a_list_is_there_without_scripts(browser: Browser, site: str) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.go(f"{site}/kind/tool.html")
        text = browser.run("document.querySelector('main').innerText")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "Gitleaks" in text
    assert "Trivy" in text


def test_keys_reach_everything(browser: Browser, site: str) -> None:
    browser.go(f"{site}/index.html")
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    browser.press("Enter", 13, "\r")
    assert browser.until("document.activeElement.id") == "main"
    browser.press("/", 191, "/")
    assert browser.run("document.activeElement.id") == "q"
    browser.type("gitleaks")
    browser.until("!document.getElementById('found').hidden")
    browser.press("Escape", 27)
    assert browser.run("document.getElementById('found').hidden")
    browser.go(f"{site}/graph.html")
    browser.run("document.querySelector('#graph a').focus()")
    assert browser.run("document.querySelector('.edges.on').getAttribute('d')")
    assert browser.run("[...document.querySelectorAll('#graph a')].every(a => a.textContent.trim())")


def test_no_label_of_the_graph_lies_on_another(browser: Browser, site: str) -> None:
    browser.go(f"{site}/graph.html")
    shown = browser.run("[...document.querySelectorAll('#graph text:not(.minor)')].map(one => [one.textContent,"
                        " ...['x', 'y', 'width', 'height'].map(side => one.getBBox()[side])])")  # fmt: skip
    assert len(shown) > 30
    for number, (one, x, y, width, height) in enumerate(shown):
        assert x >= 0, one
        assert x + width <= 1200, one
        for other, x2, y2, width2, height2 in shown[:number]:
            assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y, (one, other)
    assert "drag to move" in browser.run("document.querySelector('main').innerText")
    drawing = "document.getElementById('graph').viewBox.baseVal.x"
    for kind, place in (("mousePressed", 600), ("mouseMoved", 650), ("mouseReleased", 650)):
        browser.call("Input.dispatchMouseEvent", type=kind, x=place, y=700, button="left", buttons=1, clickCount=1)
    assert browser.run(drawing) < 0
    linked = browser.run("document.querySelectorAll('#list details a').length")
    lines = browser.run("document.querySelector('.edges').getAttribute('d').split('M').length") - 1
    assert linked == lines + len(shown)


@pytest.mark.skipif(not find_spec("axe_core_python"), reason="needs axe-core-python")
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_pages_are_accessible_and_fit(browser: Browser, site: str, width: int, dark: bool) -> None:
    import axe_core_python

    axe = Path(axe_core_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    browser.look(width, 844, dark=dark)
    wrong = []
    for page in PAGES if (width, dark) == (1280, False) else FEW:
        browser.go(f"{site}/{page}")
        if "search" in page or "kind" in page:
            browser.until("document.querySelectorAll('#answers li').length")
        wide = browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            wrong.append(f"{page}: {wide} px wider than the window")
        browser.run(f"{axe};0")
        where = "v.nodes.slice(0, 2).map(n => n.target + ' ' + n.html.slice(0, 150))"
        script = f"r => r.violations.map(v => v.id + ' ' + v.impact + ': ' + {where})"
        told = browser.run(f"axe.run(document, {{resultTypes: ['violations']}}).then({script})")
        wrong += [f"{page}: {one}" for one in told]
    assert wrong == []
