"""Known vulnerabilities: matching by PEP 440, databases of every shape and age, and the package index when asked."""

from __future__ import annotations

import functools
import io
import json
import threading
import time
import zipfile
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from shipworthy.check import Context, Unavailable
from shipworthy.checks.dependencies import _cvss, _database, _index, _osv
from shipworthy.checks.dependencies import dependency_vulnerabilities as vulnerabilities
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped

TODAY = date(2026, 6, 1)


def record(identifier, package="demo", *, introduced="0", fixed="2.0", modified="2026-05-20T00:00:00Z", **more):
    events = [{"introduced": introduced}, {"fixed": fixed}] if fixed else [{"introduced": introduced}]
    affected = {"package": {"ecosystem": "PyPI", "name": package}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": identifier, "modified": modified, "affected": [affected], "summary": f"about {identifier}", **more}


def archive(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for item in records:
            out.writestr(f"{item['id']}.json", json.dumps(item))
    return path


def scan(tmp_path, files, *, offline=True, **options):
    if isinstance(files, str):
        files = {"requirements.txt": files}
    artifacts = []
    for name, content in files.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        artifacts.append(Artifact(name, Kind.REQUIREMENTS, "sha256:" + "0" * 64, len(content), path=path))
    given = {
        **vulnerabilities.scan.check.options,
        "embedded": False,
        **{k.replace("_", "-"): v for k, v in options.items()},
    }
    context = Context(tmp_path / "work", given, TODAY, offline)
    return list(vulnerabilities.scan(tuple(artifacts), context))


def ids(results):
    return [f.key.split()[1] for f in results if isinstance(f, Finding)]


def gaps(results):
    return [s.reason for s in results if isinstance(s, Skipped)]


def test_a_fresh_database_none_one_and_many(tmp_path):
    database = str(
        archive(tmp_path / "all.zip", [record("GHSA-1"), record("GHSA-2", fixed="3.0"), record("X-1", "other")])
    )
    assert scan(tmp_path, "demo==3.0\n", database=database) == []
    (found,) = scan(tmp_path, "demo==2.5\n", database=database)
    assert found.remedy == "Upgrade demo to 3.0 or later."
    assert (found.location.line, found.evidence) == (1, "demo==2.5")
    results = scan(
        tmp_path, {"a/requirements.txt": "# x\nDemo==1.0\n", "requirements.txt": "other==1.0\n"}, database=database
    )
    assert ids(results) == ["GHSA-1", "GHSA-2", "X-1"]
    assert gaps(results) == []


def test_layouts_are_found(tmp_path):
    archive(tmp_path / "db" / "osv-scalibr" / "PyPI" / "all.zip", [record("GHSA-1")])
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "GHSA-1.json").write_text(json.dumps(record("GHSA-1")))
    for place in ("db", "db/osv-scalibr/PyPI", "db/osv-scalibr/PyPI/all.zip", "folder", "folder/GHSA-1.json"):
        assert ids(scan(tmp_path, "demo==1.0\n", database=str(tmp_path / place))) == ["GHSA-1"], place


def test_the_users_own_database_is_used_without_a_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    place = tmp_path / "data" / "shipworthy" / "advisories"
    archive(place / "osv-scalibr" / "PyPI" / "all.zip", [record("GHSA-1")])
    assert ids(scan(tmp_path, "demo==1.0\n")) == ["GHSA-1"]


def test_a_database_that_came_with_the_workspace_is_not_believed(tmp_path):
    archive(tmp_path / "work" / ".shipworthy" / "db" / "osv-scalibr" / "PyPI" / "all.zip", [record("GHSA-1")])
    archive(tmp_path / "work" / ".shipworthy" / "advisories" / "osv-scalibr" / "PyPI" / "all.zip", [record("GHSA-1")])
    with pytest.raises(Unavailable):
        scan(tmp_path, "demo==1.0\n")


def test_the_embedded_advisories_alone_are_partial(tmp_path):
    results = scan(tmp_path, "PyYAML==5.3\ntorch==2.5.1+cu118\nnumpy==2.3.0\n", embedded=True)
    (gap,) = [s for s in results if isinstance(s, Skipped)]
    assert gap.artifact is None
    assert "embedded advisories" in gap.reason
    assert "shipworthy db update" in gap.reason
    severe = {f.evidence: f.severity for f in results if isinstance(f, Finding)}
    assert severe["torch==2.5.1+cu118"] >= Severity.HIGH
    assert "pyyaml==5.3" in severe
    assert not any("numpy" in e for e in severe)


def test_nothing_to_match_against_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="no vulnerability database"):
        scan(tmp_path, "demo==1.0\n")
    with pytest.raises(Unavailable, match="no vulnerability database"):
        scan(tmp_path, "demo==1.0\n", database=str(tmp_path / "nothing"))


