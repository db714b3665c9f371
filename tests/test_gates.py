"""Gates: what fails them, what they accept by name, and that nothing unseen ever passes."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.config import Gate, Waiver
from shipworthy.errors import UsageError
from shipworthy.gates import Expression, apply_filters, decide, dedupe, in_short, read_baseline, write_baseline
from shipworthy.model import (
    Artifact,
    CheckResult,
    Confidence,
    Disposition,
    Finding,
    Kind,
    Metric,
    Outcome,
    Rule,
    Severity,
    Skipped,
)
from shipworthy.model.result import REASONS

RULE = Rule("torch-load", "Unsafe load", Severity.HIGH, "It runs code.", "Use weights_only=True.")
TODAY = date(2026, 6, 1)


def artifact(uri: str = "src/app.py") -> Artifact:
    return Artifact(uri, Kind.CODE, "sha256:" + "0" * 64, 10)


def finding(severity: Severity = Severity.HIGH, uri: str = "src/app.py", line: int = 3, **more: object) -> Finding:
    made = RULE.at(artifact(uri), line=line, evidence="torch.load(path)", severity=severity)
    return made.with_(check="python-ml", category="code", **more)


def result(*findings: Finding, outcome: Outcome = Outcome.RAN, **more: object) -> CheckResult:
    base = CheckResult("python-ml", "code", "1", outcome, findings, frozenset({"src/app.py"}), 1)
    return replace(base, **more)  # type: ignore[arg-type]


def test_clean_results_pass() -> None:
    assert decide("g", Gate(), [result()]).passed


@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_a_severe_finding_fails_with_place_and_remedy(severity: Severity) -> None:
    decision = decide("g", Gate(), [result(finding(severity))])
    assert not decision.passed
    assert not decision.coverage_only
    assert "src/app.py (line 3)" in decision.reasons[0].message
    assert decision.reasons[0].remedy == RULE.remedy


def test_what_to_do_is_told_for_each_finding_of_a_rule() -> None:
    two = (
        finding(line=1, remedy="Upgrade x to 2.3.8 or later."),
        finding(line=2, remedy="Upgrade x to 3.0.3 or later."),
    )
    reasons = decide("g", Gate(), [result(*two)]).reasons
    assert [reason.remedy for reason in reasons] == ["Upgrade x to 2.3.8 or later.", "Upgrade x to 3.0.3 or later."]


def test_a_reason_says_of_each_file_only_what_was_found_in_it() -> None:
    """The first finding's words stood for all of its rule: a program that a file starts was in `and 9 more`."""
    noisy = [finding(uri="cloud.pkl", line=n, key=str(n), message=f"calls cloud:{n}") for n in range(30)]
    same = [finding(uri=uri, message="calls own:Net") for uri in ("b.pt", "c.pt")]
    worst = finding(uri="model.pkl", message="calls posix:system")
    results = apply_filters([result(*noisy, worst, *same)], [], frozenset(), TODAY).results
    decision = decide("g", Gate(), results)
    told = [reason.message for reason in decision.reasons]
    assert told[:3] == [
        "high: cloud.pkl (line 0): calls cloud:0",
        "high: model.pkl (line 3): calls posix:system",
        "high: b.pt (line 3), c.pt (line 3): calls own:Net",
    ]
    assert told[-1] == "high: 20 more of torch-load in cloud.pkl: see the findings"
    assert {f for reason in decision.reasons for f in reason.fingerprints} == set(decision.new)
    assert in_short(decision, results) == "torch-load (high): 33 findings in cloud.pkl, model.pkl, b.pt and 1 more"


def test_a_gap_is_accepted_by_name_whatever_else_is_scanned() -> None:
    unread = {"skipped": (Skipped(artifact("rand.bin"), "the format is not recognised"),), "examined": frozenset()}
    alone = result(outcome=Outcome.FAILED, eligible=1, **unread)
    decision = decide("g", Gate(accept_partial=("python-ml:unread",)), [alone])
    assert decision.passed
    assert decision.notes == ("accepted as partial: python-ml:unread: rand.bin: the format is not recognised",)
    (reason,) = decide("g", Gate(), [alone]).reasons
    assert reason.message == "python-ml: rand.bin: the format is not recognised"
    assert "under `[gates.g]`, `accept-partial = [" in reason.remedy
    assert "doctor" not in reason.remedy
    broke = replace(alone, skipped=(), note="it broke")
    assert not decide("g", Gate(accept_partial=("python-ml:unread", "python-ml")), [broke]).passed


