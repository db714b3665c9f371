"""Make the lock files of the tools with environments of their own: `python scripts/make_tool_locks.py [NAME ...]`.

Needs `uv` and the network. Each file lists every package that the tool needs, on every platform and version of Python
that it supports, with the digests of its files. An address of an index is never written.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from shipworthy.tools.catalogue import CATALOGUE, INSTALLABLE

LOCKS = Path(__file__).resolve().parent.parent / "src" / "shipworthy" / "tools" / "locks"
PYTHON = "3.11"


def lock(requirement: str, sources: tuple[str, ...]) -> str:
    """The lock file of one requirement; what is published as source needs setuptools to be built. Raises
    CalledProcessError when it cannot be resolved."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "tool.in")
        source.write_text("\n".join([requirement, *(("setuptools<81", "wheel") if sources else ()), ""]))
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", PYTHON, "--generate-hashes"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", str(source)]
        command += ["--only-binary", ":all:", *(f"--no-binary={one}" for one in sources)]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    if "://" in text:
        raise SystemExit("an address is in the lock file")
    return f"# {requirement}: made by scripts/make_tool_locks.py\n{text}"


def main() -> None:
    """Write those that are named, or all."""
    LOCKS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or INSTALLABLE:
        text = lock(CATALOGUE[name].requirement, CATALOGUE[name].sources)
        (LOCKS / f"{name}.lock").write_text(text, encoding="utf-8")
        print(f"{name}: {len(re.findall('(?m)^[a-z0-9]', text))} packages, {len(text):,} bytes")


if __name__ == "__main__":
    main()
