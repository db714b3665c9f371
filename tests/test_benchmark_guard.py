"""The arithmetic of the guard's benchmarks, beside other ways to get the same: what they print is only as right."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[1] / "benchmarks" / "devsecops"


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    import guard_latency
    import guard_processor

    yield SimpleNamespace(latency=guard_latency, processor=guard_processor)
    sys.path.remove(str(FOLDER))
    for name in ("guard_latency", "guard_processor"):
        sys.modules.pop(name, None)


def test_the_interval_holds_the_median_as_often_as_it_says(bench: Any) -> None:
    """Of medians known beforehand, at least 95 % lie inside, whatever the distribution; and not nearly all do."""
    pick = random.Random(4)
    for draw, median in ((pick.random, 0.5), (lambda: pick.expovariate(1), 0.693147), (lambda: pick.gauss(3, 2), 3)):
        for number in (6, 9, 15, 30):
            held = 0
            for _ in range(2000):
                low, high = bench.latency.interval([draw() for _ in range(number)])
                held += low <= median <= high
            assert 0.94 < held / 2000 < 0.99, number  # six values: 0.969, which is the least that is enough


def test_the_interval_is_of_the_values_and_of_tables_of_the_sign_test(bench: Any) -> None:
    interval = bench.latency.interval
    assert interval([float(n) for n in range(1, 7)]) == (1, 6)  # tables: of 6, the first and the last
    assert interval([float(n) for n in range(15, 0, -1)]) == (4, 12)  # of 15, the 4th and the 12th
    assert interval([float(n) for n in range(1, 21)]) == (6, 15)
    assert interval([1.0] * 5) == (float("-inf"), float("inf"))  # five are too few
    assert bench.latency.verdict(*interval([1.0] * 5), 100.0) == "not measurable here"


def test_the_verdict_needs_all_of_the_interval(bench: Any) -> None:
    verdict = bench.latency.verdict
    assert [verdict(0.2, 0.9, 1.0), verdict(0.2, 1.0, 1.0), verdict(1.1, 3.0, 1.0)] == ["met", "met", "missed"]
    assert verdict(0.9, 1.1, 1.0) == verdict(1.0, 1.2, 1.0) == "not measurable here"


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300), st.sampled_from((0.0, 0.5, 0.9, 0.99, 0.999)))
def test_a_quantile_is_a_value_below_which_that_share_lies(bench: Any, values: list[float], share: float) -> None:
    found = bench.latency.quantile(values, share)
    assert found in values
    assert sum(one < found for one in values) <= share * len(values)
    assert sum(one <= found for one in values) > share * len(values) - 1e-9


def test_quantiles_of_known_values(bench: Any) -> None:
    values = list(range(1000, 0, -1))
    assert [bench.latency.quantile(values, share) for share in (0, 0.5, 0.99, 0.999)] == [1, 501, 991, 1000]
    assert bench.latency.quantile([], 0.5) != bench.latency.quantile([], 0.5)  # not a number: nothing was measured


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=80))
def test_waiting_is_what_a_queue_that_is_played_through_has(bench: Any, requests: list[tuple[int, int]]) -> None:
    """Lindley's recursion, beside a server that takes one request after the other by the clock."""
    service, gaps = [one for one, _ in requests], [two for _, two in requests]
    clock = free = 0
    played = []
    for served, gap in requests:
        begun = max(clock, free)
        played.append(begun - clock)
        free = begun + served
        clock += gap
    assert bench.processor.waits(service, gaps) == played


def test_a_queue_by_chance_waits_as_theory_says(bench: Any) -> None:
    """M/D/1 (Pollaczek and Khinchine): the mean wait is rho * S / (2 * (1 - rho)). Even arrivals never wait."""
    service = [1.0] * 200_000
    assert set(bench.processor.computed(service, 500, None)) == {1.0}
    found = statistics.mean(bench.processor.computed(service, 500, random.Random(1))) - 1.0
    assert found == pytest.approx(0.5 * 1.0 / (2 * 0.5), rel=0.05)


def test_marks_become_times_of_requests(bench: Any) -> None:
    """Two that overlapped share what they took; the clock's own time is taken off; connecting is left out."""
    warm = [number for at in range(101) for number in (at * 1000, 1)]
    marks = [*warm, 100_000 + 5_000_500, 1, 100_000 + 9_001_000, 2]
    assert bench.processor.durations(marks, 500) == [5.0, 2.0, 2.0]
    assert bench.processor.durations([*warm, 100_100, 1], 500) == [0.0]
    assert bench.processor.together([[1.0, 2.0, 9.0], [0.5, 0.25]]) == [1.5, 2.25]


def measured(p50: float, p99: float) -> dict[str, float]:
    return {"p50": p50, "p99": p99, "sent": p99, "late": 0.0, "cpu": 0.1, "refused": 0, "kept": 0}


def test_differences_are_of_the_same_round(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A noisy round disturbs all services: what the guard adds is steady, though the percentiles are anything."""
    options = SimpleNamespace(wrk=False, rate=500, seconds=2.0, realtime=False, goal=1.0)
    noise = [0.0, 40.0, 3.0, 7.0, 90.0, 0.5, 2.0, 11.0, 5.0]
    rounds = [{"bare": measured(0.1 + n, 1 + n), "inside": measured(0.3 + n, 1.5 + n)} for n in noise]
    bench.latency.report(options, ["bare", "inside"], rounds, {"steal": 0.0, "idle": 1.0})
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| inside"))
    assert "| 0.20 | 0.50 (0.50 to 0.50) | met |" in row
    rounds[2]["inside"] |= {"kept": 11.0}
    bench.latency.report(options, ["bare", "inside"], rounds, {"steal": 0.0, "idle": 1.0})
    assert "does not keep up: 11/s at most (1 of 9 rounds)" in capsys.readouterr().out


def test_tables_of_the_processor_are_of_the_same_round_too(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = SimpleNamespace(rate=500, seconds=4.0, realtime=False, goal=1.0)
    rounds = [
        {kind: {"hot": [one] * 200, "coming": [one + n / 50] * 200} for kind, one in (("bare", 0.1), ("inside", 0.5),
                                                                                      ("proxy", 1.4))}
        for n in range(9)
    ]  # fmt: skip
    bench.processor.report(options, rounds, 500)
    told = capsys.readouterr().out
    assert "| inside | even | 0.58 | 0.58 | 0.40 (0.40 to 0.40) | met |" in told
    assert "| proxy | even | 1.48 | 1.48 | 1.30 (1.30 to 1.30) | missed |" in told


def test_requests_are_asked_at_the_rate_and_none_is_left_out(tmp_path: Path) -> None:
    """The program that asks, and a service that answers: every request is counted, from when it was due."""
    (tmp_path / "request").write_bytes(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    serving = [sys.executable, str(FOLDER / "guard.py"), "serve", "--kind", "bare", "--folder", str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(serving, stdin=pipe, stdout=pipe, text=True) as service:
        try:
            assert service.stdout is not None
            port = service.stdout.readline().strip()
            call = [sys.executable, str(FOLDER / "guard_load.py"), port, "200", "1", "-1", str(tmp_path / "request")]
            told = subprocess.run(call, capture_output=True, text=True, check=True, timeout=60).stdout
        finally:
            service.kill()
    import json

    found = json.loads(told)
    assert found["number"] == 200
    assert found["refused"] == 0
    assert len(found["due"]) == len(found["sent"]) == len(found["late"]) == 200 - 60  # the first 0.3 s are warm-up
    for due, sent, late in zip(found["due"], found["sent"], found["late"], strict=True):
        assert due == pytest.approx(sent + late)
        assert late >= 0
