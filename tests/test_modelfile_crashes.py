"""States of honest classes that end the process, or take all time or memory, where the loader believes them."""

from __future__ import annotations

import pytest

import modelfile_samples as make
from shipworthy.modelfile import scan_bytes

FOUND = ("high", "critical")


@pytest.mark.parametrize(
    "named",
    [
        "numpy flagsobj",
        "numpy._core.multiarray flagsobj",
        "pandas.core.arrays.arrow.extension_types ArrowPeriodType",
        "pandas ArrowIntervalType",
        "preshed.bloom BloomFilter",
        "pyarrow.lib UuidScalar",
        "pyarrow.lib JsonScalar",
        "scipy.spatial._qhull _Qhull",
        "sklearn.tree._tree TreeBuilder",
        "sklearn.cluster._hierarchical_fast WeightedEdge",
        "sklearn.metrics._pairwise_distances_reduction._base BaseDistancesReduction64",
        "sklearn.metrics._pairwise_distances_reduction._middle_term_computer MiddleTermComputer32",
        "torch._C Generator",
    ],
)
def test_compiled_classes_that_no_model_holds_and_that_crash_when_empty_are_no_allowed_names(named: str) -> None:
    module, name = named.split(" ")
    assert scan_bytes(make.stream(make.name(module, name), b")\x81")).worst in FOUND
