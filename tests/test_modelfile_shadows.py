"""What a file puts in the place of a method, objects that are not its own, endless keys, tensors too large."""

from __future__ import annotations

import collections
import enum
import functools
import pickle
from pathlib import Path

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Code, Verdict, scan_bytes
from shipworthy.modelfile.pickles import shadows
from shipworthy.modelfile.pickles.names import table_names
from shipworthy.modelfile.pickles.values import DEEP, TUPLE, is_deep, shallow

HIGH = ("high", "critical")
# `holidays` calls this one from its `__setstate__` path
METHOD = "_init_translation"
FUNCTION = make.name("numpy", "mean")
PARTIAL = make.name("functools", "partial") + FUNCTION + b"\x85R"
BUNCH = make.name("sklearn.utils._bunch", "Bunch") + b")\x81"
CALLABLE = make.name("sklearn.gaussian_process.kernels", "RBF") + b")\x81"
BOUND = make.name("builtins", "getattr") + BUNCH + make.text("update") + b"\x86R"
CONCAT = make.text("append")


def found(body: bytes) -> bool:
    return scan_bytes(make.stream(body)).worst in HIGH


SHADOWS = {
    "a function": BUNCH + b"}(" + CONCAT + FUNCTION + b"ub",
    "a function with its arguments": BUNCH + b"}(" + CONCAT + PARTIAL + b"ub",
    "a bound method": BUNCH + b"}(" + CONCAT + BOUND + b"ub",
    "an object that can be called": BUNCH + b"}(" + CONCAT + CALLABLE + b"ub",
    "alone": BUNCH + b"}" + CONCAT + FUNCTION + b"sb",
    "among the slots": BUNCH + b"N}" + CONCAT + FUNCTION + b"s\x86b",
    "among both": BUNCH + b"}}(" + CONCAT + FUNCTION + b"u\x86b",
    "in the second part of the state": BUNCH + b"}(" + make.text("a") + b"Nu(" + CONCAT + FUNCTION + b"ub",
    "behind numbers": BUNCH + b"}(" + b"K\x01" * 66 + CONCAT + FUNCTION + b"ub",
    "behind an odd count of numbers": BUNCH + b"}(" + b"K\x01" * 65 + CONCAT + FUNCTION + b"ub",
    "by DICT": BUNCH + b"(" + CONCAT + FUNCTION + b"db",
    "as an item": BUNCH + CONCAT + FUNCTION + b"s",
    "as items": BUNCH + b"(" + CONCAT + FUNCTION + b"u",
    "in a dictionary of the state": BUNCH + b"}(" + make.text("a") + b"}" + CONCAT + FUNCTION + b"sub",
    "out of the memo": b"}\x94(" + CONCAT + FUNCTION + b"u0" + BUNCH + b"h\x00b",
    "changed in the memo": FUNCTION + b"0}\x940" + BUNCH + b"h\x00(" + CONCAT + FUNCTION + b"u0h\x00b",
    "filled in the memo": FUNCTION + b"0}(NNu\x940h\x00(" + CONCAT + FUNCTION + b"u0" + BUNCH + b"h\x00b",
    "in an ordered dictionary": BUNCH + make.name("collections", "OrderedDict") + b")R" + CONCAT + FUNCTION + b"sb",
    "in a list of pairs": BUNCH + make.name("builtins", "dict") + b"](" + CONCAT + FUNCTION + b"\x86e\x85Rb",
    "under a computed name": BUNCH + b"}" + make.reduced("builtins", "str", "append") + FUNCTION + b"sb",
    "for torch's rebuilder": make.name("torch._utils", "_rebuild_parameter_with_state")
    + b"(N\x88}}" + CONCAT + FUNCTION + b"stR",
    "in a tuple": BUNCH + FUNCTION + b"\x85b",
    "in a list": BUNCH + b"]" + FUNCTION + b"ab",
}  # fmt: skip


@pytest.mark.parametrize("case", SHADOWS)
def test_no_state_puts_a_function_in_the_place_of_a_method(case: str) -> None:
    assert found(SHADOWS[case])


def test_more_items_than_fit_do_not_hide_one() -> None:
    many = b"(" + b"N" * 300_000
    assert found(BUNCH + FUNCTION + b"0}" + many + CONCAT + FUNCTION + b"N" * 300_000 + b"ub")


