"""Attacks on whoever reads the hub: an entry that got past every reviewer, on the site, in a browser, in the exports
and in the terminal; a folder that a repository prepared for the site; hostile words given to the commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from chromium import FOUND, Browser
from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.cli.hub_cards import card, hit_lines
from shipworthy.errors import UsageError
from shipworthy.hub import Entry, Hub, load
from shipworthy.hub.export import awesome
from shipworthy.site import Given, build

BAD = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u009b2J\x1b]0;owned\x07 {{ 7*7 }} ${7*7} "
    "](javascript:alert(3)) [x](https://evil.example.org) [bold red]rich[/] --> ]]> `code` __proto__ constructor"
)
URL = "https://evil.example.org/)](javascript:alert(4))<script>[x]"
ENTRY = Entry(
    "evil", "tool", BAD, URL, summary=BAD, use_when=BAD, authors=(BAD,), year=2026, pipeline=("ml",), licence=BAD,
    stages=("model-scan",), topics=("pickle",), help=("unsafe-model-deserialization",), level="expert", note=BAD,
    language="__proto__", maintained="active", disclosure=BAD, aliases=(URL,), sources=(BAD,), date=BAD, arxiv=BAD,
    added="9999-12-31",    basis={"as-of": "9999-12-31", "licence": BAD, "maintained": BAD},
)  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> Hub:
    """The hub with the hostile entry, as if lint and reader had let it through."""
    made = load(all_rules())
    made.entries["evil"] = ENTRY  # type: ignore[index]
    made.things[ENTRY.page] = ENTRY  # type: ignore[index]
    made.index["weights"].append(1.0)
    made.index["titles"].append("evil")
    made.index["texts"].append("evil")
    made.index["pages"].append(ENTRY.page)
    return made


@pytest.fixture(scope="module")
def site(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    build(hub, Given((), (), "1"), folder)
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not FOUND:
        pytest.skip("no Chromium here")
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


def test_no_file_of_the_site_carries_the_attack(site: Path) -> None:
    evil = [path for path in site.rglob("*") if path.is_file() and "evil" in path.read_text(encoding="utf-8")]
    names = {path.relative_to(site).as_posix() for path in evil}
    assert {"tool/evil.html", "kind/tool.html", "new.html", "new.atom", "data/pages.js", "api/entries.json"} <= names
    for path in evil:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            assert "</script" not in text or json.loads(text)
            continue
        assert "<script>alert" not in text, path
        assert "<img" not in text, path
        assert not any(char in text for char in "\u202e\x9b\x1b\x07"), path
        led = [urlsplit(unescape(one)) for one in re.findall(r'(?:href|src)="([^"]*)"', text)]
        assert {(one.scheme, bool(one.netloc)) for one in led} <= {("", False), ("https", True)}, path
    ElementTree.fromstring((site / "new.atom").read_text(encoding="utf-8"))


def test_in_a_browser_nothing_of_it_runs_or_loads(site: Path, browser: Browser) -> None:
    for name in ("tool/evil.html", "kind/tool.html", "new.html", f"search.html?q={quote(BAD)}", "search.html?q=evil"):
        browser.errors.clear()
        browser.requests.clear()
        browser.go(f"{site.as_uri()}/{name}")
        if "?" in name or "kind/" in name:
            browser.until("/found/.test(document.querySelector('output')?.textContent)")
        assert browser.run("document.querySelectorAll('img, iframe, object, script:not([src])').length") == 0, name
        assert browser.run("[...document.links].filter((a) => !/^(file|https):/.test(a.href)).length") == 0, name
        assert browser.errors == [], name
        assert [one for one in browser.requests if not one.startswith("file:")] == [], name
    browser.go(f"{site.as_uri()}/tool/evil.html")
    assert "alert(1)" in browser.run("document.querySelector('h1').textContent")


@pytest.mark.parametrize(
    "name", ["constructor", "__proto__", "toString", "hasOwnProperty", "no-such-thing", "<b>x</b>"]
)
def test_names_of_prototypes_are_names_like_any_other(site: Path, browser: Browser, name: str) -> None:
    """A framework that is none stopped the page; a topic `constructor` was shown as a function's code."""
    for facet in ("kind", "pipeline", "stage", "topic", "framework", "year", "licence", "maintained", "q"):
        browser.errors.clear()
        browser.go(f"{site.as_uri()}/search.html?{facet}={quote(name)}")
        said = browser.until("document.querySelector('output').textContent")
        if facet != "q":
            assert said.startswith("0 found") or name == "__proto__", (facet, said)
            shown = browser.run(f"document.querySelector('select[name={facet}]').selectedOptions[0].textContent")
            assert "function" not in shown
            assert shown in (f"{name} (0)", f"{name.replace('-', ' ', 1)} (0)"), (facet, shown)
        assert browser.errors == [], facet
    browser.go(f"{site.as_uri()}/search.html?q=pickle#{quote(name)}")
    assert int(browser.until("parseInt(document.querySelector('output').textContent)")) > 3
    for query in (f"{name}:x", f"topic:{name} kind:{name}", f"{name} {name}", f"{name} rules"):
        told = browser.run(f"SW.search({json.dumps(query)}).found.every(Number.isInteger)")
        assert told is True, query


