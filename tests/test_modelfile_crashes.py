"""States of honest classes that end the process, or take all time or memory, where the loader believes them."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path

import pytest

import modelfile_samples as make
from corpora import unseen2_states as states
from corpora.unseen_archives import npy
from corpora.unseen_units import call, stream
from shipworthy.modelfile import Code, Verdict, scan_bytes
from shipworthy.modelfile.collisions import MODULUS
from shipworthy.modelfile.pickles.contents import WHOLE

DATA = Path(__file__).parent / "data/models/pickles"
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


def integers(*values: int) -> bytes:
    return b"".join(b"\x8a\x0e" + value.to_bytes(14, "little", signed=True) for value in values)


def test_many_numbers_of_one_hash_are_found_wherever_they_become_keys() -> None:
    honest = pickle.dumps({(number**5 << 64) + 7: 1 for number in range(3000)})
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    repeated = b"(" + integers(*[1 << 70] * 3000) + b"l"
    assert scan_bytes(make.stream(repeated)).verdict is Verdict.CLEAN
    same = [number * MODULUS for number in range(4, 400)]
    for raw in (
        make.stream(b"(", integers(*same), b"\x91"),
        make.stream(b"(", integers(*(-number for number in same)), b"l"),
        b"(" + b"".join(b"L%dL\n" % number for number in same) + b"l.",
        b"(" + b"".join(b"I%d\n" % number for number in same) + b"l.",
    ):
        assert scan_bytes(raw).issues[0].code is Code.BOMB


def colliding(first: int) -> tuple[int, int] | None:
    """A second number that gives a tuple with the first one a hash of our choice (xxHash, as CPython has it)."""
    one, two, start, mask = 11400714785074694791, 14029467366897019727, 2870177450012600261, (1 << 64) - 1
    lane = (start + hash(first) * two) & mask
    lane = (lane << 31 | lane >> 33) & mask
    second = (12345 - lane * one) * pow(two, -1, 1 << 64) & mask
    second -= (second >> 63) << 64
    return (first, second) if abs(second) < MODULUS else None


def test_many_tuples_of_one_hash_are_found() -> None:
    found = [pair for pair in map(colliding, range(1 << 40, (1 << 40) + 2000)) if pair]
    assert len({hash(pair) for pair in found}) == 1
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(dict.fromkeys(found), protocol)).worst == "high"
        assert scan_bytes(pickle.dumps(set(found), protocol)).worst == "high"
    honest = {(number**3, number**4): 1 for number in range(1 << 18, (1 << 18) + 1000)}
    assert scan_bytes(pickle.dumps(honest)).verdict is Verdict.CLEAN


def test_tuples_that_double_are_found_and_deep_ones_are_not() -> None:
    deep: tuple[object, ...] = ()
    for number in range(150):
        deep = (deep, number, (number,) * 70)
    assert scan_bytes(pickle.dumps(deep)).verdict is Verdict.CLEAN
    double: tuple[object, ...] = (1, 2)
    for _ in range(50):
        double = (double, 3, double)
    report = scan_bytes(pickle.dumps(double))
    assert (report.worst, report.issues[0].code) == ("high", Code.BOMB)


def test_containers_in_each_other_are_found_when_they_are_many() -> None:
    assert scan_bytes(make.stream(b"]" * 9000, b"a" * 8999)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(b"]" * 200_000, b"a" * 199_999)).worst == "high"


def test_a_range_of_pandas_is_no_longer_than_a_frame() -> None:
    index, range_ = (
        states.name("pandas.core.indexes.base:_new_Index"),
        states.name("pandas.core.indexes.range:RangeIndex"),
    )
    for stop, step, verdict in (
        (100, 1, Verdict.CLEAN),
        (1 << 50, 1 << 30, Verdict.CLEAN),
        (1 << 50, 1, Verdict.FINDING),
    ):
        state = {"name": None, "start": 0, "stop": stop, "step": step}
        made = call("pandas.core.indexes.base:_new_Index", states.Raw(range_), state)
        assert scan_bytes(stream(made)).verdict is verdict
    hidden = states.Raw(b"}q\x000" + index + range_ + b"h\x00\x86R")
    assert scan_bytes(stream(hidden)).worst == "high"


def test_tensors_that_are_hardly_more_than_their_shape_are_found() -> None:
    small = states._tensor("FloatStorage", bytes(48), (3, 4), (4, 1))
    assert scan_bytes(stream(small)).verdict is Verdict.CLEAN
    assert scan_bytes(stream(states._expanded())).worst == "high"
    assert scan_bytes(stream(states._sparse())).worst == "high"


def test_the_model_in_the_state_of_a_booster_is_read() -> None:
    for file, links, cycle in (
        ("sk19-lightgbm.LGBMClassifier.dart--p4.pkl", b"\nleft_child=3", b"\nleft_child=0"),
        ("sk024-xgboost.XGBRegressor.gbtree--p3.pkl", b'"left_children":[1', b'"left_children":[0'),
    ):
        raw = (DATA / file).read_bytes()
        assert scan_bytes(raw).verdict is Verdict.CLEAN
        assert scan_bytes(raw.replace(links, cycle)).worst == "high"
    packed = gzip.decompress((DATA / "sk12-xgboost.XGBClassifier.dart--joblib-gzip.joblib").read_bytes())
    cycle = packed.replace(b"#L" + bytes(7) + b"\x07" + bytes(3) + b"\x01", b"#L" + bytes(7) + b"\x07" + bytes(4))
    assert scan_bytes(packed).verdict is Verdict.CLEAN
    assert scan_bytes(cycle).worst == "high"


def chunked(*sizes: int, backwards: bool = False) -> bytes:
    """A Flax file with an array in parts of two numbers: lengths are single bytes."""
    part = b"\x93\x91\x02\xa7float32\xc4\x08" + bytes(8)
    entries = [
        b"\xb9__msgpack_chunked_array__\xc3",
        b"\xa5shape"
        + bytes([0x80 + len(sizes)])
        + b"".join(b"\xa1%d\xcd%b" % (n, s.to_bytes(2)) for n, s in enumerate(sizes)),
        b"\xa6chunks\x82" + b"".join(b"\xa1%d\xc7%b\x01%b" % (n, bytes([len(part)]), part) for n in range(2)),
    ]
    return b"\x81\xa1w\x83" + b"".join(reversed(entries) if backwards else entries)


@pytest.mark.parametrize("backwards", [False, True])
def test_the_parts_of_an_array_of_flax_are_as_long_as_its_shape(backwards: bool) -> None:
    assert not [i for i in scan_bytes(chunked(2, 2, backwards=backwards)).issues if i.severity == "high"]
    assert scan_bytes(chunked(2, 2, backwards=backwards)).format == "msgpack"
    for shape in ((4000, 4000), (3,), ()):
        assert scan_bytes(chunked(*shape, backwards=backwards)).worst == "high"


INTEGER = states.dtype("i8")


def integers_of(*values: int) -> states.Raw:
    return states.array(INTEGER, (len(values),), struct.pack(f"<{len(values)}q", *values))


def points(rows: int) -> states.Raw:
    return states.array(states.dtype("f8"), (rows, 1), bytes(8 * rows))


def ball_tree(*nodes: tuple[int, int, int], indexes: tuple[int, ...] = (2, 0, 1), count: int | None = None) -> bytes:
    fields = [("idx_start", "i8", 0), ("idx_end", "i8", 8), ("is_leaf", "i8", 16), ("radius", "f8", 24)]
    raw = b"".join(struct.pack("<qqqd", *node, 1.0) for node in nodes)
    parts = states.array(states.record(*fields, size=32), (len(nodes),), raw)
    numbers = (count or len(nodes), 0, 1, 0, 0, None)
    made = call("sklearn.neighbors._ball_tree:newObj", states.name("sklearn.neighbors._ball_tree:BallTree"))
    return stream(states.build(made, (points(3), integers_of(*indexes), parts, points(3), 40, 1, *numbers)))


def ckdtree(*nodes: tuple[int, int, int, int, int], indexes: tuple[int, ...] = (2, 0, 1)) -> bytes:
    raw = b"".join(struct.pack("<qqdqqqqqq", n[0], 0, 0.5, n[1], n[2], 0, 0, n[3], n[4]) for n in nodes)
    parts = states.array(states.dtype("S1"), (len(raw),), raw)
    state = (parts, points(3), 3, 1, 10, points(1), points(1), integers_of(*indexes), None, None)
    return stream(states.build(states.new("scipy.spatial._ckdtree:cKDTree"), state))


def test_the_nodes_of_trees_of_points_name_points_that_are_there() -> None:
    honest = (0, 3, 0), (0, 1, 1), (1, 3, 1)
    assert scan_bytes(ball_tree(*honest)).verdict is Verdict.CLEAN
    for hostile in (
        ball_tree((0, 99, 0), *honest[1:]),
        ball_tree((-9, 3, 0), *honest[1:]),
        ball_tree(honest[0], (0, 1, 0), honest[2]),
        ball_tree(*honest, indexes=(2, 0, 3)),
        ball_tree(*honest, indexes=(2, 0)),
        ball_tree(*honest, count=9),
    ):
        assert scan_bytes(hostile).worst == "high"
    linked = (0, 0, 3, 1, 2), (-1, 0, 1, -1, -1), (-1, 1, 3, -1, -1)
    assert scan_bytes(ckdtree(*linked)).verdict is Verdict.CLEAN
    for hostile in (
        ckdtree((0, 0, 3, 0, 2), *linked[1:]),
        ckdtree((0, 0, 3, 1, 3), *linked[1:]),
        ckdtree((7, 0, 3, 1, 2), *linked[1:]),
        ckdtree((0, 0, 4, 1, 2), *linked[1:]),
        ckdtree(*linked, indexes=(2, 0, -1)),
    ):
        assert scan_bytes(hostile).worst == "high"


def saved(layout: str, **arrays: tuple[int, ...]) -> bytes:
    """A matrix of 2 x 3 as `scipy.sparse.save_npz` writes it."""
    members = [("format.npy", npy("'<U3'", "()", layout.encode("utf-32-le")))]
    for name, numbers in {"shape": (2, 3), "data": (1, 1), **arrays}.items():
        raw = struct.pack(f"<{len(numbers)}q", *numbers)
        members.append((f"{name}.npy", npy("'<i8'", f"({len(numbers)},)", raw)))
    return make.zipped(*members)


def test_the_places_in_a_saved_sparse_matrix_lie_inside_of_it() -> None:
    for honest, hostile in (
        (saved("csr", indices=(0, 2), indptr=(0, 1, 2)), saved("csr", indices=(0, 3), indptr=(0, 1, 2))),
        (saved("csc", indices=(0, 1), indptr=(0, 1, 1, 2)), saved("csc", indices=(0, 1), indptr=(0, 3, 1, 2))),
        (saved("coo", row=(0, 1), col=(2, 0)), saved("coo", row=(0, 1), col=(2, -1))),
    ):
        assert scan_bytes(honest).verdict is Verdict.CLEAN
        report = scan_bytes(hostile)
        assert (report.worst, report.issues[0].code) == ("high", Code.BOMB)


def generator(kind: str, state: object, protocol: int = 4) -> bytes:
    """A bit generator as numpy 1.17 to 1.26 writes it: a call with its name, then its state."""
    made = pickle.dumps(state, protocol)
    body = make.reduced("numpy.random._pickle", "__bit_generator_ctor", kind)
    return body + (made[11:-1] if protocol == 4 else made[2:-1] if protocol > 1 else made[:-1])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_where_a_generator_takes_its_next_number_from_is_in_its_buffer(protocol: int) -> None:
    for kind, key, most in (("MT19937", "pos", 624), ("Philox", "buffer_pos", 4)):
        for place in (0, most, most + 1, -1, 1 << 30):
            inner = {"bit_generator": kind, "state": {"key": 1, key: place}}
            outer = {"bit_generator": kind, "state": {"key": 1}, key: place}
            for state in (inner, outer, (inner, None), (outer, None)):
                report = scan_bytes(make.stream(generator(kind, state, protocol), b"b"))
                assert (report.verdict is Verdict.CLEAN) is (0 <= place <= most)
    old = make.reduced("numpy.random", "__RandomState_ctor")
    for place, clean in ((624, True), (625, False)):
        state = pickle.dumps(("MT19937", 1, place, 0, 0.0), 2)[2:-1]
        assert (scan_bytes(make.stream(old, state, b"b")).verdict is Verdict.CLEAN) is clean
    hidden = b"}\x94" + make.text("pos") + b"J\xff\xff\xff\x7fs0" + generator("MT19937", {})[:-1]
    assert scan_bytes(make.stream(hidden, b"0h\x00b")).worst == "high"


def test_the_nodes_of_trees_in_archives_of_skops_lead_on() -> None:
    honest = (DATA.parent / "llm/tree.skops").read_bytes()
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (name,) = [name for name, data in members.items() if b"'left_child'" in data[:100]]
    at = 10 + int.from_bytes(members[name][8:10], "little")
    for place, number in ((0, 0), (8, 1 << 40), (16, 99)):
        data = bytearray(members[name])
        data[at + place : at + place + 8] = struct.pack("<q", number)
        report = scan_bytes(make.zipped(*{**members, name: bytes(data)}.items()))
        assert (report.worst, report.issues[0].code) == ("high", Code.BOMB)
    renamed = members[name].replace(b"'left_child'", b"'left;child'")
    assert scan_bytes(make.zipped(*{**members, name: renamed}.items())).worst == "high"
