"""Build with buildah, in storage of its own that is removed afterwards."""

from __future__ import annotations

from shipworthy.building import _containers
from shipworthy.building.recipe import Built, Recipe

NAME = "buildah"


def unavailable() -> str:
    """Why this engine cannot be used here; "" when it can."""
    return _containers.unavailable(NAME)


def version() -> str:
    """Its version. Raises ToolMissing."""
    return _containers.version(NAME)


def build(recipe: Recipe) -> Built:
    """Build the recipe into `recipe.output`, which must be new or empty. Raises UsageError for a Dockerfile that cannot
    be understood or a base that is not there, BuildFailed when an instruction fails, EnvironmentFailure."""
    return _containers.build(NAME, recipe)