def test_what_a_gap_asks_for_does_not_hide_behind_another_gap() -> None:
    skipped = [Skipped(artifact(f"{n}.bin"), "the format is not recognised") for n in range(9)]
    parquet = Skipped(artifact("d.parquet"), "needs pyarrow")
    (reason,) = decide("g", Gate(), [result(outcome=Outcome.PARTIAL, skipped=(*skipped, parquet))]).reasons
    assert reason.message == "python-ml: 0.bin: the format is not recognised; d.parquet: needs pyarrow (and 8 more)"


def test_what_many_checks_could_not_read_is_told_once_with_all_that_would_accept_it() -> None:
    unread = Skipped(artifact("d.parquet"), "needs pyarrow")
    gaps = [result(check=f"check-{n}", outcome=Outcome.PARTIAL, skipped=(unread,)) for n in range(8)]
    decision = decide("g", Gate(), gaps)
    (reason,) = decision.reasons
    assert reason.message == f"{', '.join(f'check-{n}' for n in range(8))}: d.parquet: needs pyarrow"
    assert reason.remedy.count(":unread") == 8
    assert in_short(decision) == "8 checks did not look at everything: check-0, check-1, check-2 and 5 more"


def test_a_look_at_nothing_is_told_in_words_and_not_as_a_check() -> None:
    idle = result(outcome=Outcome.NOT_APPLICABLE, examined=frozenset(), eligible=0)
    unread = result(check="inventory", category="load", outcome=Outcome.PARTIAL, note="a pipe")
    said = in_short(decide("g", Gate(), [idle, unread]))
    assert said == "no check found anything of its kind: nothing was looked at (and 1 more)"


def test_a_mild_finding_passes_and_is_counted() -> None:
    decision = decide("g", Gate(), [result(finding(Severity.MEDIUM))])
    assert decision.passed
    assert len(decision.new) == 1


def test_confidence_below_the_policy_does_not_fail() -> None:
    unsure = finding(confidence=Confidence.LOW)
    assert decide("g", Gate(min_confidence="medium"), [result(unsure)]).passed
    assert not decide("g", Gate(), [result(unsure)]).passed


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNAVAILABLE, Outcome.PARTIAL])
def test_what_did_not_look_never_passes(outcome: Outcome) -> None:
    decision = decide("g", Gate(), [result(outcome=outcome, note="the tool is gone")])
    assert not decision.passed
    assert decision.coverage_only
    assert "the tool is gone" in decision.uncovered[0]


def test_ran_without_reading_everything_never_passes() -> None:
    assert not decide("g", Gate(), [result(eligible=2)]).passed


OLD = Skipped(None, "an old database", code="old-data")
TORN = Skipped(artifact("torn.py"), "it ends early")


def accepts(names: tuple[str, ...], *skipped: Skipped, outcome: Outcome = Outcome.PARTIAL) -> bool:
    return decide("g", Gate(accept_partial=names), [result(outcome=outcome, skipped=skipped)]).passed


def test_partial_is_accepted_by_name_only() -> None:
    assert accepts(("python-ml",), OLD)
    assert accepts(("python-ml:old-data",), OLD)
    assert not accepts(("python-security", "python-security:old-data", "python-ml:limited", "old-data"), OLD)
    assert not accepts(("python-ml", "python-ml:old-data"), OLD, outcome=Outcome.FAILED)


def test_the_name_of_a_check_accepts_no_artifact_that_was_left_out() -> None:
    assert not accepts(("python-ml",), TORN)
    assert not accepts(("python-ml", "python-ml:old-data"), OLD, TORN)
    assert accepts(("python-ml:unread",), TORN)
    assert accepts(("python-ml", "python-ml:unread"), OLD, TORN)
    assert not accepts(("python-ml:unread",), TORN, replace(TORN, code="stopped"))


def test_a_gap_that_is_not_accepted_is_named_with_what_would_accept_it() -> None:
    partial = result(outcome=Outcome.PARTIAL, skipped=(OLD, TORN), note="an old database")
    decision = decide("g", Gate(accept_partial=("python-ml",)), [partial])
    (reason,) = decision.reasons
    assert reason.message == "python-ml: torn.py: it ends early"
    assert 'accept-partial = ["python-ml:unread"]' in reason.remedy
    assert decision.notes == ("accepted as partial: python-ml:old-data: an old database",)


