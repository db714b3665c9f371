"""Files and folders whose name is, or holds, a token of a well-known form."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, check
from shipworthy.checks.secrets._rules import TOKEN
from shipworthy.model import Artifact, Finding
from shipworthy.paths import REDACTED

# Put together here, so that this file holds nothing that looks like a token.
_CANARY = f"{'ghp'}_{'0aB1cD2e3' * 4}.txt"


def _named(artifact: Artifact) -> bool:
    return REDACTED in artifact.uri


@check("secrets-names", accepts=_named, canary=Canary(files={_CANARY: b"\n"}, rule=TOKEN.id))
def run(artifact: Artifact) -> Iterator[Finding]:
    """What a name holds was redacted when the file was found (`shipworthy.paths.display_name`); here it is told."""
    part = next(part for part in artifact.uri.split("/") if REDACTED in part)
    yield TOKEN.at(artifact, f"{TOKEN.title}, in the name of a file or folder", evidence=part)
