"""Sizes that graphs compute from their constants by many operators, and those that nobody can tell."""

from __future__ import annotations

import itertools

import pytest

import modelfile_samples as make
from graph_samples import graph_def, tf_call, tf_function, tf_node, tf_text
from modelfile_samples import field
from shipworthy.modelfile import Code, Report, Verdict, scan_bytes
from test_modelfile_bombs import number, step, tf_number

MANY = 1 << 20


def ints(name: str, *values: int) -> bytes:
    """An attribute."""
    return field(1, name) + b"".join(field(8, value) for value in values) + field(20, 7)


def equation(text: str) -> bytes:
    return field(1, "equation") + field(4, text) + field(20, 3)


def onnx(*nodes: bytes, **tensors: tuple[int, ...]) -> Report:
    return scan_bytes(make.onnx(nodes, tuple(number(name, *values) for name, values in tensors.items())))


def filled(operator: str, *inputs: str, **tensors: tuple[int, ...]) -> Report:
    """As large as an operator's result says."""
    return onnx(step(operator, inputs, "n"), step("ConstantOfShape", ("n",), "y"), **tensors)


def bomb(report: Report) -> bool:
    return {issue.code for issue in report.issues if issue.severity == "high"} == {Code.BOMB}


ONE = step("ConstantOfShape", ("n",), "a")
LARGE = {
    "chosen": filled("Gather", "v", "i", v=(1, 1 << 40), i=(1,)),
    "cut out": filled("Slice", "v", "b", "e", v=(1, 1 << 40, 3), b=(1,), e=(2,)),
    "clipped": filled("Clip", "v", v=(1 << 40,)),
    "divided": filled("Div", "v", "w", v=(1 << 60,), w=(2,)),
    "the rest": filled("Mod", "v", "w", v=((1 << 40) + 1,), w=(1 << 50,)),
    "summed": filled("CumSum", "v", "i", v=(MANY, MANY), i=(0,)),
    "the larger": filled("ReduceMax", "v", v=(1, 1 << 40)),
    "its own shape": onnx(
        ONE,
        step("Shape", ("a",), "s"),
        step("Concat", ("s", "s"), "t"),
        step("ConstantOfShape", ("t",), "y"),
        n=(MANY,),
    ),
    "partly of the input": onnx(
        step("Shape", ("x",), "s"), step("Concat", ("s", "v"), "t"), step("ConstantOfShape", ("t",), "y"), v=(1 << 40,)
    ),
    "rows": onnx(
        ONE, step("Expand", ("one", "s"), "b"), step("Gather", ("b", "a"), "y"), n=(MANY,), s=(1, MANY), one=(1,)
    ),
    "an equation": onnx(ONE, step("Einsum", ("a", "a"), "y", equation("i,j->ij")), n=(MANY,)),
    "padding": onnx(step("Conv", ("x", "w"), "y", ints("pads", MANY, MANY, MANY, MANY))),
    "strides": onnx(step("ConvTranspose", ("x", "w"), "y", ints("strides", MANY, MANY))),
    "a grid": onnx(step("AffineGrid", ("t", "s"), "y"), s=(1, 1, MANY, MANY)),
}


@pytest.mark.parametrize("case", LARGE)
def test_a_size_is_found_whatever_computes_it(case: str) -> None:
    assert bomb(LARGE[case])


def test_a_size_of_constants_that_nobody_follows_is_a_gap() -> None:
    report = filled("ScatterElements", "v", "i", "u", v=(1,), i=(0,), u=(1 << 40,))
    assert (report.verdict, report.issues) == (Verdict.UNKNOWN, ())
    assert filled("ScatterElements", "v", "i", "x", v=(1,), i=(0,)).verdict is Verdict.CLEAN  # of an input


def test_a_shape_is_not_more_than_there_is() -> None:
    nodes = (step("NonZero", ("v",), "a"), step("Shape", ("a",), "s"), step("ConstantOfShape", ("s",), "y"))
    assert onnx(*nodes, v=(1, 1)).verdict is Verdict.CLEAN


def test_a_sparse_tensor_is_written_out() -> None:
    sizes = {"small": (1 << 10, 1 << 10), "large": (MANY, MANY)}
    reports = {
        name: scan_bytes(
            make.onnx((step("Constant", (), "y", field(1, "sparse_value") + field(22, sparse(*dims)) + field(20, 11)),))
        )
        for name, dims in sizes.items()
    }
    assert reports["small"].verdict is Verdict.CLEAN
    assert bomb(reports["large"])


def sparse(*dims: int) -> bytes:
    return (
        field(1, make.tensor("v", (1,), raw=bytes(4))) + field(2, number("i", 5)) + b"".join(field(3, d) for d in dims)
    )


def shaped(*sizes: int) -> bytes:
    return b"".join(field(2, field(1, size)) for size in sizes)


def splat(*sizes: int) -> bytes:
    """A constant of one number that stands for as many as its shape says."""
    tensor = field(1, 1) + field(2, shaped(*sizes)) + field(5, b"\0\0\x80\x3f")
    return tf_node("c", "Const", dtype=field(6, 1), value=field(8, tensor))