def test_an_old_database_is_partial_and_says_its_age(tmp_path):
    database = str(archive(tmp_path / "all.zip", [record("GHSA-1", modified="2026-04-01T00:00:00Z")]))
    results = scan(tmp_path, "demo==1.0\n", database=database)
    assert ids(results) == ["GHSA-1"]
    assert "61 days old" in gaps(results)[0]
    assert gaps(scan(tmp_path, "demo==1.0\n", database=database, max_age_days=90)) == []
    future = str(archive(tmp_path / "future.zip", [record("GHSA-1", modified="2099-01-01T00:00:00Z")]))
    assert "future" in gaps(scan(tmp_path, "demo==1.0\n", database=future))[0]


def test_withdrawn_records_do_not_match_and_silence_their_embedded_twin(tmp_path):
    withdrawn = record("PYSEC-2021-142", "pyyaml", fixed="5.4", withdrawn="2026-05-01T00:00:00Z")
    database = str(archive(tmp_path / "all.zip", [withdrawn, record("GHSA-1")]))
    assert "PYSEC-2021-142" not in repr(scan(tmp_path, "pyyaml==5.3.1\n", database=database, embedded=True))


def test_one_bug_under_three_ids_is_one_finding(tmp_path):
    vector = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
    records = [
        record("PYSEC-1", aliases=["CVE-1"], fixed="1.5"),
        record("GHSA-1", aliases=["CVE-1"], fixed="1.6", severity=vector),
        record("SNYK-1", aliases=["GHSA-1"]),
    ]
    (found,) = scan(tmp_path, "demo==1.0\n", database=str(archive(tmp_path / "all.zip", records)))
    assert found.severity is Severity.CRITICAL
    assert "GHSA-1 (CVE-1, PYSEC-1, SNYK-1)" in found.message
    assert "2.0" in found.remedy


def test_an_unrated_advisory_says_so(tmp_path):
    (found,) = scan(tmp_path, "demo==1.0\n", database=str(archive(tmp_path / "all.zip", [record("GHSA-1", fixed="")])))
    assert found.severity is Severity.MEDIUM
    assert "nobody has rated it" in found.message
    assert "No fixed version" in found.remedy


def test_what_has_no_exact_version_is_told(tmp_path):
    database = str(archive(tmp_path / "all.zip", [record("GHSA-1")]))
    results = scan(tmp_path, "demo>=1\nother\nx @ git+https://x.org/x@main\ngood==1\n", database=database)
    assert gaps(results) == ["no exact version is known, so these could not be matched: demo, other, x"]
    covered = {
        "app/pyproject.toml": '[project]\ndependencies=["demo>=1"]\n',
        "uv.lock": '[[package]]\nname="demo"\nversion="1.0"\n',
    }
    results = scan(tmp_path, covered, database=database)
    assert (ids(results), gaps(results)) == (["GHSA-1"], [])


def test_includes_must_be_among_the_files(tmp_path):
    database = str(archive(tmp_path / "all.zip", [record("GHSA-1")]))
    files = {
        "deps/requirements.txt": "-r base.txt\n-r ../../etc/passwd\n-c https://u:hunter2@x.org/c.txt\n",
        "deps/base.txt": "good==1\n",
    }
    reasons = gaps(scan(tmp_path, files, database=database))
    assert len(reasons) == 2
    assert "line 2" in reasons[0]
    assert "hunter2" not in repr(reasons)


