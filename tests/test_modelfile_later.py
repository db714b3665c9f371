"""What a file chooses is not only run when it is loaded: code that uses the model calls what the file keeps for it."""

from __future__ import annotations

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan_bytes

HIGH = ("high", "critical")
TRANSFORMER = make.name("sklearn.preprocessing._function_transformer", "FunctionTransformer") + b")\x81"
CORPUS = make.name("gensim.corpora.indexedcorpus", "IndexedCorpus")  # its constructor loads a pickle
FACTOR = make.name("formulaic.parser.types.factor", "Factor") + b")\x81"
OTHER = make.name("sklearn.utils._bunch", "Bunch") + b")\x81"
CODE = "(__import__('os').system('id'), age)[1]"


def kept(value: bytes, key: str = "func") -> bytes:
    """A transformer that keeps a value."""
    return make.stream(TRANSFORMER, b"}", make.text(key) + value + b"sb")


@pytest.mark.parametrize(
    "value",
    [
        CORPUS,
        make.text("a") + CORPUS + b"\x86",
        make.name("functools", "partial") + CORPUS + b"\x85R",
        make.name("functools", "partial") + make.name("numpy", "abs") + b"\x85R(" + CORPUS + b")}NtbN0",
        make.name("collections", "defaultdict") + CORPUS + b"\x85R",
        make.name("scipy.stats._distn_infrastructure", "rv_continuous"),
    ],
    ids=["itself", "tuple", "partial", "partial's state", "factory", "runs text"],
)
def test_a_class_whose_constructor_does_more_is_not_kept_for_later(value: bytes) -> None:
    assert scan_bytes(kept(value)).worst in HIGH


def test_such_a_class_may_be_created_empty_and_others_may_be_kept() -> None:
    assert scan_bytes(kept(CORPUS + b")\x81")).verdict is Verdict.CLEAN
    for found in (make.name("numpy", "log1p"), make.name("sklearn.linear_model._ridge", "Ridge")):
        assert scan_bytes(kept(found)).verdict is Verdict.CLEAN


def term(text: bytes, owner: bytes = FACTOR, slots: bool = True, key: bytes = b"") -> bytes:
    """A factor of formulaic, as lifelines keeps one, with this text."""
    state = b"}(" + (key or make.text("expr")) + text + make.text("metadata") + b"}u"
    return make.stream(owner, b"N" + state + b"\x86b" if slots else state + b"b", b"0", FACTOR)


@pytest.mark.parametrize(
    "text",
    [
        "age",
        "1",
        "np.log(age + 1)",
        "bs(age, df=3)",
        "C(city, contr.treatment)",
        "Age (years)",
        "income ($) of os.system",
        "a, b (c",
        "max(age, 3)",
        "center(np.sqrt(abs(age)))",
    ],
)
def test_a_term_of_names_and_transformations_is_clean(text: str) -> None:
    assert scan_bytes(term(make.text(text))).verdict is Verdict.CLEAN, text


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "eval('1')",
        "np.load('/tmp/a')",
        "age.to_pickle('/tmp/a')",
        "np.log.__class__(age)",
        "(lambda: 1)()",
        "`a b`.to_csv('/tmp/a')",
        " open('/tmp/a')",
        "[f(age) for f in [eval]][0] + print(1)",
        "np.log(" * 5000 + "1" + ")" * 5000 + "+ eval('1')",
    ],
)
def test_a_term_that_calls_more_is_found(text: str) -> None:
    assert scan_bytes(term(make.text(text))).worst in HIGH, text[:80]


def test_such_a_term_is_found_wherever_it_may_be_taken_for_one() -> None:
    text = make.text(CODE)
    before = b"}" + make.text("expr") + text + b"s\x94"  # a dictionary from before the first import
    for made in (
        term(text, slots=False),
        term(text, OTHER, slots=False),
        term(text, key=make.reduced("builtins", "str", "expr")),
        term(make.reduced("builtins", "str", CODE)),
        term(b"V" + CODE.encode() + b"\n", key=b"V\\u0065xpr\n"),
        make.stream(before + b"0" + OTHER + b"h\x00b", FACTOR),
        make.stream(before + b"0" + FACTOR + b"Nh\x00\x86b"),
    ):
        assert scan_bytes(made).worst in HIGH, made


def test_a_text_under_that_name_is_no_term_where_nothing_evaluates_it() -> None:
    assert scan_bytes(make.stream(OTHER, b"}" + make.text("expr") + make.text(CODE) + b"sb")).verdict is Verdict.CLEAN


DICTIONARY = make.name("gensim.corpora.dictionary", "Dictionary") + b")\x81"


def method(name: str) -> bytes:
    """A method of an object, as protocol 4 writes it."""
    return make.name("builtins", "getattr") + DICTIONARY + make.text(name) + b"\x86R"


@pytest.mark.parametrize("name", ["load", "_load_specials", "save_as_text", "restore", "run_code"])
def test_a_method_that_does_more_is_not_kept_for_later(name: str) -> None:
    bound = make.name("functools", "partial") + method(name) + make.text("https://host.test/a.pkl") + b"\x86R"
    for value in (method(name), bound):
        assert scan_bytes(kept(value)).worst in HIGH


@pytest.mark.parametrize("name", ["doc2bow", "_lazy_load_hook", "_forward"])
def test_a_method_that_computes_is_kept(name: str) -> None:
    assert scan_bytes(kept(method(name))).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    "name",
    [
        ("patsy.eval", "EvalFactor"),
        ("gensim.corpora.sharded_corpus", "ShardedCorpus"),
        ("flaml.autogen.code_utils", "PassAssertionFilter"),
        ("nltk.classify.senna", "Senna"),
        ("sktime.catalogues.forecasting.dummy._dummy_forecasting", "DummyForecastingCatalogue"),
        ("numpy", "add_newdoc"),
        ("nltk.sentiment.util", "output_markdown"),
        ("scipy._lib._bunch", "_make_tuple_bunch"),
    ],
    ids=":".join,
)
def test_what_runs_programs_texts_or_pickles_by_its_use_is_no_part_of_a_model(name: tuple[str, str]) -> None:
    assert scan_bytes(make.stream(make.name(*name))).worst in HIGH
