"""requirements.txt as pip reads it (https://pip.pypa.io/en/stable/reference/requirements-file-format/)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.checks.dependencies._manifest import (
    LINE_LIMIT,
    Dependency,
    Index,
    Manifest,
    Unread,
    located,
    requirement,
    without_credentials,
)

_LINES = 30_000
_PROBLEMS = 200
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)[ =\t]*(.*)", re.DOTALL)
_HASH = re.compile(r"[ \t]--hash[= \t]+[A-Za-z0-9_]+:[0-9A-Fa-f]+")
_CUT = re.compile(r"[ \t]--(?:hash|config-settings?|global-option|install-option|build-option)[= \t]")
_INDEXES = {
    "-i": "index", "--index-url": "index", "--pypi-url": "index", "--extra-index-url": "extra", "-f": "links",
    "--find-links": "links", "--trusted-host": "trusted-host",
}  # fmt: skip
_INCLUDES = {"-r": "r", "--requirement": "r", "-c": "c", "--constraint": "c"}


def parse(text: str, name: str = "requirements.txt") -> Manifest:
    """Read the text of a requirements, constraints or input (`.in`) file; what cannot be understood is a problem."""
    kind = "input" if name.endswith(".in") else "constraints" if "constraint" in name else "requirements"
    dependencies: list[Dependency] = []
    indexes: list[Index] = []
    includes: list[tuple[str, int]] = []
    problems: list[tuple[int, str]] = []
    for number, line in _logical(text):
        if number > _LINES or len(problems) >= _PROBLEMS:
            problems.append(
                (number, "the rest of the file was not read: too many lines or too many of them unreadable")
            )
            break
        try:
            entry(line, number, dependencies, indexes, includes)
        except Unread as error:
            problems.append((number, str(error)))
    return Manifest(kind, tuple(dependencies), tuple(indexes), tuple(includes), tuple(problems))


def entry(
    line: str, number: int, dependencies: list[Dependency], indexes: list[Index], includes: list[tuple[str, int]]
) -> None:
    """One line without its comment: an option or a requirement. Raises Unread."""
    if line.startswith("-"):
        _option(line, number, dependencies, indexes, includes)
    else:
        dependencies.append(_requirement(line, number))


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, continued ones joined, with the number of their first physical line."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start if pending else number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            pending += raw[:-1] + " "
            if len(pending) > LINE_LIMIT * 10:
                yield start, pending[: LINE_LIMIT + 1]
                pending = ""
            continue
        line = (
            re.sub(r"(?:^|(?<=[ \t]))#.*$", "", pending + raw, count=1).strip()
            if "#" in pending + raw
            else (pending + raw).strip()
        )
        pending = ""
        if line:
            yield start, line
    if pending.strip():
        yield start, pending.strip()


def _option(
    line: str, number: int, dependencies: list[Dependency], indexes: list[Index], includes: list[tuple[str, int]]
) -> None:
    match = _OPTION.match(line)
    if not match:
        raise Unread("is an option that is not known")
    option, value = match[1], match[2].strip().strip("'\"")
    if option[:2] in ("-r", "-c", "-e", "-i", "-f") and not option.startswith("--") and len(option) > 2:
        option, value = line[:2], line[2:].strip()  # pip takes -rother.txt
    if option in _INDEXES:
        shown = value if _INDEXES[option] == "trusted-host" else without_credentials(value)
        indexes.append(Index(_INDEXES[option], shown[:300], number))
    elif option in _INCLUDES:
        includes.append((value, number))
    elif option in ("-e", "--editable"):
        dependencies.append(_editable(value, number))


def _editable(value: str, number: int) -> Dependency:
    if " @ " in value:
        name, _, url = value.partition(" @ ")
        return located(name.partition("[")[0].strip(), url.strip(), number, editable=True)
    return located("", value, number, editable=True)


def _requirement(line: str, number: int) -> Dependency:
    if len(line) > LINE_LIMIT * 10:
        raise Unread("is too long")
    hashes = len(_HASH.findall(line))
    cut = _CUT.search(line)
    text = line[: cut.start()].strip() if cut else line
    head = text.partition(";")[0].strip()
    if " @ " not in head and (
        "://" in head or head.startswith((".", "/", "file:")) or head.endswith((".whl", ".tar.gz", ".zip"))
    ):
        return located("", head, number, hashes=hashes)
    return requirement(text, number, hashes=hashes)
