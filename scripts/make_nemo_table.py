"""Makes `src/shipworthy/modelfile/nemo_names.txt`: the classes that NeMo's own models name in `_target_`.

Read from the source in the wheels, without importing it: every public class of the collections and the core.

    pip download --no-deps nemo_toolkit==2.4.0 nemo_toolkit==1.23.0
    python scripts/make_nemo_table.py nemo_toolkit-*.whl > nemo_names.txt
"""

from __future__ import annotations

import ast
import sys
import zipfile
from collections import defaultdict

# What runs programs, serves, downloads, exports or tests: nothing of it belongs in a model's configuration.
LEFT_OUT = {
    "scripts",
    "deploy",
    "export",
    "lightning",
    "run",
    "package_info",
    "tests",
    "recipes",
    "automodel",
    "agents",
}


def main() -> None:
    """Print the table."""
    found: dict[str, set[str]] = defaultdict(set)
    versions = []
    for wheel in sys.argv[1:]:
        versions.append(wheel.rpartition("/")[2].split("-")[1])
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                parts = name.removesuffix(".py").split("/")
                if not name.endswith(".py") or parts[0] != "nemo" or LEFT_OUT & set(parts):
                    continue
                package = parts[-1] == "__init__"
                module = ".".join(parts[:-1] if package else parts)
                for node in ast.parse(archive.read(name)).body:
                    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                        found[module].add(node.name)
                    elif package and isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nemo."):
                        names = (alias.asname or alias.name for alias in node.names)
                        found[module].update(n for n in names if n[:1].isupper())
    print(f"# Made by scripts/make_nemo_table.py from nemo_toolkit {', '.join(sorted(versions))}: module, tab, classes")
    for module in sorted(found):
        print(f"{module}\t{' '.join(sorted(found[module]))}")


if __name__ == "__main__":
    main()
