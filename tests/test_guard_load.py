"""`shipworthy.load`: what is scanned is what is loaded, and nothing else is."""

from __future__ import annotations

import collections
import gzip
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import modelfile_samples as make
import shipworthy
from evidence_world import signer
from shipworthy import modelfile
from shipworthy.checks.models import model_file
from shipworthy.errors import EnvironmentFailure, EvidenceError, ModelRefusedError, UsageError
from shipworthy.evidence import sign_model
from shipworthy.guard import load as guard_load
from shipworthy.guard.held import Held
from shipworthy.guard.load import _code
from shipworthy.guard.unpickle import Names, guarded, unpickle
from shipworthy.modelfile import Code, Report, Verdict

DATA = Path(__file__).parent / "data" / "models"


def needs(*libraries: str) -> pytest.MarkDecorator:
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"the library {', '.join(missing)} is not installed here")


def evil(marker: Path) -> bytes:
    """A pickle that leaves a mark when it is really loaded."""
    return make.call("builtins", "open", str(marker), "w")


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# --- what is loaded --------------------------------------------------------------------------------------------------


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, shipworthy; print([m for m in sys.modules if m.startswith(('shipworthy.', 'numpy', 'hashlib'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert callable(shipworthy.load)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = shipworthy.lode


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle(tmp_path: Path, protocol: int) -> None:
    value = {
        "weights": np.arange(6, dtype="f4").reshape(2, 3),
        "names": collections.OrderedDict(a=1),
        "set": frozenset({1, 2}),
        "complex": 1j,
        "long": 1 << 100,
    }
    loaded = shipworthy.load(write(tmp_path / "model.pkl", pickle.dumps(value, protocol)))
    assert np.array_equal(loaded.pop("weights"), value.pop("weights"))
    assert loaded == value


def test_numpy_arrays_and_archives(tmp_path: Path) -> None:
    array = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array, y=array[0])
    assert np.array_equal(shipworthy.load(tmp_path / "a.npy"), array)
    archive = shipworthy.load(str(tmp_path / "a.npz"))
    assert sorted(archive) == ["x", "y"]
    assert np.array_equal(archive["y"], array[0])


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(ModelRefusedError, match=r"numpy does not load it.*allow_pickle") as caught:
        shipworthy.load(tmp_path / "a.npy")
    assert "plain arrays" in caught.value.remedy


def test_safetensors_and_shards(tmp_path: Path) -> None:
    a, b = np.ones(3, "f4"), np.zeros((2, 2), "i8")
    safetensors.numpy.save_file({"a": a}, tmp_path / "model-1.safetensors")
    safetensors.numpy.save_file({"b": b}, tmp_path / "model-2.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    place = write(tmp_path / "model.safetensors.index.json", json.dumps(index).encode())
    assert np.array_equal(shipworthy.load(tmp_path / "model-1.safetensors")["a"], a)
    loaded = shipworthy.load(place)
    assert sorted(loaded) == ["a", "b"]
    assert np.array_equal(loaded["b"], b)

    place.write_text(json.dumps({"weight_map": {"a": "model-2.safetensors"}}))
    with pytest.raises(ModelRefusedError, match="do not agree on the tensor"):
        shipworthy.load(place)
    place.write_text(json.dumps({"weight_map": {"a": "../model-2.safetensors"}}))
    with pytest.raises(ModelRefusedError, match="path-traversal"):
        shipworthy.load(place)
    write(tmp_path / "model-2.safetensors", make.EVIL)
    place.write_text(json.dumps(index))
    with pytest.raises(ModelRefusedError, match=r"model-2.safetensors: it is not loaded: critical"):
        shipworthy.load(place)
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(UsageError, match=r"model-2.safetensors: there is no such file"):
        shipworthy.load(place)


def test_onnx(tmp_path: Path) -> None:
    for path in sorted((DATA / "onnx").glob("*.onnx")):
        try:
            model = shipworthy.load(path)
        except ModelRefusedError as error:
            assert isinstance(error.report, Report)
            assert error.report.issues or error.report.unknowns
        else:
            assert model.graph.node


@needs("torch")
def test_torch(tmp_path: Path) -> None:
    import torch

    state = {"w": torch.arange(6.0).reshape(2, 3), "n": 3}
    for name, options in (("a.pt", {}), ("b.pt", {"_use_new_zipfile_serialization": False})):
        torch.save(state, tmp_path / name, **options)
        loaded = shipworthy.load(tmp_path / name)
        assert torch.equal(loaded["w"], state["w"])
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    with pytest.raises(ModelRefusedError, match="torch does not load it") as caught:
        shipworthy.load(tmp_path / "whole.pt")
    assert "state_dict" in caught.value.remedy
    from safetensors.torch import save_file

    save_file({"w": torch.ones(2)}, tmp_path / "t.safetensors")
    assert torch.equal(shipworthy.load(tmp_path / "t.safetensors", framework="torch")["w"], torch.ones(2))


@needs("keras", "h5py")
@pytest.mark.filterwarnings("ignore")
def test_keras(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    rows = np.ones((1, 3), "f4")
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        (tmp_path / name).rename(tmp_path / "named-otherwise")
        loaded = shipworthy.load(tmp_path / "named-otherwise")
        assert np.allclose(*(keras.ops.convert_to_numpy(m(rows)) for m in (loaded, model)))
    unsafe = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    unsafe.save(tmp_path / "lambda.keras")
    with pytest.raises(ModelRefusedError, match="keras-lambda"):
        shipworthy.load(tmp_path / "lambda.keras")


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib(tmp_path: Path, compress: Any) -> None:
    import joblib

    value = {"a": np.arange(1000.0), "o": np.array(["x", None, {"k": 1}], dtype=object), "n": [1, 2]}
    joblib.dump(value, tmp_path / "m.joblib", compress=compress)
    loaded = shipworthy.load(tmp_path / "m.joblib")
    assert np.array_equal(loaded["a"], value["a"])
    assert loaded["o"].tolist() == value["o"].tolist()
    assert loaded["n"] == [1, 2]


def test_a_real_estimator(tmp_path: Path) -> None:
    import joblib
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    for number, model in enumerate(
        (make_pipeline(StandardScaler(), LogisticRegression()), RandomForestClassifier(n_estimators=5))
    ):
        model.fit(x, y)
        joblib.dump(model, tmp_path / f"{number}.joblib")
        (tmp_path / f"{number}.pkl").write_bytes(pickle.dumps(model))
        for name in (f"{number}.joblib", f"{number}.pkl"):
            assert np.array_equal(shipworthy.load(tmp_path / name).predict(x), model.predict(x))


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, zlib.compress, lambda d: make.torch_zip(d)])
def test_a_payload_is_never_run(tmp_path: Path, wrap: Callable[[bytes], bytes]) -> None:
    marker = tmp_path / "marker"
    place = write(tmp_path / "model", wrap(evil(marker)))
    with pytest.raises(ModelRefusedError) as caught:
        shipworthy.load(place)
    assert caught.value.exit_code == 1
    assert "not loaded" in caught.value.message
    assert caught.value.where == str(place)
    assert caught.value.remedy
    assert isinstance(caught.value.report, Report)
    assert not marker.exists()


def test_accepting_an_issue_loads_the_file_in_spite_of_it(tmp_path: Path) -> None:
    place = write(tmp_path / "model.pkl", make.PLAIN + b"tail of something")
    with pytest.raises(ModelRefusedError, match="unexplained-bytes"):
        shipworthy.load(place)
    assert shipworthy.load(place, accept=["unexplained-bytes", "unknown"]) == [1]


def test_if_the_scan_were_blind_the_loader_would_still_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "marker"
    blind = Report("pickle", Verdict.CLEAN, names=("builtins:open",))
    monkeypatch.setitem(guard_load.__globals__, "scan_view", lambda *_, **__: blind)
    with pytest.raises(ModelRefusedError, match="builtins:open, which the scan did not allow"):
        shipworthy.load(write(tmp_path / "model.pkl", evil(marker)))
    assert not marker.exists()


def test_a_name_that_the_scan_did_not_see_is_not_imported() -> None:
    import io

    names = Names({"collections:OrderedDict"}, ())
    assert unpickle(io.BytesIO(pickle.dumps(collections.OrderedDict)), names) is collections.OrderedDict
    with pytest.raises(pickle.UnpicklingError, match="collections:deque"):
        unpickle(io.BytesIO(pickle.dumps(collections.deque)), names)


def test_a_class_of_the_project_needs_its_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ourmodels.py").write_text("class Model:\n    def __init__(self):\n        self.weight = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    import ourmodels  # type: ignore[import-not-found]

    place = write(tmp_path / "m.pkl", pickle.dumps(ourmodels.Model()))
    with pytest.raises(ModelRefusedError) as caught:
        shipworthy.load(place)
    assert "trust=" in caught.value.remedy
    assert shipworthy.load(place, trust=["ourmodels:*"]).weight == 2


@pytest.mark.parametrize("data", [b"", b"just text\n", b"GGUF\x03\0\0\0" + bytes(64), bytes(range(7, 256, 3))])
def test_what_is_not_known_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ModelRefusedError, match=r"not all of it could be judged|not loaded"):
        shipworthy.load(write(tmp_path / "m", data))
    with pytest.raises(ModelRefusedError, match=r"no safe loader|not loaded"):
        shipworthy.load(tmp_path / "m", accept=["unknown"])


def test_torchscript_is_a_program(tmp_path: Path) -> None:
    place = write(tmp_path / "m.pt", make.torch_zip(make.PLAIN, ("m/constants.pkl", make.stream(b")"))))
    with pytest.raises(ModelRefusedError, match="no safe loader for TorchScript"):
        shipworthy.load(place, accept=["unknown", "container-tampered", "unexplained-bytes"])


def test_a_finding_is_accepted_by_the_id_of_its_rule_too(tmp_path: Path) -> None:
    place = write(tmp_path / "m.pkl", make.PLAIN + b"behind")
    with pytest.raises(ModelRefusedError) as caught:
        shipworthy.load(place)
    report = caught.value.report
    assert isinstance(report, Report)
    codes = {str(issue.code) for issue in report.issues}
    for accept in (codes, {f"model-{code}" for code in codes}):
        assert shipworthy.load(place, accept=[*accept, "unknown"]) == [1]
    for never in ("model-keras-foreign-class", "code-execution"):
        with pytest.raises(UsageError, match="can't be accepted"):
            shipworthy.load(place, accept=[never])
    with pytest.raises(UsageError, match="no issue of the code 'model-nonsense'"):
        shipworthy.load(place, accept=["model-nonsense"])
    assert {_code(rule.id) for rule in model_file._RULES.values()} == set(Code)


def test_torchs_advice_to_load_without_its_safe_mode_is_not_passed_on() -> None:
    text = "Weights only load failed. This file can still be loaded, to do so you have \x1b[1mRe-running\x1b[0m\n"
    text += "Unsupported global: GLOBAL argparse.Namespace was not an allowed global by default. Please use"

    def refuse() -> None:
        raise RuntimeError(text)

    with pytest.raises(ModelRefusedError, match=r"the file needs argparse\.Namespace$") as caught:
        guarded(refuse, "torch", "m.pt", None)
    assert "add_safe_globals" in str(caught.value.remedy)
    assert "x1b" not in str(caught.value)


def test_what_is_no_path_is_wrong_usage() -> None:
    for wrong in (make.PLAIN, 3, None):
        with pytest.raises(UsageError, match="a model is given by its path"):
            shipworthy.load(wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        shipworthy.load("http://127.0.0.1/x.pkl")
    assert caught.value.where == "http://127.0.0.1/x.pkl"


def test_one_pattern_is_vouched_for_as_a_list_of_one(tmp_path: Path) -> None:
    place = write(tmp_path / "m.pkl", pickle.dumps(Path))
    assert shipworthy.load(place, trust="pathlib*:*") is Path
    with pytest.raises(UsageError, match="`3` is no pattern"):
        shipworthy.load(place, trust=[3])  # type: ignore[list-item]


def test_data_beside_an_onnx_model_are_not_said_to_be_missing(tmp_path: Path) -> None:
    import onnx

    tensor = onnx.helper.make_tensor("W", 1, [64], np.ones(64, "f4").tobytes(), raw=True)
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    options: dict[str, Any] = {"save_as_external_data": True, "location": "m.data", "size_threshold": 0}
    onnx.save_model(onnx.helper.make_model(graph), tmp_path / "m.onnx", **options)
    with pytest.raises(ModelRefusedError, match=r"'m.data', which is not looked at here") as caught:
        shipworthy.load(tmp_path / "m.onnx")
    assert "save it as one file" in caught.value.remedy


def test_numbers_that_numpy_has_not_by_itself(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    data = len(header).to_bytes(8, "little") + header + b"\x80\x3f\x00\x40"
    place = write(tmp_path / "m.safetensors", data)
    without = (
        "import sys; sys.modules['ml_dtypes'] = None\nimport shipworthy\n"
        "try: shipworthy.load(sys.argv[1])\n"
        "except shipworthy.errors.EnvironmentFailure as error: print(error, error.remedy)"
    )
    done = subprocess.run([sys.executable, "-c", without, str(place)], capture_output=True, text=True, check=True)
    assert "of the type bfloat16" in done.stdout
    assert 'framework="torch"' in done.stdout
    if importlib.util.find_spec("ml_dtypes"):
        assert shipworthy.load(place)["w"].astype("f4").tolist() == [1, 2]


def test_a_device_is_no_empty_file() -> None:
    with pytest.raises(EnvironmentFailure, match="no regular file"):
        modelfile.scan("/dev/zero")


def test_an_address_is_no_missing_file() -> None:
    with pytest.raises(UsageError, match="addresses are not loaded"):
        shipworthy.load("https://models.invalid/m.pt")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a folder"):
        shipworthy.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        shipworthy.load(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no such file"):
        shipworthy.load(tmp_path / "absent")
    with pytest.raises(ModelRefusedError, match="larger than 4 bytes"):
        shipworthy.load(write(tmp_path / "m.pkl", make.PLAIN), limit=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trusted": ["key.pub"]}, "no signature is given"),
        ({"signature": b"{}"}, "without a key"),
        ({"accept": ["code-exec"]}, "no issue of the code"),
        ({"accept": "unknown"}, "are lists"),
        ({"accept": ["code-execution"]}, "can't be accepted"),
        ({"framework": "jax"}, "become no 'jax'"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        shipworthy.load(write(tmp_path / "m.pkl", make.PLAIN), **options)


def test_a_library_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    place = write(tmp_path / "m.pt", make.torch_zip(make.PLAIN))
    with pytest.raises(EnvironmentFailure, match="needs torch"):
        shipworthy.load(place)


# --- signature and digest --------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_bytes_that_are_loaded(tmp_path: Path) -> None:
    place, key = write(tmp_path / "m.pkl", make.PLAIN), signer(tmp_path, "release")
    raw, _ = sign_model(place, key)
    signature = write(tmp_path / "m.sig", raw)
    assert shipworthy.load(place, signature=signature, trusted=[tmp_path / "release.pub"]) == [1]
    assert shipworthy.load(place, signature=raw, trusted=[key.public_key()]) == [1]
    other = signer(tmp_path, "other")
    with pytest.raises(EvidenceError, match="not trusted"):
        shipworthy.load(place, signature=signature, trusted=[other.public_key()])
    place.write_bytes(make.stream(b"]", make.atom(2), b"a"))
    assert shipworthy.load(place) == [2]
    with pytest.raises(EvidenceError, match="not the ones that were signed"):
        shipworthy.load(place, signature=signature, trusted=[key.public_key()])


def test_a_signed_folder_covers_every_shard(tmp_path: Path) -> None:
    folder, key = tmp_path / "model", signer(tmp_path, "release")
    folder.mkdir()
    safetensors.numpy.save_file({"a": np.ones(3, "f4")}, folder / "1.safetensors")
    index = write(folder / "i.json", json.dumps({"weight_map": {"a": "1.safetensors"}}).encode())
    raw, _ = sign_model(folder, key, signature_name="model.sig")
    inside = write(folder / "model.sig", raw)
    beside = write(tmp_path / "model.sig", sign_model(folder, key, signature_name="model.sig")[0])
    for signature in (inside, beside):
        assert "a" in shipworthy.load(index, signature=signature, trusted=[key.public_key()])
    safetensors.numpy.save_file({"a": np.zeros(3, "f4")}, folder / "1.safetensors")
    with pytest.raises(EvidenceError, match=r"1.safetensors: the bytes are not the ones that were signed"):
        shipworthy.load(index, signature=inside, trusted=[key.public_key()])
    index.write_text(json.dumps({"weight_map": {"a": "2.safetensors"}}))
    with pytest.raises(EvidenceError, match="not the ones that were signed"):
        shipworthy.load(index, signature=inside, trusted=[key.public_key()])
    unsigned = write(folder / "new.pkl", make.PLAIN)
    with pytest.raises(EvidenceError, match=r"does not cover new.pkl"):
        shipworthy.load(unsigned, signature=inside, trusted=[key.public_key()])


def test_an_expected_digest(tmp_path: Path) -> None:
    place = write(tmp_path / "m.pkl", make.PLAIN)
    with Held(place) as held:
        digest = held.digest
    assert shipworthy.load(place, digest=digest) == [1]
    assert shipworthy.load(place, digest=digest.removeprefix("sha256:").upper()) == [1]
    with pytest.raises(EvidenceError, match="not the expected ones"):
        shipworthy.load(place, digest="0" * 64)
    for wrong in (
        "abc",
        "sha512:" + "0" * 128,
        "sha256:",
    ):  # no evidence against the file: nothing can have this digest
        with pytest.raises(UsageError, match="is no SHA-256 digest"):
            shipworthy.load(place, digest=wrong)


# --- no gap between check and use ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["renamed over", "written in place", "cut", "removed"])
def test_a_file_swapped_after_the_scan_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    marker = tmp_path / "marker"
    place, other = write(tmp_path / "m.pkl", make.PLAIN), write(tmp_path / "evil.pkl", evil(marker))
    real = guard_load.__globals__["scan_view"]

    def scan_then_swap(*given: Any, **options: Any) -> Report:
        report: Report = real(*given, **options)
        if how == "renamed over":
            os.replace(other, place)
        elif how == "written in place":
            with place.open("r+b") as stream:
                stream.write(other.read_bytes())
        elif how == "cut":
            os.truncate(place, 0)
        else:
            place.unlink()
        return report

    monkeypatch.setitem(guard_load.__globals__, "scan_view", scan_then_swap)
    assert shipworthy.load(place) == [1]
    assert not marker.exists()
    assert how == "removed" or place.read_bytes() != make.PLAIN


def test_a_file_that_changes_all_the_time_never_runs(tmp_path: Path) -> None:
    marker, place, stop = tmp_path / "marker", tmp_path / "m.pkl", threading.Event()
    versions = (make.PLAIN, evil(marker))
    write(place, make.PLAIN)

    def swap() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            write(tmp_path / "next", versions[number % 2])
            os.replace(tmp_path / "next", place)
            with place.open("r+b") as stream:
                stream.write(versions[(number + 1) % 2])

    thread = threading.Thread(target=swap)
    thread.start()
    loaded = refused = 0
    try:
        for _ in range(150):
            try:
                assert shipworthy.load(place) == [1]
                loaded += 1
            except ModelRefusedError:
                refused += 1
    finally:
        stop.set()
        thread.join()
    assert loaded + refused == 150
    assert not marker.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="sealed memory is Linux's")
def test_the_held_copy_cannot_be_changed_by_anybody(tmp_path: Path) -> None:
    with Held(write(tmp_path / "m.pkl", make.PLAIN)) as held:
        for flags in (os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
            try:
                descriptor = os.open(held.direct_path, flags)
            except PermissionError:
                continue
            with pytest.raises(PermissionError):
                os.pwrite(descriptor, b"x", 0)
            os.close(descriptor)
        assert held.view.all() == make.PLAIN
        with held.open() as stream:
            stream.seek(-1, os.SEEK_END)
            assert stream.read() == b"."
            with pytest.raises(ValueError, match="before the beginning"):
                stream.seek(-100)
