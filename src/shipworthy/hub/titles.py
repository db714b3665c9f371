"""The titles of framework ids alone, for those who show ids and need nothing else of the hub."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from shipworthy.hub.reader import FOLDER


@cache
def titles() -> Mapping[str, str]:
    """Title by id, as it stands in a rule's taxonomy: `CWE-502`, or with the framework, `iso-42001-2023/A.7.5`. A bare
    id that several frameworks have is that of the one whose ids the others share, as `Hub.resolve` reads it."""
    found: dict[str, str] = {}
    read = [(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in (FOLDER / "frameworks").glob("*.toml")]
    for name, data in sorted(read, key=lambda one: ("shares-ids-with" in one[1], one[0])):
        for item in data.get("item", ()):
            found[f"{name}/{item['id']}"] = item["title"]
            found.setdefault(item["id"], item["title"])
    return found