def test_a_gap_that_is_accepted_and_not_there_is_told() -> None:
    names = ("python-ml:old-data", "python-ml:since", "python-ml", "other:old-data")
    decision = decide("g", Gate(accept_partial=names), [result(outcome=Outcome.PARTIAL, skipped=(OLD,))])
    assert decision.passed
    assert [note for note in decision.notes if note.startswith("unused")] == ["unused accept-partial: python-ml:since"]
    decision = decide("g", Gate(accept_partial=("python-ml",)), [result()])
    assert decision.notes == ("unused accept-partial: python-ml",)


def test_every_reason_that_checks_give_is_in_the_documentation() -> None:
    root = Path(__file__).parent.parent
    told = (root / "docs/gates.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.py"))
    codes = {*re.findall(r'Skipped\([^\n]*?,[^\n]*?code="([a-z-]+)"', source), "unread", "limited", "failed", "stopped"}
    assert len(codes) > 10
    assert codes <= REASONS
    assert [code for code in sorted(codes) if f"`{code}`" not in told] == []


def test_a_required_check_that_was_never_run_fails() -> None:
    decision = decide("g", Gate(require=("secrets",)), [result()])
    assert not decision.passed
    assert "secrets" in decision.uncovered[0]


def test_coverage_and_findings_together_are_a_finding_first() -> None:
    decision = decide("g", Gate(), [result(finding(), outcome=Outcome.PARTIAL, note="one file")])
    assert not decision.coverage_only
    assert decision.reasons[0].code == RULE.id


def test_a_look_at_nothing_never_passes() -> None:
    idle = result(outcome=Outcome.NOT_APPLICABLE, examined=frozenset(), eligible=0)
    decision = decide("g", Gate(), [idle, replace(idle, check="model-file", category="models")])
    assert not decision.passed
    assert decision.coverage_only
    assert decide("g", Gate(), [idle, result()]).passed


WAIVER = Waiver(rule="torch-load", path="src/**", owner="ada", reason="trusted file", until=date(2026, 12, 31))


def test_a_waiver_accepts_and_stays_visible() -> None:
    filtered = apply_filters([result(finding())], [WAIVER], frozenset(), TODAY)
    waived = filtered.results[0].findings[0]
    assert waived.disposition is Disposition.WAIVED
    assert "ada until 2026-12-31" in waived.waiver
    assert filtered.used == {0}
    assert decide("g", Gate(), filtered.results).passed


@pytest.mark.parametrize(
    "waiver",
    [
        replace(WAIVER, until=date(2026, 5, 31)),
        replace(WAIVER, rule="other"),
        replace(WAIVER, path="tests/**"),
        replace(WAIVER, fingerprint="0" * 32),
    ],
)
def test_a_waiver_that_is_over_or_means_something_else_does_nothing(waiver: Waiver) -> None:
    filtered = apply_filters([result(finding())], [waiver], frozenset(), TODAY)
    assert filtered.results[0].findings[0].disposition is Disposition.NEW
    assert filtered.expired == ({0} if waiver.until < TODAY else frozenset())


def test_the_last_day_of_a_waiver_still_holds() -> None:
    filtered = apply_filters([result(finding())], [replace(WAIVER, until=TODAY)], frozenset(), TODAY)
    assert filtered.used == {0}


def test_only_new_lets_the_baseline_pass(tmp_path: Path) -> None:
    old, path = finding(), tmp_path / "baseline.json"
    assert write_baseline(path, [old]) == 1
    filtered = apply_filters([result(old, finding(uri="src/new.py"))], [], read_baseline(path), TODAY)
    assert [f.disposition for f in filtered.results[0].findings] == [Disposition.KNOWN, Disposition.NEW]
    only_old = apply_filters([result(old)], [], read_baseline(path), TODAY)
    assert decide("g", Gate(only_new=True), only_old.results).passed
    assert not decide("g", Gate(), only_old.results).passed
    assert not decide("g", Gate(only_new=True), filtered.results).passed


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema": "2", "fingerprints": []}', '{"schema": "1", "fingerprints": [1]}']
)
def test_a_broken_baseline_is_an_error_not_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(UsageError):
        read_baseline(path)


def test_the_same_thing_seen_by_two_tools_is_one_finding() -> None:
    one = finding(witnesses=("ruff",), confidence=Confidence.MEDIUM)
    two = finding(witnesses=("bandit",), confidence=Confidence.MEDIUM)
    (merged,) = dedupe([one, two])
    assert merged.witnesses == ("ruff", "bandit")
    assert merged.confidence is Confidence.HIGH


def test_equal_findings_on_other_lines_keep_apart_and_fingerprints_survive_moving() -> None:
    first, second = dedupe([finding(line=3), finding(line=9)])
    assert first.fingerprint != second.fingerprint
    moved = dedupe([finding(line=13), finding(line=19)])
    assert [f.fingerprint for f in moved] == [first.fingerprint, second.fingerprint]


