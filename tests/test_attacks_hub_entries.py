"""Attacks by pull request on the hub's catalogue: what hostile files do to the lint, and what the lint lets through.
Each is a real file in a copy of the hub."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.hub.lint import Contributor, lint
from shipworthy.hub.lint.addresses import canonical, wrong
from shipworthy.hub.reader import FOLDER, Reading

KEYS = {
    "url": '"https://github.com/{id}-project/{id}"',
    "summary": '"Reads the {id} tensors of a checkpoint one by one and writes them to safetensors."',
    "use-when": '"you have checkpoints of others and want their weights alone."',
    "pipeline": '["ml"]',
    "stages": '["model-scan", "load"]',
    "topics": '["pickle"]',
    "maintained": '"active"',
    "added": "2026-11-20",
}
BASIS = '\n[basis]\nmaintained = "last commit 2026-10-30"\nas-of = 2026-11-20\n'
ADA = Contributor("Ada Contributor", "ada@example.org", "ada-lovelace")


def entry(id_: str, more: Mapping[str, str] = {}, basis: str = BASIS) -> str:
    keys = {"title": f'"Sluice {id_}"', **KEYS, **more}
    return "".join(f"{key} = {value}\n".replace("{id}", id_) for key, value in keys.items()) + basis


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "hub"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


@pytest.fixture
def hub(copy: Path) -> Iterator[Path]:
    """The copy; what a test adds is taken away afterwards."""
    before = set(copy.rglob("*"))
    yield copy
    for path in sorted(set(copy.rglob("*")) - before, reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def linted(hub: Path, texts: Mapping[str, str], contributors: tuple[Contributor, ...] = ()) -> dict[str, set[str]]:
    """The rules that fire for each of these new tools."""
    files = {f"catalogue/tool/{id_}.toml": id_ for id_ in texts}
    for file, id_ in files.items():
        (hub / file).write_text(texts[id_], encoding="utf-8")
    found: dict[str, set[str]] = {id_: set() for id_ in texts}
    for one in lint(hub, all_rules(), only=files, contributors=dict.fromkeys(files, contributors)):
        assert one.problem.remedy, one
        assert len(one.problem.message) < 1000, one
        found[files[one.problem.file]].add(one.rule)
    return found


def test_a_good_entry_passes(hub: Path) -> None:
    assert linted(hub, {"good": entry("good")}, (ADA,)) == {"good": set()}


# --- text ------------------------------------------------------------------------------------------------------------

TEXTS = {
    "script": ("summary", "Reads the tensors <script>alert(1)</script> of a checkpoint, one by one.", "markup"),
    "long-tag": ("summary", f"Reads the tensors <img src={'x' * 250} onerror=y> of a checkpoint.", "markup"),
    "entity": ("note", "Reads &#x6a;avascript tensors.", "markup"),
    "markdown": ("summary", "Reads the tensors of [a checkpoint](javascript:alert), one by one, always.", "markup"),
    "picture": ("note", "Reads ![tensors] of others.", "markup"),
    "scheme": ("use-when", "you want javascript:alert of others.", "markup"),
    "of-source": ("sources", ["javascript:alert(1)"], "markup"),
    "of-basis": ("basis", 'maintained = "commit <b>2026-11-01</b>"', "markup"),
    "ansi": ("summary", "Reads the tensors \\u001b[2J of a checkpoint, one by one, as others do.", "form"),
    "csi": ("summary", "Reads the tensors \\u009b2J of a checkpoint, one by one, as others do.", "form"),
    "delete": ("title", "Sluice \\u007f", "form"),
    "bidi": ("summary", "Reads the tensors \\u202e of a checkpoint, one by one, as others do.", "hidden-text"),
    "bidi-title": ("title", "Sluice \\u2066", "hidden-text"),
    "bidi-author": ("authors", ["Ada \\u202e"], "hidden-text"),
    "bidi-basis": ("basis", 'maintained = "last commit \\u202e2026-10-30"', "hidden-text"),
    "zero-width": ("summary", "Reads the ten\\u200bsors of a checkpoint, one by one, as others do.", "hidden-text"),
    "tag-block": ("summary", "Reads the tensors\\U000e0041 of a checkpoint, one by one, all.", "hidden-text"),
    "soft-hyphen": ("summary", "The amaz\\u00ading reader of tensors of a checkpoint, one by one.", "hidden-text"),
    "filler": ("title", "Sluice \\u3164", "hidden-text"),
    "blank": ("title", "Sluice\\u2800two", "hidden-text"),
    "no-break": ("title", "Sluice\\u00a0two", "hidden-text"),
    "variation": ("title", "Sluice\\ufe0f", "hidden-text"),
    "struck": ("summary", "An a\\u0336m\\u0336azing reader of tensors of a checkpoint, one by one.", "hidden-text"),
    "mixed": ("title", "Slu\\u0456ce", "hidden-text"),
    "whole-word": ("title", "\\u0421\\u043e\\u0440\\u0430", "hidden-text"),
    "bold": ("title", "\\U0001d413\\U0001d42b\\U0001d422vy", "hidden-text"),
    "wide": ("title", "\\uff34\\uff52\\uff49vy", "hidden-text"),
    "long": ("summary", "Reads tensors. " * 500, "form"),
    "lines": ("summary", "Reads tensors.\\nAnd\\nmore.", "form"),
    "rich": ("title", "[/] [bold red]x[/] [link=file:///etc/passwd]y[/link]", ""),
    "praise-accent": ("summary", "An \\u00e0mazing reader of the tensors of a checkpoint, one by one.", "praise"),
    "praise-case": ("summary", "An AMAZING reader of the tensors of a checkpoint, one by one.", "praise"),
    "praise-dash": ("summary", "A state\\u2011of\\u2011the\\u2011art reader of the tensors of a checkpoint.", "praise"),
    "praise-en": ("summary", "A game\\u2013changing reader of the tensors of a checkpoint, of others.", "praise"),
    "praise-space": ("summary", "A world  class reader of the tensors of a checkpoint, of others.", "praise"),
    "praise-note": ("note", "The ultimate one.", "praise"),
    "praise-basis": ("basis", 'maintained = "the powerful last commit 2026-10-30"', "praise"),
}  # fmt: skip


def test_what_hostile_text_is_caught_by(hub: Path) -> None:
    texts = {}
    for id_, (key, value, _) in TEXTS.items():
        if key == "basis":
            texts[id_] = entry(id_, basis=f"\n[basis]\n{value}\nas-of = 2026-11-20\n")
        else:
            texts[id_] = entry(id_, {key: f'["{value[0]}"]' if isinstance(value, list) else f'"{value}"'})
    found = linted(hub, texts)
    missed = {id_: found[id_] for id_, (_, _, rule) in TEXTS.items() if rule not in found[id_]}
    assert missed == {"rich": set()}  # brackets are text; what a terminal shows is tried elsewhere


def test_the_lint_s_own_output_steers_no_terminal(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (hub / "catalogue" / "tool" / "esc.toml").write_text(
        entry("esc", {"topics": '["\\u001b]0;owned\\u0007\\u202e"]', '"\\u001b[2J"': "1", "related": '["[red]x[/]"]'})
    )
    name = os.fsencode(hub) + b"/catalogue/tool/\x1b[2J\xff\n::error::x.toml"
    with open(name, "wb") as file:
        file.write(entry("odd").encode())
    for form in ("text", "github", "json"):
        assert main(["hub", "lint", "--hub", str(hub), "--format", form]) == 1
        out = capsys.readouterr().out
        assert not any(char in out for char in "\x1b\x07\u202e\x9b")
        if form == "github":
            assert all(line.startswith(("::error file=", "6 problems")) for line in out.splitlines()), out


# --- files -----------------------------------------------------------------------------------------------------------


def test_links_pipes_and_devices_are_not_read(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to /dev/zero was read without end; one to another file showed what stands elsewhere."""
    tools = hub / "catalogue" / "tool"
    outside = tmp_path / "outside.toml"
    outside.write_text(entry("outside"))
    (tools / "zero.toml").symlink_to("/dev/zero")
    (tools / "there.toml").symlink_to(outside)
    (tools / "nowhere.toml").symlink_to("nothing")
    (tools / "self.toml").symlink_to("self.toml")
    os.mkfifo(tools / "pipe.toml")
    (tools / "folder.toml").mkdir()
    (hub / "topics" / "zero.md").symlink_to("/dev/zero")
    monkeypatch.chdir(tools)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind("wire.toml")
    (hub / "paths" / "tools.toml").symlink_to(outside)
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", "hub", "lint", "--hub", str(hub)],
        capture_output=True, text=True, timeout=120, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    for name in ("zero", "there", "nowhere", "self", "pipe", "folder", "wire"):
        assert f"/tool/{name}.toml: it " in done.stdout, name
    assert "topics/zero.md: it is a link" in done.stdout
    assert "paths/tools.toml: it is a link" in done.stdout


