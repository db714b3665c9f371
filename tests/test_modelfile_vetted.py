"""Names that were added by hand: real files need each, and an attack by each is found."""

from __future__ import annotations

import itertools
import operator
import pickle
import random
import re
import warnings
from pathlib import Path

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


def test_a_function_that_scipy_names_is_bound_to_nothing() -> None:
    """Its third argument is what a method is bound to: `bytearray` and a number would allocate that much."""
    for bound in (1 << 30, "text", [make.name("os", "system")], [b"}"]):
        found = make.call("scipy._lib._uarray._backend", "unpickle_function", "scipy.fft._basic", "fft", bound)
        assert scan_bytes(found).worst in FOUND
    bytes_ = make.reduced("scipy._lib._uarray._backend", "unpickle_function", "builtins", "bytearray", 1 << 30)
    assert scan_bytes(make.stream(bytes_, b")R")).worst in FOUND


METRIC = make.name("torchmetrics.classification.accuracy", "BinaryAccuracy")


def test_a_metric_is_created_with_the_letters_of_its_name() -> None:
    letters = make.arguments(*"BinaryAccuracy()")
    assert scan_bytes(make.stream(METRIC, letters, b"\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(METRIC, letters, b"R")).worst in FOUND  # that would be its constructor
    for wrong in (make.arguments("binary"), make.arguments("B", 1), make.arguments("B", [SHELL]), make.arguments(b"B")):
        assert scan_bytes(make.stream(METRIC, wrong, b"\x81")).worst in FOUND
    other = make.name("sklearn.linear_model._logistic", "LogisticRegression")
    assert scan_bytes(make.stream(other, letters, b"\x81")).worst in FOUND


def stored(function: bytes) -> bytes:
    """A partial whose state holds this instead of what it was made with."""
    begin = make.name("functools", "partial") + make.name("builtins", "len") + b"\x85R"
    return begin + b"(" + function + b")}Ntb"


def test_a_partial_keeps_a_bound_method_and_is_then_never_called() -> None:
    """Regressions of lifelines keep one."""
    owner = make.name("pandas._libs.tslibs.offsets", "MonthEnd") + b")\x81"
    method = make.name("builtins", "getattr") + owner + make.text("rollback") + b"\x86R"
    assert scan_bytes(make.stream(stored(method))).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(stored(method), b")R")).worst in FOUND
    dunder = make.name("builtins", "getattr") + owner + make.text("__class__") + b"\x86R"
    assert scan_bytes(make.stream(stored(dunder))).worst in FOUND
    assert scan_bytes(make.stream(stored(stored(make.name("builtins", "len"))))).worst in FOUND  # it could change later
    assert scan_bytes(make.stream(stored(make.reduced("builtins", "dict")))).worst in FOUND


def test_a_samplers_settings_hold_a_function_of_its_library_and_no_other() -> None:
    holder = make.name("optuna.samplers._tpe.parzen_estimator", "_ParzenEstimatorParameters")
    own = make.name("optuna.samplers._tpe.sampler", "default_weights")
    for create in (b"\x81", b"R"):
        assert scan_bytes(make.stream(holder, make.arguments(1, [own]), create)).verdict is Verdict.CLEAN
        assert scan_bytes(make.stream(holder, make.arguments(1, [SHELL]), create)).worst in FOUND
        assert scan_bytes(make.stream(holder, make.arguments([make.name("numpy", "load")]), create)).worst in FOUND
    assert scan_bytes(make.stream(holder, make.arguments([own]), b"\x81)R")).worst in FOUND


def test_a_booster_keeps_how_it_stops_and_nothing_that_writes_files() -> None:
    made = lambda name: make.name("xgboost.callback", name)  # noqa: E731
    assert scan_bytes(make.stream(made("EarlyStopping"), b")\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made("EarlyStopping"), SHELL, b"\x85R")).worst in FOUND
    assert scan_bytes(make.stream(made("TrainingCheckPoint"), b")\x81}b")).worst in FOUND


def old_distribution(shapes: bytes = b"N", random: bytes = b"N", **more: bytes) -> bytes:
    """A distribution as scipy before 1.6 writes it: its state is what its constructor is given."""
    keywords = dict.fromkeys("momtype a b xtol badvalue name longname extradoc seed".split(), b"N")
    items = b"".join(make.text(key) + value for key, value in {**keywords, "shapes": shapes, **more}.items())
    state = b"}\x94(" + items + b"u" + random + b"\x86"
    return make.stream(make.name("scipy.stats._continuous_distns", "beta_gen") + b")\x81" + state + b"b")


def test_the_names_in_the_state_of_an_old_distribution_are_names() -> None:
    """The constructor runs a text with these names in it."""
    random = make.name("numpy.random", "__RandomState_ctor") + b")R"
    for honest in (old_distribution(), old_distribution(make.text("a, b")), old_distribution(random=random)):
        assert scan_bytes(honest).verdict is Verdict.CLEAN
    hostile = [make.text("a=__import__('os')"), make.text("a\n"), SHELL, make.reduced("builtins", "str", "a"), b"}"]
    attacks = [old_distribution(shapes) for shapes in hostile]
    attacks += [old_distribution(random=b"}"), old_distribution(random=SHELL), old_distribution(other=b"N")]
    attacks += [old_distribution(longname=make.text("%(before_notes)999999999s")), old_distribution(seed=SHELL)]
    for attack in attacks:
        assert scan_bytes(attack).worst in FOUND


def test_names_that_are_only_kept() -> None:
    """gensim's dictionaries keep a checksum; formulaic's variables are texts."""
    assert scan_bytes(make.stream(make.name("zlib", "adler32"))).verdict is Verdict.CLEAN
    assert scan_bytes(make.call("zlib", "adler32", b"data")).worst in FOUND
    variable = make.name("formulaic.utils.variables", "Variable")
    assert scan_bytes(make.stream(variable, make.text("age"), b"\x85\x81")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(variable, SHELL, b"\x85\x81")).worst in FOUND
    rigid = make.name("scipy.spatial.transform._rigid_transform", "RigidTransform.from_matrix")
    assert scan_bytes(make.stream(rigid, SHELL, b"\x85R")).worst in FOUND


def test_a_line_break_behind_a_pickle_is_no_risk_and_anything_else_is_looked_at() -> None:
    raw = make.stream(make.atom(1))
    for blank in (b"\n", b"\r\n", b" \n\n"):
        assert scan_bytes(raw + blank).worst == "low"
    assert scan_bytes(raw + b"\n" * 100).worst == "medium"
    assert scan_bytes(raw + b"\0").worst == "medium"
    assert scan_bytes(raw + b"\n" + make.EVIL).worst in FOUND


def test_compiled_functions_are_referred_to_and_not_called() -> None:
    """Results of exponential smoothing keep the function that smooths."""
    for module in ("statsmodels.tsa.exponential_smoothing._ets_smooth", "statsmodels.tsa._stl"):
        name = "_ets_smooth_add_add" if "ets" in module else "_is_pos_int"
        assert scan_bytes(make.stream(make.name(module, name))).verdict is Verdict.CLEAN
        assert scan_bytes(make.call(module, name, 1)).worst in FOUND


def test_online_learners_are_created_empty_and_their_sizes_are_bounded() -> None:
    made = make.name("river.linear_model.log_reg", "LogisticRegression")
    assert scan_bytes(make.stream(made + b")\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made + SHELL + b"\x85R")).worst in FOUND
    assert scan_bytes(make.call("river.stats._rust_stats", "RsRollingQuantile", 0, 100)).verdict is Verdict.CLEAN
    assert scan_bytes(make.call("river.stats._rust_stats", "RsRollingQuantile", 0, 2**31 - 1)).worst in FOUND


def test_a_generator_of_random_numbers_is_what_python_3_writes() -> None:
    """River's models keep one. With the version 2 its state is counted out, however long it is."""
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(random.Random(1), protocol)).verdict is Verdict.CLEAN
    made = make.name("random", "Random")
    for version in (make.atom(2), make.reduced("builtins", "int", 2)):
        state = make.arguments([version], [make.reduced("builtins", "range", 1 << 30)], None)
        assert scan_bytes(make.stream(made + b")R", state, b"b")).worst in FOUND
    assert scan_bytes(make.stream(made + b")R}b")).worst in FOUND
    assert scan_bytes(make.call("random", "Random", "seed")).worst in FOUND
    assert scan_bytes(make.call("random", "SystemRandom")).worst in FOUND


def test_what_goes_round_for_ever_is_kept_and_never_counted_out() -> None:
    """Models of river keep one."""
    rounds = itertools.cycle(range(4))
    next(rounds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        files = [pickle.dumps({"rounds": rounds}, protocol) for protocol in range(6)]
    for raw in files:
        assert scan_bytes(raw).verdict is Verdict.CLEAN
    through = make.name("builtins", "iter") + b"]" + b"\x85R"
    endless = make.name("itertools", "cycle") + through + b"\x85R"
    assert scan_bytes(make.stream(endless)).verdict is Verdict.CLEAN
    for counted in ("list", "tuple", "set", "dict"):
        assert scan_bytes(make.stream(make.name("builtins", counted) + endless + b"\x85R")).worst in FOUND
    assert scan_bytes(make.stream(make.name("collections", "deque") + endless + b"\x85R")).worst in FOUND
    assert scan_bytes(make.stream(make.name("builtins", "iter") + SHELL + b"N\x86R")).worst in FOUND
    assert scan_bytes(make.stream(make.name("itertools", "cycle") + SHELL + b"\x85R")).worst in FOUND
    many = make.name("builtins", "iter") + make.reduced("builtins", "range", 1 << 30) + b"\x85R"
    assert scan_bytes(make.stream(make.name("builtins", "list") + many + b"\x85R")).worst in FOUND
    for maker in ("iter", "list"):
        assert scan_bytes(make.call("collections", "defaultdict", [make.name("builtins", maker)])).worst in (
            FOUND if maker == "iter" else ("",)
        )


def test_a_distance_by_a_function_is_stored() -> None:
    vectors = make.reduced("builtins", "float", 1)
    for module in ("sklearn.metrics._dist_metrics", "sklearn.neighbors._dist_metrics"):
        made = make.name(module, "newObj") + make.name(module, "PyFuncDistance") + b"\x85R"
        state = lambda function: b"(" + vectors * 3 + function + b"}tb"  # noqa: E731
        honest = make.name("scipy.spatial.distance", "braycurtis")
        assert scan_bytes(make.stream(made, state(honest))).verdict is Verdict.CLEAN
        assert scan_bytes(make.stream(made, state(SHELL))).worst in FOUND
        other = make.name(module, "newObj") + make.name(module, "MahalanobisDistance") + b"\x85R"
        assert scan_bytes(make.stream(other, state(honest))).worst in FOUND


def test_torchs_scaler_makes_its_dictionaries_and_no_other_function_does() -> None:
    for module in ("torch.amp.grad_scaler", "torch.cuda.amp.grad_scaler"):
        fresh = make.name(module, "_refresh_per_optimizer_state")
        assert scan_bytes(make.stream(make.name("collections", "defaultdict") + fresh + b"\x85R")).worst == ""
    other = make.name("torch.nn.init", "calculate_gain")
    assert scan_bytes(make.stream(make.name("collections", "defaultdict") + other + b"\x85R")).worst in FOUND


def test_an_image_processors_resampling_is_a_number() -> None:
    assert scan_bytes(make.call("PIL.Image", "Resampling", 2)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(make.name("PIL.Image", "Resampling") + SHELL + b"\x85R")).worst in FOUND
    assert scan_bytes(
        make.stream(make.reduced("PIL.Image", "Resampling", 2) + b"}" + make.text("a") + b"Nsb")
    ).worst in (FOUND)


ARROW = (Path(__file__).parent / "data" / "models" / "columnar" / "polars.arrows").read_bytes()
FRAME = make.name("polars.dataframe.frame", "DataFrame") + b")\x81"


def bytes_(raw: bytes) -> bytes:
    return b"B" + len(raw).to_bytes(4, "little") + raw


def test_a_frame_of_polars_is_a_table_of_arrow_and_nothing_else() -> None:
    assert scan_bytes(make.stream(FRAME, bytes_(ARROW), b"b")).verdict is Verdict.CLEAN
    cut = ARROW[:300]
    for state in (bytes_(make.EVIL), bytes_(cut), b"]", b"}", SHELL, b"N"):
        assert scan_bytes(make.stream(FRAME, state, b"b")).verdict is not Verdict.CLEAN
    rebuilt = make.name("sklearn.metrics._dist_metrics", "newObj") + make.name("polars.series.series", "Series")
    assert scan_bytes(make.stream(rebuilt, b"\x85R", bytes_(b"x" * 9), b"b")).worst in FOUND
    assert scan_bytes(make.call("polars.dataframe.frame", "DataFrame", "a")).worst in FOUND
    assert scan_bytes(make.call("polars.dataframe.frame", "DataFrame.deserialize", "a")).worst in FOUND


@pytest.mark.parametrize("value", [None, True, 3, 2.5])
def test_what_is_no_bytes_is_no_model_inside(value: object) -> None:
    assert scan_bytes(make.call("torch.storage", "_load_from_bytes", value)).worst in FOUND


def test_a_metric_before_0_11_is_created_with_its_own_name() -> None:
    """`object.__new__` ignores it; no other text, and none for the constructor."""
    assert scan_bytes(make.stream(METRIC, make.arguments("BinaryAccuracy()"), b"\x81}b")).verdict is Verdict.CLEAN
    for wrong in ("BinaryAccuracy", "MeanMetric()", "BinaryAccuracy()x"):
        assert scan_bytes(make.stream(METRIC, make.arguments(wrong), b"\x81")).worst in FOUND
    assert scan_bytes(make.stream(METRIC, make.arguments("BinaryAccuracy()"), b"R")).worst in FOUND


@pytest.mark.parametrize(
    "name",
    [
        "torch.nn.quantized.dynamic.modules.linear:Linear",
        "torch.nn.quantized.modules.linear:LinearPackedParams",
        "torch.nn.intrinsic.modules.fused:ConvReLU2d",
        "timm.models.layers.norm_act:BatchNormAct2d",
        "timm.models.efficientnet_blocks:SqueezeExcite",
    ],
)
def test_modules_that_moved_are_known_where_they_were(name: str) -> None:
    made = make.name(*name.split(":"))
    assert scan_bytes(make.stream(made + b")\x81}b")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made + SHELL + b"\x85R")).worst in FOUND
    assert not standing_of("torch.nn.quantizedx", "Linear").allowed
    assert not standing_of("timm.models.layers", "load_custom").allowed


def test_a_frame_of_polars_in_the_old_protocols() -> None:
    begin = make.name("copy_reg", "_reconstructor") + make.name("polars.dataframe.frame", "DataFrame")
    made = begin + make.name("__builtin__", "object") + b"N\x87R"
    assert scan_bytes(make.stream(made, bytes_(ARROW), b"b", protocol=2)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made, bytes_(make.EVIL), b"b", protocol=2)).worst in FOUND
    other = begin + make.name("__builtin__", "list") + b"]\x87R"
    assert scan_bytes(make.stream(other, protocol=2)).worst in FOUND


def test_types_of_arrow_in_types() -> None:
    for kind in ("dictionary", "map_", "large_list"):
        assert (
            scan_bytes(make.call("pyarrow.lib", kind, [make.reduced("pyarrow.lib", "int64")])).verdict is Verdict.CLEAN
        )
        assert scan_bytes(make.stream(make.name("pyarrow.lib", kind) + SHELL + b"\x85R")).worst in FOUND
