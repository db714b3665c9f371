"""Split lines into the records of a delimited file (RFC 4180 and what is found in the wild).

Why not the csv module: its field limit is a setting of the whole process, and after a quote that is never closed it
swallows everything up to that limit. Here such a quote costs one record, and everything after it is still read.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

_RECOVERIES = 16
_LINES_IN_CELL = 10_000


def records(
    lines: Iterable[str], delimiter: str, cell_limit: int, problem: Callable[[str, int], None]
) -> Iterator[list[str]]:
    """The records of the lines; blank lines are none. An empty `delimiter` is guessed from the first lines.

    `problem(kind, record)` is told of `unbalanced-quote` and `long-cell`; records count from 1.
    """
    source = iter(lines)
    if not delimiter:
        first = list(islice(source, 20))
        delimiter = _guess(first)
        pending: deque[str] = deque(first)
    else:
        pending = deque()
    number = 0
    recoveries = 0
    while True:
        line = pending.popleft() if pending else next(source, None)
        if line is None:
            return
        if not line.strip("\r\n"):
            continue
        number += 1
        if '"' not in line or recoveries > _RECOVERIES:
            cells = line.rstrip("\r\n").split(delimiter)
        else:
            taken = [line]
            parsed = _quoted(taken, delimiter, cell_limit, pending, source)
            if parsed is None:
                # The quote is never closed: take the first line as it is and read the others again as records.
                problem("unbalanced-quote", number)
                recoveries += 1
                pending.extendleft(reversed(taken[1:]))
                parsed = line.rstrip("\r\n").split(delimiter)
            cells = parsed
        if max(map(len, cells), default=0) > cell_limit:
            problem("long-cell", number)
            cells = [cell[:cell_limit] for cell in cells]
        yield cells


def _quoted(
    taken: list[str], delimiter: str, cell_limit: int, pending: deque[str], source: Iterator[str]
) -> list[str] | None:
    """The cells of the record that begins with `taken[0]`, reading more lines (added to `taken`) while a quote is
    open; None when it stays open to the end of the file or beyond the limits.
    """
    cells: list[str] = []
    line, at = taken[0], 0
    while True:
        if not line.startswith('"', at):
            end = line.find(delimiter, at)
            if end < 0:
                cells.append(line[at:].rstrip("\r\n"))
                return cells
            cells.append(line[at:end])
            at = end + len(delimiter)
            continue
        parts: list[str] = []
        length = 0
        at += 1
        while True:
            close = line.find('"', at)
            if close < 0:
                parts.append(line[at:])
                length += len(line) - at
                more = pending.popleft() if pending else next(source, None)
                if more is None:
                    return None
                taken.append(more)
                if length > cell_limit or len(taken) > _LINES_IN_CELL:
                    return None
                line, at = more, 0
            elif line.startswith('"', close + 1):
                parts.append(line[at : close + 1])
                length += close + 1 - at
                at = close + 2
            else:
                parts.append(line[at:close])
                at = close + 1
                break
        end = line.find(delimiter, at)
        tail = line[at:] if end < 0 else line[at:end]
        cells.append("".join(parts) + tail.rstrip("\r\n") if end < 0 else "".join(parts) + tail)
        if end < 0:
            return cells
        at = end + len(delimiter)


def _guess(lines: list[str]) -> str:
    """The delimiter that splits the first lines most evenly; a comma when there is no telling."""
    best, score = ",", 0.0
    for candidate in ",;\t|":
        counts = Counter(_outside_quotes(line, candidate) for line in lines if line.strip())
        if not counts:
            continue
        count, often = counts.most_common(1)[0]
        # Half a point for the comma, so that ties go to it.
        value = count and often / sum(counts.values()) + min(count, 5) / 10 + (0.5 if candidate == "," else 0)
        if value > score:
            best, score = candidate, value
    return best


def _outside_quotes(line: str, char: str) -> int:
    return sum(part.count(char) for part in line.split('"')[::2])
