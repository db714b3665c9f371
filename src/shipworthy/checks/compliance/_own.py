"""Which licence a project says that it has: in its licence file, its pyproject.toml and its package.json."""

from __future__ import annotations

import json
import tomllib
from pathlib import PurePosixPath
from typing import Any

from shipworthy.checks.compliance import _spdx
from shipworthy.model import Artifact
from shipworthy.patterns import regex

SIZE_LIMIT = 1_000_000
_HEAD = 3_000
_NAMED = regex(r"(?:un)?licen[sc]es?(?:[-_.][\w.-]{0,60})?\Z|copying(?:\.\w{1,10})?\Z")
_TAG = regex(r"SPDX-License-Identifier:[ \t]*([\w.+() -]{1,200})")
# By the title of a licence's own text, which stands at its beginning; the first that fits counts.
_TITLES = tuple(
    (regex(rf"(?i){title}"), name)
    for title, name in (
        (r"GNU AFFERO GENERAL PUBLIC LICENSE\s{1,200}Version 3\b", "AGPL-3.0-only"),
        (r"GNU LESSER GENERAL PUBLIC LICENSE\s{1,200}Version 3\b", "LGPL-3.0-only"),
        (r"GNU LESSER GENERAL PUBLIC LICENSE\s{1,200}Version 2\.1\b", "LGPL-2.1-only"),
        (r"GNU GENERAL PUBLIC LICENSE\s{1,200}Version 3\b", "GPL-3.0-only"),
        (r"GNU GENERAL PUBLIC LICENSE\s{1,200}Version 2\b", "GPL-2.0-only"),
        (r"Mozilla Public License,? (?:v(?:ersion)?[ .]{0,3})?2\.0\b", "MPL-2.0"),
        (r"Server Side Public License\s{1,200}VERSION 1\b", "SSPL-1.0"),
        (r"Business Source License 1\.1\b", "BUSL-1.1"),
        (r"Elastic License 2\.0\b", "Elastic-2.0"),
        (r"Apache License,?\s{1,200}Version 2\.0\b", "Apache-2.0"),
        (r"\A\s{0,200}(?:The )?MIT License\b", "MIT"),
        (r"\bPermission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
        (r"\A\s{0,200}(?:The )?ISC License\b", "ISC"),
        (r"\bBSD 3-Clause\b", "BSD-3-Clause"),
        (r"\bBSD 2-Clause\b", "BSD-2-Clause"),
        (r"This is free and unencumbered software released into the public domain", "Unlicense"),
    )
)  # fmt: skip


class Unread(Exception):
    """The file is not what its name says; the message says why, in a phrase for people."""


def is_own(artifact: Artifact) -> bool:
    """Whether a file at the top says it."""
    name = artifact.uri.lower()
    return "/" not in name and (name in ("pyproject.toml", "package.json") or _NAMED.match(name) is not None)


def own_licence(artifact: Artifact) -> str:
    """The licence as an SPDX expression, empty when the file does not say one that is known here. Raises Unread."""
    data = artifact.read_bytes(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise Unread(f"is larger than {SIZE_LIMIT:,} bytes")
    text = data.decode("utf-8-sig", "replace")
    name = PurePosixPath(artifact.uri).name.lower()
    if name == "pyproject.toml":
        return _of(_toml(text))
    if name == "package.json":
        return _of(_json(text).get("license"))
    tag = _TAG.search(text[:_HEAD])
    return tag[1].strip() if tag else next((known for title, known in _TITLES if title.search(text[:_HEAD])), "")


def _of(value: Any) -> str:
    """A declaration: an expression, or a table with one (`text` of pyproject.toml, `type` of old package.json)."""
    if isinstance(value, dict):
        value = value.get("text") or value.get("type")
    return value.strip() if isinstance(value, str) and _spdx.choices(value.strip()) else ""


def _toml(text: str) -> Any:
    try:
        project = tomllib.loads(text).get("project")
    except (ValueError, RecursionError):
        raise Unread("is not TOML") from None
    return project.get("license") if isinstance(project, dict) else None


def _json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unread("is not JSON") from None
    return data if isinstance(data, dict) else {}
