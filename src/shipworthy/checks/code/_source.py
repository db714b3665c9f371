"""Python source as data: read it, parse it, and quote it without its secrets."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from shipworthy.model import Artifact, Kind, Location, Severity

SOURCE_LIMIT = 1_000_000
NOTEBOOK_LIMIT = 32_000_000
# Source may name any codec of Python's, some of which are slow or can hide code (utf-7): others are not read.
ENCODINGS_TEXT = (
    "utf-8 utf-8-sig ascii iso-8859-1 iso-8859-2 iso-8859-15 cp1250 cp1251 cp1252 koi8-r euc-jp euc-kr shift_jis gbk "
    "gb2312 gb18030 big5 cp932 cp949"
)
ENCODINGS = frozenset(ENCODINGS_TEXT.split())
_STRIPPED_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "python", "python3", "py"})
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w.,\[\]'\" ]{1,200}=\s*)[!%].*$")


class Unreadable(Exception):
    """The source cannot be read or parsed; the message says why, in a phrase for people."""


@dataclass(frozen=True)
class Source:
    """Parsed source. `cells` gives, for a notebook, the first line of each cell in `text` with the cell's number;
    `problems` are the parts that could not be read."""

    text: str
    tree: ast.Module
    cells: tuple[tuple[int, int], ...] = ()
    problems: tuple[str, ...] = ()

    def at(self, line: int) -> Location:
        """Where a line of `text` is for people: line of the file, or cell and line in it."""
        for start, cell in reversed(self.cells):
            if line >= start:
                return Location(line=line - start + 1, cell=cell)
        return Location(line=line)


def looks_python(artifact: Artifact) -> bool:
    """Whether an artifact of kind `code` is Python, by its name or the media type that it was given by content."""
    return artifact.uri.endswith((".py", ".pyw", ".pyi")) or artifact.media_type == "text/x-python"


def in_tests(uri: str) -> bool:
    """Whether the path is that of a test: what is wrong there does not reach production by itself."""
    path = PurePosixPath(uri)
    name = path.name
    folders = {part.lower() for part in path.parts[:-1]}
    return (
        bool(folders & {"test", "tests", "testing"})
        or name.startswith("test_")
        or name == "conftest.py"
        or "_test.py" in name
    )


def lowered(severity: Severity, uri: str) -> Severity:
    """One severity less for a test."""
    if not in_tests(uri):
        return severity
    return list(Severity)[max(0, severity.rank - 1)]


def read_source(artifact: Artifact) -> str:
    """The text of a Python file by its own declared encoding. Raises Unreadable."""
    data = artifact.read_bytes(SOURCE_LIMIT + 1)
    if len(data) > SOURCE_LIMIT:
        raise Unreadable(f"is larger than {SOURCE_LIMIT:,} bytes")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except (SyntaxError, UnicodeError, LookupError, ValueError):
        raise Unreadable("is not text in the encoding that it declares") from None
    if encoding.lower() not in ENCODINGS:
        raise Unreadable(f"declares the encoding {encoding[:40]!r}, which is not read")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("is not text in the encoding that it declares") from None


def parse(text: str) -> ast.Module:
    """The syntax tree. Raises Unreadable: for this Python's grammar only, and within its limits."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the scanned code: an invalid escape is not our concern
            return ast.parse(text)
    except SyntaxError as error:
        raise Unreadable(f"is not Python 3 (line {error.lineno or 0})") from None
    except (RecursionError, MemoryError):
        raise Unreadable("is nested too deeply to be parsed") from None
    except ValueError:
        raise Unreadable("holds bytes that no Python source may hold") from None


def load(artifact: Artifact) -> Source:
    """The parsed source of a Python file or of a notebook's Python cells. Raises Unreadable."""
    if artifact.kind is Kind.NOTEBOOK:
        return _load_notebook(artifact)
    text = read_source(artifact)
    return Source(text, parse(text))


