"""Pickles: what is dangerous is found wherever it stands, what is plain is clean, and nothing is ever loaded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import pickletools
import struct
import zlib
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from shipworthy.errors import EnvironmentFailure
from shipworthy.modelfile import Code, Limits, Report, Verdict, explain, scan, scan_bytes, scan_stream, sniff
from shipworthy.modelfile.pickles.calls import Policy
from shipworthy.modelfile.pickles.machine import Machine
from shipworthy.modelfile.pickles.reader import FIRST


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def test_a_call_of_a_shell_is_critical_and_says_what_is_called() -> None:
    report = scan_bytes(make.EVIL)
    assert (report.format, report.verdict, report.worst) == ("pickle", Verdict.FINDING, "critical")
    (issue,) = report.issues
    assert issue.callable == "posix:system"
    assert issue.arguments == "('echo shipworthy-test',)"
    assert report.names == ("posix:system",)
    assert report.explained == report.size


GADGETS = {
    "a name through another module": make.call("logging", "os.system", "x"),
    "builtins of an allowed module": make.stream(make.name("numpy", "__builtins__")),
    "an unknown callable": make.call("somepackage.tools", "run", "x"),
    "a loader of a second pickle": make.call("joblib", "load", "/tmp/x"),
    "a resolver": make.call("pkgutil", "resolve_name", "os:system"),
    "partial of a shell": make.stream(make.reduced("functools", "partial", [make.name("os", "system")], "x"), b")R"),
    "map through NEWOBJ": make.stream(
        make.name("builtins", "bytes") + b"(" + make.name("builtins", "map") + b"(" + make.name("posix", "system"),
        b"(" + make.text("x") + b"lt\x81t\x81",
    ),
    "INST": b"(S'x'\nios\nsystem\n.",
    "OBJ": b"(cpty\nspawn\nS'id'\no.",
    "python 2 names": b"c__builtin__\neval\n(S'1'\ntR.",
    "extension registry": make.stream(b"\x82\x01" + make.arguments("x") + b"R"),
    "a computed name": make.stream(make.reduced("builtins", "str", "os") + make.text("system") + b"\x93)R"),
    "a class with a path": make.call("numpy", "memmap", "/tmp/x", "u1", "w+"),
    "a constructor with arguments": make.call("xgboost.core", "Booster", None, None, "/tmp/x"),
    "a reference that is called": make.call("numpy", "mean", "x"),
    "state on a function": make.stream(make.name("numpy", "mean") + b"}b"),
    "state given twice": make.stream(make.name("collections", "OrderedDict") + b")R}b" + make.text("x") + b"b"),
    "items after state": make.stream(make.name("collections", "deque") + b")R}b" + make.text("x") + b"a"),
    "a class made of parts": make.call("builtins", "type", "X", [b")"], [b"}"]),
    "scipy state that is source code": make.stream(
        make.name("scipy.stats._continuous_distns", "norm_gen") + b")\x81}b"
    ),
    "hidden behind a memo index": make.stream(
        make.text("os") + b"q\x00" + make.text("system") + b"q\x0100h\x00h\x01\x93" + make.arguments("x") + b"R"
    ),
    "an unlisted class rebuilt": make.call(
        "copyreg", "_reconstructor", [make.name("a.b", "C")], [make.name("builtins", "object")], None
    ),
    "a function by a text": make.call("numpy._core", "_ufunc_reconstruct", "os", "system"),
    "torch calling what it is given": make.call(
        "torch._tensor",
        "_rebuild_from_type_v2",
        [make.name("os", "system")],
        [make.name("torch", "Tensor")],
        [make.arguments("x")],
        None,
    ),
    "a file inside a tensor": make.call("torch.storage", "_load_from_bytes", make.torch_zip(make.EVIL)),
    "a huge buffer": make.call("builtins", "bytearray", 2**30),
    "a memo bomb": make.stream(b"Nr" + struct.pack("<I", 0x7FFFFFFF)),
}


@pytest.mark.parametrize("case", GADGETS)
def test_every_trick_is_a_finding_of_high_severity(case: str) -> None:
    report = scan_bytes(GADGETS[case])
    assert report.verdict is Verdict.FINDING
    assert report.worst in ("high", "critical"), report.issues


def test_an_unknown_import_without_a_call_is_high_and_trust_makes_it_clean() -> None:
    data = make.stream(make.name("mypackage.models", "Weights"))
    assert scan_bytes(data).worst == "high"
    assert scan_bytes(data, trust=("mypackage.models:*",)).verdict is Verdict.CLEAN
    assert scan_bytes(data, trust=("other:*",)).verdict is Verdict.FINDING


def test_a_wide_pattern_does_not_trust_a_shell_but_its_full_name_does() -> None:
    assert scan_bytes(make.EVIL, trust=("*:*", "posix:*")).worst == "critical"
    assert scan_bytes(make.EVIL, trust=("posix:system",)).verdict is Verdict.CLEAN


def test_what_looks_like_a_credential_is_not_repeated() -> None:
    secret = "hunter2-" + "A1b2C3d4" * 5
    report = scan_bytes(make.call("mypackage", "connect", f"token={secret}"))
    assert report.verdict is Verdict.FINDING
    assert secret not in repr(report)
    assert "token=hunt..." in report.issues[0].arguments


@pytest.mark.parametrize("protocol", range(6))
def test_standard_and_numpy_values_are_clean_in_every_protocol(protocol: int) -> None:
    values = [
        {"a": 1, "b": (1, 2.5, None, True), "words": ["os.system", "eval(", "posix\nsystem"]},
        [
            OrderedDict(a=1),
            defaultdict(list),
            Counter("abc"),
            deque([1]),
            {1, 2},
            frozenset([1]),
            1 + 2j,
            bytearray(b"x"),
        ],
        [datetime(2024, 1, 1, tzinfo=UTC), Decimal("1.1"), Fraction(1, 3), PurePosixPath("a/b"), range(3), slice(1)],
        [
            np.arange(200.0),
            np.float32(1),
            np.dtype("f4"),
            np.array(["a", None], dtype=object),
            np.ma.masked_array([1], [0]),
        ],
        [np.random.default_rng(0), np.random.RandomState(0), np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])],
    ]
    for value in values:
        report = scan_bytes(pickle.dumps(value, protocol))
        assert (report.format, report.verdict) == ("pickle", Verdict.CLEAN), (value, report.issues)


def test_a_long_plain_pickle_stays_clean_and_the_payload_behind_it_is_found() -> None:
    rows = [{"id": i, "name": f"node{i}", "at": (i, float(i))} for i in range(20_000)]
    plain = pickle.dumps([rows, list(range(300)) * 100, tuple(range(200_000))], 4)
    assert scan_bytes(plain).verdict is Verdict.CLEAN
    hidden = plain[:-1] + b"0" + make.reduced("os", "system", "x") + b"."
    assert "os:system" in {issue.callable for issue in scan_bytes(hidden).issues}


def test_a_huge_stack_costs_no_memory_and_loses_no_callable() -> None:
    numbers = b"K\x01K\x02" * 300_000
    data = make.stream(make.name("os", "system") + b"(" + numbers + b"l\x85R")
    assert scan_bytes(data).worst == "critical"
    deep = make.stream(make.name("collections", "OrderedDict") + (b"]" * 600_000) + b"0" * 600_000 + b")R")
    assert scan_bytes(deep).verdict is Verdict.CLEAN
    assert scan_bytes(make.stream(b"(" * 600_000)).verdict is Verdict.FINDING


BROKEN = {
    "an invalid opcode": make.EVIL[:-1] + b"\xff\xfe broken",
    "no STOP": make.EVIL[:-1],
    "a bad number": make.EVIL[:-1] + b"Ixyz\n.",
    "a length beyond the data": make.EVIL[:-1] + b"\x96" + struct.pack("<Q", 1 << 50) + b"x.",
    "an unknown protocol": b"\x80\x04\x80\x09" + make.EVIL[2:],
    "a missing memo entry": make.EVIL[:-1] + b"h\x77.",
    "too little on the stack": make.EVIL[:-1] + b"00R.",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_pickle_is_a_finding(case: str) -> None:
    report = scan_bytes(BROKEN[case])
    assert Code.BROKEN_STREAM in codes(report)


def test_further_streams_and_what_hides_behind_them_are_found() -> None:
    assert scan_bytes(make.PLAIN + make.PLAIN).verdict is Verdict.CLEAN
    assert scan_bytes(make.PLAIN + make.EVIL).worst == "critical"
    behind = scan_bytes(make.PLAIN + bytes(4096) + make.EVIL)
    assert {Code.UNEXPLAINED_BYTES, Code.HIDDEN_PAYLOAD, Code.CODE_EXECUTION} <= codes(behind)
    assert codes(scan_bytes(make.PLAIN + b"just some text")) == {Code.UNEXPLAINED_BYTES}
    zip_behind = scan_bytes(make.PLAIN + make.torch_zip(make.EVIL))
    assert "posix:system" in {issue.callable for issue in zip_behind.issues}


@pytest.mark.parametrize("inner", [make.EVIL, gzip.compress(make.EVIL, mtime=0), make.torch_zip(make.EVIL)])
def test_files_inside_byte_strings_are_looked_into(inner: bytes) -> None:
    report = scan_bytes(pickle.dumps({"blob": inner, "other": b"\x80\x04 not a pickle"}, 4))
    assert report.worst == "critical"
    assert "bytes at" in report.issues[0].where.member
    assert scan_bytes(pickle.dumps({"blob": inner}, 2)).worst == "critical"
    assert scan_bytes(pickle.dumps({"blob": make.PLAIN, "random": bytes(range(256)) * 50}, 4)).verdict is Verdict.CLEAN


def test_joblib_ends_a_frame_before_the_bytes_of_an_array() -> None:
    raw = struct.pack("<64d", *[1.5] * 64)
    described = make.joblib_array(raw, 64)[: -len(raw)]
    honest = b"\x80\x04\x95" + len(described).to_bytes(8, "little") + described + raw + b"."
    assert not codes(scan_bytes(honest))
    early = b"\x80\x04\x95" + (len(described) + 16).to_bytes(8, "little") + described + raw + b"."
    assert Code.BROKEN_STREAM in codes(scan_bytes(early))


def test_joblib_arrays_are_stepped_over_and_what_follows_is_read() -> None:
    raw = np.random.default_rng(7).normal(size=64).tobytes()
    honest = make.stream(make.joblib_array(raw, 64))
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    assert (
        scan_bytes(make.stream(b"(" + make.joblib_array(raw, 64), make.reduced("os", "system", "x") + b"t")).worst
        == "critical"
    )
    assert Code.BROKEN_STREAM in codes(scan_bytes(make.stream(make.joblib_array(raw, 65_000))))
    objects = make.joblib_array(make.EVIL, 1, "O")
    assert scan_bytes(make.stream(objects)).worst == "critical"


def test_array_bytes_that_another_loader_would_run_are_a_finding() -> None:
    payload = make.reduced("os", "system", "x")
    payload += b"N0" * ((512 - len(payload)) // 2) + b"N" * (len(payload) % 2)
    assert len(payload) == 512
    assert Code.HIDDEN_PAYLOAD in codes(scan_bytes(make.stream(make.joblib_array(payload, 64))))


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(make.EVIL, mtime=0),
        bz2.compress(make.EVIL),
        lzma.compress(make.EVIL),
        lzma.compress(make.EVIL, format=lzma.FORMAT_ALONE),
        zlib.compress(make.EVIL),
        gzip.compress(gzip.compress(make.EVIL, mtime=0), mtime=0),
        gzip.compress(make.PLAIN, mtime=0) + gzip.compress(make.EVIL, mtime=0),
    ],
)
def test_compressed_payloads_are_found(packed: bytes) -> None:
    assert scan_bytes(packed).worst == "critical"


def test_compressed_plain_pickles_are_clean_and_damaged_ones_are_not() -> None:
    packed = gzip.compress(make.PLAIN, mtime=0)
    assert scan_bytes(packed).verdict is Verdict.CLEAN
    assert scan_bytes(packed[:-9]).verdict is Verdict.FINDING
    assert scan_bytes(packed + b"tail").verdict is Verdict.FINDING


def test_decompression_stops_at_the_limits() -> None:
    limits = Limits(output=1 << 20, ratio_from=1 << 18, ratio=10)
    bomb = scan_bytes(gzip.compress(bytes(4 << 20)), limits=limits)
    assert Code.BOMB in codes(bomb)
    noise = np.random.default_rng(0).bytes(2 << 20)
    assert scan_bytes(gzip.compress(noise, mtime=0), limits=limits).verdict is Verdict.UNKNOWN


def test_torch_legacy_files_are_read_to_the_last_byte() -> None:
    magic = b"\x80\x02\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."
    small = [magic, b"\x80\x02M\xe9\x03.", b"\x80\x02}."]
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04NtQ"
    tensor = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0K\x04\x85K\x01\x85\x89}tR."
    keys = b"\x80\x02]X\x01\0\0\x000a."
    whole = b"".join((*small, tensor, keys, struct.pack("<q", 4), bytes(16)))
    report = scan_bytes(whole)
    assert (report.verdict, report.explained) == (Verdict.CLEAN, len(whole)), report.issues
    assert scan_bytes(whole + b"more").verdict is Verdict.FINDING


def test_a_file_on_disk_a_stream_and_bytes_give_the_same_report(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_bytes(make.EVIL)
    assert scan(path) == scan_bytes(make.EVIL) == scan_stream(io.BytesIO(make.EVIL))
    with pytest.raises(EnvironmentFailure, match="can't be read"):
        scan(tmp_path / "missing.pkl")
    (tmp_path / "empty").write_bytes(b"")
    assert scan(tmp_path / "empty").verdict is Verdict.UNKNOWN


def test_explain_tells_what_loading_would_do(tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(make.torch_zip(make.EVIL))
    told = explain(path)
    assert "import posix:system" in told
    assert "call   posix:system('echo shipworthy-test',)" in told
    assert "m/data.pkl" in told
    assert told.isascii()


PLAIN_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
        | st.sets(st.integers())
    ),
    max_leaves=30,
)


@given(PLAIN_DATA, st.integers(0, 5))
@example(("00\x80\U00010000", None), 1)  # its first bytes are fields of a protobuf message too
@settings(max_examples=150, deadline=None)
def test_any_plain_data_is_clean(value: object, protocol: int) -> None:
    report = scan_bytes(pickle.dumps(value, protocol))
    assert (report.format, report.verdict) == ("pickle", Verdict.CLEAN), report.issues


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_with_a_verdict(data: bytes) -> None:
    for start in (b"", b"\x80\x04", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x1f\x8b\x08"):
        report = scan_bytes(start + data)
        assert report.verdict in Verdict
        assert report.verdict is not Verdict.CLEAN or report.explained == report.size
    sniff(data)


@given(st.integers(0, 255), st.binary(max_size=80) | st.sampled_from([b"os\nsystem\n.", b"0\nN0\nN.", b"\0\0\0\0N."]))
@settings(max_examples=1000, deadline=None)
def test_bytes_that_are_not_tried_as_a_pickle_would_end_at_once(first: int, rest: bytes) -> None:
    data = bytes([first]) + rest
    machine = Machine(data, 0, len(data), Policy(lambda _: None))
    machine.run()
    if not machine.broken or machine.globals or len(machine.memo):
        assert first in FIRST


def test_every_opcode_that_needs_nothing_may_be_the_first() -> None:
    of_memo = {"GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT"}
    first = {ord(op.code) for op in pickletools.opcodes if not op.stack_before and op.name not in of_memo}
    assert first - FIRST == set()


@given(PLAIN_DATA, st.integers(2, 5), st.data())
@settings(max_examples=100, deadline=None)
def test_a_payload_is_found_between_any_plain_data(value: object, protocol: int, data: st.DataObject) -> None:
    inside = pickle.dumps(value, protocol)[:-1]
    payload = make.old_name("os", "system") + b"(S'x'\ntR"
    place = data.draw(st.sampled_from(["before", "behind"]))
    whole = inside[:2] + payload + b"0" + inside[2:] if place == "before" else inside + b"0" + payload
    assert scan_bytes(whole + b".").worst == "critical"


@given(st.integers(2, len(make.EVIL) - 1))  # its first byte alone is an empty map of MessagePack
def test_a_payload_that_is_cut_is_never_clean(length: int) -> None:
    assert scan_bytes(make.EVIL[:length]).verdict is not Verdict.CLEAN


class _Recorder(pickle._Unpickler):  # type: ignore[misc]
    """CPython's own machine in Python, where every import gives an inert class: the oracle for ours."""

    def find_class(self, module: str, name: str) -> type:
        self.seen.add((module, name))

        class Inert:
            def __new__(cls, *_args: object, **_kwargs: object) -> Inert:
                return object.__new__(cls)

            def __init__(self, *_args: object, **_kwargs: object) -> None:
                pass

            def __call__(self, *_args: object) -> Inert:
                return self

            def append(self, _item: object) -> None:
                pass

            extend = add = append

        return Inert

    def persistent_load(self, _pid: object) -> str:
        return "id"