@pytest.mark.parametrize("kind", ["truncated", "empty zip", "no json", "garbage", "empty file", "html"])
def test_a_damaged_database_is_unavailable(tmp_path, kind):
    path = archive(tmp_path / "all.zip", [record(f"GHSA-{n}", summary="x" * 5000 + str(n)) for n in range(50)])
    whole = path.read_bytes()
    if kind == "empty zip":
        archive(path, [])
    elif kind == "no json":
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("GHSA-1.json", "{" + "x" * 100)
    else:
        path.write_bytes(
            {"truncated": whole[: len(whole) // 2], "garbage": b"\0" * 99, "empty file": b"", "html": b"<html>"}[kind]
        )
    with pytest.raises(Unavailable) as caught:
        scan(tmp_path, "demo==1.0\n", database=str(path))
    assert "shipworthy db" in caught.value.remedy


def test_a_flipped_byte_in_a_record_is_noticed(tmp_path):
    path = archive(tmp_path / "all.zip", [record("GHSA-1", summary="y" * 4000)])
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(Unavailable):
        scan(tmp_path, "demo==1.0\n", database=str(path))


def test_single_bad_records_are_counted(tmp_path):
    bad = record("GHSA-2")
    bad["affected"][0]["ranges"][0]["events"] = [{"introduced": "zero"}]
    results = scan(tmp_path, "demo==1.0\n", database=str(archive(tmp_path / "all.zip", [record("GHSA-1"), bad])))
    assert ids(results) == ["GHSA-1"]
    assert gaps(results) == ["1 of 2 records of the vulnerability database could not be read"]


def test_bombs_and_strange_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_database, "RECORD_LIMIT", 100_000)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("GHSA-1.json", b" " * 5_000_000)
    for name in ("../../x.json", "/etc/x.json", "x.exe", "a\nb.json"):
        with zipfile.ZipFile(tmp_path / "odd.zip", "w") as out:
            out.writestr(name, json.dumps(record("GHSA-1")))
        with pytest.raises(EnvironmentFailure, match="unusual name"):
            _database.examine(tmp_path / "odd.zip")
    with pytest.raises(EnvironmentFailure, match="unpacks"):
        _database.examine(bomb)


def test_import_keeps_the_old_database_until_the_new_one_is_good(tmp_path):
    destination = tmp_path / "db"
    good = archive(
        tmp_path / "good.zip", [record("GHSA-1"), record("GHSA-2", "other", modified="2026-05-30T00:00:00Z")]
    )
    facts = _database.import_database(good, destination)
    assert (facts.records, facts.packages, facts.newest, facts.unreadable) == (2, 2, date(2026, 5, 30), 0)
    assert facts.path == destination / "osv-scalibr" / "PyPI" / "all.zip"
    assert _database.status(destination) == facts
    (tmp_path / "bad.zip").write_bytes(good.read_bytes()[:-40])
    with pytest.raises(EnvironmentFailure):
        _database.import_database(tmp_path / "bad.zip", destination)
    archive(
        tmp_path / "npm.zip",
        [
            {
                "id": "N-1",
                "modified": "2026-01-01T00:00:00Z",
                "affected": [{"package": {"ecosystem": "Go", "name": "x"}}],
            }
        ],
    )
    with pytest.raises(EnvironmentFailure, match="PyPI"):
        _database.import_database(tmp_path / "npm.zip", destination)
    assert _database.status(destination) == facts
    assert [p.name for p in facts.path.parent.iterdir()] == ["all.zip"]
    with pytest.raises(UsageError):
        _database.import_database(tmp_path / "nothing", destination)
    assert _database.status(tmp_path / "nothing") is None


def test_a_folder_is_imported_as_an_archive(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    for n in range(3):
        (folder / f"GHSA-{n}.json").write_text(json.dumps(record(f"GHSA-{n}")))
    assert _database.import_database(folder, tmp_path / "db").records == 3
    assert len(ids(scan(tmp_path, "demo==1.0\n", database=str(tmp_path / "db")))) == 3


def test_the_cache_key_follows_the_databases_bytes(tmp_path):
    path = archive(tmp_path / "all.zip", [record("GHSA-1")])
    context = Context(tmp_path, {"database": str(path), "embedded": True}, TODAY)
    before = vulnerabilities.cache_key(context)
    assert vulnerabilities.cache_key(context) == before
    archive(path, [record("GHSA-2")])
    assert vulnerabilities.cache_key(context) != before
    later = Context(tmp_path, context.options, date(2026, 7, 30))
    assert vulnerabilities.cache_key(later) != vulnerabilities.cache_key(context)


def test_every_embedded_advisory_is_sound():
    facts = _database.examine(vulnerabilities._embedded_path())
    assert facts.unreadable == 0
    assert 60 <= facts.records <= 200
    content = json.loads(vulnerabilities._embedded_path().read_text())
    assert content["as_of"] == facts.newest.isoformat()
    identifiers = [r["id"] for r in content["advisories"]]
    assert len(set(identifiers)) == len(identifiers)
    for item in content["advisories"]:
        (advisory,) = _osv.parse(item)
        assert advisory.summary.endswith("."), advisory.id
        assert advisory.url.startswith("https://"), advisory.id
        fixed = [v for events in advisory.ranges for kind, v in events if kind == "fixed"]
        order = functools.partial(_osv.version_of, ecosystem=advisory.ecosystem)
        assert not any(advisory.affects(order(max(fixed, key=order))) for _ in fixed[:1]), advisory.id


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 5.9),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", None),
        ("CVSS:3.1/AV:N", None),
        ("", None),
    ],
)
def test_cvss_scores(vector, score):
    assert _cvss.base_score(vector) == score


