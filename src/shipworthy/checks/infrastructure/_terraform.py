"""Terraform's modules: the files of a folder together, with variables, locals and resources; nothing is evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shipworthy.checks.infrastructure._cloud import Found, Resource, Unknown
from shipworthy.checks.infrastructure._cloud_rows import ABSENT
from shipworthy.checks.infrastructure._hcl import Attribute, Block, Computed, Template, UnreadHcl, parse
from shipworthy.model import Artifact
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

_NAME = regex(r"(var|local)\.([A-Za-z_][\w-]*)\Z")
_BLOCKS = ("resource", "data", "variable", "module", "provider", "locals", "output", "terraform")
_MOST_STEPS = 20_000
_META = frozenset("depends_on count for_each provider lifecycle".split())


@dataclass(frozen=True)
class Placed:
    """A top-level block and the file in which it stands."""

    artifact: Artifact
    block: Block


@dataclass(frozen=True)
class Module:
    """The blocks of a folder, and the values that names have. `steps` counts what is looked up for one setting."""

    placed: list[Placed] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    steps: list[int] = field(default_factory=lambda: [0])

    def of(self, kind: str) -> Iterator[Placed]:
        """Blocks of a type, such as `resource`."""
        return (one for one in self.placed if one.block.type == kind)

    def add(self, artifact: Artifact, root: Block) -> None:
        """Take in a file."""
        for block in root.blocks:
            self.placed.append(Placed(artifact, block))
            if block.type == "variable" and block.labels and "default" in block.attributes:
                self.values.setdefault(f"var.{block.labels[0]}", block.attributes["default"].value)
            if block.type == "locals":
                self.values.update({f"local.{name}": one.value for name, one in block.attributes.items()})

    def set_variables(self, root: Block) -> None:
        """Take in a file of variables, which count more than defaults."""
        self.values.update({f"var.{name}": one.value for name, one in root.attributes.items()})

    def known(self, value: Any) -> Any:
        """A value with names looked up; `Unknown` if it is computed."""
        for _ in range(5):
            match = _NAME.match(value.text) if isinstance(value, Computed) else None
            match = match or (_NAME.match(value.parts[0]) if _alone(value) else None)
            if not match or match[0] not in self.values:
                break
            value = self.values[match[0]]
        if isinstance(value, Template):
            return value.text if not _alone(value) else Unknown()
        return Unknown() if isinstance(value, Computed) else value

    def resource(self, placed: Placed) -> Resource:
        """A resource as it is judged."""
        block = placed.block
        kind, name = (*block.labels, "", "")[:2]
        return Resource(kind, f"{kind}.{name}"[:120], block.line, lambda path: self.setting(block, path))

    def setting(self, block: Block, path: str) -> list[Found]:
        """All values at a path of a resource; names of names may unfold, so there is an end to it."""
        self.steps[0] = 0
        return self.find(block, path.split("."))

    def find(self, block: Any, path: list[str], line: int = 0) -> list[Found]:
        """All values at a path: blocks of one name may be several, and a block may be written as a value."""
        self.steps[0] += 1
        if self.steps[0] > _MOST_STEPS:
            return [Found(Unknown(), line)]
        if isinstance(block, list):
            found = [one for item in block[:1000] for one in self.find(self.known(item), path, line)]
            return found or [Found(ABSENT, line)]
        if not path:
            return [Found(block, line)]
        if isinstance(block, Block):
            inner = [one for one in block.blocks if one.type == path[0]]
            if inner:
                return [one for item in inner for one in self.find(item, path[1:], item.line)]
            if any(one.type == "dynamic" and path[0] in one.labels for one in block.blocks):
                return [Found(Unknown(), block.line)]
            if path[0] in block.attributes:
                one = block.attributes[path[0]]
                return self.find(self.known(one.value), path[1:], one.line)
            return [Found(ABSENT, block.line)]
        if isinstance(block, Mapping) and path[0] in block:
            return self.find(self.known(block[path[0]]), path[1:], line)
        return [Found(block if isinstance(block, Unknown) else ABSENT, line)]


def _alone(value: Any) -> bool:
    return isinstance(value, Template) and value.text == "${}" and len(value.parts) == 1


def read(text: str, is_json: bool) -> Block:
    """A file's blocks. Raises UnreadHcl."""
    return from_json(text) if is_json else parse(text)


def from_json(text: str) -> Block:
    """Terraform's JSON syntax; of lines nothing is kept. Raises UnreadHcl."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadHcl("it is no JSON", getattr(error, "lineno", 1)) from None
    root = Block("", (), 1)
    for item in value if isinstance(value, list) else [value]:
        for name, inner in item.items() if isinstance(item, dict) else ():
            if name not in _BLOCKS:
                root.attributes[name] = Attribute(_templates(inner), 1)
                continue
            depth = {"resource": 2, "data": 2, "variable": 1, "module": 1, "provider": 1, "output": 1}.get(name, 0)
            _unfold(root, name, (), inner, depth)
    return root


def _unfold(root: Block, kind: str, labels: tuple[str, ...], value: Any, depth: int) -> None:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            continue
        if depth:
            for name, inner in item.items():
                _unfold(root, kind, (*labels, name), inner, depth - 1)
        else:
            made = Block(kind, labels, 1)
            made.attributes.update({name: Attribute(_templates(one), 1) for name, one in item.items()})
            root.blocks.append(made)


def _templates(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str) and "${" in value:
        if value.startswith("${") and value.endswith("}") and value.count("${") == 1:
            return Computed(value[2:-1], 1)
        return Template(value, (), 1)
    if isinstance(value, dict) and depth < 100:
        return {name: _templates(one, depth + 1) for name, one in value.items()}
    return [_templates(one, depth + 1) for one in value] if isinstance(value, list) and depth < 100 else value


def texts(block: Block, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any, int]]:
    """Every text of a block with its name and line, those of inner blocks and of objects too."""
    for name, one in block.attributes.items():
        if name not in _META:
            yield from _texts_of(name, one.value, one.line, 0)
    for inner in block.blocks if depth < 50 else ():
        yield from texts(inner, prefix, depth + 1)


def _texts_of(name: str, value: Any, line: int, depth: int) -> Iterable[tuple[str, Any, int]]:
    if isinstance(value, str):
        yield name, value, line
    elif isinstance(value, Template):
        yield name, value.text if len(value.text) > 3 else "", line
    elif isinstance(value, dict) and depth < 50:
        for key, one in value.items():
            yield from _texts_of(key, one, line, depth + 1)
    elif isinstance(value, list) and depth < 50:
        for one in value:
            yield from _texts_of(name, one, line, depth + 1)
