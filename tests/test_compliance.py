"""Which framework controls a run gives evidence for: never more than it looked at, and never a word of compliance."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import sample_runs as sample
from shipworthy.check import Check, registry
from shipworthy.cli import main
from shipworthy.compliance import ControlResult, Standing, assess, summary
from shipworthy.compliance._controls import controls
from shipworthy.compliance._evidence import FACTS, Term
from shipworthy.model import CheckResult, Disposition, Outcome, Run, StageResult, Status
from shipworthy.model.serial import loads, run_from_dict
from shipworthy.pipelines import DEV, ML
from shipworthy.reports import render

CHECKS: tuple[Check, ...] = tuple(item for _, item in sorted(registry().items()))
SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "run.schema.json").read_text(encoding="utf-8"))


def checks_of(scope: str) -> tuple[CheckResult, ...]:
    """A result of every check there is, as the stage would have it."""
    return tuple(sample.check(item.name, item.category, (), (sample.TRAIN,)) for item in CHECKS if scope != item.scope)


@cache
def full() -> Run:
    """A run in which every check ran and saw nothing, with all that a run can record."""
    base = sample.passing()
    sandbox = {
        "level": "bubblewrap",
        "network": "blocked",
        "filesystem": "isolated",
        "verified": dict.fromkeys(("tcp", "udp", "read-canary", "write-canary"), "refused"),
    }
    found: dict[int, dict[str, object]] = {
        2: {"checks": checks_of("none")},
        4: {"details": {**base.stages[4].details, "sandbox": sandbox}},
        6: {"checks": checks_of("tree")},
    }
    stages = tuple(replace(s, **found.get(n, {})) for n, s in enumerate(base.stages))  # type: ignore[arg-type]
    return replace(base, stages=stages)


def standing(run: Run, framework: str, control: str) -> ControlResult:
    (result,) = [r for r in assess(run) if (r.framework.id, r.control.id) == (framework, control)]
    return result


def with_stage(run: Run, name: str, **changes: object) -> Run:
    stages = tuple(replace(s, **changes) if s.stage == name else s for s in run.stages)  # type: ignore[arg-type]
    return replace(run, stages=stages)


def test_the_controls_name_only_what_exists() -> None:
    checks, stages = CHECKS, {stage.name for stage in ML.stages}
    names = {"check": {c.name for c in checks}, "category": {c.category for c in checks}, "stage": stages}
    names["fact"] = set(FACTS)
    rules = {rule.id for item in checks for rule in item.rules}
    for control, text in [(c, text) for c in controls() for text in (*c.evidence, *c.dev)]:
        term = Term.parse(text)
        known = stages if text in control.evidence else {stage.name for stage in DEV.stages}
        assert term.name in {**names, "stage": known}[term.kind], f"{control.framework.id} {control.id}: {text}"
        assert term.stage in {"", *known}
        assert term.without in {"", *rules}
    assert {term.name for c in controls() for term in map(Term.parse, c.evidence) if term.kind == "fact"} == set(FACTS)


def test_the_controls_are_unique_and_each_leaves_something_to_a_person() -> None:
    twice = Counter((c.framework.id, c.id) for c in controls())
    assert set(twice.values()) == {1}
    assert 60 <= len(twice) <= 130
    assert all(c.title and c.person and c.framework.source.startswith("https://") for c in controls())
    assert all(c.evidence or c.whole for c in controls()), "a control without evidence cannot be reached in part"


def test_with_everything_there_every_control_that_a_run_can_reach_is_reached() -> None:
    for result in assess(full()):
        if not result.control.evidence:
            assert result.status is Standing.NEEDS_A_PERSON
        else:
            assert result.status is (Standing.EVIDENCED if result.control.whole else Standing.PARTLY), result
            assert result.rests_on
            assert not result.missing, result


def test_a_run_of_nothing_is_evidence_of_nothing() -> None:
    assert {r.status for r in assess(sample.empty())} == {Standing.NOT_EVIDENCED, Standing.NEEDS_A_PERSON}


def test_no_status_and_no_report_says_compliant() -> None:
    for format_ in ("table", "html", "markdown"):
        text = render(full(), format_).lower()
        assert "non-compliant" not in text
        assert "is compliant" not in text
    assert "it makes nobody compliant" in render(full(), "html")


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.PASSED])
def test_a_stage_that_did_not_pass_gives_none(status: Status) -> None:
    run = with_stage(full(), "sign", status=status)
    result = standing(run, "slsa", "Build L2")
    assert result.status is Standing.NOT_EVIDENCED
    assert result.missing
    scanned = with_stage(with_stage(full(), "scan", status=status), "model-scan", checks=())
    assert standing(scanned, "owasp-aisvs-1.0", "AISVS C1.3").status is Standing.NOT_EVIDENCED


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNAVAILABLE])
def test_a_check_that_did_not_look_gives_none_and_is_named(outcome: Outcome) -> None:
    run = full()
    checks = tuple(
        replace(c, outcome=outcome) if c.check == "dependency-vulnerabilities" else c for c in run.stages[2].checks
    )
    run = with_stage(with_stage(run, "scan", checks=checks), "model-scan", checks=())
    result = standing(run, "slsa", "Dependency L2")
    assert result.status is Standing.PARTLY
    assert any("dependency-vulnerabilities" in text and outcome.value in text for text in result.missing)


def test_a_partial_check_is_a_part_only_if_a_gate_accepted_it() -> None:
    run = full()
    checks = tuple(replace(c, outcome=Outcome.PARTIAL) for c in run.stages[2].checks)
    run = with_stage(with_stage(run, "scan", checks=checks), "model-scan", checks=())
    assert standing(run, "mitre-atlas", "AML.M0016").status is Standing.PARTLY
    refused = with_stage(run, "before-train", status=Status.FAILED)
    assert standing(refused, "mitre-atlas", "AML.M0016").status is Standing.NOT_EVIDENCED


def test_nothing_of_its_kind_is_no_evidence() -> None:
    run = full()
    assert standing(run, "nist-ssdf-218a", "PW.3").status is Standing.EVIDENCED
    for name in ("scan", "model-scan"):
        (stage,) = [s for s in run.stages if s.stage == name]
        checks = tuple(
            replace(c, outcome=Outcome.NOT_APPLICABLE) if c.category == "datasets" else c for c in stage.checks
        )
        run = with_stage(run, name, checks=checks)
    result = standing(run, "nist-ssdf-218a", "PW.3")
    assert result.status is Standing.PARTLY
    assert "category datasets: there was nothing of its kind to look at" in result.missing
    assert standing(run, "owasp-aisvs-1.0", "AISVS C1.3").status is Standing.NOT_EVIDENCED


def test_open_findings_make_a_part_of_the_whole_and_waived_ones_do_not() -> None:
    run = full()
    found = sample.SECRET.at(sample.CONFIG, "a key")

    def given_(disposition: Disposition) -> Run:
        finding = found.with_(disposition=disposition)
        checks = tuple(replace(c, findings=(finding,)) if c.category == "code" else c for c in run.stages[2].checks)
        return with_stage(run, "scan", checks=checks)

    assert standing(run, "mitre-atlas", "AML.M0016").status is Standing.EVIDENCED
    assert standing(given_(Disposition.WAIVED), "mitre-atlas", "AML.M0016").status is Standing.EVIDENCED
    for disposition in (Disposition.NEW, Disposition.KNOWN):
        result = standing(given_(disposition), "mitre-atlas", "AML.M0016")
        assert result.status is Standing.PARTLY
        assert any("high or worse" in text for text in result.missing)


def test_a_missing_model_card_is_no_documentation() -> None:
    run = full()
    rule = next(r for c in CHECKS for r in c.rules if r.id == "repository-no-model-card")
    checks = tuple(
        replace(c, findings=(rule.at(sample.MODEL, "none"),)) if c.check == "repository-hygiene" else c
        for c in run.stages[2].checks
    )
    run = with_stage(with_stage(run, "scan", checks=checks), "model-scan", checks=())
    assert standing(run, "iso-42001-2023", "A.6.2.7").status is Standing.NOT_EVIDENCED


def test_facts_are_believed_as_far_as_they_were_seen() -> None:
    run = full()
    assert standing(run, "slsa", "Source L1").status is Standing.EVIDENCED
    dirty = replace(run, trigger=replace(run.trigger, dirty=True))
    assert standing(dirty, "slsa", "Source L1").status is Standing.PARTLY
    sandbox = {"level": "limits", "network": "open", "filesystem": "open"}
    unprotected = with_stage(run, "train", details={"sandbox": sandbox})
    assert standing(unprotected, "owasp-aisvs-1.0", "AISVS C4.1").status is Standing.NOT_EVIDENCED
    untested = with_stage(run, "train", details={"sandbox": {"network": "blocked", "filesystem": "isolated"}})
    assert any("self-test" in text for text in standing(untested, "nist-ssdf-1.1", "PO.5").missing)
    broken = with_stage(run, "store", details={"chain": sample.chain(broken=True)})
    assert standing(broken, "nist-ssdf-1.1", "PS.2").status is Standing.PARTLY
    since = replace(run, trigger=replace(run.trigger, since="main"))
    assert standing(since, "mitre-atlas", "AML.M0016").status is Standing.PARTLY


outcomes = st.sampled_from([Outcome.FAILED, Outcome.UNAVAILABLE])
bad_checks = st.builds(
    lambda item, outcome: sample.check(item.name, item.category, outcome=outcome, eligible=1),
    st.sampled_from(CHECKS),
    outcomes,
)
places = st.integers(min_value=0, max_value=9)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A full run of which some stages did not pass, and some checks are missing or ended otherwise."""
    run = full()

    def altered(stage: StageResult) -> StageResult:
        kept = tuple(
            replace(check, outcome=draw(st.sampled_from(Outcome)))
            for check in stage.checks
            if draw(st.integers(0, 4)) > 0
        )
        status = draw(st.sampled_from([Status.PASSED] * 6 + [Status.FAILED, Status.NOT_BUILT]))
        return replace(stage, checks=kept, status=status)

    return replace(run, stages=tuple(altered(stage) for stage in run.stages))


