"""Who signs what: the roles of a chain of evidence, and the steps that each may sign."""

from __future__ import annotations

from collections.abc import Mapping

ROLES: Mapping[str, tuple[str, ...]] = {
    "data": ("ingest",),
    "build": ("train", "evaluate", "build", "bom"),
    "gate": ("scan", "gate", "revoke"),
    "release": ("sign", "store"),
    "deploy": ("deploy", "protect", "guard"),
}
"""Whoever holds the key of one role can forge no step of another."""
ROLE_OF: Mapping[str, str] = {step: role for role, steps in ROLES.items() for step in steps}