def test_a_folder_that_is_a_link_is_told(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(entry("x"))
    shutil.move(hub / "catalogue" / "talk", tmp_path / "talk")
    try:
        (hub / "catalogue" / "talk").symlink_to(tmp_path / "talk")
        assert {(one.rule, one.problem.message) for one in lint(hub) if "catalogue/talk" in one.problem.file} == {
            ("form", "it is a link")
        }
        (hub / "catalogue" / "talk").unlink()
        (hub / "catalogue" / "talk").write_text("no folder")
        assert isinstance(lint(hub), list)
    finally:
        (hub / "catalogue" / "talk").unlink()
        shutil.move(tmp_path / "talk", hub / "catalogue" / "talk")


@pytest.mark.parametrize("name", ["con", "nul", "aux", "com1"])
def test_an_id_that_is_a_device_elsewhere_is_refused(hub: Path, name: str) -> None:
    """A checkout with such a file fails on Windows, for everybody."""
    assert linted(hub, {name: entry(name)}) == {name: {"form"}}


@pytest.mark.parametrize("name", ["..", "a b", "Å", "a.b", "A", "-a", "a--b", "__proto__", "a\\b", "‮a"])
def test_an_id_is_a_slug(hub: Path, name: str) -> None:
    (hub / "catalogue" / "tool" / f"{name}.toml").write_text(entry("x"))
    assert any(one.rule == "form" and "no id" in one.problem.message for one in lint(hub))


BOMBS = {
    "deep": "x = " + "[" * 20_000,
    "tables": "x = " + "{a=" * 10_000,
    "digits": entry("digits", {"year": "9" * 5000}),
    "hex": entry("hex", {"year": "0x" + "f" * 20_000}),
    "hex-list": entry("hexlist", {"topics": f"[0x{'f' * 20_000}]"}),
    "dotted": ".".join(["a"] * 30_000) + " = 1",
    "dotted-quoted": " . ".join(['"a b"'] * 10_000) + " = 1",
    "keys": "".join(f"k{n} = {n}\n" for n in range(5_000)),
    "headers": "".join(f"[a{n}]\n" for n in range(5_000)),
    "large": "x = '" + "x" * 900_000 + "'",
    "no-utf8": "x = '\udcff'",
    "nul": "x = '\0'",
    "bom": "\ufefftitle = 'x'",
    "infinite": entry("infinite", {"year": "inf"}),
    "moment": entry("moment", {"date": "2026-11-20T10:00:00Z"}),
    "tables-for-texts": "".join(f"[{key}]\nx = 1\n" for key in ("title", "url", "summary", "pipeline", "maintained")),
    "basis": "basis = 7\n" + entry("basis", basis=""),
    "mixed-list": entry("mixedlist", {"topics": '[1, [2], {x = 3}, "pickle", 2026-11-20]'}),
    "empty": "",
    "many-authors": entry("manyauthors", {"authors": "[" + ",".join(f'"A B{n}"' for n in range(2000)) + "]"}),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_problem_of_its_file_alone(hub: Path, bomb: str) -> None:
    (hub / "catalogue" / "tool" / f"{bomb}.toml").write_bytes(BOMBS[bomb].encode("utf-8", "surrogateescape"))
    found = Reading(hub).problems
    if bomb != "empty":
        assert found
    assert {one.file for one in found} <= {f"catalogue/tool/{bomb}.toml"}
    assert len(found) <= 41
    assert all(len(one.message) < 1000 and len(one.key) <= 100 for one in found)


FRAMEWORK = 'name = "F"\nversion = "1"\nurl = "https://f.org/"\nsource = "x"\nverified = true\n'


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("frameworks/f.toml", "item = 7\n" + FRAMEWORK),
        ("frameworks/f.toml", "item = [1, 2]\n" + FRAMEWORK),
        ("frameworks/f.toml", "aliases = 7\n" + FRAMEWORK),
        ("frameworks/f.toml", FRAMEWORK + "[aliases]\nx = [1]\n"),
        ("frameworks/f.toml", FRAMEWORK + '[[item]]\nid = 7\ntitle = "x"\n'),
        ("frameworks/f.toml", FRAMEWORK.replace('"F"', "7")),
        ("paths/p.toml", "step = 7\ntitle = 'x'\nsummary = 'x'\n"),
        ("paths/p.toml", "title = 7\nsummary = 'x'\n"),
        ("paths/p.toml", "title = 'x'\nsummary = 'x'\n[[step]]\nheading = 1\ntext = 2\npages = 3\nminutes = 4\n"),
        ("topics/t.md", "+++\ntitle = 7\nsummary = 8\n+++\n## What it is\n"),
        ("topics/t.md", "+++\n+++\n"),
        ("topics/t.md", "+++\n" + "[" * 20_000 + "\n+++\n"),
        ("topic-words.toml", "x = 7\n[y]\ntitle = 1\nline = 2\n"),
        ("stages.toml", "pipeline = 7\n"),
        ("stages.toml", "[pipeline]\nml = 7\n"),
        ("stages.toml", "[shelf]\nx = 7\n"),
        ("stages.toml", "[pipeline.ml]\nscan = ['x', [1]]\n[shelf.x]\ntitle = 1\nwhat = 2\nwhy = 3\nthreats = 4\n"),
    ],
)
def test_the_other_files_may_be_of_any_form(hub: Path, file: str, text: str) -> None:
    path = hub / file
    before = path.read_bytes() if path.exists() else None
    try:
        path.write_text(text)
        assert any(one.problem.file == file and one.rule == "form" for one in lint(hub, all_rules()))
    finally:
        path.unlink() if before is None else path.write_bytes(before)


