"""CycloneDX 1.6 (ECMA-424): what an image is made of, from its own layers.

The same image gives the same bytes: no clock, no random serial number (it comes from the image's digest), sorted lists.
What could not be read is told as a composition that is `incomplete`; otherwise it is `unknown`, since there may be
files that no package manager installed.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shipworthy import __version__
from shipworthy.images.layout import Image
from shipworthy.images.packages import Inventory, Package
from shipworthy.patterns import regex

_NAMESPACE = uuid.UUID("5a1f7c0e-6d0b-5b7e-8a2c-9f4e3d2b1c60")  # ours; any fixed one does
_CONTROL = regex("[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_ALGORITHMS = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def render(image: Image, inventory: Inventory, name: str = "") -> str:
    """The bill of materials as JSON text, with a line end. `name` is that of the image, by default its reference."""
    return json.dumps(to_dict(image, inventory, name), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def to_dict(image: Image, inventory: Inventory, name: str = "") -> dict[str, Any]:
    """The bill of materials as JSON values."""
    references = _references(inventory.packages)
    components = [_component(item, ref) for item, ref in zip(inventory.packages, references, strict=True)]
    system = _system(inventory)
    subject = image.digest or image.config_digest
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_NAMESPACE, subject).urn,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "shipworthy", "version": __version__}]},
            "component": _subject(image, name, subject),
        },
        "components": [*system, *components],
        "dependencies": _dependencies(inventory, references, bool(system)),
        "compositions": _compositions(inventory),
    }


def _references(packages: Iterable[Package]) -> list[str]:
    """A reference of its own for each package: the same one may be installed in several places."""
    seen: Counter[str] = Counter()
    found = []
    for item in packages:
        purl = _plain(item.purl)
        seen[purl] += 1
        found.append(purl if seen[purl] == 1 else f"{purl}#{seen[purl]}")
    return found


def _subject(image: Image, name: str, digest: str) -> dict[str, Any]:
    properties = [
        ("shipworthy:image:manifest-digest", image.digest),
        ("shipworthy:image:config-digest", image.config_digest),
        ("shipworthy:image:platform", image.platform),
    ]
    for layer in image.layers:
        number = layer.index + 1
        properties += [
            (f"shipworthy:image:layer:{number}:digest", layer.digest),
            (f"shipworthy:image:layer:{number}:diff-id", layer.diff_id),
        ]
    return {
        "bom-ref": "image",
        "type": "container",
        "name": _plain(name or image.reference) or "image",
        "version": digest,
        "hashes": _hashes(digest),
        "properties": _properties(properties),
    }


def _system(inventory: Inventory) -> list[dict[str, Any]]:
    found = inventory.distribution
    if found is None or not found.id:
        return []
    component = {"bom-ref": "operating-system", "type": "operating-system", "name": _plain(found.id)}
    if found.version:
        component["version"] = _plain(found.version)
    if found.name:
        component["description"] = _plain(found.name)
    return [component]


def _component(item: Package, reference: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "bom-ref": reference,
        "type": "library",
        "name": _plain(item.name),
        "version": _plain(item.full_version),
        "purl": _plain(item.purl),
    }
    if item.namespace:
        out["group"] = _plain(item.namespace)
    if item.licence:
        # As packages declare it: an id or expression would have to be one of SPDX.
        out["licenses"] = [{"license": {"name": _plain(item.licence)}}]
    pairs = [
        ("shipworthy:layer", item.layer),
        ("shipworthy:path", item.path),
        ("shipworthy:source", item.source if item.source != item.name else ""),
        ("shipworthy:source-version", item.source_version if item.source_version != item.version else ""),
        ("shipworthy:owner", item.owner),
    ]
    out["properties"] = _properties(pairs)
    return out


def _dependencies(inventory: Inventory, references: list[str], system: bool) -> list[dict[str, Any]]:
    """The image depends on all; the operating system on what its package manager installed."""
    own = [ref for item, ref in zip(inventory.packages, references, strict=True) if item.namespace]
    rest = [ref for item, ref in zip(inventory.packages, references, strict=True) if not item.namespace]
    if not system:
        return [{"ref": "image", "dependsOn": sorted(references)}]
    return [
        {"ref": "image", "dependsOn": sorted(["operating-system", *rest])},
        {"ref": "operating-system", "dependsOn": sorted(own)},
    ]


def _compositions(inventory: Inventory) -> list[dict[str, Any]]:
    """Completeness is never claimed: there may be files that no package manager installed."""
    return [{"aggregate": "incomplete" if inventory.unread else "unknown", "assemblies": ["image"]}]


def _hashes(digest: str) -> list[dict[str, str]]:
    algorithm, _, value = digest.partition(":")
    return [{"alg": _ALGORITHMS[algorithm], "content": value}]


def _properties(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": _plain(value)[:2000]} for name, value in pairs if value]


def _plain(text: str) -> str:
    """Without what cannot be printed: names come from the image."""
    return _CONTROL.sub("\ufffd", text)[:1000]
