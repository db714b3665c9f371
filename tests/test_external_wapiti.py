"""wapiti attacks the service under test; a service that it did not reach is never clean."""

from __future__ import annotations

import json
import os
import sys

import pytest

from shipworthy.check import Context, NotApplicable, Skipped
from shipworthy.checks.external import wapiti
from shipworthy.checks.services._service import ServiceInfo
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Kind, Severity
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing

ROW = {"method": "GET", "path": "/s", "info": "m", "level": 3, "parameter": "q", "module": "sql"}


def report(*rows, pages=3, kind="SQL Injection"):
    return json.dumps(
        {
            "infos": {"crawled_pages_nbr": pages},
            "vulnerabilities": {kind: list(rows), "CRLF Injection": []},
            "anomalies": {},
        }
    )


@pytest.fixture
def ask(tmp_path):
    def asked(written, code=0, **info):
        program, output, service = tmp_path / "wapiti", tmp_path / "written", tmp_path / "service"
        service.mkdir()
        output.write_text(written)
        program.write_text(
            f"#!{sys.executable}\nimport shutil, sys\nto = sys.argv[sys.argv.index('-o') + 1]\n"
            f"shutil.copy({str(output)!r}, to)\nsys.exit({code})\n"
        )
        program.chmod(0o755)
        ServiceInfo("http://127.0.0.1:9", **info).write(service)
        artifact = Artifact("service", Kind.SERVICE, "sha256:" + "0" * 64, 0, path=service)
        return list(wapiti.scan(artifact, Context(tmp_path, {}, tools=Toolbox({"wapiti": str(program)}))))

    return asked


def test_none_one_and_many(ask):
    assert ask(report()) == []


def test_one_keeps_severity_place_and_weakness(ask):
    (found,) = ask(report(ROW))
    assert (found.rule.id, found.severity, found.location.field) == ("wapiti-sql-injection", Severity.HIGH, "GET /s")
    assert found.witnesses == ("wapiti",)
    assert "CWE-89" in found.rule.taxonomy


def test_many_are_all_told(ask):
    found = ask(report(*({**ROW, "path": f"/{n}"} for n in range(300)), kind="Something New"))
    assert len({one.fingerprint for one in found}) == 300
    assert {one.rule.id for one in found} == {"wapiti-other"}


@pytest.mark.parametrize(
    "written", ["", "{", report(ROW)[:-30], "[]", "{}", report(7), report({**ROW, "level": 9}), report(pages=0)]
)
def test_what_is_no_whole_report_of_a_reached_service_is_a_failure(ask, written):
    with pytest.raises(ToolFailed):
        ask(written)


def test_a_crash_is_a_failure(ask):
    with pytest.raises(ToolFailed):
        ask(report(), code=1)


def test_where_it_does_not_go(ask):
    with pytest.raises(NotApplicable):
        ask(report(), socket="/run/s")


def test_deployed_services_are_not_attacked(ask):
    with pytest.raises(NotApplicable):
        ask(report(), environment="deploy")


def test_what_needs_credentials_is_told(ask):
    (skipped,) = ask(report(), credentials="Bearer abcdef")
    assert isinstance(skipped, Skipped)
    assert skipped.code == "limited"
    assert "abcdef" not in repr(skipped)


@pytest.fixture
def real(monkeypatch):
    monkeypatch.delenv("XDG_DATA_HOME")
    if given := os.environ.get("SHIPWORTHY_TEST_DATA"):
        monkeypatch.setenv("XDG_DATA_HOME", given)
    try:
        Toolbox().version(wapiti.WAPITI)
    except ToolMissing as missing:
        pytest.skip(f"{missing} ({missing.remedy})")


@pytest.mark.slow
@pytest.mark.usefixtures("real")
def test_the_real_one_finds_a_reflected_script(tmp_path):
    with standing(wapiti._sample, health="/")(tmp_path) as (artifact,):
        found = list(wapiti.scan(artifact, Context(tmp_path, {"seconds": 60})))
    assert "wapiti-reflected-script" in {one.rule.id for one in found}
    assert {one.location.field for one in found} == {"GET /s"}


@pytest.mark.slow
@pytest.mark.usefixtures("real")
def test_the_real_one_is_not_believed_about_a_service_that_is_gone(tmp_path):
    with standing(wapiti._sample, health="/")(tmp_path) as (artifact,):
        pass
    with pytest.raises(ToolFailed, match="reached no page"):
        list(wapiti.scan(artifact, Context(tmp_path, {"seconds": 60})))
