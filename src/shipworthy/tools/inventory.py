"""Which of the known programs are on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.records import dataclass
from shipworthy.tools.catalogue import CATALOGUE, INSTALLED, Known
from shipworthy.tools.command import Tool, Toolbox, ToolMissing
from shipworthy.tools.environments import installed, leftovers, outdated


@dataclass(frozen=True)
class Here:
    """A known program. `where` is empty when it is not here; `version` is what it says of itself; `note` is what is
    odd about it."""

    name: str
    about: str
    way: str
    licence: str
    where: str = ""
    version: str = ""
    note: str = ""
    instead: str = ""


def tools_here(paths: Mapping[str, str]) -> tuple[Here, ...]:
    """Every known program; `paths` are the settings' own places. Each that is here is started, to ask its version."""
    box = Toolbox(paths)
    return tuple(_here(box, CATALOGUE[name]) for name in sorted(CATALOGUE))


def _here(box: Toolbox, known: Known) -> Here:
    way = f"{known.way} {known.name}" if known.way == INSTALLED else known.way
    fields = (known.name, known.about, way, known.licence)
    tool = Tool(known.command, version_args=known.version_args)
    try:
        where = str(box.locate(tool))
    except ToolMissing as missing:
        note = "" if missing.reason == "is not installed" else missing.reason
        return Here(*fields, note=note or _left(known), instead=known.instead)
    try:
        version, note = box.version(tool), ""
    except ToolMissing as missing:
        version, note = "", missing.reason
    own = installed(known.name)
    if not note and own and where == str(own.program) and outdated(own):
        note = f"another version is locked now: `{way}`"
    return Here(*fields, where, version, note, known.instead)


def _left(known: Known) -> str:
    return "an installation was cut short" if known.way == INSTALLED and leftovers(known.name) else ""
