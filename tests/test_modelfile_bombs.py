"""Graphs and programs that ask for more memory or time than there is: found before anything is loaded."""

from __future__ import annotations

import json
import struct

import pytest

import graph_samples as graph
import modelfile_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan_bytes


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def make_function(domain: str, name: str, *nodes: bytes, inputs: tuple[str, ...] = ()) -> bytes:
    body = make.field(1, name) + b"".join(make.field(4, item) for item in inputs)
    return make.field(25, body + b"".join(make.field(7, node) for node in nodes) + make.field(10, domain))


def number(name: str, *values: int) -> bytes:
    raw = struct.pack(f"<{len(values)}q", *values)
    return make.field(1, len(values)) + make.field(2, 7) + make.field(8, name) + make.field(9, raw)


def step(operator: str, inputs: tuple[str, ...], output: str, *attributes: bytes) -> bytes:
    names = b"".join(make.field(1, name) for name in inputs)
    return names + make.field(2, output) + make.field(4, operator) + b"".join(make.field(5, a) for a in attributes)


def given(name: str, tensor: bytes) -> bytes:
    return step("Constant", (), name, make.field(1, "value") + make.field(5, tensor) + make.field(20, 4))


def body(*nodes: bytes, output: str) -> bytes:
    values = make.field(11, make.field(1, "i")) + make.field(11, make.field(1, "c"))
    return b"".join(make.field(1, node) for node in nodes) + values + make.field(12, make.field(1, output))


TRUE = make.field(2, 9) + make.field(9, b"\1")
ENDLESS = step("Loop", ("", ""), "y", make.field(1, "body") + make.field(6, body(given("t", TRUE), output="t")))
HANDED_ON = body(step("Identity", ("c",), "d"), output="d")
COUNTED = step("Loop", ("n", ""), "y", make.field(1, "body") + make.field(6, body(given("t", TRUE), output="t")))


def sub(*nodes: bytes, output: str, inputs: tuple[str, ...] = ("i", "c"), more: tuple[str, ...] = ()) -> bytes:
    values = b"".join(make.field(11, make.field(1, name)) for name in inputs)
    values += b"".join(make.field(12, make.field(1, name)) for name in (output, *more))
    return make.field(1, "body") + make.field(6, b"".join(make.field(1, node) for node in nodes) + values)


def looped(
    turns: str, *nodes: bytes, condition: bytes = given("t", TRUE), result: str = "v", first: str = "x", kept: str = ""
) -> bytes:
    """A loop that hands on one value, `v` inside."""
    more = (result, kept) if kept else (result,)
    return step("Loop", (turns, "", first), "y", sub(condition, *nodes, output="t", inputs=("i", "c", "v"), more=more))


def doubled(times: int, operator: str = "StringConcat") -> tuple[bytes, ...]:
    return tuple(step(operator, (f"s{n}", f"s{n}"), f"s{n + 1}") for n in range(times))