def test_links_of_markdown_in_every_form(hub: Path) -> None:
    topic = "topics/model-theft.md"
    before = (hub / topic).read_text(encoding="utf-8")
    lines = ["[a][b]", "[b]: javascript:alert(1)", "[c]: <data:text/html,x>", "[d]( file:///etc/passwd)",
             "<javascript:alert(1)>", "<img", "src=x onerror=alert(1)>", f"<img {'x' * 1500}>"]  # fmt: skip
    try:
        (hub / topic).write_text(before + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
        first = before.count("\n") + 2
        found = {one.problem.line - first for one in lint(hub, all_rules(), only={topic}) if one.rule == "markup"}
        assert found == {1, 2, 3, 4, 5, 7}
    finally:
        (hub / topic).write_text(before, encoding="utf-8")


def test_front_matter_and_frameworks_hide_nothing_in_escapes(hub: Path) -> None:
    topic, framework = hub / "topics" / "model-theft.md", hub / "frameworks" / "f.toml"
    before = topic.read_text(encoding="utf-8")
    try:
        topic.write_text(before.replace('title = "', 'title = "\\u202e', 1), encoding="utf-8")
        framework.write_text(FRAMEWORK + '[[item]]\nid = "F-1"\ntitle = "x\\u200b"\n')
        assert {(one.problem.file, one.rule) for one in lint(hub, all_rules())} == {
            ("topics/model-theft.md", "hidden-text"), ("frameworks/f.toml", "hidden-text"),
        }  # fmt: skip
    finally:
        topic.write_text(before, encoding="utf-8")


# --- addresses -------------------------------------------------------------------------------------------------------

SAME = {
    "https://github.com/aquasecurity/trivy": [
        "https://www.github.com/AquaSecurity/Trivy/", "http://github.com/aquasecurity/trivy.git",
        "https://github.com//aquasecurity/trivy", "https://github.com/aquasecurity/./trivy",
        "https://github.com/x/../aquasecurity/trivy", "https://github.com/%61quasecurity/%74rivy",
        "https://github.com/aquasecurity/trivy?tab=readme-ov-file#install", "https://github.com:443/aquasecurity/trivy",
        "https://github.com./aquasecurity/trivy", "https://github.com/aquasecurity/trivy/tree/main",
        "https://github.com/aquasecurity/trivy/releases", "https://github.com/aquasecurity/trivy/releases/latest",
        "https://github.com/aquasecurity/trivy/issues", "https://github.com/aquasecurity/trivy/blob/master/README.md",
        "https://raw.githubusercontent.com/aquasecurity/trivy/main/README.md",
        "https://raw.githubusercontent.com/aquasecurity/trivy/refs/heads/main/README.md",
        "https://web.archive.org/web/20240101000000/https://github.com/aquasecurity/trivy",
        "https://web.archive.org/web/2024id_/http://github.com/aquasecurity/trivy",
    ],
    "https://arxiv.org/abs/2406.12345": [
        "https://arxiv.org/abs/2406.12345v2", "https://arxiv.org/pdf/2406.12345v2.pdf#page=3",
        "https://www.arxiv.org/abs/2406.12345?context=cs.LG", "https://arxiv.org/html/2406.12345v1",
        "https://ar5iv.labs.arxiv.org/html/2406.12345", "https://www.alphaxiv.org/abs/2406.12345v3",
        "https://doi.org/10.48550/arXiv.2406.12345", "https://doi.org/10.48550/arXiv.2406.12345v2",
        "https://doi.org/10.48550%2FarXiv.2406.12345", "https://huggingface.co/papers/2406.12345v1",
        "https://export.arxiv.org/abs/2406.12345",
    ],
    "https://doi.org/10.1145/3658644.3690217": [
        "https://dl.acm.org/doi/10.1145/3658644.3690217", "https://dl.acm.org/doi/abs/10.1145/3658644.3690217",
        "https://dl.acm.org/doi/pdf/10.1145/3658644.3690217", "http://dx.doi.org/10.1145/3658644.3690217",
        "https://dl.acm.org/doi/fullHtml/10.1145/3658644.3690217",
    ],
    "https://example.org/a": [
        "http://www.example.org/a/", "https://EXAMPLE.org/a#", "https://example.org/a?", "https://example.org/%61",
        "https://example.org//a", "https://example.org/b/../a", "https://example.org/a?utm_source=x&UTM_Campaign=y",
        "https://example.org/a?utm%5Fsource=x", "https://example.org/a/index.html", "https://example.org:443/a",
        "https://example.org/a?fbclid=1#:~:text=x",
    ],
    "https://www.youtube.com/watch?v=abc": [
        "https://youtu.be/abc?si=x", "https://m.youtube.com/watch?v=abc&t=3", "https://www.youtube.com/embed/abc",
        "https://www.youtube.com/live/abc?feature=share", "https://www.youtube-nocookie.com/embed/abc",
    ],
    "https://pypi.org/project/some-thing": [
        "https://pypi.org/project/Some_Thing/", "https://pypi.org/project/some-thing/1.2.3/",
        "https://pypi.org/project/some.thing/#files",
    ],
}  # fmt: skip


@pytest.mark.parametrize("address", SAME)
def test_one_thing_is_one_address_however_it_is_written(address: str) -> None:
    assert [one for one in SAME[address] if canonical(one) != canonical(address)] == []


def test_what_differs_is_not_one() -> None:
    apart = [
        "https://github.com/a/b", "https://github.com/a/b/tree/main/docs", "https://github.com/a/b/issues/7",
        "https://github.com/a/b/blob/main/docs/x.md", "https://example.org/a?id=1", "https://example.org/a?id=2",
        "https://example.org/a#one", "https://example.org/a#two", "https://example.org/..a", "https://example.org/A",
        "https://web.archive.org/", "https://web.archive.org/about", "https://arxiv.org/list/cs.CR/recent",
        "https://github.com/a", "https://github.com/a/releases", "https://dl.acm.org/conference/ccs",
    ]  # fmt: skip
    assert len({canonical(one) for one in apart}) == len(apart)


def test_a_duplicate_is_found_behind_each_trick(hub: Path) -> None:
    texts = {
        f"dup-{n}": entry(f"dup-{n}", {"url": f'"{one}"'})
        for n, one in enumerate(SAME["https://github.com/aquasecurity/trivy"])
    }
    found = linted(hub, texts)
    assert {id_: rules for id_, rules in found.items() if "duplicate-address" not in rules} == {}
    texts = {
        "by-alias": entry("by-alias", {"aliases": '["https://github.com/AquaSecurity/trivy/releases"]'}),
        "by-http": entry("by-http", {"url": '"http://github.com/aquasecurity/trivy"'}),
    }
    assert all({"duplicate-address"} <= rules for rules in linted(hub, texts).values())


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://ada@example.org/",
        "https://github.com@evil.org/", "https://github.com\\@evil.org/", "https://example.org%2f@evil.org/",
        "https://example.org%23.evil.org/", "https://localhost./", "https://x.local./", "https://x.internal./",
        "https://x.lan/", "https://x.onion/", "https://127.0.0.1./", "https://127.1/", "https://0x7f.1/",
        "https://2130706433/", "https://[::ffff:127.0.0.1]/", "https://0177.0.0.1/", "https://-x.org/",
        "https://x..org/", "https://xn--80ak6aa92e.com/", "https://аррle.com/", "https://example.org:22/",
        "https://example.org:443:1/", "https://www.google.com/url?q=https://evil.org",
        "https://example.org/login?next=//evil.org", "https://example.org/r?to=http%3A%2F%2Fevil.org",
        "https://a.medium.com/x?source=friends_link", "https://example.org/\u202ex", "https://example.org/a\tb",
        "https://example.org/<b>", "https:///x", "https://", "HTTPS://example.org@/x",
    ],
)  # fmt: skip
def test_addresses_that_mislead_are_refused(url: str) -> None:
    assert list(wrong(url))


