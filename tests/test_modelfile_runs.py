"""Runs of plain values that are passed by: the report is that of the machine that walks every opcode."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan_bytes
from shipworthy.modelfile.pickles import machine as machines
from shipworthy.modelfile.pickles import runs
from shipworthy.modelfile.pickles.calls import Policy
from shipworthy.modelfile.pickles.machine import Machine

needs_sound_repeats = pytest.mark.skipif(not runs.SOUND, reason="runs are only passed by from Python 3.11.5 on")


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


MEMO = st.sampled_from((b"", b"\x94"))
NUMBERS = st.one_of(
    st.sampled_from((b"N", b"\x88", b"\x89", b")")),
    st.binary(min_size=1, max_size=1).map(b"K".__add__),
    st.binary(min_size=2, max_size=2).map(b"M".__add__),
    st.binary(min_size=4, max_size=4).map(b"J".__add__),
    st.binary(min_size=8, max_size=8).map(b"G".__add__),
)
WORDS = st.sampled_from(("os", "system", "a", "", "t" * 9, "t" * 10, "builtins", "eval", "(e(u)\x94"))
TEXTS = st.builds(bytes.__add__, WORDS.map(text), MEMO)
GETS = st.integers(0, 40).map(lambda index: b"h" + bytes([index]))
LEAVES = st.one_of(NUMBERS, TEXTS, TEXTS, GETS)


def containers(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    several = st.lists(inner, max_size=6).map(b"".join)
    return st.one_of(
        st.builds(lambda a, m: a + b"\x85" + m, inner, MEMO),
        st.builds(lambda a, b, m: a + b + b"\x86" + m, inner, inner, MEMO),
        st.builds(lambda a, b, c, m: a + b + c + b"\x87" + m, inner, inner, inner, MEMO),
        st.builds(lambda a, m: b"(" + a + b"t" + m, several, MEMO),
        st.builds(lambda m, a: b"]" + m + b"(" + a + b"e", MEMO, several),
        st.builds(lambda m, a, b: b"]" + m + b"(" + a + b"e(" + b + b"e", MEMO, several, several),
        st.builds(lambda m, a: b"}" + m + b"(" + a + b"u", MEMO, several),
        st.builds(lambda m, a: b"]" + m + a + b"a", MEMO, inner),
        st.builds(lambda m, a, b: b"}" + m + a + b + b"s", MEMO, inner, inner),
        st.builds(bytes.__add__, st.sampled_from((b"]", b"}")), MEMO),
    )


VALUES = st.recursive(LEAVES, containers, max_leaves=25)
ACTS = st.sampled_from(
    (
        *(bytes([op]) for op in b"\x93Rb012(eut\x85\x86\x87\x94as\x81ol\x90\x8fQ"), b"\x93\x94", b"R\x94", b"t\x94",
        b"q\x03", b"q\x29", b"h\x30", b"j\x50\0\0\0", b"r\x60\0\0\0", text("__class__"), b"cos\nsystem\n",
        b"cos\nsystem\n(", b"ccollections\nOrderedDict\n\x94)R\x94", b"cbuiltins\ngetattr\n",
        b"cfunctools\npartial\n", b"\x95" + (40).to_bytes(8, "little"),
    )
)  # fmt: skip
# Streams that fit together for the most part, with acts that take what runs have put there.
PROGRAMS = st.builds(
    lambda names, parts, ending: b"\x80\x04" + b"".join(names) + b"](" + b"".join(parts) + ending,
    st.lists(st.one_of(TEXTS, VALUES, st.just(b"cos\nsystem\n\x94")), min_size=2, max_size=8),
    st.lists(st.one_of(VALUES, VALUES, VALUES, ACTS), max_size=40),
    st.sampled_from((b"e.", b"tR.", b"t.", b"\x93)R.", b"", b"l.", b"0.", b"u.", b"o.")),
)


@contextmanager
def small() -> Iterator[None]:
    """Runs from a few bytes on, in windows of a few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machines, "WINDOW", 96)
        patch.setattr(runs, "FROM", 40)
        patch.setattr(runs, "LEAST", 4)
        patch.setattr(runs, "_TAILS", (6, 20))
        patch.setattr(runs, "_DEPTH", 2)
        patch.setattr(runs, "_TEXT", 10)
        patch.setattr(runs, "expression", lru_cache(256)(runs.expression.__wrapped__))
        yield


