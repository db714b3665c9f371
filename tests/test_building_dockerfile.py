"""Dockerfiles and .dockerignore, read for building."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.building.dockerfile import expand, parse, words
from shipworthy.building.ignore import Ignored
from shipworthy.errors import UsageError


def test_continuations_comments_flags_and_documents() -> None:
    file = parse(
        "# a comment\n"
        "ARG TAG=1\n"
        "FROM --platform=linux/amd64 base:${TAG} AS one\n"
        "RUN --mount=type=bind,source=a,target=/b \\\n"
        "# within\n"
        "\n"
        "    echo a && \\\n"
        "    echo b\n"
        "COPY <<EOF <<-'RAW' /srv/\n"
        "x=$A\n"
        "EOF\n"
        "\t$B\n"
        "RAW\n"
        "from one\n"
        'cmd ["python", "app.py"]\n'
    )
    first, second = file.stages
    assert (first.base, first.name, first.platform, first.line) == ("base:1", "one", "linux/amd64", 3)
    run, copy = first.instructions
    assert run.flags == (("mount", "type=bind,source=a,target=/b"),)
    assert run.text.split() == ["echo", "a", "&&", "echo", "b"]
    assert [(each.name, each.text, each.expand) for each in copy.heredocs] == [
        ("EOF", "x=$A\n", True),
        ("RAW", "$B\n", False),
    ]
    assert second.base == "one"
    assert second.instructions[0].json() == ("python", "app.py")
    assert second.instructions[0].line == 15
    assert file.bases() == ("base:1",)  # `one` is a stage of this file


def test_build_arguments_choose_the_base() -> None:
    text = "ARG BASE=python:3.13-slim\nFROM ${BASE}\n"
    assert parse(text).bases() == ("python:3.13-slim",)
    assert parse(text, {"BASE": "mine:2"}).bases() == ("mine:2",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM a\nRNU x\n", 2),
        ("RUN x\nFROM a\n", 1),
        ("FROM\n", 1),
        ("FROM a b\n", 1),
        ("FROM $NOTHING\n", 1),
        ("FROM a\nRUN <<EOF\nx\n", 2),
    ],
)
def test_what_cannot_be_understood_is_an_error_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    assert error.value.where == f"Dockerfile:{line}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A-${A}", "1-1"),
        ("${B:-x}${B-y}${E:-z}${E-w}", "xyz"),
        ("${A:+x}${B:+x}${E+x}", "xx"),
        ("'$A' \"$A\"", "$A 1"),
        (r"\$A \"", '$A "'),
        ("${B:-$A}", "1"),
        ("$", "$"),
    ],
)
def test_variables(text: str, value: str) -> None:
    assert expand(text, {"A": "1", "E": ""}) == value


def test_a_form_of_a_variable_that_is_not_known_is_an_error() -> None:
    with pytest.raises(UsageError):
        expand("${A%.txt}", {"A": "1"})


def test_words_keep_quoted_blanks() -> None:
    assert words("a=\"b c\" d='e f' g\\ h") == ['a="b c"', "d='e f'", "g\\ h"]


@given(st.text(alphabet="FROMRUNARGCOPY\\\n #$\"'{}<>=-:ab /EOF", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        file = parse(text)
    except UsageError:
        return
    assert file.stages


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("*.md", "README.md", True),
        ("*.md", "docs/a.md", False),
        ("**/*.md", "docs/a.md", True),
        ("**/*.md", "a.md", True),
        ("docs", "docs", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**", "a/x", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].py", "c.py", False),
    ],
)
def test_patterns(pattern: str, path: str, meant: bool) -> None:
    assert Ignored([pattern])(path) is meant


def test_the_last_pattern_that_matches_decides() -> None:
    ignored = Ignored(["*", "!app.py", "!model/", "model/*.tmp", "# comment", ""])
    kept = ["app.py", "model/weights", ".env", "model/x.tmp", "src/app.py"]
    assert [path for path in kept if not ignored(path)] == ["app.py", "model/weights"]