TEXT = make.field(1, 1) + make.field(2, 8) + make.field(6, b"a" * 64) + make.field(8, "s0")
LARGE = {
    "a fill": (make.onnx((step("ConstantOfShape", ("n",), "y"),), (number("n", 1 << 40),)), True),
    "a small fill": (make.onnx((step("ConstantOfShape", ("n",), "y"),), (number("n", 1 << 20),)), False),
    "no elements": (make.onnx((step("ConstantOfShape", ("n",), "y"),), (number("n", 1 << 40, 0),)), False),
    "a node's constant": (make.onnx((given("n", number("", 1 << 34)), step("Expand", ("x", "n"), "y"))), True),
    "sizes put together": (
        make.onnx((step("Concat", ("n", "n"), "s"), step("Expand", ("x", "s"), "y")), (number("n", 1 << 20),)),
        True,
    ),
    "sizes multiplied": (
        make.onnx((step("Mul", ("n", "n"), "s"), step("Tile", ("x", "s"), "y")), (number("n", 1 << 20),)),
        True,
    ),
    "tiles of tiles": (
        make.onnx((step("Tile", ("x", "n"), "s"), step("Tile", ("s", "n"), "y")), (number("n", 1 << 20),)),
        True,
    ),
    "a range": (
        make.onnx((step("Range", ("a", "n", "b"), "y"),), (number("a", 0), number("n", 1 << 40), number("b", 3))),
        True,
    ),
    "a picture": (make.onnx((step("Resize", ("x", "", "", "n"), "y"),), (number("n", 1, 3, 1 << 17, 1 << 17),)), True),
    "an edge": (make.onnx((step("Pad", ("x", "n"), "y"),), (number("n", 0, 1 << 40, 0, 0),)), True),
    "a random tensor": (
        make.onnx((step("RandomNormal", (), "y", make.field(1, "shape") + make.field(8, 1 << 20) * 2),)),
        True,
    ),
    "in a function": (
        make.onnx((make.node("f", "d"),))
        + make_function("d", "f", given("n", number("", 1 << 40)), step("ConstantOfShape", ("n",), "y")),
        True,
    ),
    "sizes from the caller": (
        make.onnx((step("f", ("n",), "y") + make.field(7, "d"),), (number("n", 1 << 40),))
        + make_function("d", "f", step("ConstantOfShape", ("s",), "z"), inputs=("s",)),
        True,
    ),
    "a name of another function": (
        make.onnx((make.node("f", "d"), step("ConstantOfShape", ("n",), "y")))
        + make_function("d", "f", given("n", number("", 1 << 40))),
        False,
    ),
    "a column and a row": (
        make.onnx(
            (
                step("ConstantOfShape", ("n",), "a"),
                step("Transpose", ("a",), "b"),
                step("Identity", ("b",), "c"),
                step("Add", ("a", "c"), "y"),
            ),
            (number("n", 1 << 18, 1),),
        ),
        True,
    ),
    "their product": (
        make.onnx(
            (
                step("ConstantOfShape", ("n",), "a"),
                step("ConstantOfShape", ("m",), "b"),
                step("MatMul", ("a", "b"), "y"),
            ),
            (number("n", 1 << 18, 1), number("m", 1, 1 << 18)),
        ),
        True,
    ),
    "a row made a column": (
        make.onnx(
            (
                step("Range", ("z", "n", "o"), "a"),
                step("Unsqueeze", ("a", "o"), "b"),
                step("Where", ("c", "a", "b"), "y"),
            ),
            (number("n", 1 << 20), number("z", 0), number("o", 1)),
        ),
        True,
    ),
    "stretched twice": (
        make.onnx(
            (step("ConstantOfShape", ("n",), "a"), step("Expand", ("a", "m"), "y")),
            (number("n", 1 << 18, 1), number("m", 1, 1 << 18)),
        ),
        True,
    ),
    "a mask": (
        make.onnx(
            (
                step("ConstantOfShape", ("n",), "a"),
                step("Transpose", ("a",), "b"),
                step("And", ("a", "b"), "y"),
            ),
            (number("n", 1 << 12, 1),),
        ),
        False,
    ),
    "names that lead to themselves": (make.onnx((step("Mul", ("n", "n"), "n"), step("Tile", ("n", "n"), "n"))), False),
    "a loop without an end": (make.onnx((ENDLESS,)), True),
    "a loop of many inputs": (
        make.onnx((b"".join(make.field(1, "") for _ in range(200)) + ENDLESS.removeprefix(make.field(1, "") * 2),)),
        True,
    ),
    "a condition handed on": (
        make.onnx((step("Loop", ("", ""), "y", make.field(1, "body") + make.field(6, HANDED_ON)),)),
        True,
    ),
    "a loop that is counted": (make.onnx((COUNTED,), (number("n", 10),)), False),
    "a loop that the caller counts": (make.onnx((COUNTED,)), False),
    "a loop of very many turns": (make.onnx((COUNTED,), (number("n", 1 << 30),)), True),
    "loops in loops": (
        make.onnx(
            (looped("n", step("Loop", ("n", ""), "q", sub(given("t", TRUE), output="t"))),), (number("n", 1 << 14),)
        ),
        True,
    ),
    "few loops in loops": (
        make.onnx(
            (looped("n", step("Loop", ("n", ""), "q", sub(given("t", TRUE), output="t"))),), (number("n", 1 << 7),)
        ),
        False,
    ),
    "a condition that no turn changes": (
        make.onnx((looped("", condition=step("Less", ("v", "n"), "t")),), (number("n", 5),)),
        True,
    ),
    "a condition that a turn changes": (
        make.onnx(
            (looped("", step("Sin", ("v",), "w"), condition=step("Less", ("v", "n"), "t"), result="w"),),
            (number("n", 5),),
        ),
        False,
    ),
    "a counted condition": (
        make.onnx(
            (looped("", step("Add", ("v", "o"), "w"), condition=step("Less", ("v", "n"), "t"), result="w", first="z"),),
            (number("n", 1 << 40), number("o", 3), number("z", 0)),
        ),
        True,
    ),
    "a counted condition that ends soon": (
        make.onnx(
            (looped("", step("Add", ("v", "o"), "w"), condition=step("Less", ("v", "n"), "t"), result="w", first="z"),),
            (number("n", 1 << 20), number("o", 3), number("z", 0)),
        ),
        False,
    ),
    "what doubles in every turn": (
        make.onnx((looped("n", step("Concat", ("v", "v"), "w"), result="w"),), (number("n", 50),)),
        True,
    ),
    "what doubles a few times": (
        make.onnx((looped("n", step("Concat", ("v", "v"), "w"), result="w"),), (number("n", 8),)),
        False,
    ),
    "what grows by much in every turn": (
        make.onnx(
            (looped("n", step("ConstantOfShape", ("m",), "u"), step("Concat", ("v", "u"), "w"), result="w"),),
            (number("n", 1 << 20), number("m", 1 << 20)),
        ),
        True,
    ),
    "a text that is put behind itself": (make.onnx(doubled(28), (TEXT,), 20), True),
    "a text of a node": (make.onnx((given("s0", TEXT), *doubled(28)), version=20), True),
    "a text that is put behind itself a few times": (make.onnx(doubled(8), (TEXT,), 20), False),
    "numbers that are put behind themselves": (make.onnx(doubled(34, "Concat"), (number("s0", 1),)), True),
    "eight gigabytes": (make.onnx((step("Expand", ("x", "n"), "y"),), (number("n", 1 << 31),)), True),
    "what is kept of every turn": (
        make.onnx(
            (looped("n", step("ConstantOfShape", ("m",), "u"), kept="u"),), (number("n", 1 << 20), number("m", 1 << 20))
        ),
        True,
    ),
}


