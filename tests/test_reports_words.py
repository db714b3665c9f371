"""What people read of a scan: each finding with its place and words, advice once, ids only where they are of use."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.console import Console

import sample_runs as sample
from shipworthy.checks.models.model_file import CODE_EXECUTION
from shipworthy.config import Gate
from shipworthy.gates import decide, in_short
from shipworthy.model import CheckResult, Finding, Kind, Outcome, Run, Severity, Skipped
from shipworthy.reports import render
from shipworthy.reports.terminal import print_run


def printed(run: Run, width: int = 100, quiet: bool = False) -> str:
    out = io.StringIO()
    print_run(run, Console(file=out, width=width), quiet)
    return out.getvalue()


def scanned(*findings: Finding) -> Run:
    """A scan of which a gate said no for each of its findings."""
    result = CheckResult("model-file", "models", "1", Outcome.RAN, findings)
    stage = sample.stage("scan", 0, checks=(result,))
    decided = replace(sample.stage("gate", 1), decision=decide("scan", Gate(), [result]))
    return replace(sample.empty(), pipeline="scan", stages=(stage, decided))


def calls(file: str, name: str, arguments: str) -> Finding:
    model = sample.artifact(file, Kind.MODEL)
    found = CODE_EXECUTION.at(model, f"loading calls {name}", evidence=f"{name}{arguments}", offset=7)
    return found.with_(check="model-file", category="models")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_finding_has_its_place_words_and_arguments_together_and_no_word_is_cut(width: int) -> None:
    found = (calls("evil.pkl", "posix:system", "('echo pwned',)"), calls("own.pt", "__main__:Net", "()"))
    run = scanned(*(finding.with_(witnesses=("shipworthy", "modelscan 0.8")) for finding in found))
    text = printed(run, width=width)
    told = " ".join(text.split())
    assert "evil.pkl (offset 7): loading calls posix:system: ('echo pwned',) (seen by shipworthy, modelscan" in told
    assert "own.pt (offset 7): loading calls __main__:Net (seen" in told
    assert text.count("CRITICAL  model-code-execution\n") == 1
    assert text.count("what to do: ") == 1
    assert "critical: 2 findings of model-code-execution" in text
    assert "`shipworthy explain FILE` what loading it would do" in told
    assert "controls" not in text
    quiet = " ".join(printed(run, width, quiet=True).split())
    assert "evil.pkl (offset 7): loading calls posix:system" in quiet
    assert quiet.count("what to do: ") == 1


def test_the_id_of_a_finding_is_shown_where_its_run_is_kept() -> None:
    run = scanned(calls("evil.pkl", "posix:system", "('echo pwned',)"))
    start = run.findings[0].fingerprint[:12]
    assert start not in printed(run)
    assert start in printed(replace(run, pipeline="ml"))


def test_checks_without_anything_of_their_kind_are_counted() -> None:
    run = scanned()
    idle = [CheckResult(f"idle-{n}", "code", "1", Outcome.NOT_APPLICABLE) for n in range(25)]
    text = printed(replace(run, stages=(replace(run.stages[0], checks=(*run.stages[0].checks, *idle)),)))
    assert "25 more checks had nothing of their kind here" in text
    assert "idle-3" not in text


def test_what_to_do_is_told_once_for_all_that_need_the_same() -> None:
    run = scanned(calls("evil.pkl", "posix:system", "()"), calls("b.pkl", "builtins:eval", "()"))
    text = render(run, "markdown")
    assert text.count("**→**") == 1
    assert text.index("posix:system") < text.index("builtins:eval") < text.index("**→**")
    page = render(run, "html").partition('id="findings"')[0]
    assert page.count("Do not load the file") == 1
    assert "<code>[scan]</code>" in page
    assert "`" not in re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_what_a_rule_is_about_stands_in_the_page_once_however_often_it_was_broken() -> None:
    run = scanned(*(calls("cloud.pkl", f"cloudpickle:_make_{n}", "()") for n in range(10)))
    page = render(run, "html").partition('id="findings"')[2]
    assert page.count("It happens on load, before the model predicts anything.") == 1
    assert page.count('href="#r-model-code-execution"') == 10


def test_every_check_that_holds_up_a_gate_fails_in_junit_where_many_are_told_as_one() -> None:
    unread = Skipped(sample.artifact("d.parquet", Kind.DATASET), "needs pyarrow")
    skipped = (unread, Skipped(None, "old data", code="old-data"))  # which is accepted, and the other gap is not
    left = tuple(CheckResult(f"idle-{n}", "data", "1", Outcome.PARTIAL, skipped=skipped) for n in range(3))
    accepted = Gate(accept_partial=tuple(f"idle-{n}:old-data" for n in range(3)))
    gate = replace(sample.stage("gate", 1), decision=decide("scan", accepted, left))
    text = render(replace(sample.empty(), stages=(sample.stage("scan", 0, checks=left), gate)), "junit")
    root = ElementTree.fromstring(text)
    held = {case.get("name") for case in root.iter("testcase") if case.find("error") is not None}
    held |= {case.get("name") for case in root.iter("testcase") if case.find("failure") is not None}
    assert sum(any(f"idle-{n}" in (name or "") for name in held) for n in range(3)) == 3


def test_what_many_findings_of_one_rule_weigh_is_told_of_each() -> None:
    mild = replace(calls("c.pkl", "posix:stat", "()"), severity=Severity.HIGH)
    run = scanned(calls("a.pkl", "posix:system", "()"), calls("b.pkl", "posix:execv", "()"), mild)
    assert "critical: 2, high: 1 findings of model-code-execution" in printed(run)
    result = run.stages[0].checks[0]
    short = in_short(decide("scan", Gate(), [result]), [result])
    assert short.startswith("model-code-execution (critical, high): 3 findings")


def test_a_row_that_is_no_check_is_named_beside_the_count_of_checks() -> None:
    run = scanned()
    inventory = CheckResult("inventory", "load", "1", Outcome.RAN)
    stage = replace(run.stages[0], checks=(inventory, *run.stages[0].checks))
    assert "Coverage: 1 check and inventory," in printed(replace(run, stages=(stage, *run.stages[1:])))


def test_a_check_that_looked_twice_says_at_which_stage() -> None:
    """Secrets are looked for in the code and again in the image: two rows of one name would be a riddle."""
    run = scanned()
    (first, *_) = run.stages
    seen = CheckResult("secrets-files", "secrets", "1", Outcome.RAN, examined=frozenset({"a.py"}))
    once = replace(first, stage="scan", checks=(seen, replace(seen, check="python-security")))
    text = printed(replace(run, stages=(once, replace(first, stage="test", checks=(seen,)))))
    assert [line for line in text.splitlines() if "secrets-files in scan" in line]
    assert [line for line in text.splitlines() if "secrets-files in test" in line]
    assert "python-security in" not in text


def test_what_loading_a_model_elsewhere_would_do_is_not_promised() -> None:
    text = printed(scanned(calls("https://example.org/m.pkl", "posix:system", "()")))
    assert "explain RULE" in text
    assert "explain FILE" not in text
