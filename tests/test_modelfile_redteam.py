"""Allowed names used as an attacker would: with arguments, states and items that nobody honest writes."""

from __future__ import annotations

import pickle
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import modelfile_samples as make
from corpora import redteam
from corpora import redteam_loads as loads
from shipworthy.modelfile import Code, Verdict, scan_bytes
from shipworthy.modelfile.pickles.names import Kind

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "modelfile" / "prove.py"
HIGH = ("high", "critical")
COUNTER = make.name("collections", "Counter") + b")R"
BUNCH = make.name("sklearn.utils._bunch", "Bunch") + b")\x81"
CLASS = make.text("__class__") + make.name("builtins", "int")


def found(body: bytes) -> bool:
    return scan_bytes(make.stream(body)).worst in HIGH


def test_a_sample_of_the_generated_attacks() -> None:
    """The whole is `benchmarks/modelfile/redteam.py`; what it accepts, `prove.py` loads."""
    names = sorted(redteam.allowed())
    chance = random.Random(11)
    for kind, count in ((Kind.VALUED, 12), (Kind.CLASS, 20), (Kind.BARE, 5), (Kind.REFERENCE, 20), (Kind.REBUILD, 5)):
        for module, qualname, _ in chance.sample([item for item in names if item[2] is kind], count):
            for label, raw in redteam.attacks(module, qualname, kind):
                way, _, argument = label.partition(": ")
                called = way in loads.WAYS and argument != "nothing"
                refused = kind is not Kind.VALUED or argument in loads.CALLABLES or way == "COMPUTED"
                if called and refused:
                    assert scan_bytes(raw).worst in HIGH, (module, qualname, label)


def test_arguments_that_another_call_makes_are_refused_everywhere() -> None:
    for module, qualname, kind in sorted(redteam.allowed()):
        if kind is Kind.VETTED:
            assert found(loads.called(module, qualname, "COMPUTED", loads.number(3))), (module, qualname)


NUMPY_VALUES = [
    np.zeros(3, [("a", "f8"), ("b", "U5"), ("c", "M8[ns]")]),
    np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    np.zeros(2, [("a", [("x", "f4", (2, 3)), ("y", "S7")]), ("b", "O")]),
    np.zeros(2, "M8[D]"),
    np.array(["abc", "d"]),
    np.array([b"abc"]),
    np.array([{}, None], object),
    np.zeros(2, "V5"),
    np.zeros(2, ">c16"),
    np.rec.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    np.float32(1),
    np.zeros(1, [(f"column{index}", "f8") for index in range(200)]),
]


@pytest.mark.parametrize("value", NUMPY_VALUES, ids=lambda value: str(value.dtype)[:40])
def test_numpys_own_types_are_clean(value: object) -> None:
    for protocol in range(6):
        report = scan_bytes(pickle.dumps(value, protocol))
        assert report.verdict is Verdict.CLEAN, (protocol, report.issues)


def numpy_type(name: str, *state: bytes) -> bytes:
    begin = make.reduced("numpy", "dtype", name, False, True)
    return begin + b"(" + b"".join(state) + b"tb"


def type_state(
    names: bytes = b"N", fields: bytes = b"N", inner: bytes = b"N", size: int = -1, flags: int = 0
) -> tuple[bytes, ...]:
    number = make.atom
    return (number(3), make.text("|"), inner, names, fields, number(size), number(-1), number(flags))


