"""Metrics and intervals against hand-computed values, tables, and their definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.errors import UsageError
from shipworthy.evaluation.folds import split
from shipworthy.evaluation.intervals import bootstrap, clopper_pearson, incomplete_beta
from shipworthy.evaluation.metrics import measure, positive_of, roc_auc, spread, task_of
from shipworthy.evaluation.predictions import Predictions
from shipworthy.evaluation.tables import Unusable, canonical
from shipworthy.model import Metric


def metrics(labels: Sequence[str], values: Sequence[str], scores: object = None, **more: object) -> dict[str, Metric]:
    found = measure(labels, Predictions(tuple(values), scores or {}), **more)  # type: ignore[arg-type]
    return {metric.name: metric for metric in found}


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # rule of three's exact form: 1 - 0.025 ** (1 / n)
        (0, 10, 0.0, 1 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1.0),
        # printed tables of the exact binomial interval
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (2, 20, 0.0123, 0.3170),
        (50, 100, 0.3983, 0.6017),
        (95, 100, 0.8872, 0.9836),
    ],
)
def test_clopper_pearson_against_tables(successes: int, n: int, low: float, high: float) -> None:
    assert clopper_pearson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_by_its_definition(pair: tuple[int, int]) -> None:
    successes, n = pair
    low, high = clopper_pearson(successes, n)

    def at_least(k: int, p: float) -> float:
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))

    assert low <= successes / n <= high
    if successes:
        assert at_least(successes, low) == pytest.approx(0.025, abs=1e-6)
    if successes < n:
        assert 1 - at_least(successes + 1, high) == pytest.approx(0.025, abs=1e-6)


@given(st.floats(0.01, 0.99), st.integers(1, 40), st.integers(1, 40))
def test_incomplete_beta_is_a_binomial_tail(x: float, a: int, b: int) -> None:
    n = a + b - 1
    tail = sum(math.comb(n, i) * x**i * (1 - x) ** (n - i) for i in range(a, n + 1))
    assert incomplete_beta(x, a, b) == pytest.approx(tail, abs=1e-9)


def test_no_observations_tell_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no proportion"):
        clopper_pearson(3, 2)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9]), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[float, bool]]) -> None:
    ones = [score for score, positive in pairs if positive]
    zeros = [score for score, positive in pairs if not positive]
    area = roc_auc([score for score, _ in pairs], [positive for _, positive in pairs])
    if not ones or not zeros:
        assert math.isnan(area)
        return
    wins = sum((one > zero) + (one == zero) / 2 for one in ones for zero in zeros)
    assert area == pytest.approx(wins / len(ones) / len(zeros))


def test_two_classes_by_hand() -> None:
    # 3 true positives, 1 false positive, 2 false negatives, 4 true negatives
    labels = ["1"] * 5 + ["0"] * 5
    values = ["1", "1", "1", "0", "0", "1", "0", "0", "0", "0"]
    found = metrics(labels, values, {"": (0.9, 0.8, 0.7, 0.4, 0.3, 0.6, 0.1, 0.2, 0.3, 0.4)})
    assert found["accuracy"].value == 0.7
    assert found["precision"].value == 0.75
    assert found["recall"].value == 0.6
    assert found["f1"].value == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert found["balanced_accuracy"].value == pytest.approx((0.6 + 0.8) / 2)
    assert found["f1_macro"].value == pytest.approx((2 * 3 / 9 + 2 * 4 / 11) / 2)
    # pairs: 15 for the three that beat all; 0.4 beats 3 and ties 1; 0.3 beats 2 and ties 1
    assert found["roc_auc"].value == pytest.approx((15 + 3.5 + 2.5) / 25)
    given_to_truth = [0.9, 0.8, 0.7, 0.4, 0.3, 0.4, 0.9, 0.8, 0.7, 0.6]
    assert found["log_loss"].value == pytest.approx(-sum(map(math.log, given_to_truth)) / 10)
    assert found["brier"].value == pytest.approx(sum((1 - p) ** 2 for p in given_to_truth) / 10)
    assert (found["precision"].n, found["recall"].n, found["accuracy"].n) == (4, 5, 10)
    assert all(one.low <= one.value <= one.high for one in found.values())


def test_three_classes_by_hand() -> None:
    found = metrics(["a", "a", "b", "b", "c", "c"], ["a", "b", "b", "b", "c", "a"])
    assert found["accuracy"].value == pytest.approx(4 / 6)
    assert found["recall_macro"].value == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert found["precision_macro"].value == pytest.approx((0.5 + 2 / 3 + 1) / 3)
    assert found["f1_macro"].value == pytest.approx((0.5 + 0.8 + 2 / 3) / 3)
    assert "precision" not in found
    assert "roc_auc" not in found


def test_calibration_by_hand() -> None:
    # confidence 0.9 with 3 of 4 right, and 0.6 with 2 of 2 right
    labels = ["1", "1", "1", "0", "0", "0"]
    scores = (0.9, 0.9, 0.9, 0.9, 0.4, 0.4)
    found = metrics(labels, ["1", "1", "1", "1", "0", "0"], {"": scores})
    assert found["ece"].value == pytest.approx(4 / 6 * abs(0.75 - 0.9) + 2 / 6 * abs(1 - 0.6))


def test_several_classes_with_scores() -> None:
    scores = {"a": (0.8, 0.1, 0.2), "b": (0.1, 0.7, 0.2), "c": (0.1, 0.2, 0.6)}
    found = metrics(["a", "b", "c"], ["a", "b", "c"], scores)
    assert found["roc_auc"].value == 1
    expected = (0.2**2 + 0.1**2 + 0.1**2) + (0.1**2 + 0.3**2 + 0.2**2) + (0.2**2 + 0.2**2 + 0.4**2)
    assert found["brier"].value == pytest.approx(expected / 3)
    with pytest.raises(Unusable, match="no scores for the class c"):
        metrics(["a", "b", "c"], ["a", "b", "c"], {"a": (1, 0, 0), "b": (0, 1, 0)})


def test_scores_that_are_no_probabilities_are_only_ordered() -> None:
    found = metrics(["0", "1"], ["0", "1"], {"": (-3.0, 12.0)})
    assert "roc_auc" in found
    assert "log_loss" not in found


def test_regression_by_hand() -> None:
    found = metrics(["1.5", "2.5", "4.5"], ["1", "3", "4"])
    assert found["mae"].value == pytest.approx(0.5)
    assert found["rmse"].value == pytest.approx(0.5)
    middle = 8.5 / 3
    assert found["r2"].value == pytest.approx(1 - 0.75 / sum((y - middle) ** 2 for y in (1.5, 2.5, 4.5)))
    with pytest.raises(Unusable, match="no finite number"):
        metrics(["1.5", "2.5"], ["1", "nan"])


def test_perfection_on_few_rows_is_no_certainty() -> None:
    found = metrics(["0", "0", "1", "1"], ["0", "0", "1", "1"], {"": (0.0, 0.0, 1.0, 1.0)})
    for name in ("accuracy", "precision", "recall", "f1", "balanced_accuracy", "roc_auc"):
        assert found[name].value == 1
        assert found[name].low < 0.5, name


def test_what_kind_of_task_it_is() -> None:
    assert task_of(["0", "1", "1"]) == "classification"
    assert task_of(["ham", "spam"]) == "classification"
    assert task_of(["0.5", "1.25", "3"]) == "regression"
    assert task_of([str(number) for number in range(100)]) == "regression"
    assert task_of(["0.5", "1.5"], positive="1.5") == "classification"
    assert positive_of(["0", "1"], "") == "1"
    assert positive_of(["ham", "spam"], "") == ""
    with pytest.raises(Unusable, match="positive class"):
        positive_of(["ham", "spam"], "egg")


def test_classes_are_the_same_however_they_are_written() -> None:
    assert {canonical(one) for one in ("1", "1.0", " 01 ", "1e0")} == {"1"}
    assert canonical("True") == canonical("true")
    assert canonical("nan") == "nan"
    assert metrics(["0", "1"], ["0.0", "1.0"])["accuracy"].value == 1


def test_the_bootstrap_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(100):
        sample = rng.normal(5, 1, 60)
        low, high, _ = bootstrap(lambda w, s=sample: w @ s / w.sum(axis=1), np.zeros(60), seed=trial, resamples=300)
        hits += low <= 5 <= high
    assert 85 <= hits <= 100


def test_intervals_are_repeatable_and_shrink() -> None:
    few = metrics(["0", "1"] * 20, ["0", "1", "1", "1"] * 10)
    many = metrics(["0", "1"] * 500, ["0", "1", "1", "1"] * 250)
    assert few == metrics(["0", "1"] * 20, ["0", "1", "1", "1"] * 10)
    for name in ("accuracy", "f1", "balanced_accuracy"):
        assert many[name].high - many[name].low < few[name].high - few[name].low


def test_spread_needs_the_metric_in_every_fold() -> None:
    folds = [[Metric("a", 0.5, 0, 1, 9), Metric("b", 1, 0, 1, 9)], [Metric("a", 0.7, 0, 1, 9)]]
    assert {one.name: round(one.value, 4) for one in spread(folds)} == {"kfold_a_mean": 0.6, "kfold_a_std": 0.1414}
    assert spread([]) == ()


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from("abc"), min_size=6, max_size=60), st.integers(2, 6), st.integers(0, 2**32), st.booleans()
)
def test_folds_are_a_partition(labels: list[str], folds: int, seed: int, grouped: bool) -> None:
    groups = [str(row // 2) for row in range(len(labels))] if grouped else None
    if grouped and len(set(groups or ())) < folds:
        with pytest.raises(UsageError):
            split(labels, folds=folds, seed=seed, groups=groups)
        return
    made = split(labels, folds=folds, seed=seed, groups=groups)
    assert made == split(labels, folds=folds, seed=seed, groups=groups)
    assert sorted(row for _, validation in made for row in validation) == list(range(len(labels)))
    for train, validation in made:
        assert sorted((*train, *validation)) == list(range(len(labels)))
        assert validation
        if groups:
            assert not {groups[row] for row in train} & {groups[row] for row in validation}
    if not grouped:
        for kind in set(labels):
            counts = [sum(labels[row] == kind for row in validation) for _, validation in made]
            assert max(counts) - min(counts) <= 1
        sizes = [len(validation) for _, validation in made]
        assert max(sizes) - min(sizes) <= 1


def test_numbers_are_spread_by_tenths() -> None:
    made = split([str(value / 7) for value in range(200)], folds=4, seed=1)
    means = [sum(validation) / len(validation) for _, validation in made]
    assert max(means) - min(means) < 10


def test_too_few_rows_for_the_folds() -> None:
    with pytest.raises(UsageError, match="3 rows"):
        split(["a", "b", "a"], folds=5, seed=0)