@pytest.mark.parametrize("case", LARGE)
def test_onnx_that_asks_for_more_than_fits_is_a_bomb(case: str) -> None:
    data, bomb = LARGE[case]
    assert codes(scan_bytes(data)) == ({Code.BOMB} if bomb else set())


def tf_number(name: str, *values: int, kind: int = 9, **shape: bytes) -> bytes:
    dims = shape.get("dims", graph.field(2, graph.field(1, len(values))) if len(values) > 1 else b"")
    raw = b"".join(graph.field(10 if kind == 9 else 11, value) for value in values)
    tensor = graph.field(1, kind) + graph.field(2, dims) + raw
    return graph.tf_node(name, "Const", dtype=graph.field(6, kind), value=graph.field(8, tensor))


def returning(function: bytes, node: str) -> bytes:
    return function + graph.field(4, graph.field(1, "out") + graph.field(2, f"{node}:output:0"))


FOREVER = returning(
    graph.tf_function("c", ("x",), tf_number("t", 1, kind=10), graph.tf_node("i", "Identity", ("t:output:0",))), "i"
)
COMPARED = returning(graph.tf_function("c", ("x",), graph.tf_node("i", "Less", ("x", "x"))), "i")
WHILE = graph.tf_node("w", "StatelessWhile", ("x",), cond=graph.field(10, graph.field(1, "c")))
DIMS = tf_number("n", 1 << 20, 1 << 20)


def old_loop(first: str = "t", back: str = "w:1", limit: int = 10) -> tuple[bytes, ...]:
    """A loop of TensorFlow 1: over a truth value, or over a number that is compared with the limit."""
    compared = graph.tf_node("l", "Less", ("m", "ten")) if first == "i" else graph.tf_node("l", "Identity", ("m",))
    return (
        tf_number("t", 1, kind=10),
        tf_number("i", 0),
        tf_number("ten", limit),
        graph.tf_node("e", "Enter", (first,)),
        graph.tf_node("m", "Merge", ("e", "next")),
        compared,
        graph.tf_node("c", "LoopCond", ("l",)),
        graph.tf_node("w", "Switch", ("m", "c")),
        graph.tf_node("next", "NextIteration", (back,)),
        graph.tf_node("x", "Exit", ("w",)),
    )


