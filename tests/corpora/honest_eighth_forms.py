# ruff: noqa: E501 - makers are short functions
"""What is made of the eighth set's models of tables: ONNX and ONNX Runtime's forms, Core ML, PMML, skops, MLflow, boosters' own."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from honest_eighth import at
from honest_eighth_tables import ESTIMATORS, TITLES, Kinds, classes, estimator, others, people, pipe, rows, sk, sparse

CONVERTED = ("logistic-l1 sgd-log lars theil gamma tweedie forest-entropy forest-labels forest-real extra-several "
    "histogram gradient-many gradient-quantile bagging-features tree-several tree-columns svc-linear svc-rbf nu-svr knn-brute "
    "radius mixture-full process-classes mlp-layers mlp-lbfgs kmeans-elkan incremental-pca kernel-pca isolation qda lda-eigen "
    "quantile tasks passive ridge-classes bins splines quantiles random-projection nystroem").split()  # fmt: skip


def _onnx(folder: Path, model: Any, width: int, opset: int, **more: Any) -> Path:
    path = folder / "model.onnx"
    made = at("skl2onnx.to_onnx")(
        model, np.zeros((1, width), np.float32), target_opset={"": opset, "ai.onnx.ml": 3 if opset < 20 else 4}, **more
    )
    path.write_bytes(made.SerializeToString())
    return path  # fmt: skip


def _booster(folder: Path, name: str) -> Path:
    kind = at("onnxmltools.convert.common.data_types.FloatTensorType")
    call = "xgboost" if name.startswith("xgb") else "lightgbm"
    made = at(f"onnxmltools.convert_{call}")(
        others()[name](), initial_types=[("eingabe", kind([None, 6]))], target_opset=15
    )
    at("onnxmltools.utils.save_model")(made, str(folder / "booster.onnx"))
    return folder / "booster.onnx"  # fmt: skip


def runtime(folder: Path, path: Path, how: str) -> None:
    """What ONNX Runtime's tools make of a model; the model that they were given is removed."""
    ort, made = importlib.import_module("onnxruntime"), folder / f"model.{how}.onnx"
    if how in ("basic", "extended", "all"):
        options = ort.SessionOptions()
        level = {"basic": "ORT_ENABLE_BASIC", "extended": "ORT_ENABLE_EXTENDED", "all": "ORT_ENABLE_ALL"}[how]
        options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
        options.optimized_model_filepath = str(made)
        ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    elif how == "ort":
        options = ort.SessionOptions()
        options.optimized_model_filepath = str(folder / "model.ort")
        options.add_session_config_entry("session.save_model_format", "ORT")
        ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    elif how in ("dynamic", "dynamic-u8"):
        kind = at("onnxruntime.quantization.QuantType")
        at("onnxruntime.quantization.quantize_dynamic")(
            str(path),
            str(made),
            weight_type=kind.QInt8 if how == "dynamic" else kind.QUInt8,
            per_channel=how == "dynamic",
        )
    elif how in ("qdq", "qoperator"):
        base = at("onnxruntime.quantization.CalibrationDataReader")
        inputs = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()
        shape = [d if isinstance(d, int) else 1 for d in inputs[0].shape]
        left = iter([{inputs[0].name: np.random.default_rng(i).random(shape, "float32")} for i in range(3)])
        reader = type("Reader", (base,), {"get_next": lambda _: next(left, None)})()
        form = at("onnxruntime.quantization.QuantFormat")
        at("onnxruntime.quantization.quantize_static")(
            str(path), str(made), reader, quant_format=form.QDQ if how == "qdq" else form.QOperator
        )
    elif how == "half":
        onnx = importlib.import_module("onnx")
        onnx.save(
            at("onnxruntime.transformers.float16.convert_float_to_float16")(onnx.load(str(path)), keep_io_types=True),
            str(made),
        )
    elif how == "int4":
        onnx, lib = (
            importlib.import_module("onnx"),
            importlib.import_module("onnxruntime.quantization.matmul_nbits_quantizer"),
        )
        quantizer = lib.MatMulNBitsQuantizer(onnx.load(str(path)), block_size=16, is_symmetric=True)
        quantizer.process()
        quantizer.model.save_model_to_file(str(made), True)
    elif how == "external":
        onnx = importlib.import_module("onnx")
        (folder / "out").mkdir()
        onnx.save_model(
            onnx.load(str(path)),
            str(folder / "out" / "model.onnx"),
            save_as_external_data=True,
            all_tensors_to_one_file=False,
            size_threshold=16,
            convert_attribute=False,
        )
    elif how == "checked":
        onnx = importlib.import_module("onnx")
        found = onnx.shape_inference.infer_shapes(onnx.version_converter.convert_version(onnx.load(str(path)), 19))
        onnx.helper.set_model_props(found, {"author": "Zoë", "labels": "müde,wach"})
        onnx.save(found, str(made))
    elif how == "text":
        onnx = importlib.import_module("onnx")
        onnx.save(onnx.load(str(path)), str(folder / "model.onnx.json"), format="json")
    path.unlink()
    if path.with_name(path.name + ".data").exists():
        path.with_name(path.name + ".data").unlink()  # fmt: skip


