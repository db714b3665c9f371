"""Notebooks (nbformat 3 and 4) as cells, from bytes that nobody has vouched for.

Wrong types do not stop the reader: what is not as it should be is named in `problems`, and what text there is, is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LIMIT = 32 * 1024 * 1024
# A bracket or comma costs up to 100 bytes once parsed: this bounds the memory, whatever the file's size.
_TOKENS = 5_000_000
_ANSI = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_KINDS = frozenset({"code", "markdown", "raw", "heading", "html"})
# IPython takes a line for a magic only where the name follows at once: `a\n% b` is a remainder.
_MAGIC = re.compile(
    r"(?P<indent>[ \t]*)(?P<assign>[A-Za-z_][\w., \t]{0,80}=[ \t]*)?"
    r"(?P<mark>%%(?=[A-Za-z!])|%(?=[A-Za-z])|!!?(?!=)|\?\??)(?P<rest>.*)$"
)
# Magics that are followed by Python: only the magic itself is taken away.
_PYTHON_MAGICS = frozenset(
    {"time", "timeit", "prun", "capture", "memit", "mprun", "lprun", "debug", "python", "python3"}
)


class Unreadable(Exception):
    """The bytes are no notebook; `reason` says why, without quoting them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Output:
    """One text that a cell has put out: its `mime` type (or the name of its field) and the text."""

    mime: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Magic:
    """A command that is not Python: `line` counts from 1 in the cell; `shell` tells a command for the shell; `name` is
    the magic (empty for `!`); `text` is what follows, continuation lines joined."""

    line: int
    name: str
    shell: bool
    text: str = field(repr=False)


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts from 1 over the whole notebook."""

    number: int
    kind: str
    source: str = field(repr=False)
    outputs: tuple[Output, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    attachments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    execution_count: int | None = None
    binaries: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_code(self) -> bool:
        """True when the kernel runs it."""
        return self.kind == "code"

    def python(self) -> str:
        """The source as Python with as many lines: magics and shell commands become `pass` or nothing."""
        return "\n".join(_python_lines(self.source.split("\n"))) if self.is_code else ""

    def magics(self) -> Iterator[Magic]:
        """The magics and shell commands of a code cell."""
        return _magics(self.source.split("\n")) if self.is_code else iter(())


@dataclass(frozen=True)
class Notebook:
    """A notebook. `problems` are sentences about what does not follow the format."""

    version: int
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


def parse(data: bytes) -> Notebook:
    """Read a notebook. Raises Unreadable for what is no JSON, no notebook, or too much of it."""
    if len(data) > LIMIT:
        raise Unreadable(f"{len(data)} bytes are more than the limit of {LIMIT}")
    if data.count(b"[") + data.count(b"{") + data.count(b",") > _TOKENS:
        raise Unreadable(f"it has more than {_TOKENS} values")
    try:
        value = json.loads(data)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None
    except ValueError as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"it is not JSON{line}") from None
    if not isinstance(value, dict):
        raise Unreadable("it is JSON, but no notebook")
    problems: list[str] = []
    version = value.get("nbformat")
    if not isinstance(version, int) or isinstance(version, bool) or version not in (3, 4):
        problems.append("nbformat is neither 3 nor 4")
        version = 4 if "worksheets" not in value else 3
    raw = _raw_cells(value, problems)
    if raw is None:
        raise Unreadable("it is JSON, but has no cells")
    cells = tuple(_cell(number, item, problems) for number, item in enumerate(raw, start=1))
    metadata = _mapping(value.get("metadata", {}), "the notebook's metadata", problems)
    return Notebook(version, cells, metadata, tuple(dict.fromkeys(problems)))


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with the name of the field it stands in; keys are texts.

    A list of texts is joined as the format says, with nothing between, so that no word can be hidden by cutting it; and
    where that may glue words together, with line ends as well.
    """
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        name, item = stack.pop()
        if isinstance(item, str):
            yield name, item
        elif isinstance(item, list):
            if item and all(isinstance(line, str) for line in item):
                whole = name != "traceback" and "".join(item)
                if whole:
                    yield name, whole
                if not whole or not all(line.endswith("\n") for line in item[:-1]):
                    yield name, "\n".join(item)
            else:
                stack.extend((name, inner) for inner in reversed(item))
        elif isinstance(item, dict):
            if item:
                yield name, "\n".join(item)
            stack.extend((key, inner) for key, inner in reversed(item.items()))


def _raw_cells(value: Mapping[str, Any], problems: list[str]) -> list[Any] | None:
    if isinstance(cells := value.get("cells"), list):
        return cells
    sheets = value.get("worksheets")
    if not isinstance(sheets, list):
        return None
    found: list[Any] = []
    for sheet in sheets:
        inner = sheet.get("cells") if isinstance(sheet, dict) else None
        if isinstance(inner, list):
            found += inner
        else:
            problems.append("a worksheet has no cells")
    return found