EXIT = graph.tf_node("x", "Exit", ("m",))
OUTER = graph.field(2, "outer")
NESTED = (
    *old_loop("i", "s")[:2],
    graph.tf_node("ten", "Const", ("^m",)),
    graph.tf_node("a", "Enter", ("i",), frame_name=OUTER),
    graph.tf_node("o", "Enter", ("i",), frame_name=OUTER),
    graph.tf_node("an", "Merge", ("a", "ak")),
    graph.tf_node("on", "Merge", ("o", "ok")),
    graph.tf_node("q", "Less", ("an", "limit")),
    graph.tf_node("d", "LoopCond", ("q",)),
    graph.tf_node("as", "Switch", ("an", "d")),
    graph.tf_node("os", "Switch", ("on", "d")),
    graph.tf_node("one", "Const", ("^as",)),
    graph.tf_node("ap", "Add", ("as:1", "one")),
    graph.tf_node("ak", "NextIteration", ("ap",)),
    graph.tf_node("e", "Enter", ("os:1",)),
    *old_loop("i", "s")[4:],
    graph.tf_node("s", "Add", ("w:1", "limit")),
    graph.tf_node("ok", "NextIteration", ("x",)),
)
LARGE_TF = {
    "a fill": ((DIMS, graph.tf_node("f", "Fill", ("n", "v"))), (), True),
    "one value for all sizes": (
        (
            tf_number("n", 1 << 20, dims=graph.field(2, graph.field(1, 2))),
            graph.tf_node("f", "Fill", ("n:output:0", "v")),
        ),
        (),
        True,
    ),
    "a range": (
        (tf_number("n", 1 << 40), tf_number("a", 0), tf_number("b", 1), graph.tf_node("r", "Range", ("a", "n", "b"))),
        (),
        True,
    ),
    "tiles": ((DIMS, graph.tf_node("t", "Tile", ("x", "n"))), (), True),
    "in a function": ((), (graph.tf_function("f", (), DIMS, graph.tf_node("t", "BroadcastTo", ("x", "n"))),), True),
    "sizes from the caller": (
        (DIMS, graph.tf_call("p", "f", "n")),
        (graph.tf_function("f", ("d",), graph.tf_node("t", "Fill", ("d", "v"))),),
        True,
    ),
    "a counter of a loop": (
        (tf_number("n", 0), graph.tf_node("w", "While", ("n",), cond=graph.field(10, graph.field(1, "c")))),
        (
            returning(
                graph.tf_function("c", ("n",), tf_number("m", 9), graph.tf_node("i", "Less", ("n", "m:output:0"))), "i"
            ),
        ),
        False,
    ),
    "a column and a row": (
        (
            tf_number("n", 1 << 18, 1),
            tf_number("m", 1 << 18),
            graph.tf_node("a", "Fill", ("n", "v")),
            graph.tf_node("b", "Fill", ("m", "v")),
            graph.tf_node("c", "Sub", ("a", "b")),
        ),
        (),
        True,
    ),
    "a text that is put behind itself": (
        (
            graph.tf_text("s0", "a" * 64),
            *(graph.tf_node(f"s{n + 1}", "StringJoin", (f"s{n}", f"s{n}")) for n in range(28)),
        ),
        (),
        True,
    ),
    "its sum": (
        (
            tf_number("n", 1 << 14, 1 << 14),
            tf_number("x", 0),
            graph.tf_node("a", "Fill", ("n", "v")),
            graph.tf_node("b", "Sum", ("a", "x")),
            tf_number("m", 1 << 10),
            graph.tf_node("c", "Fill", ("m", "v")),
            graph.tf_node("d", "Mul", ("b", "c")),
        ),
        (),
        False,
    ),
    "a condition of the old kind that is handed on": ((*old_loop(),), (), True),
    "one that is counted": (
        (
            *old_loop("i", "s"),
            tf_number("one", 1),
            graph.tf_node("s", "Add", ("w:1", "one")),
        ),
        (),
        False,
    ),
    "one whose count stays": (
        (
            *old_loop("i", "s"),
            tf_number("one", 0),
            graph.tf_node("s", "Add", ("w:1", "one")),
        ),
        (),
        True,
    ),
    "one that is counted for very long": (
        (*old_loop("i", "s", limit=1 << 30), tf_number("one", 1), graph.tf_node("s", "Add", ("w:1", "one"))),
        (),
        True,
    ),
    "one that is counted to a thousand": (
        (*old_loop("i", "s", limit=1000), tf_number("one", 1), graph.tf_node("s", "Add", ("w:1", "one"))),
        (),
        False,
    ),
    "one without a condition": (old_loop()[:5] + old_loop(back="m")[8:9] + (EXIT,), (), True),
    "one without a condition, beside one that ends": (
        (
            *old_loop("i", "s"),
            tf_number("one", 1),
            graph.tf_node("s", "Add", ("w:1", "one")),
            graph.tf_node("f", "Enter", ("one",), frame_name=graph.field(2, "f")),
            graph.tf_node("g", "Merge", ("f", "h")),
            graph.tf_node("j", "Switch", ("g", "x")),
            graph.tf_node("h", "NextIteration", ("j",)),
        ),
        (),
        True,
    ),
    "a loop in a loop": ((*NESTED,), (), False),
    "one without a condition around one that ends": (
        (*NESTED[:2], NESTED[4], NESTED[6], graph.tf_node("e", "Enter", ("on",)), *NESTED[15:]),
        (),
        True,
    ),
    "one without a condition in a function": (
        (),
        (graph.tf_function("f", (), *old_loop()[:5], *old_loop(back="m:output:0")[8:9]),),
        True,
    ),
    "a small one": ((tf_number("n", 1 << 10), graph.tf_node("f", "Fill", ("n", "v"))), (), False),
    "a loop without an end": ((WHILE,), (FOREVER,), True),
    "a loop that compares": ((WHILE,), (COMPARED,), False),
    "a loop of the old kind": ((tf_number("t", 1, kind=10), graph.tf_node("l", "LoopCond", ("t",))), (), True),
}