DOUBLE, OBJECT = numpy_type("f8", *type_state()), numpy_type("O8", *type_state(flags=63))
FIELDS = b"}" + make.text("a") + OBJECT + make.atom(0) + b"\x86s"
FAR = b"}" + make.text("a") + DOUBLE + make.atom(1 << 20) + b"\x86s"
NAMES = make.text("a") + b"\x85"
PLACED = b"}\x94" + make.text("a") + DOUBLE + make.atom(0) + b"\x86s"
PENDING = make.name("numpy", "dtype") + make.arguments("V8", False, True) + b"R\x94"
SCALAR = make.name("numpy.core.multiarray", "scalar")
FORGED_TYPES = {
    "objects that are no objects": numpy_type("O8", *type_state(flags=0)),
    "numbers that are objects": numpy_type("i8", *type_state(flags=63)),
    "a hidden field of objects": numpy_type("V8", *type_state(NAMES, FIELDS, size=8, flags=16)),
    "a hidden part of objects": numpy_type("V8", *type_state(inner=OBJECT + make.atom(1) + b"\x85\x86", size=8)),
    "a field outside": numpy_type("V8", *type_state(NAMES, FAR, size=8, flags=16)),
    "parts outside": numpy_type("V8", *type_state(inner=DOUBLE + make.atom(9) + b"\x85\x86", size=8)),
    "another size": numpy_type("U5", *type_state(size=4000, flags=8)),
    "fields out of the memo": b"}\x940" + numpy_type("V8", *type_state(NAMES, b"h\x00", size=8, flags=16)),
    "fields changed later": numpy_type("V8", *type_state(NAMES, PLACED, size=8, flags=16))
    + b"h\x00" + make.text("a") + OBJECT + make.atom(0) + b"\x86s",
    "a state that can't be seen": PENDING + make.reduced("builtins", "tuple") + b"b",
    "one of numpy.dtypes": make.reduced("numpy.dtypes", "ObjectDType") + b"(" + b"".join(type_state()) + b"tb",
    "used before its state": PENDING + SCALAR + b"h\x00" + make.atom(b"x" * 8) + b"\x86R",
    "a buffer of objects": make.name("numpy", "ndarray") + b"("
    + make.atom(1) + b"\x85" + OBJECT + make.atom(b"x" * 8) + b"tR",
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED_TYPES)
def test_a_numpy_type_that_would_read_bytes_as_addresses(case: str) -> None:
    assert found(FORGED_TYPES[case])


def test_the_parts_of_forged_types_are_clean_alone() -> None:
    for good in (DOUBLE, OBJECT, numpy_type("V8", *type_state(NAMES, FIELDS, size=8, flags=27))):
        assert scan_bytes(make.stream(good)).verdict is Verdict.CLEAN


ANOTHER_CLASS = {
    "slots": BUNCH + b"N}" + CLASS + b"s\x86b",
    "slots at once": BUNCH + b"N}(" + CLASS + b"u\x86b",
    "a dictionary": BUNCH + b"}(" + CLASS + b"ub",
    "a dictionary and slots": BUNCH + b"}(" + CLASS + b"u}\x86b",
    "another of Python's names": BUNCH + b"N}" + make.text("__dict__") + b"}s\x86b",
    "slots with a computed name": BUNCH + b"N}" + make.reduced("builtins", "str", "x") + b"Ns\x86b",
    "slots out of the memo": b"}\x94" + CLASS + b"s0" + BUNCH + b"Nh\x00\x86b",
    "a dictionary out of the memo": b"}\x94" + CLASS + b"s0" + BUNCH + b"h\x00b",
    "a state that a call makes": BUNCH + make.name("builtins", "tuple") + b"]N}" + CLASS + b"s\x86a\x85Rb",
    "spelled with escapes": BUNCH + b"N}V\\u005f_class_\\u005f\n" + make.name("builtins", "int") + b"s\x86b",
    "an object behind a persistent id": b"N\x85QN}" + CLASS + b"s\x86b",
    "torch's rebuilder": make.name("torch._utils", "_rebuild_parameter_with_state") + b"(N\x88}}" + CLASS + b"stR",
}


@pytest.mark.parametrize("case", ANOTHER_CLASS)
def test_no_state_makes_an_object_of_another_class(case: str) -> None:
    assert found(ANOTHER_CLASS[case])


def test_slots_and_a_plain_dictionary_with_that_key_are_clean() -> None:
    assert not found(BUNCH + b"N}(" + make.text("a") + b"N" + make.text("_Bunch__b") + b"Nu\x86b")
    assert not found(b"}" + make.text("__class__") + make.text("Point") + b"s")