def _load_notebook(artifact: Artifact) -> Source:
    data = artifact.read_bytes(NOTEBOOK_LIMIT + 1)
    if len(data) > NOTEBOOK_LIMIT:
        raise Unreadable(f"is larger than {NOTEBOOK_LIMIT:,} bytes")
    try:
        book = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("is not JSON") from None
    if not isinstance(book, dict):
        raise Unreadable("is not a notebook")
    language = _language(book)
    if language not in ("", "python"):
        raise Unreadable(f"is a notebook in {language[:20]}, which is not read")
    blocks: list[str] = []
    cells: list[tuple[int, int]] = []
    problems: list[str] = []
    line, size = 1, 0
    for number, source in _code_cells(book):
        code = python_of_cell(source)
        size += len(code)
        if size > SOURCE_LIMIT:
            raise Unreadable(f"holds more than {SOURCE_LIMIT:,} characters of code")
        try:
            parse(code)
        except Unreadable as error:
            problems.append(f"cell {number} {error}")
            continue
        blocks.append(code)
        cells.append((line, number))
        line += code.count("\n") + 1
    text = "\n".join(blocks)
    return Source(text, parse(text), tuple(cells), tuple(problems))


def _language(book: dict[str, Any]) -> str:
    metadata = book.get("metadata")
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(section) if isinstance(metadata, dict) else None
        if isinstance(part, dict) and isinstance(part.get(key), str):
            return str(part[key]).lower()
    return ""


def _code_cells(book: dict[str, Any]) -> Sequence[tuple[int, str]]:
    """The code cells with their number among all cells, in nbformat 4 (`cells`) or 3 (`worksheets`)."""
    cells = book.get("cells")
    if cells is None:
        sheets = book.get("worksheets")
        if not isinstance(sheets, list):
            raise Unreadable("is not a notebook")
        cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or ()]
    if not isinstance(cells, list):
        raise Unreadable("is not a notebook")
    found = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        if isinstance(source, str):
            found.append((number, source.replace("\r\n", "\n").replace("\r", "\n")))
    return found


def python_of_cell(source: str) -> str:
    """The cell's Python with IPython's own syntax replaced, line for line: a `%%bash` cell holds none."""
    lines = source.split("\n")
    first = next((i for i, text in enumerate(lines) if text.strip()), 0)
    if lines[first].startswith("%%"):
        if lines[first][2:].split(" ")[0].strip() not in _STRIPPED_MAGICS:
            return "\n" * (len(lines) - 1)
        lines[first] = ""
    return "\n".join(_python_line(text) for text in lines)


def _python_line(text: str) -> str:
    stripped = text.lstrip()
    indent = text[: len(text) - len(stripped)]
    if stripped.startswith(("%", "!", "?")) or (
        stripped.rstrip().endswith("?") and "#" not in stripped and '"' not in stripped
    ):
        return indent + "pass"
    if len(text) < 1000 and (match := _ASSIGNED_MAGIC.match(text)):
        return match[1] + "None"
    return text


def without_strings(line: str, limit: int = 160) -> str:
    """A line of code without its comment and the content of its string literals: they may be secrets."""
    out: list[str] = []
    quote = ""
    escaped = False
    for char in line.strip()[:2000]:
        if not quote:
            if char == "#":
                break
            out.append(char)
            if char in "'\"":
                quote = char
                out.append("…")
        elif escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == quote:
            out.append(char)
            quote = ""
    return "".join(out).rstrip()[:limit]


def sketch(call: ast.Call, name: str, shown: frozenset[str] = frozenset()) -> str:
    """A call in one line for evidence: names and plain values stay, strings and nested expressions do not.

    The string arguments in `shown` stay: the caller has seen that they are no secrets.
    """
    parts = [_brief(arg, shown) for arg in call.args[:6]]
    parts += [f"{k.arg}={_brief(k.value, shown)}" if k.arg else "**…" for k in call.keywords[:12]]
    return f"{name}({', '.join(parts)})"[:240]


def _brief(node: ast.expr, shown: frozenset[str]) -> str:
    if isinstance(node, ast.Name):
        return node.id[:60]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return f'"{node.value}"' if node.value in shown else '"…"'
        if node.value is None or isinstance(node.value, bool):
            return repr(node.value)
    return "…"
