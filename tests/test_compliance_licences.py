"""Declared licences against a policy: expressions, families, and what is not declared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.check import Context
from shipworthy.checks.compliance import _spdx
from shipworthy.checks.compliance.licences import scan
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, Finding, Kind, Skipped


def run(tmp_path, licences, name="package-lock.json", **options):
    packages = {f"node_modules/{key}": {"version": "1.0.0", "license": value} for key, value in licences.items()}
    path = tmp_path / name
    path.write_text(json.dumps({"lockfileVersion": 3, "packages": packages}, indent=1))
    artifact = Artifact(name, Kind.REQUIREMENTS, "sha256:" + "0" * 64, path.stat().st_size, path=path)
    given_ = {**scan.check.options, **options}
    results = list(scan((artifact,), Context(tmp_path, given_)))
    found = {(f.rule.id, f.key.split()[0]) for f in results if isinstance(f, Finding)}
    return found, {s.code: s.reason for s in results if isinstance(s, Skipped)}


def test_what_the_policy_denies_is_found_and_a_choice_is_taken(tmp_path):
    found, gaps = run(
        tmp_path,
        {"a": "AGPL-3.0-only", "b": "MIT", "c": "(MIT OR AGPL-3.0)", "d": "MIT AND SSPL-1.0", "e": "UNLICENSED",
         "f": "GPL-3.0-only WITH Classpath-exception-2.0"},
    )  # fmt: skip
    assert found == {("licence-denied", "a"), ("licence-denied", "d"), ("licence-unlicensed", "e")}
    assert gaps == {}
    found, _ = run(
        tmp_path, {"a": "GPL-2.0", "b": "MIT", "c": "LGPL-2.1+"}, deny=["GPL-2.0-only"], allow=["permissive"]
    )
    assert found == {("licence-denied", "a"), ("licence-not-listed", "c")}


def test_what_is_not_declared_is_said(tmp_path):
    found, gaps = run(tmp_path, {"a": "SEE LICENSE IN x", "b": "My-Own", "c": "", "d": "MIT AND", "e": "MIT"})
    assert found == set()
    assert set(gaps) == {"unknown-licence"}
    assert "4 packages" in gaps["unknown-licence"]
    path = tmp_path / "yarn.lock"
    path.write_text('# yarn lockfile v1\n\na@^1.0.0:\n  version "1.0.0"\n')
    artifact = Artifact("yarn.lock", Kind.REQUIREMENTS, "sha256:" + "0" * 64, 9, path=path)
    (skipped,) = scan((artifact,), Context(tmp_path, scan.check.options))
    assert isinstance(skipped, Skipped)
    assert skipped.code == "no-licence-data"


def test_a_policy_of_words_that_are_none_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="AGPL3"):
        run(tmp_path, {}, deny=["AGPL3"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("MIT", [{"MIT"}]),
        ("apache 2.0", [{"Apache-2.0"}]),
        ("MIT OR Apache-2.0 AND ISC", [{"MIT"}, {"Apache-2.0", "ISC"}]),
        ("(MIT OR ISC) AND X11", [{"MIT", "X11"}, {"ISC", "X11"}]),
        ("(MIT", None), ("OR MIT", None), ("MIT ISC", None), ("", None), ("(" * 400, None), ("MIT WITH", None),
        (" AND ".join(["(MIT OR ISC)"] * 40), None),
    ],
)  # fmt: skip
def test_expressions(text, wanted):
    assert _spdx.choices(text) == wanted


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["MIT", "(", ")", "OR", "AND", "WITH", "x"]), max_size=30).map(" ".join))
def test_any_words_give_choices_or_nothing(text):
    found = _spdx.choices(text)
    assert found is None or all(found)