@pytest.mark.parametrize("case", LARGE_TF)
def test_tensorflow_that_asks_for_more_than_fits_is_a_bomb(case: str) -> None:
    nodes, functions, bomb = LARGE_TF[case]
    assert codes(scan_bytes(graph.saved_model(*nodes, functions=functions))) == ({Code.BOMB} if bomb else set())


INT, BOOL, FLOAT = 2, 6, 0
ADD, TILE, RESHAPE, FILL, RANGE, WHILE_LITE, BROADCAST_TO, SIN, ABS, LOGISTIC, MUL, LESS = (
    0, 69, 22, 94, 96, 119, 130, 66, 101, 14, 18, 58
)  # fmt: skip


def ints(*values: int) -> tuple[list[int], int, bytes]:
    return [len(values)], INT, struct.pack(f"<{len(values)}i", *values)


UNKNOWN: tuple[list[int], int, bytes] = ([], FLOAT, b"")
ONE: tuple[list[int], int, bytes] = ([1], FLOAT, struct.pack("<f", 1))
TRUE_LITE: tuple[list[int], int, bytes] = ([1], BOOL, b"\1")
TWO: tuple[list[int], int, bytes] = ([1], FLOAT, struct.pack("<f", 2))


def lite_loop(operator: int, inputs: list[int], output: int) -> bytes:
    """A loop over the model's input while that is less than two."""
    test = ([UNKNOWN, TWO, ([1], BOOL, b"")], [(LESS, [0, 1], 2, -1)])
    inside = ([UNKNOWN, *([TWO] if output > 1 else []), UNKNOWN], [(operator, inputs, output, -1)])
    return graph.tflite_graphs(([UNKNOWN], [(WHILE_LITE, [0], 0, 1)]), test, inside)


