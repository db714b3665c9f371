"""What the fifth held-out set of honest files found wrong with the rules, and the attacks by the same ways."""

from __future__ import annotations

import io
import pickle
import time
import zipfile

import numpy as np
import pytest
from scipy import sparse

import modelfile_samples as make
from shipworthy.modelfile import Report, Verdict, scan_bytes
from shipworthy.modelfile.pickles.names import standing_of

SHELL = make.name("os", "system")
FOUND = ("high", "critical")


def arrays(**values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **values)
    return stream.getvalue()


@pytest.mark.parametrize("count", [16, 32, 64, 96, 160, 8224])
def test_the_sizes_that_numpy_writes_for_each_array_are_no_pickle(count: int) -> None:
    """An array of 1,408 bytes has a size that begins with PROTO 5."""
    raw = arrays(x=np.arange(float(count)))
    assert raw[35:37] == b"\1\0"  # APPNOTE 4.5.3
    assert scan_bytes(raw).verdict is Verdict.CLEAN


def with_extra(kind: bytes, body: bytes) -> Report:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("x.npy")
        info.extra = kind + len(body).to_bytes(2, "little") + body
        array = io.BytesIO()
        np.save(array, np.arange(160.0))
        archive.writestr(info, array.getvalue())
    return scan_bytes(stream.getvalue())


def test_a_pickle_where_the_sizes_are_is_found() -> None:
    sizes = (1408).to_bytes(8, "little") * 2
    assert with_extra(b"\1\0", sizes).verdict is Verdict.CLEAN
    for kind in (b"\1\0", b"\7\x7f"):
        assert with_extra(kind, make.EVIL).worst in FOUND


def test_a_time_as_python_gives_it_is_nine_numbers() -> None:
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(time.gmtime(0), protocol)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(make.name("time", "struct_time") + SHELL + b"\x85R")).worst in FOUND


@pytest.mark.parametrize("name", ["_GroupDecomposedSearchSpace", "_SearchSpaceGroup"])
def test_search_spaces_of_optuna_are_known_where_they_were(name: str) -> None:
    made = make.name("optuna.samplers._search_space.group_decomposed", name)
    assert scan_bytes(make.stream(made + b")\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made + SHELL + b"\x85R")).worst in FOUND
    assert not standing_of("optuna.samplers._search_spaces.group_decomposed", name).allowed


@pytest.mark.parametrize(
    "name",
    [
        "transformers.models.time_series_transformer.modeling_time_series_transformer:nll",
        "transformers.models.patchtst.modeling_patchtst:nll",
        "transformers.time_series_utils:StudentTOutput.domain_map",
    ],
)
def test_a_model_of_series_keeps_its_loss_and_loading_calls_none(name: str) -> None:
    kept = make.name(*name.split(":"))
    assert scan_bytes(make.stream(kept)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(kept + make.text("x") + b"\x85R")).worst in FOUND
    assert not standing_of(name.split(":")[0], "StudentTOutput.load_map").allowed


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        ("pytorch_lightning.callbacks.timer", "Interval", "step"),
        ("pytorch_lightning.trainer.states", "RunningStage", "train"),
    ],
)
def test_what_lightnings_timer_keeps_is_a_text(module: str, name: str, value: str) -> None:
    assert scan_bytes(make.call(module, name, value)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(make.name(module, name) + SHELL + b"\x85R")).worst in FOUND
    assert scan_bytes(make.stream(make.reduced(module, name, value) + b"}" + make.text("a") + b"Nsb")).worst in FOUND


def test_a_single_value_of_arrow() -> None:
    kind = make.reduced("pyarrow.lib", "int64")
    assert scan_bytes(make.call("pyarrow.lib", "scalar", 3, [kind])).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(make.name("pyarrow.lib", "scalar") + SHELL + b"\x85R")).worst in FOUND


@pytest.mark.parametrize("protocol", range(6))
def test_a_matrix_without_a_number_has_empty_arrays(protocol: int) -> None:
    """Protocols 0 to 2 have no empty bytes: they call `bytes()`."""
    matrix = sparse.csr_matrix((2, 2), dtype="i1")
    assert scan_bytes(pickle.dumps(matrix, protocol)).verdict is Verdict.CLEAN
    matrix.indptr = np.array([0, 9, 9], "i4")  # nine numbers where there is none
    assert scan_bytes(pickle.dumps(matrix, protocol)).worst in FOUND


def test_a_metric_of_metrics_is_created_with_a_name_of_several_lines() -> None:
    """Before torchmetrics 1.0; `object.__new__` ignores it."""
    metric = make.name("torchmetrics.wrappers.minmax", "MinMaxMetric")
    shown = "MinMaxMetric(\n  (_base_metric): MeanMetric()\n)"
    assert scan_bytes(make.stream(metric, make.arguments(shown), b"\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(metric, make.arguments(shown), b"R")).worst in FOUND
    for wrong in (make.arguments("x" + shown), make.arguments(shown + "x"), make.arguments(shown, 1), SHELL + b"\x85"):
        assert scan_bytes(make.stream(metric, wrong, b"\x81")).worst in FOUND


def test_a_list_of_metrics_over_time() -> None:
    tracker = make.name("torchmetrics.wrappers.tracker", "MetricTracker")
    assert scan_bytes(make.stream(tracker + b")\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(tracker + SHELL + b"\x85R")).worst in FOUND
    assert not standing_of("xgboost.tracker", "RabitTracker").allowed
