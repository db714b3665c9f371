"""The run record: what is written can be read, by us and by anybody with the schema."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

import sample_runs as sample
from shipworthy.errors import UsageError
from shipworthy.model import (
    Artifact,
    CheckResult,
    Confidence,
    Disposition,
    Finding,
    GateDecision,
    Kind,
    Location,
    Metric,
    Outcome,
    Reason,
    Rule,
    Run,
    Severity,
    Skipped,
    StageResult,
    Status,
    Trigger,
)
from shipworthy.model.serial import dumps, loads, run_from_dict, run_to_dict, stage_from_dict, stage_to_dict

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "run.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

text = st.text(max_size=12)
names = st.lists(text, max_size=3).map(tuple)
small = st.integers(min_value=0, max_value=10**9)
number = st.floats(allow_nan=False)
seconds = st.floats(min_value=0, max_value=1e9)
moments = st.datetimes(timezones=st.just(UTC)) | st.datetimes()
digests = st.dictionaries(text, text, max_size=3)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | text | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
# Few names on purpose: different things that share a uri, an id or a fingerprint must stay apart.
artifacts = st.builds(Artifact, st.sampled_from(["a", "b", "a#2"]), st.sampled_from(Kind), text, small, text)
rules = st.builds(
    Rule,
    st.sampled_from(["r", "r#2"]),
    text,
    st.sampled_from(Severity),
    text,
    text,
    st.sampled_from(Confidence),
    names,
    text,
)
locations = st.builds(Location, line=st.none() | small, column=st.none() | small, member=st.none() | text)
findings = st.builds(
    Finding,
    rules,
    artifacts,
    locations,
    text,
    text,
    st.sampled_from(Severity),
    st.sampled_from(Confidence),
    text,
    names,
    st.sampled_from(["k", "l"]),
    st.sampled_from([0, 1]),
    text,
    text,
    st.sampled_from(Disposition),
    text,
)
checks = st.builds(
    CheckResult,
    text,
    text,
    text,
    st.sampled_from(Outcome),
    st.lists(findings, max_size=3).map(tuple),
    st.frozensets(text, max_size=3),
    small,
    st.lists(st.builds(Skipped, st.none() | artifacts, text, text), max_size=2).map(tuple),
    text,
    text,
    seconds,
    small,
)
decisions = st.builds(
    GateDecision,
    text,
    st.booleans(),
    st.lists(st.builds(Reason, text, text, text, names), max_size=2).map(tuple),
    names,
    names,
    names,
    names,
    names,
    st.booleans(),
)
stages = st.builds(
    StageResult,
    text,
    st.sampled_from(Status),
    moments,
    seconds,
    st.lists(checks, max_size=2).map(tuple),
    digests,
    digests,
    st.lists(artifacts, max_size=3).map(tuple),
    st.lists(st.builds(Metric, text, number, number, number, small, text), max_size=2).map(tuple),
    st.none() | decisions,
    st.dictionaries(text, json_values, max_size=3),
    text,
    text,
    st.integers(0, 5),
    st.booleans(),
)
runs = st.builds(
    Run,
    text,
    text,
    text,
    st.builds(Trigger, text, text, text, text, st.booleans(), text),
    text,
    moments,
    seconds,
    st.lists(stages, max_size=3).map(tuple),
    digests,
    st.integers(0, 5),
)
thorough = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(runs)
def test_a_run_comes_back_as_it_was(run: Run) -> None:
    written = run_to_dict(run)
    VALIDATOR.validate(written)
    assert run_from_dict(loads(dumps(written))) == run


@thorough
@given(stages)
def test_a_stage_of_the_journal_comes_back_as_it_was(stage: StageResult) -> None:
    assert stage_from_dict(loads(dumps(stage_to_dict(stage)))) == stage


@pytest.mark.parametrize("name", sample.ALL)
def test_real_runs_follow_the_published_schema(name: str) -> None:
    written = loads(dumps(run_to_dict(sample.ALL[name]())))
    VALIDATOR.validate(written)
    assert run_to_dict(run_from_dict(written)) == written


def test_the_schema_itself_is_one_and_refuses_what_is_not_a_run() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    written = run_to_dict(sample.passing())
    for wrong in ({"schema": "2"}, {"verdict": 1}, {"extra": True}, {"artifacts": [{"uri": "x"}]}):
        with pytest.raises(ValidationError):
            VALIDATOR.validate(written | wrong)


def test_a_reader_finds_each_artifact_with_its_outcome_and_rules_without_joining_tables() -> None:
    written = run_to_dict(sample.stopped())
    by_uri = {item["uri"]: item for item in written["artifacts"]}
    torn = by_uri[sample.TORN.uri]
    assert (torn["outcome"], torn["rules"], torn["kind"]) == ("finding", ["pickle-code-import"], "model")
    assert torn["examined_by"] == ["model-files", "secrets"]
    assert torn["findings"] == [f["fingerprint"] for f in written["findings"] if f["artifact"] == sample.TORN.uri]
    assert by_uri[sample.EVAL.uri]["outcome"] == "clean"
    assert written["verdict"].startswith("NOT SHIPWORTHY: before-train: ")


def test_an_artifact_that_only_a_finding_knows_is_listed_too() -> None:
    stage = sample.stage("scan", 0, checks=(sample.check("c", "x", (sample.SECRET.at(sample.BUCKET, "m"),)),))
    written = run_to_dict(replace(sample.empty(), stages=(stage,)))
    assert [(a["uri"], a["outcome"]) for a in written["artifacts"]] == [(sample.BUCKET.uri, "finding")]


def test_no_path_of_this_machine_is_written(tmp_path: Path) -> None:
    model = replace(sample.MODEL, path=tmp_path / "secret-place" / "m.bin")
    stage = sample.stage("load", 0, artifacts=(model,))
    stage = replace(stage, checks=(sample.check("c", "x", (sample.PICKLE.at(model, "m"),), (model,)),))
    assert str(tmp_path) not in dumps(run_to_dict(replace(sample.empty(), stages=(stage,))))


def test_text_that_could_steer_a_terminal_is_escaped_in_the_json() -> None:
    written = dumps(run_to_dict(sample.hostile()))
    assert not [c for c in written if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066"]
    written.encode("utf-8")


@pytest.mark.parametrize("value", [Path("/etc"), datetime(2026, 1, 1), {1: 2}, b"x", {"s": {1, 2}}])
def test_details_that_are_not_json_are_refused_by_name(value: object) -> None:
    stage = sample.stage("train", 0, details={"outer": {"inner": value}})
    with pytest.raises(TypeError, match=r"stage train\.outer\.inner"):
        stage_to_dict(stage)


def test_details_that_nest_without_end_are_refused() -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop
    with pytest.raises(TypeError):
        stage_to_dict(sample.stage("s", 0, details=loop))


DAMAGE = [
    lambda d: d.update(schema="99"),
    lambda d: d.pop("schema"),
    lambda d: d.pop("trigger"),
    lambda d: d.update(started="yesterday"),
    lambda d: d.update(stages=7),
    lambda d: d["stages"][0].update(status="splendid"),
    lambda d: d["findings"][0].update(rule="no-such-rule"),
    lambda d: d["findings"][0]["location"].update(line="seven"),
    lambda d: d["findings"][0]["location"].update(path="/etc/passwd"),
    lambda d: d["artifacts"][0].update(uri=["list"]),
    lambda d: d["stages"][3]["decision"].update(passed="yes"),
    lambda d: d["stages"][2]["checks"][0].update(examined="abc"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_an_error_for_people(damage: object) -> None:
    written = run_to_dict(sample.stopped())
    damage(written)  # type: ignore[operator]
    with pytest.raises(UsageError):
        run_from_dict(written)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", "[" * 100_000, b"\xff\xfe"])
def test_a_file_that_is_no_record_is_an_error_for_people(content: str | bytes) -> None:
    with pytest.raises(UsageError):
        loads(content)