@pytest.mark.parametrize(
    "url", ["https://en.wikipedia.org/wiki/Pickle_(software)", "https://e.co.uk/?q=a:b", "https://x.y/?u=1&v=/a/b"]
)
def test_honest_addresses_are_not(url: str) -> None:
    assert not list(wrong(url))


# --- claims ----------------------------------------------------------------------------------------------------------


def test_an_own_project_is_seen_behind_each_trick(hub: Path) -> None:
    own = [
        "https://github.com/ada-lovelace/x", "https://github.com/%61da-lovelace/x1", "https://github.com//ada-lovelace/x2",
        "https://ada-lovelace.github.io/x3", "https://raw.githubusercontent.com/ada-lovelace/x/main/y4.py",
        "https://web.archive.org/web/2024/https://github.com/ada-lovelace/x5", "https://www.github.com/ADA-Lovelace/x6",
        "https://huggingface.co/Ada_Lovelace/x7", "https://medium.com/@ada-lovelace/x8",
    ]  # fmt: skip
    texts = {f"own-{n}": entry(f"own-{n}", {"url": f'"{one}"'}) for n, one in enumerate(own)}
    for n, empty in enumerate(("None", ".", "-")):  # says nothing
        more = {"url": f'"https://github.com/ada-lovelace/y{n}"', "disclosure": f'"{empty}"'}
        texts[f"says-{n}"] = entry(f"says-{n}", more)
    found = linted(hub, texts, (ADA,))
    assert {id_: rules for id_, rules in found.items() if "disclosure" not in rules} == {}
    more = {"url": '"https://github.com/ada-lovelace/z"', "disclosure": '"Added by its author."'}
    assert linted(hub, {"told": entry("told", more)}, (ADA,)) == {"told": set()}


