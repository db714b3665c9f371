"""llamafile: a program for several systems (APE) with a zip at its end that holds the weights as GGUF."""

from __future__ import annotations

from shipworthy.modelfile import zips
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.zipdirectory import end_of_archive


def read(scope: Scope, _: str = "") -> int:
    """Report the program, read the archive in it; returns how many bytes are explained."""
    size = len(scope.view)
    archive = scope.role is Role.FILE and size > 22 and end_of_archive(scope.view) is not None
    if archive:
        text = (
            "it is a llamafile or another program for several systems at once (APE): starting it runs its code with "
            "all your rights; take the GGUF out of its archive, or get the model as GGUF, and ship that"
        )
    else:
        text = "it is a program for several systems at once (APE), as llamafile makes; no model format holds one"
    scope.issue(Code.FOREIGN_CONTENT, "high", text, 0)
    if archive:
        zips.read(scope, front=zips.front(scope.view))
    return size
