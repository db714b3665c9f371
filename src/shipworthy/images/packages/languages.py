"""What pip and npm leave beside the packages that they install."""

from __future__ import annotations

import json

from shipworthy.images.packages.package import Package, paragraphs


def python(text: str) -> Package | None:
    """The package of a METADATA or PKG-INFO file (core metadata, PEP 566); None when it names none."""
    head = text.partition("\n\n")[0]
    fields = next(iter(paragraphs(head, 1)), {})
    name, version = fields.get("name", "")[:200], fields.get("version", "")[:200]
    if not name:
        return None
    licence = fields.get("license-expression", "") or fields.get("license", "")
    return Package("pypi", name, version, name, version, licence=licence if len(licence) <= 60 else "")


def npm(text: str) -> Package | None:
    """The package of a package.json; None when it names none. Raises ValueError for what is no JSON."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("no object")
    name, version, licence = value.get("name"), value.get("version"), value.get("license")
    if not isinstance(name, str) or not name or not isinstance(version, str):
        return None
    name, version = name[:214], version[:200]
    return Package("npm", name, version, name, version, licence=licence[:60] if isinstance(licence, str) else "")


def npm_place(path: str) -> bool:
    """Whether a package.json at this path is of an installed package: right below `node_modules`, or one scope deeper.
    Others in a package's folder (tests, examples) install nothing."""
    parts = path.split("/")[:-1]
    if len(parts) >= 2 and parts[-2] == "node_modules":
        return not parts[-1].startswith((".", "@"))
    return len(parts) >= 3 and parts[-3] == "node_modules" and parts[-2].startswith("@")
