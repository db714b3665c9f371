"""Held-out attacks that only the real libraries can write: HDF5, TorchScript, SavedModel, Keras, Arrow, dumps of functions."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen_units import BOMB, CALL, HIDDEN, KERAS, NAME, OPERATOR, PATH, STATE, Attack, written

LOADS = "import torch; torch.load(F, weights_only=False)"
H5 = "import h5py; h = h5py.File(F); print(bytes(h['w'][()]))"
JIT = "import torch; torch.jit.load(F)(torch.ones(1))"
TF = "import tensorflow as tf; tf.saved_model.load('m').signatures['serving_default'](tf.constant([1.0]))"
SERVED = OPERATOR | PATH


def attacks() -> Iterator[Attack]:
    pkl = "import pickle, collections; x = pickle.load(open(F, 'rb'))"
    dumps = "pickle.load, torch.load, numpy.load"
    ts, pa13, any_pickle = "torch.jit.load, torch 2.13", "pyarrow < 14.0.1 (CVE-2023-47248)", CALL | NAME | STATE
    table = {
        "written-dumps/dill-lambda": ("dill wrote a lambda by value", pkl + "; x(1)", any_pickle, dumps),
        "written-dumps/cloudpickle-lambda": ("cloudpickle wrote a lambda by value", pkl + "; x(1)", any_pickle, dumps),
        "written-dumps/cloudpickle-class": ("cloudpickle wrote a class whose __setstate__ acts", pkl, any_pickle, dumps),
        "written-dumps/dill-class": ("dill wrote a class whose __setstate__ acts", pkl, any_pickle, dumps),
        "written-dumps/torch-save": ("torch.save of an object with a __reduce__", LOADS, CALL, dumps),
        "written-dumps/torch-legacy": ("the same in the legacy layout", LOADS, CALL, dumps),
        "written-dumps/numpy-save": ("numpy.save of an array of such objects", "import numpy; numpy.load(F, allow_pickle=True)", CALL, dumps),
        "hdf5/external-link": ("an external link leads to a file outside", "import h5py; print(bytes(h5py.File(F)['weights'][()]))", PATH, "h5py 3.16"),
        "hdf5/external-storage": ("a dataset's numbers lie in a file outside", H5, PATH, "h5py 3.16"),
        "hdf5/external-storage-write": ("whoever writes to the dataset writes to a file outside", "import h5py; h5py.File(F, 'a')['w'][:] = 1", PATH, "h5py 3.16"),
        "hdf5/virtual": ("a virtual dataset over a file outside", H5, PATH, "h5py 3.16"),
        "hdf5/bomb": ("16 GB of fill values", H5, BOMB, "h5py 3.16", "bomb"),
        "hdf5/user-block": ("the user block before the file is a pickle", pkl, CALL | HIDDEN, "pickle.load, h5py"),
        "hdf5/pytables-attribute": ("PyTables unpickles attributes", "import tables; tables.open_file(F).root._v_attrs.model", CALL, "PyTables 3.11"),
        "hdf5/pytables-objects": ("PyTables unpickles arrays of objects", "import tables; tables.open_file(F).root.models[0]", CALL | HIDDEN, "PyTables 3.11"),
        "torchscript/from-file": ("the program maps a file, and makes it", JIT, PATH | OPERATOR, ts),
        "torchscript/save": ("the program saves to a path", JIT, PATH | OPERATOR, ts),
        "torchscript/setstate": ("the program's __setstate__ saves to a path while it is loaded", "import torch; torch.jit.load(F)", PATH | OPERATOR | CALL, ts),
        "torchscript/loop": ("the program never ends", JIT, BOMB | OPERATOR, ts, "bomb"),
        "torchscript/allocates": ("the program asks for 4 TB", JIT, BOMB | OPERATOR, ts, "bomb"),
        "torchscript/extra-files": ("an extra file is a pickle", "import torch, pickle; e = {'model.pkl': ''}; torch.jit.load(F, _extra_files=e); pickle.loads(e['model.pkl'])", CALL | HIDDEN, ts),
        "torchscript/package-source": ("torch.package runs the source that it brings", "import torch.package as p; p.PackageImporter(F).import_module('payload')", CALL | NAME | {"model-config-remote-code", "model-foreign-content"}, "torch.package"),
        "torchscript/package-pickle": ("torch.package unpickles what it brings", "import torch.package as p; p.PackageImporter(F).load_pickle('model', 'model.pkl')", CALL, "torch.package"),
        "arrow/parquet": ("an extension type in Parquet's Arrow schema is a pickle", "import pyarrow.parquet as q; q.read_table(F)", CALL, pa13),
        "arrow/parquet-nested": ("the same inside a struct", "import pyarrow.parquet as q; q.read_table(F)", CALL, pa13),
        "arrow/feather": ("the same in Feather", "import pyarrow.feather as q; q.read_table(F)", CALL, pa13),
        "arrow/stream": ("the same in an Arrow stream", "import pyarrow as q; q.ipc.open_stream(F).read_all()", CALL, pa13),
        "savedmodel/read-file": ("the graph reads a file outside", "", SERVED, "", "kept: the number of bytes is folded into the output"),
        "savedmodel/write-file": ("the graph writes a file", "", SERVED, ""),
        "savedmodel/print-file": ("the graph prints to a file", "", SERVED, ""),
        "savedmodel/save-v2": ("the graph saves a checkpoint to a fixed path", "", SERVED, ""),
        "savedmodel/summary-writer": ("the graph writes summaries to a folder", "", SERVED, ""),
        "savedmodel/debug-url": ("the graph dumps tensors to an address", "", SERVED, "", "kept: tfdbg writes only where a debug writer is registered (tensorflow/core/kernels/debug_ops.h)"),
        "savedmodel/merge-checkpoints": ("the graph merges and deletes checkpoints of other folders", "", SERVED, "", "kept: needs a checkpoint outside (tensorflow/core/kernels/save_restore_v2_ops.cc)"),
        "savedmodel/matching-files": ("the graph lists a folder outside", "", SERVED, "", "kept: the number of files is in the output"),
        "savedmodel/text-dataset": ("the graph reads a file through a dataset", "", SERVED, "", "kept: the length of the text is in the output"),
        "savedmodel/loop": ("the graph never ends", "", BOMB | OPERATOR, "", "bomb"),
        "savedmodel/fill": ("the graph asks for 64 GB", "", BOMB | OPERATOR, "", "bomb"),
        "written-keras/lambda": ("a Lambda layer in .keras", "import keras; keras.saving.load_model(F, safe_mode=False)(__import__('numpy').ones((1, 1)))", KERAS, "Keras 3.15"),
        "written-keras/lambda-h5": ("a Lambda layer in HDF5", "import keras; keras.saving.load_model(F, safe_mode=False)(__import__('numpy').ones((1, 1)))", KERAS, "Keras 3.15"),
        "tflite/flex-write": ("a TensorFlow operator inside TFLite writes a file", "import tensorflow as tf; i = tf.lite.Interpreter(F); i.allocate_tensors(); i.invoke()", OPERATOR | {"model-custom-operator"}, "tf.lite.Interpreter"),
    }  # fmt: skip
    for what, (does, load, rules, loader, *proof) in table.items():
        family = what.partition("/")[0]
        env = {"arrow": "arrow13", "savedmodel": "tf", "written-keras": "tf", "tflite": "tf"}.get(family, "main")
        if family == "savedmodel":
            load, loader = TF, "tf.saved_model.load, TensorFlow 2.21"
        yield Attack(what, family, written(what), loader, load, does, rules, env, *(proof or ["mark"]))
