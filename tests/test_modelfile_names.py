"""The name policy under generated attack, and honest files of real libraries against it."""

from __future__ import annotations

import functools
import operator
import pickle
import random
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import modelfile_samples as make
from corpora import redteam
from corpora import redteam_loads as loads
from shipworthy.modelfile import Code, Verdict, scan, scan_bytes
from shipworthy.modelfile.pickles import names
from shipworthy.modelfile.pickles.names import Kind, standing_of

SAMPLES = Path(__file__).parent / "data" / "models" / "pickles"
TEMPLATE = (
    "\ndef _parse_args(self, a, b,  loc=0, scale=1):\n    return (a, b, ), loc, scale\n"
    "\ndef _parse_args_rvs(self, a, b,  loc=0, scale=1, size=None):\n"
    "    return self._argcheck_rvs(a, b,  loc, scale, size=size)\n"
    "\ndef _parse_args_stats(self, a, b,  loc=0, scale=1, moments='mv'):\n    return (a, b, ), loc, scale, moments\n"
)


def distribution(*state: bytes, source: str = TEMPLATE) -> bytes:
    """An object of a scipy distribution with the state that holds source text, and more opcodes behind the state."""
    begin = make.name("scipy.stats._continuous_distns", "beta_gen") + b")\x81}\x94("
    return make.stream(begin + make.text("name") + make.text("beta"), make.text("_parse_arg_template"),
                       make.text(source), b"u", *state, b"b")  # fmt: skip


def test_every_allowed_callable_refuses_functions_and_shells() -> None:
    names = sorted(redteam.allowed())
    sample = [item for item in names if item[2] in (Kind.VETTED, Kind.DATA)]
    sample += random.Random(3).sample([item for item in names if item not in sample], 300)
    for module, qualname, kind in sample:
        for label, arguments in loads.ARGUMENTS.items():
            if label == "nothing" or (label in loads.TEXTS and kind in (Kind.VETTED, Kind.VALUED, Kind.DATA)):
                continue
            if (module, qualname) == ("functools", "partial") and "shell" not in label and "unknown" not in label:
                continue  # to hold an allowed function is what it is for; see below
            for way in ("REDUCE", "OBJ"):
                report = scan_bytes(loads.stream(loads.called(module, qualname, way, arguments)))
                assert report.worst in ("high", "critical"), (module, qualname, kind, label, way)


def test_random_callables_outside_of_the_table_are_found_in_every_way_of_calling() -> None:
    roots = [Path(sysconfig.get_paths()[key]) for key in ("stdlib", "purelib")]
    for index, (module, qualname) in enumerate(redteam.callables(roots, 200)):
        way = loads.WAYS[index % len(loads.WAYS)]
        report = scan_bytes(loads.stream(loads.called(module, qualname, way, loads.ARGUMENTS["a path"])))
        assert report.worst in ("high", "critical"), (way, module, qualname)


def test_source_text_in_a_state_must_be_the_librarys_own() -> None:
    assert scan_bytes(distribution()).verdict is Verdict.CLEAN
    evil = "import os\nos.system('id')\n"
    for source in (
        evil,
        TEMPLATE + evil,
        TEMPLATE.replace("a, b", "a=print(1), b", 1),
        TEMPLATE.replace("loc=0", "loc=x()"),
    ):
        report = scan_bytes(distribution(source=source))
        assert {issue.code for issue in report.issues} == {Code.CODE_EXECUTION}
        assert report.worst == "critical"


HIDDEN_STATES = {
    "changed through the memo": b"h\x00(" + make.text("_parse_arg_template") + make.text("import os") + b"u0",
    "changed by one item": make.text("_parse_arg_template") + make.text("import os") + b"s",
    "under a computed key": make.reduced("builtins", "str", "_parse_arg_template") + make.text("import os") + b"s",
    "another dictionary": b"0}\x94(" + make.text("name") + b"Nu0h\x01",
    "a tuple of two": b"}\x86",
}


@pytest.mark.parametrize("case", HIDDEN_STATES)
def test_a_state_with_source_text_can_not_be_changed_unseen(case: str) -> None:
    assert scan_bytes(distribution(HIDDEN_STATES[case])).worst in ("high", "critical")


def test_a_class_whose_constructor_acts_is_created_without_it_only() -> None:
    bare = next(key[:2] for key in sorted(redteam.allowed()) if key[2] is Kind.BARE)
    assert scan_bytes(make.stream(make.name(*bare) + b")\x81")).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(make.name(*bare) + b")R")).worst == "high"
    new = [make.name("copyreg", "__newobj__"), make.name(*bare)]
    assert scan_bytes(make.stream(new[0] + new[1] + b"\x85R")).verdict is Verdict.CLEAN


