"""Done when 4 of the hub: a pull request with a bad entry fails the lint with a message that tells how to mend it, and
a good one passes untouched. Each is a real branch of a real repository that holds a copy of the catalogue."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.check import all_rules
from shipworthy.cli import main
from shipworthy.hub import schema
from shipworthy.hub.json_schema import entry_schema
from shipworthy.hub.lint import ABOUT, LINTS, Contributor, lint
from shipworthy.hub.lint.addresses import canonical, wrong
from shipworthy.hub.reader import FOLDER, Reading
from shipworthy.hub.writing import as_toml, slug

ROOT = Path(__file__).parent.parent
GOOD = """title = "Sluice of Weights"
url = "https://github.com/sluice-project/sluice"
summary = "Reads the tensors of a checkpoint one by one and writes them to safetensors, without unpickling anything."
use-when = "you have checkpoints of others and want their weights alone."
pipeline = ["ml"]
stages = ["model-scan", "load"]
topics = ["pickle"]
help = ["unsafe-model-deserialization"]
frameworks = ["CWE-502", "LLM03:2025"]
level = "practitioner"
licence = "MIT"
language = "Python"
maintained = "active"
related = ["picklescan"]
added = 2026-11-23

[basis]
licence = "repository LICENSE file"
maintained = "last commit 2026-10-30"
as-of = 2026-11-20
"""
SUMMARY = GOOD.split('"')[5]
NEW = "catalogue/tool/sluice.toml"
Branch = Callable[[str], Path]


def git(folder: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the hub's files, on its branch `main`."""
    folder = tmp_path_factory.mktemp("origin")
    hub = folder / "src" / "shipworthy" / "hub"
    shutil.copytree(FOLDER, hub, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Maintainer")
    git(folder, "config", "user.email", "maintainer@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


@pytest.fixture
def hub(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's folder in a clone of it, on the contributor's branch."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    git(clone, "switch", "--quiet", "--create", "add-sluice")
    git(clone, "config", "user.name", "Ada Contributor")
    git(clone, "config", "user.email", "ada@example.org")
    monkeypatch.chdir(clone)
    return clone / "src" / "shipworthy" / "hub"


def proposed(hub: Path, text: str, file: str = NEW, **author: str) -> None:
    """A commit with one new file."""
    (hub / file).write_text(text, encoding="utf-8")
    git(hub, "add", ".")
    who = [f"--author={author['author']}"] if author else []
    git(hub, "commit", "--quiet", "--message", "Add an entry", *who)


def linted(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    code = main(["hub", "lint", "--since", "origin/main", *args])
    return code, capsys.readouterr().out


def test_the_catalogue_itself_is_linted() -> None:
    assert [f"{one.problem} [{one.rule}]" for one in lint(rules=all_rules())] == []


def test_a_good_entry_passes_untouched(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed(hub, GOOD)
    assert linted(capsys) == (0, "no problem\n")
    assert (hub / NEW).read_text() == GOOD


def test_a_duplicate_fails(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = "http://www.GitHub.com/AquaSecurity/Trivy/tree/main/?utm_source=newsletter"
    proposed(hub, GOOD.replace("https://github.com/sluice-project/sluice", same))
    code, said = linted(capsys, str(hub / NEW))
    assert code == 1
    assert "catalogue/tool/sluice.toml:2: url: catalogue/tool/trivy.toml has this address already" in said
    assert "add what is new to that file, and take this one out" in said
    assert "tracks readers" in said
    assert "its scheme is http" in said


def test_an_unknown_framework_id_fails(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed(hub, GOOD.replace('"LLM03:2025"', '"LLM033:2025"'))
    code, said = linted(capsys)
    assert code == 1
    assert "sluice.toml:9: frameworks: there is no framework id `LLM033:2025` [unknown-id]" in said
    assert "what to do: did you mean `LLM03:2025`?" in said


def test_an_id_that_frameworks_use_for_different_things_is_written_with_its_framework(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proposed(hub, GOOD.replace('"LLM03:2025"', '"A.5.2"'))
    code, said = linted(capsys)
    assert code == 1
    told = "`A.5.2` is an id of iso-27001-2022 and of iso-42001-2023, with another meaning [ambiguous-id]"
    assert f"sluice.toml:9: frameworks: {told}" in said
    assert "write `iso-27001-2022/A.5.2` or `iso-42001-2023/A.5.2`, whichever is meant" in said
    proposed(hub, GOOD.replace('"LLM03:2025"', '"iso-42001-2023/A.5.2", "AML.T0020"'))  # one thing in two editions
    assert linted(capsys) == (0, "no problem\n")


def test_topics_and_stages_write_such_ids_in_full_too(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, before, after in (
        ("topics/model-card.md", "frameworks = [", 'frameworks = ["A.8.2", '),
        ("stages.toml", "techniques = [", 'techniques = ["V5.1", '),
    ):
        text = (hub / file).read_text(encoding="utf-8")
        assert before in text
        proposed(hub, text.replace(before, after, 1), file)
        code, said = linted(capsys)
        assert code == 1
        assert f"`{after.split(chr(34))[1]}` is an id of" in said
        proposed(hub, text, file)


def test_marketing_words_fail(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed(hub, GOOD.replace("Reads the tensors", "Powerful, enterprise-grade reader: seamlessly reads the tensors"))
    code, said = linted(capsys)
    assert code == 1
    assert "sluice.toml:3: summary: `powerful`, `enterprise-grade`, `seamlessly`: that is praise [praise]" in said
    assert "leave it out, or say what it does and how that was measured" in said


@pytest.mark.parametrize(
    "author",
    [
        "Sluice Project <someone@gmail.com>",
        "Grace <12345+sluice-project@users.noreply.github.com>",
        "Grace <grace@sluice-project.dev>",
        "Sluice-Project <1@example.org>",
    ],
)
def test_an_undisclosed_own_project_fails(hub: Path, capsys: pytest.CaptureFixture[str], author: str) -> None:
    proposed(hub, GOOD, author=author)
    code, said = linted(capsys)
    assert code == 1
    assert "its address is of `sluice-project`" in said
    assert 'disclosure = "Added by its author."' in said
    own = GOOD.replace("\n[basis]", 'disclosure = "Added by its author."\n\n[basis]')
    proposed(hub, own, author=author)
    assert linted(capsys)[0] == 0


def test_the_account_that_opened_the_pull_request_counts_too(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed(hub, GOOD)
    assert linted(capsys, "--contributor", "somebody-else")[0] == 0
    code, said = linted(capsys, "--contributor", "Sluice-Project")
    assert code == 1
    assert "the contributor's login" in said


def test_a_paper_of_ones_own_is_disclosed_too(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paper = GOOD.replace("https://github.com/sluice-project/sluice", "https://papers.sluice.org/1.pdf")
    paper = paper.replace("\npipeline", '\nauthors = ["Lovelace, Ada", "C. Babbage"]\npipeline')
    proposed(hub, paper, author="Ada Lovelace <al@gmail.com>")
    code, said = linted(capsys)
    assert code == 1
    assert "`Lovelace, Ada` is among its authors" in said


def test_what_others_have_changed_long_ago_asks_for_no_disclosure(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proposed(hub, GOOD, author="Aqua Security <1+aquasecurity@users.noreply.github.com>")
    assert linted(capsys)[0] == 0  # trivy.toml is theirs, and was not touched


@pytest.mark.parametrize(
    ("link", "message", "remedy"),
    [
        ("trivvy", "there is no entry `trivvy`", "did you mean `trivy`?"),
        ("tfsec", "`tfsec` is superseded itself", 'superseded-by = ["trivy"]'),
        ("sluice", "it names itself", "take it out"),
    ],
)
def test_a_dead_superseded_link_fails(
    hub: Path, capsys: pytest.CaptureFixture[str], link: str, message: str, remedy: str
) -> None:
    proposed(hub, GOOD.replace("\nrelated", f'\nsuperseded-by = ["{link}"]\nrelated'))
    code, said = linted(capsys)
    assert code == 1
    assert message in said
    assert remedy in said


def test_a_circle_of_successors_is_seen(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed(hub, GOOD.replace("\nrelated", '\nsuperseded-by = ["weir"]\nrelated'))
    again = GOOD.replace("Sluice of Weights", "Weir").replace("sluice-project/sluice", "weir-project/weir")
    again = again.replace("one by one and", "in one pass and").replace(
        "\nrelated", '\nsuperseded-by = ["sluice"]\nrelated'
    )
    proposed(hub, again, "catalogue/tool/weir.toml")
    code, said = linted(capsys)
    assert code == 1
    assert said.count("is superseded by this entry in turn") == 2


BAD = {
    "form": ('level = "practitioner"', 'levle = "practitioner"'),
    "hidden-text": ("without unpickling", "without\u202e unpickling"),
    "duplicate-title": ("Sluice of Weights", "trivy"),
    "summary-repeats": (SUMMARY, "Sluice of Weights, which is the sluice for weights."),
    "address": ("https://github.com/sluice-project/sluice", "https://bit.ly/3abcdef"),
    "spelling": ("Reads the tensors", "Checks the behavior and reads the tensors"),
    "length": ("use-when = ", "note = "),
    "markup": ("one by one", "<b>one by one</b>"),
    "dates": ('maintained = "last commit 2026-10-30"\n', ""),
}  # fmt: skip


@pytest.mark.parametrize("rule", BAD)
def test_each_rule_fires_on_what_it_is_for(hub: Path, rule: str) -> None:
    before, after = BAD[rule]
    assert before in GOOD
    (hub / NEW).write_text(GOOD.replace(before, after), encoding="utf-8")
    found = lint(hub, all_rules(), only={NEW})
    assert rule in {one.rule for one in found}, [str(one.problem) for one in found]
    assert all(one.problem.remedy and one.problem.file == NEW for one in found)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "it does not say on which day it was added"),
        ("added = 2999-01-01\n", "2999-01-01 is in the future"),
        ("added = 2026\n", "it must be a day such as 2026-03-24"),
        ('added = "2026-02-30"\n', "it must be a day such as 2026-03-24"),
    ],
)
def test_an_entry_says_on_which_day_it_was_added(
    hub: Path, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    proposed(hub, GOOD.replace("added = 2026-11-23\n", line))
    code, said = linted(capsys)
    assert code == 1
    assert told in said


def test_every_rule_is_tried_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    tried = {*BAD, "unknown-id", "ambiguous-id", "duplicate-address", "disclosure", "succession", "praise"}
    assert tried == set(ABOUT)
    assert {one.id for one in LINTS} <= tried
    assert main(["hub", "lint", "--list-rules"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(ABOUT)


def test_the_rules_are_documented() -> None:
    page = (ROOT / "docs" / "hub-contributing.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | {about} |" for name, about in ABOUT.items()]


def test_hidden_text_in_a_pages_markdown_and_in_escapes(hub: Path) -> None:
    topic = hub / "topics" / "model-theft.md"
    topic.write_text(topic.read_text() + "\n<script>alert(1)</script> [x](javascript:alert(1)) `<b>`\u200b\n")
    (hub / NEW).write_text(GOOD.replace("anything.", "anything\\u202E."))
    found = lint(hub, all_rules(), only={NEW, "topics/model-theft.md"})
    assert sorted((one.problem.file, one.rule) for one in found) == [
        (NEW, "hidden-text"),
        ("topics/model-theft.md", "hidden-text"),
        ("topics/model-theft.md", "markup"),
        ("topics/model-theft.md", "markup"),
    ]


def test_an_entry_that_cannot_be_read_is_not_missed_by_others(hub: Path) -> None:
    (hub / "catalogue" / "tool" / "trivy.toml").write_text("title = \n")
    assert {(one.rule, one.problem.file) for one in lint(hub, all_rules())} == {("form", "catalogue/tool/trivy.toml")}


def test_annotations_of_a_pull_request_cannot_be_forged(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed(hub, GOOD.replace('"picklescan"', r'"x\n::error file=a::forged"'))
    code, said = linted(capsys, "--format", "github")
    assert code == 1
    assert all(
        line.startswith(("::error file=src/shipworthy/hub/", "1 problem", "2 problem")) for line in said.splitlines()
    )
    assert main(["hub", "lint", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["file"].endswith("sluice.toml")


@pytest.mark.parametrize("args", [["nowhere.toml"], ["README.md"], ["--hub", "."], ["--since", "no-such-branch"]])
def test_unusable_input_is_told_apart(hub: Path, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("README.md").write_text("x")
    assert main(["hub", "lint", *args]) == 2
    assert "what to do" in capsys.readouterr().err or args[0] == "--since"


def test_addresses_that_are_the_same_are_one() -> None:
    for same in (
        ("https://arxiv.org/abs/2406.12345", "http://arxiv.org/pdf/2406.12345v3.pdf", "https://doi.org/10.48550/arXiv.2406.12345"),
        ("https://github.com/A/b", "https://www.github.com/a/B.git", "https://github.com/a/b/blob/main/README.md"),
        ("https://youtu.be/abc", "https://www.youtube.com/watch?v=abc&t=3&si=x"),
        ("https://example.org", "http://example.org/index.html?utm_source=x#:~:text=y"),
        ("https://pypi.org/project/Some_Thing/", "https://pypi.org/project/some-thing"),
    ):  # fmt: skip
        assert len({canonical(one) for one in same}) == 1, same
    assert canonical("https://example.org/a?b=1") != canonical("https://example.org/a?b=2")


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1/", "https://localhost/", "https://ada:x@example.org/", "https://xn--80ak6aa92e.com/",
     "https://example.org:8443/", "https://t.co/x", "https://[::1]/", "https://example.org/a b", "ftp://example.org/"],
)  # fmt: skip
def test_addresses_that_do_not_belong(url: str) -> None:
    assert list(wrong(url))


@given(st.from_regex(r"[a-z]{1,8}\.[a-z]{2,5}(/[A-Za-z0-9-]{1,8}){1,3}", fullmatch=True))
def test_what_does_not_change_the_page_does_not_change_the_canonical_address(place: str) -> None:
    forms = (f"http://{place}", f"https://www.{place}/", f"https://{place}?utm_source=x", f"https://{place}#:~:text=y")
    assert len({canonical(one) for one in forms}) == 1


@given(st.text(max_size=300))
def test_no_address_breaks_the_lint(url: str) -> None:
    assert canonical(f" {url} ") == canonical(url)
    assert all(rule and told.strip() for rule, told in wrong(url))
    assert Contributor(name=url, email=url, login=url).name == url


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
ENTRY = st.fixed_dictionaries(
    {"title": TEXT, "url": TEXT},
    optional={
        "summary": TEXT,
        "year": st.integers(-(2**40), 2**40),
        "date": st.dates(),
        "pipeline": st.lists(TEXT, max_size=5),
        "sources": st.lists(TEXT, max_size=12),
        "original-list": st.booleans(),
        "basis": st.fixed_dictionaries({}, optional={"licence": TEXT.filter(bool), "as-of": st.dates()}),
    },
)


@given(ENTRY)
def test_what_is_written_is_read_again(entry: dict[str, object]) -> None:
    read = tomllib.loads(as_toml(entry))
    wanted = {key: value for key, value in entry.items() if key != "basis" or value}

    def plain(value: object) -> object:
        return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value if isinstance(
            value, (list, bool, int)) else str(value)  # fmt: skip

    assert plain(read) == plain(wanted)


def test_the_writer_writes_what_is_there() -> None:
    """Every file of the catalogue comes out as it is, apart from where a list is broken."""
    for path in sorted(FOLDER.glob("catalogue/*/*.toml"))[::7]:
        text = path.read_text(encoding="utf-8")
        assert tomllib.loads(as_toml(tomllib.loads(text))) == tomllib.loads(text), path
        assert [line.split(" =")[0] for line in as_toml(tomllib.loads(text)).splitlines() if " = " in line] == [
            line.split(" =")[0] for line in text.splitlines() if " = " in line and not line.startswith("  ")
        ], path


@given(TEXT)
def test_an_id_is_one_whatever_the_title(title: str) -> None:
    assert slug(title) == "" or schema.SLUG.fullmatch(slug(title))


def test_the_schema_for_editors_is_that_of_the_lint() -> None:
    made = entry_schema(Reading().data, {rule.help for rule in all_rules().values()})
    assert json.loads((ROOT / "docs" / "hub-entry.schema.json").read_text()) == made, "run `make docs`"
    assert [*made["properties"]] == [*schema.ENTRY, "basis"]
    assert {*made["properties"]["basis"]["properties"]} == set(schema.BASIS_KEYS)
    validator = jsonschema.Draft7Validator(made)
    for path in FOLDER.glob("catalogue/*/*.toml"):
        data = json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))
        assert not (found := next(validator.iter_errors(data), None)), f"{path}: {found}"
    assert not validator.is_valid({"title": "x", "levle": "newcomer"})


# --- hub add ---------------------------------------------------------------------------------------------------------

PARTS = [
    "title=Sluice of Weights", "url=https://github.com/sluice-project/sluice", "pipeline=ml", "stages=model-scan, load",
    "summary=Reads the tensors of a checkpoint one by one and writes them to safetensors.", "id=sluice",
    "topics=pickle",
    "use-when=you have checkpoints of others.", "maintained=active", "basis.maintained=last commit 2026-10-30",
]  # fmt: skip


def added(*parts: str) -> int:
    return main(["hub", "add", *(word for part in parts for word in ("--from", part))])


def test_a_script_adds_an_entry_that_passes_the_lint(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert added(*PARTS) == 0
    written = tomllib.loads((hub / NEW).read_text())
    assert written["stages"] == ["model-scan", "load"]
    assert written["added"] in (datetime.now(UTC).date(), datetime.now(UTC).date() - timedelta(days=1))
    assert linted(capsys)[0] == 0
    assert added(*PARTS) == 2  # nothing is overwritten
    assert "such a file already" in capsys.readouterr().err


def test_what_is_missing_is_listed_and_nothing_is_written(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert added("url=https://arxiv.org/pdf/2406.12345v2", "title=On things") == 2
    said = capsys.readouterr().err
    assert "missing: summary, use-when, pipeline, stages, topics" in said  # kind, year, state are known by the address
    assert added(*PARTS, "stages=model-scann") == 2
    assert "did you mean `model-scan`" in capsys.readouterr().err
    assert added(*PARTS, "summary=The ultimate reader of tensors, for everybody who has some.") == 1
    assert "`ultimate`: that is praise" in capsys.readouterr().err
    assert added(*PARTS, "id=../../../../escape") == 2
    assert not subprocess.run(["git", "status", "--short"], capture_output=True, text=True, check=True).stdout


def test_a_person_is_asked(hub: Path, tmp_path: Path) -> None:
    """In a terminal: questions, a wrong answer asked again, the file shown, written, opened in the editor."""
    import os
    import pty
    import sys

    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "$1" > "$0.opened"\n')
    editor.chmod(0o755)
    answers = ["Sluice of Weights", PARTS[4].partition("=")[2], "you have checkpoints of others.", "ml", "model-skan",
               "model-scan", "pickle", "active", "sluice", "last commit 2026-10-30", *[""] * 9, "y"]  # fmt: skip
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "shipworthy", "hub", "add", "https://github.com/sluice-project/sluice"],
        stdin=follower, stdout=follower, stderr=follower, env={**os.environ, "EDITOR": str(editor), "VISUAL": ""},
    )  # fmt: skip
    os.close(follower)
    os.write(leader, ("\n".join(answers) + "\n").encode())
    said = b""
    while True:
        try:
            more = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        said += more
    assert process.wait(60) == 0, said.decode()
    os.close(leader)
    assert b"did you mean `model-scan`" in said
    assert (hub / NEW).is_file()
    assert Path(f"{editor}.opened").read_text().strip().endswith("sluice.toml")