HONEST = {
    "a function under a name that nobody calls": BUNCH + b"}(" + make.text("metric_function") + FUNCTION + b"ub",
    "a value under a called name": BUNCH + b"}(" + CONCAT + make.text("x") + b"ub",
    "a function that only raises": make.name("networkx.classes.graph", "Graph")
    + b")\x81}" + make.text("clear") + make.name("networkx.classes.function", "frozen") + b"sb",
}  # fmt: skip


@pytest.mark.parametrize("case", HONEST)
def test_honest_states_with_functions_are_clean(case: str) -> None:
    report = scan_bytes(make.stream(HONEST[case]))
    assert report.verdict is Verdict.CLEAN, report.issues


def test_estimators_with_functions_are_clean() -> None:
    import numpy as np
    from sklearn.preprocessing import FunctionTransformer

    value = FunctionTransformer(func=np.log1p, inverse_func=functools.partial(np.expm1))
    for protocol in range(6):
        report = scan_bytes(pickle.dumps([value, {"get": np.float64(1)}], protocol))
        assert report.verdict is Verdict.CLEAN, (protocol, report.issues)


def test_the_tables_name_what_libraries_do() -> None:
    assert {"append", "__init__", METHOD} <= shadows.called_names()
    assert all(name.isidentifier() for name in shadows.called_names())
    lines = Path(shadows.__file__).with_name("class_traits.txt").read_bytes().splitlines()
    assert lines == sorted(lines)  # they are searched
    allowed = {module for module, _ in table_names()}
    assert sum(line.partition(b"\t")[0].decode() in allowed for line in lines) > 200


ENUM = make.name("re", "RegexFlag") + b"K\x02\x85R"
SHARED = {
    "a member of an enumeration": ENUM + b"}" + make.text("_name_") + make.text("x") + b"sb",
    "one of a library": make.name("networkx.algorithms.tree.mst", "EdgePartition") + b"K\x01\x85R}" + CONCAT + b"Nsb",
    "its slots": ENUM + b"N}" + make.text("_value_") + b"K\x00s\x86b",
    "a zone": make.reduced("pytz", "_p", "Europe/Berlin") + b"}" + make.text("_tzname") + b"Nsb",
}


@pytest.mark.parametrize("case", SHARED)
def test_no_state_is_set_on_what_the_process_shares(case: str) -> None:
    assert Code.STATE_TAMPERING in {issue.code for issue in scan_bytes(make.stream(SHARED[case])).issues}
    assert found(SHARED[case])


def test_members_of_enumerations_are_clean_alone() -> None:
    import re

    assert isinstance(re.I, enum.Enum)
    for protocol in range(6):
        assert scan_bytes(pickle.dumps([re.compile("a", re.I), collections.Counter("ab")], protocol)).worst == ""


def laughs(op: bytes, count: int = 40) -> bytes:
    """A tuple of the one before, again and again."""
    body = b"N"
    for index in range(count):
        get = b"h" + bytes([index])
        body += b"\x94" + (get + b"\x86" if op == b"2" else b"0(" + get * int(op) + b"t")
    return body


BOMBS = {
    "as a key": b"}" + laughs(b"2") + b"Ns",
    "as a key among others": b"}(" + make.text("a") + b"N" + laughs(b"2") + b"Nu",
    "in the second part": b"}(" + make.text("a") + b"Nu(" + laughs(b"2") + b"Nu",
    "of many parts": b"}" + laughs(b"60", 6) + b"Ns",
    "of more parts": b"}" + laughs(b"100", 6) + b"Ns",
    "in a set": b"\x8f(" + laughs(b"2") + b"\x90",
    "in a frozen set": b"(" + laughs(b"2") + b"\x91",
    "in a set of a list": make.name("builtins", "set") + b"]" + laughs(b"2") + b"a\x85R",
    "as the key of an ordered dictionary": make.name("collections", "OrderedDict") + b")R" + laughs(b"2") + b"Ns",
    "by DICT": b"(" + laughs(b"2") + b"Nd",
}


@pytest.mark.parametrize("case", BOMBS)
def test_keys_that_take_forever(case: str) -> None:
    codes = {issue.code for issue in scan_bytes(make.stream(BOMBS[case])).issues}
    assert codes & {Code.BOMB, Code.UNKNOWN_CALLABLE}


