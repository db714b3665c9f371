"""Names that were added by hand: real files need each, and an attack by each is found."""

from __future__ import annotations

import operator
import pickle
import re

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan_bytes
from shipworthy.modelfile.pickles.names import standing_of

SHELL = make.name("os", "system")
FOUND = ("high", "critical")


def test_what_itemgetter_returns_is_kept_but_never_called() -> None:
    kept = make.reduced("operator", "itemgetter", "a")
    assert scan_bytes(make.stream(kept)).verdict is Verdict.CLEAN
    assert scan_bytes(pickle.dumps({"key": operator.itemgetter(1, "b")})).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(kept + SHELL + b"\x85R")).worst in FOUND
    assert scan_bytes(make.call("operator", "itemgetter", "__globals__")).worst in FOUND


def test_a_patterns_method_is_kept_but_never_called() -> None:
    """Tokenizers keep `re.compile(...).findall`."""
    method = re.compile("a+").findall
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(method, protocol)).verdict is Verdict.CLEAN
    raw = pickle.dumps(method, 4)
    assert scan_bytes(raw[:-1] + make.text("aaa") + b"\x85R.").worst in FOUND


def test_zip_and_other_functions_are_referred_to_and_not_called() -> None:
    for protocol in range(6):
        assert scan_bytes(pickle.dumps([zip, len, round], protocol)).verdict is Verdict.CLEAN
    assert scan_bytes(make.call("builtins", "zip", "ab")).worst in FOUND
    assert not standing_of("builtins", "print").allowed  # no file was found that needs it


def test_a_cache_without_a_folder_is_clean_and_one_with_a_folder_is_not() -> None:
    """HDBSCAN keeps a `joblib.Memory`; with a folder it would read pickles from there."""
    cache = make.name("joblib.memory", "Memory") + b")\x81}("
    nothing = make.text("location") + b"N" + make.text("store_backend") + b"Nub"
    assert scan_bytes(make.stream(cache + nothing)).verdict is Verdict.CLEAN
    store = make.name("joblib._store_backends", "FileSystemStoreBackend") + b")\x81"
    folder = make.text("location") + make.text("/tmp") + make.text("store_backend") + store + b"ub"
    assert scan_bytes(make.stream(cache + folder)).worst in FOUND
    assert scan_bytes(make.call("joblib.memory", "Memory", "/tmp/anywhere")).worst in FOUND


def vendored(raw: bytes, count: int, dtype: str = "f8") -> bytes:
    """What scikit-learn's own joblib wrote until 0.22: the same, under another name."""
    ours, theirs = (make.text(start + "joblib.numpy_pickle") for start in ("", "sklearn.externals."))
    return make.stream(make.joblib_array(raw, count, dtype).replace(ours, theirs))


def test_arrays_of_the_joblib_inside_of_scikit_learn_are_read() -> None:
    assert scan_bytes(vendored(b"\0" * 80, 10)).verdict is Verdict.CLEAN
    assert scan_bytes(vendored(make.stream(make.atom(1), protocol=2), 1, "O")).verdict is Verdict.CLEAN
    assert scan_bytes(vendored(make.EVIL, 1, "O")).worst == "critical"
    assert scan_bytes(vendored(b"\0" * 80, 100)).verdict is not Verdict.CLEAN


def test_the_random_state_of_old_numpy_is_made_from_nothing() -> None:
    state = make.name("numpy.random", "__RandomState_ctor")
    assert scan_bytes(make.stream(state + b")R")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(state + SHELL + b"\x85R")).worst in FOUND


def test_pandas_missing_value_is_a_value_and_no_function() -> None:
    dtype = make.name("pandas", "StringDtype") + make.text("python") + make.name("pandas", "NA") + b"\x86R"
    assert scan_bytes(make.stream(dtype)).verdict is Verdict.CLEAN
    assert scan_bytes(make.call("pandas", "NA")).worst in FOUND
    assert scan_bytes(make.stream(make.name("pandas", "StringDtype") + SHELL + b"\x85R")).worst in FOUND


@pytest.mark.parametrize("module", ["numpy.core.records", "numpy._core.records"])
def test_records_are_described_and_not_made(module: str) -> None:
    dtype = make.name("numpy", "dtype") + make.name(module, "record") + b"\x85R"
    assert scan_bytes(make.stream(dtype)).verdict is Verdict.CLEAN
    assert scan_bytes(make.call(module, "record", 10)).worst in FOUND


def test_an_array_of_python_2s_numpy_is_made_of_allowed_classes_only() -> None:
    rebuild = make.name("numpy.core._internal", "_reconstruct")
    shape = make.arguments(0) + b"\x8c\x01b\x87R"
    assert scan_bytes(make.stream(rebuild + make.name("numpy", "ndarray") + shape)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(rebuild + make.name("os", "popen") + shape)).worst in FOUND


def test_functions_that_scipy_names_by_text_are_judged_by_that_name() -> None:
    named = lambda module, function: make.reduced(  # noqa: E731
        "scipy._lib._uarray._backend", "unpickle_function", module, function, None
    )
    assert scan_bytes(make.stream(named("scipy.fft._basic", "fft"))).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(named("os", "system"))).worst in FOUND
    assert scan_bytes(make.stream(named("os", "system") + make.text("id") + b"\x85R")).worst in FOUND


def test_vectorize_is_created_empty_only() -> None:
    """Distributions keep one."""
    kept = make.name("numpy", "vectorize") + b")\x81"
    assert scan_bytes(make.stream(kept)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(kept + make.text("id") + b"\x85R")).worst in FOUND
    assert scan_bytes(make.stream(make.name("numpy", "vectorize") + SHELL + b"\x85R")).worst in FOUND


@pytest.mark.parametrize("module", ["scipy.spatial._qhull", "scipy.spatial.qhull"])
def test_meshes_are_created_without_their_constructor(module: str) -> None:
    made = make.name(module, "Delaunay")
    assert scan_bytes(make.stream(made + b")\x81")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made + make.text("points") + b"\x85R")).worst in FOUND


def test_arrows_tables_are_made_of_arrays_and_a_schema_and_of_nothing_else() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None], "s": ["x", "y"]})
    for value in (table, table.schema, pa.decimal128(5, 2)):
        assert scan_bytes(pickle.dumps(value)).verdict is Verdict.CLEAN
    for function in ("schema", "_reconstruct_table", "decimal128"):
        assert scan_bytes(make.stream(make.name("pyarrow.lib", function) + SHELL + b"\x85R")).worst in FOUND
