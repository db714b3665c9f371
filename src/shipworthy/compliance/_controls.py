"""The controls, read from `controls.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from shipworthy.records import dataclass


@dataclass(frozen=True)
class Framework:
    """A framework: its id, name, version and where its text is published."""

    id: str
    name: str
    version: str
    source: str


@dataclass(frozen=True)
class Control:
    """One control. `title` is the framework's own unless `our_title`. `evidence` holds terms that must hold; `whole`
    says that with all of them a run shows everything that a run can show, and not a part of it; `person` is what is
    always left to a person."""

    framework: Framework
    id: str
    title: str
    our_title: bool
    evidence: tuple[str, ...]
    whole: bool
    person: str


@cache
def controls() -> tuple[Control, ...]:
    """Every control, in the order of the file."""
    data = tomllib.loads(files("shipworthy.compliance").joinpath("controls.toml").read_text(encoding="utf-8"))
    return tuple(_control(_framework(entry), control) for entry in data["framework"] for control in entry["control"])


def frameworks() -> tuple[Framework, ...]:
    """The frameworks, in the order of the file."""
    return tuple(dict.fromkeys(control.framework for control in controls()))


def _framework(entry: dict[str, Any]) -> Framework:
    return Framework(entry["id"], entry["name"], entry["version"], entry["source"])


def _control(framework: Framework, entry: dict[str, Any]) -> Control:
    return Control(
        framework,
        entry["id"],
        entry["title"],
        entry.get("our-title", False),
        tuple(entry.get("evidence", ())),
        entry.get("reach", "whole") == "whole",
        entry["person"],
    )