@settings(max_examples=40, deadline=None)
@given(runs(), bad_checks, places)
def test_adding_a_check_that_did_not_look_never_raises_a_status(run: Run, bad: CheckResult, place: int) -> None:
    worse = with_stage(run, run.stages[place].stage, checks=(*run.stages[place].checks, bad))
    for before, after in zip(assess(run), assess(worse), strict=True):
        assert after.status.rank <= before.status.rank, (before, after)


@pytest.mark.parametrize("name", [n for n in sample.ALL if n != "many"])
def test_the_record_holds_the_controls_and_reads_back_without_them(name: str) -> None:
    run = sample.ALL[name]()
    document = loads(render(run, "json"))
    Draft202012Validator(SCHEMA).validate(document)
    assert len(document["compliance"]) == len(controls())
    without = {key: value for key, value in document.items() if key != "compliance"}
    assert repr(run_from_dict(document)) == repr(run_from_dict(without)), "repr, because a NaN is equal to nothing"


def test_every_report_gives_the_same_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = sample.stopped()
    counts = summary(assess(run))
    said = f"evidence for {counts.shown} of {counts.total}"
    assert 0 < counts.shown < counts.total
    for format_ in ("table", "html", "markdown"):
        assert said in render(run, format_)
    bom = json.loads(render(run, "cyclonedx"))["metadata"]["properties"]
    stated = [p["value"] for p in bom if p["name"].startswith("shipworthy:control:")]
    assert len(stated) == counts.total
    assert stated.count("partly") == counts.partly

    record = tmp_path / "run.json"
    record.write_text(render(run, "json"), encoding="utf-8")
    for format_ in ("table", "markdown"):
        main(["report", str(record), "--compliance", "--format", format_])
        text = capsys.readouterr().out
        assert said in text
        assert all(c.id in text for c in controls())
    main(["report", str(record), "--compliance", "--format", "json"])
    listed = json.loads(capsys.readouterr().out)["compliance"]
    assert Counter(c["status"] for c in listed)["partly"] == counts.partly
    assert main(["report", str(record), "--compliance", "--format", "sarif"]) == 2