def walked(data: bytes, *, swift: bool) -> tuple[Any, ...]:
    """All that a walk tells: issues, names, where it ends and why, and what the memo holds."""
    issues: list[Any] = []
    machine = Machine(data, 0, len(data), Policy(issues.append))
    machine.fast = swift
    machine.run()
    machine.settle()
    cells = [cell if cell > -100 else shown(machine.objects[-100 - cell]) for cell in machine.memo]
    ended = machine.broken or machine.position
    return issues, list(machine.globals), ended, machine.executed, cells


def shown(value: Any) -> Any:
    """What tells two values apart that are equal."""
    if isinstance(value, (tuple, dict)):
        return [shown(item) for item in (value.items() if isinstance(value, dict) else value)]
    return value if isinstance(value, int | str) else value.__class__.__name__


@needs_sound_repeats
@settings(max_examples=400, deadline=None)
@given(PROGRAMS)
def test_what_is_passed_by_changes_nothing_in_the_report(program: bytes) -> None:
    with small():
        assert walked(program, swift=True) == walked(program, swift=False)


def rows(count: int) -> bytes:
    made = [{"id": n, "name": f"row{n}", "kids": (n, float(n), None), "more": [n, {"a": n}]} for n in range(count)]
    return pickle.dumps(made, protocol=4)


@needs_sound_repeats
def test_most_of_a_file_of_rows_is_passed_by() -> None:
    data = rows(30_000)
    machine = Machine(data, 0, len(data), Policy(lambda _: None))
    machine.run()
    assert not machine.broken
    assert sum(end - start for start, end, _ in machine.parts) > (len(data) - runs.FROM) * 0.5
    assert scan_bytes(data).verdict is Verdict.CLEAN


class Counting(bytes):
    """Bytes that remember how many of them were copied out."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        self.copied += len(part) if isinstance(key, slice) else 1
        return part


def test_of_arrays_only_the_beginnings_are_read() -> None:
    arrays = b"".join(make.joblib_array(bytes(1 << 19), 1 << 16) for _ in range(20))
    data = Counting(make.stream(b"(" + arrays + b"t"))
    machine = Machine(data, 0, len(data), Policy(lambda _: None))
    machine.run()
    assert not machine.broken
    assert data.copied < len(data) / 50
    assert machine.expression is None, "there is nothing to pass by, and to compile the expression takes long"


@needs_sound_repeats
@pytest.mark.parametrize("use", ["a memo entry", "the top of the stack", "the arguments"])
def test_a_name_put_together_of_what_was_passed_by_is_found(use: str) -> None:
    honest = rows(30_000)
    inner = honest[honest.index(b"(") + 1 : -2]  # without what closes the last batch, and STOP
    words = text("os") + b"\x94" + text("system") + b"\x94"
    if use == "a memo entry":
        # the words lie in a row of the middle; their indices in the memo are counted by pickle itself
        made: list[Any] = [{"id": n, "kids": (n, float(n))} for n in range(30_000)]
        made[20_000] = {"id": 0, "kids": ("os", "system")}
        made += [made[20_000]["kids"][0], made[20_000]["kids"][1]]
        data = pickle.dumps(made, protocol=4)
        assert data[-12] == data[-7] == 0x6A
        data = data[:-2] + b"\x93" + text("id") + b"\x85Re."
    elif use == "the top of the stack":
        data = honest[: honest.index(b"(") + 1] + inner + words + b"\x93" + text("id") + b"\x85Re."
    else:
        data = honest[: honest.index(b"(") + 1] + inner + b"cos\nsystem\n(" + text("id") + b"\x94tRe."
    report = scan_bytes(data)
    assert report.verdict is Verdict.FINDING
    assert any(issue.callable == "os:system" for issue in report.issues)


@pytest.mark.parametrize("below", range(32))
def test_another_class_behind_many_numbers_is_seen_however_much_lies_on_the_stack(below: int) -> None:
    """Numbers that share a slot must not make a key look like a value."""
    state = b"}(" + b"K\x01" * 18 + text("__class__") + b"N" + b"u"
    made = b"csklearn.linear_model._logistic\nLogisticRegression\n)\x81"
    report = scan_bytes(b"\x80\x04(" + b"N" * below + made + state + b"bt.")
    assert report.verdict is Verdict.FINDING