LARGE_LITE = {
    "a fill": (graph.tflite_graphs(([ints(1 << 20, 1 << 20), ONE, UNKNOWN], [(FILL, [0, 1], 2, -1)])), True),
    "a small fill": (graph.tflite_graphs(([ints(1 << 10, 10), ONE, UNKNOWN], [(FILL, [0, 1], 2, -1)])), False),
    "tiles": (graph.tflite_graphs(([ints(1 << 20, 1 << 20), UNKNOWN, UNKNOWN], [(TILE, [1, 0], 2, -1)])), True),
    "a stretched one": (
        graph.tflite_graphs(([ints(1 << 20, 1 << 20), ONE, UNKNOWN], [(BROADCAST_TO, [1, 0], 2, -1)])),
        True,
    ),
    "a range": (
        graph.tflite_graphs(
            (
                [([], FLOAT, struct.pack("<f", number)) for number in (0, 1e12, 1)] + [UNKNOWN],
                [(RANGE, [0, 1, 2], 3, -1)],
            )
        ),
        True,
    ),
    "a column and a row": (
        graph.tflite_graphs(
            (
                [ints(1 << 18, 1), ints(1 << 18), ONE, UNKNOWN, UNKNOWN, UNKNOWN],
                [(FILL, [0, 2], 3, -1), (FILL, [1, 2], 4, -1), (ADD, [3, 4], 5, -1)],
            )
        ),
        True,
    ),
    "a tensor that is made when it is loaded": (graph.tflite_graphs(([([1 << 20, 1 << 20], FLOAT, b"")], [])), True),
    "a loop without an end": (
        graph.tflite_graphs(([UNKNOWN], [(WHILE_LITE, [0], 0, 1)]), ([UNKNOWN, TRUE_LITE], [])),
        True,
    ),
    "a loop that ends": (
        graph.tflite_graphs(([UNKNOWN], [(WHILE_LITE, [0], 0, 1)]), ([UNKNOWN, ([1], BOOL, b"\0")], [])),
        False,
    ),
    "a loop that nothing ends once it runs": (
        graph.tflite_graphs(([UNKNOWN], [(WHILE_LITE, [0], 0, 1)]), ([UNKNOWN], [])),
        True,
    ),
    "a loop that ends at once or never": (lite_loop(ABS, [0], 1), True),
    "a loop between bounds": (lite_loop(LOGISTIC, [0], 1), True),
    "a loop that counts from the input": (lite_loop(ADD, [0, 1], 2), False),
    "a loop that multiplies the input": (lite_loop(MUL, [0, 1], 2), False),
    "a loop that the input ends": (
        graph.tflite_graphs(([UNKNOWN], [(WHILE_LITE, [0], 0, 1)]), ([UNKNOWN, UNKNOWN], [(SIN, [0], 1, -1)])),
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LARGE_LITE)
def test_tflite_that_asks_for_more_than_fits_is_a_bomb(case: str) -> None:
    data, bomb = LARGE_LITE[case]
    assert codes(scan_bytes(data)) == ({Code.BOMB} if bomb else set())


def test_long_chains_of_sizes_cost_little() -> None:
    nodes = [step("Mul", (f"n{n}", f"n{n}"), f"n{n + 1}") for n in range(2000)]
    nodes += [step("Tile", (f"t{n}", f"n{n}"), f"t{n + 1}") for n in range(2000)]
    assert scan_bytes(make.onnx(tuple(nodes))).verdict is Verdict.CLEAN


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_way_hides_no_size(backwards: bool) -> None:
    nodes = [graph.tf_node(f"n{n + 1}", "Identity", (f"n{n}",)) for n in range(3000)]
    nodes += [graph.tf_node("f", "Fill", ("n3000", "v")), tf_number("n0", 1 << 20, 1 << 20)]
    assert codes(scan_bytes(graph.saved_model(*(reversed(nodes) if backwards else nodes)))) == {Code.BOMB}


def test_long_chains_and_deep_loops_of_torchscript_cost_little() -> None:
    chain = [f"  _{n} = torch.add(_{n + 1}, 1)" for n in range(5000)]
    longer = [f"  s{n} = torch.add(s{n + 1}, s{n + 1})" for n in range(5000)]
    for test, lines in (("torch.gt(_0, 0)", chain), ("torch.gt(torch.len(s0), 0)", longer)):
        assert codes(script(f"while {test}:", *lines)) == set()
    assert codes(script(f"while {'bool(' * 3000}_0{')' * 3000}:", "  x = torch.add(x, 1)")) == set()
    deep = script(*("  " * n + "while _0:" for n in range(2000)), "  " * 2000 + "_0 = torch.gt(x, 1)")
    assert deep.verdict is not Verdict.CLEAN


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (("while torch.lt(n, m):", "  n = torch.add(n, 1)"), Verdict.UNKNOWN),
        (("for i in range(m):", "  _1 = torch.append(l, x)"), Verdict.UNKNOWN),
        (("for i in range(torch.len(x)):", "  _1 = torch.append(l, x)"), Verdict.CLEAN),
        (("for i in range(10):", "  _1 = torch.append(l, x)"), Verdict.CLEAN),
        (("y = torch.add(x, 1)",), Verdict.CLEAN),
        (("return (self).helper(x, c, )", "def helper(self, x, c):", "  while c:", "    c = self.d"), Verdict.UNKNOWN),
    ],
)
def test_torchscript_that_runs_at_load_has_no_loop_that_may_never_end(lines: tuple[str, ...], verdict: Verdict) -> None:
    report = script(*lines, name="__setstate__")
    assert (report.verdict, codes(report)) == (verdict, set())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize(
    ("declared", "code"),
    [('<!ENTITY x SYSTEM "file:///etc/passwd">', Code.EXTERNAL_DATA), ('<!ENTITY x "aaaa">', Code.BOMB)],
)
def test_entities_are_found_in_every_encoding(encoding: str, declared: str, code: Code) -> None:
    name = "utf-16" if encoding.startswith("utf-16") else encoding
    start = "\ufeff" if encoding[-2:] in ("le", "be") else ""
    comment = f"<!-- {'-a' * 4000} -->"
    for root in ("PMML", "net"):
        text = (
            f'{start}<?xml version="1.0" encoding="{name}"?><!DOCTYPE {root} [{comment}{declared}]><{root}>&x;</{root}>'
        )
        assert codes(scan_bytes(text.encode(encoding))) == {code}


