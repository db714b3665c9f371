"""`dataclass`, `field` and `replace` as in `dataclasses`, for what every start of the program imports.

The standard ones compile six functions for each class, which was a third of the start of a scan. Here only `__init__`
is compiled, and only for a class of which many instances are made; the others are the same for all classes. What is not
here: inheritance, `order`, `slots`, `kw_only`, `init=False`, `InitVar`, `ClassVar`. `dataclasses.fields`, `asdict` and
`is_dataclass` take these classes for their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

_FEW = 20  # instances for which an `__init__` of their own is not worth to be compiled
_OPTIONS = frozenset({"default", "default_factory", "repr", "compare", "metadata"})


class _Field:
    """What a class says of one of its fields, as `dataclasses.field` takes it."""

    def __init__(self, **options: Any) -> None:
        if unknown := options.keys() - _OPTIONS:
            raise TypeError(f"not an option of a field: {', '.join(sorted(unknown))}")
        self.options = options


class _Standard:
    """What `dataclasses` itself would know of a class: made when it is asked for."""

    def __init__(self, cls: Any, own: Mapping[str, _Field], frozen: bool) -> None:
        self.cls, self.own, self.frozen = cls, own, frozen

    def __get__(self, _instance: object, _owner: type) -> Any:
        import dataclasses

        space = {name: dataclasses.field(**one.options) for name, one in self.own.items() if one.options}
        names = {"__annotations__": dict(self.cls.__annotations__), "__module__": self.cls.__module__}
        twin: Any = dataclasses.dataclass(frozen=self.frozen)(type(self.cls.__name__, (), {**space, **names}))
        self.cls.__dataclass_params__ = twin.__dataclass_params__
        self.cls.__dataclass_fields__ = twin.__dataclass_fields__
        return twin.__dataclass_fields__


def _made(cls: Any, frozen: bool, eq: bool) -> Any:
    if any("__record__" in base.__dict__ for base in cls.__mro__):
        raise TypeError(f"{cls.__name__}: use `dataclasses` for a class that inherits fields")
    own: dict[str, _Field] = {}
    for name in cls.__annotations__:
        value = cls.__dict__.get(name, _Field)
        own[name] = value if isinstance(value, _Field) else _Field() if value is _Field else _Field(default=value)
        if isinstance(value, _Field):
            if "default" in value.options:
                setattr(cls, name, value.options["default"])
            else:
                delattr(cls, name)
    cls.__record__ = tuple(own)
    cls.__match_args__ = cls.__record__  # type: ignore[misc]
    cls.__dataclass_fields__ = _Standard(cls, own, frozen)
    cls.__init__ = _first(cls, own, frozen)
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _repr([name for name, one in own.items() if one.options.get("repr", True)])
    if eq:
        values = _values([name for name, one in own.items() if one.options.get("compare", True)])
        if "__eq__" not in cls.__dict__:
            cls.__eq__ = _eq(values)
        if "__hash__" not in cls.__dict__ or cls.__dict__["__hash__"] is None:  # Python's, for a class with an __eq__
            cls.__hash__ = _hash(values) if frozen else None
    if frozen:
        cls.__setattr__, cls.__delattr__ = _no_assignment, _no_deletion
    return cls


def _first(cls: Any, own: Mapping[str, _Field], frozen: bool) -> Callable[..., None]:
    """An `__init__` that makes the real one in its place, for which it stands in until some instances were made."""
    left = _FEW

    def first(self: Any, *values: Any, **named: Any) -> None:
        nonlocal left
        left -= 1
        content = _bound(own, values, named) if left > 0 else None
        if content is None:
            cls.__init__ = real = _init(cls, own, frozen)
            real(self, *values, **named)
            return
        for name, value in content.items():
            object.__setattr__(self, name, value)
        if hasattr(cls, "__post_init__"):
            self.__post_init__()

    return first


def _bound(own: Mapping[str, _Field], values: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields' values; None for a call that the real `__init__` refuses."""
    if len(values) > len(own) or not own.keys() >= named.keys():
        return None
    content = {}
    for number, (name, one) in enumerate(own.items()):
        if number < len(values):
            if name in named:
                return None
            content[name] = values[number]
        elif name in named:
            content[name] = named[name]
        elif "default_factory" in one.options:
            content[name] = one.options["default_factory"]()
        elif "default" in one.options:
            content[name] = one.options["default"]
        else:
            return None
    return content


def _init(cls: Any, own: Mapping[str, _Field], frozen: bool) -> Any:
    space: dict[str, Any] = {"_set": object.__setattr__, "_none": _Field}
    head, body = ["self"], list[tuple[str, str]]()
    for name, one in own.items():
        value = name
        if "default_factory" in one.options:
            space[f"_make_{name}"] = one.options["default_factory"]
            head.append(f"{name}=_none")
            value = f"_make_{name}() if {name} is _none else {name}"
        elif "default" in one.options:
            space[f"_default_{name}"] = one.options["default"]
            head.append(f"{name}=_default_{name}")
        else:
            head.append(name)
        body.append((name, value))
    if frozen and cls.__dictoffset__:  # all at once; a compiled class has no dictionary
        lines = [f" _set(self, '__dict__', {{{', '.join(f'{name!r}: {value}' for name, value in body)}}})"]
    else:
        lines = [f" _set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}" for name, value in body]
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec(f"def __init__({', '.join(head)}):\n" + ("\n".join(lines) or " pass"), space)  # noqa: S102  names of fields
    made = space["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"  # errors name it
    return made


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


def _repr(names: list[str]) -> Callable[[Any], str]:
    @recursive_repr()
    def shown(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in names])})"

    return shown


def _eq(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, object], bool]:
    def same(self: Any, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return same


def _hash(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    return lambda self: hash(values(self))


def _no_assignment(_self: object, name: str, _value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_deletion(_self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
        """Make a class from its annotations, as `dataclasses.dataclass` does."""
        return _made(cls, frozen, eq) if cls else lambda cls: _made(cls, frozen, eq)

    field = _Field

    def replace(record: Any, /, **changes: Any) -> Any:
        """A copy with some fields changed."""
        return type(record)(**{name: getattr(record, name) for name in type(record).__record__} | changes)


__all__ = ["dataclass", "field", "replace"]
