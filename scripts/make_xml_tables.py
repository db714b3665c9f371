"""Makes the tables of `src/shipworthy/modelfile/xmls/`: PMML's elements and OpenVINO's operator sets.

Neither is written by hand. In an environment that has the libraries:

    pip install nyoka openvino
    python scripts/make_xml_tables.py

Elements (`elements.txt`): `element<TAB>attributes`, from nyoka's classes, which were generated from the schema of
PMML 4.4. Operators (`operators.txt`): `operator number`, the first operator set that has it, from OpenVINO's headers.
"""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import version
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "shipworthy" / "modelfile" / "xmls"


def folder(package: str) -> Path:
    """Where a package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def elements() -> dict[str, set[str]]:
    """PMML element -> attributes."""
    found: dict[str, set[str]] = {}
    text = (folder("nyoka") / "PMML44Super.py").read_text("utf-8")
    for part in re.split(r"^class ", text, flags=re.MULTILINE)[1:]:
        tag = re.search(r"def export\(self, outfile, level, [^)]*?name_='([\w-]+)'", part)
        if tag:
            attributes = re.findall(r"find_attr_value_\('([\w:-]+)', node\)|outfile\.write\(' ([\w:-]+)=%s'", part)
            found.setdefault(tag[1], set()).update(one or other for one, other in attributes)
            for child in re.findall(r"nodeName_ == '([\w-]+)'", part):
                found.setdefault(child, set())
    return found


def operators() -> dict[str, int]:
    """OpenVINO operator -> first operator set."""
    found: dict[str, int] = {}
    for path in (folder("openvino") / "include" / "openvino" / "opsets").glob("opset*_tbl.hpp"):
        number = int(re.findall(r"\d+", path.name)[0])
        for name in re.findall(r"_OPENVINO_OP_REG\((\w+),", path.read_text("utf-8")):
            found[name] = min(number, found.get(name, number))
    return found


def main() -> None:
    """Write both tables."""
    head = "# Made by scripts/make_xml_tables.py; not edited by hand.\n# {} {}\n"
    rows = [f"{name}\t{' '.join(sorted(keys))}".rstrip() for name, keys in sorted(elements().items())]
    (TARGET / "elements.txt").write_text(head.format("nyoka", version("nyoka")) + "\n".join(rows) + "\n")
    lines = [f"{name} {first}" for name, first in sorted(operators().items()) if name != "NAME"]
    (TARGET / "operators.txt").write_text(head.format("openvino", version("openvino")) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
