"""package.json against its lock file: what is missing, what differs, and ranges as npm reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.check import Skipped
from shipworthy.checks.dependencies import npm_lock
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