HOWS = ["basic", "extended", "all", "ort", "dynamic", "qdq", "half", "checked", "external", "dynamic-u8", "qoperator"]


def onnx_kinds() -> Kinds:
    """scikit-learn's and boosters' models as ONNX, and what ONNX Runtime makes of them."""
    made: Kinds = {}
    for index, name in enumerate(CONVERTED):
        width, opset = ESTIMATORS[name][2], (12, 15, 17, 18, 19, 21)[index % 6]
        options = (
            {"options": {"zipmap": ("columns", False)[index % 2]}}
            if name in ("logistic-l1", "forest-entropy", "svc-rbf", "sgd-log", "histogram")
            else {}
        )
        made[f"{name}.onnx"] = lambda folder, name=name, width=width, opset=opset, options=options: _onnx(
            folder, estimator(name), width, opset, **options
        )
        if index % 3 == 0:
            how = HOWS[index // 3 % len(HOWS)]
            made[f"{name}.onnx-{how}"] = lambda folder, name=name, width=width, how=how: runtime(
                folder, _onnx(folder, estimator(name), width, 17), how
            )
    for index, name in enumerate(
        ("xgb-missing", "xgb-callbacks", "xgb-forest", "lgb-quantile", "lgb-text", "lgb-extra")
    ):
        made[f"{name}.onnx"] = lambda folder, name=name: _booster(folder, name)
        how = ("ort", "all", "checked")[index % 3]
        made[f"{name}.onnx-{how}"] = lambda folder, name=name, how=how: runtime(folder, _booster(folder, name), how)
    made["columns-forest.onnx"] = lambda folder: _columns(folder)
    made["text-union.onnx"] = lambda folder: _texts(folder)
    for way in (
        "vote-soft",
        "calibrated-sigmoid",
        "stack-real",
        "one-one",
        "chain",
        "multi",
        "sequential",
        "from-model",
        "target-quantile",
    ):
        made[f"{way}.onnx"] = lambda folder, way=way: _onnx(
            folder, others()[way](), 5 if way == "sequential" else 4 if way == "target-quantile" else 6, 18
        )
    return made  # fmt: skip


def _columns(folder: Path) -> None:
    kinds, table = (
        importlib.import_module("skl2onnx.common.data_types"),
        people()[["größe", "年齢", "plan"]].astype({"年齢": "float64"}).fillna({"plan": "-"}),
    )
    steps = [
        ("n", sk("preprocessing.StandardScaler"), ["größe", "年齢"]),
        ("w", sk("preprocessing.OneHotEncoder", handle_unknown="ignore"), ["plan"]),
    ]
    model = pipe(sk("compose.ColumnTransformer", steps), sk("ensemble.RandomForestClassifier", 4)).fit(
        table.fillna(0.0), people().churn
    )
    types = [
        ("größe", kinds.FloatTensorType([None, 1])),
        ("年齢", kinds.FloatTensorType([None, 1])),
        ("plan", kinds.StringTensorType([None, 1])),
    ]
    (folder / "columns.onnx").write_bytes(at("skl2onnx.convert_sklearn")(model, initial_types=types, target_opset=16).SerializeToString())  # fmt: skip


def _texts(folder: Path) -> None:
    kinds = importlib.import_module("skl2onnx.common.data_types")
    model = pipe(
        sk("feature_extraction.text.TfidfVectorizer", token_pattern=r"[a-zA-Z]+"), sk("linear_model.LogisticRegression")
    ).fit(TITLES, np.arange(len(TITLES)) % 2)
    (folder / "texts.onnx").write_bytes(at("skl2onnx.convert_sklearn")(model, initial_types=[("text", kinds.StringTensorType([None, 1]))], target_opset=16).SerializeToString())  # fmt: skip


def _coreml(folder: Path, name: str, version: int) -> None:
    ct = importlib.import_module("coremltools")
    if name.startswith("xgb"):
        made = ct.converters.xgboost.convert(
            others()[name](), mode="regressor" if name == "xgb-missing" else "classifier", n_classes=2
        )
    else:
        model = _plain(name)
        made = ct.converters.sklearn.convert(model, [f"größe{i}" for i in range(6)], "ziel")
    spec = made.get_spec()
    spec.specificationVersion = max(version, spec.specificationVersion)
    spec.description.metadata.userDefined["autorin"] = "Zoë"
    ct.utils.save_spec(spec, str(folder / "Model.mlmodel"))  # fmt: skip


def _plain(name: str) -> Any:
    y = classes("real") if name.endswith("real") else classes("int")
    made = {
        "linear-real": lambda: sk("linear_model.LinearRegression"), "svr-real": lambda: sk("svm.SVR"), "nu-real": lambda: sk("svm.NuSVR"),
        "linear-svr-real": lambda: sk("svm.LinearSVR"), "tree-real": lambda: sk("tree.DecisionTreeRegressor", max_depth=4),
        "forest-trees-real": lambda: sk("ensemble.RandomForestRegressor", 3), "boost-real": lambda: sk("ensemble.GradientBoostingRegressor", n_estimators=4),
        "ridge-pipe-real": lambda: pipe(sk("preprocessing.StandardScaler"), sk("linear_model.LinearRegression")),
        "logistic": lambda: sk("linear_model.LogisticRegression"), "tree": lambda: sk("tree.DecisionTreeClassifier", max_depth=4),
        "forest": lambda: sk("ensemble.RandomForestClassifier", 3), "boost": lambda: sk("ensemble.GradientBoostingClassifier", n_estimators=3),
        "svc": lambda: sk("svm.SVC", probability=True), "nu-svc": lambda: sk("svm.NuSVC", nu=0.2), "linear-svc": lambda: sk("svm.LinearSVC"),
        "knn": lambda: sk("neighbors.KNeighborsClassifier", algorithm="kd_tree", n_neighbors=4), "scaler-logistic": lambda: pipe(sk("preprocessing.MinMaxScaler" if False else "preprocessing.StandardScaler"), sk("linear_model.LogisticRegression")),
    }[name]()  # fmt: skip
    return made.fit(rows(6), y if name not in ("boost",) else classes("bool").astype(int))


PLAIN = ("linear-real svr-real nu-real linear-svr-real tree-real forest-trees-real boost-real ridge-pipe-real logistic tree forest "
    "boost svc nu-svc linear-svc knn scaler-logistic").split()  # fmt: skip


def _sklearn2pmml(folder: Path, name: str) -> None:
    lib = importlib.import_module("sklearn2pmml")
    step = sk(ESTIMATORS[name][0], **ESTIMATORS[name][1]) if name in ESTIMATORS else sk("base.clone", _plain(name))
    y = classes(ESTIMATORS[name][3] if name in ESTIMATORS else "real" if name.endswith("real") else "text")
    frame = at("pandas.DataFrame")(rows(6), columns=["größe", "x 2", "年齢", "d", "e", "f"])
    model = at("sklearn2pmml.pipeline.PMMLPipeline")(
        [("scale", sk("preprocessing.MinMaxScaler")), ("model", step)]
    ).fit(frame, at("pandas.Series")(y, name="ziel") if y.ndim == 1 else y)
    lib.sklearn2pmml(model, str(folder / "model.pmml"))  # fmt: skip


def _nyoka(folder: Path, name: str) -> None:
    model = sk("pipeline.Pipeline", [("scale", sk("preprocessing.StandardScaler")), ("model", _plain(name))]).fit(
        rows(6), classes("real" if name.endswith("real") else "int")
    )
    at("nyoka.skl_to_pmml")(model, [f"größe {i}" for i in range(6)], "ziel", str(folder / "model.pmml"), description="ein Test")  # fmt: skip


def _mlflow(folder: Path, flavour: str, model: Any, **more: Any) -> None:
    lib = importlib.import_module(f"mlflow.{flavour}")
    lib.save_model(model, str(folder / "modèle"), pip_requirements=["scikit-learn", "mlflow"], metadata={"équipe": "données", "stage": 3}, **more)  # fmt: skip


def other_kinds() -> Kinds:
    """Core ML, PMML, skops, MLflow, boosters' own forms, Arrow, NumPy's."""
    made: Kinds = {}
    for index, name in enumerate([*PLAIN, "xgb-missing", "xgb-callbacks"]):
        made[f"{name}.mlmodel"] = lambda folder, name=name, index=index: _coreml(folder, name, index % 6 + 1)
    for name in PLAIN[::2]:
        made[f"{name}.nyoka"] = lambda folder, name=name: _nyoka(folder, name)
    for name in (
        "logistic-l1",
        "sgd-log",
        "tweedie",
        "forest-real",
        "forest-entropy",
        "histogram",
        "svc-rbf",
        "knn-kd",
        "kmeans-elkan",
        "mlp-lbfgs",
        "isolation",
        "tasks",
        "gradient-many",
        *PLAIN[1::3],
    ):
        made[f"{name}.jpmml"] = lambda folder, name=name: _sklearn2pmml(folder, name)
    for index, name in enumerate(ESTIMATORS):
        if index % 4 == 1:
            made[f"{name}.skops"] = lambda folder, name=name, index=index: at("skops.io.dump")(
                estimator(name), str(folder / "model.skops"), compression=8 * (index // 4 % 2)
            )
    for name in (
        "columns-forest",
        "columns-lgb",
        "grid-scores",
        "stack-real",
        "text-hash",
        "xgb-forest",
        "cat-quantile",
        "lgb-rank",
        "chain",
        "random-uniform",
        "bundle",
        "tomek",
        "sparse-forest",
        "dict-vectors",
    ):
        made[f"{name}.skops"] = lambda folder, name=name: at("skops.io.dump")(
            others()[name](), str(folder / "modèle.skops")
        )
    boosters = {name: make for name, make in others().items() if name.split("-")[0] in ("xgb", "lgb", "cat")}
    for name, make in boosters.items():
        for end in {
            "xgb": ("json", "ubj", "deprecated"),
            "lgb": ("txt", "json-dump"),
            "cat": ("cbm", "json", "onnx", "coreml", "pmml"),
        }[name[:3]]:
            made[f"{name}.{end}"] = lambda folder, make=make, end=end: _native(folder, make(), end)
    for flavour, names in {
        "sklearn": ("columns-logistic", "grid-pipe", "text-union", "vote-soft"),
        "xgboost": ("xgb-text", "xgb-poisson"),
        "lightgbm": ("lgb-sparse", "lgb-rank"),
        "catboost": ("cat-text", "cat-several"),
        "statsmodels": ("wls", "poisson", "arima-dates"),
        "onnx": ("forest-real",),
    }.items():
        for name in names:
            made[f"{name}.mlflow"] = lambda folder, flavour=flavour, name=name: _flavour(folder, flavour, name)
    made["columns-lgb.mlflow-signed"] = lambda folder: _mlflow(
        folder,
        "sklearn",
        others()["columns-lgb"](),
        signature=at("mlflow.models.infer_signature")(people()[["größe", "plan", "active"]], people()[["churn"]]),
        input_example=people()[["größe", "plan", "active"]].head(3),
    )
    made["frame.parquet"] = lambda folder: people().to_parquet(
        folder / "leute.parquet", compression="zstd", row_group_size=20
    )
    made["frame.parquet-parts"] = lambda folder: people().to_parquet(folder / "parts", partition_cols=["plan"])
    made["frame.parquet-gzip"] = lambda folder: people().to_parquet(
        folder / "leute.parquet", compression="gzip", index=True, version="1.0"
    )
    made["frame.feather"] = lambda folder: people().to_feather(folder / "leute.feather", compression="zstd")
    made["frame.arrows"] = lambda folder: _arrow(folder)
    made["numbers.npz"] = lambda folder: np.savez_compressed(
        folder / "größen.npz",
        **{f"schicht {i}": rows(i + 1, 5, k) for i, k in enumerate(("float16", "int8", "complex64", "bool", "uint64"))},
    )
    made["numbers.npy"] = lambda folder: np.save(folder / "f.npy", np.asfortranarray(rows(7, 9, ">f8")))
    made["records.npy"] = lambda folder: np.save(
        folder / "records.npy", people()[["größe", "年齢", "since"]].to_records(index=False)
    )
    made["words.npy"] = lambda folder: np.save(folder / "words.npy", np.array(TITLES))
    made["sparse.npz"] = lambda folder: at("scipy.sparse.save_npz")(folder / "sparse.npz", sparse().tocoo())
    made["text.gensim"] = lambda folder: at("gensim.models.KeyedVectors")(8).save(str(folder / "kv.bin"))
    made["lsi.gensim"] = lambda folder: at("gensim.models.TfidfModel")([[(0, 1), (1, 2)], [(1, 1)]] * 4).save(
        str(folder / "tfidf.model")
    )
    made["poisson.save"] = lambda folder: others()["poisson"]().save(str(folder / "fit.pickle"), remove_data=True)
    made["ets.save"] = lambda folder: others()["ets"]().save(str(folder / "ets.pkl"))
    return made  # fmt: skip


def _arrow(folder: Path) -> None:
    import pyarrow as pa

    table = pa.Table.from_pandas(people()).replace_schema_metadata({"schlüssel": "wert"})
    with pa.OSFile(str(folder / "leute.arrows"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=13)
    lists = pa.table(
        {
            "vec": pa.array([[1.0, 2.0], None, []], pa.list_(pa.float16() if False else pa.float32())),
            "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int8())),
            "dec": pa.array([1, None, 3], pa.decimal128(9, 2)),
        }
    )
    with pa.OSFile(str(folder / "lists.arrow"), "wb") as sink, pa.ipc.new_file(sink, lists.schema) as writer:
        writer.write_table(lists)  # fmt: skip


def _native(folder: Path, model: Any, end: str) -> None:
    if end == "txt":
        getattr(model, "booster_", model).save_model(str(folder / "modèle.txt"), num_iteration=2)
    elif end == "json-dump":
        (folder / "lgb.json").write_text(__import__("json").dumps(getattr(model, "booster_", model).dump_model()))
    elif end in ("cbm", "onnx", "coreml", "pmml"):
        model.save_model(str(folder / f"cat.{end.replace('coreml', 'mlmodel')}"), format=end)
    else:
        getattr(model, "get_booster", lambda: model)().save_model(str(folder / f"modèle.{end}"))


def _flavour(folder: Path, flavour: str, name: str) -> None:
    if flavour == "onnx":
        path = _onnx(folder, estimator(name), 5, 16)
        model = at("onnx.load")(str(path))
        path.unlink()
    else:
        model = others()[name]()
    _mlflow(folder, flavour, model, **({"model_format": "ubj"} if flavour == "xgboost" else {}))


def kinds() -> Kinds:
    """All of this module."""
    return {**onnx_kinds(), **other_kinds()}