def test_tuples_as_keys_and_values_are_clean() -> None:
    value = {(1, ("a", (2, 3))): ((((((1,),),),),),), frozenset([(1, (2,))]): {(1, (2, (3,)))}, "big": tuple(range(99))}
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(value, protocol)).verdict is Verdict.CLEAN


def test_to_look_at_a_tuple_takes_few_steps() -> None:
    """Each level holds the one below 60 times: all of it would be 60**4 items for each new tuple."""
    made: object = tuple(range(1, 61))
    for _ in range(6):
        made = shallow([made] * 60)
    assert isinstance(made, tuple)
    assert all(is_deep(item) for item in made)
    assert made[0] <= DEEP - 30  # of 2**30 items and more
    assert is_deep(shallow([(1, 2)] * 100))
    assert shallow([1] * 100) == TUPLE


def tensor(sizes: tuple[int, ...], strides: tuple[int, ...], offset: int = 0, elements: int = 6) -> bytes:
    storage = b"(" + make.text("storage") + make.name("torch", "FloatStorage") + make.text("0") + make.text("cpu")
    shape = make.arguments(*sizes) + make.arguments(*strides)
    return (
        make.name("torch._utils", "_rebuild_tensor_v2")
        + b"(" + storage + make.atom(elements) + b"tQ" + make.atom(offset) + shape
        + b"\x89" + make.name("collections", "OrderedDict") + b")RtR"
    )  # fmt: skip


@pytest.mark.parametrize(
    "shape",
    [((1000,), (1,)), ((2, 3), (3, 2)), ((6,), (1,), 1), ((2,), (1 << 30,)), ((6,), (-1,)), ((6,), (1,), -1)],
    ids=str,
)
def test_a_tensor_stays_within_its_storage(shape: tuple[tuple[int, ...], ...]) -> None:
    assert found(tensor(*shape))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shape", [((2, 3), (3, 1)), ((2,), (3,), 2), ((0, 5), (5, 1)), ((1 << 20, 2), (0, 1)), ((), ())], ids=str
)
def test_tensors_and_their_views_are_clean(shape: tuple[tuple[int, ...], ...]) -> None:
    assert not found(tensor(*shape))  # type: ignore[arg-type]


def test_what_is_freed_is_not_the_files_to_choose() -> None:
    """LightGBM's predictor frees its handle when it is dropped, and has no `__setstate__` that makes one."""
    state = b"}(" + make.text("_handle") + make.atom(4096) + make.text("_InnerPredictor__is_manage_handle") + b"\x88ub"
    assert found(make.name("lightgbm.basic", "_InnerPredictor") + b")\x81" + state)


def test_what_is_closed_is_not_the_files_to_choose() -> None:
    held = BUNCH + b"}" + make.text("close") + FUNCTION + b"sb"
    assert found(make.name("scipy.spatial._qhull", "Delaunay") + b")\x81}" + make.text("_qhull") + held + b"sb")


LINEAR = make.name("torch.nn.modules.linear", "Linear") + b")\x81"
UPDATING = make.name("sktime.transformations.series.subset", "ColumnSelect") + b")\x81"
CATBOOST = make.name("catboost.core", "CatBoost") + b")\x81"


@pytest.mark.parametrize(
    "body",
    [
        CATBOOST + b"}" + make.text("_init_params") + UPDATING + b"sb",
        CATBOOST + b"}(" + make.text("a") + b"K\x01" + make.text("_init_params") + UPDATING + b"ub",
        b"}\x94" + make.text("_init_params") + UPDATING + b"s0" + CATBOOST + b"h\x00b",
    ],
)
def test_no_object_stands_in_for_another_whose_methods_are_called(body: bytes) -> None:
    """CatBoost updates its parameters while it is loaded; sktime's `update` evaluates text."""
    assert found(body)


def test_such_objects_elsewhere_are_clean() -> None:
    assert not found(CATBOOST + b"}" + make.text("_init_params") + b"}sb")
    assert not found(b"}" + make.text("loader") + UPDATING + b"s")


@pytest.mark.parametrize(
    "body",
    [
        b"}\x94(" + CONCAT + LINEAR + b"u0" + BUNCH + b"h\x00b",
        b"}(" + CONCAT + LINEAR + b"u\x940" + BUNCH + b"h\x00b",
        b"}\x94(" + CONCAT + LINEAR + b"u0" + BUNCH + b"j\x00\x00\x00\x00b",
        b"}\x94(" + CONCAT + LINEAR + b"u0" + BUNCH + b"h\x00N\x86b",
    ],
)
def test_no_module_of_torch_is_a_method_out_of_the_memo(body: bytes) -> None:
    assert found(body)


