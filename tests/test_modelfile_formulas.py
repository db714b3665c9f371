"""Results of statsmodels keep a formula, which patsy evaluates as Python when the file is loaded."""

from __future__ import annotations

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan_bytes
from shipworthy.modelfile.pickles.formulas import harmless

FOUND = ("high", "critical")
DATA = make.name("statsmodels.base.data", "PandasData") + b")\x81"
FRAME = make.name("pandas.core.frame", "DataFrame") + b")\x81"


def restored(formula: bytes, frame: bytes = FRAME, key: str = "restore_design_info") -> bytes:
    """The state of an object that restores its formula."""
    items = make.text("formula") + formula + make.text("frame") + frame + make.text(key) + b"\x88"
    return make.stream(DATA, b"}(", items, b"ub")


@pytest.mark.parametrize(
    "formula",
    [
        "score ~ age",
        "y ~ np.log(age) + bs(debt, df=4) - 1",
        "y ~ C(city, Treatment(reference='New York')) * C(who, Sum)",
        "np.log(y + 1) ~ I(age ** 2) + Q('debt') + a:b",
        "y ~ (a + b)**2 + I(income / 1000000)\n + standardize(x) + `my column`",
        "y ~ bs(x, knots=(1, 2, 3), degree=3) + (1 | g)",
    ],
)
def test_a_formula_of_names_and_transformations_is_clean(formula: str) -> None:
    assert harmless(formula)
    for key in ("restore_design_info", "restore_model_spec"):
        assert scan_bytes(restored(make.text(formula), key=key)).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ I(__import__('os').system('id'))",
        "y ~ eval('1')", "y ~ open('x')", "y ~ print (1)", "y ~ print\n(1)", "y ~ print" + " " * 99 + "(1)",
        "y ~ np.load('x')", "y ~ np.ctypeslib.load_library('x')", "y ~ np.log(x).tofile('y')", "y ~ (np)(x)",
        "y ~ a.b", "y ~ Q('a')('b')", "y ~ C(x) (y)", "y ~ `eval`('1')", "y ~ [a for a in b]", "y ~ I((lambda: 0)())",
        "y ~ I(9**9**9)", "y ~ I(9 ** 9999)", "y ~ 9**(9**9)", "y ~ I('a'*999999999)", "y ~ bs(x, 99999999)",
        "y ~ f'{a}'", "y ~ {1}", "y ~ a # b\n(1)", "y ~ a;b", "(" * 20_000,
    ],
)  # fmt: skip
def test_a_formula_that_does_more_is_found(formula: str) -> None:
    assert not harmless(formula)
    assert scan_bytes(restored(make.text(formula))).worst in FOUND


def test_a_formula_that_cant_be_seen_or_has_functions_for_names_is_found() -> None:
    plain = make.text("y ~ C(x)")
    functions = b"}" + make.text("C") + make.name("torch.storage", "_load_from_bytes") + b"s"
    assert scan_bytes(restored(plain, functions)).worst in FOUND
    assert scan_bytes(restored(plain, b"N")).worst in FOUND
    assert scan_bytes(restored(make.reduced("builtins", "str", "y ~ x"))).worst in FOUND
    assert scan_bytes(make.stream(b"}\x94", DATA, b"h\x00b")).worst in FOUND  # a state out of the memo
    known = b"}(" + make.text("endog") + b"N" + make.text("formula") + make.text("eval('1')") + b"ub"
    assert scan_bytes(make.stream(DATA, known)).verdict is Verdict.CLEAN  # nothing restores it
