"""Our `dataclass` makes what the standard one makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy import records

# What type checkers see of `records` is `dataclasses`; what runs is not.
_made: Any = records.dataclass


@_made(frozen=True)
class Ours:
    """A frozen class."""

    name: str
    parent: Ours | None = None
    path: Path | None = records.field(default=None, compare=False, repr=False, metadata={"doc": "where"})
    more: Mapping[str, int] = records.field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())


@dataclasses.dataclass(frozen=True)
class Theirs:
    """A frozen class."""

    name: str
    parent: Theirs | None = None
    path: Path | None = dataclasses.field(default=None, compare=False, repr=False, metadata={"doc": "where"})
    more: Mapping[str, int] = dataclasses.field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())


@_made
class Changing:
    """One that is not frozen, with one field."""

    seen: list[Any] = records.field(default_factory=list)


@_made(frozen=True, eq=False)
class Same:
    """One that is equal to itself only, with what it says of itself its own."""

    value: float

    def __repr__(self) -> str:
        return "itself"


_VALUES = st.fixed_dictionaries(
    {"name": st.text(max_size=3)},
    optional={"more": st.dictionaries(st.text(max_size=2), st.integers(0, 2)), "path": st.just(Path("x"))},
)


@given(_VALUES, _VALUES)
def test_they_are_equal_shown_and_hashed_as_the_standard_ones(left: dict[str, Any], right: dict[str, Any]) -> None:
    ours, theirs = (Ours(**left), Ours(**right)), (Theirs(**left), Theirs(**right))
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert ours[0] != theirs[0]
    assert [hash(one) for one in ours] == [hash(one) for one in theirs]
    assert repr(ours[0]) == repr(theirs[0]).replace("Theirs", "Ours")
    assert vars(ours[0]) == vars(theirs[0])
    assert records.replace(ours[0], parent=ours[1]).parent is ours[1]
    for again in (pickle.loads(pickle.dumps(ours[0])), copy.deepcopy(ours[0]), dataclasses.replace(ours[0])):
        assert again == ours[0]
        assert vars(again) == vars(ours[0])


def test_the_standard_functions_take_them_for_their_own() -> None:
    assert dataclasses.is_dataclass(Ours)
    shown = [[(f.name, f.type, f.default, f.repr, f.compare, f.metadata) for f in dataclasses.fields(kind)]
             for kind in (Ours, Theirs)]  # fmt: skip
    assert [row[0] for row in shown[0]] == ["name", "parent", "path", "more"]
    assert str(shown[0]) == str(shown[1]).replace("Theirs", "Ours")
    assert dataclasses.asdict(Ours("a", Ours("b"))) == dataclasses.asdict(Theirs("a", Theirs("b")))
    assert list(get_type_hints(Ours)) == list(get_type_hints(Theirs))
    match Ours("a", Ours("b")):
        case Ours("a", Ours(name="b")):
            pass
        case other:
            raise AssertionError(other)
    for _ in range(records._FEW):  # then it has an `__init__` of its own
        Ours("a")
    assert list(inspect.signature(Ours).parameters) == list(inspect.signature(Theirs).parameters)


@pytest.mark.parametrize("values", [(), ("a", None, None, {}, 5)])
def test_a_wrong_call_is_an_error_that_names_the_class(values: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"Ours\.__init__\(\)"):
        Ours(*values)


def test_the_first_instances_are_made_as_all_later_ones() -> None:
    for frozen in (True, False):
        space = {
            "__annotations__": {"a": "int", "b": "list[int]", "c": "int"},
            "b": records.field(default_factory=list),
            "c": 3,
        }
        kind = _made(type("Kind", (), space), frozen=frozen)
        made = [kind(n, c=n) if n % 2 else kind(a=n) for n in range(3 * records._FEW)]
        assert [vars(one) for one in made] == [{"a": n, "b": [], "c": n if n % 2 else 3} for n in range(len(made))]
        assert len({id(one.b) for one in made}) == len(made)
    for count in range(2 * records._FEW):
        fresh = _made(type("Fresh", (), {"__annotations__": {"a": "int", "b": "int"}, "b": 1}))
        for _ in range(count):
            fresh(1)
        for values, named in (((), {}), ((1, 2, 3), {}), ((1,), {"a": 1}), ((1,), {"d": 1})):
            with pytest.raises(TypeError, match=r"Fresh\.__init__\(\)"):
                fresh(*values, **named)


def test_frozen_ones_stay_as_they_are_and_others_do_not() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Ours("a").name = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del Ours("a").name
    one, other = Changing(), Changing()
    one.seen.append(one)
    assert one != other
    assert other == Changing([])
    assert repr(one) == "Changing(seen=[...])"
    one.seen = []
    assert one == other
    with pytest.raises(TypeError):
        hash(one)
    nan = Same(float("nan"))
    assert nan == nan
    assert Same(1.0) != Same(1.0)
    assert repr(nan) == "itself"
    assert hash(nan) == object.__hash__(nan)


def test_what_is_not_supported_is_refused() -> None:
    with pytest.raises(TypeError, match="inherits"):
        _made(type("Below", (Ours,), {"__annotations__": {"more": "int"}}))
    with pytest.raises(TypeError, match="kw_only"):
        records.field(kw_only=True)