def _mapping(value: Any, what: str, problems: list[str]) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    problems.append(f"{what} is no object")
    return {"": value}


def _cell(number: int, raw: Any, problems: list[str]) -> Cell:
    if not isinstance(raw, dict):
        problems.append(f"cell {number} is no object")
        return Cell(number, "unknown", "\n".join(text for _, text in texts(raw)))
    kind = raw.get("cell_type")
    if not isinstance(kind, str) or kind not in _KINDS:
        problems.append(f"cell {number} is of no known type")
        kind = "code" if "outputs" in raw or "input" in raw else "unknown"
    source = raw.get("source", raw.get("input"))
    if not (isinstance(source, str) or (isinstance(source, list) and all(isinstance(x, str) for x in source))):
        problems.append(f"the source of cell {number} is no text")
    outputs = raw.get("outputs", [])
    if not isinstance(outputs, list):
        problems.append(f"the outputs of cell {number} are no list")
    count = raw.get("execution_count", raw.get("prompt_number"))
    if count is not None and (not isinstance(count, int) or isinstance(count, bool)):
        problems.append(f"the execution count of cell {number} is no number")
        count = None
    return Cell(
        number=number,
        kind=kind,
        source=_source(source),
        outputs=tuple(_outputs(outputs)),
        metadata=_mapping(raw.get("metadata", {}), f"the metadata of cell {number}", problems),
        attachments=_mapping(raw.get("attachments", {}), f"the attachments of cell {number}", problems),
        execution_count=count,
        binaries=tuple(_binaries([outputs, raw.get("attachments", {})])),
    )


def _source(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return "\n".join(text for _, text in texts(value))


def _outputs(value: Any) -> Iterator[Output]:
    for name, text in texts(value):
        if not _is_binary(name, text):
            yield Output(name, _ANSI.sub("", text))


def _binaries(value: Any) -> Iterator[tuple[str, str]]:
    for name, text in texts(value):
        if len(text) >= 8 and _is_binary(name, text):
            yield name, text


def _is_binary(name: str, text: str) -> bool:
    """Base64 in a field for pictures and the like: nothing to read. Anything else in such a field is text."""
    pictures = name.startswith(("image/", "audio/", "video/", "application/pdf", "application/octet")) or name in {
        "png", "jpeg", "pdf",
    }  # fmt: skip
    return pictures and _BASE64.fullmatch(text) is not None


def _python_lines(lines: list[str]) -> Iterator[str]:
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    if first < len(lines) and lines[first].startswith("%%"):
        name = lines[first][2:].split(maxsplit=1)[0] if lines[first][2:].strip() else ""
        python = name in _PYTHON_MAGICS
        yield from ("" if i <= first or not python else line for i, line in enumerate(lines))
        return
    continued = False
    for line in lines:
        found = None if continued else _MAGIC.match(line)
        if continued:
            continued = line.rstrip().endswith("\\")
            yield ""
        elif found:
            rest = found["rest"].split(maxsplit=1)
            if found["mark"] == "%" and len(rest) == 2 and rest[0] in _PYTHON_MAGICS and not rest[1].startswith("-"):
                yield f"{found['indent']}{found['assign'] or ''}{rest[1]}"
                continue
            continued = line.rstrip().endswith("\\")
            yield f"{found['indent']}{found['assign']}None" if found["assign"] else f"{found['indent']}pass"
        elif line.rstrip().endswith("?") and "#" not in line:
            yield f"{line[: len(line) - len(line.lstrip())]}pass"
        else:
            yield line


def _magics(lines: list[str]) -> Iterator[Magic]:
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    if first < len(lines) and lines[first].startswith("%%"):
        name, _, rest = lines[first][2:].strip().partition(" ")
        yield Magic(first + 1, name, name in _SHELLS, "\n".join([rest, *lines[first + 1 :]]).strip("\n"))
        if name not in _PYTHON_MAGICS:
            return
    position = 0
    while position < len(lines):
        start = position
        found = _MAGIC.match(lines[position])
        position += 1
        if not found or found["mark"] in {"%%", "?", "??"}:
            continue
        text = found["rest"].strip()
        while text.endswith("\\") and position < len(lines):
            text = f"{text[:-1]} {lines[position].strip()}"
            position += 1
        if found["mark"] == "%":
            name, _, text = text.partition(" ")
            yield Magic(start + 1, name, name in _SHELLS, text.strip())
        else:
            yield Magic(start + 1, "", True, text)


_SHELLS = frozenset({"bash", "sh", "script", "system", "sx", "sc", "cmd", "zsh", "perl", "ruby", "!"})
