"""Partials as what a default dictionary calls, what a partial may hide, and names that only look like Python's own."""

from __future__ import annotations

import functools
import pickle
from collections import Counter, defaultdict

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan_bytes

FOUND = ("high", "critical")
PARTIAL = make.name("functools", "partial")
DEFAULTS = make.name("collections", "defaultdict")


def held(function: bytes, arguments: bytes, keywords: bytes = b"}") -> bytes:
    """A partial as pickle writes it: a call, then its state."""
    return PARTIAL + function + b"\x85R(" + function + arguments + keywords + b"Ntb"


def test_a_dictionary_of_dictionaries_calls_a_partial_of_a_type() -> None:
    """River's naive Bayes keeps one."""
    for protocol in range(6):
        nested = defaultdict(functools.partial(defaultdict, Counter), {"a": defaultdict(Counter)})
        assert scan_bytes(pickle.dumps(nested, protocol)).verdict is Verdict.CLEAN


def test_what_a_missing_key_would_call_is_judged_as_that_call() -> None:
    """A class that looks a key up in its state calls the factory while it is loaded."""
    for function, arguments in (
        (make.name("os", "system"), make.arguments("id")),
        (make.name("numpy", "mean"), make.arguments(1)),  # only to be referred to
        (make.name("builtins", "bytes"), make.arguments(1 << 30)),
        (make.name("pandas.core.frame", "DataFrame"), make.arguments("x")),
    ):
        raw = make.stream(DEFAULTS, held(function, arguments), b"\x85R")
        assert scan_bytes(raw).worst in FOUND
    late = make.stream(DEFAULTS, PARTIAL + make.name("builtins", "dict") + b"\x85R", b"\x85R")
    assert scan_bytes(late).worst in FOUND  # its state would be set later
    method = make.name("builtins", "getattr") + make.reduced("random", "Random") + make.text("gauss") + b"\x86R"
    assert scan_bytes(make.stream(DEFAULTS, held(method, b")"), b"\x85R")).worst in FOUND
    wrapped = held(make.name("builtins", "str"), make.arguments(b"ab"), b"}" + make.text("encoding") + b"Ns")
    assert scan_bytes(make.stream(DEFAULTS, wrapped, b"\x85R")).worst in FOUND


def test_a_partial_called_with_keywords_out_of_the_memo_is_found() -> None:
    """`numpy.ndarray((1,), buffer=b"...", dtype=object)` takes the bytes for an address."""
    keywords = b"}\x94" + make.text("encoding") + make.text("some_module") + b"s0"
    partial = held(make.name("builtins", "str"), make.arguments(b"abcd"), keywords=b"h\x00")
    assert scan_bytes(make.stream(keywords, partial, b")R")).worst in FOUND
    assert scan_bytes(pickle.dumps(functools.partial(int, base=2))).verdict is Verdict.CLEAN


def test_a_private_name_is_not_one_of_pythons_own() -> None:
    """Planar graphs of networkx keep a method that is called `__forbidden`."""
    owner = make.name("networkx.algorithms.planarity", "PlanarEmbedding") + b")\x81"
    method = make.name("builtins", "getattr") + owner
    assert scan_bytes(make.stream(method, make.text("__forbidden"), b"\x86R")).verdict is Verdict.CLEAN
    for attribute in ("__class__", "__dict__", "__init__"):
        assert scan_bytes(make.stream(method, make.text(attribute), b"\x86R")).worst in FOUND
    assert scan_bytes(make.stream(method, make.text("__forbidden"), b"\x86R)R")).worst in FOUND


def test_objects_are_created_without_their_constructors() -> None:
    """Some do more than to store: torch_geometric's write Python files and import them, gensim's start a program."""
    for module, name in (
        ("torch_geometric.nn.models.visnet", "ViSNet"),
        ("torch.nn.modules.linear", "Linear"),
        ("gensim.models.word2vec", "Word2Vec"),
        ("sklearn.linear_model._logistic", "LogisticRegression"),
    ):
        assert scan_bytes(make.stream(make.name(module, name), b")\x81}b")).verdict is Verdict.CLEAN
        assert scan_bytes(make.stream(make.name(module, name), b")R")).worst in FOUND
        partial = held(make.name(module, name), b")")
        assert scan_bytes(make.stream(DEFAULTS, partial, b"\x85R")).worst in FOUND
    assert scan_bytes(make.stream(make.name("numpy.ma.core", "MaskedConstant"), b")R")).verdict is Verdict.CLEAN


def test_distributions_of_other_libraries_are_judged_as_those_of_scipy() -> None:
    """Zero-inflated models of statsmodels keep one: scipy's template in its state, which is run, and no other text."""
    made = (
        make.name("statsmodels.distributions.discrete", "zipoisson_gen") + b")\x81}(" + make.text("_parse_arg_template")
    )
    template = (
        "\ndef _parse_args(self, mu, w,  loc=0):\n    return (mu, w, ), loc, 1\n"
        "\ndef _parse_args_rvs(self, mu, w,  loc=0, size=None):\n"
        "    return self._argcheck_rvs(mu, w,  loc, 1, size=size)\n"
        "\ndef _parse_args_stats(self, mu, w,  loc=0, moments='mv'):\n    return (mu, w, ), loc, 1, moments\n"
    )
    method = make.name("builtins", "getattr") + made + make.text(template) + b"ub" + make.text("_entropy") + b"\x86R"
    assert scan_bytes(make.stream(method)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(made, make.text("import os"), b"ub")).worst in FOUND
    assert scan_bytes(make.stream(method, b")R")).worst in FOUND


def test_no_state_connects_to_a_database_or_a_journal() -> None:
    """Optuna's storages open what the address or the path in their state names."""
    for module, name in (
        ("optuna.storages._rdb.storage", "RDBStorage"),
        ("optuna.storages._journal.storage", "JournalStorage"),
        ("optuna.storages.journal._storage", "JournalStorage"),
        ("optuna.storages._grpc.client", "GrpcStorageProxy"),
    ):
        made = make.name(module, name) + b")\x81}" + make.text("url") + make.text("sqlite:////tmp/x") + b"sb"
        assert scan_bytes(make.stream(made)).worst in FOUND
    memory = make.name("optuna.storages._in_memory", "InMemoryStorage") + b")\x81}b"
    assert scan_bytes(make.stream(memory)).verdict is Verdict.CLEAN


def test_a_ufuncs_reduction_is_referred_to_and_not_called() -> None:
    reduction = make.name("numpy", "add.reduce")
    assert scan_bytes(make.stream(reduction)).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(reduction, b"](K\x01e\x85R")).worst in FOUND
    assert scan_bytes(make.stream(make.name("os", "system.reduce"))).worst in FOUND
