"""What a site is made of besides the hub: the pipelines, the checks, what a run found."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.records import dataclass, field


@dataclass(frozen=True)
class Stage:
    """A stage of a pipeline: its name there, a title, what it does, and the names of the checks that run in it."""

    name: str
    title: str
    about: str
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """A pipeline as it is drawn."""

    name: str
    title: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Checked:
    """A check: what it is called, what it does, and the ids of its rules."""

    name: str
    summary: str
    category: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """What a site is built from besides the hub. `found` says how often a rule (by id) was found in the last run, and
    `run` which run that was; `url` is the address that the site will have, if it is known, ending in a slash. `served`:
    it is shown by a server that has a page of runs."""

    pipelines: tuple[Pipeline, ...]
    checks: tuple[Checked, ...]
    version: str
    url: str = ""
    found: Mapping[str, int] = field(default_factory=dict)
    run: str = ""
    served: bool = False


@dataclass(frozen=True)
class Built:
    """What was written: files, bytes, the largest page (its name and size in bytes), and what was left out and why."""

    files: int
    size: int
    largest: tuple[str, int]
    notes: tuple[str, ...] = ()