def test_a_long_query_and_odd_ones_are_answered(site: Path, browser: Browser, hub: Hub) -> None:
    browser.go(f"{site.as_uri()}/search.html")
    browser.until("document.querySelector('output').textContent")
    browser.errors.clear()
    for query in (
        "a " * 50_000,
        "x" * 200_000,
        "\ud800",
        "'\"<>&",
        "year:" * 500,
        "((((",
        "\u0000",
        "\\",
        "%00%",
        "🙂" * 400,
    ):
        asked = json.dumps(query)
        assert browser.run(f"Array.isArray(SW.search({asked}).found)") is True
        if not query.isascii():
            continue
        try:
            found = hub.search(query)
        except UsageError:
            continue
        assert all(one.page in hub.things for one in found)
    assert browser.errors == []


# --- exports and terminal --------------------------------------------------------------------------------------------


def test_the_awesome_list_has_no_link_but_the_entry_s_own(hub: Hub) -> None:
    """An address with a bracket ended its link, and what followed was Markdown of the attacker's."""
    text = awesome(hub)
    line = next(one for one in text.splitlines() if "evil.example.org" in one)
    assert not any(char in text for char in "\u202e\x9b\x1b\x07")
    tokens = [token for block in MarkdownIt("commonmark").parse(line) for token in block.children or ()]
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert len(links) == 1
    assert links[0].startswith("https://evil.example.org/")
    assert "script>" not in links[0]
    assert not [token for token in tokens if token.type in ("image", "html_inline")]
    honest = next(one for one in text.splitlines() if "github.com/aquasecurity/trivy)" in one)
    assert honest.startswith("- [")