_WORDS = [b"os", b"system", b"collections", b"OrderedDict", b"a.b"]
_TOKENS = [
    *(b"\x8c" + bytes([len(word)]) + word for word in _WORDS),
    *(b"c" + word + b"\nFoo\n" for word in _WORDS),
    *(b"i" + word + b"\nBar\n" for word in _WORDS),
    *(bytes([op]) for op in b"\x93\x93\x93((tld\x85\x86\x87R\x81\x92ob\x940012aesu]})\x8fN\x88Q\x90\x91"),
    *(bytes((op, index)) for op in b"qh" for index in range(4)),
    *(b"p%d\n" % index for index in range(4)),
    *(b"g%d\n" % index for index in range(4)),
    b"K\x01", b"K\x01" * 33, b"N" * 70, b"I12\n", b"S'os'\n", b"Vsystem\n", b"X\2\0\0\0os", b"U\6system", b"C\2ab",
    b"\x95" + bytes(8), b"r\x05\0\0\0", b"j\x05\0\0\0", b"\x80\x03",
]  # fmt: skip


@given(st.lists(st.sampled_from(_TOKENS), max_size=60))
@settings(max_examples=600, deadline=None)
def test_no_import_of_cpythons_machine_is_missed(tokens: list[bytes]) -> None:
    data = b"\x80\x04" + b"".join(tokens) + b"."
    oracle = _Recorder(io.BytesIO(data))
    oracle.seen = set()
    try:
        oracle.load()
        loads = True
    except Exception:
        loads = False
    report = scan_bytes(data)
    computed = any("no scan can know" in issue.message for issue in report.issues)
    assert computed or {f"{m}:{n}" for m, n in oracle.seen} <= set(report.names)
    if loads and len(data) > 2:
        assert not any("is broken" in issue.message for issue in report.issues if "bytes at" not in issue.where.member)


def test_what_no_reader_reads_is_searched_for_pickles_that_run_something() -> None:
    for data in (
        b"# a model card\n" + make.EVIL,
        b"{}\n" + make.EVIL,
        bytes(4096) + make.EVIL,
        b"\1\2" + make.EVIL + bytes(50),
    ):
        report = scan_bytes(data)
        assert {Code.HIDDEN_PAYLOAD, Code.CODE_EXECUTION} <= {issue.code for issue in report.issues}


def test_a_store_of_harmless_pickles_stays_unknown() -> None:
    rows = b"".join(b"\1\2row" + pickle.dumps({"a": [1, 2.5, number]}) for number in range(20))
    assert scan_bytes(rows).verdict is Verdict.UNKNOWN
    assert not scan_bytes(rows).issues


def test_a_long_run_of_the_opcode_for_names_is_searched_once() -> None:
    assert scan_bytes(b"N." + b"c" * 300_000).verdict is Verdict.FINDING  # took minutes
    assert scan_bytes(b"\1\2" + b"c" * 300_000).verdict is Verdict.UNKNOWN
