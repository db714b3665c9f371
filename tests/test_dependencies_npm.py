"""Packages of npm: manifests and lock files of npm, yarn and pnpm, their pins, and what is known of their versions."""

# ruff: noqa: E501  (samples)

from __future__ import annotations

import contextlib
import json
import zipfile
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.artifacts.classify import classify
from shipworthy.check import Context
from shipworthy.checks.dependencies import (
    _database,
    _manifest,
    _npm_names,
    _osv,
    dependency_pins,
    dependency_vulnerabilities,
)
from shipworthy.checks.dependencies import dependency_typosquat as typosquat
from shipworthy.checks.dependencies._semver import InvalidSemVer, SemVer
from shipworthy.config import Load
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped

SHA = "sha512-" + "a" * 86 + "=="
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NPM = "https://registry.npmjs.org"
PACKAGE = {
    "name": "x",
    "scripts": {"postinstall": "node a.js", "test": "node b.js"},
    "dependencies": {"lodash": "4.17.15", "@scope/a": "^1.0.0", "git": "github:o/r", "http": "http://x.org/a.tgz",
                     "pinned": f"git+https://u:hunter2@x.org/r.git#{COMMIT}", "own": "file:../own", "alias": "npm:real@1.2.3"},
}  # fmt: skip
LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "x"},
        "node_modules/lodash": {"version": "4.17.15", "resolved": f"{NPM}/lodash/-/lodash-4.17.15.tgz", "integrity": SHA,
                                "license": "MIT"},
        "node_modules/a/node_modules/@s/b": {"version": "1.0.0", "resolved": "https://evil.example.org/b.tgz", "dev": True},
        "node_modules/c": {"version": "2.0.0-rc.1", "resolved": f"{NPM}/c.tgz", "integrity": SHA, "hasInstallScript": True},
        "node_modules/d": {"version": "1.0.0", "resolved": f"git+ssh://git@github.com/o/d.git#{COMMIT}"},
        "node_modules/own": {"link": True, "resolved": "own"},
    },
}  # fmt: skip
OLD = {"lockfileVersion": 1, "dependencies": {
    "lodash": {"version": "4.17.15", "resolved": f"{NPM}/l.tgz", "integrity": SHA, "dependencies": {"b": {"version": "1.0.0"}}},
    "d": {"version": f"git+https://x.org/d.git#{COMMIT}"}}}  # fmt: skip
YARN = f'''# yarn lockfile v1

"@s/b@^1.0.0", "@s/b@~1.0":
  version "1.0.0"
  resolved "{NPM}/b.tgz#abc"
  integrity {SHA}
  dependencies:
    version "9.9.9"

lodash@4.17.15:
  version "4.17.15"
  resolved "http://mirror.example.org/l.tgz#abc"
'''  # fmt: skip
BERRY = """__metadata:
  version: 8
"lodash@npm:^4.17.0":
  version: 4.17.15
  resolution: "lodash@npm:4.17.15"
  checksum: 10c0/abc
"x@workspace:.":
  version: 0.0.0-use.local
  resolution: "x@workspace:."
"""
PNPM9 = f"lockfileVersion: '9.0'\npackages:\n  lodash@4.17.15:\n    resolution: {{integrity: {SHA}}}\n  '@s/b@1.0.0(lodash@4.17.15)':\n    resolution: {{integrity: {SHA}}}\n"
PNPM5 = f"lockfileVersion: 5.4\npackages:\n  /lodash/4.17.15:\n    resolution: {{integrity: {SHA}}}\n    requiresBuild: true\n  /@s/b/1.0.0_x@1:\n    resolution: {{integrity: {SHA}}}\n"


def artifact(tmp_path, content, name):
    path = tmp_path / name.replace("/", "_")
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return Artifact(name, Kind.REQUIREMENTS, "sha256:" + "0" * 64, path.stat().st_size, path=path)


def read(tmp_path, content, name):
    return {d.name: d for d in _manifest.parse(artifact(tmp_path, content, name)).dependencies}


@pytest.mark.parametrize(
    ("content", "name"),
    [(LOCK, "package-lock.json"), (LOCK, "npm-shrinkwrap.json"), (OLD, "package-lock.json"), (YARN, "yarn.lock"),
     (BERRY, "yarn.lock"), (PNPM9, "pnpm-lock.yaml"), (PNPM5, "pnpm-lock.yaml"), (PACKAGE, "package.json")],
)  # fmt: skip
def test_every_lock_file_knows_the_same_lodash(tmp_path, content, name):
    found = read(tmp_path, content, name)
    lodash = found["lodash"]
    assert (lodash.version, lodash.ecosystem, lodash.key, lodash.source) == ("4.17.15", "npm", "npm:lodash", "index")
    assert lodash.line
    if "@s/b" in found:
        assert found["@s/b"].version == "1.0.0"
    assert classify(f"web/{name}", b"{}", lambda _: None, Load())[0] is Kind.REQUIREMENTS


