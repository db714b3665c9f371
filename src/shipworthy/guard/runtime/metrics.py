"""Counters, gauges and a histogram, in Prometheus's text format (version 0.0.4)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping

TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)
_HELP = {
    "shipworthy_guard_requests_total": ("counter", "requests, by what was done with them"),
    "shipworthy_guard_hits_total": ("counter", "what detectors saw, by detector"),
    "shipworthy_guard_events_lost_total": ("counter", "events that were only counted, or could not be written"),
    "shipworthy_guard_active": ("gauge", "requests that are being answered"),
    "shipworthy_guard_clients": ("gauge", "clients that are remembered"),
    "shipworthy_guard_drift_psi": ("gauge", "population stability index of the last window against the reference"),
    "shipworthy_guard_seconds": ("histogram", "time that the guard took to judge a request"),
}
_SERIES = 500  # of labels: none are taken from requests, so there are few
Labels = tuple[tuple[str, str], ...]
_PASSED = ("shipworthy_guard_requests_total", (("decision", "passed"),))


class Metrics:
    """What is counted. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, Labels], float] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def count(self, name: str, number: float = 1, **labels: str) -> None:
        """Add to a counter."""
        key = (f"shipworthy_guard_{name}", tuple(sorted(labels.items())))
        with self._lock:
            if key in self._values or len(self._values) < _SERIES:
                self._values[key] = self._values.get(key, 0) + number

    def passed(self) -> None:
        """`count("requests_total", decision="passed")`, which every request needs."""
        with self._lock:
            self._values[_PASSED] = self._values.get(_PASSED, 0) + 1

    def put(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._values[f"shipworthy_guard_{name}", tuple(sorted(labels.items()))] = value

    def time(self, seconds: float) -> None:
        """Note how long a judgement took."""
        with self._lock:
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._sum += seconds

    def value(self, name: str, **labels: str) -> float:
        """A counter's or gauge's value; 0 when it was never touched."""
        with self._lock:
            return self._values.get((f"shipworthy_guard_{name}", tuple(sorted(labels.items()))), 0)

    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        with self._lock:
            values, buckets, total = dict(self._values), list(self._buckets), self._sum
        lines = []
        for name, (kind, about) in _HELP.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            if kind == "histogram":
                lines += _histogram(name, buckets, total)
            lines += [
                f"{name}{_shown(labels)} {value:g}" for (one, labels), value in sorted(values.items()) if one == name
            ]
        return "\n".join(lines) + "\n"


def _histogram(name: str, buckets: list[int], total: float) -> list[str]:
    lines, below = [], 0
    for bound, number in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
        below += number
        lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
    return [*lines, f"{name}_sum {total:.9f}", f"{name}_count {below}"]


def _shown(labels: Labels | Mapping[str, str]) -> str:
    pairs = labels.items() if isinstance(labels, Mapping) else labels
    inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in pairs)
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
