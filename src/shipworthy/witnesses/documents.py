"""JSON, lines of JSON, and XML of reports: whole or not at all, and bounded in size, depth and number."""

from __future__ import annotations

import json
from typing import Any
from xml.parsers import expat  # entities are refused below, and nothing outside of the document is ever read

from shipworthy.records import dataclass, field
from shipworthy.witnesses.claims import LIMIT, UnreadableReport

_DEPTH = 100
_NODES = 1_000_000
_CONTAINERS = 4_000_000


def parse_json(raw: bytes) -> Any:
    """The report's JSON value. Raises UnreadableReport."""
    if raw.count(b"{") + raw.count(b"[") > _CONTAINERS:  # each takes much more room in memory than in the report
        raise UnreadableReport(f"it holds more than {_CONTAINERS:,} objects and lists")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UnreadableReport("it is not JSON, or was cut short") from None
    return value


def _no_constant(text: str) -> None:
    raise ValueError(text)


def json_object(raw: bytes) -> dict[str, Any]:
    """The report's JSON object. Raises UnreadableReport."""
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise UnreadableReport("it is not a JSON object")
    return value


def json_list(raw: bytes) -> list[Any]:
    """The report's JSON list. Raises UnreadableReport."""
    value = parse_json(raw)
    if not isinstance(value, list):
        raise UnreadableReport("it is not a JSON list")
    return value


def json_lines(raw: bytes) -> list[dict[str, Any]]:
    """One JSON object a line, or one list of them. Raises UnreadableReport for a line that is none, such as a last one
    that was cut short."""
    text = raw.decode("utf-8-sig", "replace").strip()
    if text.startswith("["):
        found = json_list(raw)
    else:
        found = [parse_json(line.encode()) for line in text.splitlines() if line.strip()]
    if not all(isinstance(item, dict) for item in found):
        raise UnreadableReport("it holds something that is no object")
    return found


@dataclass
class Node:
    """An element without its namespace: `text` is what stands in it before, between and after its children."""

    tag: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def get(self, key: str) -> str:
        """An attribute; empty when it is not there."""
        return self.attributes.get(key, "")

    def all(self, *path: str) -> list[Node]:
        """The elements under this path of tags."""
        found = [self]
        for tag in path:
            found = [child for node in found for child in node.children if child.tag == tag]
        return found

    def first(self, *path: str) -> Node | None:
        """The first of them."""
        found = self.all(*path)
        return found[0] if found else None

    def of(self, *path: str) -> str:
        """The text of the first of them; empty when there is none."""
        found = self.first(*path)
        return found.text.strip() if found else ""

    def every(self, tag: str) -> list[Node]:
        """All elements with this tag, at any depth, in the order of the document."""
        found, waiting = [], [self]
        while waiting:
            node = waiting.pop()
            if node.tag == tag:
                found.append(node)
            waiting.extend(reversed(node.children))
        return found


def parse_xml(raw: bytes, *roots: str) -> Node:
    """The root element, which must be one of `roots`. Document types are passed over and never fetched; entities that a
    document declares itself are refused, because they are how small documents become large ones and how files are read.

    Raises UnreadableReport.
    """
    if len(raw) > LIMIT:
        raise UnreadableReport(f"it is larger than {LIMIT >> 20} MiB")
    reader = _Reader()
    try:
        reader.parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise UnreadableReport(f"it is not XML, or was cut short (line {error.lineno})") from None
    except UnreadableReport:
        raise
    except (LookupError, ValueError):
        raise UnreadableReport("it is in an encoding that is not read") from None
    root = reader.root
    if root is None or (roots and root.tag not in roots):
        raise UnreadableReport(f"its root is not <{'> or <'.join(roots)}>")
    return root


class _Reader:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.data
        self.parser.EntityDeclHandler = self.refuse
        self.parser.ExternalEntityRefHandler = self.refuse
        self.parser.UnparsedEntityDeclHandler = self.refuse
        self.open: list[tuple[Node, list[str]]] = []
        self.root: Node | None = None
        self.count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1 + len(attributes)
        if self.count > _NODES or len(self.open) >= _DEPTH:
            raise UnreadableReport("it has more elements, or deeper ones, than are read")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        node = Node(tag.rpartition(" ")[2], plain)
        if self.open:
            self.open[-1][0].children.append(node)
        else:
            self.root = node
        self.open.append((node, []))

    def end(self, _tag: str) -> None:
        node, texts = self.open.pop()
        node.text = "".join(texts)

    def data(self, text: str) -> None:
        if self.open:
            self.open[-1][1].append(text)

    def refuse(self, *_: object) -> int:
        raise UnreadableReport("it declares entities, which no honest report needs")