# --- the DevSecOps pipeline -----------------------------------------------------------------------------------------

DEV_STAGES = ("trigger", "load", "scan", "build", "test", "sign", "store", "deploy-check", "protect")


def dev(**checks: CheckResult) -> Run:
    """A run of the DevSecOps pipeline in which everything passed; `checks` are those of its test stage."""
    base = full()
    by = {stage.stage: stage for stage in base.stages}
    every = {item.name: item for item in CHECKS}
    services = tuple(
        checks.get(name.replace("-", "_"), sample.check(name, item.category, (), (sample.TRAIN,)))
        for name, item in every.items()
        if item.category == "services"
    )
    scanned = tuple(check for check in by["scan"].checks if check.category != "services")
    own = {"scan": scanned, "test": services, "deploy-check": services}
    plain = StageResult("", Status.PASSED, base.started)
    stages = tuple(
        replace(by.get(name, plain) if name == "trigger" else plain, stage=name, checks=own.get(name, ()))
        for name in DEV_STAGES
    )
    return replace(base, pipeline="dev", stages=stages)


@pytest.mark.parametrize("framework", ["pci-dss-4.0.1", "iso-27001-2022", "nist-800-53-r5"])
def test_a_dev_run_that_passed_shows_what_it_can(framework: str) -> None:
    results = [r for r in assess(dev()) if r.framework.id == framework]
    shown = {r.control.id for r in results if r.status is Standing.PARTLY}
    left = {r.control.id for r in results if r.status is Standing.NEEDS_A_PERSON}
    datasets = {"A.5.34"}  # which are the business of the other pipeline, as are notebooks
    assert {r.control.id for r in results} - shown - left - datasets == set()
    assert left
    assert not any(r.against for r in results)


