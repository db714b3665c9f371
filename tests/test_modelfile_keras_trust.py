"""A layer of one's own can be vouched for, by the name that the finding says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipworthy.modelfile import Verdict, scan_bytes
from shipworthy.patterns import ill_formed


def model(**layer: Any) -> bytes:
    layers = [{"module": None, "config": {"name": "foo"}, **layer}]
    value = {"class_name": "Sequential", "module": "keras", "config": {"name": "s", "layers": layers}}
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ({"class_name": "Foo", "registered_name": "mine>Foo"}, "mine:Foo"),
        ({"class_name": "Foo", "registered_name": "Custom>Foo"}, "Custom:Foo"),
        ({"class_name": "Foo", "registered_name": "Foo"}, "Custom:Foo"),
        ({"class_name": "Foo"}, "Custom:Foo"),
        ({"class_name": "Dense", "module": "keras.layers", "registered_name": "mine>Dense"}, "mine:Dense"),
        ({"class_name": "Dense", "module": "keras.layers", "config": {"activation": "mine>act"}}, "mine:act"),
        ({"class_name": "Foo", "module": "mine.layers"}, "mine.layers:Foo"),
    ],
)
def test_the_name_that_the_finding_says_clears_it(layer: dict[str, Any], name: str) -> None:
    report = scan_bytes(model(**layer))
    assert report.verdict is Verdict.FINDING
    assert name in report.issues[0].message
    assert ill_formed([name]) is None  # the setting takes it
    assert scan_bytes(model(**layer), trust=[name]).verdict is Verdict.CLEAN
    assert scan_bytes(model(**layer), trust=[f"{name.partition(':')[0]}:*"]).verdict is Verdict.CLEAN
    assert scan_bytes(model(**layer), trust=["other:*"]).verdict is Verdict.FINDING


def test_what_is_vouched_for_does_not_reach_the_interpreter() -> None:
    assert scan_bytes(model(class_name="system", module="os", registered_name="mine>system"), trust=["mine:*"]).issues
