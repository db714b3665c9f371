"""A build hook: with SHIPWORTHY_COMPILE=1 the reader of model files is compiled, from the same source, into the wheel.

Without that variable the wheel is pure Python and nothing here needs a compiler. The sources stay beside the compiled
modules; Python imports the compiled ones.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "SHIPWORTHY_COMPILE"
SETTINGS = """
[mypy]
python_version = 3.11
mypy_path = {root}/src
follow_imports = silent
ignore_missing_imports = true
"""
# What every small model goes through. All of it is typed as the rest; what mypyc does not take is left out here.
PACKAGE = "src/shipworthy/modelfile"
MODULES = (
    "compressed engine far graphs/kinds hints paths protobuf readers safetensors scope sniff torchzip view "
    "zipdirectory zips"
).split()


class CompiledWheel(BuildHookInterface):  # type: ignore[type-arg]
    """See the module."""

    def dependencies(self) -> list[str]:
        """What a build needs beyond hatchling."""
        return ["mypy[mypyc]>=1.19,<3", "setuptools>=70"] if wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add what was made to the wheel."""
        if not wanted() or version == "editable":
            return
        folder = tempfile.mkdtemp(prefix="shipworthy-compiled-")
        self.folder = Path(folder)
        try:
            made = compiled(Path(self.root), self.folder)
        except BaseException:
            self.finalize(version, build_data, "")  # which is not called after a failure
            raise
        build_data["pure_python"], build_data["infer_tag"] = False, True
        build_data["force_include"].update({str(path): str(path.relative_to(self.folder / "made")) for path in made})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what was made."""
        if folder := getattr(self, "folder", None):
            import shutil

            shutil.rmtree(folder)


def wanted() -> bool:
    """Whether this build is to compile."""
    value = os.environ.get(SWITCH, "")
    if value not in ("", "0", "1"):
        raise SystemExit(f"{SWITCH} is {value!r}: 1 builds a compiled wheel, 0 or nothing a pure one")
    return value == "1"


def sources(root: Path) -> list[str]:
    """The modules that are compiled."""
    package = root / PACKAGE
    walker = (path for path in package.glob("pickles/*.py") if path.name != "__init__.py")
    return sorted(map(str, [*walker, *(package / f"{name}.py" for name in MODULES)]))


def compiled(root: Path, folder: Path) -> list[Path]:
    """Compile below a folder; the modules, below `made` in it. Raises SystemExit when that fails."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.errors import BaseError, CCompilerError

    settings = folder / "mypy.ini"
    settings.write_text(SETTINGS.format(root=root), encoding="utf-8")
    failed = f"{SWITCH}=1: the compiled wheel can't be built"
    hint = "it needs a C compiler and Python's headers (Debian: gcc, python3-dev); without that variable, nothing"
    try:
        extensions = mypycify(
            ["--config-file", str(settings), *sources(root)],
            opt_level="1",  # measured: what it makes is as fast as with 3, in two thirds of the time
            target_dir=str(folder / "c"),
            group_name="shipworthy",
        )
        command = Distribution({"name": "shipworthy", "ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder / "made"), str(folder / "objects")
        command.ensure_finalized()
        command.run()
    except SystemExit as error:  # how mypyc says that the source is not what it takes
        raise SystemExit(f"{failed}: mypyc refuses the source, see above") from error
    except (BaseError, CCompilerError, OSError) as error:
        raise SystemExit(f"{failed}: {error}; {hint}") from error
    return sorted((folder / "made").rglob("*.so"))