@pytest.mark.parametrize("args", [["show", "tool/evil", "--format", "json"], ["export", "--json"]], ids=str)
def test_json_for_a_terminal_has_no_characters_that_steer_it(
    hub: Hub, args: list[str], monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("shipworthy.cli.hub.load_hub", lambda: hub)
    assert main(["hub", *args]) == 0
    text = capsysbinary.readouterr().out.decode("utf-8")
    assert not any(char in text for char in "\u202e\x9b\x1b\x07")
    data = json.loads(text)
    found = data if "title" in data else next(one for one in data["entries"] if one["id"] == "evil")
    assert found["title"] == BAD


def test_cards_in_the_terminal_show_it_as_text(hub: Hub) -> None:
    from rich.text import Text

    for line in (*card(hub, ENTRY.page), *hit_lines(hub, ENTRY.page)):
        plain = Text.from_markup(line)
        assert not any(char in plain.plain for char in "\u202e\x9b\x1b\x07")
        assert not any("red" in str(span.style) or "javascript" in str(span.style) for span in plain.spans)


def run(*args: str | bytes, cwd: Path | None = None, text: str = "") -> subprocess.CompletedProcess[bytes]:
    command: list[str | bytes] = [sys.executable, "-m", "shipworthy", *args]
    return subprocess.run(command, input=text.encode(), capture_output=True, timeout=300, check=False, cwd=cwd)


@pytest.mark.parametrize(
    "args",
    [
        ["hub", "search", "\x1b]0;owned\x07 zqxj"], ["hub", "search", b"\xff\xfe zqxj"],
        ["hub", "search", "zqxj " * 5000],
        ["hub", "search", "x", "--topic", "\x1b[2J"], ["hub", "search", "kind:\x1b[2J"], ["hub", "search", "year:²"],
        ["hub", "search", "x", "--limit", "²"], ["hub", "search", "x", "--limit", "9" * 5000],
        ["hub", "show", "\x1b[2J"], ["hub", "show", "../../etc/passwd"], ["hub", "show", b"\xff"],
        ["hub", "show", "__proto__"], ["hub", "related", "\u202e"], ["hub", "stage", "../x\x1b[2J"],
        ["hub", "learn", "\x1b[2J"], ["explain", "\x1b[2J\u202e"], ["explain", "../../../etc/shadow"],
        ["explain", b"\xff"],
        ["explain", "/dev/zero"],
    ],
    ids=str,
)  # fmt: skip
def test_hostile_words_are_answered_plainly(args: list[str | bytes], tmp_path: Path) -> None:
    done = run(*args, cwd=tmp_path)
    out = done.stdout + done.stderr
    assert done.returncode in (0, 1, 2), out
    assert b"Traceback" not in out
    assert not any(char in out.decode("utf-8") for char in "\u202e\x9b\x1b\x07")


# --- files that a repository brought ---------------------------------------------------------------------------------


def test_a_build_writes_through_no_link(hub: Hub, tmp_path: Path) -> None:
    """A stranger's repository with `site/` and our mark had the build write over any file of whoever ran it."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "profile").write_text("precious")
    for name, target in (("index.html", mine / "profile"), ("assets", mine), (".shipworthy-site", mine / "profile")):
        folder = tmp_path / name.strip(".") / "site"
        folder.mkdir(parents=True)
        if name != ".shipworthy-site":
            (folder / ".shipworthy-site").write_text("index.html\n../../mine/profile\n/etc/hostname\n\xff")
        (folder / name).symlink_to(target)
        with pytest.raises(UsageError, match="link"):
            build(hub, Given((), (), "1"), folder)
        assert [path.name for path in mine.iterdir()] == ["profile"]
        assert (mine / "profile").read_text() == "precious"


ANSWERS = (
    "title=Sluice", "url=https://github.com/sluice-project/sluice", "pipeline=ml", "stages=model-scan", "topics=pickle",
    "summary=Reads the tensors of a checkpoint one by one and writes them to safetensors.", "id=sluice",
    "use-when=you have checkpoints of others.", "maintained=active", "basis.maintained=last commit 2026-10-30",
)  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the hub, small: what `hub add` needs."""
    import shutil

    from shipworthy.hub.reader import FOLDER

    folder = tmp_path / "hub"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


@pytest.mark.parametrize(
    "answer",
    [b"id=../../x", b"id=/etc/x", b"kind=../tool", b"kind=..", b"year=\xc2\xb2", b"year=99999999999", b"title=\xff\xfe",
     b"title=\x1b[2J", b"url=https://e.org/\xff", b"url=javascript:x", b"title=a\nb = 1", b"stages=\x1b[2J",
     b"basis.as-of=\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa4", b"arxiv=\xd9\xa2\xd9\xa4\xd9\xa0\xd9\xa6.12345", b"__class__=x",
     b"=x", b"x"],
    ids=repr,
)  # fmt: skip
def test_hostile_answers_add_nothing(checkout: Path, answer: bytes) -> None:
    before = sorted(path.relative_to(checkout.parent) for path in checkout.parent.rglob("*"))
    words: list[str | bytes] = [word for one in (*ANSWERS, answer) for word in ("--from", one)]
    done = run("hub", "add", "--hub", str(checkout), *words)
    out = (done.stdout + done.stderr).decode("utf-8")
    assert done.returncode in (1, 2), out
    assert "Traceback" not in out
    assert not any(char in out for char in "\u202e\x9b\x1b\x07")
    assert sorted(path.relative_to(checkout.parent) for path in checkout.parent.rglob("*")) == before


def test_a_new_entry_is_written_into_no_linked_folder(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (checkout / "catalogue" / "tool").rename(elsewhere)
    (checkout / "catalogue" / "tool").symlink_to(elsewhere)
    before = len(list(elsewhere.iterdir()))
    args = [word for one in ANSWERS for word in ("--from", one)]
    assert main(["hub", "add", "--hub", str(checkout), *args]) == 2
    assert len(list(elsewhere.iterdir())) == before
    assert os.path.lexists(elsewhere / "sluice.toml") is False


# --- the workflow ----------------------------------------------------------------------------------------------------


def test_the_pull_request_s_own_words_are_never_code_in_our_workflows() -> None:
    """Titles, branches, bodies and names of files are the attacker's; so is all code of a pull request."""
    import yaml

    root = Path(__file__).parent.parent
    for path in sorted((root / ".github" / "workflows").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        flow = yaml.safe_load(text)
        on = flow[True]  # `on` is a word of YAML's
        assert "pull_request_target" not in on, path
        assert "workflow_run" not in on, path
        assert "issue_comment" not in on, path
        assert "secrets." not in text, path
        assert flow["permissions"] == {"contents": "read"}, path
        for job in flow["jobs"].values():
            assert "permissions" not in job, path
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), (path, step)
                if uses := step.get("uses", ""):
                    assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", uses), uses
                if uses.startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, path
    hub = (root / ".github" / "workflows" / "hub.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\{ (github\.event\.[a-z_.]+) \}\}", hub)) == {
        "github.event.pull_request.base.sha", "github.event.pull_request.user.login",
    }  # fmt: skip
