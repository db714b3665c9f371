"""What `operator` makes of names is kept when these are harmless, whatever data it meets later; it is never called."""

from __future__ import annotations

import functools
import operator
import pickle

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan_bytes
from shipworthy.modelfile.pickles import getters

HIGH = ("high", "critical")
KEPT = [
    operator.attrgetter("values"),
    operator.attrgetter("T", "dt.year"),
    operator.methodcaller("toarray"),
    operator.methodcaller("lower"),
    operator.methodcaller("astype", "float32"),
    operator.methodcaller("reshape", -1, 1),
]
REFUSED = [
    operator.attrgetter("__class__"),
    operator.attrgetter("values._data"),
    operator.attrgetter("to_pickle"),
    operator.methodcaller("eval", "@__import__('os')"),
    operator.methodcaller("eval"),
    operator.methodcaller("to_pickle", "/tmp/a"),
    operator.methodcaller("tofile", "/tmp/a"),
    operator.methodcaller("dump", "/tmp/a"),
    operator.methodcaller("query", "a"),
    operator.methodcaller("pipe"),
    operator.methodcaller("agg", "to_csv"),
    operator.methodcaller("__call__"),
    operator.methodcaller("apply_"),
    operator.methodcaller("astype", "U100000000"),
    operator.methodcaller("reshape", 1 << 40),
    operator.methodcaller("strip", ["a"]),
    operator.methodcaller("astype", dtype="float32"),  # keywords are kept in a partial, whose names can change
    functools.partial(operator.methodcaller, "eval"),
    functools.partial(operator.attrgetter, "a"),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", KEPT, ids=repr)
def test_getters_of_plain_names_are_clean(value: object, protocol: int) -> None:
    report = scan_bytes(pickle.dumps({"transform": value}, protocol))
    assert report.verdict is Verdict.CLEAN, report.issues


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_getters_of_other_names_are_found(value: object) -> None:
    assert scan_bytes(pickle.dumps(value)).worst in HIGH


GETTER = make.reduced("operator", "attrgetter", "values")
CALLER = make.reduced("operator", "methodcaller", "lower")
BUNCH = make.name("sklearn.utils._bunch", "Bunch") + b")\x81"


@pytest.mark.parametrize("made", [GETTER, CALLER], ids=["attrgetter", "methodcaller"])
@pytest.mark.parametrize(
    "use",
    [
        lambda made: made + make.text("a") + b"\x85R",  # called
        lambda made: BUNCH + b"}" + make.text("append") + made + b"sb",  # in the place of a method
        lambda made: make.name("functools", "partial") + made + b"\x85R)R",
        lambda made: make.name("builtins", "list") + made + b"\x85R",
        lambda made: make.name("collections", "defaultdict") + made + b"\x85R",
        lambda made: made + b"}" + make.text("a") + b"Nsb",  # state
        lambda made: BUNCH + made + b"\x85b",
    ],
)
def test_what_they_make_is_never_used_while_loading(made: bytes, use: object) -> None:
    assert scan_bytes(make.stream(use(made))).worst in HIGH  # type: ignore[operator]


def test_names_that_can_not_be_seen_are_found() -> None:
    for function in ("attrgetter", "methodcaller"):
        begin = make.name("operator", function)
        for arguments in (b")R", b"](" + make.text("a") + b"e\x85R", make.reduced("builtins", "str", "a") + b"\x85R"):
            assert scan_bytes(make.stream(begin + arguments)).worst in HIGH


def test_the_list_has_what_computes_and_nothing_that_writes() -> None:
    listed = getters._methods()
    assert {"toarray", "todense", "lower", "strip", "astype", "to_numpy", "ravel", "dropna"} <= set(listed)
    acting = "eval query apply map pipe agg tofile dump dumps to_pickle to_csv to_sql to_hdf transform save load fit"
    assert not set(acting.split()) & set(listed)
