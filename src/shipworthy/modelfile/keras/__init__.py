"""Keras: architectures in JSON, YAML and HDF5 attributes, `.keras` archives, judged for what loading them would run."""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.keras.judge import judge, judge_text, parse
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

__all__ = ["is_architecture", "is_metadata", "judge", "judge_text", "parse"]

_START = regex(
    rb'\s*\{\s*"(?:class_name|module|config|keras_version|backend|registered_name|name|compile_config|build_config)"\s*:'
)
_CLASS = regex(rb'"class_name"\s*:')
_CONFIG = regex(rb'"config"\s*:')
_METADATA = frozenset(("keras_version", "date_saved", "backend"))


def is_architecture(view: View) -> bool:
    """Whether JSON starts like an architecture: an object with a class's name and its configuration at the top."""
    if not _START.match(view.head()):
        return False
    text = view.all()
    return _CLASS.search(text) is not None and _CONFIG.search(text) is not None


def is_metadata(value: dict[str, Any]) -> bool:
    """The metadata.json of a Keras model: a few short texts."""
    return (
        "keras_version" in value
        and set(value) <= _METADATA
        and all(isinstance(item, str) and len(item) < 100 for item in value.values())
    )