@given(st.lists(st.tuples(st.sampled_from(["a.py", "b.py"]), st.integers(1, 3)), max_size=12))
def test_dedupe_is_idempotent_and_fingerprints_are_unique(places: list[tuple[str, int]]) -> None:
    once = dedupe([finding(uri=uri, line=line) for uri, line in places])
    assert dedupe(once) == once
    assert len({f.fingerprint for f in once}) == len(once) == len(set(places))


ACCURACY = Metric("accuracy", 0.9, 0.86, 0.93, 500)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("metric('accuracy').low >= 0.80", True),
        ("metric('accuracy').low >= 0.88", False),
        ('metric("accuracy").value > 0.88 && metric("accuracy").n >= 500', True),
        ("count(severity >= high && kind == 'model') == 0", True),
        ("count(severity >= high) == 0", False),
        ("count(rule == 'torch-load' && path.startsWith('src/')) <= 1 && count(severity == critical) == 0", True),
        ("count() < 2", True),
        ("count(confidence < medium) == 0", True),
    ],
)
def test_rules_over_metrics_and_findings(text: str, holds: bool) -> None:
    assert Expression(text).holds([finding()], [ACCURACY])[0] is holds


@pytest.mark.parametrize(
    "text", ["metric('f1').low > 0", "count(severty >= high) == 0", "metric('accuracy').lo > 0", "1 + 1", "'yes'"]
)
def test_a_rule_that_cannot_be_told_is_no(text: str) -> None:
    holds, why = Expression(text).holds([finding()], [ACCURACY])
    assert not holds
    assert why


def test_a_metric_that_is_not_a_number_is_no() -> None:
    nan = Metric("accuracy", float("nan"), float("nan"), float("nan"), 0)
    assert not Expression("metric('accuracy').low >= 0.0").holds([], [nan])[0]


@pytest.mark.parametrize("text", ["metric('a'", "count(severity == 0", "a ==", "x" * 5000, "count(a ==) == 0"])
def test_a_rule_that_does_not_parse_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        Expression(text)


def test_a_rule_that_does_not_hold_says_what_was_measured() -> None:
    decision = decide("g", Gate(rules=("metric('accuracy').low >= 0.88",)), [result()], [ACCURACY])
    assert "accuracy is 0.9 [0.86, 0.93]" in decision.reasons[0].message


def test_a_coverage_stop_is_told_in_one_short_line() -> None:
    note = "database of 2024-01-01: " + "a long story " * 30
    gaps = [result(check=f"check-{n}", outcome=Outcome.PARTIAL, note=note) for n in range(5)]
    one = in_short(decide("gate", Gate(), gaps[:1]))
    assert one == "check-0 did not look at everything"
    failed = in_short(decide("gate", Gate(), [result(outcome=Outcome.FAILED, note=note)]))
    assert failed.startswith("python-ml: database of 2024-01-01: ")
    assert len(failed) <= 160
    said = in_short(decide("gate", Gate(), gaps))
    assert said == "5 checks did not look at everything: check-0, check-1, check-2 and 2 more"
    assert in_short(decide("gate", Gate(), gaps[:3])).endswith(": check-0, check-1, check-2")
    assert all(note in reason.message for reason in decide("gate", Gate(), gaps).reasons)


def test_findings_stop_the_gate_in_one_short_line_with_rule_count_and_files() -> None:
    long = [finding(line=n, message=f"the very long story of {n} " * 20) for n in (1, 2, 3)]
    results = [result(*long)]
    decision = decide("gate", Gate(), results)
    said = in_short(decision, results)
    assert said == f"{long[0].rule.id} ({long[0].severity.value}): 3 findings in src/app.py"
    assert len(in_short(decision)) <= 160
    assert len(decision.reasons[0].message) > 160


@pytest.mark.parametrize("within", ["[1].map(b, b)", "[1].map//\n(b, b)", "[1].exists_one (b, true)"])
def test_loops_within_loops_are_refused_because_evaluation_cannot_be_stopped(within: str) -> None:
    with pytest.raises(UsageError, match="lists within lists"):
        Expression(f"[1, 2].all(a, {within}.size() > 0)")


def test_a_rule_may_go_through_one_list() -> None:
    rule = Expression("['accuracy', 'f1'].all(name, metrics[name].low >= 0.5)")
    assert rule.holds([], [Metric(name, 0.9, low=0.8, high=1.0, n=10) for name in ("accuracy", "f1")])[0]
