"""Makes ExecuTorch's tables in `src/shipworthy/modelfile/graphs/`: the schema of a program, and its operators.

    pip install executorch; python scripts/make_executorch_tables.py FOLDER_OF_THE_PACKAGE VERSION

The schema comes from the .fbs files in the package, the operators from its lists of portable kernels
(`kernels/portable/functions.yaml`) and of the primitives of the runtime.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "shipworthy" / "modelfile" / "graphs"
SCALARS = {"int8": "byte", "uint8": "ubyte", "int16": "short", "uint16": "ushort", "int32": "int", "uint32": "uint",
           "int64": "long", "uint64": "ulong", "float32": "float", "float64": "double"}  # fmt: skip
PLAIN = {"bool", "byte", "ubyte", "short", "ushort", "int", "uint", "float", "long", "ulong", "double"}


def kind(text: str, enums: dict[str, str], unions: dict[str, list[str]]) -> str:
    """A type of the .fbs in the spelling of `graphs/schemas.py`."""
    text = text.strip()
    if text.startswith("["):
        return f"[{kind(text[1:-1], enums, unions)}]"
    text = SCALARS.get(text, enums.get(text, text))
    if text in PLAIN:
        return text
    if text == "string":
        return "text"
    return "|" + "|".join(unions[text]) if text in unions else f"@{text}"


def schema(sources: list[str]) -> list[str]:
    """One line per table."""
    text = "\n".join(re.sub(r"//[^\n]*", "", source) for source in sources)
    enums = {name: SCALARS.get(base, base) for name, base in re.findall(r"enum (\w+)\s*:\s*(\w+)", text)}
    unions = {name: re.findall(r"\w+", body) for name, body in re.findall(r"union (\w+)\s*\{([^}]*)\}", text)}
    lines = []
    for name, body in re.findall(r"table (\w+)\s*\{([^}]*)\}", text):
        fields = re.findall(r"(\w+)\s*:\s*(\[?\s*\w+\s*\]?)[^;]*;", body)
        lines.append(" ".join([name, *(f"{field}:{kind(given, enums, unions)}" for field, given in fields)]))
    return lines


def main() -> None:
    """Write both tables."""
    folder, version = Path(sys.argv[1]), sys.argv[2]
    head = ["# Made by scripts/make_executorch_tables.py; not edited by hand.", f"# executorch {version}"]
    sources = [
        (folder / "exir" / "_serialize" / name).read_text("utf-8") for name in ("program.fbs", "scalar_type.fbs")
    ]
    (TARGET / "executorch_schema.txt").write_text("\n".join([*head, *schema(sources)]) + "\n")
    names = set()
    for path in folder.rglob("*.yaml"):
        if "kernels" in path.parts:
            names |= set(re.findall(r"^- (?:op|func): ([\w:.]+)", path.read_text("utf-8"), re.MULTILINE))
    print(len(names), "operators")
    plain = {name if "::" in name else f"aten::{name}" for name in names}
    (TARGET / "executorch_operators.txt").write_text("\n".join([*head, *sorted(plain)]) + "\n")


if __name__ == "__main__":
    main()