def test_what_the_attacks_found_speaks_against_the_controls_that_they_are_about() -> None:
    rule = next(r for c in CHECKS for r in c.rules if r.id == "http-sql-injection")
    bad = sample.check("http-injection", "services", (rule.at(sample.TRAIN, "POST /predict"),), (sample.TRAIN,))
    run = dev(http_injection=bad)
    told = standing(run, "nist-800-53-r5", "SI-10")
    assert told.status is Standing.PARTLY
    assert told.against == (
        "http-sql-injection (critical), found by http-injection in test",
        "http-sql-injection (critical), found by http-injection in deploy-check",
    )
    stopped = with_stage(run, "test", status=Status.FAILED)
    assert standing(stopped, "nist-800-53-r5", "SI-10").against == told.against, "a gate does not make it unseen"
    assert not standing(run, "nist-800-53-r5", "SC-8").against
    waived = bad.findings[0].with_(disposition=Disposition.WAIVED)
    assert not standing(dev(http_injection=replace(bad, findings=(waived,))), "nist-800-53-r5", "SI-10").against


def test_a_dev_run_without_its_attacks_shows_nothing_of_them() -> None:
    missing = sample.check("tls", "services", outcome=Outcome.UNAVAILABLE, eligible=1)
    assert standing(dev(tls=missing), "nist-800-53-r5", "SC-8").status is Standing.NOT_EVIDENCED
    assert standing(full(), "pci-dss-4.0.1", "6.5").control.terms("ml") != standing(
        dev(), "pci-dss-4.0.1", "6.5"
    ).control.terms("dev")