TENSORFLOW = {
    "a constant": (splat(MANY, MANY),),
    "a variable for a while": (tf_node("y", "TemporaryVariable", shape=field(7, shaped(MANY, MANY))),),
    "samples": (tf_node("y", "UniformCandidateSampler", ("x",), num_sampled=field(3, 1 << 40)),),
    "a table": (tf_node("y", "MutableDenseHashTableV2", ("x", "z"), initial_num_buckets=field(3, 1 << 40)),),
    "a text": (tf_node("y", "AsString", ("x",), width=field(3, (1 << 31) - 1)),),
    "a turned matrix": (
        tf_number("n", 1, MANY),
        tf_node("a", "Fill", ("n", "v")),
        tf_node("y", "MatMul", ("a", "a"), transpose_a=field(5, 1)),
    ),
    "an equation": (
        tf_number("n", MANY),
        tf_node("a", "Fill", ("n", "v")),
        tf_node("y", "Einsum", ("a", "a"), equation=field(2, "i,j->ij")),
    ),
    "what a gradient would have": (
        tf_number("n", 1, MANY, MANY, 1),
        tf_node("y", "Conv2DBackpropInput", ("n", "w", "x")),
    ),
    "a crop": (tf_number("n", MANY, MANY), tf_node("y", "CropAndResize", ("x", "b", "i", "n"))),
}


@pytest.mark.parametrize("case", TENSORFLOW)
def test_tensorflows_operators_make_as_much_as_they_say(case: str) -> None:
    report = scan_bytes(graph_def(TENSORFLOW[case]))
    assert bomb(report), (report.issues, report.unknowns)


def test_a_constant_of_one_number_may_stand_for_a_layer() -> None:
    assert scan_bytes(graph_def((splat(1000, 1000),))).verdict is Verdict.CLEAN


def test_texts_that_are_put_in_the_place_of_each_letter_grow() -> None:
    def rewritten(length: int, times: int) -> Report:
        names = ["x", *(f"y{turn}" for turn in range(times))]
        nodes = (
            tf_node(after, "StaticRegexReplace", (before,), pattern=field(2, "."), rewrite=field(2, "a" * length))
            for before, after in itertools.pairwise(names)
        )
        return scan_bytes(graph_def(tuple(nodes)))

    assert bomb(rewritten(5000, 3))
    assert rewritten(8, 30).verdict is Verdict.CLEAN


def test_what_a_constant_unpacks_to_is_a_gap() -> None:
    for operator in ("ParseTensor", "DecodeCompressed", "DecodePng"):
        report = scan_bytes(graph_def((tf_text("c", "a text"), tf_node("y", operator, ("c",)))))
        assert (report.verdict, report.issues) == (Verdict.UNKNOWN, ())
        assert scan_bytes(graph_def((tf_node("y", operator, ("x",)),))).verdict is Verdict.CLEAN


def calling(name: str, *called: str) -> bytes:
    return tf_function(name, ("x",), *(tf_call(f"c{at}", other, "x") for at, other in enumerate(called)))


CALL = (tf_call("c", "f0", "x"),)
ENDS = tf_function("f9", ("x",), tf_node("y", "Neg", ("x",)))
RANGE = (tf_number("a", 0), tf_number("b", 1 << 60), tf_number("c", 1), tf_node("d", "RangeDataset", ("a", "b", "c")))
LONG = {
    "a function of itself": graph_def(CALL, (calling("f0", "f0"),)),
    "two of each other": graph_def(CALL, (calling("f0", "f1"), calling("f1", "f0"))),
    "ten of ten": graph_def(CALL, (*(calling(f"f{n}", *[f"f{n + 1}"] * 10) for n in range(9)), ENDS)),
    "a range": graph_def((*RANGE, tf_node("m", "MapDataset", ("d",)), tf_node("r", "ReduceDataset", ("m", "z")))),
    "a repetition": graph_def(
        (
            tf_number("n", (1 << 64) - 1),
            tf_node("d", "RepeatDataset", ("x", "n")),
            tf_node("r", "ReduceDataset", ("d", "z")),
        )
    ),
    "For": graph_def((*RANGE[:1], tf_number("b", (1 << 31) - 1), RANGE[2], tf_node("f", "For", ("a", "b", "c", "x")))),
}


@pytest.mark.parametrize("case", LONG)
def test_tensorflow_goes_on_without_a_while(case: str) -> None:
    assert bomb(scan_bytes(LONG[case]))


def test_datasets_and_functions_of_common_length_are_clean() -> None:
    limited = (*RANGE, tf_node("t", "TakeDataset", ("d", "c")), tf_node("r", "ReduceDataset", ("t", "z")))
    assert scan_bytes(graph_def(limited)).verdict is Verdict.CLEAN
    twice = graph_def(CALL, (calling("f0", "f8", "f8"), calling("f8", "f9"), ENDS))
    assert scan_bytes(twice).verdict is Verdict.CLEAN
