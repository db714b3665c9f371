"""States of honest classes that end the process, or take all time or memory, where the loader believes them."""

from __future__ import annotations

import pytest

import modelfile_samples as make
from corpora import unseen2_states as states
from corpora.unseen_units import stream
from shipworthy.modelfile import Code, Verdict, scan_bytes
from shipworthy.modelfile.pickles.contents import WHOLE

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


def forest(*nodes: tuple[int, int, int], count: int | None = None) -> bytes:
    return stream(states.tree(*nodes, count=count))


LEAF = (-1, -1, -2)
HONEST_TREES = [forest(LEAF), forest((1, 2, 0), LEAF, LEAF), forest((1, 4, 0), (2, 3, 0), LEAF, LEAF, LEAF)]
TREES = {
    "its own child": forest((0, 1, 0), LEAF),
    "a node before it": forest((1, 2, 0), LEAF, (0, 1, 0)),
    "far behind": forest((1, 1 << 40, 0), LEAF),
    "just behind": forest((1, 2, 0), LEAF),
    "negative": forest((-7, 1, 0), LEAF),
    "one child": forest((1, -1, 0), LEAF),
    "a feature behind the row": forest((1, 2, 1), LEAF, LEAF),
    "a feature before the row": forest((1, 2, -1), LEAF, LEAF),
    "more nodes than there are": forest(LEAF, count=9),
}


@pytest.mark.parametrize("what", TREES)
def test_the_nodes_of_a_tree_lead_on_to_nodes_that_are_there(what: str) -> None:
    assert all(scan_bytes(tree).verdict is Verdict.CLEAN for tree in HONEST_TREES)
    report = scan_bytes(TREES[what])
    assert report.worst == "high"
    assert report.issues[0].code is Code.BOMB


def test_nodes_of_a_tree_that_come_later_can_not_be_judged() -> None:
    """The tree is given an array that has no numbers yet."""
    late = states.call("numpy._core.multiarray:_reconstruct", states.NDARRAY, (0,), b"b")
    made = states.call("sklearn.tree._tree:Tree", 1, states.array(states.dtype("i8"), (1,), bytes(8)), 1)
    assert scan_bytes(stream(states.build(made, {"nodes": late, "node_count": 1}))).worst == "high"
    assert scan_bytes(stream(states.build(made, states.Raw(b"}q\x000h\x00")))).worst == "high"


def test_of_many_trees_all_have_their_ends_looked_at() -> None:
    many = [(at + 1, at + 2, 0) for at in range(WHOLE)]
    last = [(WHOLE, WHOLE, 0), LEAF]
    assert scan_bytes(forest(*many, *last[1:], LEAF)).verdict is Verdict.CLEAN
    assert scan_bytes(forest(*many, *last)).worst == "high"


def matrix(layout: str, columns: list[int], starts: list[int], shape: tuple[int, int]) -> bytes:
    raw = stream(states._csr(columns, starts, shape))
    for old, new in ((b"_csr", f"_{layout}"), (b"csr_matrix", f"{layout}_matrix")):
        raw = raw.replace(old, new.encode())
    return raw


def test_the_indexes_of_a_sparse_matrix_lie_inside_of_its_shape() -> None:
    honest = matrix("csr", [0, 3, 1], [0, 2, 2, 3], (3, 4))
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    assert scan_bytes(matrix("csc", [0, 2, 1], [0, 2, 2, 3, 3], (3, 4))).verdict is Verdict.CLEAN
    for columns, starts, shape in (
        ([0, 4, 1], [0, 2, 2, 3], (3, 4)),
        ([0, -1, 1], [0, 2, 2, 3], (3, 4)),
        ([0, 3, 1], [0, 2, 1, 3], (3, 4)),
        ([0, 3, 1], [0, 2, 2, 4], (3, 4)),
        ([0, 3, 1], [1, 2, 2, 3], (3, 4)),
        ([0, 3, 1], [0, 2, 2, 3], (4, 4)),
        ([0], [0, 1], (1, 1 << 40)),
    ):
        assert scan_bytes(matrix("csr", columns, starts, shape)).worst == "high"
    assert scan_bytes(matrix("csc", [0, 3, 1], [0, 2, 2, 3, 3], (3, 4))).worst == "high"
