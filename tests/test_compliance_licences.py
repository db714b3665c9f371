"""Declared licences against a policy: expressions, families, and what is not declared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.check import Context
from shipworthy.checks.compliance import _own, _spdx
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


GPL = "                    GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007\n"
MIT = "MIT License\n\nCopyright (c) 2026 Somebody\n"


def own(tmp_path, files, **options):
    artifacts = []
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        artifacts.append(Artifact(name, Kind.TEXT, "sha256:" + "0" * 64, len(content), path=tmp_path / name))
    assert all(map(_own.is_own, artifacts))
    return list(scan(tuple(artifacts), Context(tmp_path, {**scan.check.options, **options})))


def test_the_projects_own_licence_is_held_against_the_policy(tmp_path):
    assert own(tmp_path, {"LICENSE": GPL}) == []
    (found,) = own(tmp_path, {"COPYING": GPL}, deny=["strong-copyleft"])
    assert (found.rule.id, found.message) == ("licence-own-denied", "the project is licensed as GPL-3.0-only")
    (found,) = own(tmp_path, {"package.json": '{"license": "AGPL-3.0-or-later"}'})
    assert found.rule.id == "licence-own-denied"
    assert own(tmp_path, {"package.json": '{"license": "(MIT OR AGPL-3.0-or-later)"}'}) == []


def test_files_that_say_different_licences_are_found(tmp_path):
    same = {"LICENSE": GPL, "pyproject.toml": '[project]\nlicense = "GPL-3.0-or-later"\n'}
    assert own(tmp_path, same) == []
    (found,) = own(tmp_path, {**same, "package.json": '{"license": "MIT"}'})
    assert found.message == "package.json says MIT, LICENSE is GPL-3.0-only"
    both = {"LICENSE-MIT": MIT, "LICENSE-APACHE": "Apache License\nVersion 2.0"}
    assert own(tmp_path, {**both, "package.json": '{"license": "Apache-2.0"}'}) == []


@pytest.mark.parametrize(
    ("name", "content", "licence"),
    [
        ("LICENSE", MIT, "MIT"), ("LICENSE", "SPDX-License-Identifier: BSD-3-Clause\n", "BSD-3-Clause"),
        ("LICENCE.md", "Mozilla Public License Version 2.0\n", "MPL-2.0"), ("LICENSE", "All rights reserved.\n", ""),
        ("pyproject.toml", "[project]\nlicense = {text = 'MIT'}\n", "MIT"), ("pyproject.toml", "[tool]\n", ""),
        ("pyproject.toml", "[project]\nlicense = {file = 'LICENSE'}\n", ""), ("package.json", "[]", ""),
        ("package.json", '{"license": "SEE LICENSE IN x"}', ""),
        ("package.json", '{"license": {"type": "ISC"}}', "ISC"),
    ],
)  # fmt: skip
def test_what_a_file_says_of_its_project(tmp_path, name, content, licence):
    path = tmp_path / name
    path.write_text(content)
    assert _own.own_licence(Artifact(name, Kind.TEXT, "sha256:" + "0" * 64, 9, path=path)) == licence


def test_manifests_that_cannot_be_read_are_told(tmp_path):
    results = own(tmp_path, {"pyproject.toml": "x = [", "package.json": "{"})
    assert [(r.artifact.uri, r.code) for r in results] == [("pyproject.toml", "unread"), ("package.json", "unread")]
