"""package.json against its lock file: what is missing, what differs, and ranges as npm reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.check import Skipped
from shipworthy.checks.dependencies import npm_lock
from shipworthy.checks.dependencies._json_lines import Lines
from shipworthy.checks.dependencies._npm_ranges import NotARange, allows
from shipworthy.checks.dependencies._semver import SemVer
from shipworthy.model import Artifact, Finding, Kind


def run(tmp_path: Path, files: dict[str, object]) -> list[Finding | Skipped]:
    artifacts = []
    for number, (name, content) in enumerate(files.items()):
        path = tmp_path / str(number)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        artifacts.append(Artifact(name, Kind.REQUIREMENTS, "sha256:" + "0" * 64, path.stat().st_size, path=path))
    return list(npm_lock.scan(tuple(artifacts)))


def rules(results: list[Finding | Skipped]) -> list[str]:
    return [r.rule.id if isinstance(r, Finding) else r.code for r in results]


def lock(**versions: str) -> dict[str, object]:
    return {"lockfileVersion": 3, "packages": {f"node_modules/{n}": {"version": v} for n, v in versions.items()}}


def test_what_agrees_what_is_missing_and_what_differs(tmp_path: Path) -> None:
    asked = {
        "dependencies": {"a": "^1.2.0", "b": "~2.0.1", "tag": "latest", "own": "file:../own"},
        "devDependencies": {"c": ">=3"},
    }
    assert (
        run(tmp_path, {"package.json": asked, "package-lock.json": lock(a="1.9.0", b="2.0.9", c="4.0.0", tag="9.9.9")})
        == []
    )
    results = run(tmp_path, {"package.json": asked, "package-lock.json": lock(a="2.0.0", b="2.0.9", tag="9.9.9")})
    assert rules(results) == ["npm-lock-differs", "npm-not-in-lock"]
    assert [r.message for r in results if isinstance(r, Finding)] == [
        "a ^1.2.0 does not allow 2.0.0, which package-lock.json has", "c >=3 is not in package-lock.json"]  # fmt: skip


def test_what_installed_packages_were_once_made_with_is_asked_of_nobody(tmp_path: Path) -> None:
    """node_modules/ that is committed, for a build without network: their devDependencies are not installed."""
    files = {
        "package.json": {"dependencies": {"a": "^1.2.0"}},
        "package-lock.json": lock(a="1.2.3"),
        "node_modules/a/package.json": {"name": "a", "version": "1.2.3", "devDependencies": {"mocha": "^9"}},
        "node_modules/a/esm/package.json": {"type": "module", "dependencies": {"b": "1"}},
    }
    assert run(tmp_path, files) == []
    assert rules(run(tmp_path, files | {"web/package.json": files["node_modules/a/package.json"]})) == [
        npm_lock.NOT_LOCKED.id
    ]


def test_a_project_without_a_lock_file_and_one_without_dependencies(tmp_path: Path) -> None:
    assert rules(run(tmp_path, {"web/package.json": {"dependencies": {"a": "1"}}})) == ["npm-no-lock"]
    assert run(tmp_path, {"web/package.json": {"name": "x"}}) == []


def test_the_nearest_lock_file_counts_also_for_a_workspace(tmp_path: Path) -> None:
    one = {"dependencies": {"a": "^1.0.0"}}
    files: dict[str, object] = {"apps/web/package.json": one, "package-lock.json": lock(a="1.0.0")}
    assert run(tmp_path, files) == []
    assert rules(run(tmp_path, {**files, "apps/yarn.lock": "# yarn lockfile v1\n"})) == ["npm-not-in-lock"]
    assert rules(run(tmp_path, {"lib/yarn.lock": "# yarn lockfile v1\n", "package.json": one})) == ["npm-no-lock"]


def test_what_overrides_decide_is_not_compared(tmp_path: Path) -> None:
    asked = {"dependencies": {"a": "^1.0.0", "@s/b": "1"}, "overrides": {"a": "2.0.0"}, "resolutions": {"@s/b@1": "3"}}
    locked = lock(a="2.0.0", **{"@s/b": "3.0.0"})
    assert run(tmp_path, {"package.json": asked, "package-lock.json": locked}) == []


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    asked = {"dependencies": {"a": "^1.0.0"}}
    results = run(tmp_path, {"package.json": asked, "package-lock.json": "{"})
    assert rules(results) == ["unread", "unread"]
    assert rules(run(tmp_path, {"package.json": "[1"})) == ["unread"]


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 2.0.0-0 1.3.0-beta"), ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
        ("^0.0.3", "0.0.3", "0.0.4"), ("^1.x", "1.0.0 1.9.9", "2.0.0"), ("^0.0", "0.0.9", "0.1.0"),
        ("^0", "0.9.9", "1.0.0"),
        ("~1.2.3", "1.2.9", "1.3.0"), ("~1", "1.9.0", "2.0.0"), ("~> 1.2", "1.2.7", "1.3.0"), ("1.2", "1.2.9", "1.3.0"),
        ("1.2.x", "1.2.0", "1.3.0"), ("*", "9.9.9", "1.0.0-rc.1"), ("", "0.0.1", ""), ("=1.0.0", "1.0.0", "1.0.1"),
        (">= 1.0.0 < 2", "1.5.0", "2.0.0 0.9.0"), (">1.2", "1.3.0", "1.2.9"), ("<=1.2", "1.2.9", "1.3.0"),
        ("1.0.0 - 1.2", "1.0.0 1.2.9", "1.3.0"), ("^1 || ^3", "1.1.0 3.0.0", "2.0.0"),
        ("<1.0", "0.9.9", "1.0.0 1.0.0-0"),
        ("^1.2.3-beta.2", "1.2.3-beta.4 1.2.3 1.3.0", "1.2.3-beta.1 1.2.4-beta.2"), ("v1.0.0", "1.0.0", "1.0.1"),
    ],
)  # fmt: skip
def test_ranges_are_read_as_npm_reads_them(text: str, inside: str, outside: str) -> None:
    assert [v for v in inside.split() if not allows(text, SemVer(v))] == []
    assert [v for v in outside.split() if allows(text, SemVer(v))] == []


@pytest.mark.parametrize("text", ["latest", "^", "1.2.3.4", "git://x", "1 || next", "x" * 5000, "1-", "=>1"])
def test_what_is_no_range_is_none(text: str) -> None:
    with pytest.raises(NotARange):
        allows(text, SemVer("1.0.0"))


def full(**places: str) -> dict[str, object]:
    """A lock file of a workspace: `a__b` is the package b inside of the folder a."""
    packages: dict[str, object] = {"": {}, "apps/web": {}, "apps/api": {}}
    for place, version in places.items():
        *above, name = place.split("__")
        packages["/".join((*(f"apps/{one}" for one in above), "node_modules", name))] = {"version": version}
    return {"lockfileVersion": 3, "packages": packages}


def test_a_folder_of_a_workspace_gets_its_own_copy_and_not_that_of_another(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "apps/web/package.json": {"dependencies": {"a": "^1.0.0"}},
        "package-lock.json": full(a="2.0.0", web__a="1.5.0"),
    }
    assert run(tmp_path, files) == []
    files["package-lock.json"] = full(a="1.0.0", web__a="2.0.0")  # the right copy is there, and another is taken
    (found,) = run(tmp_path, files)
    assert isinstance(found, Finding)
    assert "does not allow 2.0.0," in found.message
    files["package-lock.json"] = full(api__a="1.0.0")
    assert rules(run(tmp_path, files)) == ["npm-not-in-lock"]
    files["package-lock.json"] = full(a="1.0.0")
    assert run(tmp_path, files) == []


def test_packages_of_the_workspace_itself_and_aliases_are_found_by_what_they_are_called(tmp_path: Path) -> None:
    asked = {"dependencies": {"own": "^1.0.0", "old-a": "npm:a@^1.0.0", "a": "^2.0.0"}}
    locked = full(a="2.1.0")
    packages = locked["packages"]
    assert isinstance(packages, dict)
    packages["node_modules/own"] = {"resolved": "apps/own", "link": True}
    packages["node_modules/old-a"] = {"name": "a", "version": "1.4.0"}
    assert run(tmp_path, {"package.json": asked, "package-lock.json": locked}) == []
    packages["node_modules/old-a"] = {"name": "a", "version": "2.4.0"}
    (found,) = run(tmp_path, {"package.json": asked, "package-lock.json": locked})
    assert isinstance(found, Finding)
    assert found.message == "a ^1.0.0 does not allow 2.4.0, which package-lock.json has"


OLD = """{"lockfileVersion": 1, "dependencies": {
  "b": {"version": "1.0.0", "requires": {"a": "1"}, "dependencies": {
    "a": {"version": "1.0.0"}}},
  "a": {"version": "2.0.0"}}}"""
YARN = '# yarn lockfile v1\n\na@^1.0.0, a@^1.1.0:\n  version "1.5.0"\n\na@^2.0.0:\n  version "1.9.0"\n'
BERRY = (
    '__metadata:\n  version: 6\n\n"a@npm:^1.0.0, a@npm:^1.1.0":\n  version: 1.5.0\n  resolution: "a@npm:1.5.0"\n\n'
    '"a@npm:^2.0.0":\n  version: 1.9.0\n  resolution: "a@npm:1.9.0"\n\n'
    '"own@^1.0.0, own@workspace:own":\n  version: 0.0.0-use.local\n  resolution: "own@workspace:own"\n'
)
PNPM = (
    "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^2.0.0\n"
    "        version: 1.9.0(react@18.0.0)\n      own:\n        specifier: workspace:*\n        version: link:own\n"
    "  web:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.5.0\n"
    "packages:\n  a@1.9.0:\n    resolution: {integrity: sha512-x}\n  a@1.5.0:\n    resolution: {integrity: sha512-x}\n"
)


@pytest.mark.parametrize(
    ("name", "text"), [("yarn.lock", YARN), ("yarn.lock", BERRY), ("pnpm-lock.yaml", PNPM), ("package-lock.json", OLD)]
)
def test_other_lock_files_tell_which_copy_is_taken_as_well(tmp_path: Path, name: str, text: str) -> None:
    wrong = "^1.0.0" if name == "package-lock.json" else "^2.0.0"
    (found,) = run(tmp_path, {"package.json": {"dependencies": {"a": wrong}}, name: text})
    assert isinstance(found, Finding)
    assert found.rule.id == "npm-lock-differs"
    if name != "package-lock.json":
        assert "1.9.0," in found.message
        assert run(tmp_path, {"web/package.json": {"dependencies": {"a": "^1.0.0"}}, name: text}) == []
    if name == "pnpm-lock.yaml":
        assert rules(run(tmp_path, {"web/package.json": {"dependencies": {"b": "1"}}, name: text})) == [
            "npm-not-in-lock"
        ]
    if "own" in text:
        assert run(tmp_path, {"package.json": {"dependencies": {"own": "^1.0.0"}}, name: text}) == []


def test_lines_are_those_of_the_entry_and_not_of_another_use_of_the_word(tmp_path: Path) -> None:
    package = (
        '{"name": "a",\n "keywords": ["a", "b"],\n "scripts": {"a": "install"},\n "dependencies": {\n  "a": "^9"}}'
    )
    (found,) = run(tmp_path, {"package.json": package, "package-lock.json": full(a="1.0.0")})
    assert isinstance(found, Finding)
    assert found.location.line == 5
    lines = Lines(OLD)
    assert lines("dependencies", "a") == 4
    assert lines("dependencies", "b", "dependencies", "a") == 3
    assert lines("dependencies", "b", "requires", "a") is None


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
trees = st.recursive(
    st.none() | st.integers() | names,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(names, inside, max_size=3),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(names, trees, max_size=4), st.sampled_from([None, 1, 4]), st.booleans())
def test_every_key_has_the_line_that_it_stands_in(
    value: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lines, rows = Lines(text), text.split("\n")
    for top, inside in value.items():
        for key in inside if isinstance(inside, dict) else ():
            line = lines(top, key)
            assert line is not None
            assert json.dumps(key, ensure_ascii=ascii_only) in rows[line - 1]


@pytest.mark.parametrize(
    "text", ['{"a":' * 3000 + "1" + "}" * 3000, "[" * 3000 + "]" * 3000, "", "}]", '{"a": "', '"x"']
)
def test_lines_of_what_is_deep_or_broken_do_no_harm(text: str) -> None:
    assert Lines(text)("a", "b") is None
