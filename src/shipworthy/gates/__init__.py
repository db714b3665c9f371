"""Decisions: pure functions of results, metrics, policy, waivers and baseline."""

from shipworthy.gates.baseline import read_baseline, write_baseline
from shipworthy.gates.decide import decide, in_short
from shipworthy.gates.dedupe import dedupe, join_results
from shipworthy.gates.expressions import Expression
from shipworthy.gates.waivers import Filtered, apply_filters
from shipworthy.gates.weaker import weaker

__all__ = [
    "Expression",
    "Filtered",
    "apply_filters",
    "decide",
    "dedupe",
    "in_short",
    "join_results",
    "read_baseline",
    "weaker",
    "write_baseline",
]
