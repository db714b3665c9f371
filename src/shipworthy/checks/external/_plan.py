"""Plans of Terraform as JSON (`terraform show -json FILE`), as far as other programs' words about them are placed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from shipworthy.patterns import regex

LIMIT = 50_000_000  # bytes of one plan
_MOST = 100_000
_DEPTH = 200  # modules within modules
PLAN_NAME = regex(r"(?:.*/)?(?:[^/]*[._-])?(?:tf)?plan(?:[._-][^/]*)?\.json\Z")


class NoPlan(Exception):
    """The file is something else."""


def addresses(data: bytes) -> frozenset[str]:
    """The addresses of all resources of a plan. Raises NoPlan. Source: Terraform's JSON output format, 1.x."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise NoPlan from None
    if not isinstance(value, dict) or not isinstance(value.get("terraform_version"), str):
        raise NoPlan
    planned, changes = value.get("planned_values"), value.get("resource_changes")
    if not isinstance(planned, dict) and not isinstance(changes, list):
        raise NoPlan
    found = [_address(one) for one in changes[:_MOST]] if isinstance(changes, list) else []
    root = planned.get("root_module") if isinstance(planned, dict) else None
    return frozenset(name for name in (*found, *_inside(root)) if name)


def _inside(root: Any) -> Iterator[str]:
    pending, count = [(root, 0)], 0
    while pending and count < _MOST:
        module, depth = pending.pop()
        if not isinstance(module, dict):
            continue
        for name, deeper in (("resources", False), ("child_modules", True)):
            for one in part if isinstance(part := module.get(name), list) else ():
                count += 1
                if not deeper:
                    yield _address(one)
                elif depth < _DEPTH:
                    pending.append((one, depth + 1))


def _address(one: Any) -> str:
    given = one.get("address") if isinstance(one, dict) else None
    return given[:300] if isinstance(given, str) else ""