FINAL = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda p: ".".join(map(str, p)))
ANY = st.builds(lambda v, s: v + s, FINAL, st.sampled_from(["", "a1", "rc1", ".dev1", ".post1"]))


def advisory(introduced, kind, bound):
    events = [{"introduced": introduced}, {kind: bound}]
    item = record("GHSA-1")
    item["affected"][0]["ranges"][0]["events"] = events
    return _osv.parse(item)[0]


@given(FINAL, FINAL, FINAL)
def test_ranges_agree_with_packagings_specifiers(version, introduced, fixed):
    assume(Version(introduced) < Version(fixed))
    wanted = Version(version) in SpecifierSet(f">={introduced},<{fixed}")
    assert advisory(introduced, "fixed", fixed).affects(Version(version)) == wanted
    wanted = Version(version) in SpecifierSet(f">={introduced},<={fixed}")
    assert advisory(introduced, "last_affected", fixed).affects(Version(version)) == wanted


@given(ANY, ANY, ANY)
def test_ranges_follow_the_order_of_pep_440_for_every_version(version, introduced, fixed):
    assume(Version(introduced) < Version(fixed) and introduced != "0")  # "0" is before every version
    wanted = Version(introduced) <= Version(version) < Version(fixed)
    assert advisory(introduced, "fixed", fixed).affects(Version(version)) == wanted


@given(ANY)
def test_local_versions_are_their_public_version(version):
    assert advisory("0", "last_affected", version).affects(Version(version + "+cu118"))


def test_several_intervals_and_listed_versions():
    item = record("GHSA-1")
    item["affected"][0]["ranges"][0]["events"] = [
        {"introduced": "3"},
        {"fixed": "2.5"},
        {"introduced": "0"},
        {"fixed": "3.1"},
    ]
    item["affected"][0]["versions"] = ["9.0.0"]
    (one,) = _osv.parse(item)
    affected = [v for v in ("1", "2.5", "2.9", "3.0", "3.1", "9.0", "9.0.0") if one.affects(Version(v))]
    assert affected == ["1", "3.0", "9.0.0"]
    assert one.fixed_after(Version("3.0")) == "3.1"