def test_partials_are_what_they_hold() -> None:
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(functools.partial(int, base=2), protocol)).verdict is Verdict.CLEAN
    shell = make.name("functools", "partial") + make.name("builtins", "len") + b"\x85R"
    state = b"(" + make.name("os", "system") + make.text("id") + b"\x85}Nt"
    assert scan_bytes(make.stream(shell + state + b"b")).worst in ("high", "critical")
    called = make.name("functools", "partial") + make.name("numpy", "memmap") + make.text("/tmp/x") + b"\x86R)R"
    assert scan_bytes(make.stream(called)).worst in ("high", "critical")


def test_a_bound_method_is_kept_but_never_called_and_no_dunder_is_looked_up() -> None:
    made = make.name("collections", "Counter") + b")R"
    owner = make.name("pandas._libs.tslibs.offsets", "MonthEnd") + b")\x81"
    look = lambda owner, attribute: make.name("builtins", "getattr") + owner + make.text(attribute) + b"\x86R"  # noqa: E731
    assert scan_bytes(make.stream(look(owner, "rollback"))).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(look(owner, "rollback") + b")R")).worst in ("high", "critical")
    assert scan_bytes(make.stream(look(owner, "__class__"))).worst in ("high", "critical")
    assert scan_bytes(make.stream(look(made, "update"))).worst in ("high", "critical")


def test_objects_with_a_state_are_not_asked_for_their_content() -> None:
    held = make.name("sklearn.utils._bunch", "Bunch") + b")\x81}b"
    for kind in ("list", "str", "bytes", "dict", "int"):
        assert scan_bytes(make.stream(make.name("builtins", kind) + held + b"\x85R")).worst in ("high", "critical")


def test_items_are_looked_up_but_no_hidden_attributes() -> None:
    assert scan_bytes(pickle.dumps(operator.itemgetter(1, "a"))).verdict is Verdict.CLEAN
    for value in (operator.attrgetter("__class__"), operator.methodcaller("eval", "1")):
        assert scan_bytes(pickle.dumps(value)).worst in ("high", "critical")
    assert scan_bytes(make.call("operator", "attrgetter", "__globals__")).worst in ("high", "critical")


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrices_are_made_empty_and_never_from_text() -> None:
    for protocol in range(2, 6):
        assert scan_bytes(pickle.dumps(np.matrix([[1, 2]]), protocol)).verdict is Verdict.CLEAN
    assert scan_bytes(make.call("numpy.matrixlib.defmatrix", "matrix", "1 2; 3 4")).worst == "high"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.*")), ids=lambda path: path.name)
def test_files_of_the_real_libraries_are_clean(path: Path) -> None:
    report = scan(path)
    assert report.verdict is Verdict.CLEAN, report.issues


def test_public_classes_stand_under_the_packages_own_name() -> None:
    """Pandas 3 writes them so."""
    for qualname in ("DataFrame", "Series", "Index", "RangeIndex", "PeriodDtype"):
        assert standing_of("pandas", qualname).allowed
    assert standing_of("pandas.arrays", "IntegerArray").allowed


def test_names_that_the_table_refuses_are_not_in_it() -> None:
    for module, qualname in (
        ("nltk.data", "LazyLoader"),
        ("joblib.memory", "MemorizedFunc"),
        ("numpy", "memmap"),
        ("pandas", "HDFStore"),
    ):
        assert not standing_of(module, qualname).allowed


def test_what_is_said_of_a_name_is_said_once_for_each_protocol_and_trust() -> None:
    data = pickle.dumps(OddlyNamed, 4).replace(b"OddlyNamed", b"OtherNamed")
    names.judged.cache_clear()
    judged, trust = names.judged.cache_info(), (f"{__name__}:*",)
    assert scan_bytes(data).verdict is Verdict.FINDING
    assert scan_bytes(data, trust=trust).verdict is Verdict.CLEAN
    assert scan_bytes(data).verdict is Verdict.FINDING
    assert names.judged.cache_info().misses == judged.misses + 2
    moved = b"\x80%bccommands\ngetoutput\n."
    assert [scan_bytes(moved % protocol).names for protocol in (b"\2", b"\4")] == [("commands:getoutput",)] * 2
    assert names.judged.cache_info().misses == judged.misses + 4


class OddlyNamed:
    """A class of a project's own."""


def test_a_module_is_found_in_the_table_wherever_it_stands() -> None:
    rows = [line.split("\t") for line in names._TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    modules = [module for module, *_ in rows]
    assert modules == sorted(set(modules)), "the table is searched by halves: scripts/make_allow_table.py sorts it"
    for module, *fields in rows:
        assert names.fields_of(names._table(), module.encode()) == fields
    absent = (
        *(f"{module}x" for module in modules[::50]),
        "",
        "\n",
        "\t",
        "~",
        "#",
        "# autograd",
        "\ud800",
        "é",
        "a" * 9999,
    )
    for module in {*absent, f"{modules[0]}\t{rows[0][1]}", f"{modules[0]}\n{modules[1]}"} - set(modules):
        assert names._module(module) == {}