@pytest.mark.parametrize(
    "basis", ["the repository is archived", "Deprecated by its authors", "last commit 2015-03-01", "released in 2019"]
)
def test_a_dead_project_is_not_called_active(hub: Path, basis: str) -> None:
    text = entry("dead", basis=f'\n[basis]\nmaintained = "{basis}"\nas-of = 2026-11-20\n')
    assert linted(hub, {"dead": text}) == {"dead": {"dates"}}


def test_a_circle_of_three_and_who_supersedes_itself(hub: Path) -> None:
    texts = {
        a: entry(a, {"superseded-by": f'["{b}"]'}) for a, b in (("one", "two"), ("two", "three"), ("three", "one"))
    }
    texts["self"] = entry("self", {"superseded-by": '["self"]'})
    found = linted(hub, texts)
    assert all("succession" in found[name] for name in ("one", "two", "three"))
    assert found["self"]


def test_no_entry_is_about_everything(hub: Path) -> None:
    """It would stand on the page of each control, stage and topic, and beside each other entry."""
    data = Reading(hub).data
    lists = {
        "frameworks": [item["id"] for one in data["frameworks"] for item in one["items"]],
        "related": [one["id"] for one in data["entries"]],
        "stages": [one["id"] for one in data["shelves"]],
        "topics": [one["id"] for one in data["words"]],
        "help": [one["id"] for one in data["topics"]],
        "supersedes": [one["id"] for one in data["entries"]],
    }
    texts = {
        f"all-{key}": entry(f"all-{key}", {key: "[" + ", ".join(f'"{one}"' for one in dict.fromkeys(names)) + "]"})
        for key, names in lists.items()
    }
    assert {id_: rules for id_, rules in linted(hub, texts).items() if "form" not in rules} == {}
