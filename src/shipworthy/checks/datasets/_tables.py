"""Read rows out of CSV, TSV, JSON lines, JSON and Parquet: streaming, with every limit told.

Nothing here raises for bad bytes. What is wrong with a file is counted in `Table.problems`; what was not read is in
`Table.unread`, and a check passes that on as `Skipped`. Rows count from 1, the header not counted.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple, cast

from shipworthy.checks.datasets._delimited import records
from shipworthy.model import Artifact, Skipped

ROWS = 200_000
BYTES = 256 * 1024 * 1024
CELL = 1024 * 1024
JSON_BYTES = 48 * 1024 * 1024
COLUMNS = 2_000
DEPTH = 32
LIMITS: Mapping[str, Any] = {"max-rows": ROWS, "max-megabytes": BYTES // (1024 * 1024)}
OTHER = "(other columns)"

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_BOMS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig"))
_BOMS_16 = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Row(NamedTuple):
    """A row's number (from 1) and its cells: `names[i]` names `values[i]`. A name can occur more than once (lists)."""

    number: int
    names: Sequence[str]
    values: Sequence[object]

    def longer(self, least: int) -> list[tuple[str, object]]:
        """The cells but for shorter texts, most of which are the numbers of wide tables."""
        cells = zip(self.names, self.values, strict=False)
        return [cell for cell in cells if not isinstance(cell[1], str) or len(cell[1]) >= least]


@dataclass
class Problem:
    """How often something was wrong, and the first rows where."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Count one."""
        self.count += 1
        if len(self.rows) < 5 and row not in self.rows:
            self.rows.append(row)


class Table:
    """The rows of a dataset file. Iterate once; then `problems`, `unread` and `rows` are complete."""

    def __init__(self, artifact: Artifact, *, rows: int = ROWS, megabytes: int = BYTES // 2**20) -> None:
        self.artifact = artifact
        self.max_rows, self.max_bytes = rows, megabytes * 2**20
        self.problems: dict[str, Problem] = {}
        self.unread: list[str] = []
        self.columns: list[str] = []
        self.header = True
        self.encoding = ""
        self.rows = 0
        name = artifact.uri.lower()
        self.zipped = name.endswith(".gz")
        self.format = next((f for end, f in _FORMATS.items() if name.removesuffix(".gz").endswith(end)), "")

    def __iter__(self) -> Iterator[Row]:
        """The rows, as far as the limits allow. Never raises for what is in the file."""
        try:
            yield from self._limited()
        except OSError as error:  # its path is this machine's: only what happened is told
            self.unread.append(f"it could not be read to the end: {error.strerror or type(error).__name__}")
        except (EOFError, zlib.error):
            self.unread.append("its compression is broken: the rest was not looked at")
        except RecursionError:
            self.unread.append("it is nested too deeply to be read")
        except MemoryError:
            self.unread.append("it needs more memory than there is: the rest was not looked at")

    def skipped(self) -> Iterator[Skipped]:
        """What was not looked at, for the check to yield after its last row."""
        for reason in dict.fromkeys(self.unread):
            yield Skipped(self.artifact, reason)

    def problem(self, kind: str, row: int) -> None:
        """Count a problem of this kind at a row."""
        self.problems.setdefault(kind, Problem()).add(row)

    def _limited(self) -> Iterator[Row]:
        for row in self._rows():
            if self.rows >= self.max_rows:
                self.unread.append(f"only the first {self.max_rows:,} rows were looked at (option max-rows)")
                return
            self.rows += 1
            yield row

    def _rows(self) -> Iterator[Row]:
        if self.format == "parquet":
            from shipworthy.checks.datasets._parquet import rows

            yield from rows(self)
        elif self.format in ("csv", "tsv"):
            yield from self._delimited()
        elif self.format == "jsonl":
            yield from self._json_lines()
        elif self.format == "json":
            yield from self._json()
        else:
            self.unread.append("its format is not one that is read as a table (CSV, TSV, JSON lines, JSON, Parquet)")

    # --- bytes and text ---

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        """The decoded text of at most `max_bytes` bytes; bytes that are not UTF-8 become lone surrogates."""
        with ExitStack() as stack:
            raw: IO[bytes] = stack.enter_context(self.artifact.open())
            if self.zipped:
                raw = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=raw)))
            bounded = Bounded(raw, self.max_bytes)
            buffered = io.BufferedReader(bounded)
            self.encoding = _encoding(buffered.peek(4096)[:4096])
            errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
            yield stack.enter_context(io.TextIOWrapper(buffered, encoding=self.encoding, errors=errors, newline=""))
            if bounded.hit:
                limit = self.max_bytes // 2**20
                self.unread.append(f"only the first {limit:,} MiB were looked at (option max-megabytes)")

    def _lines(self) -> Iterator[str]:
        """Lines with their ends, at most `CELL` characters of each; bad bytes are made visible and counted."""
        number = 0
        with self._text() as text:
            while line := text.readline(CELL):
                number += 1
                if len(line) >= CELL and not line.endswith(("\n", "\r")):
                    self.problem("long-line", number)
                    self.unread.append(f"a line is longer than {CELL:,} characters: the rest of it was not looked at")
                    while (more := text.readline(CELL)) and not more.endswith(("\n", "\r")):
                        pass
                yield self._clean(line, number)

    def _clean(self, line: str, number: int) -> str:
        if line.isascii() and "\0" not in line:
            return line
        if any("\udc80" <= char <= "\udcff" for char in line):
            self.problem("encoding", number)
            # Read the bytes that are no UTF-8 as Latin-1, so that what they say is looked at as well.
            line = "".join(chr(ord(c) - 0xDC00) if "\udc80" <= c <= "\udcff" else c for c in line)
        elif not self.encoding.startswith("utf-8") and "\ufffd" in line:
            self.problem("encoding", number)
        if "\0" in line:
            self.problem("nul", number)
        return line

    # --- CSV and TSV ---

    def _delimited(self) -> Iterator[Row]:
        delimiter = "\t" if self.format == "tsv" else ""
        width = 0
        number = 0
        for cells in records(self._lines(), delimiter, CELL, self._record_problem):
            if not width:
                self.header = _is_header(cells)
                names = cells if self.header else [f"column {i}" for i in range(1, len(cells) + 1)]
                self.columns = names[:COLUMNS]
                width = len(cells)
                if width > COLUMNS:
                    self.unread.append(f"only the first {COLUMNS:,} columns were looked at")
                if self.header:
                    continue
            number += 1
            if len(cells) != width:
                self.problem("ragged", number)
            values = cells[: len(self.columns)]
            extra = cells[width : width + COLUMNS]  # cells beyond the header are still looked at
            yield Row(number, (self.columns[: len(values)] + [OTHER] * len(extra)), values + extra)

    def _record_problem(self, kind: str, record: int) -> None:
        self.problem(kind, max(1, record - self.header))
        if kind == "long-cell":
            self.unread.append(f"a cell is longer than {CELL:,} characters: the rest of it was not looked at")

    # --- JSON ---

    def _json_lines(self) -> Iterator[Row]:
        seen: dict[str, None] = {}
        number = 0
        for line in self._lines():
            if not line.strip():
                continue
            number += 1
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                self.problem("json", number)
                # It is not an object, but it is text that somebody may read: let the checks look at it.
                yield Row(number, ["(unreadable line)"], [line])
                continue
            yield self._flat(number, value, seen)

    def _json(self) -> Iterator[Row]:
        self.max_bytes = min(self.max_bytes, JSON_BYTES)  # it is held as a whole, and objects cost several times that
        with self._text() as stream:
            text = self._clean(stream.read(), 1)
        if not text.strip():
            return
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            self.problem("json", 1)
            self.unread.append("it is not valid JSON")
            return
        if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), list):
            value = next(iter(value.values()))  # {"data": [...]}
        if not isinstance(value, list):
            value = [value]
        seen: dict[str, None] = {}
        for number, item in enumerate(value, 1):
            yield self._flat(number, item, seen)

    def _flat(self, number: int, value: object, seen: dict[str, None]) -> Row:
        """Nested values by dotted names: {"a": {"b": 1}} is a.b; the items of a list share the name a[]."""
        names: list[str] = []
        values: list[object] = []
        stack: list[tuple[str, object, int]] = [("", value, 0)]
        while stack:
            name, item, depth = stack.pop()
            if isinstance(item, dict) and item and depth < DEPTH:
                stack.extend((f"{name}.{k}" if name else str(k), v, depth + 1) for k, v in reversed(item.items()))
            elif isinstance(item, list) and depth < DEPTH:
                stack.extend((f"{name}[]", v, depth + 1) for v in reversed(item))
            else:
                if isinstance(item, (dict, list)) and item:
                    self.problem("deep", number)
                    item = json.dumps(item, ensure_ascii=False, default=repr)[:CELL]
                if name not in seen:
                    if len(seen) >= COLUMNS:
                        name = OTHER
                    else:
                        seen[name] = None
                        self.columns.append(name)
                names.append(name)
                values.append(item)
        return Row(number, names, values)