def test_modules_of_torch_under_any_name_are_clean() -> None:
    inner = b"}\x94(" + make.text("_modules") + b"}\x94(" + CONCAT + LINEAR + b"uub"
    assert not found(LINEAR + inner)
    assert not found(BUNCH + b"}\x94" + make.text("a") + b"}\x94(" + CONCAT + LINEAR + b"usb")


DICT = b"}\x94" + CONCAT + FUNCTION + b"s"
LATER = {
    "as a state": DICT + b"0" + BUNCH + b"h\x00b",
    "in a state": DICT + b"0" + BUNCH + b"}" + make.text("a") + b"h\x00sb",
    "beside a state": DICT + b"0" + BUNCH + b"}h\x00\x86b",
    "as an item": DICT + b"0" + BUNCH + make.text("a") + b"h\x00s",
    "as an argument": make.name("torch._utils", "_rebuild_parameter_with_state") + b"(N\x88}" + DICT + b"tR",
    "as keywords": make.name("collections", "Counter") + b")" + DICT + b"\x92",
    "as pairs": make.name("collections", "OrderedDict") + DICT + b"\x85R0" + BUNCH + b"h\x00b",
    "as the state of what may be a subclass of arrays": DICT
    + b"0"
    + make.reduced("numpy.core.multiarray", "_reconstruct", [make.name("numpy", "ndarray")], [make.arguments(0)], b"b")
    + b"h\x00b",
    "under an open object": BUNCH + DICT + b"0",
    "of an open object behind others": BUNCH + b"](" + DICT + b"e0",
}


@pytest.mark.parametrize("case", LATER)
def test_a_dictionary_of_functions_becomes_no_state_later(case: str) -> None:
    assert found(LATER[case])


def test_a_dictionary_of_functions_alone_is_clean() -> None:
    np = pytest.importorskip("numpy")
    value = {"mean": np.mean, "add": np.add.reduce, "max": np.maximum, "scale": np.ones(3), "median": np.median}
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(value, protocol)).verdict is Verdict.CLEAN
        assert scan_bytes(pickle.dumps({"aggregations": [value, value]}, protocol)).verdict is Verdict.CLEAN


def test_a_function_as_metric_is_called_by_one_library_only() -> None:
    state = b"}" + make.text("metric") + make.name("scipy.spatial.distance", "braycurtis") + b"s"
    neighbours = make.name("sklearn.neighbors._classification", "KNeighborsClassifier") + b")\x81"
    descent = make.name("pynndescent.pynndescent_", "NNDescent") + b")\x81"
    assert not found(neighbours + state + b"b")
    assert found(descent + state + b"b")
    assert found(b"}\x94" + state[1:] + b"0" + descent + b"h\x00b")


def test_a_metric_reduces_its_counts_by_functions_that_only_compute() -> None:
    metric = make.name("torchmetrics.text.perplexity", "Perplexity") + b")\x81}" + make.text("_reductions") + b"}"
    reduced = make.text("count") + make.name("torchmetrics.utilities.data", "dim_zero_sum") + b"ssb"
    assert not found(metric + reduced)
    assert found(metric + make.text("count") + FUNCTION + b"ssb")


def test_torchs_types_of_numbers_are_no_functions() -> None:
    """As in what torch.distributed.checkpoint notes about its tensors, which a project may vouch for."""
    note = make.name("torch.distributed.checkpoint.metadata", "TensorProperties") + b")\x81("
    trust = ["torch.distributed.checkpoint.*:*"]
    kept = {
        name: note + make.name("torch", name) + b"\x89\x89tb" for name in ("float32", "uint8", "bool", "relu", "exp")
    }
    worst = {name: scan_bytes(make.stream(body), trust=trust).worst for name, body in kept.items()}
    assert [name for name, severity in worst.items() if severity in HIGH] == ["relu", "exp"]
    assert found(kept["float32"])  # nobody vouched: it says which bytes of other files are unpickled
    assert found(BUNCH + b"}" + CONCAT + make.name("torch", "relu") + b"sb")
