"""Makes `src/shipworthy/modelfile/torch_operators.txt`: the operators that torch itself registers.

Run it where torch is installed; wheels of further versions are only unpacked for the list of operators that each
carries (torchgen/packaged/ATen/native/native_functions.yaml), for any platform.

    python scripts/make_torch_table.py [torch-1.13.1-*.whl ...] > torch_operators.txt

One line for each namespace, then the names. Nothing is added by hand; what is dangerous among them is said in
`torchscript.py`.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections import defaultdict

YAML = "torchgen/packaged/ATen/native/native_functions.yaml"
# Registered for tests, debuggers and compilers, or by Python: no saved model holds them.
LEFT_OUT = set(
    "_test onnx debugprims debug_mode_ops profiler inductor inductor_prims symm_mem c10d _c10d_functional _dtensor "
    "_c10d_functional_autograd".split()
)


def main() -> None:
    """Print the table."""
    import torch

    found: dict[str, set[str]] = defaultdict(set)
    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        found[space].add(name)
    versions = [torch.__version__.partition("+")[0]]
    for wheel in sys.argv[1:]:
        versions.append(wheel.rpartition("/")[2].split("-")[1])
        with zipfile.ZipFile(wheel) as archive:
            text = archive.read(YAML).decode()
        for name in re.findall(r"(?m)^- func: (?:aten::)?(\w+)", text):
            found["aten"].add(name)
    print(f"# Made by scripts/make_torch_table.py from torch {', '.join(sorted(versions))}: namespace, tab, names")
    for space in sorted(set(found) - LEFT_OUT):
        print(f"{space}\t{' '.join(sorted(found[space]))}")


if __name__ == "__main__":
    main()