class Bounded(io.RawIOBase):
    """The first `limit` bytes of a stream; `hit` says that there were more."""

    def __init__(self, inner: IO[bytes], limit: int) -> None:
        self.inner, self.left, self.hit = inner, limit, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.inner.read(min(len(buffer), self.left + 1))
        if len(data) > self.left:
            self.hit = True
            data = data[: self.left]
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)


def _encoding(head: bytes) -> str:
    for mark, name in (*_BOMS, *_BOMS_16):
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 8 and odd > 0.4 * len(head) / 2 and even < odd / 8:
        return "utf-16-le"
    if len(head) >= 8 and even > 0.4 * len(head) / 2 and odd < even / 8:
        return "utf-16-be"
    return "utf-8"


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a first row names columns: short, and not mostly numbers (except 0, 1, 2, ..., which pandas writes)."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled or any(len(cell) > 80 or len(cell.split()) > 8 for cell in filled):
        return False
    numbers = [cell for cell in filled if is_number(cell)]
    if [str(i) for i in range(len(numbers))] == numbers and len(numbers) > 2:
        return True
    return 2 * len(numbers) < len(filled)


def is_number(text: str) -> bool:
    """Whether a cell is a number as programs write it (no 'nan', no digits of other scripts, no underscores)."""
    text = text.strip()
    if not text or len(text) > 40 or text.strip("+-.eE0123456789"):
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_text(value: object) -> str:
    """A cell as text: what a check that looks at characters sees. Nothing (null) is the empty text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:CELL]).decode("utf-8", errors="replace")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value.bit_length() < 1000 else "(a huge number)"
    return str(value)[:CELL]


def open_table(artifact: Artifact, options: Mapping[str, Any]) -> Table:
    """The table of an artifact within the limits of a check's options."""
    return Table(artifact, rows=int(options["max-rows"]), megabytes=int(options["max-megabytes"]))
