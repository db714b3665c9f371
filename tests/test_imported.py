"""Reports of security tools: read as they are written, or refused with the reason; never clean by being broken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imported_samples import SAMPLES
from shipworthy.witnesses import UnreadableReport, names, read_report, source
from shipworthy.witnesses.documents import parse_xml
from shipworthy.witnesses.statements import address, cwes, guarded, plain


def test_every_tool_has_a_sample() -> None:
    assert set(SAMPLES) == set(names())


@pytest.mark.parametrize("tool", sorted(SAMPLES))
def test_a_report_without_findings(tool: str) -> None:
    sample = SAMPLES[tool]
    if sample.empty == "read":
        assert read_report(tool, sample.make(0)).statements == ()
    else:
        with pytest.raises(UnreadableReport, match=sample.empty):
            read_report(tool, sample.make(0))


@pytest.mark.parametrize("tool", sorted(SAMPLES))
def test_what_is_told_is_what_the_tool_says(tool: str) -> None:
    sample = SAMPLES[tool]
    (said,) = read_report(tool, sample.make(1)).statements
    assert (said.rule, said.severity, said.path or said.subject) == (sample.rule, sample.severity, sample.where)
    assert (said.line, said.cwes, said.confidence) == (sample.line, sample.cwes, sample.confidence)
    assert said.message


@pytest.mark.parametrize("tool", sorted(SAMPLES))
def test_many_findings_are_all_there(tool: str) -> None:
    assert len(read_report(tool, SAMPLES[tool].make(7)).statements) == 7


@pytest.mark.parametrize("tool", sorted(SAMPLES))
def test_a_report_that_was_cut_short_is_refused(tool: str) -> None:
    raw = SAMPLES[tool].make(3).rstrip()
    for size in {1, len(raw) // 3 - 1, len(raw) // 2, len(raw) - 20, len(raw) - 1}:  # never at the end of a line
        with pytest.raises(UnreadableReport):
            read_report(tool, raw[:size])


@pytest.mark.parametrize("tool", sorted(SAMPLES))
@pytest.mark.parametrize("raw", [b"", b" \n\t", b"{}", b"\xff\xfe", b"<html><body>502 Bad Gateway</body></html>", b"0"])
def test_what_is_no_report_is_refused(tool: str, raw: bytes) -> None:
    with pytest.raises(UnreadableReport):
        read_report(tool, raw)


@pytest.mark.parametrize("tool", sorted(SAMPLES))
def test_the_report_of_another_tool_is_refused(tool: str) -> None:
    others = [name for name in SAMPLES if name != tool and tool != "sarif"]
    taken = []
    for other in others:
        try:
            if read_report(tool, SAMPLES[other].make(2)).statements:
                taken.append(other)
        except UnreadableReport:
            continue
    assert taken == []


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += _nodes(inner, (*path, key))
    return found


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


def _whole(tool: str) -> bool:
    try:
        return bool(json.loads(SAMPLES[tool].make(1)))
    except ValueError:  # XML, and more than one line of JSON
        return False


_VALUES = st.sampled_from([None, True, 0, -1, 10**30, 1.5, "", "x" * 50, [], [None], [[1]], {}, {"a": 1}, "\x00\ud800"])


@pytest.mark.parametrize("tool", [tool for tool in sorted(SAMPLES) if _whole(tool)])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_value_of_another_kind_breaks_nothing(tool: str, data: st.DataObject) -> None:
    """Hostile or unknown values are read or refused; nothing else happens."""
    value = json.loads(SAMPLES[tool].make(1))
    path = data.draw(st.sampled_from(_nodes(value)))
    try:
        report = read_report(tool, json.dumps(_with(value, path, data.draw(_VALUES))).encode())
    except UnreadableReport:
        return
    for said in report.statements:
        assert said.rule
        assert said.message
        assert len(said.message) < 2000


@pytest.mark.parametrize("tool", ["gitleaks", "trufflehog"])
def test_no_secret_of_a_report_is_kept(tool: str) -> None:
    report = read_report(tool, SAMPLES[tool].make(2))
    assert "AKIAIOSFODNN7" in SAMPLES[tool].make(1).decode()
    assert "AKIAIOSFODNN7" not in repr(report)


def test_every_tool_says_what_it_is() -> None:
    for tool in names():
        found = source(tool)
        assert found.tried in ("real", "recorded", "documented")
        assert found.stage in ("scan", "test")
        assert all((found.title, found.form, found.command, found.category)), tool


def test_sarif_that_did_not_scan_is_refused() -> None:
    log = json.loads(SAMPLES["sarif"].make(0))
    log["runs"][0]["invocations"] = [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [{"level": "error", "message": {"text": "no licence"}}],
        }
    ]
    with pytest.raises(UnreadableReport, match="no licence"):
        read_report("sarif", json.dumps(log).encode())
    del log["runs"][0]["results"], log["runs"][0]["invocations"]
    with pytest.raises(UnreadableReport, match="did not scan"):
        read_report("sarif", json.dumps(log).encode())
    log["runs"] = []
    with pytest.raises(UnreadableReport, match="no run"):
        read_report("sarif", json.dumps(log).encode())


def test_sarif_levels_suppressions_and_bases() -> None:
    log = json.loads(SAMPLES["sarif"].make(3))
    run = log["runs"][0]
    del run["tool"]["driver"]["rules"][0]["properties"]["security-severity"]
    run["tool"]["driver"]["rules"][0]["defaultConfiguration"] = {"level": "note"}
    run["originalUriBaseIds"] = {"%SRCROOT%": {"uri": "file:///build/here/"}}
    run["results"][1]["suppressions"] = [{"kind": "external"}]
    run["results"][2]["suppressions"] = [{"kind": "external", "status": "rejected"}]
    run["results"][2]["level"] = "error"
    report = read_report("sarif", json.dumps(log).encode())
    assert [(s.severity, s.path) for s in report.statements] == [
        ("low", "/build/here/src/a.py"),
        ("high", "/build/here/src/a.py"),
    ]
    assert report.notes == ("1 suppressed in the report",)


def test_xml_entities_are_refused_and_types_are_not_fetched() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    with pytest.raises(UnreadableReport, match="entities"):
        parse_xml(bomb, "a")
    with pytest.raises(UnreadableReport, match="entities"):
        parse_xml(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "a")
    assert parse_xml(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a>x</a>', "a").text == "x"
    assert parse_xml(b"<!DOCTYPE a [<!ELEMENT a (#PCDATA)>]><a>x</a>", "a").text == "x"
    with pytest.raises(UnreadableReport, match="deeper"):
        parse_xml(b"<a>" * 5000, "a")


def test_text_of_reports_is_made_harmless() -> None:
    assert plain("use `apt-get install <package>=<version>`") == "use `apt-get install <package>=<version>`"
    assert plain("<p>Set <b>X</b>\n\n now &amp; then</p>") == "Set X now & then"
    assert "hunter22" not in plain('it has password = "hunter22" in it')
    assert "abcdefgh" not in plain("Authorization: Bearer abcdefgh and more")
    assert "AKIAIOSFODNN7EXAMPLE" not in plain("found AKIAIOSFODNN7EXAMPLE there")
    assert "9f8a7b6c5d4e3f2a1b0c" not in guarded("key 9f8a7b6c5d4e3f2a1b0c")
    assert address("https://me:pw@host/a?token=1#x") == "https://…@host/a"
    assert cwes("CWE-79: XSS", 89, ["external/cwe/cwe-022", "cwe:611"], None, 0) == (
        "CWE-79",
        "CWE-89",
        "CWE-22",
        "CWE-611",
    )
