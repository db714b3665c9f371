"""HEALTHCHECK: Docker's extension of an image's configuration, which Podman reads too. Source: Docker image
specification 1.2, "Healthcheck"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shipworthy.building._errors import Unsupported
from shipworthy.building.dockerfile import Dockerfile, Instruction
from shipworthy.errors import UsageError

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ns|us|ms|h|m|s)")
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_NAMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def healthcheck(one: Instruction) -> dict[str, Any]:
    """What the configuration says for the instruction; times in nanoseconds. Raises UsageError, Unsupported."""
    if one.text.strip().upper() == "NONE":
        return {"Test": ["NONE"]}
    word, _, rest = one.text.partition(" ")
    if word.upper() != "CMD" or not rest.strip():
        raise UsageError("HEALTHCHECK is not understood", remedy="HEALTHCHECK CMD command, or HEALTHCHECK NONE")
    given = Instruction("CMD", rest.strip(), one.line).json()
    health: dict[str, Any] = {"Test": ["CMD", *given] if given is not None else ["CMD-SHELL", rest.strip()]}
    for name, value in one.flags:
        if name in _NAMES:
            health[_NAMES[name]] = nanoseconds(value)
        elif name == "retries" and value.isdecimal() and len(value) < 6:
            health["Retries"] = int(value)
        else:
            raise Unsupported(f"--{name}={value}")
    return health


def of(file: Dockerfile, target: str, bases: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """The one that an image of the file has, its own or of what it is built on; `bases` are the configurations of
    bases, by reference. None if there is none."""
    stages = file.stages
    named = [at for at, one in enumerate(stages) if target and one.name.lower() == target.lower()]
    number = named[-1] if named else len(stages) - 1
    while True:
        own = [one for one in stages[number].instructions if one.name == "HEALTHCHECK"]
        if own:
            return healthcheck(own[-1])
        base = stages[number].base
        earlier = [at for at, one in enumerate(stages[:number]) if one.name and one.name.lower() == base.lower()]
        if not earlier:
            found = (bases.get(base, {}).get("config") or {}).get("Healthcheck")
            return dict(found) if isinstance(found, Mapping) else None
        number = earlier[-1]


def nanoseconds(text: str) -> int:
    """A duration such as 1m30s. Raises UsageError for what is none."""
    total, position = 0.0, 0
    while match := _DURATION.match(text, position):
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if not text or position != len(text):
        raise UsageError(f'"{text[:40]}" is no duration', remedy="write it as 30s, 1m30s, 500ms")
    return int(total)