@pytest.mark.parametrize("text", [b'{"learner":' + b"[" * 1_000_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_json_deeper_than_a_stack_is_a_bomb(text: bytes) -> None:
    assert codes(scan_bytes(text)) == {Code.BOMB}


def script(*lines: str, name: str = "forward") -> Report:
    body = "".join(f"    {line}\n" for line in lines)
    head = "class M(Module):\n  __parameters__ = []\n"
    head += f"  def {name}(self: __torch__.M, x: Tensor, c: bool) -> Tensor:\n"
    code = f"{head}{body}    return x\n"
    return scan_bytes(make.torch_zip(make.PLAIN, ("m/code/__torch__.py", code.encode())))


@pytest.mark.parametrize(
    "lines",
    [
        ("y = torch.add(torch.ones([1048576, 1048576]), x)",),
        ("y = torch.zeros([1048576, 1048576], dtype=6, layout=0)",),
        ("n = 1048576", "y = torch.full([n, n], 0)"),
        ("n, m = 1048576, x", "l = [n, n]", "y = torch.rand(l)"),
        ("n = torch.mul(1048576, 1048576)", "y = torch.arange(n)"),
        ("y = torch.arange(0, 1 << 40, 1)",),
        ("y = torch.randint(0, 10, [1048576, 1048576])",),
        ("y = torch.eye(1048576, 1048576)",),
        ("y = torch.repeat(x, [1048576, 1048576])",),
        ("y = (x).repeat([1048576, 1048576])",),
        ("y = x.new_zeros([1048576, 1048576])",),
        ("y = ops.aten.empty([99999999999])",),
        ("y = torch.zeros(size=[1048576, 1048576])",),
        ("y = torch.linspace(0, 1, 99999999999)",),
        ("y = torch.constant_pad_nd(x, [0, 99999999999], 0.)",),
        ("while True:", "  x = torch.add(x, 1)"),
        ("_0 = True", "while _0:", "  _0, x = True, torch.add(x, 1)"),
        ("_0 = True", "_1 = _0", "while _1:", "  x = torch.add(x, 1)"),
        ("while True: x = torch.add(x, 1)",),
        ("_0 = True", *(f"_{n + 1} = _{n}" for n in range(200)), "while _200:", "  x = torch.add(x, 1)"),
        ("while annotate(bool, True):", "  if torch.gt(x, 0):", "    x = torch.add(x, 1)"),
        ("for i in range(9223372036854775807):", "  x = torch.add(x, 1)"),
        ("while c:", "  c = True"),
        ("_0 = _0", "while _0:", "  x = torch.add(x, 1)"),
        ("n = 1", "while torch.gt(n, 0):", "  n = torch.add(n, 1)"),
        ("_0 = torch.gt(n, 0)", "while _0:", "  m = torch.add(n, 1)", "  _0, n = torch.gt(m, 0), m"),
        ("_0 = torch.lt(n, 9)", "while _0:", "  m = torch.sub(n, 2)", "  _0, n = bool(torch.lt(m, 9)), m"),
        ("while n > 0:", "  n = n + 1"),
        ("while torch.__and__(torch.gt(n, 0), c):", "  n, c = torch.add(n, 1), True"),
        ("_0 = torch.gt(s, 0)", "while _0:", "  x = torch.add(x, 1)", "  _0 = torch.gt(s, 0)"),
        ("while _0:", "  _1 = torch.append(l, x)", "  _0 = torch.gt(torch.len(l), 0)"),
        ("while _0:", "  t = torch.add(s, s)", "  _0, s = torch.gt(torch.len(t), 0), t"),
        ("while torch.gt(torch.len(s), 0):", "  s = torch.add(s, s)"),
        ("while _0:", "  if c:", "    m = torch.add(n, 1)", "  else:", "    m = n", "  _0, n = torch.gt(m, 0), m"),
    ],
)
def test_torchscript_that_takes_all_memory_or_time_is_a_bomb(lines: tuple[str, ...]) -> None:
    assert codes(script(*lines)) == {Code.BOMB}


@pytest.mark.parametrize(
    "lines",
    [
        ("y = torch.zeros([1024, 1024])", "z = torch.full([2], 99999999999)"),
        ("y = torch.randint(0, 99999999999, [4])", "z = torch.slice(x, 0, 0, 9223372036854775807)"),
        ("y = torch.view(x, [-1, 1048576, 1048576])", "z = torch.zeros([torch.size(x, 0), 4])"),
        ("y = torch.zeros([0, 99999999999])", "z = torch.arange(99999999999, 99999999999 + 5)"),
        ("n = 4", "n = 1048576", "y = torch.zeros([n, n, n])"),
        ("_0 = True", "while _0:", "  _0, x = torch.gt(x, 0), torch.sub(x, 1)"),
        ("while _0:", "  if c:", "    m = torch.sub(n, 1)", "  else:", "    m = n", "  _0, n = torch.gt(m, 0), m"),
        ("while torch.gt(n, 0):", "  n = torch.add(n, y)"),
        ("while torch.gt(n, 0):", "  n = torch.sub(9, n)"),
        ("while torch.gt(n, 0):", "  n = torch.sub(torch.add(n, 1), 2)"),
        ("while torch.lt(n, m):", "  n = torch.add(n, 1)"),
        ("while torch.gt(torch.len(l), 0):", "  _1 = torch.pop(l)"),
        ("while torch.gt(torch.len(s), 0):", "  s = torch.slice(s, 1)"),
        ("while torch.lt(torch.len(s), 9):", "  s = torch.add(s, s)"),
        ("while bool(torch.gt(x, 0)):", "  _1 = torch.sub_(x, 1)"),
        ("while _0:", "  if c:", "    _1 = False", "  else:", "    _1 = True", "  _0 = _1"),
        ("while _0:", "  _0 = (self).more(x, )"),
        ("while _0:", "  _0 = c"),
        ("while True:", "  if torch.gt(x, 0):", "    return x"),
        ("while True:", "  break"),
        ("for i in range(9223372036854775807):", "  if torch.gt(x, i):", "    break"),
        ("for i in range(1000):", "  x = torch.add(x, i)"),
    ],
)
def test_torchscript_of_common_sizes_and_loops_is_clean(lines: tuple[str, ...]) -> None:
    assert codes(script(*lines)) == set()


def layer(kind: str, /, **config: object) -> dict[str, object]:
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


def model(*layers: dict[str, object], kind: str = "Sequential", **more: object) -> Report:
    value = {"module": "keras", "class_name": kind, "config": {"layers": list(layers), **more}, "registered_name": None}
    return scan_bytes(json.dumps(value).encode())


def joined(kind: str, before: str, /, old: bool = False, **config: object) -> dict[str, object]:
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "keras_history": [before, 0, 0]}}
    nodes = [[[before, 0, 0, {}]]] if old else [{"args": [tensor], "kwargs": {}}]
    return {**layer(kind, **config), "name": config["name"], "inbound_nodes": nodes}


