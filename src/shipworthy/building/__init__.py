"""Build an image from a Dockerfile: deterministic, without network unless allowed, always into an OCI layout.

One file, one engine. `choose` takes the first that can be used here; `build` runs it.
"""

from __future__ import annotations

from types import ModuleType

from shipworthy.building.recipe import BuildFailed, Built, Recipe
from shipworthy.errors import EnvironmentFailure, UsageError

ENGINES = ("buildah", "podman", "docker", "builtin")


def choose(engine: str = "auto") -> str:
    """The engine to use: the one that is named, or with `auto` the first of ENGINES that can be used here. Raises
    UsageError for an unknown name, EnvironmentFailure when it cannot be used."""
    if engine != "auto" and engine not in ENGINES:
        raise UsageError(f'"{engine}" is no build engine', remedy=f"use one of: auto, {', '.join(ENGINES)}")
    reasons = []
    for name in ENGINES if engine == "auto" else (engine,):
        reason = str(_module(name).unavailable())
        if not reason:
            return name
        reasons.append(f"{name}: {reason}")
    raise EnvironmentFailure(
        f"no image can be built here: {'; '.join(reasons)}", remedy='install buildah, or use engine "builtin" on Linux'
    )


def build(recipe: Recipe, engine: str = "auto") -> Built:
    """Build the recipe. Raises what `choose` does, UsageError for a Dockerfile that cannot be built, BuildFailed."""
    built: Built = _module(choose(engine)).build(recipe)
    return built


def _module(name: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"shipworthy.building.{name}")


__all__ = ["ENGINES", "BuildFailed", "Built", "Recipe", "build", "choose"]