def test_where_packages_come_from(tmp_path):
    asked, locked = read(tmp_path, PACKAGE, "package.json"), read(tmp_path, LOCK, "package-lock.json")
    assert {n: (d.source, d.fixed) for n, d in asked.items() if d.source != "index"} == {
        "git": ("vcs", False), "http": ("url", False), "pinned": ("vcs", True), "own": ("path", True)}  # fmt: skip
    assert asked["real"].version == "1.2.3"
    assert asked["@scope/a"].version == ""
    assert "hunter2" not in repr(asked)
    assert (locked["d"].source, locked["d"].fixed) == ("vcs", True)
    assert locked["@s/b"].host == "evil.example.org"
    assert "own" not in locked


def test_pins_of_npm(tmp_path):
    def rules(content, name):
        return {
            (f.rule.id, f.key.split()[0])
            for f in dependency_pins.scan(artifact(tmp_path, content, name))
            if isinstance(f, Finding)
        }

    locked = rules(LOCK, "package-lock.json")
    assert {("dependency-install-script", "c"), ("dependency-other-registry", "@s/b")} <= locked
    asked = rules(PACKAGE, "package.json")
    assert {("dependency-install-script", "own"), ("dependency-moving-source", "github:o/r")} <= asked
    assert ("dependency-insecure-transport", "http://x.org/a.tgz") in asked
    assert "dependency-unpinned" not in {rule for rule, _ in asked}  # ranges are normal where there is a lock file
    assert "dependency-insecure-transport" in {rule for rule, _ in rules(YARN, "yarn.lock")}


def match(tmp_path, *artifacts, **options):
    given_ = {**dependency_vulnerabilities.scan.check.options, **options}
    results = list(dependency_vulnerabilities.scan(artifacts, Context(tmp_path, given_, today=date(2026, 2, 1))))
    return [r for r in results if isinstance(r, Finding)], [r for r in results if isinstance(r, Skipped)]


def test_known_vulnerabilities_of_npm(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    lock, asked = artifact(tmp_path, LOCK, "package-lock.json"), artifact(tmp_path, PACKAGE, "package.json")
    found, gaps = match(tmp_path, lock, asked)
    assert {f.key for f in found if f.artifact is lock} == {"lodash GHSA-35jh-r3h4-6jhm", "lodash GHSA-p6mc-m468-83gw"}
    assert all(f.evidence == "lodash@4.17.15" for f in found)
    assert any("4.17.21" in f.remedy for f in found)
    assert {gap.code for gap in gaps} >= {"embedded-data-only"}
    assert any("@scope/a" in gap.reason for gap in gaps)
    twin = artifact(tmp_path, "lodash==4.17.15\n", "requirements.txt")  # another package of the same name
    assert match(tmp_path, twin)[0] == []


def test_an_installed_package_is_matched_as_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    made_with = {"devDependencies": {"mocha": "^9"}, "scripts": {"postinstall": "node x.js"}}
    own = {"name": "lodash", "version": "4.17.15", **made_with}
    there = artifact(tmp_path, own, "web/node_modules/lodash/package.json")
    found, gaps = match(tmp_path, there)
    assert "lodash GHSA-p6mc-m468-83gw" in {f.key for f in found}
    assert {gap.code for gap in gaps} == {"embedded-data-only"}
    assert [(f.rule.id, f.key) for f in dependency_pins.scan(there)] == [("dependency-install-script", "lodash")]


def record(ident, ecosystem, name, *events, kind="SEMVER"):
    return {"id": ident, "modified": "2026-01-20T00:00:00Z", "affected": [
        {"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": kind, "events": list(events)}]}]}  # fmt: skip


def archive(path, *records):
    with zipfile.ZipFile(path, "w") as out:
        for one in records:
            out.writestr(f"{one['id']}.json", json.dumps(one))
    return path


