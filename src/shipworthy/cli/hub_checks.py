"""Which checks run in which stage of the pipelines, as the stages declare it, and which of them are about a shelf."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipworthy.check import Check
    from shipworthy.hub import Shelf


@cache
def by_stage() -> Mapping[str, tuple[Check, ...]]:
    """The checks of each stage, by its pipeline and name (`ml/scan`), ordered by name."""
    from shipworthy.check import registry
    from shipworthy.pipelines import PIPELINES

    every = sorted(registry().values(), key=lambda one: one.name)
    return {
        f"{pipeline.name}/{stage.name}": tuple(check for check in every if stage.checks(check))
        for pipeline in PIPELINES.values()
        for stage in pipeline.stages
    }


def of_shelf(shelf: Shelf) -> tuple[Check, ...]:
    """The checks that are about a shelf, of those that run in the stages that have it; each once."""
    found = {check.name: check for one in shelf.used_by for check in by_stage().get(one, ())}
    return tuple(check for check in found.values() if shelf.has(check.name, check.category))