KEYS = ("id", "affected", "package", "ecosystem", "name", "ranges", "type", "events", "introduced", "fixed", "severity")
JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6) | st.sampled_from(["PyPI", "ECOSYSTEM", "0", "1.0", "demo"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=25,
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_no_record_raises_anything_but_malformed(content):
    try:
        for item in _osv.parse(content):
            item.affects(Version("1.0"))
    except _osv.Malformed:
        pass


class Index(BaseHTTPRequestHandler):
    """A package index with a package for every way to answer."""

    asked: list[str] = []

    def do_GET(self):
        name = self.path.split("/")[2]
        Index.asked.append(name)
        found = {"id": "PYSEC-7", "aliases": ["CVE-7"], "details": "bad", "fixed_in": ["2.0", "odd"]}
        answers = {
            "bad": (200, json.dumps({"vulnerabilities": [found, {"id": "W", "withdrawn": "2026-01-01"}]})),
            "good": (200, json.dumps({"vulnerabilities": []})),
            "broken": (500, "no"),
            "garbage": (200, "<html>"),
            "half": (200, '{"vulnerabilities": [{"id": "PYS'),
            "other": (200, json.dumps({"info": {}})),
            "noid": (200, json.dumps({"vulnerabilities": [{"aliases": []}]})),
            "short": (200, json.dumps({"vulnerabilities": []})),
            "away": (302, ""),
        }
        if name == "slow":
            time.sleep(2)
        status, text = answers.get(name, (404, "{}"))
        body = text.encode()
        self.send_response(status)
        if name == "away":
            self.send_header("Location", "http://example.org/x")
        self.send_header("Content-Length", str(len(body) + (50 if name == "short" else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def index():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Index.asked.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_index_is_asked_only_when_both_allow_it(tmp_path, index):
    results = scan(tmp_path, "bad==1.0\n", online=True, index=index, embedded=True)
    assert Index.asked == []
    assert any("offline" in reason for reason in gaps(results))
    scan(tmp_path, "bad==1.0\n", index=index, embedded=True, offline=False)
    assert Index.asked == []


def test_what_the_index_knows_is_a_finding(tmp_path, index):
    results = scan(
        tmp_path, "bad==1.0+cpu\ngood==1.0\nlib @ git+https://x.org/l@main\n", online=True, index=index, offline=False
    )
    (found,) = [r for r in results if isinstance(r, Finding)]
    assert "CVE-7 (PYSEC-7)" in found.message
    assert found.remedy == "Upgrade bad to 2.0 or later."
    assert Index.asked == ["bad", "good"]


@pytest.mark.parametrize("name", ["missing", "broken", "garbage", "half", "other", "noid", "short", "away", "slow"])
def test_an_index_that_does_not_answer_is_a_gap(tmp_path, index, name, monkeypatch):
    real = _index.query
    monkeypatch.setattr(_index, "query", lambda *a: real(*a, timeout=0.5))
    results = scan(tmp_path, f"{name}==1.0\ngood==1.0\n", online=True, index=index, offline=False)
    assert ids(results) == []
    (gap,) = gaps(results)
    assert f"({name})" in gap


def test_a_dead_index_is_given_up(tmp_path):
    results = scan(
        tmp_path, "".join(f"p{n}==1\n" for n in range(30)), online=True, index="http://127.0.0.1:9", offline=False
    )
    assert sum("packages" in reason for reason in gaps(results)) == 2
    with pytest.raises(Unavailable):
        scan(tmp_path, "p==1\n", online=True, index="http://pypi.example.org", offline=False)


def test_update_downloads_and_imports(tmp_path):
    served = archive(tmp_path / "all.zip", [record("GHSA-1")]).read_bytes()

    class Files(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if "all" in self.path else 404)
            self.send_header("Content-Length", str(len(served)))
            self.end_headers()
            self.wfile.write(served[:100] if "cut" in self.path else served)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        assert _database.update_database(f"{base}/PyPI/all.zip", tmp_path / "db").records == 1
        for bad in ("none.zip", "cut-all.zip"):
            with pytest.raises(EnvironmentFailure):
                _database.update_database(f"{base}/{bad}", tmp_path / "db")
        assert _database.status(tmp_path / "db").records == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    for address in ("http://example.org/all.zip", "file:///etc/all.zip", "ftp://x/all.zip", "https://x.org/all"):
        with pytest.raises(UsageError):
            _database.update_database(address, tmp_path / "db")


def test_downloads_are_bounded(index):
    with pytest.raises(EnvironmentFailure, match="larger than 5 bytes"):
        _index.fetch(f"{index}/pypi/good/1/json", io.BytesIO(), limit=5, timeout=5)
