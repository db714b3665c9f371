"""The HTML report: self-contained, inert, truthful and small enough."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sample_runs as sample
from shipworthy.model import Metric, Outcome, Run
from shipworthy.model.result import count_checks
from shipworthy.reports import render
from shipworthy.reports._chain import State, chain_of, tree
from shipworthy.reports._charts import spreads, whiskers
from shipworthy.reports._training import curves
from shipworthy.reports.html import stylesheet

CASES = {**sample.ALL, "many": lambda: sample.many(300)}
VOID = {"meta", "br", "input", "rect", "line", "circle", "path", "use"}


class Page(HTMLParser):
    """What a browser would make of it: tags, attributes, text; ends must match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        if "id" in values:
            self.ids.append(values["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(run: Run, **options: object) -> Page:
    return Page(render(run, "html", **options))


@pytest.mark.parametrize("name", CASES)
def test_the_page_is_well_formed_and_its_links_lead_somewhere(name: str) -> None:
    parsed = page(CASES[name]())
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    for tag, attributes in parsed.tags:
        target = attributes.get("href", "")
        if target.startswith("#"):
            assert target[1:] in parsed.ids, (tag, target)
        elif target:
            assert re.match(r"https://(cwe\.mitre\.org|atlas\.mitre\.org|nvd\.nist\.gov)/", target)
            assert "noreferrer" in attributes["rel"]


@pytest.mark.parametrize("name", ["stopped", "hostile", "many"])
def test_nothing_is_loaded_and_only_our_own_script_may_run(name: str) -> None:
    parsed = page(CASES[name]())
    assert not [t for t, a in parsed.tags if t in ("link", "img", "iframe", "object", "embed", "base") or "src" in a]
    assert not [a for _, a in parsed.tags for n in a if n.startswith("on") or n == "style"]
    assert [t for t, _ in parsed.tags].count("script") == 1
    policy = next(a["content"] for _, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    for kind in ("script", "style"):
        (text,) = parsed.raw[kind]
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert "url(" not in stylesheet()
    assert "@import" not in stylesheet()


def test_hostile_text_is_shown_and_nothing_more() -> None:
    parsed = page(sample.hostile())
    assert "</script><script>alert(1)</script>" in parsed.text
    assert "{{ 7*7 }}" in parsed.text
    assert "49" not in re.findall(r"\b49\b", parsed.text)
    assert r"\x1b[2J" in parsed.text
    assert r"\u202egnp.exe" in parsed.text
    assert not [a for _, a in parsed.tags if "javascript:" in a.get("href", "")]


def test_the_first_screen_answers_the_question() -> None:
    text = page(sample.stopped()).text
    head = text[: text.index("Skip to the report") + 900]
    for word in ("NOT SHIPWORTHY", "spam-filter", "3f9c2ab81d5e", "2026-11-20 09:14 UTC", "Stage 4, before-train"):
        assert word in head
    for word in ("not run", "not built", "passed", "failed"):
        assert word in head
    assert "NOT" not in page(sample.passing()).text[:400]


def test_stages_that_are_planned_are_drawn_as_not_reached() -> None:
    parsed = page(sample.coverage_failure(), planned=("train", "evaluate"))
    assert "5 Train not reached 6 Evaluate not reached" in parsed.text


def test_gates_say_why_and_what_to_do_and_point_at_the_findings() -> None:
    parsed = page(sample.stopped())
    assert "Fix them, or waive each with an owner, a reason and an end date." in parsed.text
    meant = [f for d in sample.stopped().decisions for r in d.reasons for f in r.fingerprints]
    assert {f"f-{fingerprint}" for fingerprint in meant} <= set(parsed.ids)


def test_a_finding_that_two_stages_saw_has_one_anchor() -> None:
    run = sample.stopped()
    again = replace(run.stages[4], checks=run.stages[2].checks)
    parsed = page(replace(run, stages=(*run.stages[:4], again, *run.stages[5:])))
    assert len(parsed.ids) == len(set(parsed.ids))


def test_what_was_not_looked_at_is_never_shown_as_clean() -> None:
    text = page(sample.stopped()).text
    assert "3 checks did not look at everything. What they did not see is unknown, not clean." in text
    assert "trivy is not installed" in text
    assert "Every check looked at everything" not in text
    nothing = replace(sample.check("c", "x"), outcome=Outcome.UNAVAILABLE, eligible=3)
    quiet = page(replace(sample.empty(), stages=(sample.stage("scan", 0, checks=(nothing,)),))).text
    assert "No check saw anything, but not everything was looked at" in quiet
    assert "No check was run, so this says nothing." in page(sample.empty()).text


def test_a_broken_chain_is_unmistakable() -> None:
    parsed = page(sample.broken_chain())
    assert "The chain is broken at store: expected" in parsed.text
    assert "BROKEN" in parsed.text
    assert [a for t, a in parsed.tags if t == "svg" and a.get("aria-label") == "broken link"]
    assert "BROKEN" not in page(sample.passing()).text


def test_a_link_of_which_only_the_digest_is_signed_is_not_called_unsigned() -> None:
    run = sample.passing()
    told = (
        {"step": "model", "name": "m", "status": "ok", "signer": "k"},
        {"step": "settings", "status": "attested-only"},
    )
    run = replace(run, stages=(*run.stages[:9], replace(run.stages[9], details={"chain": told})))
    text = page(run).text
    assert "1 link verifies; of 1 more only the digest is signed" in text
    assert "not signed" not in text.partition("Framework controls")[0].rpartition("1 link verifies")[2]


def test_the_chain_is_drawn_as_a_tree_from_the_model_back_to_the_data() -> None:
    run = sample.passing()
    told = tuple(
        {"step": step, "name": step, "status": "ok", "parent": parent}
        for step, parent in (("model", None), ("train", 0), ("evaluate", 0), ("dataset", 1), ("code", 1), ("labels", 2))
    )
    run = replace(run, stages=(*run.stages[:9], replace(run.stages[9], details={"chain": told})))
    assert [(row.link.step, row.guides) for row in tree(chain_of(run))] == [
        ("model", ()),
        ("train", ("tee",)),
        ("dataset", ("line", "tee")),
        ("code", ("line", "end")),
        ("evaluate", ("end",)),
        ("labels", ("blank", "end")),
    ]
    assert "from the model back to the data" in page(run).text
    assert "in the order in which it came about" in page(sample.passing()).text


def test_without_a_verified_chain_the_stages_digests_are_shown_as_merely_recorded() -> None:
    run = sample.passing()
    run = replace(run, stages=(*run.stages[:9], replace(run.stages[9], details={})))
    links = chain_of(run)
    assert [link.step for link in links] == ["dataset", "dataset", "train", "evaluate", "sign"]
    assert {link.state for link in links} == {State.RECORDED}
    changed = replace(run.stages[8], inputs={sample.MODEL.uri: sample.digest("swapped")})
    broken = [k for k in chain_of(replace(run, stages=(*run.stages[:8], changed))) if k.state is State.BROKEN]
    assert [(link.step, link.expected) for link in broken] == [("sign", sample.MODEL.digest)]


def test_metrics_are_drawn_with_their_interval_and_what_the_gate_asks() -> None:
    drawn = {w.metric.name: w for w in whiskers(sample.passing())}
    accuracy = drawn["accuracy"]
    assert accuracy.low is not None
    assert accuracy.value is not None
    assert accuracy.high is not None
    assert accuracy.low < accuracy.value < accuracy.high
    (asked,) = accuracy.thresholds
    assert (asked.text, asked.met) == ("low ≥ 0.9", True)
    assert asked.x < accuracy.low
    assert "0.936 to 0.957" in page(sample.passing()).text


@pytest.mark.parametrize(
    "folds", [[0.9, 0.8], [{"fold": 1, "score": 0.9}, {"fold": 2, "score": 0.8}], {"score": [0.9, 0.8]}]
)
def test_folds_are_read_in_each_of_their_forms(folds: object) -> None:
    stage = sample.stage("train", 0, details={"folds": folds})
    (spread,) = spreads(replace(sample.empty(), stages=(stage,)))
    assert spread.name == "score"
    assert spread.mean == pytest.approx(0.85)
    assert "Spread over the folds" in page(replace(sample.empty(), stages=(stage,))).text


def test_two_thousand_findings_stay_below_a_megabyte_and_a_half() -> None:
    text = render(sample.many(), "html")
    assert len(text.encode()) < 1_500_000
    assert text.count("<tr data-s=") == 2000


def test_more_findings_than_a_page_holds_are_counted() -> None:
    parsed = page(sample.many(500), limit=100)
    assert "400 more findings of lower severity" in parsed.text


def test_the_page_is_light_dark_printable_and_narrow() -> None:
    css = stylesheet()
    for query in ("prefers-color-scheme: dark", "@media print", "max-width: 760px", "prefers-reduced-motion"):
        assert query in css


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_the_script_runs_under_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(sample.many(400), "html"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = ["chromium", *flags, "--no-first-run", profile, "--dump-dom", f"{file.as_uri()}#r-aws-access-key"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "400 of 400 shown" in done.stdout
    assert re.search(r'<details class="fold" id="rules" open', done.stdout)


def trained(**details: object) -> Run:
    stage = sample.stage("train", 0, details=details)
    return replace(sample.empty(), stages=(stage,))


def test_the_folds_of_the_training_contract_are_drawn_and_not_its_row_counts() -> None:
    folds = [
        {"fold": n, "train_rows": 20, "peak_rss_mb": 50.5, "metrics": [{"name": "f1", "value": v, "n": 10}]}
        for n, v in ((1, 0.8), (2, 0.9))
    ]
    run = trained(folds=folds)
    assert [(spread.name, spread.values) for spread in spreads(run)] == [("f1", (0.8, 0.9))]
    mean = Metric("kfold_f1_mean", 0.85, 0.8, 0.9, 2)
    other = Metric("kfold_auc_mean", 0.85, 0.8, 0.9, 2)
    measured = replace(run, stages=(replace(run.stages[0], metrics=(mean, other)),))
    assert [w.metric.name for w in whiskers(measured)] == ["kfold_auc_mean"], "only what the folds do not draw"


def test_training_curves_show_where_early_stopping_stopped() -> None:
    progress = [[1, {"val_loss": 0.5, "accuracy": 0.7}], [2, {"val_loss": 0.2}], [3, {"val_loss": 0.3, "accuracy": 1}]]
    stopped = {"metric": "val_loss", "best": 0.2, "best_step": 2, "last_step": 3, "stopped_early": True, "by": "x"}
    run = trained(progress=progress, **{"early-stopping": stopped})
    first, second = curves(run)
    assert (first.name, first.best, second.name, second.best) == ("val_loss", 1, "accuracy", None)
    assert first.points[1][1] > first.points[2][1] > first.points[0][1], "y grows downwards: larger is drawn further up"
    text = page(run).text
    assert "val_loss was best at step 2 (0.2); stopped early at step 3, by x." in text


@pytest.mark.parametrize("odd", [7, "x", [1, 2], [[1]], [["a", {"b": 1}]], [[1, {"b": float("nan")}], [2, 3]], None])
def test_a_progress_of_another_form_is_left_out(odd: object) -> None:
    run = trained(progress=odd, sandbox=odd, **{"early-stopping": odd}, folds=odd)
    assert curves(run) == ()
    assert 'id="training"' not in render(run, "html")


def test_long_progress_is_thinned_and_keeps_the_best_step() -> None:
    progress = [[n, {"loss": abs(n - 333) + 1}] for n in range(500)]
    (curve,) = curves(trained(progress=progress, **{"early-stopping": {"metric": "loss", "best": 1, "best_step": 333}}))
    assert len(curve.points) < 200
    assert curve.best is not None
    assert curve.values[curve.best] == 1


def test_the_sandbox_is_shown_with_what_its_self_test_saw() -> None:
    report = {"level": "jail", "network": "blocked", "filesystem": "open", "verified": {"tcp": "refused", "udp": "x"}}
    text = page(trained(sandbox=report)).text
    assert "network blocked files open" in text
    assert "TCP connection refused" in text
    assert "No self-test of it was recorded" in page(trained(sandbox={"level": "limits"})).text


def test_a_check_that_had_nothing_to_look_at_takes_no_row() -> None:
    text = page(sample.passing()).text
    assert "Nothing of their kind in scan: dockerfile-user" in text
    count = count_checks(sample.passing().checks)
    assert f"10 artifacts, {count} checks" in text, "one that two stages ran counts once"
    assert f"Coverage: {count} checks" in render(sample.passing(), "table")
    own = sample.check("inventory", "load")
    assert count_checks((own, *sample.scan_checks(), *sample.scan_checks())) == len(sample.scan_checks())
    assert "0 of 0" not in text
    tree = replace(sample.check("hygiene", "compliance"), eligible=0)
    partial = replace(tree, check="advisories", outcome=Outcome.PARTIAL)
    text = page(replace(sample.empty(), stages=(sample.stage("scan", 0, checks=(tree, partial)),))).text
    assert "hygiene compliance in scan the whole" in text
    assert "advisories dependencies" not in text
    assert "advisories compliance in scan a part" in text


def test_what_the_datasets_hold_is_shown_with_a_bar_for_each_label() -> None:
    page = render(sample.passing(), "html")
    part = page[page.index("What the data sets hold") :]
    assert re.search(r"data/train\.csv .*?2,400", part, re.DOTALL)
    assert re.findall(r'fill-label" x="0" y="0" width="([\d.]+)%', part)[:2] == ["100.0", "20.0"]


def test_checks_that_found_nothing_are_folded_and_a_deviation_has_no_interval() -> None:
    run = sample.passing()
    parsed = page(run)
    coverage = parsed.text.partition("what was looked at, and what was not")[2]
    assert "looked at everything and found nothing" in coverage
    deviation = Metric("kfold_accuracy_std", 0.004, 0.004, 0.004, 3, "sample deviation over 3 folds")
    sure = Metric("accuracy", 1.0, 1.0, 1.0, 100, "stratified bootstrap percentile 95 %, 1000 resamples")
    evaluated = replace(run.stages[0], metrics=(deviation, sure, replace(sure, name="f1")), details={})
    text = page(replace(run, stages=(evaluated,))).text
    assert "0.004 to 0.004" not in text
    assert "1 to 1" in text
    assert text.count("1000 resamples") == 1