INPUT = {**layer("InputLayer", batch_shape=[None, 1_000_000], name="i"), "name": "i", "inbound_nodes": []}
PICTURE = layer("InputLayer", batch_shape=[None, 1024, 1024, 3])
OLD = {**layer("Dense", units=1 << 20, batch_input_shape=[None, 1 << 20])}


@pytest.mark.parametrize(
    "report",
    [
        model(INPUT, layer("Dense", units=1_000_000)),
        model(layer("Dense", units=1_000_000), build_input_shape=[None, 1_000_000]),
        model(INPUT, layer("Dropout", rate=0.5), layer("Dense", units=1_000_000)),
        model(PICTURE, layer("Flatten"), layer("Dense", units=10_000)),
        model(layer("Embedding", input_dim=1_000_000, output_dim=1_000_000)),
        model(layer("LSTM", units=1_000_000)),
        model(layer("Bidirectional", layer=layer("GRU", units=1_000_000))),
        model(layer("Conv2D", filters=1 << 20, kernel_size=[1 << 10, 1 << 10])),
        model(layer("Dense", units=1 << 32)),
        model(layer("Reshape", target_shape=[1 << 20, 1 << 14]), layer("Flatten"), layer("Dense", units=1)),
        model({**layer("Dense", units=1_000_000), "build_config": {"input_shape": [None, 1_000_000]}}),
        model(OLD),
        model(INPUT, joined("Dense", "i", name="d", units=1_000_000), kind="Functional"),
        model(INPUT, joined("Dense", "i", old=True, name="d", units=1_000_000), kind="Functional"),
        model(*[layer("Embedding", input_dim=1 << 20, output_dim=1 << 12)] * 300),
    ],
)
def test_keras_that_asks_for_too_many_weights_is_a_bomb(report: Report) -> None:
    assert codes(report) == {Code.BOMB}


@pytest.mark.parametrize(
    "report",
    [
        model(INPUT, layer("Dense", units=128), layer("Dense", units=1_000_000)),
        model(
            INPUT,
            joined("Dense", "i", name="d", units=128),
            joined("Dense", "d", name="e", units=1_000_000),
            kind="Functional",
        ),
        model(layer("Embedding", input_dim=256_000, output_dim=4608), layer("Dense", units=256_000)),
        model(PICTURE, layer("Conv2D", filters=512, kernel_size=[3, 3]), layer("GlobalAveragePooling2D")),
        model(layer("Dropout", rate=0.5, seed=1 << 40), layer("Dense", units="many", name=3)),
        model({**layer("Dense", units=[1]), "build_config": {"input_shape": "no"}}, build_input_shape={"a": 1}),
    ],
)
def test_keras_of_common_sizes_is_no_bomb(report: Report) -> None:
    assert Code.BOMB not in codes(report)


def test_memo_indexes_that_allocate_huge_tables_are_told_once() -> None:
    report = scan_bytes(b"\x80\x04N" + b"r\xff\xff\xff\x7fr\xfe\xff\xff\x7f" * 1000 + b".")
    assert [issue.code for issue in report.issues] == [Code.BOMB]