def test_databases_of_two_ecosystems_lie_beside_each_other(tmp_path):
    npm = archive(tmp_path / "npm.zip", record("GHSA-1", "npm", "@S/b", {"introduced": "0"}, {"fixed": "1.0.1-rc.1"}))
    pypi = archive(tmp_path / "pypi.zip", record("PYSEC-1", "PyPI", "flask", {"introduced": "0"}, kind="ECOSYSTEM"))
    folder = tmp_path / "kept"
    assert _database.import_database(npm, folder).path == folder / "osv-scalibr/npm/all.zip"
    lock, other = artifact(tmp_path, LOCK, "package-lock.json"), artifact(tmp_path, "flask==1.0\n", "requirements.txt")
    found, gaps = match(tmp_path, lock, other, database=str(folder), embedded=False)
    assert [f.key for f in found] == ["@s/b GHSA-1"]
    assert next(gap.reason for gap in gaps if gap.code == "no-data-for-ecosystem").startswith(
        "the vulnerability database knows nothing of PyPI"
    )
    _database.import_database(pypi, folder)
    found, gaps = match(tmp_path, lock, other, database=str(folder), embedded=False)
    assert sorted(f.key for f in found) == ["@s/b GHSA-1", "flask PYSEC-1"]
    assert not [gap for gap in gaps if gap.code == "no-data-for-ecosystem"]


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [("[", "package.json", "JSON"), ("[]", "package-lock.json", "format"), ("{}", "package-lock.json", "format"),
     ("lodash:\n", "pnpm-lock.yaml", "pnpm"), ("x", "yarn.lock", "yarn"), ("__metadata: [", "yarn.lock", "YAML")],
)  # fmt: skip
def test_what_cannot_be_read_is_said(tmp_path, content, name, reason):
    with pytest.raises(_manifest.Unread, match=reason):
        read(tmp_path, content, name)


ORDERED = "0.0.0-0 0.0.0 0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0".split()


def test_versions_are_ordered_as_the_specification_has_it():
    assert sorted(map(SemVer, reversed(ORDERED))) == [SemVer(text) for text in ORDERED]
    assert SemVer("v1.0.0+build") == SemVer("1.0.0")
    for text in ("1", "1.0", "1.0.0-", "a", "1.0.0-a..b", "^1.0.0", "1.0.0 - 2.0.0", "9" * 400):
        with pytest.raises(InvalidSemVer):
            SemVer(text)


_VERSIONS = st.builds(
    "{}.{}.{}{}".format, *[st.integers(0, 12)] * 3, st.sampled_from(["", "-a", "-1", "-a.1", "-rc.10"])
)


@settings(max_examples=200, deadline=None)
@given(_VERSIONS, _VERSIONS, _VERSIONS)
def test_a_version_is_affected_from_where_it_was_introduced_to_where_it_was_fixed(low, high, version):
    (one,) = _osv.parse(record("X", "npm", "a", {"introduced": low}, {"fixed": high}))
    low_, high_, at = map(SemVer, (low, high, version))
    if low_ < high_:
        assert one.affects(at) == (low_ <= at < high_)
        assert one.fixed_after(at) == (high if at < high_ else "")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"]),
    st.recursive(st.none() | st.text(max_size=6) | st.integers(), lambda v: st.lists(v, max_size=3) | st.dictionaries(
        st.sampled_from(["packages", "dependencies", "lockfileVersion", "version", "resolved", "node_modules/a", "a", "resolution"]), v, max_size=4)),
)  # fmt: skip
def test_any_json_is_read_or_refused(tmp_path, name, value):
    with contextlib.suppress(_manifest.Unread):
        read(tmp_path, json.dumps(value), name)
    assert all(
        isinstance(r, Finding | Skipped) for r in dependency_pins.scan(artifact(tmp_path, json.dumps(value), name))
    )


def test_no_severity_is_lost(tmp_path):
    found, _ = match(tmp_path, artifact(tmp_path, {"dependencies": {"node-serialize": "0.0.4"}}, "package.json"))
    assert [(f.severity, "No fixed version" in f.remedy) for f in found] == [(Severity.CRITICAL, True)]


@pytest.mark.parametrize(
    ("name", "known", "sureness"),
    [("crossenv", "cross-env", 3), ("loadash", "lodash", 2), ("expres", "express", 3), ("electorn", "electron", 3),
     ("1odash", "lodash", 3), ("axois", "axios", 2), ("momentjs", "moment", 1)],
)  # fmt: skip
def test_names_that_are_nearly_those_of_well_known_packages(tmp_path, name, known, sureness):
    found = _npm_names.near(name)
    assert (found.known, found.sureness) == (known, sureness)
    asked = artifact(tmp_path, json.dumps({"dependencies": {name: "1.0.0", "lodash": "1"}}), "package.json")
    (told,) = typosquat.scan(asked)
    assert (told.evidence, told.location.line) == (name, 1)
    lock = {"lockfileVersion": 3, "packages": {f"node_modules/{name}": {"version": "1.0.0"}}}
    assert list(typosquat.scan(artifact(tmp_path, json.dumps(lock), "package-lock.json"))) == []


@pytest.mark.parametrize("name", ["preact", "mysql", "color", "@types/lodash", "lodash", "vue", "left-pad", "x" * 90])
def test_names_of_other_packages_are_not_taken_for_them(name):
    assert _npm_names.near(name) is None
