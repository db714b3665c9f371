"""What goes into an image: the files that were scanned, the model that was verified, nothing that was left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.building.ignore import Ignored
from shipworthy.errors import UsageError


@pytest.mark.parametrize(
    ("lines", "left_out", "kept"),
    [
        ([], [], ["app.py", ".git/config"]),
        (["*", "!app.py", "!model/"], [".git/config", "data/train.csv", "keys/a"], ["app.py", "model/w.bin"]),
        (["*.log"], ["a.log"], ["logs/a.log", "a.log.txt"]),
        (["**/*.log"], ["a.log", "logs/deep/a.log"], ["a.py"]),
        (["# a comment", "", "  temp?  "], ["temp1", "temp1/x"], ["temp", "temp12", "# a comment"]),
        (["logs/**"], ["logs/a", "logs/b/c"], ["log"]),
        (["a/**/z"], ["a/z", "a/b/c/z", "a/b/z/under"], ["a/b", "z"]),
        (["/secret"], ["secret", "secret/key"], ["deep/secret"]),
        (["[a-c]*.txt", "[^x]y"], ["a1.txt", "b.txt", "zy"], ["d.txt", "xy"]),
        (["docs", "!docs/README.md", "docs/README.md"], ["docs/README.md", "docs/x"], ["other"]),
        (["\\*"], ["*"], ["a"]),
        (["./a/../b"], ["b", "b/c"], ["a"]),
        (["**"], ["a", "b/c"], []),
    ],
)
def test_dockerignore_means_what_docker_documents(lines: list[str], left_out: list[str], kept: list[str]) -> None:
    ignored = Ignored(lines)
    assert [name for name in left_out if not ignored(name)] == []
    assert [name for name in kept if ignored(name)] == []


@given(st.lists(st.text("ab*?[]^-\\/!.#", max_size=30), max_size=5), st.text("ab/.", min_size=1, max_size=30))
def test_no_pattern_breaks_or_hangs_it(lines: list[str], name: str) -> None:
    assert Ignored(lines)(name) in (True, False)


def test_a_hostile_pattern_takes_no_time_to_speak_of() -> None:
    pattern = "/".join(["**", "*a*a*a*a*a*a*a*a*a*a*b"] * 40)
    assert not Ignored([pattern])("/".join(["a" * 100] * 40))


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(UsageError, match="more than"):
        Ignored(["a"] * 10_000)