SHARED = {
    "a logger's state": make.reduced("logging", "getLogger", "") + b"}" + make.text("disabled") + b"\x88sb",
    "a class's dictionary": make.name("builtins", "getattr")
    + make.name("pandas._libs.tslibs.offsets", "MonthEnd")
    + b")\x81"
    + make.text("_attributes")
    + b"\x86R"
    + make.text("n")
    + b"a",
    "a function": make.name("numpy", "mean") + b"}b",
    "the class of an object": make.name("builtins", "type") + COUNTER + b"\x85R",
    "a namespace with methods": make.name("types", "SimpleNamespace") + b"}" + make.text("append") + b"Ns\x85R",
}


@pytest.mark.parametrize("case", SHARED)
def test_nothing_that_the_whole_process_uses_is_changed(case: str) -> None:
    assert found(SHARED[case])


HUGE = loads.number(1 << 40)
BYTES, RECONSTRUCT = make.name("builtins", "bytes"), make.name("numpy.core.multiarray", "_reconstruct")
ENDLESS = {
    "a range counted out": make.name("builtins", "list") + loads.reduced("builtins", "range", HUGE) + b"\x85R",
    "a decimal's integer": make.name("numpy", "uint8") + make.reduced("decimal", "Decimal", "1e999999999") + b"\x85R",
    "a fraction": make.reduced("fractions", "Fraction", "1e999999999"),
    "bytes by keyword": BYTES + b")}" + make.text("source") + HUGE + b"s\x92",
    "bytes by reconstruction": make.name("copyreg", "_reconstructor") + BYTES * 2 + HUGE + b"\x87R",
    "an empty array": RECONSTRUCT + make.name("numpy", "ndarray") + HUGE + b"\x85" + make.atom(b"b") + b"\x87R",
    "a codec": make.reduced("builtins", "str", b"abc", "some_module"),
    "a codec of a text's subclass": make.reduced("torch.torch_version", "TorchVersion", b"abc", "punycode"),
    "tuples of tuples": make.name("builtins", "frozenset") + loads.TEXTS["a tuple of tuples"] + b"\x85R",
    "a zone": make.reduced("zoneinfo", "ZoneInfo._unpickle", "../../etc/passwd", True),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDLESS)
def test_no_call_takes_forever_or_all_memory(case: str) -> None:
    assert found(ENDLESS[case])


def test_honest_values_beside_them_are_clean() -> None:
    import decimal
    import fractions
    import zoneinfo

    for value in (range(10), decimal.Decimal("1.5e-7"), fractions.Fraction(3, 4), zoneinfo.ZoneInfo("Europe/Berlin"),
                  bytearray(b"abc"), type(None), frozenset([(1, (2, 3))]), np.random.RandomState(1)):  # fmt: skip
        for protocol in range(6):
            report = scan_bytes(pickle.dumps(value, protocol))
            assert report.verdict is Verdict.CLEAN, (value, protocol, report.issues)


@pytest.mark.parametrize(
    "name",
    [
        ("pyarrow.lib", "OSFile"),
        ("pyarrow._feather", "FeatherReader"),
        ("gensim.models.word2vec_corpusfile", "CythonLineSentence"),
        ("pyarrow.lib", "_restore_array"),
        ("sklearn.tree._criterion", "NodeHeap"),
        ("dateutil.rrule", "rruleset"),
        ("ngboost.api", "NGBRegressor"),
        ("ngboost.api", "NGBSurvival"),
    ],
    ids="-".join,
)
def test_what_the_proof_found_is_refused(name: tuple[str, str]) -> None:
    report = scan_bytes(make.call(*name, "/tmp/x"))
    assert report.worst == "high"
    assert Code.UNKNOWN_CALLABLE in {issue.code for issue in report.issues}


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bwrap is not installed")
def test_the_proof_sees_what_a_call_does(tmp_path: Path) -> None:
    accepted = tmp_path / "accepted"
    accepted.write_text("io\topen\tcall\t\ncollections\tOrderedDict\tcall\ta tuple of tuples\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(BENCHMARK), sys.executable, str(accepted), "io"], capture_output=True, text=True
    )
    if "bwrap" in run.stderr:
        pytest.skip(run.stderr[:200])
    assert "refused\tio\topen\tREDUCE: a path\topen" in run.stdout
    assert "refused\tio\topen\tREDUCE: a path\tfile" in run.stdout
